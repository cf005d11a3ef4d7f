"""Dimensions and facts are a function of the batches that stand.

Order of arrival, number of runs between, days evaluated again, late batches, corrections with the
same extract time and retractions leave no trace.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings

from history.properties import (
    CASES,
    CLAIM_LINES,
    CLAIMS,
    COVERAGE,
    INVOICES,
    MEMBERS,
    aggregates_show_no_accident,
    claim_lines_refer_to_their_time,
    coverage_shows_no_accident,
    invoices_show_no_accident,
    lines_of,
    members_have_their_versions,
)
from history.stories import FIRST_DAY, Batch, Event, Snapshot, Story
from history.walk import claim_lines
from history.warehouse import Warehouse

# What claim lines cover in part.
FEWER_CASES = settings(CASES, max_examples=max(CASES.max_examples // 3, 1))


@FEWER_CASES
@given(MEMBERS)
def test_versions_of_members(warehouse: Warehouse, story: Story) -> None:
    members_have_their_versions(warehouse, story)


@CASES
@given(CLAIM_LINES)
def test_claim_lines_and_their_dimensions(warehouse: Warehouse, story: Story) -> None:
    claim_lines_refer_to_their_time(warehouse, story)


@FEWER_CASES
@given(COVERAGE)
def test_coverage(warehouse: Warehouse, story: Story) -> None:
    coverage_shows_no_accident(warehouse, story)


@FEWER_CASES
@given(INVOICES)
def test_invoices(warehouse: Warehouse, story: Story) -> None:
    invoices_show_no_accident(warehouse, story)


@FEWER_CASES
@given(CLAIMS)
def test_aggregates(warehouse: Warehouse, story: Story) -> None:
    aggregates_show_no_accident(warehouse, story)


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
