"""Every kind of chart asks for what its table has, and says what it shows."""

import json
from typing import Any

import pytest
from sqlglot import exp, parse_one

from dashboards.bundles import documents
from granary.dashboards.bundle import Bundle, Sources
from granary.dashboards.charts import GRAINS
from granary.dashboards.specs import KINDS


def chart(bundle: Bundle, name: str) -> dict[str, Any]:
    return documents(bundle, "charts")[f"charts/every-kind__{name}.yaml"]


def query(chart: dict[str, Any]) -> dict[str, Any]:
    [found] = json.loads(chart["query_context"])["queries"]
    assert isinstance(found, dict)
    return found


def columns_of(query: dict[str, Any]) -> list[str]:
    return [c if isinstance(c, str) else c["sqlExpression"] for c in query["columns"]]


def test_the_dashboard_has_every_kind(sources: Sources) -> None:
    assert len(KINDS) == 16
    assert {chart.chart for _, chart in sources.specs[0].charts()} == KINDS.keys()


def test_every_query_asks_for_columns_and_metrics_that_exist(bundle: Bundle) -> None:
    datasets = {d["uuid"]: d for d in documents(bundle, "datasets").values()}
    charts = documents(bundle, "charts")
    assert len(charts) == 23
    for path, found in charts.items():
        dataset, asked = datasets[found["dataset_uuid"]], query(found)
        columns = {column["column_name"] for column in dataset["columns"]}
        metrics = {metric["metric_name"]: metric["expression"] for metric in dataset["metrics"]}
        assert set(columns_of(asked)) <= columns, path
        assert set(asked["metrics"] or ()) <= metrics.keys(), path
        assert asked["metrics"] or asked["columns"], path
        assert {one["col"] for one in asked["filters"]} <= columns, path
        assert {name for name, _ in asked["orderby"]} <= columns | metrics.keys(), path
        for name in asked["metrics"] or ():
            used = parse_one(metrics[name], dialect="postgres").find_all(exp.Column)
            assert {column.name for column in used} <= columns, path


def test_the_query_is_that_of_the_form(bundle: Bundle) -> None:
    for path, found in documents(bundle, "charts").items():
        context = json.loads(found["query_context"])
        assert context["form_data"] == found["params"], path
        assert found["params"]["viz_type"] == found["viz_type"], path


def test_the_dashboards_period_takes_hold_of_the_main_time_column(bundle: Bundle) -> None:
    bound = {
        path: [f["col"] for f in query(found)["filters"] if f["op"] == "TEMPORAL_RANGE"]
        for path, found in documents(bundle, "charts").items()
    }
    assert bound.pop("charts/every-kind__members-by-yearly-cost.yaml") == []
    assert bound.pop("charts/every-kind__lines-by-status.yaml") == ["service_month"]
    assert bound.pop("charts/every-kind__issuers-months.yaml") == ["service_month"]
    assert set(map(tuple, bound.values())) == {("period",)}


def test_conditions_become_filters(bundle: Bundle) -> None:
    by_age = query(chart(bundle, "claims-by-age"))["filters"]
    assert by_age[1] == {"col": "metal_tier", "op": "IN", "val": ["silver", "gold"]}
    by_cost = query(chart(bundle, "members-by-yearly-cost"))["filters"]
    assert [(f["op"], f["val"]) for f in by_cost] == [(">", 0), ("<", 20000)]


def test_a_trend_compares_with_the_same_month_of_the_year_before(bundle: Bundle) -> None:
    form = chart(bundle, "paid-pmpm")["params"]
    assert form["compare_lag"] == 12
    assert form["time_grain_sqla"] == GRAINS["month"]
    assert form["time_format"] == "%b %Y"
    assert "compare_lag" not in chart(bundle, "members-in-force")["params"]


@pytest.mark.parametrize(
    ("name", "field", "written"),
    [
        ("claims-paid", "y_axis_format", "$.3~s"),
        ("paid-pmpm-by-metal-level", "y_axis_format", "$,.2~f"),
        ("paid-by-metal-level", "number_format", "$.3~s"),
        ("pmpm-by-age-and-metal-level", "y_axis_format", "$,.0f"),
        ("paid-pmpm-by-metal-level", "x_axis_time_format", "%b %Y"),
    ],
)
def test_numbers_are_written_by_their_unit(
    bundle: Bundle, name: str, field: str, written: str
) -> None:
    assert chart(bundle, name)["params"][field] == written


def test_a_number_says_beneath_what_it_counts(bundle: Bundle) -> None:
    assert chart(bundle, "claims-paid")["params"]["subtitle"] == "By day of service"
    assert chart(bundle, "paid-loss")["params"]["subtitle"] == "Claims paid / member months"
    assert chart(bundle, "members-in-force")["params"]["subtitle"] == "members"


def test_only_what_adds_up_has_totals(bundle: Bundle) -> None:
    assert chart(bundle, "paid-by-metal-level-and-quarter")["params"]["colTotals"]
    assert chart(bundle, "lines-by-status")["params"]["showTooltipTotal"]
    assert not chart(bundle, "paid-pmpm-by-metal-level")["params"]["showTooltipTotal"]


def test_columns_of_rows_are_written_as_what_they_hold(bundle: Bundle) -> None:
    configured = chart(bundle, "issuers-months")["params"]["column_config"]
    assert configured == {
        "members": {"d3NumberFormat": ",d"},
        "paid_amount": {"d3NumberFormat": "$,.0f"},
        "denial_rate": {"d3NumberFormat": ".1%"},
    }
