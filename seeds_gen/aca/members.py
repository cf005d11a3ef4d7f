"""The people an issuer knows and how they change."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from . import reference
from .households import make_households
from .pools import Pools
from .presence import Presence, make_presence
from .world import (
    LAST_MONTH,
    Bools,
    Floats,
    Horizon,
    Ints,
    Objects,
    Streams,
    Unit,
    age_on,
    day_number,
    draw,
    first_day,
    month_of,
    pick,
)

GENDERS = ("F", "M", "X")
SEGMENTS = ("healthy", "at_risk", "chronic", "complex", "maternity")
HEALTHY, AT_RISK, CHRONIC, COMPLEX, MATERNITY = range(len(SEGMENTS))
AGE_BOUNDS = np.array([0, 18, 26, 35, 45, 55, 65, 72])
AGE_SHARES = np.array([9.5, 10, 16.5, 18, 20, 24.5, 1])
FPL_BOUNDS = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5])
FPL_SHARES = np.array([0.8, 55.8, 16.3, 9.4, 5.5, 6.5, 1.3, 2.3])
# Factor on the adult prevalence of lasting conditions up to the ages 18, 26, 35, 45, 55 and 65, and
# of those that come with age.
AGE_FACTORS = np.array([0.12, 0.45, 0.65, 0.95, 1.35, 2.0, 2.2])
STEEP_AGE_FACTORS = np.array([0.01, 0.10, 0.35, 0.9, 1.7, 2.9, 3.2])
STEEP = ("I10", "E78.5", "E78.2", "I25.10", "I48.91", "I50.9", "J44.9", "M17.11")
# Conditions that specialty drugs are taken for, and the share of their patients who take one.
THERAPY_FOR = ("G35", "M06.9", "K50.90", "L40.50", "B20", "C50.919", "C18.9", "C34.90")
ON_THERAPY = 0.80
# Share of those with cancer or renal failure who need care all the time.
SEVERE_NOW = 0.75
# Lasting differences between people in how much care they seek; some seek next to none.
FRAILTY_SPREAD, ABSTAINERS, ABSTAINING = 0.70, 0.13, 0.05
# How far the choice of a metal level follows health.
TASTE_BY_HEALTH = 0.14
TOBACCO_SHARES = np.array([0.025, 0.03, 0.042, 0.05, 0.05, 0.045, 0.03])
FPL_UNKNOWN = -1
NO_BROKER = 0
MEMBERS_PER_BROKER = 150

PREGNANCY_MONTHS = 9
# Months of a severe episode end at `recovery`; a home segment changes for good at the last two.
MONTHLY = {
    "move": 0.005,
    "episode": 0.0046,
    "recovery": 0.16,
    "worsening": 0.0022,
    "recovering": 0.0012,
    "broker": 0.007,
    "name": 0.0003,
    "income": 0.004,
    "pregnancy": 0.0038,
    "portal": 0.015,
    "wellness": 0.004,
    "care": 0.006,
}
EPISODE_AGES = np.array([0.3, 0.5, 0.7, 0.9, 1.2, 1.6, 1.8])
YEARLY_INCOME, OTHER_BAND = 0.60, 0.18
MONTHLY_LOSS = 0.003


@dataclass
class States:
    """What of a member changes; one entry per member, or [member, month] once it is a history.

    `home` is the segment that a member returns to after an episode or a birth, `due` the month of
    the latest birth expected, 0 before the first.
    """

    county: Ints
    segment: Ints
    home: Ints
    due: Ints
    broker: Ints
    last_name: Ints
    fpl: Ints
    portal: Bools
    wellness: Bools
    care: Bools


@dataclass(frozen=True)
class Brokers:
    """Brokers and their agencies; position 0 stands for none."""

    name: Objects
    agency: Ints
    agency_name: Objects


@dataclass(frozen=True)
class Choices:
    """Columns set in each row of a table: row r has `counts[r]` of them from `starts[r]` on."""

    column: Ints
    starts: Ints
    counts: Ints

    @classmethod
    def among(cls, table: Bools) -> "Choices":
        """Find them; a last column stands for none."""
        owner, column = np.nonzero(table)
        counts = np.bincount(owner, minlength=len(table))
        return cls(np.append(column, 0), np.cumsum(counts) - counts, counts)

    def pick(self, rng: np.random.Generator, rows: Ints) -> tuple[Ints, Bools]:
        """One column for each of some rows, and whether the row has any."""
        place = np.floor(rng.random(len(rows)) * self.counts[rows]).astype(np.int64)
        return self.column[self.starts[rows] + place], self.counts[rows] > 0


@dataclass(frozen=True)
class Members:
    """The people of a unit; `history` is [member, month], first state in column 0.

    fpl is in 1/10000 and -1 when unknown; conditions are [member, diagnosis]. `taste` ranks people
    by the metal level they would choose, the lowest of `credit_luck` get no tax credit, `therapy`
    are those who need a specialty drug, `newborn` those born into coverage, `tobacco` those who
    use tobacco once they are of age. `house` is the position of the head of the household, with
    whom everybody in it shares county, income, broker and what is chosen. `mother` is the position
    of the mother of those born into coverage and `birth_plan` her plan then, -1 for all others;
    `delivery_luck` places a birth within its month.
    """

    horizon: Horizon
    unit: Unit
    first_name: Ints
    first_names: Objects
    last_names: Objects
    birth: Ints
    gender: Ints
    house: Ints
    mother: Ints
    birth_plan: Ints
    delivery_luck: Floats
    zip_tail: Ints
    known_from: Ints
    coverage_start: Ints
    newborn: Bools
    frailty: Floats
    taste: Floats
    credit_luck: Floats
    conditions: Bools
    therapy: Bools
    tobacco: Bools
    day_of_change: Ints
    history: States
    brokers: Brokers
    presence: Presence

    @property
    def state(self) -> str:
        """The state that the issuer sells in."""
        return self.unit.tenant.state

    @cached_property
    def household_size(self) -> Ints:
        """People in the household of each member, without those born into coverage."""
        grown = self.house[~self.newborn]
        return np.bincount(grown, minlength=len(self.house))[self.house]

    @cached_property
    def eldest_birth(self) -> Ints:
        """Day of birth of the eldest of each member's household."""
        births = self.birth.copy()
        np.minimum.at(births, self.house, self.birth)
        return np.asarray(births[self.house])

    @cached_property
    def own_conditions(self) -> "Choices":
        """The conditions of each member."""
        return Choices.among(self.conditions)

    @cached_property
    def own_behavioral(self) -> "Choices":
        """Those of them that are behavioral."""
        return Choices.among(self.conditions & (reference.diagnoses().kind == "behavioral"))

    @property
    def numbers(self) -> Ints:
        """Number of each member, which its id is made of."""
        return self.unit.first_number + np.arange(len(self.birth))


