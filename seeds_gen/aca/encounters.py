"""Encounters: who was treated when, by whom, for what."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from . import reference
from .births import delivery_days
from .enrollments import DEATH, Spans
from .members import COMPLEX, MATERNITY, Members
from .providers import GROUPS, Providers
from .world import (
    Bools,
    Floats,
    Ints,
    age_on,
    draw,
    draw_by_row,
    first_day,
    month_of,
    pick,
)

CLAIM_TYPES = ("professional", "inpatient", "outpatient", "pharmacy")
# Factor on encounters up to the ages 18, 26, 35, 45, 55 and 65, and beyond.
VISIT_AGES = np.array([0.80, 0.70, 0.80, 0.95, 1.10, 1.30, 1.40])
VISIT_AGE_BOUNDS = np.array([18, 26, 35, 45, 55, 65])
# Factor on what can be planned, by calendar month: much after the holidays, more again when
# deductibles are met; and on infections.
PLANNED_SEASON = np.array([1.20, 1.00, 1.16, 1.00, 0.95, 0.94, 0.92, 0.95, 0.95, 0.99, 1.02, 1.07])
FLU_SEASON = np.array([3.5, 3.0, 1.5, 0.6, 0.2, 0.1, 0.1, 0.1, 0.2, 0.4, 0.9, 2.4])
COVID_SEASON = np.array([2.0, 1.3, 0.8, 0.5, 0.4, 0.5, 1.0, 1.6, 1.1, 0.7, 0.8, 1.3])
AFTER_TERMINATION = 0.25
OWN_CONDITION, OWN_CONDITION_COMPLEX = 0.72, 0.97
NOT_A_STAY = -1
MOOD = ("F41.9", "F41.1", "F32.A")
BIRTH, NEWBORN_STAY, LIVEBORN = "PX-IPB", "PX-IPM", "Z38.00"
# Drugs of a therapy, the share of its months in which they are filled, and of years in which one
# who needs it takes it.
THERAPY, THERAPY_FILLED, THERAPY_TAKEN = "PX-RXS", 0.80, 0.50


class Kind(NamedTuple):
    """A kind of encounter.

    `rates` are encounters per member year of the segments healthy, at_risk, chronic, complex and
    maternity; `groups` and the procedures map to weights; `lines` are the weights of one to four
    lines. Encounters of some kinds fall on any day, those of `planned` kinds follow the season.
    """

    name: str
    claim_type: str
    rates: tuple[float, float, float, float, float]
    groups: Mapping[str, float]
    lines: tuple[float, float, float, float]
    main: Mapping[str, float]
    further: Mapping[str, float]
    any_day: bool = False
    planned: bool = False


LABS = {"PX-LBM": 4, "PX-LBC": 4, "PX-LBL": 3, "PX-LBA": 2, "PX-LBU": 3, "PX-LBP": 1}
KINDS = (
    Kind(
        "office", "professional", (1.05, 2.5, 4.0, 6.5, 7.5),
        {"pcp": 0.6, "specialist": 0.4}, (0.55, 0.28, 0.12, 0.05),
        {"PX-OV1": 5, "PX-OV2": 20, "PX-OV3": 40, "PX-OV4": 15, "PX-OVN": 8, "PX-OVS": 10,
         "G0463": 1, "T1015": 1},
        LABS | {"PX-IMX": 2, "PX-SGM": 1, "J3420": 1, "J3301": 1, "J1885": 1, "J0696": 1},
        planned=True,
    ),
    Kind(
        "preventive", "professional", (0.42, 0.5, 0.5, 0.4, 0.3),
        {"pcp": 1.0}, (0.5, 0.3, 0.15, 0.05),
        {"PX-PVA": 1}, {"PX-IMM": 4, "PX-LBM": 2, "PX-LBL": 2, "PX-LBC": 1},
    ),
    Kind(
        "telehealth", "professional", (0.18, 0.35, 0.5, 0.6, 0.3),
        {"pcp": 1.0}, (1, 0, 0, 0), {"PX-TVP": 1}, {"PX-LBC": 1},
    ),
    Kind(
        "behavioral", "professional", (0.22, 0.7, 1.2, 1.2, 0.3),
        {"behavioral": 1.0}, (0.92, 0.08, 0, 0),
        {"PX-BHI": 70, "PX-BHE": 10, "PX-BHG": 8, "PX-TVB": 30}, {"PX-BHG": 1, "PX-LBM": 1},
    ),
    Kind(
        "therapy", "professional", (0.2, 0.5, 0.9, 1.4, 0.2),
        {"ancillary": 1.0}, (0.6, 0.4, 0, 0),
        {"PX-THP": 80, "PX-THO": 12, "PX-THS": 8}, {"PX-THP": 3, "PX-THO": 1},
        planned=True,
    ),
    Kind(
        "emergency", "outpatient", (0.11, 0.2, 0.33, 0.95, 0.4),
        {"282N00000X": 0.75, "261QU0200X": 0.25}, (0.2, 0.35, 0.3, 0.15),
        {"PX-ED2": 20, "PX-ED3": 35, "PX-ED4": 22, "PX-ED5": 5, "PX-UCV": 25},
        LABS | {"PX-IMX": 5, "PX-IMC": 3, "PX-IMU": 2, "J1885": 2, "J1100": 1, "E0114": 1},
        any_day=True,
    ),
    Kind(
        "inpatient", "inpatient", (0.008, 0.018, 0.05, 0.30, 0.03),
        {"282N00000X": 1.0}, (0.15, 0.3, 0.35, 0.2),
        {"PX-IPM": 60, "PX-IPS": 27, "PX-IPI": 6, "PX-IPY": 7},
        LABS | {"PX-IMC": 4, "PX-IMR": 2, "PX-IMX": 3, "J0696": 3, "J1100": 2},
        any_day=True,
    ),
    Kind(
        "surgery", "outpatient", (0.035, 0.09, 0.18, 0.42, 0.02),
        {"261QA1903X": 0.7, "282N00000X": 0.3}, (0.3, 0.4, 0.2, 0.1),
        {"PX-SGA": 12, "PX-SGC": 12, "PX-SGE": 35, "PX-SGH": 8, "PX-SGM": 20},
        {"PX-LBP": 4, "PX-LBC": 2, "J1100": 2, "E0114": 1},
        planned=True,
    ),
    Kind(
        "imaging", "outpatient", (0.22, 0.55, 1.0, 2.2, 2.6),
        {"hospital_based": 1.0}, (0.85, 0.15, 0, 0),
        {"PX-IMX": 45, "PX-IMU": 25, "PX-IMC": 15, "PX-IMR": 15}, {"PX-IMX": 2, "PX-IMU": 1},
        planned=True,
    ),
    Kind(
        "laboratory", "professional", (0.5, 1.2, 2.1, 3.5, 3.5),
        {"291U00000X": 1.0}, (0.3, 0.35, 0.2, 0.15), LABS, LABS,
    ),
    Kind(
        "pharmacy", "pharmacy", (1.1, 4.2, 10.5, 16.0, 3.0),
        {"3336C0003X": 1.0}, (0.75, 0.2, 0.05, 0),
        {"PX-RXG": 87, "PX-RXB": 9.5, "PX-RXS": 0.12, "A4253": 2.5, "A7030": 0.9},
        {"PX-RXG": 91, "PX-RXB": 7, "A4253": 2},
    ),
    Kind(
        "infusion", "outpatient", (0.003, 0.01, 0.07, 1.1, 0.003),
        {"282N00000X": 1.0}, (0.5, 0.3, 0.2, 0),
        {"J1745": 60, "J9271": 25, "E1390": 15}, {"PX-LBC": 2, "PX-LBM": 2, "J1100": 1},
    ),
)  # fmt: skip
KIND = {kind.name: position for position, kind in enumerate(KINDS)}


@dataclass(frozen=True)
class Encounters:
    """Encounters, one entry each; `after_end` marks services after the coverage had ended.

    `procedure` is the main one and the number of `lines` counts it. A stay lasts until the day
    `discharge`, anything else ends on its day. `discharge_status` and `admission_type` are
    positions in the lists of stays.py and NOT_A_STAY for all but stays.
    """

    member: Ints
    span: Ints
    kind: Ints
    day: Ints
    provider: Ints
    in_network: Bools
    procedure: Ints
    diagnosis: Ints
    lines: Ints
    after_end: Bools
    discharge: Ints
    discharge_status: Ints
    admission_type: Ints

    def taken(self, rows: Ints | Bools | slice) -> "Encounters":
        """Some of the encounters."""
        if not isinstance(rows, slice) and rows.dtype == np.bool_:
            rows = np.flatnonzero(rows)
        return Encounters(**{name: values[rows] for name, values in vars(self).items()})


def make_month(
    rng: np.random.Generator,
    month: int,
    members: Members,
    spans: Spans,
    covered: Ints,
    providers: Providers,
) -> Encounters:
    """Make the encounters of the n-th month of the horizon; none of them is a stay yet."""
    number = members.horizon.first_month + month
    segment_now = members.history.segment[:, month]
    first = np.broadcast_to(first_day(np.array(number)), members.birth.shape)
    ages = age_on(members.birth, first)
    before = covered[:, month - 1] if month else np.full(len(members.birth), -1)
    is_covered = covered[:, month] >= 0
    just_ended = ~is_covered & (before >= 0) & (spans.reason[before] != DEATH)
    rates = _rates(number % 12)
    visits = rates.sum(axis=1)[segment_now] * members.frailty
    visits *= VISIT_AGES[np.searchsorted(VISIT_AGE_BOUNDS, ages, side="right")]
    visits *= np.where(is_covered, 1.0, np.where(just_ended, AFTER_TERMINATION, 0.0))
    usual = np.repeat(np.arange(len(visits)), rng.poisson(visits))
    usual_kind = draw_by_row(rng, rates, segment_now[usual])
    taken = members.therapy & therapy_years(members, number)
    drug = np.flatnonzero(taken & (rng.random(len(visits)) < THERAPY_FILLED))
    drug = drug[is_covered[drug]]
    due = members.history.due[:, month + 1] == number
    delivers = np.flatnonzero(due & is_covered)
    born = np.flatnonzero(members.newborn & (month_of(members.birth) == number) & is_covered)
    member = np.concatenate([usual, drug, delivers, born]).astype(np.int64)
    kind = np.concatenate(
        [
            usual_kind,
            np.full(len(drug), KIND["pharmacy"]),
            np.full(len(delivers) + len(born), KIND["inpatient"]),
        ]
    )
    at = np.cumsum([len(usual), len(drug), len(delivers)])
    day = _service_days(rng, number, kind)
    day[at[1] : at[2]] = delivery_days(members.delivery_luck[delivers], number)
    day[at[2] :] = members.birth[born]
    provider, in_network = find_providers(rng, providers, kind, day)
    diagnosis = _diagnoses(rng, members, member, ages[member], segment_now[member], kind, number)
    codes, procedures = reference.diagnoses(), reference.procedure_positions()
    births = np.where(rng.random(len(delivers)) < 0.67, *map(codes.position, ("O80", "O82")))
    diagnosis[at[1] : at[2]] = births
    diagnosis[at[2] :] = codes.position(LIVEBORN)
    procedure = _main_procedures(rng, kind, diagnosis)
    procedure[at[0] : at[1]] = procedures[THERAPY]
    procedure[at[2] :] = procedures[NEWBORN_STAY]
    lines = line_counts(rng, kind)
    lines[at[0] : at[1]] = 1
    ended = just_ended[member]
    made = Encounters(
        member=member,
        span=np.where(ended, before[member], covered[member, month]),
        kind=kind,
        day=day,
        provider=provider,
        in_network=in_network,
        procedure=procedure,
        diagnosis=diagnosis,
        lines=lines,
        after_end=ended,
        discharge=day,
        discharge_status=np.full(len(day), NOT_A_STAY),
        admission_type=np.full(len(day), NOT_A_STAY),
    )
    return made.taken(are_on_record(members, made.member, made.day))


def therapy_years(members: Members, month: int) -> Bools:
    """Who takes the therapy in the year of a month: it is begun, changed and given up."""
    turn = np.modf(members.credit_luck * 1009 + month // 12 * 0.618034)[0]
    return np.asarray(turn < THERAPY_TAKEN)


def are_on_record(members: Members, member: Ints, day: Ints) -> Bools:
    """Whether services fall into the horizon, while the issuer has the member in its snapshots."""
    horizon = members.horizon
    within = (day >= horizon.start_day) & (day < horizon.extract_days[-1])
    return np.asarray(within & ~members.presence.missing_on(day, member))


def find_providers(
    rng: np.random.Generator, providers: Providers, kind: Ints, day: Ints
) -> tuple[Ints, Bools]:
    """A provider for each encounter, and whether it is in the plan's network."""
    provider = _providers(rng, providers, draw_by_row(rng, _group_weights(), kind), day)
    return provider, providers.in_network[provider] & (rng.random(len(day)) >= 0.01)


