"""The market of a state: the benchmark that its issuers make, and who chooses which of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import reference
from .plans import Catalogue
from .pricing import rated
from .world import Floats, Ints, Streams

# Issuers of a state, those without feeds included.
ISSUERS = (3, 6)
# USD that an issuer's cheapest silver plan lies above the benchmark at age 21 that make it e times
# less chosen in a rating area.
AREA_SENSITIVITY = 12.0


@dataclass(frozen=True)
class Market:
    """What the issuers of a state make together; tables are [year, county].

    `benchmark` is the second-lowest silver premium at age 21, in cents. Counties of one rating area
    are alike.
    """

    first_year: int
    state: str
    benchmark: Ints

    def places(self, catalogue: Catalogue, year: int) -> Floats:
        """Where those live who choose an issuer in a year, as a weight of each county.

        The further its cheapest silver plan lies below the benchmark, the more choose it.
        """
        row = year - self.first_year
        dearer = (_silver_premiums(catalogue)[row].min(axis=0) - self.benchmark[row]) / 100
        people = reference.counties(self.state).weight
        return np.asarray(people * np.exp(-dearer / AREA_SENSITIVITY))


def rivals_needed(of_state: Streams, present: int) -> int:
    """How many issuers without feeds a state has beside those present."""
    return max(int(of_state("issuers").integers(ISSUERS[0], ISSUERS[1] + 1)) - present, 0)


def make_market(state: str, catalogues: Sequence[Catalogue]) -> Market:
    """Find the benchmark of a state among the silver plans of all its issuers."""
    silver = np.concatenate([_silver_premiums(catalogue) for catalogue in catalogues], axis=1)
    return Market(catalogues[0].first_year, state, np.sort(silver, axis=1)[:, 1])


def _silver_premiums(catalogue: Catalogue) -> Ints:
    """Premium at age 21 of an issuer's silver plans on the exchange, [year, plan, county]."""
    return rated(catalogue.premium[:, catalogue.silver, None], catalogue.area_factor)
