"""Coverage spans: who had which plan, for how long, at what price."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from . import columns, reference
from .households import SharedLuck
from .market import Market
from .members import FPL_UNKNOWN, Members, month_column
from .plans import DESIGNS, METALS, OFF_EXCHANGE, STANDARD, VARIANTS, Catalogue
from .pricing import REDUCED_CREDITS, rated
from .world import (
    Bools,
    Floats,
    Horizon,
    Ints,
    Streams,
    age_on,
    concatenate,
    first_day,
    month_of,
    pick,
    pick_by_row,
)

SOURCES = ("open_enrollment", "special_enrollment", "auto_renewal")
OPEN, SPECIAL, RENEWAL = range(len(SOURCES))
REASONS = ("plan_change", "non_payment", "voluntary", "moved", "death", "other_coverage")
PLAN_CHANGE, NON_PAYMENT, VOLUNTARY, MOVED, DEATH, OTHER = range(len(REASONS))
NO_REASON = -1
REASON_SHARES = np.array([0.0, 0.60, 0.17, 0.05, 0.01, 0.17])
RENEWS, RETURNS, AUTOMATIC, CHOOSES_ANEW = 0.93, 0.25, 0.46, 0.25
MONTHLY_LEAVING, MONTHLY_CHANGE, CANCELLED = 0.0275, 0.004, 0.055
# Leaving against others: with a cost-sharing reduction, in gold, aged 18 to 34.
LEAVING_REDUCED, LEAVING_GOLD, LEAVING_YOUNG, YOUNG = 0.70, 0.77, 1.75, (18, 34)
# Most who turn 65 leave for Medicare.
MEDICARE_AGE, TO_MEDICARE = 65, 0.92
# Months that an unpaid bill keeps the coverage in force, with and without a tax credit.
GRACE_WITH_CREDIT, GRACE_WITHOUT = 3, 1
# Days from 1 January to the bounds of open enrollment: for a start in January, in February, and
# for automatic renewal.
JANUARY_WINDOW, FEBRUARY_WINDOW, RENEWAL_WINDOW = (-61, -17), (-16, 14), (-31, -17)
LONGEST_NOTICE = 40
# Metal shares by income: up to 150%, 200%, 250%, 300%, 400% of the poverty line, and above or
# unknown; from the year on in which credits became smaller, bronze gains.
FPL_BANDS = np.array([15_000, 20_000, 25_000, 30_000, 40_000])
METAL_SHARES = np.array(
    [
        [0.0, 0.215, 0.700, 0.080, 0.005],
        [0.0, 0.345, 0.525, 0.125, 0.005],
        [0.0, 0.490, 0.260, 0.245, 0.005],
        [0.003, 0.540, 0.170, 0.280, 0.007],
        [0.004, 0.560, 0.160, 0.270, 0.006],
        [0.008, 0.530, 0.170, 0.280, 0.012],
    ]
)
METAL_SHARES_REDUCED = np.array(
    [
        [0.0, 0.282, 0.643, 0.070, 0.005],
        [0.0, 0.467, 0.418, 0.110, 0.005],
        [0.0, 0.675, 0.170, 0.150, 0.005],
        [0.003, 0.741, 0.110, 0.140, 0.006],
        [0.004, 0.754, 0.096, 0.140, 0.006],
        [0.010, 0.690, 0.130, 0.160, 0.010],
    ]
)
CATASTROPHIC_AGE = 30
# USD of premium at age 21 above the cheapest plan of the level that make it e times less chosen,
# with an income up to 150% of the poverty line and above.
PRICE_SENSITIVITY = (10.0, 60.0)
# People who get no tax credit whatever their income, before and since credits became smaller.
NO_CREDIT, NO_CREDIT_REDUCED = 0.024, 0.06


@dataclass(frozen=True)
class Spans:
    """Coverage spans, one entry each, in the order of their ids.

    Months count from January 1970; `last` is before `first` when the span was cancelled.
    The end is known from `end_known` on; until then the span seems to run to December.
    The plan was chosen on the day `selected`, before the first day unless the member was born into
    coverage. Money is in cents.
    """

    member: Ints
    plan: Ints
    year: Ints
    first: Ints
    last: Ints
    known_from: Ints
    end_known: Ints
    source: Ints
    reason: Ints
    premium: Ints
    aptc: Ints
    rating_area: Ints
    selected: Ints


def make_spans(streams: Streams, members: Members, catalogue: Catalogue, market: Market) -> Spans:
    """Make the spans of every plan year of the horizon.

    Of those who are not covered when a year begins some return with their household, but nobody
    who died, and nobody from the age of Medicare on: who left for it stays away.
    """
    count = len(members.birth)
    covered_in_december = np.zeros(count, dtype=np.bool_)
    seen = np.zeros(count, dtype=np.bool_)
    alive = np.ones(count, dtype=np.bool_)
    latest_design = np.zeros(count, dtype=np.int64)
    turns = _month_of_medicare(members)
    years = []
    for year in members.horizon.years:
        luck = SharedLuck(streams("spans", year), members.house)
        every = np.arange(count)
        january = (year - 1970) * 12
        newcomer = ~seen & (members.coverage_start >= january)
        newcomer &= members.coverage_start < january + 12
        renews = covered_in_december & (luck(every) < RENEWS)
        returns = seen & alive & ~covered_in_december & (luck(every) < RETURNS)
        returns &= turns > january
        starter = np.flatnonzero(newcomer | renews | returns)
        spans, design = _year_of_spans(
            luck, members, catalogue, market, year, starter, renews[starter], newcomer[starter],
            latest_design[starter], streams("own spans", year).random(count)[starter],
        )  # fmt: skip
        years.append(spans)
        seen |= newcomer
        covered_in_december = np.zeros(count, dtype=np.bool_)
        covered_in_december[spans.member[spans.last == january + 11]] = True
        alive[spans.member[spans.reason == DEATH]] = False
        latest_design[spans.member] = design
    return concatenate(Spans, years)


def _year_of_spans(
    luck: SharedLuck,
    members: Members,
    catalogue: Catalogue,
    market: Market,
    year: int,
    starter: Ints,
    renews: Bools,
    newcomer: Bools,
    latest_design: Ints,
    own_luck: Floats,
) -> tuple[Spans, Ints]:
    """Spans of one plan year, first the ones that open it, then those after a change of plan.

    People of a household do the same, but for what their own luck decides: who retires.

    Returns:
        The spans and the design of each.
    """
    january = (year - 1970) * 12
    december = january + 11
    first = np.where(newcomer, members.coverage_start[starter], january)
    chosen = _choose_design(luck, members, catalogue, year, starter, first)
    same_metal = catalogue.metal[chosen] == catalogue.metal[latest_design]
    stays_put = renews & same_metal & (luck(starter) >= CHOOSES_ANEW)
    keeps = stays_put & (luck(starter) < AUTOMATIC / (1 - CHOOSES_ANEW))
    design = np.where(stays_put, latest_design, chosen)
    # A child born into coverage has the plan of its mother, and as long as she does.
    born = newcomer & members.newborn[starter]
    design = np.where(born, catalogue.design[members.birth_plan[starter]], design)
    place = np.full(len(members.birth), -1)
    place[starter] = np.arange(len(starter))
    as_whom = np.where(born, place[members.mother[starter]], np.arange(len(starter)))
    source = np.select([keeps, (first <= january + 1) & ~born], [RENEWAL, OPEN], SPECIAL)

    hazard = _leaving(members, catalogue, starter, design, first)[as_whom]
    leaves = first[as_whom] + _months_until(hazard, luck(starter)) - 1
    leaves = np.maximum(leaves, first)
    turns = _month_of_medicare(members)[starter]
    retires = (turns > first) & (turns <= leaves) & (own_luck < TO_MEDICARE)
    leaves = np.where(retires, turns - 1, leaves)
    changes = first[as_whom] + _months_until(np.full(len(first), MONTHLY_CHANGE), luck(starter))
    changes = np.where(born & (changes <= first), december + 1, changes)
    cancelled = ~keeps & ~born & (luck(starter) < CANCELLED)
    drawn = pick(REASON_SHARES, luck(starter))
    # One of a household dies, and the others find other coverage.
    survives = (drawn == DEATH) & (members.house[starter] != starter)
    reason = np.where(retires | survives, OTHER, drawn)
    delay = np.select(
        [reason == NON_PAYMENT, reason == VOLUNTARY],
        [luck.whole(30, 91, starter), luck.whole(-14, 1, starter)],
        luck.whole(0, 41, starter),
    )
    notice = luck.whole(5, 21, starter)
    cancel_delay = luck.whole(20, 61, starter)

    swaps = (changes <= december) & (changes <= leaves) & ~cancelled
    stays = (leaves >= december) & ~swaps
    last = np.select([cancelled, swaps, stays], [first - 1, changes - 1, december], leaves)
    end_known = np.select(
        [cancelled, swaps, stays],
        [first_day(first) + cancel_delay, first_day(changes) - notice, first_day(first)],
        first_day(last + 1) + delay,
    )
    known_from = np.where(
        newcomer, members.known_from[starter], first_day(np.array(january)) - notice
    )
    opening = _priced(
        luck, members, catalogue, market, year,
        starter, design, first, last, known_from, end_known, source,
        np.select([cancelled, swaps, stays], [NON_PAYMENT, PLAN_CHANGE, NO_REASON], reason),
    )  # fmt: skip
    again = np.flatnonzero(swaps)
    other = _another_design(luck(starter[again]), catalogue, design[again])
    ends = leaves[again] < december
    following = _priced(
        luck, members, catalogue, market, year,
        starter[again],
        other,
        changes[again],
        np.where(ends, leaves[again], december),
        end_known[again],
        np.where(ends, first_day(leaves[again] + 1) + delay[again], end_known[again]),
        np.full(len(again), SPECIAL),
        np.where(ends, reason[again], NO_REASON),
    )  # fmt: skip
    spans = concatenate(Spans, [opening, following])
    continues = np.concatenate([renews, np.ones(len(again), dtype=np.bool_)])
    spans, designs = _with_grace(luck, spans, continues), np.concatenate([design, other])
    # Children last, as they are born: those of later months do not change the ids of others.
    child = members.newborn[spans.member] & (members.coverage_start[spans.member] >= january)
    order = np.lexsort([spans.first * child, spans.member * child, child])
    return Spans(**{name: values[order] for name, values in vars(spans).items()}), designs[order]


def _month_of_medicare(members: Members) -> Ints:
    """Month in which each member turns 65; Medicare pays from its first day on."""
    return month_of(members.birth) + 12 * MEDICARE_AGE


def _months_until(hazard: Floats, luck: Floats) -> Ints:
    """Months until something happens for the first time, from 1 on, by its monthly chance."""
    return 1 + np.floor(np.log1p(-luck) / np.log1p(-hazard)).astype(np.int64)


def _with_grace(luck: SharedLuck, spans: Spans, continues: Bools) -> Spans:
    """Let spans end unpaid only where there is a bill, and only when its grace is over.

    The last month of such a span is the first of the grace: it stays covered. Who does not
    continue earlier coverage must have paid at least one month.
    """
    cancelled = spans.last < spans.first
    no_bill = spans.premium == spans.aptc
    unpaid_start = ~continues & (spans.last == spans.first)
    unpaid = spans.reason == NON_PAYMENT
    spared = unpaid & (no_bill | unpaid_start)
    in_grace = unpaid & ~spared & ~cancelled
    months = np.where(spans.aptc > 0, GRACE_WITH_CREDIT, GRACE_WITHOUT)
    grace_over = first_day(spans.last + months) + luck.whole(1, 8, spans.member)
    return replace(
        spans,
        reason=np.where(spared, np.where(cancelled, VOLUNTARY, OTHER), spans.reason),
        end_known=np.where(in_grace, grace_over, spans.end_known),
    )


def _selection_days(
    luck: SharedLuck, member: Ints, source: Ints, first: Ints, known_from: Ints
) -> Ints:
    """Day on which each plan was chosen: in open enrollment, most towards its end, or before."""
    january = first - first % 12
    windows = np.array([JANUARY_WINDOW, FEBRUARY_WINDOW, RENEWAL_WINDOW])
    opens, closes = windows[np.where(source == RENEWAL, 2, first > january)].T
    late = luck(member) ** 0.6
    in_window = first_day(january) + opens + np.floor((closes - opens + 1) * late)
    noticed = known_from - luck.whole(0, LONGEST_NOTICE + 1, member)
    chosen = np.where(source == SPECIAL, noticed, in_window.astype(np.int64))
    return np.minimum(chosen, known_from)


def _leaving(
    members: Members, catalogue: Catalogue, rows: Ints, design: Ints, first: Ints
) -> Floats:
    """Monthly chance to leave, by what the coverage costs the member and by the age of the head."""
    days = first_day(first)
    fpl = members.history.fpl[rows, month_column(members, days, rows)]
    metal = catalogue.metal[design]
    reduced = (metal == METALS.index("silver")) & (fpl >= 0) & (fpl <= FPL_BANDS[2])
    ages = age_on(members.birth[members.house[rows]], days)
    young = (ages >= YOUNG[0]) & (ages <= YOUNG[1])
    hazard = np.where(reduced, LEAVING_REDUCED, 1.0)
    hazard *= np.where(metal == METALS.index("gold"), LEAVING_GOLD, 1.0)
    return np.asarray(MONTHLY_LEAVING * hazard * np.where(young, LEAVING_YOUNG, 1.0))


def _choose_design(
    luck: SharedLuck,
    members: Members,
    catalogue: Catalogue,
    year: int,
    rows: Ints,
    first: Ints,
) -> Ints:
    """Choose a design: the metal level by income and taste, the rest by chance."""
    days = first_day(first)
    fpl = members.history.fpl[rows, month_column(members, days, rows)]
    band = np.searchsorted(FPL_BANDS, fpl, side="left")
    band = np.where(fpl == FPL_UNKNOWN, len(FPL_BANDS), band)
    shares = METAL_SHARES if year < REDUCED_CREDITS else METAL_SHARES_REDUCED
    bounds = np.cumsum(shares, axis=1)[:, :-1]
    metal = (members.taste[rows, None] >= bounds[band]).sum(axis=1)
    too_old = age_on(members.eldest_birth[rows], days) >= CATASTROPHIC_AGE
    metal = np.where((metal == 0) & too_old, METALS.index("bronze"), metal)
    by_metal = catalogue.metal == np.arange(len(METALS))[:, None]
    appeals = [catalogue.appeal(year, usd) for usd in PRICE_SENSITIVITY]
    # Rows for those who look at the price, then for those who look less.
    weights = np.concatenate([by_metal * appeal for appeal in appeals])
    return pick_by_row(weights, metal + len(METALS) * (band > 0), luck(rows))


def _another_design(luck: Floats, catalogue: Catalogue, design: Ints) -> Ints:
    """Choose a different design that is open to all ages."""
    open_to_all = (catalogue.metal != METALS.index("catastrophic")).astype(np.float64)
    weights = np.tile(open_to_all, (len(DESIGNS), 1)) * (1 - np.eye(len(DESIGNS)))
    return pick_by_row(weights, design, luck)


def _priced(
    luck: SharedLuck,
    members: Members,
    catalogue: Catalogue,
    market: Market,
    year: int,
    member: Ints,
    design: Ints,
    first: Ints,
    last: Ints,
    known_from: Ints,
    end_known: Ints,
    source: Ints,
    reason: Ints,
) -> Spans:
    """Give spans their variant, premium and tax credit by the member's age, income and county."""
    days = first_day(first)
    column = month_column(members, days, member)
    fpl = members.history.fpl[member, column]
    variant = _variants(luck(member), catalogue.metal[design], fpl)
    born = members.newborn[member] & (first == members.coverage_start[member])
    variant = np.where(born, catalogue.variant[members.birth_plan[member]], variant)
    plan = catalogue.row[design, variant]
    ages = age_on(members.birth[member], days)
    ratio = reference.age_ratios(ages)
    county = members.history.county[member, column]
    row = year - catalogue.first_year
    rating = (catalogue.premium[row, plan], catalogue.area_factor[county], ratio)
    covered = rated(*rating)
    tobacco = 1000 + np.where(members.tobacco[member], catalogue.surcharge(ages), 0)
    benchmark = rated(market.benchmark[row, county], ratio)
    aptc = _tax_credits(members, year, member, born, fpl, benchmark)
    without = NO_CREDIT if year < REDUCED_CREDITS else NO_CREDIT_REDUCED
    ineligible = (variant == OFF_EXCHANGE) | (catalogue.metal[design] == 0)
    ineligible |= members.credit_luck[member] < without
    selected = _selection_days(luck, member, source, first, known_from)
    return Spans(
        member=member,
        plan=plan,
        year=np.full(len(member), year),
        first=first,
        last=last,
        known_from=known_from,
        end_known=end_known,
        source=source,
        reason=reason,
        premium=rated(*rating, tobacco),
        aptc=np.where(ineligible, 0, np.minimum(aptc, covered)),
        rating_area=reference.counties(members.state).rating_area[county],
        # A birth is no choice of a plan.
        selected=np.where(born, days, selected),
    )


