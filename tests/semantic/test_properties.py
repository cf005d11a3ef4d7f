"""What holds for whatever rows the facts have: parts add up, joins multiply nothing, facts meet."""

from collections.abc import Callable
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_world import REGISTRY, WORLD

from semantic.compiler import compile_contributions, compile_query
from semantic.definitions import Additivity, Grain
from semantic.query import Query, parse_condition
from semantic.registry import Registry, load_registry

Rows = list[tuple[Any, ...]]

OF_CLAIMS = ("paid", "paid_out", "gold_paid", "claims")
OF_MONTHS = ("member_months",)
TABLES = [line for line in WORLD.split(";") if "CREATE" in line]
TENANTS = st.sampled_from(["north", "south", "west"])
# Keys that are NULL or in no dimension, and dimensions that lack some of the keys.
KEYS = st.sampled_from([None, 1, 2, 3, 9])
DAYS = st.dates(date(2024, 11, 1), date(2025, 3, 31))
AMOUNTS = st.none() | st.decimals(-1000, 1000, places=2)
PLANS = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3, 4]),
        st.sampled_from([None, "n", "s", "x"]),
        st.sampled_from([None, "gold", "silver"]),
    ),
    unique_by=lambda row: row[0],
)
ISSUERS = st.lists(
    st.tuples(st.sampled_from(["n", "s", "t"]), st.sampled_from([None, "TX", "OH"])),
    unique_by=lambda row: row[0],
)
CLAIMS = st.lists(
    st.tuples(
        TENANTS,
        KEYS,
        st.sampled_from([None, "a", "b", "c"]),
        st.sampled_from([None, "lab", "drug"]),
        st.none() | st.booleans(),
        st.none() | st.integers(1, 3),
        st.none() | DAYS,
        st.none() | DAYS,
        AMOUNTS,
    ),
    max_size=12,
)
MONTHS = st.lists(
    st.tuples(TENANTS, KEYS, DAYS.map(lambda day: day.replace(day=1)), st.integers(0, 5)),
    max_size=12,
)
fifty_times = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder: Path = tmp_path_factory.mktemp("registry")
    (folder / "tiny.yaml").write_text(REGISTRY)
    return load_registry(folder)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for statement in TABLES:
        connection.execute(statement.partition("INSERT")[0])
    return connection


@pytest.fixture
def fill(tiny: Registry, connection: duckdb.DuckDBPyConnection) -> Callable[..., Any]:
    """Puts rows into the tables, and gives what answers questions on them."""

    def ask(*metrics: str, **asked: Any) -> Rows:
        select = compile_query(tiny, Query(metrics, **asked))
        return connection.execute(select.sql("duckdb")).fetchall()

    def filled(**tables: Rows) -> Callable[..., Rows]:
        for name, rows in tables.items():
            connection.execute(f"DELETE FROM core.{name}")
            if rows:
                places = ", ".join("?" * len(rows[0]))
                connection.executemany(f"INSERT INTO core.{name} VALUES ({places})", rows)
        return ask

    return filled


@fifty_times
@given(plans=PLANS, issuers=ISSUERS, claims=CLAIMS, months=MONTHS)
def test_parts_add_up_to_the_whole(
    tiny: Registry,
    fill: Callable[..., Any],
    plans: Rows,
    issuers: Rows,
    claims: Rows,
    months: Rows,
) -> None:
    ask = fill(plan=plans, issuer=issuers, claim=claims, month=months)
    for metrics in (OF_CLAIMS, OF_MONTHS):
        assert {tiny.additivity(name) for name in metrics} == {Additivity.SUM}
        (whole,) = ask(*metrics)
        splits = [{"by": (name,)} for name in tiny.dimensions(metrics[0])]
        for asked in [*splits, {"grain": Grain.MONTH}]:
            parts = [row[1:] for row in ask(*metrics, **asked)]
            assert tuple(map(sum, zip(*parts, strict=True))) == (whole if parts else ()), asked
            assert parts or not any(whole)


