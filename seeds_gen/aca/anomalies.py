"""Plants labelled anomalies of billing, so that detectors can be scored.

The labels go to a file beside the landing folder, which nothing that reads feeds looks at. A world
with anomalies is another world than the same one without: planted claims use up deductibles too.
"""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from . import columns, reference
from .adjudication import Claims
from .encounters import KIND, Encounters, are_on_record
from .enrollments import Spans
from .lines import Lines
from .members import Members
from .providers import GROUPS, Providers
from .world import Bools, Ints, Streams, by_month, concatenate, first_day

KINDS = (
    "none", "duplicate_billing", "upcoding", "impossible_day", "phantom_member", "shared_members",
    "unbundling", "unit_explosion", "late_claim", "retroactive_termination",
    "retroactive_cancellation",
)  # fmt: skip
NONE, DUPLICATE, UPCODED, IMPOSSIBLE, PHANTOM, SHARED, UNBUNDLED, EXPLODED = range(8)
LATE, RETRO_TERMINATED, RETRO_CANCELLED = range(8, len(KINDS))
DUPLICATED, PHANTOM_PAID, UNBUNDLED_SHARE, EXPLODED_SHARE = 0.0025, 0.10, 0.012, 0.012
# Providers who upcode, ever more often up to a limit.
UPCODERS, UPCODING_GROWTH, UPCODING_MOST = 0.03, 0.06, 0.9
UPCODED_FROM, UPCODED_TO = ("PX-OV1", "PX-OV2", "PX-OV3"), "PX-OV4"
# A day on which one provider sees more patients than a day has room for.
CROWDED_PROVIDERS, IMPOSSIBLE_CHANCE, IMPOSSIBLE_VISITS = 2, 0.25, 70
RING_PROVIDERS, RING_MEMBERS = 3, 25
PANEL = ("PX-LBM", "PX-LBC", "PX-LBL", "PX-LBA", "PX-LBU")
EXPLOSION = 12
LATE_DAYS, RETRO_DAYS = 180, 31


@dataclass(frozen=True)
class Suspects:
    """Providers of an issuer who do what they should not."""

    upcoders: Ints
    crowded: Ints
    ring: Ints


def find_suspects(streams: Streams, providers: Providers) -> Suspects:
    """Choose them among those who are in the directory all the time."""
    rng = streams("suspects")
    always = providers.known_from < providers.horizon.start_day
    shuffled = rng.permutation(np.flatnonzero(always & (providers.group == GROUPS.index("pcp"))))
    count = max(1, round(len(shuffled) * UPCODERS))
    bounds = np.cumsum([count, CROWDED_PROVIDERS, RING_PROVIDERS])
    return Suspects(*np.split(shuffled, bounds)[:3])


def plant_services(
    streams: Streams,
    suspects: Suspects,
    members: Members,
    providers: Providers,
    encounters: Encounters,
) -> tuple[Encounters, Ints]:
    """Plant what concerns whole claims.

    Returns:
        The encounters in the order of months, and the kind of anomaly of each.
    """
    ring = streams("ring").permutation(len(members.birth))[:RING_MEMBERS]
    first = members.horizon.first_month
    made, marks = [], []
    for month, rows in enumerate(by_month(encounters.day, members.horizon)):
        rng = streams("anomalies", first + month)
        own = encounters.taken(rows)
        mark = np.zeros(len(own.day), dtype=np.int64)
        own, mark = _upcode(rng, suspects, own, mark, month)
        own, mark = _crowd(rng, suspects, members, providers, own, mark, first + month)
        phantom = own.after_end & (rng.random(len(own.day)) < PHANTOM_PAID)
        own = replace(own, after_end=own.after_end & ~phantom)
        mark = np.where(phantom, PHANTOM, mark)
        plain = (mark == NONE) & ~own.after_end & (own.kind != KIND["inpatient"])
        copied = plain & (rng.random(len(own.day)) < DUPLICATED)
        shared = _bill_ring(suspects, providers, own, plain & np.isin(own.member, ring))
        made += [own, own.taken(copied), shared]
        marks += [mark, np.full(copied.sum(), DUPLICATE), np.full(len(shared.day), SHARED)]
    planted = concatenate(Encounters, made)
    on_record = are_on_record(members, planted.member, planted.day)
    return planted.taken(on_record), np.concatenate(marks)[on_record]