def _variants(luck: Floats, metal: Ints, fpl: Ints) -> Ints:
    """Position in VARIANTS: off the exchange, or by income for silver, or standard."""
    off = luck < np.where(fpl > 40_000, 0.35, 0.03)
    silver = (metal == METALS.index("silver")) & (fpl != FPL_UNKNOWN)
    conditions = [off] + [silver & (fpl <= limit) for limit in FPL_BANDS[:3]]
    reduced = [VARIANTS.index(variant) for variant in ("06", "05", "04")]
    return np.select(conditions, [OFF_EXCHANGE, *reduced], STANDARD)


def _tax_credits(
    members: Members, year: int, member: Ints, born: Bools, fpl: Ints, benchmark: Ints
) -> Ints:
    """Benchmark premiums less the expected contribution of the household, in cents.

    Each member gets the part that the own benchmark premium has in those of the household. For a
    child that is born into it no more is expected, as long as the income is not high.
    """
    ratio = np.where(fpl == FPL_UNKNOWN, np.nan, fpl / 10_000)
    share = reference.applicable_share(year, ratio)
    poverty_line = reference.poverty_line(year, members.household_size[member])
    income = ratio * poverty_line * 100 / 12
    house = members.house[member]
    others = np.where(born, 0.0, benchmark)
    together = np.bincount(house, others, minlength=len(members.house))[house]
    of_child = share * np.where(fpl <= FPL_BANDS[-1], 0.0, np.inf)
    expected = np.where(born, of_child, share * income / np.where(born, 1.0, together))
    credit = np.maximum(1 - expected, 0) * benchmark
    return np.asarray(np.nan_to_num(np.rint(credit)), dtype=np.int64)


