"""How the issuers of a state price: levels, yearly rises, rating areas, and a person's premium."""

import numpy as np

from . import reference
from .world import Floats, Ints, Streams

# Level of premiums in a state, and of each issuer against it.
STATE_LEVEL, ISSUER_LEVEL = (0.96, 1.04), (0.98, 1.04)
# Yearly rise of premiums, and that into the year in which tax credits became smaller.
RISE, RISE_INTO_2026, REDUCED_CREDITS = (1.04, 1.09), (1.20, 1.30), 2026
# How far the cost of care moves premiums between the rating areas of a state, how far each issuer
# departs from that, and the bounds of a factor.
AREA_SPREAD, OWN_AREA_SPREAD, AREA_FACTORS = 0.08, 0.03, (0.85, 1.25)


def issuer_level(of_state: Streams, rng: np.random.Generator) -> float:
    """Premiums of an issuer against those of the designs."""
    return float(of_state("level").uniform(*STATE_LEVEL) * rng.uniform(*ISSUER_LEVEL))


def yearly_rise(rng: np.random.Generator, year: int, plans: int) -> Floats:
    """Premiums of a year against those of the one before."""
    return rng.uniform(*(RISE_INTO_2026 if year == REDUCED_CREDITS else RISE), plans)


def area_factors(of_state: Streams, rng: np.random.Generator, state: str) -> Ints:
    """An issuer's factor of each county, by its rating area, in 1/1000; 1 on average of people."""
    counties = reference.counties(state)
    areas, position = np.unique(counties.rating_area, return_inverse=True)
    moves = AREA_SPREAD * of_state("areas").standard_normal(len(areas))
    moves += OWN_AREA_SPREAD * rng.standard_normal(len(areas))
    factor = np.exp(moves)[position]
    factor /= np.average(factor, weights=counties.weight)
    return np.asarray(np.rint(1000 * np.clip(factor, *AREA_FACTORS)), dtype=np.int64)


def rated(premium: Ints, *factors: Ints) -> Ints:
    """Premiums in cents times factors in 1/1000, rounded once, half a cent up.

    In whole numbers: whoever reckons the same from the files gets the same cents.
    """
    scale = 1000 ** len(factors)
    for factor in factors:
        premium = premium * factor
    return np.asarray((premium + scale // 2) // scale)
