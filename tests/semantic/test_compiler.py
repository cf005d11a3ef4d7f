from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest
import sqlglot

from granary.errors import GranaryError
from semantic.compiler import compile_query
from semantic.definitions import Grain
from semantic.query import Query, parse_condition
from semantic.registry import Registry

JANUARY, FEBRUARY, MARCH, APRIL = (date(2025, month, 1) for month in (1, 2, 3, 4))
Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def ask(registry: Registry, world: duckdb.DuckDBPyConnection) -> Ask:
    def answer(*metrics: str, where: tuple[str, ...] = (), **asked: Any) -> list[tuple[Any, ...]]:
        conditions = tuple(parse_condition(text) for text in where)
        select = compile_query(registry, Query(metrics, where=conditions, **asked))
        return world.execute(select.sql("duckdb")).fetchall()

    return answer


def test_one_number_over_everything(ask: Ask) -> None:
    # 100 + 50 + 0 + 30; 2 + 3 + 5 + 4
    assert ask("paid", "claims", "member_months") == [(180, 4, 14)]


def test_facts_meet_after_they_were_added_up(ask: Ask) -> None:
    # Joined row by row, north's two claims and two months would give 300 paid and 10 months.
    assert ask("paid", "member_months", by=("tenant_id",)) == [("north", 150, 5), ("south", 30, 9)]


def test_periods_without_a_fact_count_zero_and_periods_without_any_are_absent(ask: Ask) -> None:
    assert ask("claims", "member_months", grain=Grain.MONTH) == [
        (JANUARY, 2, 7),
        (FEBRUARY, 1, 3),
        (MARCH, 0, 4),
        (APRIL, 1, 0),
    ]
    assert ask("claims", grain=Grain.MONTH) == [(JANUARY, 2), (FEBRUARY, 1), (APRIL, 1)]


def test_a_ratio_divides_sums_and_has_no_value_over_nothing(ask: Ask) -> None:
    assert ask("paid_pmpm", grain=Grain.MONTH) == [
        (JANUARY, Decimal("21.43")),  # 150 / 7
        (FEBRUARY, 0),  # 0 / 3
        (MARCH, 0),  # nothing / 4
        (APRIL, None),  # 30 / nothing
    ]
    # 4 claims * 12000 / 14 months
    assert ask("claims_per_1000") == [(Decimal("3428.57"),)]


def test_an_exposure_stays_whole_where_the_numerator_is_split(ask: Ask) -> None:
    # lab: 100 + 0 + 30 over all 14 months, drug: 50 over the same 14
    assert ask("paid_pmpm", by=("claim_type",)) == [
        ("drug", Decimal("3.57")),
        ("lab", Decimal("9.29")),
    ]
    # north: 5 months, south: 9
    assert ask("paid_pmpm", by=("tenant_id", "claim_type")) == [
        ("north", "drug", 10),
        ("north", "lab", 20),
        ("south", "lab", Decimal("3.33")),
    ]
    assert ask("paid_pmpm", where=("claim_type=drug",)) == [(Decimal("3.57"),)]


def test_other_ratios_refuse_what_their_denominator_does_not_know(ask: Ask) -> None:
    with pytest.raises(GranaryError, match="claims_per_1000 cannot be split by claim_type") as told:
        ask("claims_per_1000", by=("claim_type",))
    assert told.value.remedy.endswith("It knows metal_tier, state, tenant_id.")


def test_orphans_and_missing_values_are_unknown_and_not_lost(ask: Ask) -> None:
    assert ask("paid", by=("metal_tier",)) == [("gold", 150), ("silver", 0), ("unknown", 30)]
    # by way of the plan: silver's issuer has no state, the orphan has no plan
    assert ask("paid", by=("state",)) == [("TX", 150), ("unknown", 30)]
    assert ask("paid", where=("metal_tier=unknown",)) == [(30,)]
    assert ask("paid", where=("metal_tier!=gold",)) == [(30,)]


def test_a_stock_takes_the_last_instant_of_each_tenant_and_period(ask: Ask) -> None:
    assert ask("members_in_force", grain=Grain.MONTH) == [(JANUARY, 7), (FEBRUARY, 3), (MARCH, 4)]
    # north ended in February with 3, south in March with 4
    assert ask("members_in_force", grain=Grain.YEAR) == [(JANUARY, 7)]
    assert ask("members_in_force") == [(7,)]
    assert ask("members_in_force", end=FEBRUARY) == [(7,)]
    assert ask("members_in_force", by=("metal_tier",)) == [("gold", 3), ("silver", 4)]


def test_distinct_counts_and_medians_are_computed_at_each_level(ask: Ask) -> None:
    assert ask("patients", grain=Grain.MONTH) == [(JANUARY, 1), (FEBRUARY, 1), (APRIL, 1)]
    assert ask("patients") == [(3,)]
    # 0, 30, 50, 100
    assert ask("median_paid", "largest_paid") == [(40, 100)]
    assert ask("median_paid", grain=Grain.QUARTER) == [(JANUARY, 50), (APRIL, 30)]


def test_each_measure_has_its_own_date_and_what_has_none_did_not_happen(ask: Ask) -> None:
    assert ask("paid", "paid_out", grain=Grain.MONTH) == [
        (JANUARY, 150, 50),
        (FEBRUARY, 0, 100),
        (APRIL, 30, 30),
    ]