def coverage_by_month(spans: Spans, horizon: Horizon, members: int) -> Ints:
    """Span that covers each [member, month of the horizon], -1 for none."""
    covered = np.full((members, horizon.months), -1, dtype=np.int64)
    for month in range(horizon.months):
        number = horizon.first_month + month
        inside = np.flatnonzero((spans.first <= number) & (number <= spans.last))
        covered[spans.member[inside], month] = inside
    return covered


def _ends_as_known(spans: Spans, rows: Ints, extract_day: int) -> tuple[Ints, Bools]:
    """Last month of spans as an extract knows it, and whether that is the true one."""
    final = spans.end_known[rows] < extract_day
    december = (spans.year[rows] - 1970) * 12 + 11
    return np.where(final, spans.last[rows], december), final


def current_plans(spans: Spans, members: Members, batch: int) -> Ints:
    """Plan that each member has on the day of an extract as known then, -1 for none."""
    horizon = members.horizon
    extract_day = int(horizon.extract_days[batch])
    rows = np.flatnonzero(spans.known_from < extract_day)
    last, _ = _ends_as_known(spans, rows, extract_day)
    days = (first_day(spans.first[rows]), first_day(last + 1))
    rows = rows[(days[0] <= extract_day) & (extract_day < days[1])]
    plans = np.full(len(members.birth), -1, dtype=np.int64)
    plans[spans.member[rows]] = spans.plan[rows]
    return plans


