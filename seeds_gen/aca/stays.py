"""Hospital stays: how long, how planned, how they end; the ones that follow or end a life."""

from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np

from . import reference
from .encounters import (
    BIRTH,
    KIND,
    LIVEBORN,
    NOT_A_STAY,
    Encounters,
    are_on_record,
    find_providers,
    line_counts,
    procedure_weights,
)
from .enrollments import DEATH, Spans
from .members import COMPLEX, Members
from .providers import Providers
from .world import Bools, Floats, Ints, Streams, draw, draw_by_row, first_day, month_of

DISCHARGE_STATUSES = ("home", "transfer", "left_against_advice", "died")
HOME, TRANSFER, LEFT_AGAINST_ADVICE, DIED = range(len(DISCHARGE_STATUSES))
ADMISSION_TYPES = ("emergency", "urgent", "elective", "newborn")
EMERGENCY, URGENT, ELECTIVE, NEWBORN = range(len(ADMISSION_TYPES))
SURVIVES = np.iinfo(np.int64).max


class Stay(NamedTuple):
    """Stays for a procedure: spread of the length, weights of admission types and of endings.

    The types are emergency, urgent and elective, the endings home, transfer and against advice.
    """

    spread: float
    admission: tuple[float, float, float]
    ending: tuple[float, float, float]


STAYS = {
    "PX-IPM": Stay(0.6, (0.70, 0.22, 0.08), (0.930, 0.050, 0.020)),
    "PX-IPS": Stay(0.6, (0.30, 0.15, 0.55), (0.930, 0.065, 0.005)),
    BIRTH: Stay(0.3, (0.10, 0.55, 0.35), (0.993, 0.005, 0.002)),
    "PX-IPY": Stay(0.6, (0.55, 0.35, 0.10), (0.910, 0.050, 0.040)),
    "PX-IPI": Stay(0.6, (0.85, 0.10, 0.05), (0.830, 0.160, 0.010)),
}
# Stays that are followed by another one within 30 days; complex members also come back by chance.
FOLLOWED, FOLLOWED_COMPLEX, FOLLOWED_BIRTH = 0.105, 0.085, 0.036
FOLLOWING_DAYS = 30
FOLLOWING_ADMISSION = (0.75, 0.20, 0.05)
# Emergency admissions that come through the emergency department of the day.
THROUGH_EMERGENCY = 0.88
EMERGENCY_PROCEDURES = ("PX-ED4", "PX-ED5")
NEWBORN_DAYS, NEWBORN_SPREAD = 2.3, 0.45
DEATHS_IN_HOSPITAL = 0.35
LAST_PROCEDURE = "PX-IPI"
AFTER_BIRTH, SUDDEN = "N39.0", "R07.9"
BIRTHS_APART = 270


def admit(rng: np.random.Generator, encounters: Encounters) -> Encounters:
    """Give the inpatient encounters the length and circumstances of a stay."""
    stays = np.flatnonzero(encounters.kind == KIND["inpatient"])
    row = _stay_rows()[encounters.procedure[stays]]
    mean, spread = _mean_days()[row], np.array([stay.spread for stay in STAYS.values()])[row]
    days = np.rint(mean * rng.lognormal(-(spread**2) / 2, spread))
    admissions = np.array([stay.admission for stay in STAYS.values()])
    endings = np.array([stay.ending for stay in STAYS.values()])
    discharge, admission, ending = (
        column.copy()
        for column in (encounters.day, encounters.admission_type, encounters.discharge_status)
    )
    newborn = encounters.diagnosis[stays] == reference.diagnoses().position(LIVEBORN)
    in_nursery = NEWBORN_DAYS * rng.lognormal(-(NEWBORN_SPREAD**2) / 2, NEWBORN_SPREAD, len(stays))
    days = np.where(newborn, np.rint(in_nursery), days)
    discharge[stays] += np.maximum(days, 1).astype(np.int64)
    admission[stays] = np.where(newborn, NEWBORN, draw_by_row(rng, admissions, row))
    ending[stays] = np.where(newborn, HOME, draw_by_row(rng, endings, row))
    return replace(
        encounters, discharge=discharge, admission_type=admission, discharge_status=ending
    )