def line_counts(rng: np.random.Generator, kind: Ints) -> Ints:
    """Number of lines of each encounter."""
    weights = np.array([k.lines for k in KINDS], dtype=np.float64)
    return 1 + draw_by_row(rng, weights, kind)


def _main_procedures(rng: np.random.Generator, kind: Ints, diagnosis: Ints) -> Ints:
    """Main procedure of each encounter, by the diagnosis where that decides it."""
    procedure = draw_by_row(rng, procedure_weights(further=False), kind)
    codes, positions = reference.diagnoses(), reference.procedure_positions()
    decided = {
        ("preventive", "Z00.129"): "PX-PVC",
        ("preventive", "Z12.31"): "PX-SCM",
        ("preventive", "Z12.11"): "PX-SCC",
        ("preventive", "Z23"): "PX-IMM",
        ("inpatient", "O80"): BIRTH,
        ("inpatient", "O82"): BIRTH,
    }
    for (kind_name, code), procedure_code in decided.items():
        fits = (kind == KIND[kind_name]) & (diagnosis == codes.position(code))
        procedure = np.where(fits, positions[procedure_code], procedure)
    return procedure


@cache
def _rates(calendar_month: int) -> Floats:
    """Encounters per month by [segment, kind]."""
    season = np.where([kind.planned for kind in KINDS], PLANNED_SEASON[calendar_month], 1.0)
    return np.array([kind.rates for kind in KINDS]).T / 12 * season