@fifty_times
@given(plans=PLANS, issuers=ISSUERS, claims=CLAIMS)
def test_a_join_neither_multiplies_nor_loses_rows(
    fill: Callable[..., Any], plans: Rows, issuers: Rows, claims: Rows
) -> None:
    ask = fill(plan=plans, issuer=issuers, claim=claims)
    # A claim that has no date did not happen.
    happened = [(tenant, amount) for tenant, *_, day, _, amount in claims if day is not None]
    for by in (("tenant_id",), ("tenant_id", "metal_tier"), ("tenant_id", "state", "metal_tier")):
        found: dict[str, list[Any]] = {}
        for tenant, *_, count, paid in ask("claims", "paid", by=by):
            counted = found.setdefault(tenant, [0, 0])
            found[tenant] = [counted[0] + count, counted[1] + paid]
        assert found == {
            tenant: [len(amounts), sum(amount or 0 for amount in amounts)]
            for tenant in {tenant for tenant, _ in happened}
            for amounts in [[amount for other, amount in happened if other == tenant]]
        }


@fifty_times
@given(plans=PLANS, issuers=ISSUERS, claims=CLAIMS, months=MONTHS)
def test_two_facts_are_the_two_answers_side_by_side(
    fill: Callable[..., Any], plans: Rows, issuers: Rows, claims: Rows, months: Rows
) -> None:
    ask = fill(plan=plans, issuer=issuers, claim=claims, month=months)
    for grain, by in product((None, Grain.MONTH), ((), ("state", "metal_tier"))):
        paid, covered = (
            {row[:-1]: row[-1] for row in ask(metric, by=by, grain=grain)}
            for metric in ("paid", "member_months")
        )
        both = {key: (paid.get(key, 0), covered.get(key, 0)) for key in {*paid, *covered}}
        rows = ask("paid", "member_months", by=by, grain=grain)
        assert {row[:-2]: row[-2:] for row in rows} == both
        assert len(rows) == len(both)


@fifty_times
@given(
    plans=PLANS,
    issuers=ISSUERS,
    claims=CLAIMS,
    months=MONTHS,
    where=st.sampled_from([(), ("tenant_id=north,west",), ("metal_tier=gold",)]),
    start=st.none() | st.just(date(2025, 1, 1)),
)
def test_what_rows_contribute_is_the_metric(
    tiny: Registry,
    connection: duckdb.DuckDBPyConnection,
    fill: Callable[..., Any],
    plans: Rows,
    issuers: Rows,
    claims: Rows,
    months: Rows,
    where: tuple[str, ...],
    start: date | None,
) -> None:
    fill(plan=plans, issuer=issuers, claim=claims, month=months)
    conditions = tuple(parse_condition(text) for text in where)
    keys = {
        name: ("tenant_id", "service_date", "plan_sk") for name in (*OF_CLAIMS, "patients")
    } | dict.fromkeys(("member_months", "members_in_force"), ("tenant_id", "coverage_month"))
    for name, key in keys.items():
        query = Query((name,), where=conditions, start=start)
        (whole,) = connection.execute(compile_query(tiny, query).sql("duckdb")).fetchone() or ()
        parts = compile_contributions(tiny, query, name, key, key).sql("duckdb")
        added = connection.execute(f"SELECT SUM(contribution) FROM ({parts})").fetchone()
        assert added is not None
        assert (added[0] or 0) == whole, name


def test_a_median_gives_the_values_that_it_lies_between(
    tiny: Registry, connection: duckdb.DuckDBPyConnection, fill: Callable[..., Any]
) -> None:
    day = date(2025, 1, 2)
    claims = [("north", 1, "a", "lab", True, 1, day, day, paid) for paid in (0, 5, None, 20)]
    fill(claim=claims)
    query = Query(("median_paid",))
    parts = compile_contributions(tiny, query, "median_paid", ("tenant_id",), ("tenant_id",))
    rows = connection.execute(parts.sql("duckdb")).fetchall()
    assert sorted(value for _, value in rows) == [0, 5, 20]
