"""The appeals feed: denials that were appealed, and what came of it."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from . import columns
from .adjudication import DENIED, Claims
from .members import Members
from .world import Bools, Horizon, Ints, Streams, by_month, concatenate, latest_per_extract

OUTCOMES = ("open", "upheld", "overturned")
OPEN, UPHELD, OVERTURNED = range(len(OUTCOMES))
# Claims appealed, among those denied for good and those with a denial that was overturned, most
# of which the issuer reconsiders without an appeal.
APPEALED_IN_VAIN, APPEALED_WITH_SUCCESS = 0.0038, 0.077
LAST_DAY_TO_FILE = 180


@dataclass(frozen=True)
class Appeals:
    """Appeals, one entry each and at most one per claim; `line` is 0 for the whole claim."""

    claim: Ints
    line: Ints
    filed: Ints
    decided: Ints
    overturned: Bools


def make_appeals(streams: Streams, claims: Claims, horizon: Horizon) -> Appeals:
    """Appeal some of the denials, month by month of service."""
    events, lines, encounters = claims.events, claims.lines, claims.encounters
    denied = np.flatnonzero(events.status == DENIED)
    following = np.append(events.line, -1)[denied + 1]
    overturned = following == events.line[denied]
    encounter = lines.encounter[events.line[denied]]
    # One denial stands for its claim: an overturned one if there is any.
    order = np.lexsort([~overturned, encounter])
    claim, first, count = np.unique(encounter[order], return_index=True, return_counts=True)
    event, won = denied[order[first]], overturned[order[first]]
    number = lines.number[events.line[event]]
    all_lines = encounters.lines[claim]
    whole = np.where(won, all_lines == 1, all_lines == count)
    possible = Appeals(
        claim=claim,
        line=np.where(whole, 0, number),
        filed=events.day[event],
        decided=np.append(events.day, 0)[event + 1],
        overturned=won,
    )
    # Claims are in the order of months, and so are the denials of each.
    months = range(horizon.first_month, horizon.first_month + horizon.months)
    return concatenate(
        Appeals,
        [
            _month_of_appeals(streams("appeals", month), possible, rows)
            for month, rows in zip(months, by_month(encounters.day[claim], horizon), strict=True)
        ],
    )


def _month_of_appeals(rng: np.random.Generator, possible: Appeals, month: slice) -> Appeals:
    """Appeal some of the denials of a month, which come with the days of denial and payment."""
    won = possible.overturned[month]
    denied, paid = possible.filed[month], possible.decided[month]
    count = len(won)
    appealed = rng.random(count) < np.where(won, APPEALED_WITH_SUCCESS, APPEALED_IN_VAIN)
    waits = np.minimum(rng.lognormal(3.3, 0.8, count).astype(np.int64) + 1, LAST_DAY_TO_FILE)
    takes = rng.integers(10, 61, count)
    before_payment = paid - rng.integers(1, 6, count)
    filed = np.where(won, np.maximum(denied + 1, before_payment - takes), denied + waits)
    return Appeals(
        claim=possible.claim[month][appealed],
        line=possible.line[month][appealed],
        filed=filed[appealed],
        decided=np.where(won, before_payment, filed + takes)[appealed],
        overturned=won[appealed],
    )


def appeals_table(appeals: Appeals, claims: Claims, members: Members) -> tuple[pa.Table, Ints]:
    """Rows of the change feed of all extracts, one after the other.

    Returns:
        The rows, and where each extract's begin (with the end as a last entry).
    """
    horizon = members.horizon
    appeal = np.repeat(np.arange(len(appeals.claim)), 2)
    decided = np.tile([False, True], len(appeals.claim))
    batch = horizon.batch_of(np.where(decided, appeals.decided[appeal], appeals.filed[appeal]))
    kept = latest_per_extract(appeal, batch, horizon)
    rank = claims.rank[appeals.claim[appeal[kept]]]
    kept = kept[np.lexsort([rank, batch[kept]])]
    starts = np.searchsorted(batch[kept], np.arange(len(horizon.extracts) + 1))
    appeal, decided = appeal[kept], decided[kept]
    number, line = claims.rank[appeals.claim[appeal]] + 1, appeals.line[appeal]
    outcome = np.where(decided, np.where(appeals.overturned[appeal], OVERTURNED, UPHELD), OPEN)
    table = pa.table(
        {
            "appeal_id": columns.identifiers(f"A{members.unit.prefix}", number, 7),
            "claim_id": columns.identifiers(f"C{members.unit.prefix}", number, 7),
            "line_number": columns.ints(line, line == 0),
            "filed_date": columns.dates(appeals.filed[appeal]),
            "decided_date": columns.dates(appeals.decided[appeal], ~decided),
            "outcome": columns.picked(np.array(OUTCOMES, object), outcome),
        }
    )
    return table, starts.astype(np.int64)
