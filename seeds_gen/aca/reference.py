"""The reference tables as the generator uses them."""

import csv
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from granary.settings import PROJECT

from .world import Floats, Ints, Objects

FOLDER = PROJECT / "reference" / "aca"
NO_GROUP = "none"


@cache
def rows(table: str) -> tuple[dict[str, str], ...]:
    """Rows of reference/aca/<table>.csv."""
    with (FOLDER / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        return tuple(csv.DictReader(file))


@cache
def texts(table: str, column: str) -> Objects:
    """One column of a table as text."""
    return np.array([row[column] for row in rows(table)], dtype=object)


@cache
def numbers(table: str, column: str) -> Floats:
    """One column of a table as numbers; blank is not a number."""
    return np.array([float(row[column] or "nan") for row in rows(table)])


@dataclass(frozen=True)
class Counties:
    """Counties of one state; all arrays have one entry per county."""

    fips: Objects
    region: Objects
    reporting: Objects
    zip_prefix: Objects
    rating_area: Ints
    weight: Floats


@cache
def counties(state: str) -> Counties:
    """Counties of a state, weighted by their number of ZIP codes."""
    sizes = {row["county_fips"]: row for row in rows("county_size")}
    own = [row for row in rows("county") if row["state"] == state]
    size = [sizes[row["county_fips"]] for row in own]
    return Counties(
        fips=np.array([row["county_fips"] for row in own], dtype=object),
        region=np.array([row["region"] for row in own], dtype=object),
        reporting=np.array([row["geographic_reporting"] for row in size], dtype=object),
        zip_prefix=np.array([row["zip_prefix"] for row in size], dtype=object),
        rating_area=np.array([int(row["rating_area"]) for row in own], dtype=np.int64),
        weight=np.array([int(row["zip_code_count"]) + 0.5 for row in size]) ** 1.3,
    )


@dataclass(frozen=True)
class Diagnoses:
    """Diagnosis codes; all arrays have one entry per code."""

    code: Objects
    kind: Objects
    gender: Objects
    min_age: Floats
    max_age: Floats
    prevalence: Floats
    group_rank: Ints

    def of_kind(self, *kinds: str) -> Ints:
        """Positions of the codes of some kinds."""
        return np.flatnonzero(np.isin(self.kind, kinds))

    def position(self, code: str) -> int:
        """Position of one code."""
        return self._positions[code]

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {code: position for position, code in enumerate(self.code)}


@cache
def diagnoses() -> Diagnoses:
    """Diagnosis codes with the rank of their condition group, the lowest rank for no group."""
    ranks = {row["hhs_hcc"]: int(row["hierarchy_rank"]) for row in rows("hcc_condition_group")}
    lowest = len(condition_groups()) - 1
    hccs = texts("diagnosis", "hhs_hcc")
    return Diagnoses(
        code=texts("diagnosis", "diagnosis_code"),
        kind=texts("diagnosis_use", "condition_kind"),
        gender=texts("diagnosis_use", "gender"),
        min_age=numbers("diagnosis_use", "min_age"),
        max_age=numbers("diagnosis_use", "max_age"),
        prevalence=numbers("diagnosis", "prevalence_pct"),
        group_rank=np.array([ranks[hcc] - 1 if hcc else lowest for hcc in hccs], dtype=np.int64),
    )


@cache
def condition_groups() -> Objects:
    """Condition groups from the highest of the hierarchy to 'none'."""
    ranked = {int(row["hierarchy_rank"]): row for row in rows("hcc_condition_group")}
    ordered = [ranked[rank]["condition_group"] for rank in sorted(ranked)]
    return np.array([*ordered, NO_GROUP], dtype=object)


@cache
def procedure_positions() -> dict[str, int]:
    """Position of each procedure code in its table."""
    return {row["procedure_code"]: n for n, row in enumerate(rows("procedure"))}


def age_ratios(ages: Ints) -> Ints:
    """Premium at each age over the premium at 21, in 1/1000."""
    curve = np.rint(1000 * numbers("age_rating_curve", "premium_ratio")).astype(np.int64)
    return curve[np.minimum(ages, len(curve) - 1)]


def nearest_year(year: int, table: str, column: str) -> str:
    """The year of a table that is nearest to the one asked for."""
    known = {int(row[column]) for row in rows(table)}
    return str(min(known, key=lambda candidate: (abs(candidate - year), candidate)))


def oop_limit(year: int) -> int:
    """Legal individual out-of-pocket maximum of a plan year, in USD."""
    nearest = nearest_year(year, "moop_limit", "plan_year")
    limits = {(row["plan_year"], row["scope"]): row for row in rows("moop_limit")}
    return int(limits[nearest, "all"]["individual_limit"])


def poverty_line(year: int, people: Ints) -> Ints:
    """Poverty guidelines of households that hold for a coverage year, in USD per year."""
    nearest = nearest_year(year, "fpl_guideline", "coverage_year")
    guidelines = {row["coverage_year"]: row for row in rows("fpl_guideline")}
    row = guidelines[nearest]
    further = int(row["additional_person_amount"]) * (people - 1)
    return np.asarray(int(row["first_person_amount"]) + further)


def applicable_share(year: int, fpl_ratio: Floats) -> Floats:
    """Share of income that is expected as contribution; not a number for the ineligible."""
    nearest = nearest_year(year, "applicable_percentage", "coverage_year")
    share = np.full(len(fpl_ratio), np.nan)
    percent = fpl_ratio * 100
    for row in rows("applicable_percentage"):
        if row["coverage_year"] != nearest:
            continue
        low, start = float(row["fpl_low_pct"]), float(row["percentage_start"])
        high, stop = float(row["fpl_high_pct"] or "inf"), float(row["percentage_end"])
        within = (percent >= max(low, 100)) & (percent < high)
        slope = (stop - start) / (high - low)
        share[within] = start + (percent[within] - low) * slope
    return share