def _is_on_record(spans: Spans, members: Members, batch: int) -> Bools:
    """Whether each span is in the snapshot of an extract."""
    horizon = members.horizon
    known = spans.known_from < horizon.extract_days[batch]
    begun = spans.year <= horizon.extracts[batch].year
    return np.asarray(known & begun & members.presence.present[batch, spans.member])


def first_extracts(spans: Spans, members: Members) -> Ints:
    """First extract that has each span; the number of extracts for those that none has."""
    count = len(members.horizon.extracts)
    first = np.full(len(spans.member), count)
    for batch in reversed(range(count)):
        first[_is_on_record(spans, members, batch)] = batch
    return first


def enrollments_snapshot(
    spans: Spans, members: Members, catalogue: Catalogue, batch: int
) -> pa.Table:
    """Every span so far, as an extract knows them."""
    extract_day = int(members.horizon.extract_days[batch])
    rows = np.flatnonzero(_is_on_record(spans, members, batch))
    last, final = _ends_as_known(spans, rows, extract_day)
    reason = np.where(final, spans.reason[rows], NO_REASON)
    return pa.table(
        {
            "enrollment_id": columns.identifiers(f"E{members.unit.prefix}", rows + 1, 6),
            "member_id": columns.identifiers("M", members.numbers[spans.member[rows]], 8),
            "plan_id": catalogue.ids(spans.plan[rows], spans.year[rows]),
            "coverage_start_date": columns.dates(first_day(spans.first[rows])),
            "coverage_end_date": columns.dates(first_day(last + 1) - 1),
            "monthly_premium": columns.money(spans.premium[rows]),
            "aptc_amount": columns.money(spans.aptc[rows]),
            "rating_area": columns.ints(spans.rating_area[rows]),
            "enrollment_source": columns.picked(np.array(SOURCES, object), spans.source[rows]),
            "termination_reason": columns.picked(
                np.array(REASONS, object), np.maximum(reason, 0), reason == NO_REASON
            ),
            "selection_date": columns.dates(
                spans.selected[rows], spans.selected[rows] >= first_day(spans.first[rows])
            ),
        }
    )
