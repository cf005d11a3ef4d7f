"""Lines billed for encounters, with the prices billed and allowed."""

from dataclasses import dataclass

import numpy as np

from . import reference
from .encounters import KINDS, Encounters, procedure_weights
from .world import Horizon, Ints, draw_by_row

PRICE_TREND = 1.065
SPREAD = {"inpatient": 0.60, "outpatient": 0.45, "professional": 0.25, "pharmacy": 0.30}
OUT_OF_NETWORK_PRICE = 1.3


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
    typical = reference.numbers("procedure", "typical_units")[procedure]
    many = np.maximum(np.rint(typical * rng.uniform(0.5, 1.5, len(encounter))), 1)
    units = np.where(typical > 1, many, 1).astype(np.int64)
    years = (encounters.day[encounter] - horizon.start_day) / 365.25
    spread = np.array([SPREAD[k.claim_type] for k in KINDS])[kind]
    price = reference.numbers("procedure", "typical_allowed_amount")[procedure] * units
    price = price * PRICE_TREND**years * rng.lognormal(-(spread**2) / 2, spread)
    price *= np.where(encounters.in_network[encounter], 1.0, OUT_OF_NETWORK_PRICE)
    allowed = np.maximum(np.rint(price * 100), 1).astype(np.int64)
    markup = 1.0 + rng.gamma(2.0, 0.45, len(encounter))
    billed = np.rint(allowed * markup / 100) * 100
    return Lines(
        encounter=encounter,
        number=number,
        procedure=procedure,
        units=units,
        billed=np.maximum(billed.astype(np.int64), allowed),
        allowed=allowed,
    )
