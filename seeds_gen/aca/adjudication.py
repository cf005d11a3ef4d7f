"""What becomes of claim lines: decisions, cost sharing, later corrections."""

from dataclasses import dataclass, fields

import numpy as np

from . import reference
from .encounters import CLAIM_TYPES, KINDS, Encounters
from .enrollments import Spans
from .lines import Lines
from .plans import Catalogue
from .world import (
    Bools,
    Floats,
    Horizon,
    Ints,
    Streams,
    Tenant,
    by_month,
    concatenate,
    order_of,
    pick_by_row,
    year_of,
)

STATUSES = ("pended", "paid", "denied", "reversed")
PENDED, PAID, DENIED, REVERSED = range(len(STATUSES))
NO_REASON = -1
PHARMACY = CLAIM_TYPES.index("pharmacy")
PENDED_SHARE, REVERSED_SHARE, ADJUSTED_SHARE, OVERTURNED_SHARE = 0.06, 0.010, 0.035, 0.03
# Days until a claim is sent and until it is decided, as median and spread of a lognormal.
SENDING, SENDING_SPREAD, SENT_BY = 23.0, 1.08, 330
DECIDING, DECIDING_SPREAD, DECIDED_BY = 8.5, 0.50, 120
LATE_AT_PHARMACY = 0.08
# Denied whole claims and single lines; each issuer has its own level.
DENIED_CLAIMS, DENIED_LINES, DENIED_OUT_OF_NETWORK = 0.125, 0.085, 0.31
ISSUER_LEVELS = (1.0, 0.70, 1.45, 0.45, 1.90, 0.85)
AFTER_COVERAGE = "27"
# Reasons of denial, and those outside the network.
REASON_WEIGHTS = {
    "97": 13, "22": 10, "109": 7, "B7": 5,
    "16": 8, "18": 3, "29": 2, "252": 3, "226": 2,
    "96": 8.5, "204": 8,
    "119": 7, "151": 5,
    "197": 6, "198": 1, "288": 2.5,
    "50": 6.5, "55": 2,
}  # fmt: skip
OUTSIDE_CODE, OUTSIDE_WEIGHT = "242", 60
FREE_IN_NETWORK = ("preventive",)
COPAY_CATEGORIES = ("office_visit", "telehealth", "behavioral")
SPECIALIST_COPAY = "PX-OVS"


@dataclass(frozen=True)
class Shares:
    """The split of allowed amounts, in cents.

    allowed = paid + deductible + copay + coinsurance, for each entry.
    """

    allowed: Ints
    paid: Ints
    deductible: Ints
    copay: Ints
    coinsurance: Ints


@dataclass(frozen=True)
class Events:
    """States that lines took on, ordered by line and time.

    `day` is the day on which the state came to be; money in cents; `reason` is a position in
    denial_reason.csv or -1.
    """

    line: Ints
    day: Ints
    status: Ints
    reason: Ints
    allowed: Ints
    paid: Ints
    deductible: Ints
    copay: Ints
    coinsurance: Ints


@dataclass(frozen=True)
class Claims:
    """Claims with their lines and the events of these.

    `rank` numbers the encounters in the order in which their claims were received, `received` is
    the day, both [encounter].
    """

    encounters: Encounters
    lines: Lines
    rank: Ints
    received: Ints
    events: Events


@dataclass(frozen=True)
class Fate:
    """Drawn fate of claims and lines: [encounter] by name `claim_`, otherwise [line]."""

    claim_received: Ints
    claim_pended_on: Ints
    claim_decided: Ints
    claim_pended: Bools
    claim_reversed: Bools
    claim_wait: Ints
    denied: Bools
    reason: Ints
    overturned: Bools
    adjusted: Bools
    wait: Ints
    factor: Ints


def adjudicate(
    streams: Streams,
    tenant: Tenant,
    horizon: Horizon,
    encounters: Encounters,
    lines: Lines,
    spans: Spans,
    catalogue: Catalogue,
) -> Claims:
    """Decide every line and price its cost sharing in the order of the decisions."""
    fate = _fates(streams, tenant, horizon, encounters, lines)
    rank = np.empty(len(encounters.day), dtype=np.int64)
    rank[np.argsort(fate.claim_received, kind="stable")] = np.arange(len(rank))
    decided = fate.claim_decided[lines.encounter]
    paid_on = np.where(fate.overturned, decided + fate.wait, decided)
    payable = ~fate.denied | fate.overturned
    shares = _cost_sharing(encounters, lines, spans, catalogue, rank, paid_on, payable)
    events = _events(lines, fate, shares, paid_on, payable)
    return Claims(encounters, lines, rank, fate.claim_received, events)