@cache
def _group_weights() -> Floats:
    return np.array([[kind.groups.get(group, 0.0) for group in GROUPS] for kind in KINDS])


@cache
def procedure_weights(further: bool) -> Floats:
    """Weights of procedures by kind of encounter, for first or for further lines."""
    positions = reference.procedure_positions()
    weights = np.zeros((len(KINDS), len(positions)))
    for row, kind in enumerate(KINDS):
        for code, weight in (kind.further if further else kind.main).items():
            weights[row, positions[code]] = weight
    return weights


@cache
def _weekday_factors() -> Floats:
    """Service factor by weekday, Monday first."""
    return reference.numbers("dow_factor", "service_factor")


def _service_days(rng: np.random.Generator, month: int, kind: Ints) -> Ints:
    """Days of a month, fewer on weekends but for emergencies and admissions."""
    first, after = first_day(np.array([month, month + 1]))
    days = np.arange(first, after)
    # 1970-01-01 was a Thursday.
    planned = draw(rng, _weekday_factors()[(days + 3) % 7], len(kind))
    any_day = rng.integers(0, len(days), len(kind))
    anytime = np.array([k.any_day for k in KINDS])[kind]
    return days[np.where(anytime, any_day, planned)].astype(np.int64)


def _providers(rng: np.random.Generator, providers: Providers, group: Ints, day: Ints) -> Ints:
    """A provider of the group who is in the directory on the day."""
    sizes = np.bincount(providers.group, minlength=len(GROUPS))
    offsets = np.cumsum(sizes) - sizes
    picked = providers.by_group[
        offsets[group] + np.floor(rng.random(len(group)) * sizes[group]).astype(int)
    ]
    gone = providers.presence.missing_on(day, picked) | (providers.known_from[picked] >= day)
    return np.where(gone, providers.stable[group], picked).astype(np.int64)


