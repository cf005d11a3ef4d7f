"""The frame of a generated world: its tenants, its calendar and its random streams."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from functools import cache, cached_property
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import yaml
from numpy.typing import NDArray

from granary.errors import GranaryError
from granary.settings import PROJECT

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Objects = NDArray[np.object_]
Record = TypeVar("Record")
Streams = Callable[..., np.random.Generator]

EPOCH = date(1970, 1, 1)
MOST = np.iinfo(np.int64).max
# Issuers with feeds are numbered from 1; what is not theirs has the number before.
MAX_TENANTS, NO_TENANT = 6, 0
# January of 1850 and of 2150, counted from January 1970.
FIRST_MONTH, LAST_MONTH = -1440, 2160
MAX_MEMBERS = 2_000_000
# People of a cohort: those of the first and of each later year have room in its range of numbers.
COHORT = 10_000
COHORT_NUMBERS, FIRST_VINTAGE, LATER_VINTAGE = 100_000, 10_000, 2_500
# Shares of a cohort that are covered when the world begins, that open enrollment brings in each
# later year, that come during a year, and that are born into coverage during a year.
FOUNDERS, OPENING, DURING, NEWBORN = 0.80, 0.125, 0.105, 0.0070


@dataclass(frozen=True)
class Tenant:
    """An issuer: its number, its folder name and the state that it sells in."""

    number: int
    tenant_id: str
    state: str


@dataclass(frozen=True)
class Unit:
    """A part of an issuer's people that is made by itself: who of a cohort comes in one plan year.

    Units share nothing but the issuer's plans, market, providers and brokers. A world that goes on
    longer has more vintages, and its earlier units stay as they were.

    Args:
        cohort: number of the cohort, from 0.
        vintage: years since the world began.
        year: plan year in which the people of the unit come.
        at_once: how many are covered from the start of the year on.
        later: how many come during the year.
        newborn: how many are born into the issuer's coverage during the year.
    """

    tenant: Tenant
    cohort: int
    vintage: int
    year: int
    at_once: int
    later: int
    newborn: int

    @property
    def people(self) -> int:
        """Everybody of the unit."""
        return self.at_once + self.later + self.newborn

    @property
    def first_number(self) -> int:
        """Number of the unit's first member."""
        gap = FIRST_VINTAGE + (self.vintage - 1) * LATER_VINTAGE if self.vintage else 0
        return self.cohort * COHORT_NUMBERS + gap + 1

    @property
    def prefix(self) -> str:
        """Begins the numbers of the unit's spans and claims."""
        return f"{self.cohort:03d}{self.vintage:02d}"


@dataclass(frozen=True)
class Horizon:
    """The span of days that happens and the days on which it is extracted.

    An extract of day d knows everything that happened before d. Days are counted from 1970-01-01,
    months from January 1970.
    """

    start: date
    end: date
    extracts: tuple[date, ...]

    @cached_property
    def start_day(self) -> int:
        """First day of the world."""
        return day_number(self.start)

    @cached_property
    def extract_days(self) -> Ints:
        """Day of each extract, ascending."""
        return np.array([day_number(day) for day in self.extracts], dtype=np.int64)

    @cached_property
    def first_month(self) -> int:
        """Month of the first day."""
        return month_number(self.start)

    @cached_property
    def months(self) -> int:
        """Number of months from the first day's to the last extract's, both included."""
        return month_number(self.extracts[-1]) - self.first_month + 1

    @cached_property
    def years(self) -> range:
        """Plan years that some extract reports."""
        return range(self.start.year, self.extracts[-1].year + 1)

    @cached_property
    def batch_months(self) -> Floats:
        """Length in months of the interval that each extract closes."""
        days = np.diff(self.extract_days, prepend=self.start_day)
        return np.asarray(days / 30.4375)

    def batch_of(self, days: Ints) -> Ints:
        """Index of the first extract that knows what happened on each of the days.

        Days after the last extract give the number of extracts.
        """
        return np.searchsorted(self.extract_days, days, side="right").astype(np.int64)