def test_a_measure_can_look_at_what_it_joins(ask: Ask) -> None:
    assert ask("gold_paid", by=("tenant_id",)) == [("north", 150), ("south", 0)]


def test_derived_metrics_are_computed_at_each_level(ask: Ask) -> None:
    assert ask("unpaid_months", grain=Grain.QUARTER) == [(JANUARY, 11), (APRIL, -1)]
    # (180 / 14) / (180 / 4)
    assert ask("pmpm_over_claim") == [(Decimal("0.285714"),)]
    # Claims, and so claims per claims, are zero in March: no value, not an error.
    assert [row[1] for row in ask("unpaid_per_claim_pair", grain=Grain.MONTH)][2] is None
    # 30 / 0 months: no value, not an error
    assert ask("pmpm_over_claim", start=APRIL) == [(None,)]


def test_conditions_are_typed_and_take_lists(ask: Ask) -> None:
    assert ask("claims", where=("line_count>=2",)) == [(2,)]
    assert ask("claims", where=("line_count=1,3", "tenant_id=south")) == [(2,)]
    assert ask("claims", where=("claim_type!=lab,other",)) == [(1,)]
    assert ask("claims", where=("is_urgent=true",)) == [(1,)]
    assert ask("claims", where=("claim_type=none",)) == [(0,)]


def test_dimensions_that_are_no_text_keep_their_missing_values(ask: Ask) -> None:
    assert ask("claims", "paid", by=("is_urgent",)) == [
        (False, 2, 80),
        (True, 1, 100),
        (None, 1, 0),
    ]
    assert ask("claims", "paid_out", by=("is_urgent",)) == [
        (False, 2, 80),
        (True, 1, 100),
        (None, 1, 0),
    ]


def test_values_are_data_and_never_sql(ask: Ask) -> None:
    assert ask("claims", where=("claim_type=' OR 1=1 --",)) == [(0,)]


def test_order_and_limit(ask: Ask) -> None:
    assert ask("paid", by=("tenant_id",), order=("-paid",), limit=1) == [("north", 150)]
    assert ask("paid_pmpm", grain=Grain.MONTH, order=("-paid_pmpm",), limit=1) == [
        (JANUARY, Decimal("21.43"))
    ]


def test_time_ranges_begin_and_end_on_first_days(ask: Ask) -> None:
    assert ask("claims", start=date(2025, 1, 15), end=date(2025, 2, 6)) == [(2,)]
    with pytest.raises(GranaryError, match="2025-01-15 is not the first day of one"):
        ask("paid_pmpm", start=date(2025, 1, 15))
    with pytest.raises(GranaryError, match="yearly_score is known by year, and 2025-02-01"):
        ask("yearly_score", end=FEBRUARY)


@pytest.mark.parametrize(
    ("asked", "message", "remedy"),
    [
        ({"metrics": ("payd",)}, "There is no metric payd", "Did you mean paid"),
        ({"metrics": ("claims_cost",)}, "There is no metric claims_cost", "Did you mean paid or"),
        ({"metrics": ()}, "No metric was asked for", "granary metrics list"),
        ({"metrics": ("paid", "paid")}, "paid stands twice", "Name it once"),
        ({"metrics": ("paid",), "by": ("metal",)}, "cannot be split by metal", "metal_tier"),
        ({"metrics": ("paid",), "order": ("cost",)}, "Cannot sort by cost", "Known are paid"),
        (
            {"metrics": ("member_months",), "grain": Grain.DAY},
            "member_months is known by month, not by day",
            "--grain month",
        ),
    ],
)
def test_wrong_questions_are_told_before_any_sql(
    registry: Registry, asked: dict[str, Any], message: str, remedy: str
) -> None:
    with pytest.raises(GranaryError) as told:
        compile_query(registry, Query(**asked))
    assert message in told.value.message
    assert remedy in told.value.remedy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("line_count=many", "'many' is not an integer"),
        ("is_urgent=perhaps", "'perhaps' is not a boolean"),
        ("claim_type", "is not a condition"),
        ("line_count>1,2", "compares with several values"),
        ("claim_type>=5", "claim_type is a text, which has no order"),
        ("is_urgent>false", "is_urgent is a boolean, which has no order"),
    ],
)
def test_wrong_conditions_are_told(ask: Ask, text: str, message: str) -> None:
    with pytest.raises(GranaryError) as told:
        ask("claims", where=(text,))
    assert message in told.value.message


@pytest.mark.parametrize("dialect", ["postgres", "duckdb", "spark"])
def test_every_dialect_can_read_what_is_written_for_it(registry: Registry, dialect: str) -> None:
    for name in registry.metrics:
        select = compile_query(registry, Query((name,), ("tenant_id",), Grain.YEAR))
        assert sqlglot.parse_one(select.sql(dialect), dialect=dialect)


def test_another_environment_is_read_by_naming_its_tables(registry: Registry) -> None:
    select = compile_query(registry, Query(("gold_paid",)), lambda name: f"x.{name.split('.')[1]}")
    assert {table.sql() for table in select.find_all(sqlglot.exp.Table)} >= {
        "x.claim AS claim",
        "x.plan AS plan",
    }