def make_members(
    streams: Streams, unit: Unit, horizon: Horizon, pools: Pools, brokers: Brokers, places: Floats
) -> Members:
    """Make the members of a unit and the history of what changes about them.

    `places` are weights of the counties that they come from.
    """
    rng = streams("members")
    count = unit.people
    began = day_number(horizon.start.replace(year=unit.year, month=1, day=1))
    newborn = np.arange(count) >= unit.at_once + unit.later
    coverage_start, known_from = _joining(rng, unit, horizon, newborn)
    starts = np.full(count, began if unit.vintage else first_day(np.array(horizon.first_month)))
    birth = np.where(newborn, starts, _births(rng, int(starts[0]), count))
    ages = age_on(birth, starts)
    gender = draw(rng, np.array([0.535, 0.455, 0.01]), count)
    joining = np.select([newborn, np.arange(count) < unit.at_once], [-1, 0], 1)
    house = make_households(streams("households"), ages, gender, joining)
    coverage_start, known_from = coverage_start[house], known_from[house]
    health = rng.standard_normal(count)
    frailty = np.exp(FRAILTY_SPREAD * health - FRAILTY_SPREAD**2 / 2)
    frailty *= np.where(rng.random(count) < ABSTAINERS, ABSTAINING, 1.0)
    conditions = _conditions(rng, ages, gender, frailty)
    codes = [reference.diagnoses().position(code) for code in THERAPY_FOR]
    therapy = conditions[:, codes].any(axis=1) & (rng.random(count) < ON_THERAPY)
    fertile = (gender == 0) & (ages >= 18) & (ages < 45)
    risk = _episode_risk(ages, frailty)
    first = _first_states(rng, horizon, pools, brokers, places, conditions, fertile, risk)
    history = _history(streams, horizon, unit, pools, brokers, first, birth, gender, frailty)
    women = np.where(rng.random(count) < 0.5, 0, 1)
    female_names = (gender == 0) | ((gender == 2) & (women == 0))
    return Members(
        horizon=horizon,
        unit=unit,
        first_name=np.where(
            female_names,
            rng.integers(0, len(pools.first_female), count),
            len(pools.first_female) + rng.integers(0, len(pools.first_male), count),
        ),
        first_names=np.concatenate([pools.first_female, pools.first_male]),
        last_names=pools.last,
        birth=birth,
        gender=gender,
        house=house,
        mother=np.full(count, -1),
        birth_plan=np.full(count, -1),
        delivery_luck=streams("delivery days").random(count),
        zip_tail=rng.integers(0, 100, count)[house],
        known_from=known_from,
        coverage_start=coverage_start,
        newborn=newborn,
        frailty=frailty,
        taste=_tastes(rng, health, first.home)[house],
        credit_luck=rng.random(count)[house],
        conditions=conditions,
        therapy=therapy,
        tobacco=_tobacco(streams("tobacco"), ages),
        day_of_change=rng.integers(1, 29, count)[house],
        history=in_household(history, house),
        brokers=brokers,
        presence=losses(streams, horizon, known_from),
    )


