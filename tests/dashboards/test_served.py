"""Every chart of every dashboard, asked for its rows by everybody who may see it."""

import csv
from collections import Counter
from collections.abc import Sequence
from datetime import date
from fnmatch import fnmatch

import pytest
import yaml
from oracle.arrivals import observe
from oracle.oracle import Batch

from dashboards.asking import Asker, Chart, Filter, Row, charts_of, columns_of
from dashboards.serving import TENANTS, Dashboards
from granary.dashboards import build_bundle
from granary.metrics import ask
from granary.superset.places import SECURITY
from granary.superset.security import load_security
from semantic.definitions import Grain
from semantic.query import Condition, Query
from semantic.registry import PERIOD, TENANT, load_registry
from semantic.stored import stored_tables

pytestmark = pytest.mark.slow

VIEWERS = {f"viewer_{tenant}": tenant for tenant in TENANTS}
GRAINS = {"P1D": Grain.DAY, "P1M": Grain.MONTH, "P3M": Grain.QUARTER, "P1Y": Grain.YEAR}
OPERATORS = {"==": "=", "IN": "=", "NOT IN": "!="}
CHARTS = charts_of(build_bundle("prod"))
COLUMNS = columns_of(build_bundle("prod"))
REGISTRY = load_registry()
A_YEAR = {"op": "TEMPORAL_RANGE", "val": "2025-01-01 : 2026-01-01"}


def test_there_are_enough_charts_of_enough_kinds() -> None:
    assert len(CHARTS) >= 50
    assert len({chart.kind for chart in CHARTS}) >= 8


@pytest.mark.parametrize("user", ["admin", "analyst", *VIEWERS])
def test_every_chart_has_rows_for_everybody_who_may_see_it(
    dashboards: Dashboards, user: str
) -> None:
    asker = Asker(dashboards.client(user))
    internal = load_security(SECURITY).internal
    hidden = {
        chart.name
        for chart in CHARTS
        if user in VIEWERS and any(fnmatch(chart.table, pattern) for pattern in internal)
    }
    assert {chart.name for chart in CHARTS if chart.uuid not in asker.visible} == hidden
    faults = {}
    for chart in CHARTS:
        if chart.name in hidden:
            continue
        answer = asker.saved(chart)
        results = answer.content["result"] if answer.status == 200 else []
        if not results or any(result["error"] for result in results):
            faults[chart.name] = str(answer.content)[:300]
        elif not all(result["rowcount"] for result in results):
            faults[chart.name] = "no row"
    assert faults == {}


@pytest.mark.parametrize(("user", "tenant"), VIEWERS.items())
def test_a_viewer_sees_rows_of_one_tenant_only(
    dashboards: Dashboards, user: str, tenant: str
) -> None:
    asker = Asker(dashboards.client(user))
    split = [chart for chart in CHARTS if TENANT in chart.columns and chart.uuid in asker.visible]
    assert split
    for chart in split:
        assert {row[TENANT] for row in asker.rows(chart)} == {tenant}, chart.name


def asked_of_registry(chart: Chart, filters: Sequence[Filter] = ()) -> Query:
    """The question that a chart puts, in the registry's words."""
    grain = start = end = None
    for column in chart.query["columns"]:
        if not isinstance(column, str) and "timeGrain" in column:
            grain = GRAINS[column["timeGrain"]]
    by = tuple(name for name in chart.columns if name != PERIOD)
    where = []
    skipped = conditions_on_metrics(chart)
    for given in [*chart.query["filters"], *filters]:
        if given in skipped:
            continue
        if given["op"] == "TEMPORAL_RANGE":
            if " : " in given["val"]:
                start, end = map(date.fromisoformat, given["val"].split(" : "))
            continue
        values = given["val"] if isinstance(given["val"], list) else [given["val"]]
        operator = OPERATORS.get(given["op"], given["op"])
        where.append(Condition(given["col"], operator, tuple(map(str, values))))
    return Query(chart.metrics, by, grain, tuple(where), start, end)


MEASURED = [chart for chart in CHARTS if chart.table in stored_tables(REGISTRY) and chart.metrics]


def differences(
    dashboards: Dashboards, asker: Asker, chart: Chart, filters: Sequence[Filter] = ()
) -> list[str]:
    """Where a chart shows other numbers than the warehouse has.

    Metrics of the registry are asked of the facts, by the registry's own SQL; other measures of the
    chart's table.
    """
    rows = asker.rows(chart, filters)
    gateway = dashboards.sandbox.gateway
    if chart in MEASURED:
        answer = ask(gateway, REGISTRY, asked_of_registry(chart, filters))
    else:
        answer = gateway.query(own_sql(chart, filters))
    expected = keyed(chart, [dict(zip(answer.columns, row, strict=True)) for row in answer.rows])
    shown = keyed(chart, rows)
    # A condition on a metric leaves out periods, such as those that nobody is covered in yet.
    keys = shown.keys() if conditions_on_metrics(chart) else expected.keys() | shown.keys()
    found = []
    for key in keys:
        for metric in chart.metrics:
            wanted = float(expected.get(key, {}).get(metric) or 0)
            given = float(shown.get(key, {}).get(metric) or 0)
            # Both are rounded to the metric's decimals.
            if abs(wanted - given) > max(0.011, abs(wanted) * 1e-6):
                found.append(f"{chart.name} {key} {metric}: {given} instead of {wanted}")
    return found


