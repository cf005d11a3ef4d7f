"""What holds whatever the story, on either engine, and the stories that try it."""

import os

from hypothesis import settings
from hypothesis import strategies as st

from history.stories import FEEDS, TENANTS, Story, stories
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
ALL_FEEDS = ["aca_members", "aca_providers", "aca_plans", "aca_enrollments", "aca_claims"]
MEMBERS = stories(["aca_members"])
CLAIM_LINES = st.sampled_from(
    [
        ["aca_members", "aca_claims"],
        ["aca_providers", "aca_claims"],
        ["aca_plans", "aca_claims"],
        ["aca_members", "aca_providers", "aca_plans", "aca_claims"],
    ]
).flatmap(stories)
COVERAGE = stories(["aca_members", "aca_plans", "aca_enrollments"])
INVOICES = stories(["aca_members", "aca_plans", "aca_enrollments", "aca_premium_payments"])
CLAIMS = st.sampled_from(
    [
        ["aca_claims"],
        ["aca_providers", "aca_claims"],
        ["aca_members", "aca_enrollments", "aca_claims"],
        ALL_FEEDS,
    ]
).flatmap(stories)
EVERYTHING = stories([*ALL_FEEDS, "aca_premium_payments"])


def members_have_their_versions(warehouse: Warehouse, story: Story) -> None:
    warehouse.live(story)
    for tenant_id in TENANTS:
        expected = versions(story, "aca_members", tenant_id)
        assert member_versions(warehouse, tenant_id) == dict(expected)


def claim_lines_refer_to_their_time(warehouse: Warehouse, story: Story) -> None:
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


def coverage_shows_no_accident(warehouse: Warehouse, story: Story) -> None:
    warehouse.live(story)
    assert_shows_no_accident(
        warehouse,
        story,
        "core.enrollment_spans",
        "core.enrollment_states",
        "core.fct_member_month",
        "core.fct_enrollment",
        "core.member_coverage_years",
    )


def invoices_show_no_accident(warehouse: Warehouse, story: Story) -> None:
    warehouse.live(story)
    assert_shows_no_accident(warehouse, story, "core.fct_premium_invoice")


def aggregates_show_no_accident(warehouse: Warehouse, story: Story) -> None:
    warehouse.live(story, AGGREGATES)
    assert_shows_no_accident(warehouse, story, "core.fct_claim", *AGGREGATES)


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