def losses(streams: Streams, horizon: Horizon, known_from: Ints) -> Presence:
    """Which member is in which extract."""
    return make_presence(streams, "member losses", horizon, known_from, MONTHLY_LOSS)


def in_household(history: States, house: Ints) -> States:
    """Histories in which everybody of a household has what its head has."""
    return replace(
        history,
        county=history.county[house],
        broker=history.broker[house],
        last_name=history.last_name[house],
        fpl=history.fpl[house],
    )


def _tastes(rng: np.random.Generator, health: Floats, home: Ints) -> Floats:
    """Rank of each person from 0 to 1: the less healthy choose richer plans."""
    need = (health + home - home.mean()) / np.sqrt(1 + home.var())
    score = TASTE_BY_HEALTH * need + np.sqrt(1 - TASTE_BY_HEALTH**2) * rng.standard_normal(
        len(health)
    )
    return np.asarray(1 / (1 + np.exp(-1.702 * score)))


def _tobacco(rng: np.random.Generator, ages: Ints) -> Bools:
    """Who uses tobacco, or will once of age, as far as they say so."""
    band = np.searchsorted(AGE_BOUNDS[1:-1], ages, side="right")
    return np.asarray(rng.random(len(ages)) < TOBACCO_SHARES[band])


def _births(rng: np.random.Generator, start: int, count: int) -> Ints:
    """Days of birth by the mix of ages on the day `start`."""
    group = draw(rng, AGE_SHARES, count)
    low, high = AGE_BOUNDS[group], AGE_BOUNDS[group + 1]
    years = low + (high - low) * rng.random(count)
    return np.asarray(start - np.floor(years * 365.2425) - 1, dtype=np.int64)


def _conditions(rng: np.random.Generator, ages: Ints, gender: Ints, frailty: Floats) -> Bools:
    """Lasting conditions of each member, by prevalence, age, gender and frailty."""
    diagnoses = reference.diagnoses()
    lasting = np.isin(diagnoses.kind, ("chronic", "behavioral"))
    band = np.searchsorted(AGE_BOUNDS[1:-1], ages, side="right")
    steep = np.isin(diagnoses.code, STEEP)
    factor = np.where(steep[:, None], STEEP_AGE_FACTORS, AGE_FACTORS).T[band]
    odds = diagnoses.prevalence / 100 * lasting * factor * np.sqrt(frailty)[:, None]
    fits = (ages[:, None] >= diagnoses.min_age) & (ages[:, None] <= diagnoses.max_age)
    female_only = diagnoses.gender == "F"
    fits &= ~female_only | (gender == 0)[:, None]
    return np.asarray(fits & (rng.random(odds.shape) < odds))


