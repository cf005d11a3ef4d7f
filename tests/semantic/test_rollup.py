"""What a chart computes from a stored table is what the registry answers from the facts."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from metrics_world import WORLD

from semantic.tables import metric_tables  # isort: skip
from granary.errors import GranaryError
from semantic.compiler import compile_query
from semantic.definitions import Grain
from semantic.query import Query, parse_condition
from semantic.registry import Registry, load_registry
from semantic.rollup import is_additive_over_time, rollup
from semantic.stored import StoredTable, stored_tables

Values = dict[tuple[Any, ...], Decimal | int | None]

ACA = load_registry()
STORED = stored_tables(ACA)


@pytest.fixture(scope="module")
def aca() -> Registry:
    return ACA


@pytest.fixture(scope="module")
def world() -> Iterator[duckdb.DuckDBPyConnection]:
    """The tiny insurance world, with every table that is made from the registry."""
    with duckdb.connect() as connection:
        connection.execute(WORLD)
        connection.execute("CREATE SCHEMA semantic")
        for table in metric_tables(ACA):
            select = table.text.partition(");\n\n")[2]
            connection.execute(f"CREATE TABLE semantic.{table.name} AS {select}")
        yield connection


def rolled_up(
    world: duckdb.DuckDBPyConnection, table: str, metric: str, keys: list[str], where: str = "TRUE"
) -> Values:
    columns = ", ".join([*keys, f"{rollup(ACA, table, metric)} AS value"])
    grouped = "GROUP BY ALL" if keys else ""
    sql = f"SELECT {columns} FROM semantic.{table} WHERE {where} {grouped}"
    return {tuple(row[:-1]): row[-1] for row in world.execute(sql).fetchall()}


def answered(world: duckdb.DuckDBPyConnection, metric: str, **asked: Any) -> Values:
    sql = compile_query(ACA, Query((metric,), **asked)).sql("duckdb")
    return {tuple(row[:-1]): row[-1] for row in world.execute(sql).fetchall()}


def metrics_of(table: StoredTable) -> list[str]:
    return [name for name in ACA.metrics if rollup(ACA, table.name, name)]


def assert_same(found: Values, expected: Values, told: Any) -> None:
    """Equal but for keys without rows, which a question leaves out and a table may hold."""
    assert {key: value for key, value in found.items() if value or key in expected} == expected, (
        told
    )


@pytest.mark.parametrize("table", STORED.values(), ids=list(STORED))
def test_each_split_of_each_period_is_what_the_registry_answers(
    world: duckdb.DuckDBPyConnection, table: StoredTable
) -> None:
    metrics = metrics_of(table)
    assert metrics
    for metric in metrics:
        for by in [(), *((name,) for name in table.by), table.by[-2:], table.by]:
            found = rolled_up(world, table.name, metric, ["period", *by])
            expected = answered(world, metric, by=by, grain=table.grain)
            assert_same(found, expected, (metric, by))


@pytest.mark.parametrize("table", STORED.values(), ids=list(STORED))
def test_over_all_time_sums_and_ratios_of_sums_hold_too(
    world: duckdb.DuckDBPyConnection, table: StoredTable
) -> None:
    metrics = [name for name in metrics_of(table) if is_additive_over_time(ACA, name)]
    for metric in metrics:
        for by in [(), *((name,) for name in table.by)]:
            found = rolled_up(world, table.name, metric, list(by))
            assert_same(found, answered(world, metric, by=by), (metric, by))


@pytest.mark.parametrize(
    ("where", "condition"),
    [
        ("claim_type = 'professional'", "claim_type=professional"),
        ("service_category IN ('drug', 'inpatient')", "service_category=drug,inpatient"),
        ("metal_tier = 'silver'", "metal_tier=silver"),
        ("tenant_id = 'south'", "tenant_id=south"),
    ],
)
def test_a_filter_leaves_the_exposure_whole(
    world: duckdb.DuckDBPyConnection, where: str, condition: str
) -> None:
    for metric in ("paid_pmpm", "paid_lines_per_1000", "claims_paid", "allowed_per_line"):
        for by in ((), ("metal_tier",), ("network_status",)):
            found = rolled_up(world, "aca_cost_by_service", metric, list(by), where)
            asked = answered(world, metric, by=by, where=(parse_condition(condition),))
            assert_same(found, asked, (metric, by))


def test_a_months_coverage_counts_once_however_many_services_there_are(
    world: duckdb.DuckDBPyConnection,
) -> None:
    # 30060 USD over 40 member months; 400 of it for office visits over the same 40.
    assert rolled_up(world, "aca_cost_by_service", "allowed_pmpm", []) == {(): Decimal("751.50")}
    by_service = rolled_up(world, "aca_cost_by_service", "allowed_pmpm", ["service_category"])
    assert by_service["office_visit",] == Decimal("10.00")
    assert sum(value or 0 for value in by_service.values()) == Decimal("751.50")


@pytest.mark.parametrize(
    ("table", "metric"),
    [
        ("aca_cost_by_service", "member_months"),  # it does not know services: summed, it repeats
        ("aca_metrics_monthly", "billed_members"),  # distinct: who is billed in two months is one
        ("aca_metrics_monthly", "nonpayment_termination_rate"),  # made from a distinct count
        ("aca_metrics_monthly", "days_receipt_to_paid"),  # a median
        ("aca_metrics_detail", "medical_loss_ratio"),  # the reserve knows no metal level
        ("aca_metrics_yearly", "claims_paid"),  # is not in there
    ],
)
def test_what_does_not_add_up_has_no_rollup(aca: Registry, table: str, metric: str) -> None:
    assert rollup(aca, table, metric) is None


def test_a_stock_is_not_added_up_over_time(aca: Registry) -> None:
    assert is_additive_over_time(aca, "paid_pmpm")
    assert not is_additive_over_time(aca, "effectuated_enrollment")
    assert not is_additive_over_time(aca, "medical_loss_ratio_simple")


def test_the_sql_is_that_of_the_formula(aca: Registry) -> None:
    assert rollup(aca, "aca_metrics_detail", "claims_paid") == (
        "CAST(COALESCE(SUM(claims_paid), 0) AS DECIMAL(20, 2))"
    )
    assert rollup(aca, "aca_metrics_detail", "premium_pmpm") == (
        "CAST(CAST(CAST(COALESCE(SUM(gross_premium), 0) AS DECIMAL(38, 6)) / "
        "NULLIF(COALESCE(SUM(member_months), 0), 0) AS DECIMAL(28, 10)) AS DECIMAL(20, 2))"
    )


def test_an_unknown_table_is_told_with_the_nearest(aca: Registry) -> None:
    with pytest.raises(GranaryError, match=r"no metric table aca_metric_detail"):
        rollup(aca, "aca_metric_detail", "claims_paid")


def test_the_tables_asked_for_are_kept_by_the_grain_that_they_name() -> None:
    assert STORED["aca_members_yearly"].grain is Grain.YEAR
    assert STORED["aca_cost_by_service"].exposures == ("member_months",)
    assert STORED["aca_cost_by_service"].cells == ("tenant_id", "metal_tier", "state")
