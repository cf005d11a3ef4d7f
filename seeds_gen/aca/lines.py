"""Lines billed for encounters, with the prices billed and allowed."""

from dataclasses import dataclass

import numpy as np

from . import reference
from .encounters import CLAIM_TYPES, KIND, KINDS, LIVEBORN, Encounters, procedure_weights
from .world import Floats, Horizon, Ints, draw_by_row

PRICE_TREND = 1.07
# Level of prices against the typical ones, their spread from line to line, and that from encounter
# to encounter, by type of claim in the order of CLAIM_TYPES.
LEVEL = np.array([1.72, 0.97, 1.86, 1.18])
LINE_SPREAD = np.array([0.22, 0.25, 0.30, 0.25])
CASE_SPREAD = np.array([0.20, 0.55, 0.75, 0.0])
# Stays of which few cost many times the usual.
CATASTROPHIC, TAIL, LARGEST = 0.035, 1.9, 20.0
NEWBORN_PRICE = 0.15
OUT_OF_NETWORK_PRICE = 1.25
# Prescriptions that are filled for 90 days at once.
THREE_MONTHS, THREE_MONTHS_FOR = 0.42, ("PX-RXG", "PX-RXB")


@dataclass(frozen=True)
class Lines:
    """Lines, one entry each, in the order of their encounters.

    `encounter` is the position of the encounter, `number` starts at 1, prices are in cents.
    """

    encounter: Ints
    number: Ints
    procedure: Ints
    units: Ints
    billed: Ints
    allowed: Ints


def make_lines(rng: np.random.Generator, horizon: Horizon, encounters: Encounters) -> Lines:
    """Make the lines of some encounters with the prices billed and allowed."""
    encounter = np.repeat(np.arange(len(encounters.lines)), encounters.lines)
    starts = np.cumsum(encounters.lines) - encounters.lines
    number = np.arange(len(encounter)) - starts[encounter] + 1
    kind = encounters.kind[encounter]
    further = draw_by_row(rng, procedure_weights(further=True), kind)
    procedure = np.where(number == 1, encounters.procedure[encounter], further)
    units = _units(rng, procedure)
    spread = LINE_SPREAD[_claim_types()[kind]]
    price = reference.numbers("procedure", "typical_allowed_amount")[procedure] * units
    price *= _case_prices(rng, horizon, encounters)[encounter]
    price *= np.exp(spread * rng.standard_normal(len(encounter)) - spread**2 / 2)
    allowed = np.maximum(np.rint(price * 100), 1).astype(np.int64)
    markup = 1.0 + 0.45 * rng.standard_gamma(2.0, len(encounter))
    billed = np.rint(allowed * markup / 100) * 100
    return Lines(
        encounter=encounter,
        number=number,
        procedure=procedure,
        units=units,
        billed=np.maximum(billed.astype(np.int64), allowed),
        allowed=allowed,
    )


def _units(rng: np.random.Generator, procedure: Ints) -> Ints:
    """Units of each line: around the typical number, months of drugs by the length of the fill."""
    typical = reference.numbers("procedure", "typical_units")[procedure]
    luck = rng.random(len(procedure))
    many = np.maximum(np.rint(typical * (0.5 + luck)), 1)
    drugs = [reference.procedure_positions()[code] for code in THREE_MONTHS_FOR]
    fill = np.where(np.isin(procedure, drugs) & (luck < THREE_MONTHS), 3, 1)
    return np.where(typical > 1, many, fill).astype(np.int64)


def _case_prices(rng: np.random.Generator, horizon: Horizon, encounters: Encounters) -> Floats:
    """Factor on the prices of each encounter: level, trend, severity, network."""
    claim_type = _claim_types()[encounters.kind]
    count = len(claim_type)
    years = (encounters.day - horizon.start_day) / 365.25
    spread = CASE_SPREAD[claim_type]
    price = LEVEL[claim_type] * PRICE_TREND**years
    price *= np.exp(spread * rng.standard_normal(count) - spread**2 / 2)
    stay = encounters.kind == KIND["inpatient"]
    tail = np.minimum((1 - rng.random(count)) ** (-1 / TAIL), LARGEST)
    price *= np.where(stay & (rng.random(count) < CATASTROPHIC), 2 * tail, 1.0)
    newborn = encounters.diagnosis == reference.diagnoses().position(LIVEBORN)
    price *= np.where(newborn, NEWBORN_PRICE, 1.0)
    return np.asarray(price * np.where(encounters.in_network, 1.0, OUT_OF_NETWORK_PRICE))


def _claim_types() -> Ints:
    return np.array([CLAIM_TYPES.index(kind.claim_type) for kind in KINDS])
