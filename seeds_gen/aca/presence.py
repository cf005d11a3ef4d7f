"""Keys that vanish from a snapshot, and come back or not."""

from dataclasses import dataclass

import numpy as np

from .world import Bools, Horizon, Ints, Streams

NEVER = np.iinfo(np.int64).max
FOR_GOOD = 0.25


@dataclass(frozen=True)
class Presence:
    """Which key is in which extract; `present` and `away` are [extract, key]."""

    horizon: Horizon
    present: Bools
    away: Bools

    def missing_on(self, days: Ints, keys: Ints) -> Bools:
        """Whether the latest extract at each day had lost the key."""
        latest = self.horizon.batch_of(days) - 1
        return (latest >= 0) & self.away[np.maximum(latest, 0), keys]


def make_presence(
    streams: Streams, purpose: str, horizon: Horizon, known_from: Ints, monthly_rate: float
) -> Presence:
    """Draw the losses: at each extract some keys go, most for one to three extracts.

    Args:
        streams: the tenant's random streams.
        purpose: name of the stream.
        horizon: the extracts.
        known_from: day on which each key came to be known; negative rates never occur.
        monthly_rate: share of the keys that goes per month; nothing goes at the first extract.
    """
    count = len(known_from)
    back_at = np.zeros(count, dtype=np.int64)
    present = np.zeros((len(horizon.extracts), count), dtype=np.bool_)
    away = np.zeros_like(present)
    for batch, day in enumerate(horizon.extract_days):
        rng = streams(purpose, int(day))
        going = rng.random(count) < monthly_rate * horizon.batch_months[batch]
        extracts_away = rng.integers(1, 4, count)
        for_good = rng.random(count) < FOR_GOOD
        if batch > 0:
            going &= present[batch - 1]
            back_at = np.where(going, np.where(for_good, NEVER, batch + extracts_away), back_at)
        away[batch] = back_at > batch
        present[batch] = (known_from < day) & ~away[batch]
    return Presence(horizon, present, away)
