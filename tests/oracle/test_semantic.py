"""Figures of the semantic tables, added up again from the oracle's facts."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from oracle.arrivals import Arrived, differences
from oracle.oracle import Key, Row

pytestmark = pytest.mark.slow

WATCHED = Decimal(50_000)
HIGH_COST = Decimal(100_000)


@pytest.fixture(params=("postgres_grown", "duckdb_whole"))
def arrived(request: pytest.FixtureRequest) -> Arrived:
    state: Arrived = request.getfixturevalue(request.param)
    return state


def month_of(row: Row) -> date:
    day: date = row.get("service_date") or row["coverage_month"]
    return day.replace(day=1)


def grouped(rows: Iterable[Row], *columns: Any) -> dict[Key, list[Row]]:
    """Rows by the values of columns, or of functions of a row."""
    groups: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        key = tuple(column(row) if callable(column) else row[column] for column in columns)
        groups[key].append(row)
    return groups


def total(rows: list[Row], *columns: str) -> Decimal:
    return sum((row[column] for row in rows for column in columns), Decimal(0))


def ratio(part: Decimal | int, whole: Decimal | int, places: str) -> Decimal | None:
    if not whole:
        return None
    return (Decimal(part) / Decimal(whole)).quantize(Decimal(places), ROUND_HALF_UP)


def in_state(lines: list[Row], *states: str) -> int:
    return sum(line["claim_status"] in states for line in lines)


def only(rows: list[Row], columns: Iterable[str]) -> list[Row]:
    return [{column: row[column] for column in columns} for row in rows]


def test_agg_claims_monthly(arrived: Arrived) -> None:
    grain = ("tenant_id", "service_month", "claim_type", "claim_status")
    lines_of = grouped(
        arrived.oracle.fct_claim_line, "tenant_id", month_of, "claim_type", "claim_status"
    )
    expected = [
        {
            **dict(zip(grain, key, strict=True)),
            "claims": len({line["claim_id"] for line in lines}),
            "claim_lines": len(lines),
            "members": len({line["member_key"] for line in lines}),
            "claim_amount": total(lines, "claim_amount"),
            "allowed_amount": total(lines, "allowed_amount"),
            "paid_amount": total(lines, "paid_amount"),
            "member_cost_share": total(lines, "deductible", "copay", "coinsurance"),
        }
        for key, lines in lines_of.items()
    ]
    assert differences(expected, arrived.tables["semantic.agg_claims_monthly"], grain) == []


def test_dashboard_summary(arrived: Arrived) -> None:
    grain = ("tenant_id", "service_month")
    lines_of = grouped(arrived.oracle.fct_claim_line, "tenant_id", month_of)
    months_of = grouped(arrived.oracle.fct_member_month, "tenant_id", month_of)
    expected = []
    for key in lines_of.keys() | months_of.keys():
        lines, months = lines_of.get(key, []), months_of.get(key, [])
        premium, paid = total(months, "premium_amount"), total(lines, "paid_amount")
        decided = in_state(lines, "paid", "denied")
        expected.append(
            {
                **dict(zip(grain, key, strict=True)),
                "members": len(months),
                "premium_amount": premium,
                "claim_lines": len(lines),
                "allowed_amount": total(lines, "allowed_amount"),
                "paid_amount": paid,
                "decided_lines": decided,
                "denied_lines": in_state(lines, "denied"),
                "pended_lines": in_state(lines, "pended"),
                "paid_loss_ratio": ratio(paid, premium, "0.000001"),
                "paid_pmpm": ratio(paid, len(months), "0.01"),
                "denial_rate": ratio(in_state(lines, "denied"), decided, "0.000001"),
            }
        )
    assert differences(expected, arrived.tables["semantic.dashboard_summary"], grain) == []


def test_claims_by_plan_metal_month(arrived: Arrived) -> None:
    grain = ("tenant_id", "service_month", "metal_tier")

    def metal(row: Row) -> str:
        return metals.get(row["plan_sk"], "unknown")

    metals: dict[int, str] = {
        plan["plan_sk"]: plan["metal_tier"] for plan in arrived.oracle.dim_plan
    }
    lines_of = grouped(arrived.oracle.fct_claim_line, "tenant_id", month_of, metal)
    months_of = grouped(arrived.oracle.fct_member_month, "tenant_id", month_of, metal)
    expected = []
    for key in lines_of.keys() | months_of.keys():
        lines, months = lines_of.get(key, []), months_of.get(key, [])
        allowed, paid = total(lines, "allowed_amount"), total(lines, "paid_amount")
        expected.append(
            {
                **dict(zip(grain, key, strict=True)),
                "member_months": len(months),
                "claim_lines": len(lines),
                "premium_amount": total(months, "premium_amount"),
                "allowed_amount": allowed,
                "paid_amount": paid,
                "member_cost_share": total(lines, "deductible", "copay", "coinsurance"),
                "allowed_pmpm": ratio(allowed, len(months), "0.01"),
                "paid_pmpm": ratio(paid, len(months), "0.01"),
            }
        )
    actual = arrived.tables["semantic.claims_by_plan_metal_month"]
    assert differences(expected, actual, grain) == []


def test_high_cost_member_tracking(arrived: Arrived) -> None:
    grain = ("tenant_id", "member_key", "as_of_month")
    lines = arrived.oracle.fct_claim_line
    last_month = {
        tenant: max(map(month_of, of_tenant))
        for (tenant,), of_tenant in grouped(lines, "tenant_id").items()
    }
    expected = []
    for (tenant, member_key), of_member in grouped(lines, "tenant_id", "member_key").items():
        rolling: dict[date, Decimal] = defaultdict(Decimal)
        for line in of_member:
            for month in twelve_months_from(month_of(line)):
                rolling[month] += line["paid_amount"]
        expected += [
            {
                "tenant_id": tenant,
                "member_key": member_key,
                "as_of_month": month,
                "rolling_paid_amount": paid,
                "is_high_cost_claimant": paid > HIGH_COST,
            }
            for month, paid in rolling.items()
            if paid >= WATCHED and month <= last_month[tenant]
        ]
    actual = arrived.tables["semantic.high_cost_member_tracking"]
    assert expected
    assert differences(expected, only(actual, expected[0]), grain) == []


def twelve_months_from(month: date) -> Iterator[date]:
    for ahead in range(12):
        years, months = divmod(month.month - 1 + ahead, 12)
        yield date(month.year + years, months + 1, 1)
