"""Six extracts of a member table, and what its history is, worked out key by key without SQL."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random

Values = tuple[str, str | None, int | None]
FOREVER = datetime(9999, 12, 31)
# Two of them on one day.
EXTRACTS = (
    datetime(2025, 1, 1, 2),
    datetime(2025, 1, 2, 2),
    datetime(2025, 1, 3, 2),
    datetime(2025, 1, 3, 14),
    datetime(2025, 1, 4, 2),
    datetime(2025, 1, 5, 2),
)
FIRST_MEMBERS, NEW_MEMBERS = 2_000, 20
MOVES, LEAVES, RETURNS = 0.06, 0.02, 0.3
# Few, so that values often come back.
CITIES, TIERS, INCOMES = ("Bern", "Rome"), ("gold", "silver", None), (20_000, 50_000, None)


@dataclass(frozen=True)
class Batch:
    """A full snapshot: the values of every member there was."""

    load_id: int
    extracted_at: datetime
    rows: Mapping[int, Values]


@dataclass(frozen=True)
class Version:
    """How a member looked from one moment to another."""

    member_id: int
    values: Values
    start: datetime
    end: datetime

    @property
    def state(self) -> tuple[int, Values]:
        """What was so, whenever it was."""
        return (self.member_id, self.values)


def batches() -> list[Batch]:
    """The extracts; the same ones each time."""
    random = Random(20250101)
    present = {member: _values(random) for member in range(FIRST_MEMBERS)}
    gone: dict[int, Values] = {}
    found = []
    for load_id, extracted_at in enumerate(EXTRACTS, start=1):
        if load_id > 1:
            _live_a_day(random, present, gone, load_id)
        found.append(Batch(load_id, extracted_at, dict(present)))
    return found


def history(found: list[Batch]) -> Iterator[Version]:
    """Every version of every member."""
    for member in sorted({member for batch in found for member in batch.rows}):
        current: tuple[Values, datetime] | None = None
        for batch in found:
            values = batch.rows.get(member)
            if current is not None and values != current[0]:
                yield Version(member, *current, batch.extracted_at)
                current = None
            if values is not None and current is None:
                current = (values, batch.extracted_at)
        if current is not None:
            yield Version(member, *current, FOREVER)


def _live_a_day(
    random: Random, present: dict[int, Values], gone: dict[int, Values], load_id: int
) -> None:
    for member in list(gone):
        if random.random() < RETURNS:
            present[member] = gone.pop(member)
    for member in list(present):
        fate = random.random()
        if fate < LEAVES:
            gone[member] = present.pop(member)
        elif fate < LEAVES + MOVES:
            present[member] = _values(random)
    for number in range(NEW_MEMBERS):
        present[load_id * 10_000 + number] = _values(random)


def _values(random: Random) -> Values:
    return (random.choice(CITIES), random.choice(TIERS), random.choice(INCOMES))