def conditions_on_metrics(chart: Chart) -> list[Filter]:
    return [given for given in chart.query["filters"] if given["col"] in REGISTRY.metrics]


def own_sql(chart: Chart, filters: Sequence[Filter]) -> str:
    """What the chart should ask, written anew."""
    keys = []
    time = None
    for column, name in zip(chart.query["columns"], chart.columns, strict=True):
        grain = None if isinstance(column, str) else column.get("timeGrain")
        keys.append(f"DATE_TRUNC('{GRAINS[grain]}', {name})::DATE" if grain else name)
    measures = [f"{chart.measures[name]} AS {name}" for name in chart.metrics]
    selected = [f"{sql} AS {name}" for sql, name in zip(keys, chart.columns, strict=True)]
    where = ["TRUE"]
    for given in [*chart.query["filters"], *filters]:
        if given["op"] == "TEMPORAL_RANGE":
            time = given.get("col", time)
            if " : " in given["val"]:
                start, end = given["val"].split(" : ")
                where.append(f"{time} >= '{start}' AND {time} < '{end}'")
        elif given["op"] == "IN":
            where.append(f"{given['col']} IN ({', '.join(map(literal, given['val']))})")
        else:
            operator = {"==": "="}.get(given["op"], given["op"])
            where.append(f"{given['col']} {operator} {literal(given['val'])}")
    grouped = f" GROUP BY {', '.join(keys)}" if keys else ""
    return (
        f"SELECT {', '.join([*selected, *measures])} FROM semantic.{chart.table} "
        f"WHERE {' AND '.join(where)}{grouped}"
    )


def literal(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)


def keyed(chart: Chart, rows: list[Row]) -> dict[tuple[str, ...], Row]:
    return {tuple(str(row[name]) for name in chart.columns): row for row in rows}


def test_charts_show_what_the_warehouse_has(dashboards: Dashboards) -> None:
    asker = Asker(dashboards.client("admin"))
    assert len(MEASURED) >= 50
    found = [
        line for chart in CHARTS if chart.metrics for line in differences(dashboards, asker, chart)
    ]
    assert found == []


def filters() -> list[tuple[str, str]]:
    """Every native filter, by dashboard and column; `period` stands for times."""
    found = []
    for path, text in build_bundle("prod").files.items():
        if path.startswith("dashboards/"):
            document = yaml.safe_load(text)
            for given in document["metadata"]["native_filter_configuration"]:
                [target] = given["targets"]
                found.append((document["slug"], target["column"]["name"] if target else PERIOD))
    return found


@pytest.mark.parametrize(("dashboard", "column"), filters())
def test_a_filter_shows_what_it_claims(dashboards: Dashboards, dashboard: str, column: str) -> None:
    asker = Asker(dashboards.client("admin"))
    reached = [chart for chart in CHARTS if chart.dashboard == dashboard and reaches(chart, column)]
    assert reached
    for chart in reached:
        values = asker.values(chart, column) if column != PERIOD else []
        given = {"col": column, "op": "IN", "val": values[:1]} if values else A_YEAR
        if chart.metrics:
            assert differences(dashboards, asker, chart, [given]) == []
        elif values and column in chart.columns:
            shown = {row[column] for row in asker.rows(chart, [given])}
            assert shown <= set(given["val"]), chart.name


def reaches(chart: Chart, column: str) -> bool:
    if column == PERIOD:
        return any(given["op"] == "TEMPORAL_RANGE" for given in chart.query["filters"])
    return column in COLUMNS[chart.table]


def test_charts_show_what_the_files_say(dashboards: Dashboards) -> None:
    """Recomputed from the landed files alone, by code that never read a model."""
    sandbox = dashboards.sandbox
    oracle = observe(sandbox, sandbox.granary("status")).oracle
    paid = [line for line in oracle.fct_claim_line if line["claim_status"] == "paid"]
    asker = Asker(dashboards.client("admin"))
    charts = {chart.name: chart for chart in CHARTS}

    by_type: Counter[str] = Counter()
    for row in asker.rows(charts["executive-overview/paid-by-claim-type-and-service-category"]):
        by_type[row["claim_type"]] += round(100 * row["claims_paid"])
    expected: Counter[str] = Counter()
    for line in paid:
        expected[line["claim_type"]] += round(100 * line["paid_amount"])
    assert by_type == expected

    [row] = asker.rows(charts["cost-and-utilization/allowed-pmpm"])
    allowed = sum(line["allowed_amount"] for line in paid)
    assert round(float(allowed / len(oracle.fct_member_month)), 2) == row["allowed_pmpm"]

    [row] = asker.rows(charts["warehouse-operations/lines-loaded"])
    refused = sum(len(batch.refused) for batch in oracle.batches)
    assert row["lines_loaded"] == sum(map(lines_of, oracle.batches)) - refused


def lines_of(batch: Batch) -> int:
    """Lines after the header."""
    with batch.path.open(newline="", errors="replace") as file:
        return sum(1 for _ in csv.reader(file)) - 1
