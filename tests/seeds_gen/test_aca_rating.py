"""Premiums and tax credits follow from the files and the rules, reckoned here a second time."""

import csv
from collections import defaultdict
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import pytest
from aca_world import ARGUMENTS, World

from granary.settings import PROJECT
from seeds_gen.aca import generate

CENT, PER_MILLE = Decimal("0.01"), Decimal("0.001")


class Payer(NamedTuple):
    """Somebody whose coverage begins on the day of an extract, as that extract tells it.

    `home` are the household and that day. `is_whole` says that all of the household begin then, and
    that no child was born into it.
    """

    tenant_id: str
    state: str
    home: str
    people: int
    is_whole: bool
    year: int
    area: int
    plan_premium: Decimal
    age: int
    tobacco: bool
    fpl: Decimal | None
    premium: Decimal
    credit: Decimal

    @property
    def place(self) -> tuple[str, int, int]:
        """What a benchmark holds for."""
        return self.state, self.year, self.area


@cache
def reference(table: str) -> list[dict[str, str]]:
    with (PROJECT / "reference" / "aca" / f"{table}.csv").open() as file:
        return list(csv.DictReader(file))


@cache
def age_ratio(age: int) -> Decimal:
    curve = {
        int(row["age"]): Decimal(row["premium_ratio"]) for row in reference("age_rating_curve")
    }
    return curve[min(age, max(curve))]


def rounded(amount: Decimal, step: Decimal = CENT) -> Decimal:
    return amount.quantize(step, ROUND_HALF_UP)


def expected_contribution(payer: Payer) -> Decimal | None:
    """USD a month of the household; None when it is eligible for no credit, or nobody can say."""
    if payer.fpl is None:
        return None
    percent = 100 * payer.fpl
    for row in reference("applicable_percentage"):
        low, high = Decimal(row["fpl_low_pct"]), Decimal(row["fpl_high_pct"] or "Infinity")
        if row["coverage_year"] == str(payer.year) and max(low, Decimal(100)) <= percent < high:
            start, end = Decimal(row["percentage_start"]), Decimal(row["percentage_end"])
            share = start + (end - start) * (
                Decimal(0) if high.is_infinite() else (percent - low) / (high - low)
            )
            return share * payer.fpl * poverty_line(payer.year, payer.people) / 12
    return None


@cache
def poverty_line(year: int, people: int) -> int:
    row = next(row for row in reference("fpl_guideline") if row["coverage_year"] == str(year))
    return int(row["first_person_amount"]) + (people - 1) * int(row["additional_person_amount"])


@pytest.fixture(scope="module")
def payers(shared_world: World) -> list[Payer]:
    rows = shared_world.rows("""
        WITH spans AS (
          SELECT e.*, m.* EXCLUDE (tenant_id, extracted_on, member_id)
          FROM enrollments e JOIN members m USING (tenant_id, extracted_on, member_id)
        ), homes AS (
          SELECT tenant_id, household_id, count(DISTINCT member_id) AS people,
            bool_or(coverage_start_date = date_trunc('month', dob)) AS has_birth
          FROM spans GROUP BY ALL
        )
        SELECT s.tenant_id, state, household_id || ' of ' || coverage_start_date, people,
          count(*) OVER home = people AND NOT has_birth,
          effective_year, rating_area, p.monthly_premium,
          date_sub('year', dob, coverage_start_date), tobacco_use, fpl_ratio,
          s.monthly_premium, aptc_amount
        FROM spans s JOIN homes USING (tenant_id, household_id)
        JOIN plans p ON p.tenant_id = s.tenant_id AND p.extracted_on = s.extracted_on
          AND p.plan_id = s.plan_id AND p.effective_year = year(coverage_start_date)
        WHERE coverage_start_date = s.extracted_on
        WINDOW home AS (PARTITION BY s.tenant_id, household_id, coverage_start_date)""")
    found = [Payer(*row) for row in rows]
    assert len(found) > 9_000
    return found


@pytest.fixture(scope="module")
def factors(payers: list[Payer]) -> dict[tuple[str, int], Decimal]:
    """Factor of each issuer and rating area, as its dearest payer without tobacco tells it."""
    told: dict[tuple[str, int], tuple[Decimal, Decimal]] = {}
    for payer in payers:
        if not payer.tobacco:
            exact = payer.premium / (payer.plan_premium * age_ratio(payer.age))
            key = payer.tenant_id, payer.area
            told[key] = max(told.get(key, (Decimal(0), Decimal(0))), (payer.premium, exact))
    return {key: rounded(exact, PER_MILLE) for key, (_, exact) in told.items()}