@cache
def _stay_rows() -> Ints:
    """Position in STAYS of each procedure, -1 for those without a stay."""
    codes = list(STAYS)
    procedures = reference.texts("procedure", "procedure_code")
    return np.array([codes.index(code) if code in codes else -1 for code in procedures])


@cache
def _mean_days() -> Floats:
    """Mean length of each of STAYS, in days."""
    positions = reference.procedure_positions()
    return reference.numbers("procedure", "typical_stay_days")[[positions[p] for p in STAYS]]


def following_stays(
    rng: np.random.Generator,
    members: Members,
    covered: Ints,
    providers: Providers,
    encounters: Encounters,
) -> Encounters:
    """Stays that follow some of those among the encounters of a month, while still covered.

    Some patients come back within 30 days, and who is transferred is received on the next day.
    """
    horizon = members.horizon
    stays = (encounters.kind == KIND["inpatient"]) & ~encounters.after_end
    before = encounters.taken(stays & (encounters.admission_type != NEWBORN))
    birth = before.procedure == reference.procedure_positions()[BIRTH]
    segment = members.history.segment[before.member, month_of(before.day) - horizon.first_month]
    chance = np.select([birth, segment == COMPLEX], [FOLLOWED_BIRTH, FOLLOWED_COMPLEX], FOLLOWED)
    moves_on = before.discharge_status == TRANSFER
    followed = moves_on | (rng.random(len(chance)) < chance)
    wait = np.where(moves_on, 1, rng.integers(1, FOLLOWING_DAYS + 1, len(chance)))
    day = before.discharge + wait
    month = month_of(day) - horizon.first_month
    span = covered[before.member, np.minimum(month, horizon.months - 1)]
    complication = reference.diagnoses().position(AFTER_BIRTH)
    diagnosis = np.where(birth & ~moves_on, complication, before.diagnosis)
    procedure = draw_by_row(rng, procedure_weights(further=False), before.kind)
    made = _stays(rng, providers, before.member, span, day, procedure, diagnosis)
    unplanned = draw(rng, np.array(FOLLOWING_ADMISSION), len(chance))
    received_home = moves_on & (made.discharge_status == TRANSFER)
    made = replace(
        made,
        admission_type=np.where(moves_on, URGENT, unplanned),
        discharge_status=np.where(received_home, HOME, made.discharge_status),
    )
    # Chosen last: a world that goes on longer draws the same.
    followed &= (span >= 0) & are_on_record(members, before.member, day)
    return made.taken(followed)


def emergency_visits(rng: np.random.Generator, encounters: Encounters) -> Encounters:
    """Visits to the emergency department that led to some of the stays among the encounters."""
    urgent = (encounters.admission_type == EMERGENCY) & ~encounters.after_end
    came = encounters.taken(urgent)
    count = len(came.day)
    codes = [reference.procedure_positions()[code] for code in EMERGENCY_PROCEDURES]
    kind = np.full(count, KIND["emergency"])
    made = replace(
        came,
        kind=kind,
        procedure=np.array(codes)[rng.integers(0, len(codes), count)],
        lines=line_counts(rng, kind),
        discharge=came.day,
        discharge_status=np.full(count, NOT_A_STAY),
        admission_type=np.full(count, NOT_A_STAY),
    )
    return made.taken(rng.random(count) < THROUGH_EMERGENCY)


def days_of_death(streams: Streams, members: Members, spans: Spans) -> Ints:
    """Day on which each member dies, in the month that ends the coverage; SURVIVES for most."""
    days = np.full(len(members.birth), SURVIVES)
    for year in members.horizon.years:
        dying = np.flatnonzero((spans.year == year) & (spans.reason == DEATH))
        first, after = first_day(spans.last[dying]), first_day(spans.last[dying] + 1)
        # Not on the first of the month, so that a stay in the month can come before.
        days[spans.member[dying]] = streams("deaths", year).integers(first + 1, after)
    return days