def _joining(
    rng: np.random.Generator, unit: Unit, horizon: Horizon, newborn: Bools
) -> tuple[Ints, Ints]:
    """Month in which coverage first starts, and day on which the issuer learns of it.

    Who opens the first year was known before; the newborn wait for a mother.
    """
    count = unit.people
    january = (unit.year - 1970) * 12
    opens = np.arange(count) < unit.at_once
    late = rng.random(count) < 0.12
    first_later = max(january, horizon.first_month) + 1
    later = rng.integers(first_later, max(january + 12, first_later + 1), count)
    ahead = rng.integers(1, 21, count)
    start = np.select([newborn, opens], [LAST_MONTH, january + late], later)
    known_from = first_day(start) - ahead
    if not unit.vintage:
        known_from = np.where(opens, horizon.start_day - 1, known_from)
    return start, known_from


def make_brokers(streams: Streams, pools: Pools, members: int) -> Brokers:
    """Brokers in proportion to the members; four of five work with a general agency."""
    rng = streams("brokers")
    count = max(8, members // MEMBERS_PER_BROKER)
    agencies = max(3, count // 12)
    first = np.concatenate([pools.first_female, pools.first_male])
    names = first[rng.integers(0, len(first), count)] + " "
    names = names + pools.last[rng.integers(0, len(pools.last), count)]
    agency = np.where(rng.random(count) < 0.8, 1 + rng.integers(0, agencies, count), 0)
    agency_names = pools.companies[rng.integers(0, len(pools.companies), agencies)] + " Agency"
    none = np.array([""], dtype=object)
    return Brokers(
        name=np.concatenate([none, names]),
        agency=np.concatenate([[0], agency]),
        agency_name=np.concatenate([none, agency_names]),
    )


def _first_states(
    rng: np.random.Generator,
    horizon: Horizon,
    pools: Pools,
    brokers: Brokers,
    places: Floats,
    conditions: Bools,
    fertile: Bools,
    risk: Floats,
) -> States:
    """What holds when the world begins, with episodes under way."""
    count = len(conditions)
    number = conditions.sum(axis=1)
    severe = conditions[:, reference.diagnoses().group_rank < 3].any(axis=1)
    home = np.select(
        [severe & (rng.random(count) < SEVERE_NOW), number >= 3, number >= 1],
        [COMPLEX, CHRONIC, AT_RISK],
        HEALTHY,
    )
    expecting = fertile & (rng.random(count) < PREGNANCY_MONTHS * MONTHLY["pregnancy"])
    due = horizon.first_month + rng.integers(0, PREGNANCY_MONTHS, count)
    falls_ill = rng.random(count) < MONTHLY["episode"] / MONTHLY["recovery"] * risk
    care_share = np.array([0.0, 0.01, 0.08, 0.40, 0.15])
    broker = np.where(
        rng.random(count) < 0.7, 1 + rng.integers(0, len(brokers.name) - 1, count), NO_BROKER
    )
    return States(
        county=draw(rng, places, count),
        segment=np.select([expecting, falls_ill], [MATERNITY, COMPLEX], home),
        home=home,
        due=np.where(expecting, due, 0),
        broker=broker,
        last_name=rng.integers(0, len(pools.last), count),
        fpl=np.where(rng.random(count) < 0.022, FPL_UNKNOWN, _incomes(rng, count)),
        portal=rng.random(count) < 0.45,
        wellness=rng.random(count) < 0.12,
        care=rng.random(count) < care_share[home],
    )


def _incomes(rng: np.random.Generator, count: int) -> Ints:
    """Incomes over the poverty line, in 1/10000."""
    return _income_in(draw(rng, FPL_SHARES, count), rng.random(count))


def _income_in(band: Ints, luck: Floats) -> Ints:
    """Incomes somewhere in their bands."""
    low, high = FPL_BOUNDS[band], FPL_BOUNDS[band + 1]
    return np.asarray(np.floor((low + (high - low) * luck) * 10_000), dtype=np.int64)


def _history(
    streams: Streams,
    horizon: Horizon,
    unit: Unit,
    pools: Pools,
    brokers: Brokers,
    first: States,
    birth: Ints,
    gender: Ints,
    frailty: Floats,
) -> States:
    """States of every month; column 0 holds the first ones."""
    kept = {name: [value] for name, value in vars(first).items()}
    now = first
    for month in range(horizon.first_month, horizon.first_month + horizon.months):
        rng = streams("member months", month)
        ages = age_on(birth, np.broadcast_to(first_day(np.array(month)), birth.shape))
        fertile = (gender == 0) & (ages >= 18) & (ages < 45)
        risk = _episode_risk(ages, frailty)
        now = _next_states(rng, unit, pools, brokers, now, fertile, risk, month)
        for name, value in vars(now).items():
            kept[name].append(value)
    return States(**{name: np.stack(values, axis=1) for name, values in kept.items()})


def _episode_risk(ages: Ints, frailty: Floats) -> Floats:
    """Risk of a severe episode against the mean."""
    band = np.searchsorted(AGE_BOUNDS[1:-1], ages, side="right")
    return np.asarray(np.sqrt(frailty) * EPISODE_AGES[band])


def _next_states(
    rng: np.random.Generator,
    unit: Unit,
    pools: Pools,
    brokers: Brokers,
    now: States,
    fertile: Bools,
    risk: Floats,
    month: int,
) -> States:
    """States of a month, from those of the one before; `risk` is that of a severe episode."""
    count = len(fertile)
    luck = {name: rng.random(count) for name in MONTHLY}
    happens = {name: luck[name] < rate for name, rate in MONTHLY.items()}
    home = now.home + (happens["worsening"] & (now.home < CHRONIC))
    home = home - (happens["recovering"] & (home == AT_RISK))
    conceives = fertile & (now.due + 1 < month) & happens["pregnancy"]
    due = np.where(conceives, month + PREGNANCY_MONTHS, now.due)
    falls_ill = luck["episode"] < MONTHLY["episode"] * risk
    stays_ill = (now.segment == COMPLEX) & ~happens["recovery"]
    segment = np.where(falls_ill | stays_ill, COMPLEX, home)
    segment = np.where(due >= month, MATERNITY, segment)
    january = month % 12 == 0
    known = now.fpl != FPL_UNKNOWN
    changes = known & (happens["income"] | (january & (rng.random(count) < YEARLY_INCOME)))
    return States(
        county=_next_counties(unit, now.county, happens["move"], rng.random(count)),
        segment=segment,
        home=home,
        due=due,
        broker=np.where(
            happens["broker"], rng.integers(0, len(brokers.name), count), now.broker
        ),
        last_name=np.where(happens["name"], rng.integers(0, len(pools.last), count), now.last_name),
        fpl=_next_incomes(rng, now.fpl, changes),
        portal=now.portal | happens["portal"],
        wellness=now.wellness | happens["wellness"],
        care=now.care | (happens["care"] & (segment >= CHRONIC)),
    )  # fmt: skip


def _next_counties(unit: Unit, county: Ints, moves: Bools, luck: Floats) -> Ints:
    """Counties after a month in which some move."""
    moved = county.copy()
    moved[moves] = pick(reference.counties(unit.tenant.state).weight, luck[moves])
    return moved


def _next_incomes(rng: np.random.Generator, fpl: Ints, changes: Bools) -> Ints:
    """Incomes after a month in which some change, most within their band, so that the mix stays."""
    within, leaves, other, place = rng.random((4, len(fpl)))
    rows = np.flatnonzero(changes)
    old = np.searchsorted(FPL_BOUNDS * 10_000, fpl[rows], side="right") - 1
    stays = leaves[rows] >= OTHER_BAND
    band = np.where(stays, np.clip(old, 0, len(FPL_SHARES) - 1), pick(FPL_SHARES, other[rows]))
    changed = fpl.copy()
    changed[rows] = _income_in(band, np.where(stays, within[rows], place[rows]))
    return changed


def month_column(members: Members, days: Ints, rows: Ints) -> Ints:
    """Column of the history that holds for some members on some days."""
    month = month_of(days)
    day_of_month = days - first_day(month) + 1
    column = month - members.horizon.first_month + (members.day_of_change[rows] < day_of_month)
    return np.clip(column, 0, members.history.county.shape[1] - 1)
