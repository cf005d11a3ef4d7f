"""The claims feed, and what members' claims say about them."""

import numpy as np
import pyarrow as pa

from . import columns, reference
from .adjudication import PAID, PENDED, STATUSES, Claims
from .encounters import CLAIM_TYPES, KINDS, NOT_A_STAY
from .enrollments import Spans
from .members import Members
from .plans import Catalogue
from .stays import ADMISSION_TYPES, DISCHARGE_STATUSES
from .world import Bools, Horizon, Ints, latest_per_extract, order_of

HIGH_COST_CENTS = 50_000_00
ROLLING_DAYS = 365


def claims_table(
    claims: Claims, spans: Spans, members: Members, catalogue: Catalogue
) -> tuple[pa.Table, Ints]:
    """Rows of the change feed of all extracts, one after the other.

    Returns:
        The rows, and where each extract's begin (with the end as a last entry): a line is in an
        extract in its latest state when it changed since the one before.
    """
    events, lines, encounters = claims.events, claims.lines, claims.encounters
    horizon = members.horizon
    batch = horizon.batch_of(events.day)
    kept = latest_per_extract(events.line, batch, horizon)
    line = events.line[kept]
    order = order_of(batch[kept], claims.rank[lines.encounter[line]], lines.number[line])
    kept, line = kept[order], line[order]
    encounter = lines.encounter[line]
    span = encounters.span[encounter]
    status = events.status[kept]
    reason = events.reason[kept]
    no_stay = encounters.discharge_status[encounter] == NOT_A_STAY
    prefix = members.unit.prefix
    types = np.array([CLAIM_TYPES.index(kind.claim_type) for kind in KINDS])
    reasons = reference.texts("denial_reason", "denial_reason_code")
    table = pa.table(
        {
            "claim_id": columns.identifiers(f"C{prefix}", claims.rank[encounter] + 1, 7),
            "line_number": columns.ints(lines.number[line]),
            "member_id": columns.identifiers("M", members.numbers[encounters.member[encounter]], 8),
            "provider_id": columns.identifiers("P", encounters.provider[encounter] + 1, 6),
            "plan_id": catalogue.ids(spans.plan[span], spans.year[span]),
            "claim_type": columns.picked(
                np.array(CLAIM_TYPES, object), types[encounters.kind[encounter]]
            ),
            "service_date": columns.dates(encounters.day[encounter]),
            "received_date": columns.dates(claims.received[encounter]),
            "adjudicated_date": columns.dates(events.day[kept], status == PENDED),
            "claim_status": columns.picked(np.array(STATUSES, object), status),
            "in_network": columns.flags(encounters.in_network[encounter]),
            "diagnosis_code": columns.picked(
                reference.diagnoses().code, encounters.diagnosis[encounter]
            ),
            "procedure_code": columns.picked(
                reference.texts("procedure", "procedure_code"), lines.procedure[line]
            ),
            "units": columns.ints(lines.units[line]),
            "denial_reason_code": columns.picked(reasons, np.maximum(reason, 0), reason < 0),
            "claim_amount": columns.money(lines.billed[line]),
            "allowed_amount": columns.money(events.allowed[kept]),
            "paid_amount": columns.money(events.paid[kept]),
            "deductible": columns.money(events.deductible[kept]),
            "copay": columns.money(events.copay[kept]),
            "coinsurance": columns.money(events.coinsurance[kept]),
            "discharge_date": columns.dates(encounters.discharge[encounter], no_stay),
            "discharge_status": columns.picked(
                np.array(DISCHARGE_STATUSES, object),
                encounters.discharge_status[encounter],
                no_stay,
            ),
            "admission_type": columns.picked(
                np.array(ADMISSION_TYPES, object), encounters.admission_type[encounter], no_stay
            ),
        }
    )
    starts = np.searchsorted(batch[kept], np.arange(len(horizon.extracts) + 1))
    return table, starts.astype(np.int64)


def high_cost_flags(claims: Claims, horizon: Horizon, members: int) -> Bools:
    """Whether the paid amounts of the last 365 days passed the threshold, [extract, member]."""
    events = claims.events
    same_line = np.append(False, events.line[1:] == events.line[:-1])[: len(events.line)]
    earlier = np.where(same_line, np.roll(events.paid, 1), 0)
    change = (events.paid - earlier).astype(np.float64)
    member = claims.encounters.member[claims.lines.encounter[events.line]]
    flags = np.zeros((len(horizon.extracts), members), dtype=np.bool_)
    for batch, day in enumerate(horizon.extract_days):
        recent = (events.day < day) & (events.day >= day - ROLLING_DAYS)
        paid = np.bincount(member[recent], weights=change[recent], minlength=members)
        flags[batch] = paid >= HIGH_COST_CENTS
    return flags


def condition_ranks(claims: Claims, horizon: Horizon, members: int) -> Ints:
    """Highest condition group that paid lines have shown by each extract, [extract, member].

    Ranks are positions in `reference.condition_groups()`, the last of which is none.
    """
    events = claims.events
    paid = np.flatnonzero(events.status == PAID)
    encounter = claims.lines.encounter[events.line[paid]]
    member = claims.encounters.member[encounter]
    rank = reference.diagnoses().group_rank[claims.encounters.diagnosis[encounter]]
    batch = horizon.batch_of(events.day[paid])
    ranks = np.full((len(horizon.extracts), members), len(reference.condition_groups()) - 1)
    known = batch < len(horizon.extracts)
    np.minimum.at(ranks, (batch[known], member[known]), rank[known])
    return np.minimum.accumulate(ranks, axis=0).astype(np.int64)
