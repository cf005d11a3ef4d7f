"""The people an issuer knows and how they change."""

from dataclasses import dataclass

import numpy as np

from . import reference
from .pools import Pools
from .presence import Presence, make_presence
from .world import (
    Bools,
    Floats,
    Horizon,
    Ints,
    Objects,
    Streams,
    Tenant,
    age_on,
    draw,
    draw_by_row,
    first_day,
    month_of,
)

GENDERS = ("F", "M", "X")
SEGMENTS = ("healthy", "at_risk", "chronic", "complex", "maternity")
HEALTHY, AT_RISK, CHRONIC, COMPLEX, MATERNITY = range(len(SEGMENTS))
SEGMENT_SHARES = np.array([0.50, 0.24, 0.20, 0.06, 0.0])
AGE_BOUNDS = np.array([0, 18, 26, 35, 45, 55, 65, 72])
AGE_SHARES = np.array([10, 10, 16.5, 18, 20, 24.5, 1])
FPL_BOUNDS = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5])
FPL_SHARES = np.array([0.8, 55.8, 16.3, 9.4, 5.5, 6.5, 1.3, 2.3])
# Factor on the adult prevalence of chronic conditions up to the ages 18, 26, 35, 45, 55 and 65.
AGE_FACTORS = np.array([0.1, 0.35, 0.55, 0.8, 1.15, 1.8, 2.0])
FPL_UNKNOWN = -1
NO_BROKER = 0
MEMBERS_PER_BROKER = 150

FOUNDERS = 0.84
JOINING_MONTHS = 23
MONTHLY = {
    "move": 0.005,
    "segment": 0.010,
    "broker": 0.007,
    "name": 0.0003,
    "income": 0.003,
    "pregnancy": 0.0035,
    "delivery": 0.12,
    "portal": 0.015,
    "wellness": 0.004,
    "care": 0.006,
}
YEARLY_INCOME = 0.60
MONTHLY_LOSS = 0.003


@dataclass
class States:
    """What of a member changes; one entry per member, or [member, month] once it is a history."""

    county: Ints
    segment: Ints
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
class Members:
    """Everybody the issuer ever knows; `history` is [member, month], first state in column 0.

    fpl is in 1/10000 and -1 when unknown; conditions are [member, diagnosis].
    """

    horizon: Horizon
    state: str
    first_name: Objects
    last_names: Objects
    birth: Ints
    gender: Ints
    zip_tail: Ints
    known_from: Ints
    coverage_start: Ints
    frailty: Floats
    conditions: Bools
    day_of_change: Ints
    history: States
    brokers: Brokers
    presence: Presence


def make_members(
    streams: Streams, tenant: Tenant, horizon: Horizon, pools: Pools, count: int
) -> Members:
    """Make the members of an issuer and the history of what changes about them."""
    rng = streams("members")
    starts = first_day(np.full(count, horizon.first_month))
    birth = _births(rng, int(starts[0]), count)
    ages = age_on(birth, starts)
    gender = draw(rng, np.array([0.535, 0.455, 0.01]), count)
    frailty = rng.lognormal(-0.405, 0.9, count)
    conditions = _conditions(rng, ages, gender, frailty)
    coverage_start, known_from = _joining(rng, horizon, count)
    brokers = _brokers(rng, pools, count)
    first = _first_states(rng, tenant, pools, brokers, ages, gender, conditions)
    women = np.where(rng.random(count) < 0.5, 0, 1)
    female_names = (gender == 0) | ((gender == 2) & (women == 0))
    return Members(
        horizon=horizon,
        state=tenant.state,
        first_name=np.where(
            female_names,
            pools.first_female[rng.integers(0, len(pools.first_female), count)],
            pools.first_male[rng.integers(0, len(pools.first_male), count)],
        ),
        last_names=pools.last,
        birth=birth,
        gender=gender,
        zip_tail=rng.integers(0, 100, count),
        known_from=known_from,
        coverage_start=coverage_start,
        frailty=frailty,
        conditions=conditions,
        day_of_change=rng.integers(1, 29, count),
        history=_history(streams, tenant, horizon, pools, brokers, first, birth, gender),
        brokers=brokers,
        presence=make_presence(streams, "member losses", horizon, known_from, MONTHLY_LOSS),
    )


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
    factor = AGE_FACTORS[np.searchsorted(AGE_BOUNDS[1:-1], ages, side="right")]
    chance = diagnoses.prevalence / 100 * lasting
    odds = chance[None, :] * (factor * np.sqrt(frailty))[:, None]
    fits = (ages[:, None] >= diagnoses.min_age) & (ages[:, None] <= diagnoses.max_age)
    female_only = diagnoses.gender == "F"
    fits &= ~female_only | (gender == 0)[:, None]
    return np.asarray(fits & (rng.random(odds.shape) < odds))


