"""Plans of an issuer: designs, variants, prices per plan year."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from . import columns, reference
from .pools import Pools
from .pricing import area_factors, issuer_level, yearly_rise
from .world import Floats, Horizon, Ints, Objects, Streams, Tenant

METALS = ("catastrophic", "bronze", "silver", "gold", "platinum")
VARIANTS = ("00", "01", "04", "05", "06")
OFF_EXCHANGE, STANDARD = 0, 1
FILING_MONTH = 11
CORRECTION = (12, 15)
FIRST_ISSUER = 99_000
# Metal levels of which each year one plan ends. Its members move to its successor, whose component
# number is so much higher.
DISCONTINUED, NEXT_GENERATION = ("bronze", "silver", "gold"), 100
# How much more tobacco costs at the age of 50: issuers differ. The young pay a part of it, nobody
# below 21 anything; states may set a limit below the federal one.
TOBACCO, TOBACCO_AGE, TOBACCO_FULL_AGE, TOBACCO_YOUNG = (0.12, 0.45), 21, 50, 0.4
TOBACCO_LIMIT = 0.5
TOBACCO_LIMITS = {
    "AR": 0.2, "CA": 0.0, "CO": 0.15, "DC": 0.0, "KY": 0.4, "MA": 0.0, "NJ": 0.0, "NY": 0.0,
    "RI": 0.0, "VT": 0.0,
}  # fmt: skip


class Design(NamedTuple):
    """A plan as sold: money in USD, for an individual."""

    metal: str
    network: str
    label: str
    premium: float
    deductible: int
    oop_max: int
    coinsurance: float
    pcp_copay: int


DESIGNS = (
    Design("catastrophic", "EPO", "Catastrophic Basic", 232, 9450, 9450, 0.0, 0),
    Design("bronze", "HMO", "Bronze Value", 318, 8500, 9300, 0.50, 60),
    Design("bronze", "EPO", "Expanded Bronze", 336, 7500, 9200, 0.50, 50),
    Design("bronze", "PPO", "Expanded Bronze HSA", 352, 6900, 7200, 0.40, 45),
    Design("silver", "HMO", "Silver Value", 358, 5900, 9100, 0.40, 40),
    Design("silver", "EPO", "Silver Select", 374, 5000, 8900, 0.40, 40),
    Design("silver", "POS", "Silver Flex", 386, 4600, 8700, 0.35, 40),
    Design("silver", "PPO", "Silver Choice", 404, 4200, 8500, 0.30, 35),
    Design("gold", "HMO", "Gold Value", 366, 1800, 8200, 0.25, 30),
    Design("gold", "EPO", "Gold Select", 380, 1500, 7800, 0.25, 30),
    Design("gold", "PPO", "Gold Choice", 408, 1200, 7500, 0.20, 25),
    Design("platinum", "PPO", "Platinum Choice", 506, 0, 4300, 0.15, 15),
)
# Deductible, out-of-pocket and coinsurance factors of the silver cost-sharing reductions.
REDUCTIONS = {"04": (0.75, 0.80, 0.75), "05": (0.16, 0.33, 0.50), "06": (0.02, 0.20, 0.25)}
# Issuers load the cost of the reductions onto silver premiums sold on the exchange only.
OFF_EXCHANGE_SILVER = 0.88


@dataclass(frozen=True)
class Catalogue:
    """Plans of one issuer; tables are [year, plan] with one plan per design and variant.

    Money is in cents, coinsurance in 1/10000. `premium` is that of age 21 where the factor of the
    rating area is 1; `area_factor` is the factor of each county, in 1/1000. `variant` is the
    position in VARIANTS of each plan, `row` finds the plan of [design, variant], -1 if there is
    none. An id that changes from one year to the next is a plan that ended and its successor.
    `tobacco` is the highest surcharge, as a share of the premium.
    """

    first_year: int
    plan_id: Objects
    design: Ints
    variant: Ints
    row: Ints
    premium: Ints
    filed_premium: Ints
    area_factor: Ints
    deductible: Ints
    oop_max: Ints
    coinsurance: Ints
    pcp_copay: Ints
    names: tuple[tuple[date, Objects], ...]
    tobacco: float

    def ids(self, plan: Ints, year: Ints) -> pa.Array:
        """Ids of plans in plan years."""
        width = self.plan_id.shape[1]
        return columns.picked(self.plan_id.ravel(), (year - self.first_year) * width + plan)

    def surcharge(self, ages: Ints) -> Ints:
        """What tobacco adds to the premium at each age, in 1/1000 of it."""
        ramp = (ages - TOBACCO_AGE) / (TOBACCO_FULL_AGE - TOBACCO_AGE)
        share = TOBACCO_YOUNG + (1 - TOBACCO_YOUNG) * np.clip(ramp, 0, 1)
        surcharge = np.where(ages >= TOBACCO_AGE, np.rint(1000 * self.tobacco * share), 0)
        return surcharge.astype(np.int64)

    @property
    def metal(self) -> Ints:
        """Position in METALS of each design."""
        return np.array([METALS.index(design.metal) for design in DESIGNS], dtype=np.int64)

    @property
    def silver(self) -> Ints:
        """The standard silver plans on the exchange."""
        return np.asarray(self.row[self.metal == METALS.index("silver"), STANDARD])

    def appeal(self, year: int, sensitivity: float) -> Floats:
        """Weight of each design against others of its metal level: the cheaper, the more chosen.

        `sensitivity` are the USD above the cheapest that make a design e times less chosen.
        """
        premium = self.premium[year - self.first_year, self.row[:, STANDARD]] / 100
        cheapest = np.array([premium[self.metal == metal].min() for metal in self.metal])
        return np.asarray(np.exp((cheapest - premium) / sensitivity))

    def snapshot(self, extract: date) -> pa.Table:
        """Every plan year that was filed by the day of the extract."""
        years = np.arange(self.first_year, extract.year + 1 + (extract.month >= FILING_MONTH))
        width = self.plan_id.shape[1]
        index = np.repeat(years - self.first_year, width)
        plan = np.tile(np.arange(width), len(years))
        year = np.repeat(years, width)
        following = np.minimum(year + 1, years[-1])
        ends = self.plan_id[following - self.first_year, plan] != self.plan_id[index, plan]
        corrected = np.array([extract >= date(int(y) - 1, *CORRECTION) for y in year])
        premium = np.where(corrected, self.premium[index, plan], self.filed_premium[index, plan])
        metal = self.metal[self.design[plan]]
        return pa.table(
            {
                "plan_id": self.ids(plan, year),
                "effective_year": columns.ints(year),
                "plan_name": columns.texts(np.array(self._names(extract, year, plan), object)),
                "metal_tier": columns.picked(np.array(METALS, object), metal),
                "network_type": columns.picked(
                    np.array([d.network for d in DESIGNS], object), self.design[plan]
                ),
                "monthly_premium": columns.money(premium),
                "deductible": columns.money(self.deductible[index, plan]),
                "oop_max": columns.money(self.oop_max[index, plan]),
                "coinsurance_rate": columns.decimals(self.coinsurance[plan], 5, 4),
                "pcp_copay": columns.money(self.pcp_copay[plan]),
                "crosswalk_plan_id": columns.blanked(self.ids(plan, following), ~ends),
            }
        )

    def _names(self, extract: date, years: Ints, plans: Ints) -> list[str]:
        """Names on the day of the extract; a renaming leaves earlier plan years alone."""
        found = []
        for year, plan in zip(years, plans, strict=True):
            valid = [names for day, names in self.names if day <= extract and day.year <= year]
            found.append(str(valid[-1][self.design[plan]]))
        return found


def make_catalogue(
    streams: Streams, of_state: Streams, tenant: Tenant, horizon: Horizon, pools: Pools
) -> Catalogue:
    """Design the plans of an issuer for every plan year of the horizon and the one after.

    What issuers of a state have in common comes from the streams `of_state`.
    """
    pairs = [
        (d, VARIANTS.index(variant))
        for d, design in enumerate(DESIGNS)
        for variant in (VARIANTS if design.metal == "silver" else VARIANTS[:2])
    ]
    design, variant = (np.array(part, dtype=np.int64) for part in zip(*pairs, strict=True))
    row = np.full((len(DESIGNS), len(VARIANTS)), -1, dtype=np.int64)
    row[design, variant] = np.arange(len(design))
    rng = streams("plans")
    level = issuer_level(of_state, rng)
    base = np.array([d.premium for d in DESIGNS]) * level * (0.98 + 0.04 * rng.random(len(DESIGNS)))
    brand = str(pools.companies[tenant.number]).split(",")[0].split(" ")[0].split("-")[0]
    names = np.array([f"{brand} {d.label} {d.network}" for d in DESIGNS], dtype=object)
    renamings = [(date.min.replace(year=horizon.start.year), names)]
    silver = np.array([DESIGNS[d].metal == "silver" for d in design])
    off_silver = silver & (variant == OFF_EXCHANGE)
    generation = np.zeros(len(DESIGNS), dtype=np.int64)
    may_end = [d for d, sold in enumerate(DESIGNS) if sold.metal in DISCONTINUED]
    premiums, filed, deductibles, oop_maxima, ids = [], [], [], [], []
    for year in range(horizon.start.year, horizon.years.stop + 1):
        rng = streams("plan year", year)
        if year > horizon.start.year:
            base = base * yearly_rise(rng, year, len(DESIGNS))
            generation[streams("discontinued", year).choice(may_end)] += 1
        premium = np.rint(base[design] * np.where(off_silver, OFF_EXCHANGE_SILVER, 1.0) * 100)
        premiums.append(premium)
        ids.append([_plan_id(tenant, d, VARIANTS[v], int(generation[d])) for d, v in pairs])
        misfiled = design == rng.integers(len(DESIGNS))
        filed.append(np.rint(premium * np.where(misfiled, 1.03, 1.0)))
        money = [_cost_sharing(DESIGNS[d], VARIANTS[v], year) for d, v in pairs]
        deductibles.append([deductible for deductible, _ in money])
        oop_maxima.append([oop_max for _, oop_max in money])
        renamed = int(rng.integers(len(DESIGNS)))
        names = names.copy()
        names[renamed] = f"{brand} {DESIGNS[renamed].label} Plus {DESIGNS[renamed].network}"
        renamings.append((date(year, 7, 1), names))
    return Catalogue(
        first_year=horizon.start.year,
        plan_id=np.array(ids, dtype=object),
        design=design,
        variant=variant,
        row=row,
        premium=np.array(premiums, dtype=np.int64),
        filed_premium=np.array(filed, dtype=np.int64),
        area_factor=area_factors(of_state, streams("areas"), tenant.state),
        deductible=np.array(deductibles, dtype=np.int64) * 100,
        oop_max=np.array(oop_maxima, dtype=np.int64) * 100,
        coinsurance=np.array(
            [round(DESIGNS[d].coinsurance * _factors(VARIANTS[v])[2] * 10_000) for d, v in pairs],
            dtype=np.int64,
        ),
        pcp_copay=np.array(
            [round(DESIGNS[d].pcp_copay * _factors(VARIANTS[v])[2]) * 100 for d, v in pairs],
            dtype=np.int64,
        ),
        names=tuple(renamings),
        tobacco=min(
            streams("tobacco").uniform(*TOBACCO), TOBACCO_LIMITS.get(tenant.state, TOBACCO_LIMIT)
        ),
    )


def _factors(variant: str) -> tuple[float, float, float]:
    return REDUCTIONS.get(variant, (1.0, 1.0, 1.0))


def _cost_sharing(design: Design, variant: str, year: int) -> tuple[int, int]:
    """Deductible and out-of-pocket maximum in USD, in steps of 50 and within the legal limit."""
    limit = reference.oop_limit(year)
    if design.metal == "catastrophic":
        return limit, limit
    by_deductible, by_oop_max, _ = _factors(variant)
    oop_max = min(round(design.oop_max * by_oop_max / 50) * 50, limit)
    return min(round(design.deductible * by_deductible / 50) * 50, oop_max), oop_max


def _plan_id(tenant: Tenant, design: int, variant: str, generation: int) -> str:
    product = 1 + ("HMO", "EPO", "POS", "PPO").index(DESIGNS[design].network)
    component = generation * NEXT_GENERATION + design + 1
    return f"{FIRST_ISSUER + tenant.number}{tenant.state}{product:03d}{component:04d}-{variant}"