@pytest.fixture(scope="module")
def benchmarks(payers: list[Payer], factors: dict[Any, Decimal]) -> dict[Any, dict[str, Decimal]]:
    """Benchmark at age 21 of each place, by the issuer whose member tells it.

    Of people alone whose credit is below the premium, the eldest tells it to the cent.
    """
    told: dict[Any, dict[str, tuple[Decimal, Decimal]]] = defaultdict(dict)
    for payer in payers:
        expected = expected_contribution(payer)
        ratio = age_ratio(payer.age)
        alone = payer.people == 1 and not payer.tobacco and ratio > 2
        if alone and expected is not None and 0 < payer.credit < payer.premium:
            issuers = told[payer.place]
            before = issuers.get(payer.tenant_id, (Decimal(0), Decimal(0)))
            issuers[payer.tenant_id] = max(before, (ratio, (payer.credit + expected) / ratio))
    return {
        place: {issuer: rounded(benchmark) for issuer, (_, benchmark) in issuers.items()}
        for place, issuers in told.items()
    }


def second_lowest(premiums: Iterable[Decimal]) -> Decimal:
    return sorted(premiums)[1]


def test_issuers_are_dealt_to_two_states_in_turn(shared_world: World) -> None:
    states = shared_world.rows("SELECT DISTINCT tenant_id, state FROM members ORDER BY 1")
    assert [state for _, state in states] == ["FL", "TX", "FL", "TX", "FL", "TX"]


def test_a_premium_is_plan_times_area_times_age_times_tobacco_to_the_cent(
    payers: list[Payer], factors: dict[tuple[str, int], Decimal]
) -> None:
    def without_tobacco(payer: Payer) -> Decimal:
        factor = factors.get((payer.tenant_id, payer.area), Decimal(0))
        return payer.plan_premium * factor * age_ratio(payer.age)

    told = [payer for payer in payers if (payer.tenant_id, payer.area) in factors]
    smokers = sorted((payer for payer in told if payer.tobacco), key=lambda payer: payer.premium)
    surcharges = {
        (payer.tenant_id, payer.age): rounded(payer.premium / without_tobacco(payer), PER_MILLE)
        for payer in smokers
    }
    wrong = [
        payer
        for payer in told
        if payer.premium
        != rounded(
            without_tobacco(payer)
            * (surcharges[payer.tenant_id, payer.age] if payer.tobacco else 1)
        )
    ]
    assert wrong == []
    assert len(told) > 9_000
    assert len(smokers) > 3 * len(surcharges) / 2 > 150
    assert all(1 < surcharge <= Decimal("1.5") for surcharge in surcharges.values())


def test_each_issuer_has_factors_of_its_own_around_one(
    payers: list[Payer], factors: dict[tuple[str, int], Decimal]
) -> None:
    assert all(Decimal("0.85") <= factor <= Decimal("1.25") for factor in factors.values())
    for issuer in {issuer for issuer, _ in factors}:
        own = [
            factors[issuer, payer.area]
            for payer in payers
            if payer.tenant_id == issuer and (issuer, payer.area) in factors
        ]
        assert 0.93 < mean(own) < 1.03, issuer
        assert max(own) - min(own) > 0.15, issuer
    florida = [
        (factor, factors["issuer_3", area])
        for (issuer, area), factor in factors.items()
        if issuer == "issuer_1" and ("issuer_3", area) in factors
    ]
    assert len(florida) > 30
    assert 0.01 < mean(abs(one - other) for one, other in florida) < 0.08


def test_issuers_of_a_state_have_one_benchmark_in_each_area(
    benchmarks: dict[Any, dict[str, Decimal]],
) -> None:
    told_twice = {place: set(told.values()) for place, told in benchmarks.items() if len(told) > 1}
    assert len(told_twice) > 40
    assert {place: told for place, told in told_twice.items() if len(told) > 1} == {}
    for state in ("FL", "TX"):
        levels = [min(t) for (s, year, _), t in told_twice.items() if (s, year) == (state, 2025)]
        assert max(levels) > Decimal("1.15") * min(levels)


