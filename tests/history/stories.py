"""Random stories of a small warehouse: what lands, is retracted and is run, and when.

A story is told in the order of time. Values are few, so that batches often agree, and moments are
few, so that extracts often share one and often fall on a day of service.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

Key = tuple[Any, ...]
Values = tuple[Any, ...]
Snapshot = Mapping[Key, Values]

# Each feed with the columns that vary, the key first.
FEEDS = {
    "aca_members": (("member_id",), ("clinical_segment", "county_fips")),
    "aca_providers": (("provider_id",), ("specialty",)),
    "aca_plans": (("plan_id", "effective_year"), ("monthly_premium",)),
    "aca_enrollments": (
        ("enrollment_id",),
        ("member_id", "plan_id", "coverage_start_date", "coverage_end_date", "monthly_premium"),
    ),
    "aca_claims": (
        ("claim_id", "line_number"),
        ("member_id", "provider_id", "plan_id", "service_date", "claim_status", "paid_amount"),
    ),
    "aca_premium_payments": (
        ("invoice_id",),
        ("enrollment_id", "member_id", "coverage_month", "collected_amount", "invoice_status"),
    ),
}
TENANTS = ("one", "two")
COUNTIES = ("01001", "01003")
FIRST_DAY = datetime(2026, 3, 1, 10)
# Service begins at midnight, so an extract of 02:00 is too late for services of its day.
EXTRACTS = [
    datetime(2025, 1, 14, 2),
    datetime(2025, 1, 15, 0),
    datetime(2025, 1, 15, 2),
    datetime(2025, 1, 15, 14),
    datetime(2025, 2, 14, 2),
    datetime(2025, 3, 16, 2),
]
SERVICE_DAYS = [
    date(2024, 12, 31),
    date(2025, 1, 13),
    date(2025, 1, 14),
    date(2025, 1, 15),
    date(2025, 1, 16),
    date(2025, 2, 14),
    date(2025, 3, 17),
]
STARTS = [
    date(2024, 12, 10),
    date(2025, 1, 1),
    date(2025, 1, 15),
    date(2025, 1, 16),
    date(2025, 2, 1),
]
MONTHS = [date(2024, 12, 1), date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)]
ENDS = [date(2025, 1, 1), date(2025, 1, 16), date(2025, 2, 1), date(2025, 3, 16)]

members = st.sampled_from(["m1", "m2", "m3", "m4"])
providers = st.sampled_from(["p1", "p2"])
plans = st.sampled_from(["l1", "l2"])
# Of these, three and one make a high-cost member.
amounts = st.sampled_from([Decimal("20000.00"), Decimal("60000.00")])
premiums = st.sampled_from([Decimal("100.00"), Decimal("200.00")])

SNAPSHOTS: dict[str, SearchStrategy[Snapshot]] = {
    "aca_members": st.dictionaries(
        st.tuples(members),
        st.tuples(
            st.sampled_from(["well", "ill", None]),
            st.sampled_from(["01001", "01003", "99999", None]),
        ),
        max_size=4,
    ),
    "aca_providers": st.dictionaries(
        st.tuples(providers), st.tuples(st.sampled_from(["eye", "ear", None])), max_size=2
    ),
    "aca_plans": st.dictionaries(
        st.tuples(plans, st.sampled_from([2024, 2025])),
        st.tuples(st.one_of(st.none(), premiums)),
        max_size=3,
    ),
    "aca_enrollments": st.dictionaries(
        st.tuples(st.sampled_from(["e1", "e2", "e3"])),
        st.tuples(members, plans, st.sampled_from(STARTS), st.sampled_from(ENDS), premiums),
        max_size=3,
    ),
    "aca_claims": st.dictionaries(
        st.tuples(st.sampled_from(["c1", "c2", "c3"]), st.just(1)),
        st.tuples(
            members,
            providers,
            plans,
            st.sampled_from(SERVICE_DAYS),
            st.sampled_from(["pended", "paid", "reversed"]),
            amounts,
        ),
        max_size=3,
    ),
    "aca_premium_payments": st.dictionaries(
        st.tuples(st.sampled_from(["i1", "i2"])),
        st.tuples(
            st.sampled_from(["e1", "e2", "e9"]),
            members,
            st.sampled_from(MONTHS),
            premiums,
            st.sampled_from(["open", "paid"]),
        ),
        max_size=2,
    ),
}


@dataclass(frozen=True)
class Batch:
    """A file: all rows of a snapshot, or the new states of a change feed."""

    load_id: int
    feed: str
    tenant_id: str
    extracted_at: datetime
    rows: Snapshot


@dataclass(frozen=True)
class Event:
    """Something that happened to the warehouse.

    Attributes:
        batch: what landed or was retracted; nothing for a run.
        days_again: how many days more than needed a run evaluates anew.
    """

    moment: datetime
    kind: Literal["land", "retract", "run"]
    batch: Batch | None = None
    days_again: int = 0

    def __str__(self) -> str:
        told = f"{self.moment:%d %H:%M} {self.kind}"
        if self.batch is None:
            return told + (f" {self.days_again} days again" if self.days_again else "")
        batch = self.batch
        told += f" {batch.load_id} {batch.feed} of {batch.tenant_id}"
        if self.kind == "land":
            told += f", extracted {batch.extracted_at:%Y-%m-%d %H:%M}:"
            told += "".join(f"\n      {_plain(key)} = {_plain(row)}" for key, row in rows(batch))
        return told


@dataclass(frozen=True, repr=False)
class Story:
    """Events in the order of time, a run last.

    Attributes:
        feeds: what the warehouse is made of, whether or not it lands.
    """

    feeds: tuple[str, ...]
    events: tuple[Event, ...]

    def __repr__(self) -> str:
        return "Story:\n" + "\n".join(f"  {event}" for event in self.events)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # The way in which Hypothesis shows a failing case.
        printer.text(repr(self))

    def in_order(self) -> "Story":
        """The same world without accidents: what stands lands as it was extracted, in one go."""
        landed = [event for event in self.events if event.kind == "land"]
        retracted = {
            event.batch.load_id for event in self.events if event.kind == "retract" and event.batch
        }
        standing = [event.batch for event in sorted(landed, key=_history) if event.batch]
        return tell(
            self.feeds,
            [("land", batch) for batch in standing if batch.load_id not in retracted],
        )


def rows(batch: Batch) -> list[tuple[Key, Values]]:
    """The rows of a batch by key."""
    return sorted(batch.rows.items())


def tell(
    feeds: tuple[str, ...],
    happenings: Sequence[tuple[Literal["land", "retract", "run"], Batch | None]],
) -> Story:
    """A story on one day, a minute between events, with the run that ends it."""
    events = [
        Event(FIRST_DAY + timedelta(minutes=minute), kind, batch)
        for minute, (kind, batch) in enumerate([*happenings, ("run", None)])
    ]
    return Story(feeds, tuple(events))


@st.composite
def stories(draw: DrawFn, feeds: Sequence[str]) -> Story:
    """Batches of some feeds, in any order, with runs and retractions between."""
    extracted = [
        batch
        for tenant_id in draw(st.sampled_from([TENANTS[:1], TENANTS]))
        for feed in feeds
        for batch in draw(_batches(feed, tenant_id))
    ]
    batches = [replace(batch, load_id=100 + place) for place, batch in enumerate(extracted)]
    events = [Event(FIRST_DAY, "land", batch) for batch in _corrected(draw, batches)]
    for batch in draw(st.lists(st.sampled_from(batches), unique_by=_load_id, max_size=3)):
        landed = next(place for place, event in enumerate(events) if event.batch is batch)
        place = draw(st.integers(landed + 1, len(events)))
        events.insert(place, Event(FIRST_DAY, "retract", batch))
    for place in sorted(draw(st.sets(st.integers(1, len(events)), max_size=4)), reverse=True):
        again = draw(st.sampled_from([0, 0, 1, 3]))
        events.insert(place, Event(FIRST_DAY, "run", days_again=again))
    events.append(Event(FIRST_DAY, "run"))
    new_days = draw(st.sets(st.integers(1, len(events) - 1), max_size=4))
    return Story(
        tuple(feeds),
        tuple(
            replace(event, moment=FIRST_DAY + _elapsed(place, new_days))
            for place, event in enumerate(events)
        ),
    )


def _batches(feed: str, tenant_id: str) -> SearchStrategy[list[Batch]]:
    return st.lists(
        st.builds(
            Batch,
            load_id=st.just(0),
            feed=st.just(feed),
            tenant_id=st.just(tenant_id),
            extracted_at=st.sampled_from(EXTRACTS),
            rows=SNAPSHOTS[feed],
        ),
        min_size=1,
        max_size=6,
    )


def _corrected(draw: DrawFn, batches: list[Batch]) -> list[Batch]:
    """Any order in which a batch lands before those that correct it."""
    shuffled = draw(st.permutations(batches))
    in_turn = {
        identity: iter([batch for batch in batches if _instant(batch) == identity])
        for identity in map(_instant, batches)
    }
    return [next(in_turn[_instant(batch)]) for batch in shuffled]


def _instant(batch: Batch) -> tuple[str, str, datetime]:
    return (batch.feed, batch.tenant_id, batch.extracted_at)


def _load_id(batch: Batch) -> int:
    return batch.load_id


def _elapsed(place: int, new_days: set[int]) -> timedelta:
    return timedelta(days=sum(day <= place for day in new_days), minutes=place)


def _history(event: Event) -> tuple[datetime, datetime]:
    assert event.batch is not None
    return (event.batch.extracted_at, event.moment)


def _plain(values: tuple[Any, ...]) -> str:
    return ", ".join(str(value) for value in values)