def latest_per_extract(key: Ints, batch: Ints, horizon: Horizon) -> Ints:
    """Rows of a change feed: the last event of each key and extract, without those after the last.

    Args:
        key: of each event, with the events of a key next to each other in the order of time.
        batch: first extract that knows of each event.
        horizon: the extracts.

    Returns:
        Positions of the events.
    """
    superseded = (key[1:] == key[:-1]) & (batch[1:] == batch[:-1])
    last = np.append(~superseded, True)[: len(batch)]
    return np.flatnonzero(last & (batch < len(horizon.extracts)))


def make_horizon(start: date, end: date, batches: int | None) -> Horizon:
    """Place the extracts: on the first of each following month, or evenly when counted.

    Raises:
        GranaryError: the range is empty or has fewer days than batches.
    """
    if end < start:
        raise GranaryError(
            f"The range {start} to {end} is empty.", "Let --to be on or after --from."
        )
    stop = end + timedelta(days=1)
    days = (stop - start).days
    if batches is None:
        months = [*range(month_number(start) + 1, month_number(stop) + 1)]
        extracts = [date(1970 + month // 12, month % 12 + 1, 1) for month in months]
        if not extracts or extracts[-1] < stop:
            extracts.append(stop)
    else:
        if not 1 <= batches <= days:
            raise GranaryError(
                f"{batches} batches do not fit into the {days} days from {start} to {end}.",
                f"Give --batches between 1 and {days}.",
            )
        extracts = [start + timedelta(days=days * n // batches) for n in range(1, batches + 1)]
    assert all(earlier < later for earlier, later in pairwise(extracts))
    return Horizon(start, end, tuple(extracts))


def load_tenants(count: int) -> list[Tenant]:
    """Return the first `count` issuers of contracts/tenants.yaml.

    Raises:
        GranaryError: count is not between 1 and 6.
    """
    if not 1 <= count <= MAX_TENANTS:
        raise GranaryError(
            f"{count} tenants were asked for.", f"Give --tenants between 1 and {MAX_TENANTS}."
        )
    listed: dict[str, Any] = yaml.safe_load((PROJECT / "contracts" / "tenants.yaml").read_text())
    numbers = range(1, count + 1)
    return [Tenant(n, f"issuer_{n}", listed["aca"][f"issuer_{n}"]["state"]) for n in numbers]


def make_units(tenant: Tenant, members: int, horizon: Horizon) -> list[Unit]:
    """Divide an issuer's people, `members` of them around the first two years, into units."""
    units = []
    months_left = 13 - horizon.start.month
    for cohort, first in enumerate(range(0, members, COHORT)):
        size = min(COHORT, members - first)
        for vintage, year in enumerate(horizon.years):
            share = months_left / 12 if vintage == 0 else 1.0
            units.append(
                Unit(
                    tenant=tenant,
                    cohort=cohort,
                    vintage=vintage,
                    year=year,
                    at_once=round(size * OPENING) if vintage else max(round(size * FOUNDERS), 1),
                    later=round(size * DURING * share),
                    newborn=round(size * NEWBORN * share),
                )
            )
    return [unit for unit in units if unit.people]


def make_streams(seed: int, tenant: Tenant, unit: Unit | None = None) -> Streams:
    """Return a function that opens the random stream of a purpose and a point in time.

    Streams do not depend on each other or on the length of the range: a world that is continued
    repeats what was already extracted, byte by byte.
    """
    return _streams([seed, tenant.number] + ([1 + unit.cohort, unit.vintage] if unit else []))


def make_state_streams(seed: int, state: str, rival: int | None = None) -> Streams:
    """The same for what issuers of a state have in common, or for one of those without feeds."""
    root = [seed, NO_TENANT, zlib.crc32(state.encode())]
    return _streams(root + ([] if rival is None else [rival]))


def _streams(root: list[int]) -> Streams:
    def stream(purpose: str, when: int = 0) -> np.random.Generator:
        return np.random.default_rng([*root, zlib.crc32(purpose.encode()), when])

    return stream


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def month_number(day: date) -> int:
    """Months since January 1970."""
    return (day.year - 1970) * 12 + day.month - 1


def first_day(months: Ints) -> Ints:
    """First day of each month; the last one known stands for any beyond."""
    return np.asarray(_first_days()[np.minimum(months, LAST_MONTH) - FIRST_MONTH], dtype=np.int64)


def month_of(days: Ints) -> Ints:
    """Month that each day lies in."""
    return np.asarray(_months()[days - _first_days()[0]], dtype=np.int64)


@cache
def _first_days() -> Ints:
    """First day of every month of three centuries; looking up is faster than reckoning."""
    months = np.arange(FIRST_MONTH, LAST_MONTH + 1).astype("datetime64[M]")
    return np.asarray(months.astype("datetime64[D]").astype(np.int64))


@cache
def _months() -> Ints:
    """Month of every day of three centuries."""
    lengths = np.diff(_first_days())
    return np.repeat(np.arange(FIRST_MONTH, LAST_MONTH), lengths)


def year_of(days: Ints) -> Ints:
    """Calendar year that each day lies in."""
    return month_of(days) // 12 + 1970


def age_on(births: Ints, days: Ints) -> Ints:
    """Completed years of life on each day; never below 0."""
    birth_months, months = month_of(births), month_of(days)
    birthday_ahead = (births - first_day(birth_months)) > (days - first_day(months))
    return np.asarray(np.maximum((months - birth_months - birthday_ahead) // 12, 0), dtype=np.int64)


def by_month(days: Ints, horizon: Horizon) -> list[slice]:
    """Where each month of the horizon stands among days in the order of months."""
    months = np.arange(horizon.first_month, horizon.first_month + horizon.months + 1)
    bounds = np.searchsorted(days, first_day(months))
    return [slice(int(first), int(after)) for first, after in pairwise(bounds)]


def draw(rng: np.random.Generator, weights: Floats, size: int) -> Ints:
    """Draw positions with probability proportional to the weights."""
    return pick(weights, rng.random(size))


def pick(weights: Floats, luck: Floats) -> Ints:
    """Positions with probability proportional to the weights, by luck from 0 to 1."""
    bounds = np.cumsum(weights) / np.sum(weights)
    picked = np.searchsorted(bounds, luck, side="right")
    return np.minimum(picked, len(weights) - 1).astype(np.int64)


def draw_by_row(rng: np.random.Generator, weights: Floats, rows: Ints) -> Ints:
    """Draw one column per entry of `rows`, with the weights of that row of the table."""
    return pick_by_row(weights, rows, rng.random(len(rows)))


def pick_by_row(weights: Floats, rows: Ints, luck: Floats) -> Ints:
    """One column per entry of `rows`, with the weights of that row, by luck from 0 to 1."""
    count, width = weights.shape
    bounds = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    # One after the other, the rows make one ascending list: row r lies between r and r + 1.
    ladder = (bounds + np.arange(count)[:, None]).ravel()
    picked = np.searchsorted(ladder, rows + luck, side="right")
    return np.asarray(np.clip(picked - rows * width, 0, width - 1), dtype=np.int64)


def order_of(*keys: Ints) -> Ints:
    """Rows in the order of some keys, the first of which counts most; no two rows are equal.

    Keys are packed into one number where they fit, because sorting by each takes longest.
    """
    packed: list[Ints] = []
    room = 1
    for key in reversed(keys):
        if not len(key):
            return np.arange(0)
        lowest = int(key.min())
        width = int(key.max()) - lowest + 1
        if packed and room * width <= MOST:
            packed[-1] = packed[-1] + (key - lowest) * room
            room *= width
        else:
            packed.append(key - lowest)
            room = width
    if len(packed) == 1:
        return np.asarray(np.argsort(packed[0]), dtype=np.int64)
    return np.asarray(np.lexsort(packed), dtype=np.int64)


def concatenate(record: type[Record], parts: Sequence[Record]) -> Record:
    """Join records of arrays end to end."""
    names = [field.name for field in fields(record)]  # type: ignore[arg-type]
    return record(**{n: np.concatenate([getattr(part, n) for part in parts]) for n in names})