def _upcode(
    rng: np.random.Generator, suspects: Suspects, own: Encounters, mark: Ints, month: int
) -> tuple[Encounters, Ints]:
    """Bill simple visits as complex ones, the more the longer the world goes on."""
    positions = reference.procedure_positions()
    simple = np.isin(own.procedure, [positions[code] for code in UPCODED_FROM])
    share = min(UPCODING_GROWTH * month, UPCODING_MOST)
    by_suspect = np.isin(own.provider, suspects.upcoders)
    chosen = simple & by_suspect & (rng.random(len(own.day)) < share)
    procedure = np.where(chosen, positions[UPCODED_TO], own.procedure)
    return replace(own, procedure=procedure), np.where(chosen, UPCODED, mark)


def _crowd(
    rng: np.random.Generator,
    suspects: Suspects,
    members: Members,
    providers: Providers,
    own: Encounters,
    mark: Ints,
    month: int,
) -> tuple[Encounters, Ints]:
    """Let one provider see many patients of a month on one of its days."""
    happens = rng.random() < IMPOSSIBLE_CHANCE
    day = int(first_day(np.array(month))) + int(rng.integers(2, 10))
    order = rng.permutation(len(own.day))
    if not happens or not len(suspects.crowded):
        return own, mark
    provider = suspects.crowded[month % len(suspects.crowded)]
    # Only ever to an earlier day, on which everybody was still alive and covered.
    fits = (own.kind == KIND["office"]) & (own.day >= day) & ~own.after_end & (mark == NONE)
    fits &= are_on_record(members, own.member, np.full(len(own.day), day))
    chosen = order[fits[order]][:IMPOSSIBLE_VISITS]
    days, by, inside = own.day.copy(), own.provider.copy(), own.in_network.copy()
    days[chosen], by[chosen], inside[chosen] = day, provider, providers.in_network[provider]
    mark = mark.copy()
    mark[chosen] = IMPOSSIBLE
    return replace(own, day=days, discharge=np.where(mark == IMPOSSIBLE, days, own.discharge),
                   provider=by, in_network=inside), mark  # fmt: skip


def _bill_ring(
    suspects: Suspects, providers: Providers, own: Encounters, among: Bools
) -> Encounters:
    """Bill a therapy by each provider of the ring for the first visit of each shared member."""
    rows = np.flatnonzero(among)
    _, first = np.unique(own.member[rows], return_index=True)
    visits = own.taken(np.repeat(rows[first], len(suspects.ring)))
    count = len(visits.day)
    provider = np.tile(suspects.ring, len(first)).astype(np.int64)
    therapy = reference.procedure_positions()["PX-THP"]
    return replace(
        visits,
        kind=np.full(count, KIND["therapy"]),
        provider=provider,
        in_network=providers.in_network[provider],
        procedure=np.full(count, therapy),
        lines=np.ones(count, dtype=np.int64),
    )


def plant_lines(
    streams: Streams, members: Members, encounters: Encounters, lines: Lines
) -> tuple[Encounters, Lines, Ints]:
    """Plant what concerns single lines.

    Returns:
        The encounters with their numbers of lines, the lines, and the kind of anomaly of each line.
    """
    exploded = np.zeros(len(lines.encounter), dtype=np.bool_)
    typical = reference.numbers("procedure", "typical_units")[lines.procedure]
    claims = by_month(encounters.day, members.horizon)
    claim_lines = by_month(encounters.day[lines.encounter], members.horizon)
    unbundled = []
    for month, (rows, own) in enumerate(zip(claims, claim_lines, strict=True)):
        rng = streams("anomalous lines", members.horizon.first_month + month)
        chance = rng.random(own.stop - own.start)
        exploded[own] = (typical[own] > 1) & (chance < EXPLODED_SHARE)
        chance = rng.random(rows.stop - rows.start)
        panels = (encounters.kind[rows] == KIND["laboratory"]) & (chance < UNBUNDLED_SHARE)
        unbundled.append(rows.start + np.flatnonzero(panels))
    factor = np.where(exploded, EXPLOSION, 1)
    lines = replace(
        lines,
        units=lines.units * factor,
        billed=lines.billed * factor,
        allowed=lines.allowed * factor,
    )
    added = _panel_lines(np.concatenate(unbundled), encounters)
    mark = np.where(exploded, EXPLODED, NONE)
    mark = np.concatenate([mark, np.full(len(added.number), UNBUNDLED)])
    whole = concatenate(Lines, [lines, added])
    order = np.lexsort([whole.number, whole.encounter])
    whole = Lines(**{name: values[order] for name, values in vars(whole).items()})
    counts = np.bincount(whole.encounter, minlength=len(encounters.day))
    return replace(encounters, lines=counts), whole, mark[order]


