"""Rows that news reaches by a detour, one story each: random ones take that road too seldom."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from history.stories import FIRST_DAY, Batch, Event, Snapshot, Story
from history.warehouse import Rows, Warehouse

JANUARY, FEBRUARY = (datetime(2025, month, 14, 2) for month in (1, 2))
FEEDS = ("aca_members", "aca_plans", "aca_enrollments", "aca_premium_payments")


def batch(load_id: int, feed: str, extracted_at: datetime, rows: Snapshot) -> Batch:
    return Batch(load_id, f"aca_{feed}", "one", extracted_at, rows)


def plans(load_id: int, extracted_at: datetime, premium: str) -> Batch:
    rows = {(plan, 2025): (Decimal(premium),) for plan in ("l1", "l2")}
    return batch(load_id, "plans", extracted_at, rows)


def span(plan: str, start: date, end: date) -> tuple[str, str, date, date, Decimal]:
    return ("m1", plan, start, end, Decimal("100.00"))


YEAR_OF_L1 = {("e1",): span("l1", date(2025, 1, 1), date(2026, 1, 1))}
OF_MARCH = {("i1",): ("e1", "m1", date(2025, 3, 1), Decimal("100.00"), "open")}


def before_and_after(
    warehouse: Warehouse, query: str, known: list[Batch], news: Batch
) -> tuple[Rows, Rows]:
    """What a query answers before news and after, each after a run.

    A run begins with the day of the last one, so what is known has to be two runs old.
    """
    events = [
        *(Event(FIRST_DAY, "land", batch) for batch in known),
        *(Event(FIRST_DAY + timedelta(days=day, minutes=1), "run") for day in (0, 1)),
    ]
    then = FIRST_DAY + timedelta(days=2)
    later = [Event(then, "land", news), Event(then + timedelta(minutes=1), "run")]
    warehouse.live(Story(FEEDS, tuple(events)))
    before = warehouse.rows(query)
    warehouse.live(Story(FEEDS, tuple([*events, *later])))
    return before, warehouse.rows(query)


@pytest.mark.parametrize(
    ("news", "plan", "load_id"),
    [
        # The premium changed in February: in March the plan's second version holds.
        (plans(4, FEBRUARY, "200.00"), "l1", 4),
        # The span turns out to be one of the other plan.
        (
            batch(
                4,
                "enrollments",
                FEBRUARY,
                {("e1",): span("l2", date(2025, 1, 1), date(2026, 1, 1))},
            ),
            "l2",
            1,
        ),
    ],
)
def test_invoice_refers_to_the_plan_of_its_span(
    warehouse: Warehouse, news: Batch, plan: str, load_id: int
) -> None:
    before, after = before_and_after(
        warehouse,
        "SELECT plans.plan_id, plans.load_id FROM core.fct_premium_invoice AS invoices "
        "INNER JOIN core.dim_plan AS plans USING (plan_sk)",
        [
            plans(1, JANUARY, "100.00"),
            batch(2, "enrollments", JANUARY, YEAR_OF_L1),
            batch(3, "premium_payments", FEBRUARY, OF_MARCH),
        ],
        news,
    )
    assert before == [{"plan_id": "l1", "load_id": 1}]
    assert after == [{"plan_id": plan, "load_id": load_id}]


def test_year_learns_the_plan_of_the_next_january(warehouse: Warehouse) -> None:
    old = {("e1",): span("l1", date(2024, 1, 1), date(2025, 1, 1))}
    before, after = before_and_after(
        warehouse,
        "SELECT december_plan_id, january_plan_id FROM core.member_coverage_years "
        "WHERE plan_year = 2024",
        [batch(1, "enrollments", JANUARY, old)],
        batch(
            2,
            "enrollments",
            FEBRUARY,
            {**old, ("e2",): span("l2", date(2025, 1, 1), date(2026, 1, 1))},
        ),
    )
    assert before == [{"december_plan_id": "l1", "january_plan_id": None}]
    assert after == [{"december_plan_id": "l1", "january_plan_id": "l2"}]