def _fates(
    streams: Streams, tenant: Tenant, horizon: Horizon, encounters: Encounters, lines: Lines
) -> Fate:
    """Draw the fate of each month's claims from that month's stream."""
    months = range(horizon.first_month, horizon.first_month + horizon.months)
    claims = by_month(encounters.day, horizon)
    claim_lines = by_month(encounters.day[lines.encounter], horizon)
    parts = []
    for month, own, own_lines in zip(months, claims, claim_lines, strict=True):
        rng = streams("adjudication", month)
        parts.append(_month_of_fates(rng, tenant, encounters, lines, own, own_lines))
    return concatenate(Fate, parts)


def _month_of_fates(
    rng: np.random.Generator,
    tenant: Tenant,
    encounters: Encounters,
    lines: Lines,
    own: slice,
    own_lines: slice,
) -> Fate:
    """Draw the fate of the claims of a month and their lines."""
    count, line_count = own.stop - own.start, own_lines.stop - own_lines.start
    claim_of = lines.encounter[own_lines] - own.start
    level = ISSUER_LEVELS[tenant.number - 1]
    claim_type = np.array([CLAIM_TYPES.index(k.claim_type) for k in KINDS])[encounters.kind[own]]
    pharmacy = claim_type == PHARMACY
    sending = _wait(rng, SENDING, SENDING_SPREAD, SENT_BY, count)
    deciding = _wait(rng, DECIDING, DECIDING_SPREAD, DECIDED_BY, count)
    received = encounters.discharge[own] + np.where(pharmacy, 0, sending)
    pended = (rng.random(count) < PENDED_SHARE) & ~pharmacy
    pended_on = received + rng.integers(1, 4, count)
    resolved = pended_on + rng.integers(15, 61, count)
    at_counter = np.where(rng.random(count) < LATE_AT_PHARMACY, deciding, rng.integers(0, 2, count))
    in_time = received + np.where(pharmacy, at_counter, deciding)
    in_network = encounters.in_network[own]
    rate = np.where(in_network, DENIED_CLAIMS, DENIED_OUT_OF_NETWORK) * level
    claim_denied = (rng.random(count) < rate) | encounters.after_end[own]
    luck, line_luck = rng.random(count), rng.random(line_count)
    whole = claim_denied[claim_of]
    ended = encounters.after_end[own][claim_of]
    denied = whole | (rng.random(line_count) < DENIED_LINES * level)
    luck = np.where(whole, luck[claim_of], line_luck)
    reason = np.full(line_count, _reason_position(AFTER_COVERAGE))
    drawn = np.flatnonzero(denied & ~ended)
    reason[drawn] = _denial_reasons(luck[drawn], in_network[claim_of[drawn]])
    overturned = denied & ~ended & (rng.random(line_count) < OVERTURNED_SHARE)
    return Fate(
        claim_received=received,
        claim_pended_on=pended_on,
        claim_decided=np.where(pended, resolved, in_time),
        claim_pended=pended,
        claim_reversed=rng.random(count) < REVERSED_SHARE,
        claim_wait=rng.integers(15, 91, count),
        denied=denied,
        reason=reason,
        overturned=overturned,
        adjusted=rng.random(line_count) < ADJUSTED_SHARE,
        wait=rng.integers(15, 121, line_count),
        factor=rng.integers(70, 116, line_count),
    )


def _wait(rng: np.random.Generator, median: float, spread: float, most: int, count: int) -> Ints:
    """Whole days from 1 on, lognormal up to a limit."""
    days = median * np.exp(spread * rng.standard_normal(count))
    return 1 + np.minimum(days, most).astype(np.int64)


def _denial_reasons(luck: Floats, in_network: Bools) -> Ints:
    """Reasons by their weights, inside and outside the network, by luck from 0 to 1."""
    codes = reference.texts("denial_reason", "denial_reason_code")
    inside = np.array([REASON_WEIGHTS.get(code, 0.0) for code in codes])
    outside = inside + OUTSIDE_WEIGHT * (codes == OUTSIDE_CODE)
    return pick_by_row(np.stack([outside, inside]), in_network.astype(np.int64), luck)


def _reason_position(code: str) -> int:
    codes = reference.texts("denial_reason", "denial_reason_code")
    return int(np.flatnonzero(codes == code)[0])


