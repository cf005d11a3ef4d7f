"""Dimensions and facts are a function of the batches that stand.

Order of arrival, number of runs between, days evaluated again, late batches, corrections with the
same extract time and retractions leave no trace.
"""

import os
from datetime import date, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from history.stories import FEEDS, FIRST_DAY, TENANTS, Batch, Event, Snapshot, Story, stories
from history.walk import FOREVER, ClaimLine, Version, claim_lines, versions
from history.warehouse import AGGREGATES, Warehouse

COUNT = os.environ.get("GRANARY_HISTORY_CASES")
# The same cases each time, unless somebody asks for a search.
CASES = settings(
    max_examples=int(COUNT or 150),
    deadline=None,
    derandomize=COUNT is None,
    database=None,
    print_blob=True,
)
# What claim lines cover in part.
FEWER_CASES = settings(CASES, max_examples=max(CASES.max_examples // 3, 1))


def member_versions(warehouse: Warehouse, tenant_id: str) -> dict[tuple[str], list[Version]]:
    found: dict[tuple[str], list[Version]] = {}
    for row in warehouse.rows(
        f"SELECT * FROM core.dim_member WHERE tenant_id = '{tenant_id}' ORDER BY validity_start_ts"
    ):
        version = Version(
            values=(row["clinical_segment"], row["county_fips"]),
            start=row["validity_start_ts"],
            end=row["validity_end_ts"],
            joins_from=row["join_from_ts"],
            load_id=row["load_id"],
        )
        assert row["current_flag"] == (version.end == FOREVER)
        found.setdefault((row["member_id"],), []).append(version)
    return found


def lines_of(warehouse: Warehouse, tenant_id: str) -> dict[tuple[str, int], ClaimLine]:
    """Claim lines, with NULL where the version that a line names is not in the dimension."""
    return {
        (row["claim_id"], row["line_number"]): ClaimLine(
            values=tuple(row[name] for name in FEEDS["aca_claims"][1]),
            load_id=row["load_id"],
            states=row["state_count"],
            member=row["member"],
            provider=row["provider"],
            plan=row["plan"],
        )
        for row in warehouse.rows(
            "SELECT lines.*, states.member_id, states.provider_id, states.plan_id, "
            "CASE WHEN member_sk = -1 THEN -1 ELSE members.load_id END AS member, "
            "CASE WHEN provider_sk = -1 THEN -1 ELSE providers.load_id END AS provider, "
            "CASE WHEN plan_sk = -1 THEN -1 ELSE plans.load_id END AS plan "
            "FROM core.fct_claim_line AS lines "
            "JOIN core.claim_line_changes AS states USING (claim_line_key, load_id) "
            "LEFT JOIN core.dim_member AS members USING (member_sk) "
            "LEFT JOIN core.dim_provider AS providers USING (provider_sk) "
            "LEFT JOIN core.dim_plan AS plans USING (plan_sk) "
            f"WHERE lines.tenant_id = '{tenant_id}'"
        )
    }


def assert_shows_no_accident(warehouse: Warehouse, story: Story, *tables: str) -> None:
    """Compare what the story left in tables with what its orderly twin leaves there."""
    found = {table: warehouse.facts(table) for table in tables}
    warehouse.live(story.in_order(), [name for name in AGGREGATES if name in tables])
    for table in tables:
        assert found[table] == warehouse.facts(table), f"{table} tells how its batches landed"


@FEWER_CASES
@given(stories(["aca_members"]))
def test_versions_of_members(warehouse: Warehouse, story: Story) -> None:
    warehouse.live(story)
    for tenant_id in TENANTS:
        expected = versions(story, "aca_members", tenant_id)
        assert member_versions(warehouse, tenant_id) == dict(expected)


@CASES
@given(
    st.sampled_from(
        [
            ["aca_members", "aca_claims"],
            ["aca_providers", "aca_claims"],
            ["aca_plans", "aca_claims"],
            ["aca_members", "aca_providers", "aca_plans", "aca_claims"],
        ]
    ).flatmap(stories)
)
def test_claim_lines_and_their_dimensions(warehouse: Warehouse, story: Story) -> None:
    warehouse.live(story)
    for tenant_id in TENANTS:
        assert lines_of(warehouse, tenant_id) == claim_lines(story, tenant_id)
    assert_shows_no_accident(
        warehouse,
        story,
        "core.dim_member",
        "core.dim_provider",
        "core.dim_plan",
        "core.fct_claim_line",
    )


@FEWER_CASES
@given(stories(["aca_members", "aca_plans", "aca_enrollments"]))
def test_coverage(warehouse: Warehouse, story: Story) -> None:
    warehouse.live(story)
    assert_shows_no_accident(
        warehouse,
        story,
        "core.enrollment_spans",
        "core.fct_member_month",
        "core.fct_enrollment",
    )


@FEWER_CASES
@given(
    st.sampled_from(
        [
            ["aca_claims"],
            ["aca_providers", "aca_claims"],
            ["aca_members", "aca_enrollments", "aca_claims"],
            ["aca_members", "aca_providers", "aca_plans", "aca_enrollments", "aca_claims"],
        ]
    ).flatmap(stories)
)
def test_aggregates(warehouse: Warehouse, story: Story) -> None:
    warehouse.live(story, AGGREGATES)
    assert_shows_no_accident(warehouse, story, "core.fct_claim", *AGGREGATES)


def batch(load_id: int, feed: str, extracted_at: datetime, rows: Snapshot) -> Batch:
    return Batch(load_id, feed, "one", extracted_at, rows)


JANUARY, FEBRUARY, MARCH = (datetime(2025, month, 14, 2) for month in (1, 2, 3))
WELL, ILL = {("m1",): ("well", None)}, {("m1",): ("ill", None)}


def member(load_id: int, extracted_at: datetime, rows: Snapshot) -> Batch:
    return batch(load_id, "aca_members", extracted_at, rows)


def claim(load_id: int, service_date: date) -> Batch:
    line = {("c1", 1): ("m1", "p1", "l1", service_date, "paid", Decimal("20000.00"))}
    return batch(load_id, "aca_claims", MARCH, line)


def assert_claims_as_walked(warehouse: Warehouse, *events: Event) -> None:
    story = Story(("aca_members", "aca_claims"), events)
    warehouse.live(story)
    assert lines_of(warehouse, "one") == claim_lines(story, "one")


def at(day: int, minute: int) -> datetime:
    return FIRST_DAY + timedelta(days=day, minutes=minute)


def test_retraction_on_the_day_of_landing_frees_older_claims(warehouse: Warehouse) -> None:
    wrong = member(2, FEBRUARY, ILL)
    assert_claims_as_walked(
        warehouse,
        Event(at(0, 0), "land", member(1, JANUARY, WELL)),
        Event(at(0, 1), "land", claim(3, date(2025, 2, 20))),
        Event(at(0, 2), "run"),
        Event(at(1, 0), "land", wrong),
        Event(at(1, 1), "run"),
        Event(at(1, 2), "retract", wrong),
        Event(at(1, 3), "run"),
    )


def test_correction_of_the_first_extract_reaches_claims_before_it(warehouse: Warehouse) -> None:
    assert_claims_as_walked(
        warehouse,
        Event(at(0, 0), "land", member(1, JANUARY, WELL)),
        Event(at(0, 1), "land", claim(3, date(2025, 1, 2))),
        Event(at(0, 2), "run"),
        Event(at(1, 0), "run"),
        Event(at(2, 0), "land", member(2, JANUARY, ILL)),
        Event(at(2, 1), "run"),
    )


def test_retracting_between_two_equal_extracts_of_one_moment(warehouse: Warehouse) -> None:
    wrong = member(2, JANUARY, ILL)
    assert_claims_as_walked(
        warehouse,
        Event(at(0, 0), "land", member(1, JANUARY, WELL)),
        Event(at(0, 1), "land", wrong),
        Event(at(0, 2), "land", member(3, JANUARY, WELL)),
        Event(at(0, 3), "land", claim(4, date(2025, 1, 2))),
        Event(at(0, 4), "run"),
        Event(at(1, 0), "run"),
        Event(at(2, 0), "retract", wrong),
        Event(at(2, 1), "run"),
    )
