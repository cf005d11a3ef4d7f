"""The same stories on PostgreSQL, which leave there what they leave on DuckDB, to the last key."""

import pytest
from hypothesis import given, settings

from history.properties import (
    CASES,
    CLAIM_LINES,
    CLAIMS,
    COVERAGE,
    EVERYTHING,
    INVOICES,
    MEMBERS,
    aggregates_show_no_accident,
    claim_lines_refer_to_their_time,
    coverage_shows_no_accident,
    invoices_show_no_accident,
    members_have_their_versions,
)
from history.stories import Story
from history.warehouse import AGGREGATES, MODELS, Warehouse

pytestmark = pytest.mark.slow

FEWER_CASES = settings(CASES, max_examples=max(CASES.max_examples // 5, 25))


@FEWER_CASES
@given(MEMBERS)
def test_versions_of_members(postgres_warehouse: Warehouse, story: Story) -> None:
    members_have_their_versions(postgres_warehouse, story)


@FEWER_CASES
@given(CLAIM_LINES)
def test_claim_lines_and_their_dimensions(postgres_warehouse: Warehouse, story: Story) -> None:
    claim_lines_refer_to_their_time(postgres_warehouse, story)


@FEWER_CASES
@given(COVERAGE)
def test_coverage(postgres_warehouse: Warehouse, story: Story) -> None:
    coverage_shows_no_accident(postgres_warehouse, story)


@FEWER_CASES
@given(INVOICES)
def test_invoices(postgres_warehouse: Warehouse, story: Story) -> None:
    invoices_show_no_accident(postgres_warehouse, story)


@FEWER_CASES
@given(CLAIMS)
def test_aggregates(postgres_warehouse: Warehouse, story: Story) -> None:
    aggregates_show_no_accident(postgres_warehouse, story)


@FEWER_CASES
@given(EVERYTHING)
def test_engines_agree_on_every_column_of_every_row(
    warehouse: Warehouse, postgres_warehouse: Warehouse, story: Story
) -> None:
    warehouse.live(story, AGGREGATES)
    postgres_warehouse.live(story, AGGREGATES)
    for table in (*(name for names in MODELS.values() for name in names), *AGGREGATES):
        expected = warehouse.facts(table, without=())
        assert postgres_warehouse.facts(table, without=()) == expected, f"{table} differs"
