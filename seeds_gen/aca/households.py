"""Households: who lives with whom, and what they share."""

import numpy as np

from .world import Floats, Ints

# Adults of the market who are covered together with a partner, and those whom children live with.
COUPLED, COUPLED_FROM = 0.30, 23
PARENTS, PARENTS_FROM, PARENTS_TO = 0.45, 23, 62
# Years between parent and child, and until when children live with them, some of them.
GENERATION, CHILD_TO, AT_HOME_TO, AT_HOME = (19, 40), 18, 21, 0.6
# Premiums are due for no more children than these.
MOST_CHILDREN = 3


class SharedLuck:
    """Random numbers from 0 to 1 that are the same for all of a household."""

    def __init__(self, rng: np.random.Generator, house: Ints) -> None:
        """Draw from `rng` for the households that `house` gives for each member."""
        self._rng = rng
        self._house = house

    def __call__(self, rows: Ints) -> Floats:
        """Draw anew for everybody; return what falls to some."""
        return self._rng.random(len(self._house))[self._house[rows]]

    def whole(self, low: int, high: int, rows: Ints) -> Ints:
        """Whole numbers from `low` to below `high`."""
        return low + np.floor(self(rows) * (high - low)).astype(np.int64)


def make_households(rng: np.random.Generator, ages: Ints, gender: Ints, joining: Ints) -> Ints:
    """Put people into households.

    Args:
        rng: random numbers.
        ages: age of each.
        gender: 0 female, 1 male, 2 other.
        joining: how each comes to be covered; those of a household come together, and those for
            whom it is negative live alone.

    Returns:
        Position of the head of each one's household.
    """
    house = np.arange(len(ages))
    for way in np.unique(joining[joining >= 0]):
        came = joining == way
        _pair(rng, house, ages, gender, came)
        _give_parents(rng, house, ages, came)
    return house


def _pair(
    rng: np.random.Generator, house: Ints, ages: Ints, gender: Ints, came: np.ndarray
) -> None:
    """Make couples of about the same age; the woman is the head."""
    coupled = came & (ages >= COUPLED_FROM) & (rng.random(len(ages)) < COUPLED)
    women = rng.permutation(np.flatnonzero(coupled & (gender != 1)))
    men = rng.permutation(np.flatnonzero(coupled & (gender == 1)))
    pairs = min(len(women), len(men))
    women, men = (group[:pairs][np.argsort(ages[group[:pairs]])] for group in (women, men))
    house[men] = women


def _give_parents(rng: np.random.Generator, house: Ints, ages: Ints, came: np.ndarray) -> None:
    """Let children live with somebody of a fitting age, no more than three with the same."""
    luck = rng.random((3, len(ages)))
    child = came & ((ages < CHILD_TO) | ((ages < AT_HOME_TO) & (luck[0] < AT_HOME)))
    parent = came & (ages >= PARENTS_FROM) & (ages <= PARENTS_TO) & (luck[0] < PARENTS)
    children = np.flatnonzero(child)
    parents = np.flatnonzero(parent)
    parents = parents[np.argsort(ages[parents], kind="stable")]
    if not len(parents):
        return
    wanted = ages[children] + GENERATION[0]
    wanted += np.floor(luck[1, children] * (GENERATION[1] - GENERATION[0])).astype(np.int64)
    first = np.searchsorted(ages[parents], wanted)
    after = np.searchsorted(ages[parents], wanted, side="right")
    place = first + np.floor(luck[2, children] * (after - first)).astype(np.int64)
    heads = house[parents[np.minimum(place, len(parents) - 1)]]
    order = np.argsort(heads, kind="stable")
    rank = np.arange(len(heads)) - np.searchsorted(heads[order], heads[order])
    kept = order[rank < MOST_CHILDREN]
    house[children[kept]] = heads[kept]
