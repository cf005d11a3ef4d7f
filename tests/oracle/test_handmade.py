"""A few rows by hand: versions, facts and figures that a person can check with a pencil."""

from decimal import Decimal
from typing import Any

import pytest

from oracle import handmade
from oracle.arrivals import Arrived
from oracle.oracle import UNKNOWN, Row

pytestmark = pytest.mark.slow


@pytest.fixture(params=("postgres_grown", "duckdb_whole"))
def arrived(request: pytest.FixtureRequest) -> Arrived:
    """All files of the world have arrived: in PostgreSQL some late, in DuckDB all at once."""
    state: Arrived = request.getfixturevalue(request.param)
    return state


def rows_of(arrived: Arrived, table: str) -> list[Row]:
    return [row for row in arrived.tables[table] if row["tenant_id"] == handmade.TENANT]


def versions_of(arrived: Arrived, member_id: str) -> list[Row]:
    versions = [row for row in rows_of(arrived, "core.dim_member") if row["member_id"] == member_id]
    return sorted(versions, key=lambda version: version["validity_start_ts"])


def load_ids(arrived: Arrived, entity: str) -> dict[int, str]:
    """Which extract each batch is."""
    names = {f"{entity}_{name}": file for file, name in handmade.FILES.items()}
    return {
        batch.load_id: names[batch.path.name]
        for batch in arrived.oracle.batches
        if batch.tenant_id == handmade.TENANT and batch.feed == f"aca_{entity}"
    }


@pytest.mark.parametrize("member_id", handmade.VERSIONS)
def test_member_has_the_versions_written_by_hand(arrived: Arrived, member_id: str) -> None:
    extract = load_ids(arrived, "members")
    expected = handmade.VERSIONS[member_id]
    found = [
        (
            version["validity_start_ts"],
            version["validity_end_ts"],
            extract[version["load_id"]],
            {column: version[column] for column in attributes},
        )
        for version, (*_, attributes) in zip(
            versions_of(arrived, member_id), expected, strict=False
        )
    ]
    assert found == expected
    assert len(versions_of(arrived, member_id)) == len(expected)


@pytest.mark.parametrize("member_id", handmade.VERSIONS)
def test_first_version_serves_all_earlier_facts(arrived: Arrived, member_id: str) -> None:
    first, *later = versions_of(arrived, member_id)
    assert first["join_from_ts"] == handmade.START
    assert all(version["join_from_ts"] == version["validity_start_ts"] for version in later)


def test_member_of_a_withdrawn_extract_never_was(arrived: Arrived) -> None:
    assert {row["member_id"] for row in rows_of(arrived, "core.dim_member")} == set(
        handmade.VERSIONS
    )


def test_corrected_price_replaces_the_wrong_one_from_the_corrected_extract_on(
    arrived: Arrived,
) -> None:
    gold = sorted(
        (row["validity_start_ts"], row["validity_end_ts"], row["monthly_premium"])
        for row in rows_of(arrived, "core.dim_plan")
        if row["plan_id"] == handmade.GOLD
    )
    assert gold == [
        (handmade.T_MARCH, handmade.T_APRIL, Decimal("390.00")),
        (handmade.T_APRIL, handmade.END, Decimal("300.00")),
    ]


def test_provider_who_left_the_directory_is_not_current(arrived: Arrived) -> None:
    found = {
        row["provider_id"]: (row["validity_end_ts"], row["current_flag"])
        for row in rows_of(arrived, "core.dim_provider")
    }
    assert found == {"STAYS": (handmade.END, True), "CLOSES": (handmade.T_APRIL, False)}


@pytest.mark.parametrize("claim_id", handmade.CLAIM_LINES)
def test_claim_line_belongs_to_the_versions_of_its_day(arrived: Arrived, claim_id: str) -> None:
    version, county, provider_known, plan_known, states, amount = handmade.CLAIM_LINES[claim_id]
    (line,) = (
        row for row in rows_of(arrived, "core.fct_claim_line") if row["claim_id"] == claim_id
    )
    says = {**handmade.CLAIM, **claim_says(claim_id)}
    member_sk = (
        UNKNOWN
        if version is None
        else versions_of(arrived, says["member_id"])[version]["member_sk"]
    )
    counties = {
        row["geography_sk"]: row["county_fips"] for row in arrived.tables["core.dim_geography"]
    }
    assert line["member_sk"] == member_sk
    assert counties[line["geography_sk"]] == (county or "unknown")
    assert (line["provider_sk"] != UNKNOWN) == provider_known
    assert (line["plan_sk"] != UNKNOWN) == plan_known
    assert line["state_count"] == states
    assert line["claim_amount"] == Decimal(amount)


def claim_says(claim_id: str) -> dict[str, str]:
    return next(
        line for lines in handmade.CLAIMS.values() for line in lines if line["claim_id"] == claim_id
    )


def test_no_other_claim_line_is_there(arrived: Arrived) -> None:
    claims = sorted(row["claim_id"] for row in rows_of(arrived, "core.fct_claim_line"))
    assert claims == sorted(handmade.CLAIM_LINES)


def test_month_counts_when_its_15th_is_covered_and_past(arrived: Arrived) -> None:
    plans = {row["plan_sk"]: row["plan_id"] for row in arrived.tables["core.dim_plan"]}
    found = [
        (
            row["member_id"],
            row["coverage_month"],
            row["enrollment_id"],
            str(row["premium_amount"]),
            plans[row["plan_sk"]],
        )
        for row in rows_of(arrived, "core.fct_member_month")
    ]
    assert sorted(found) == sorted(handmade.MEMBER_MONTHS)


def test_spans_that_touch_or_overlap_are_one_coverage(arrived: Arrived) -> None:
    found = [
        (
            row["member_id"],
            row["plan_id"],
            row["enrollment_start_date"],
            row["enrollment_end_date"],
            row["coverage_days"],
            row["span_count"],
            str(row["premium_paid"]),
        )
        for row in rows_of(arrived, "core.fct_enrollment")
    ]
    assert sorted(found) == sorted(handmade.COVERAGES)


def test_member_is_watched_from_50000_and_high_cost_above_100000(arrived: Arrived) -> None:
    found = [
        (row["as_of_month"], str(row["rolling_paid_amount"]), row["is_high_cost_claimant"])
        for row in rows_of(arrived, "semantic.high_cost_member_tracking")
    ]
    assert sorted(found) == handmade.HIGH_COST


def test_summary_of_a_month_adds_up(arrived: Arrived) -> None:
    columns = (
        "service_month",
        "members",
        "premium_amount",
        "claim_lines",
        "paid_amount",
        "decided_lines",
        "pended_lines",
    )
    found = [
        tuple(row[column] for column in columns)
        for row in rows_of(arrived, "semantic.dashboard_summary")
    ]
    assert sorted(found) == [_typed(line) for line in handmade.SUMMARY]


def _typed(line: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(Decimal(value) if isinstance(value, str) else value for value in line)