def last_stays(
    rng: np.random.Generator,
    members: Members,
    spans: Spans,
    providers: Providers,
    deaths: Ints,
    month: int,
) -> Encounters:
    """Stays in which some of those who die in a month do so; they last until death."""
    dying = np.flatnonzero((spans.last == month) & (spans.reason == DEATH))
    member = spans.member[dying]
    procedure = np.full(len(dying), reference.procedure_positions()[LAST_PROCEDURE])
    days = 1 + rng.poisson(_mean_days()[_stay_rows()[procedure]])
    day = np.maximum(deaths[member] - days, first_day(spans.last[dying]))
    own = members.conditions[member]
    sudden = reference.diagnoses().position(SUDDEN)
    diagnosis = np.where(own.any(axis=1), own.argmax(axis=1), sudden)
    made = _stays(rng, providers, member, dying, day, procedure, diagnosis)
    in_hospital = rng.random(len(dying)) < DEATHS_IN_HOSPITAL
    made = replace(made, discharge=np.full(len(dying), SURVIVES))
    return made.taken(in_hospital & are_on_record(members, member, day))


def _stays(
    rng: np.random.Generator,
    providers: Providers,
    member: Ints,
    span: Ints,
    day: Ints,
    procedure: Ints,
    diagnosis: Ints,
) -> Encounters:
    """Stays of covered members."""
    count = len(member)
    kind = np.full(count, KIND["inpatient"])
    provider, in_network = find_providers(rng, providers, kind, day)
    made = Encounters(
        member=member,
        span=span,
        kind=kind,
        day=day,
        provider=provider,
        in_network=in_network,
        procedure=procedure,
        diagnosis=diagnosis,
        lines=line_counts(rng, kind),
        after_end=np.zeros(count, dtype=np.bool_),
        discharge=day,
        discharge_status=np.full(count, NOT_A_STAY),
        admission_type=np.full(count, NOT_A_STAY),
    )
    return admit(rng, made)


def until_death(encounters: Encounters, deaths: Ints) -> Encounters:
    """Drop what comes after death, and end by it the stays that it cuts short."""
    stays = encounters.kind == KIND["inpatient"]
    # A stay lasts at least a day.
    alive = encounters.taken(encounters.day + stays <= deaths[encounters.member])
    death = deaths[alive.member]
    dies = (alive.kind == KIND["inpatient"]) & (alive.discharge >= death)
    return replace(
        alive,
        discharge=np.where(dies, death, alive.discharge),
        discharge_status=np.where(dies, DIED, alive.discharge_status),
    )


def one_stay_at_a_time(encounters: Encounters) -> Encounters:
    """Drop stays that begin before or on the day on which an earlier one of the member ends.

    A member gives birth no more than once in nine months, and is in no other stay then.
    """
    stays = np.flatnonzero(encounters.kind == KIND["inpatient"])
    birth = encounters.procedure[stays] == reference.procedure_positions()[BIRTH]
    again = _overlaps(encounters, stays[birth], encounters.day[stays[birth]] + BIRTHS_APART)
    kept = np.ones(len(encounters.day), dtype=np.bool_)
    kept[stays[birth][again]] = False
    kept[stays[~birth]] = ~_meet(encounters, stays[~birth], stays[birth])
    stays = stays[kept[stays]]
    kept[stays[_overlaps(encounters, stays, encounters.discharge[stays])]] = False
    return encounters.taken(kept)


def _meet(encounters: Encounters, rows: Ints, births: Ints) -> Bools:
    """Which of some stays a birth of the same member falls into."""
    if not len(births):
        return np.zeros(len(rows), dtype=np.bool_)
    # Members are further apart than days.
    born = np.sort(encounters.member[births] * 1_000_000 + encounters.day[births])
    offset = encounters.member[rows] * 1_000_000
    following = np.searchsorted(born, offset + encounters.day[rows])
    following = born[np.minimum(following, len(born) - 1)]
    begun = following >= offset + encounters.day[rows]
    return np.asarray(begun & (following <= offset + encounters.discharge[rows]))


def _overlaps(encounters: Encounters, rows: Ints, ends: Ints) -> Bools:
    """Which of some encounters begin while an earlier one of the member has not ended."""
    member, day = encounters.member[rows], encounters.day[rows]
    order = np.lexsort([day, member])
    # Members are further apart than days, so that the latest end is never another member's.
    offset = member[order] * 1_000_000
    latest = np.maximum.accumulate(np.append(-1, offset + ends[order]))[:-1]
    overlaps = np.zeros(len(rows), dtype=np.bool_)
    overlaps[order] = offset + day[order] <= latest
    return overlaps