def _cost_sharing(
    encounters: Encounters,
    lines: Lines,
    spans: Spans,
    catalogue: Catalogue,
    rank: Ints,
    paid_on: Ints,
    payable: Bools,
) -> Shares:
    """Split the allowed amounts: copay or deductible and coinsurance, up to the yearly maximum.

    Members use up deductible and maximum in the order in which lines are paid, per year of service.
    """
    encounter = lines.encounter
    member = encounters.member[encounter]
    year = year_of(encounters.day)[encounter]
    order = order_of(member, year, paid_on, rank[encounter], lines.number)
    used = order[payable[order]]
    same = (np.diff(member[used]) == 0) & (np.diff(year[used]) == 0)
    opens = np.concatenate([[True], ~same])[: len(used)]

    span = encounters.span[encounter[used]]
    plan, plan_year = spans.plan[span], spans.year[span] - catalogue.first_year
    allowed = lines.allowed[used]
    category, procedure = reference.texts("procedure", "procedure_category"), lines.procedure[used]
    free = np.isin(category, FREE_IN_NETWORK)[procedure] & encounters.in_network[encounter[used]]
    by_copay = np.isin(category, COPAY_CATEGORIES)[procedure] & ~free
    specialist = procedure == reference.procedure_positions()[SPECIALIST_COPAY]
    rate = catalogue.pcp_copay[plan] * (1 + specialist)
    copay = np.where(by_copay, np.minimum(rate, allowed), 0)
    shared = np.where(free | by_copay, 0, allowed)
    left = np.maximum(catalogue.deductible[plan_year, plan] - _earlier(shared, opens), 0)
    deductible = np.minimum(left, shared)
    owed = (shared - deductible) * catalogue.coinsurance[plan] / 10_000
    coinsurance = np.rint(owed).astype(np.int64)

    share = copay + deductible + coinsurance
    room = np.maximum(catalogue.oop_max[plan_year, plan] - _earlier(share, opens), 0)
    excess = np.maximum(share - room, 0)
    coinsurance, excess = _lower(coinsurance, excess)
    deductible, excess = _lower(deductible, excess)
    copay, _ = _lower(copay, excess)
    paid = allowed - deductible - copay - coinsurance

    def spread(values: Ints) -> Ints:
        whole = np.zeros(len(encounter), dtype=np.int64)
        whole[used] = values
        return whole

    return Shares(*(spread(part) for part in (allowed, paid, deductible, copay, coinsurance)))


def _earlier(values: Ints, opens: Bools) -> Ints:
    """Sum of the earlier values of the same group; groups begin where `opens` is set."""
    before = np.cumsum(values) - values
    starts = np.flatnonzero(opens)
    return np.asarray(before - before[starts][np.cumsum(opens) - 1], dtype=np.int64)


def _lower(values: Ints, excess: Ints) -> tuple[Ints, Ints]:
    """Take an excess off the values as far as they reach; return both what is left of them."""
    taken = np.minimum(values, excess)
    return values - taken, excess - taken


def _adjusted(shares: Shares, billed: Ints, factor: Ints) -> Shares:
    """Shares after a new price; the member never owes more than before."""
    allowed = np.minimum(shares.allowed * factor // 100, billed)
    deductible = np.minimum(shares.deductible, allowed)
    copay = np.minimum(shares.copay, allowed - deductible)
    coinsurance = np.minimum(shares.coinsurance, allowed - deductible - copay)
    paid = allowed - deductible - copay - coinsurance
    return Shares(allowed, paid, deductible, copay, coinsurance)


def _events(lines: Lines, fate: Fate, shares: Shares, paid_on: Ints, payable: Bools) -> Events:
    """All states of all lines, in order."""
    encounter = lines.encounter
    every = np.arange(len(encounter))
    nothing = Shares(*(np.zeros(len(encounter), dtype=np.int64) for _ in fields(Shares)))
    corrected = _adjusted(shares, lines.billed, fate.factor)
    adjusted = payable & fate.adjusted & (corrected.allowed != shares.allowed)
    adjusted_on = paid_on + fate.wait
    reversed_ = payable & fate.claim_reversed[encounter]
    # All lines of a claim are taken back on one day, after the last of their corrections.
    settled = np.where(adjusted, adjusted_on, paid_on)
    last = np.zeros(len(fate.claim_wait), dtype=np.int64)
    np.maximum.at(last, encounter, settled)
    reversed_on = (last + fate.claim_wait)[encounter]
    steps = (
        (fate.claim_pended[encounter], fate.claim_pended_on[encounter], PENDED, nothing),
        (fate.denied, fate.claim_decided[encounter], DENIED, nothing),
        (payable, paid_on, PAID, shares),
        (adjusted, adjusted_on, PAID, corrected),
        (reversed_, reversed_on, REVERSED, nothing),
    )
    chosen = [every[happens] for happens, *_ in steps]
    line = np.concatenate(chosen)
    day = np.concatenate([days[rows] for rows, (_, days, _, _) in zip(chosen, steps, strict=True)])
    order = order_of(line, np.repeat(np.arange(len(steps)), [len(rows) for rows in chosen]))
    status = np.repeat([status for _, _, status, _ in steps], [len(rows) for rows in chosen])
    split = {
        f.name: np.concatenate(
            [getattr(part, f.name)[rows] for rows, (*_, part) in zip(chosen, steps, strict=True)]
        )[order]
        for f in fields(Shares)
    }
    line, status = line[order], status[order]
    reason = np.where(status == DENIED, fate.reason[line], NO_REASON)
    return Events(line=line, day=day[order], status=status, reason=reason, **split)
