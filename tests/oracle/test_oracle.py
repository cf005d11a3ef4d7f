"""The warehouse equals what a person would work out from the files, row by row."""

import csv
from itertools import pairwise

import pytest

from oracle import handmade
from oracle.arrivals import FAULTY, PLAIN, TABLES, TENANTS, Arrivals, Arrived, differences
from oracle.oracle import FEEDS, MEMBER_TRACKED, PLAN_TRACKED, PROVIDER_TRACKED, UNKNOWN, Row

pytestmark = pytest.mark.slow

DIMENSIONS = {
    "core.dim_member": ("member_sk", MEMBER_TRACKED),
    "core.dim_plan": ("plan_sk", PLAN_TRACKED),
    "core.dim_provider": ("provider_sk", PROVIDER_TRACKED),
}
# Planted faults that a line survives: it is cleaned, or is wrong in a way one line cannot show.
HARMLESS = {
    "mixed_case",
    "untrimmed",
    "conflicting_duplicate",
    "orphan_member",
    "orphan_provider",
    "overlapping_span",
}
OF_THE_LANDING = ("created_at", "load_date")


@pytest.fixture(params=("postgres_begun", "postgres_grown", "duckdb_whole"))
def arrived(request: pytest.FixtureRequest) -> Arrived:
    state: Arrived = request.getfixturevalue(request.param)
    return state


def without(rows: list[Row], columns: tuple[str, ...]) -> list[Row]:
    return [
        {column: value for column, value in row.items() if column not in columns} for row in rows
    ]


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize("table", TABLES)
def test_table_equals_oracle(arrived: Arrived, table: str, tenant: str) -> None:
    expected, actual = (
        [row for row in rows if row["tenant_id"] == tenant]
        for rows in (arrived.expected(table), arrived.tables[table])
    )
    assert expected
    assert differences(expected, without(actual, ("attr_hash",)), TABLES[table]) == []


@pytest.mark.parametrize("table", DIMENSIONS)
def test_attr_hash_tells_versions_of_a_key_apart(arrived: Arrived, table: str) -> None:
    _, tracked = DIMENSIONS[table]
    by_hash: dict[str, Row] = {}
    for row in arrived.known(table):
        attributes = {column: row[column] for column in tracked}
        assert by_hash.setdefault(row["attr_hash"], attributes) == attributes
    assert len(by_hash) == len({tuple(row.values()) for row in by_hash.values()})


@pytest.mark.parametrize("table", DIMENSIONS)
def test_dimension_has_one_unknown_row(arrived: Arrived, table: str) -> None:
    surrogate_key, _ = DIMENSIONS[table]
    assert [row[surrogate_key] for row in arrived.tables[table]].count(UNKNOWN) == 1


def test_every_state_of_a_claim_line_is_kept(arrived: Arrived) -> None:
    kept = arrived.tables["core.claim_line_changes"]
    assert len(kept) == arrived.oracle.claim_line_states
    assert len(kept) > len(arrived.tables["core.fct_claim_line"])


@pytest.mark.parametrize("table", TABLES)
def test_grouping_and_order_of_arrival_leave_no_trace(
    postgres_grown: Arrived, duckdb_whole: Arrived, table: str
) -> None:
    """PLAIN's last month has not come to PostgreSQL yet, so its rows are not compared."""
    in_pieces, at_once = (
        without([row for row in state.tables[table] if row["tenant_id"] != PLAIN], OF_THE_LANDING)
        for state in (postgres_grown, duckdb_whole)
    )
    assert differences(at_once, in_pieces, TABLES[table]) == []


def test_refused_lines_are_those_with_planted_faults(
    duckdb_whole: Arrived, arrivals: Arrivals
) -> None:
    with arrivals.faults.open() as file:
        planted = {
            (fault["file"].replace("issuer_1", FAULTY), int(fault["line"]))
            for fault in csv.DictReader(file)
            if fault["kind"] not in HARMLESS
        }
    assert planted
    assert duckdb_whole.refused == planted


def test_history_has_what_is_hard_about_history(duckdb_whole: Arrived) -> None:
    """The generated files would prove little if nobody moved, left or came back in them."""
    versions: dict[tuple[str, str], list[Row]] = {}
    for row in duckdb_whole.oracle.dim_member:
        versions.setdefault((row["tenant_id"], row["member_id"]), []).append(row)
    generated = [rows for (tenant, _), rows in versions.items() if tenant != handmade.TENANT]
    returned = [
        rows
        for rows in generated
        if any(
            earlier["validity_end_ts"] < later["validity_start_ts"]
            for earlier, later in pairwise(rows)
        )
    ]
    left = [rows for rows in generated if not rows[-1]["current_flag"]]
    assert max(len(rows) for rows in generated) >= 3
    assert returned
    assert left
    assert len(FEEDS) == len({batch.feed for batch in duckdb_whole.oracle.batches})