def test_the_benchmark_is_the_second_lowest_silver_premium_of_all_issuers(
    shared_world: World,
    benchmarks: dict[Any, dict[str, Decimal]],
    factors: dict[tuple[str, int], Decimal],
) -> None:
    """Nobody but the three issuers sells in Texas; in Florida somebody without files does."""
    silver = shared_world.rows("""
        SELECT tenant_id, effective_year, monthly_premium FROM plans
        WHERE extracted_on = '2025-02-01' AND metal_tier = 'silver' AND plan_id LIKE '%-01'""")
    issuers = {
        "TX": ("issuer_2", "issuer_4", "issuer_6"),
        "FL": ("issuer_1", "issuer_3", "issuer_5"),
    }
    compared = {"TX": 0, "FL": 0}
    undercut = 0
    for (state, year, area), told in benchmarks.items():
        if all((issuer, area) in factors for issuer in issuers[state]):
            lowest = second_lowest(
                rounded(premium * factors[issuer, area])
                for issuer, of_year, premium in silver
                if issuer in issuers[state] and of_year == year
            )
            benchmark = min(told.values())
            compared[state] += 1
            assert benchmark <= lowest
            assert state == "FL" or benchmark == lowest
            undercut += benchmark < lowest
    assert min(compared.values()) > 15
    assert undercut > 3


def test_a_credit_is_the_households_benchmark_less_what_is_expected_of_it(
    payers: list[Payer], benchmarks: dict[Any, dict[str, Decimal]]
) -> None:
    homes: dict[Any, list[Payer]] = defaultdict(list)
    for payer in payers:
        if payer.is_whole and payer.people > 1 and payer.place in benchmarks:
            homes[payer.tenant_id, payer.home].append(payer)
    checked = 0
    for home in homes.values():
        expected = expected_contribution(home[0])
        benchmark = min(benchmarks[home[0].place].values())
        own = [rounded(benchmark * age_ratio(payer.age)) for payer in home]
        for payer, part in zip(home, own, strict=True):
            # Some take no credit; it never exceeds a premium or pays for tobacco.
            if 0 < payer.credit < payer.premium and not payer.tobacco:
                assert expected is not None
                reckoned = (sum(own) - expected) * part / sum(own)
                assert abs(payer.credit - reckoned) <= Decimal("0.0051"), payer
                checked += 1
    assert checked > 500


def test_an_issuer_has_more_of_the_people_where_it_is_cheaper(
    shared_world: World, factors: dict[tuple[str, int], Decimal]
) -> None:
    """Texas, where all issuers are on file: shares of newly covered people by rank of price."""
    silver = dict(
        shared_world.rows("""
        SELECT tenant_id, min(monthly_premium) FROM plans
        WHERE effective_year = 2024 AND metal_tier = 'silver' AND plan_id LIKE '%-01'
          AND extracted_on = '2025-02-01' GROUP BY ALL""")
    )
    people = {
        (issuer, area): number
        for issuer, area, number in shared_world.rows("""
            SELECT tenant_id, rating_area, count(DISTINCT member_id) FROM enrollments
            WHERE year(coverage_start_date) = 2024 GROUP BY ALL""")
    }
    issuers = ("issuer_2", "issuer_4", "issuer_6")
    by_rank = [0, 0, 0]
    for area in {area for issuer, area in factors if issuer == "issuer_2"}:
        if all((issuer, area) in factors for issuer in issuers):
            ranked = sorted(issuers, key=lambda i: silver[i] * factors[i, area])
            for rank, issuer in enumerate(ranked):
                by_rank[rank] += people.get((issuer, area), 0)
    assert sum(by_rank) > 4_000
    assert by_rank[0] > 1.3 * by_rank[1] > 1.3 * 1.1 * by_rank[2]


def test_files_of_an_issuer_do_not_depend_on_who_else_writes(tmp_path: Path) -> None:
    """The other issuers of its state make the benchmark whether they have files or not."""
    for tenants in (1, 3):
        generate(
            tmp_path / str(tenants), **ARGUMENTS | {"tenants": tenants, "members": 200 * tenants}
        )
    alone, together = (
        {path.name: path.read_bytes() for path in (tmp_path / n / "aca" / "issuer_1").iterdir()}
        for n in ("1", "3")
    )
    assert len(alone) == 42
    assert alone == together