def _diagnoses(
    rng: np.random.Generator,
    members: Members,
    member: Ints,
    ages: Ints,
    segment: Ints,
    kind: Ints,
    month: int,
) -> Ints:
    """Principal diagnosis of each encounter."""
    codes = reference.diagnoses()
    count = len(member)
    own, any_own = members.own_conditions.pick(rng, member)
    own_behavioral, any_behavioral = members.own_behavioral.pick(rng, member)
    acute = codes.of_kind("acute")[draw(rng, _acute_weights(month % 12), count)]
    luck = rng.random(count)
    behavioral = np.flatnonzero(kind == KIND["behavioral"])
    mood = np.zeros(count, dtype=np.int64)
    mood[behavioral] = _mood(luck[behavioral])
    female = members.gender[member] == 0
    screening = np.select(
        [
            ages < 18,
            female & (ages >= 40) & (ages < 75) & (rng.random(count) < 0.3),
            (ages >= 45) & (ages <= 75) & (rng.random(count) < 0.15),
            rng.random(count) < 0.2,
        ],
        [codes.position(c) for c in ("Z00.129", "Z12.31", "Z12.11", "Z23")],
        codes.position("Z00.00"),
    )
    expecting = segment == MATERNITY
    often = np.where(segment == COMPLEX, OWN_CONDITION_COMPLEX, OWN_CONDITION)
    chosen = np.select(
        [
            kind == KIND["preventive"],
            (kind == KIND["behavioral"]) & any_behavioral,
            kind == KIND["behavioral"],
            expecting & np.isin(kind, [KIND["office"], KIND["imaging"], KIND["laboratory"]]),
            any_own & (rng.random(count) < often),
        ],
        [screening, own_behavioral, mood, np.full(count, codes.position("Z34.90")), own],
        acute,
    )
    return np.asarray(chosen, dtype=np.int64)


@cache
def _acute_weights(calendar_month: int) -> Floats:
    """Weights of the acute diagnoses, infections by their season."""
    codes = reference.diagnoses()
    acute = codes.of_kind("acute")
    weights = codes.prevalence[acute]
    for code, season in (("J10.1", FLU_SEASON), ("U07.1", COVID_SEASON)):
        weights = np.where(acute == codes.position(code), weights * season[calendar_month], weights)
    return weights


def _mood(luck: Floats) -> Ints:
    """Behavioral diagnoses of those without a lasting one, by prevalence."""
    codes = reference.diagnoses()
    positions = np.array([codes.position(code) for code in MOOD])
    return np.asarray(positions[pick(codes.prevalence[positions], luck)], dtype=np.int64)