def _joining(rng: np.random.Generator, horizon: Horizon, count: int) -> tuple[Ints, Ints]:
    """Month in which coverage first starts, and the day from which the issuer knows the member.

    Most are there from the start, with coverage from January or February; the others join over the
    next 23 months, so that everybody is known after two years.
    """
    january = horizon.first_month - horizon.start.month + 1
    founder = rng.random(count) < FOUNDERS
    late_founder = rng.random(count) < 0.12
    later = horizon.first_month + rng.integers(1, JOINING_MONTHS + 1, count)
    coverage_start = np.where(founder, january + late_founder, later)
    ahead = rng.integers(1, 21, count)
    known_from = np.where(founder, horizon.start_day - 1, first_day(later) - ahead)
    return coverage_start, known_from


def _brokers(rng: np.random.Generator, pools: Pools, members: int) -> Brokers:
    """Brokers in proportion to the members; four of five work with a general agency."""
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
    tenant: Tenant,
    pools: Pools,
    brokers: Brokers,
    ages: Ints,
    gender: Ints,
    conditions: Bools,
) -> States:
    """What holds when the world begins."""
    count = len(ages)
    number = conditions.sum(axis=1)
    severe = conditions[:, reference.diagnoses().group_rank < 3].any(axis=1)
    segment = np.select(
        [severe | (number >= 6), number >= 3, number >= 1], [COMPLEX, CHRONIC, AT_RISK], HEALTHY
    )
    expecting = (gender == 0) & (ages >= 18) & (ages < 45) & (rng.random(count) < 0.02)
    segment = np.where(expecting, MATERNITY, segment)
    care_share = np.array([0.0, 0.01, 0.08, 0.40, 0.15])
    broker = np.where(
        rng.random(count) < 0.7, 1 + rng.integers(0, len(brokers.name) - 1, count), NO_BROKER
    )
    return States(
        county=draw(rng, reference.counties(tenant.state).weight, count),
        segment=segment,
        broker=broker,
        last_name=rng.integers(0, len(pools.last), count),
        fpl=np.where(rng.random(count) < 0.02, FPL_UNKNOWN, _incomes(rng, count)),
        portal=rng.random(count) < 0.45,
        wellness=rng.random(count) < 0.12,
        care=rng.random(count) < care_share[segment],
    )


def _incomes(rng: np.random.Generator, count: int) -> Ints:
    """Incomes over the poverty line, in 1/10000."""
    band = draw(rng, FPL_SHARES, count)
    low, high = FPL_BOUNDS[band], FPL_BOUNDS[band + 1]
    return np.asarray(np.floor((low + (high - low) * rng.random(count)) * 10_000), dtype=np.int64)


def _history(
    streams: Streams,
    tenant: Tenant,
    horizon: Horizon,
    pools: Pools,
    brokers: Brokers,
    first: States,
    birth: Ints,
    gender: Ints,
) -> States:
    """States of every month; column 0 holds the first ones."""
    kept = {name: [value] for name, value in vars(first).items()}
    now = first
    for month in range(horizon.first_month, horizon.first_month + horizon.months):
        rng = streams("member months", month)
        ages = age_on(birth, first_day(np.full(len(birth), month)))
        fertile = (gender == 0) & (ages >= 18) & (ages < 45)
        now = _next_states(rng, tenant, pools, brokers, now, fertile, month % 12 == 0)
        for name, value in vars(now).items():
            kept[name].append(value)
    return States(**{name: np.stack(values, axis=1) for name, values in kept.items()})


def _next_states(
    rng: np.random.Generator,
    tenant: Tenant,
    pools: Pools,
    brokers: Brokers,
    now: States,
    fertile: Bools,
    january: bool,
) -> States:
    """States of the month after."""
    count = len(fertile)
    happens = {name: rng.random(count) < rate for name, rate in MONTHLY.items()}
    counties = reference.counties(tenant.state).weight
    others = np.tile(SEGMENT_SHARES, (len(SEGMENTS), 1)) * (1 - np.eye(len(SEGMENTS)))
    other_segment = draw_by_row(rng, others, now.segment)
    expecting = now.segment == MATERNITY
    segment = np.where(happens["segment"] & ~expecting, other_segment, now.segment)
    segment = np.where(expecting & happens["delivery"], HEALTHY, segment)
    segment = np.where(fertile & ~expecting & happens["pregnancy"], MATERNITY, segment)
    broker = rng.integers(0, len(brokers.name), count)
    income = np.rint(now.fpl * rng.uniform(0.85, 1.20, count)).astype(np.int64)
    yearly = january & (rng.random(count) < YEARLY_INCOME)
    known = now.fpl != FPL_UNKNOWN
    return States(
        county=np.where(happens["move"], draw(rng, counties, count), now.county),
        segment=segment,
        broker=np.where(happens["broker"], broker, now.broker),
        last_name=np.where(happens["name"], rng.integers(0, len(pools.last), count), now.last_name),
        fpl=np.where(known & (happens["income"] | yearly), income, now.fpl),
        portal=now.portal | happens["portal"],
        wellness=now.wellness | happens["wellness"],
        care=now.care | (happens["care"] & (segment >= CHRONIC)),
    )


def month_column(members: Members, days: Ints, rows: Ints) -> Ints:
    """Column of the history that holds for some members on some days."""
    month = month_of(days)
    day_of_month = days - first_day(month) + 1
    column = month - members.horizon.first_month + (members.day_of_change[rows] < day_of_month)
    return np.clip(column, 0, members.history.county.shape[1] - 1)
