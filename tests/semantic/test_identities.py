"""What must hold between numbers, over a small warehouse that was really built.

The registry, the metric tables, the facts and the older tables of the semantic schema agree.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import pytest
from end_to_end.sandbox import Sandbox

from granary.metrics import ask
from semantic.definitions import Additivity, Grain, Unit
from semantic.query import Query
from semantic.registry import PERIOD, TENANT, Registry, load_registry

pytestmark = pytest.mark.slow

Row = dict[str, Any]
Answer = Callable[..., list[Row]]
Values = dict[tuple[Any, ...], tuple[Any, ...]]

# Two turns of a year, so that retention, trend and the error of the reserve have values.
SEED = ("--members", "600", "--from", "2023-07-01", "--to", "2025-02-28", "--batches", "8")
MONTHLY = "semantic.aca_metrics_monthly"
YEARLY = "semantic.aca_metrics_yearly"
DETAIL = "semantic.aca_metrics_detail"
# A plan may pay out more than its premium, and growth and error are no parts of a whole.
BEYOND_ONE = {
    "medical_loss_ratio",
    "medical_loss_ratio_simple",
    "paid_loss_ratio",
    "trend_pmpm_yoy",
    "ibnr_restated_error",
}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterable[Sandbox]:
    sandbox = Sandbox(tmp_path_factory.mktemp("identities"), "duckdb")
    for command in (("seed", "aca", *SEED), ("up",)):
        outcome = sandbox.granary(*command)
        assert outcome.exit_code == 0, outcome.messages
    yield sandbox
    sandbox.gateway.destroy()


@pytest.fixture(scope="module")
def aca() -> Registry:
    return load_registry()


@pytest.fixture(scope="module")
def answer(warehouse: Sandbox, aca: Registry) -> Answer:
    """Asks the registry."""

    def answered(*metrics: str, **asked: Any) -> list[Row]:
        rows = ask(warehouse.gateway, aca, Query(metrics, **asked))
        return [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]

    return answered


def keyed(rows: list[Row], *keys: str) -> Values:
    """The other columns by some of them; rows of nothing but zeros and NULLs are left out."""
    values = {
        tuple(row[key] for key in keys): tuple(v for k, v in row.items() if k not in keys)
        for row in rows
    }
    return {key: found for key, found in values.items() if any(found)}


def monthly_by_parts(aca: Registry, columns: Iterable[str]) -> list[str]:
    """The metrics among columns whose parts add up, at least within a month."""
    kinds = (Additivity.SUM, Additivity.LAST)
    return [name for name in columns if name in aca.metrics and aca.additivity(name) in kinds]


def test_what_is_allowed_is_paid_by_plan_or_member(answer: Answer) -> None:
    rows = answer(
        "claims_allowed",
        "claims_paid",
        "member_cost_share",
        by=(TENANT, "service_category"),
        grain=Grain.MONTH,
    )
    assert sum(row["claims_allowed"] for row in rows) > 0
    for row in rows:
        assert row["claims_allowed"] == row["claims_paid"] + row["member_cost_share"], row


def test_what_was_paid_out_is_what_was_paid(answer: Answer) -> None:
    for row in answer("claims_paid_out", "claims_paid", by=(TENANT, "claim_type", "state")):
        assert row["claims_paid_out"] == row["claims_paid"], row


def test_a_reversal_is_the_negative_of_what_it_reverses(warehouse: Sandbox) -> None:
    reversed_lines = warehouse.rows(
        """
        SELECT
          SUM(CASE WHEN payments.event = 'reversal' THEN -payments.paid_change ELSE 0 END) AS taken,
          SUM(CASE WHEN payments.event <> 'reversal' THEN payments.paid_change ELSE 0 END) AS given
        FROM core.fct_payment AS payments
        INNER JOIN core.fct_claim_line AS claim_lines
          ON claim_lines.claim_line_key = payments.claim_line_key
          AND claim_lines.claim_status = 'reversed'
        GROUP BY payments.claim_line_key
        """
    )
    assert len(reversed_lines) > 0
    assert {line["taken"] - line["given"] for line in reversed_lines} == {0}


def test_the_parts_in_the_detail_table_add_up(warehouse: Sandbox, aca: Registry) -> None:
    parts = warehouse.rows(f"SELECT * FROM {DETAIL}")
    metrics = monthly_by_parts(aca, parts[0])
    assert len(metrics) > 50
    sums: dict[tuple[Any, Any], dict[str, Any]] = defaultdict(lambda: dict.fromkeys(metrics, 0))
    for part in parts:
        whole = sums[part[TENANT], part[PERIOD]]
        for name in metrics:
            whole[name] += part[name] or 0
    for row in warehouse.rows(f"SELECT * FROM {MONTHLY}"):
        found = sums[row[TENANT], row[PERIOD]]
        assert found == {name: row[name] or 0 for name in metrics}, (row[TENANT], row[PERIOD])


@pytest.mark.parametrize(("table", "grain"), [(MONTHLY, "month"), (YEARLY, "year")])
def test_the_long_table_holds_what_the_wide_ones_hold(
    warehouse: Sandbox, aca: Registry, table: str, grain: str
) -> None:
    wide = warehouse.rows(f"SELECT * FROM {table}")
    expected = {
        (row[TENANT], row[PERIOD], name): row[name]
        for row in wide
        for name in row
        if name in aca.metrics
    }
    long = warehouse.rows(
        "SELECT tenant_id, period, metric, value, numerator, denominator "
        f"FROM semantic.metric_values WHERE period_grain = '{grain}'"
    )
    assert {(row[TENANT], row[PERIOD], row["metric"]): row["value"] for row in long} == expected
    for row in long:
        ratio = aca.metrics[row["metric"]].ratio
        if ratio and row["value"] is not None:
            quotient = row["numerator"] * ratio.scale / row["denominator"]
            assert row["value"] == pytest.approx(quotient, abs=Decimal("0.006")), row


@pytest.mark.parametrize(("table", "grain"), [(MONTHLY, "month"), (YEARLY, "year")])
def test_the_command_line_answers_what_is_stored(
    warehouse: Sandbox, aca: Registry, table: str, grain: str
) -> None:
    stored = warehouse.rows(f"SELECT * FROM {table}")
    metrics = [name for name in stored[0] if name in aca.metrics]
    outcome = warehouse.granary(
        "metrics", "query", *metrics, "--by", TENANT, "--grain", grain, "--format", "json"
    )
    assert outcome.exit_code == 0, outcome.messages

    def comparable(row: Row) -> Row:
        numbers = {k: None if row[k] is None else Decimal(str(row[k])) for k in metrics}
        return {TENANT: row[TENANT], PERIOD: str(row[PERIOD]), **numbers}

    def place(row: Row) -> tuple[str, str]:
        return row[TENANT], row[PERIOD]

    told = sorted(map(comparable, json.loads(outcome.answer)), key=place)
    assert told == sorted(map(comparable, stored), key=place)


def test_a_share_is_between_nothing_and_everything(answer: Answer, aca: Registry) -> None:
    shares = {n for n, m in aca.metrics.items() if m.ratio and m.unit is Unit.SHARE} - BEYOND_ONE
    assert len(shares) > 30
    beyond = []
    for name in sorted(shares):
        finest = max(aca.grain(name), Grain.MONTH, key=lambda grain: grain.days)
        splits: list[tuple[str, ...]] = [(TENANT,)]
        if "metal_tier" in aca.dimensions(name):
            splits.append((TENANT, "metal_tier"))
        for by in splits:
            for grain in {finest, Grain.YEAR, None}:
                rows = answer(name, by=by, grain=grain)
                beyond += [row for row in rows if row[name] and not 0 <= row[name] <= 1]
    assert beyond == []


def test_every_metric_has_a_value_in_the_demo(warehouse: Sandbox, aca: Registry) -> None:
    valued = warehouse.rows("SELECT metric FROM semantic.metric_values WHERE value <> 0 GROUP BY 1")
    # So few members have no such cost, hardly one is admitted after an emergency visit, and fewer
    # than three of a thousand denied claims are appealed.
    rare = {
        *("high_cost_claimants_250k", "high_cost_claimants_500k", "high_cost_claimants_1m"),
        *("ed_visits_admitted", "ed_admission_rate"),
        *("appeals_overturned", "appeal_overturn_rate"),
    }
    assert set(aca.metrics) - {row["metric"] for row in valued} - rare == set()


def test_claims_by_month_and_type_agree(warehouse: Sandbox, answer: Answer) -> None:
    older = warehouse.rows(
        "SELECT tenant_id, service_month, claim_type, SUM(allowed_amount), SUM(paid_amount) "
        "FROM semantic.agg_claims_monthly WHERE claim_status = 'paid' GROUP BY 1, 2, 3"
    )
    rows = answer("claims_allowed", "claims_paid", by=(TENANT, "claim_type"), grain=Grain.MONTH)
    assert keyed(rows, TENANT, PERIOD, "claim_type") == keyed(
        older, TENANT, "service_month", "claim_type"
    )


def test_claims_and_coverage_by_metal_level_agree(warehouse: Sandbox, answer: Answer) -> None:
    older = warehouse.rows(
        "SELECT tenant_id, service_month, metal_tier, member_months, premium_amount, "
        "allowed_amount, paid_amount, member_cost_share, allowed_pmpm, paid_pmpm "
        "FROM semantic.claims_by_plan_metal_month"
    )
    metrics = (
        *("member_months", "gross_premium", "claims_allowed", "claims_paid"),
        *("member_cost_share", "allowed_pmpm", "paid_pmpm"),
    )
    rows = answer(*metrics, by=(TENANT, "metal_tier"), grain=Grain.MONTH)
    assert keyed(rows, TENANT, PERIOD, "metal_tier") == keyed(
        older, TENANT, "service_month", "metal_tier"
    )


def test_the_dashboard_agrees(warehouse: Sandbox, answer: Answer) -> None:
    older = warehouse.rows(
        "SELECT tenant_id, service_month, members, premium_amount, allowed_amount, paid_amount, "
        "paid_pmpm, paid_loss_ratio FROM semantic.dashboard_summary"
    )
    metrics = (
        *("effectuated_enrollment", "gross_premium"),
        *("claims_allowed", "claims_paid", "paid_pmpm", "paid_loss_ratio"),
    )
    rows = answer(*metrics, by=(TENANT,), grain=Grain.MONTH)
    assert keyed(rows, TENANT, PERIOD) == keyed(older, TENANT, "service_month")


def test_the_denial_rate_of_the_dashboard_agrees_over_all_time(
    warehouse: Sandbox, answer: Answer
) -> None:
    # By month it does not: there by the month of service, here by that of the decision.
    older = warehouse.rows(
        "SELECT tenant_id, SUM(decided_lines)::BIGINT, SUM(denied_lines)::BIGINT, "
        "ROUND(SUM(denied_lines)::DECIMAL(18, 6) / SUM(decided_lines), 6)::DECIMAL(20, 6) "
        "FROM semantic.dashboard_summary GROUP BY 1"
    )
    rows = answer("lines_decided", "lines_denied", "denial_rate_line", by=(TENANT,))
    assert keyed(rows, TENANT) == keyed(older, TENANT)


def test_high_cost_members_agree(warehouse: Sandbox, answer: Answer) -> None:
    older = warehouse.rows(
        "SELECT tenant_id, as_of_month, "
        "SUM(CASE WHEN rolling_paid_amount > 50000 THEN 1 ELSE 0 END)::BIGINT, "
        "SUM(CASE WHEN is_high_cost_claimant THEN 1 ELSE 0 END)::BIGINT, "
        "SUM(CASE WHEN is_high_cost_claimant THEN rolling_paid_amount ELSE 0 END) "
        "FROM semantic.high_cost_member_tracking GROUP BY 1, 2"
    )
    metrics = ("high_cost_claimants_50k", "high_cost_claimants", "high_cost_paid")
    rows = answer(*metrics, by=(TENANT,), grain=Grain.MONTH)
    assert keyed(rows, TENANT, PERIOD) == keyed(older, TENANT, "as_of_month") != {}


def test_days_and_members_agree(warehouse: Sandbox, answer: Answer) -> None:
    older = warehouse.rows(
        "SELECT tenant_id, service_date, SUM(allowed_amount), SUM(paid_amount), "
        "SUM(member_cost_share) FROM semantic.claims_daily_member GROUP BY 1, 2"
    )
    metrics = ("claims_allowed", "claims_paid", "member_cost_share")
    rows = answer(*metrics, by=(TENANT,), grain=Grain.DAY)
    assert keyed(rows, TENANT, PERIOD) == keyed(older, TENANT, "service_date")


def test_member_cost_by_year_agrees(warehouse: Sandbox, answer: Answer) -> None:
    older = warehouse.rows(
        "SELECT tenant_id, MAKE_DATE(plan_year, 1, 1) AS period, SUM(member_months)::BIGINT, "
        "SUM(premium_amount), SUM(paid_amount) FROM semantic.agg_member_cost GROUP BY 1, 2"
    )
    metrics = ("member_months", "gross_premium", "claims_paid")
    rows = answer(*metrics, by=(TENANT,), grain=Grain.YEAR)
    assert keyed(rows, TENANT, PERIOD) == keyed(older, TENANT, "period")


def test_providers_agree(warehouse: Sandbox, answer: Answer) -> None:
    older = warehouse.rows(
        "SELECT tenant_id, provider_id, MAKE_DATE(service_year, 1, 1) AS period, allowed_amount, "
        "paid_amount FROM semantic.agg_provider_performance"
    )
    by = (TENANT, "provider_id")
    rows = answer("claims_allowed", "claims_paid", by=by, grain=Grain.YEAR)
    assert keyed(rows, PERIOD, *by) == keyed(older, "period", *by)


def test_specialties_agree(warehouse: Sandbox, answer: Answer) -> None:
    older = warehouse.rows(
        "SELECT tenant_id, service_month, specialty, allowed_amount, paid_amount "
        "FROM semantic.utilization_by_specialty"
    )
    by = (TENANT, "specialty")
    rows = answer("claims_allowed", "claims_paid", by=by, grain=Grain.MONTH)
    assert keyed(rows, PERIOD, *by) == keyed(older, "service_month", *by)
