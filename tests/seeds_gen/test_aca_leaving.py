"""Who left for Medicare or died stays away, though the household goes on."""

from datetime import date

import duckdb
import pytest
from aca_world import ARGUMENTS

from seeds_gen.aca import generate

# Members who died, or whose coverage gave way to another at the start of the month of their 65th
# birthday: when that was, and whether they or others of their household have a later span in force.
LEFT = """
    WITH people AS (
      SELECT tenant_id, member_id, any_value(household_id) AS household_id,
        date_trunc('month', any_value(dob)::DATE) + INTERVAL 65 YEAR AS medicare_from
      FROM members GROUP BY ALL
    ), in_force AS (
      SELECT tenant_id, member_id, household_id, medicare_from, termination_reason,
        coverage_start_date::DATE AS start_date, coverage_end_date::DATE AS end_date
      FROM enrollments JOIN people USING (tenant_id, member_id)
      WHERE coverage_end_date >= coverage_start_date
    )
    SELECT left_.end_date,
      coalesce(bool_or(later.member_id = left_.member_id), false) AS came_back,
      coalesce(bool_or(later.member_id <> left_.member_id), false) AS others_go_on
    FROM in_force left_ LEFT JOIN in_force later
      ON later.tenant_id = left_.tenant_id AND later.household_id = left_.household_id
      AND later.start_date > left_.end_date
    WHERE CASE WHEN $reason = 'death' THEN left_.termination_reason = 'death'
      ELSE left_.termination_reason = 'other_coverage'
        AND left_.end_date + 1 = left_.medicare_from END
    GROUP BY left_.tenant_id, left_.member_id, left_.end_date"""


@pytest.fixture(scope="module")
def three_years(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """Everybody of a world over three turns of the year, and the coverage as known at its end."""
    landing = tmp_path_factory.mktemp("three_years")
    years = {"start": date(2024, 1, 1), "end": date(2027, 2, 28), "batches": 2}
    generate(landing, **(ARGUMENTS | years | {"members": 6000}))
    connection = duckdb.connect()
    for feed, files in (("members", "members_*"), ("enrollments", "enrollments_20270301*")):
        connection.execute(
            f"CREATE TABLE {feed} AS SELECT split_part(filename, '/', -2) AS tenant_id, * "
            f"FROM read_csv('{landing}/aca/*/{files}.csv', all_varchar = true, filename = true)"
        )
    return connection


@pytest.mark.parametrize(("reason", "at_least"), [("medicare", 150), ("death", 15)])
def test_who_turned_65_or_died_never_comes_back(
    three_years: duckdb.DuckDBPyConnection, reason: str, at_least: int
) -> None:
    gone = three_years.execute(LEFT, {"reason": reason}).fetchall()
    assert len(gone) > at_least
    assert {end.year for end, _, _ in gone} >= {2024, 2025, 2026}
    assert sum(others_go_on for _, _, others_go_on in gone) > at_least / 10
    assert [end for end, came_back, _ in gone if came_back] == []