def _panel_lines(rows: Ints, encounters: Encounters) -> Lines:
    """A line for each test of a panel, behind the lines that some encounters have."""
    codes = [reference.procedure_positions()[code] for code in PANEL]
    procedure = np.tile(codes, len(rows)).astype(np.int64)
    price = reference.numbers("procedure", "typical_allowed_amount")[procedure] * 100
    encounter = np.repeat(rows, len(codes))
    return Lines(
        encounter=encounter,
        number=encounters.lines[encounter] + np.tile(np.arange(1, len(codes) + 1), len(rows)),
        procedure=procedure,
        units=np.ones(len(procedure), dtype=np.int64),
        billed=np.rint(price * 2).astype(np.int64),
        allowed=np.rint(price).astype(np.int64),
    )


def labels_table(
    members: Members, spans: Spans, claims: Claims, of_claim: Ints, of_line: Ints
) -> pa.Table:
    """One row per planted or late thing that the files show: what it is and where."""
    encounters, lines = claims.encounters, claims.lines
    end = int(members.horizon.extract_days[-1])
    decided = np.full(len(encounters.day), end)
    np.minimum.at(decided, lines.encounter[claims.events.line], claims.events.day)
    late = claims.received - encounters.discharge > LATE_DAYS
    of_claim = np.where((of_claim == NONE) & late, LATE, of_claim)
    whole = np.flatnonzero((of_claim != NONE) & (decided < end))
    single = np.flatnonzero((of_line != NONE) & (decided[lines.encounter] < end))
    claim = np.concatenate([whole, lines.encounter[single]])
    number = np.concatenate([np.zeros(len(whole), dtype=np.int64), lines.number[single]])
    kind = np.concatenate([of_claim[whole], of_line[single]])
    cancelled = spans.last < spans.first
    effective = np.where(cancelled, first_day(spans.first), first_day(spans.last + 1))
    retro = np.flatnonzero((spans.end_known - effective > RETRO_DAYS) & (spans.end_known < end))
    retro_kind = np.where(cancelled[retro], RETRO_CANCELLED, RETRO_TERMINATED)
    prefix, names = members.unit.prefix, np.array(KINDS, object)
    about_claims = {
        "kind": columns.picked(names, kind),
        "feed": columns.picked(np.array(["claims"], object), np.zeros_like(claim)),
        "key": columns.identifiers(f"C{prefix}", claims.rank[claim] + 1, 7),
        "line_number": columns.ints(number, number == 0),
        "member_id": columns.identifiers("M", members.numbers[encounters.member[claim]], 8),
        "provider_id": columns.identifiers("P", encounters.provider[claim] + 1, 6),
        "date": columns.dates(encounters.day[claim]),
    }
    none = np.zeros(len(retro), dtype=np.int64)
    about_spans = {
        "kind": columns.picked(names, retro_kind),
        "feed": columns.picked(np.array(["enrollments"], object), none),
        "key": columns.identifiers(f"E{prefix}", retro + 1, 6),
        "line_number": columns.ints(none, none == 0),
        "member_id": columns.identifiers("M", members.numbers[spans.member[retro]], 8),
        "provider_id": columns.identifiers("P", none, 6, none == 0),
        "date": columns.dates(effective[retro]),
    }
    return pa.concat_tables([pa.table(about_claims), pa.table(about_spans)]).combine_chunks()
