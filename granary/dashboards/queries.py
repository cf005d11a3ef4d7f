"""The query that the browser would make of a chart's form.

Superset draws without one, but answers nobody else: reports, tests and its API need it.
"""

import json
from collections.abc import Callable
from typing import Any

from granary.dashboards.charts import ROWS, Form

Query = dict[str, Any]


def query_context(form: Form) -> str:
    """The query of a form, as JSON."""
    query = {**_common(form), **_KINDS[form["viz_type"]](form)}
    context = {
        # The importer writes the dataset's number here.
        "datasource": {"id": 0, "type": "table"},
        "force": False,
        "queries": [query],
        "form_data": form,
        "result_format": "json",
        "result_type": "full",
    }
    return json.dumps(context, sort_keys=True)


def _common(form: Form) -> Query:
    grain = form.get("time_grain_sqla")
    return {
        "filters": [
            {"col": given["subject"], "op": given["operator"], "val": given["comparator"]}
            for given in form["adhoc_filters"]
        ],
        "extras": {"having": "", "where": "", **({"time_grain_sqla": grain} if grain else {})},
        "applied_time_extras": {},
        "columns": [],
        "metrics": _metrics(form),
        "orderby": [],
        "annotation_layers": [],
        "row_limit": form.get("row_limit", ROWS),
        "series_limit": 0,
        "order_desc": True,
        "url_params": {},
        "custom_params": {},
        "custom_form_data": {},
        "post_processing": [],
    }


def _metrics(form: Form) -> list[str]:
    return list(form["metrics"]) if "metrics" in form else _given(form.get("metric"))


def _given(value: str | None) -> list[str]:
    return [value] if value else []


def _largest_first(form: Form) -> list[list[Any]]:
    return [[name, False] for name in _metrics(form)[:1]]


def _axis(form: Form, column: str) -> str | Query:
    """A column, cut to the form's grain when it is a time."""
    times = form.get("temporal_columns_lookup", {form.get("x_axis"): True})
    grain = form.get("time_grain_sqla")
    if not grain or not times.get(column):
        return column
    return {
        "columnType": "BASE_AXIS",
        "expressionType": "SQL",
        "label": column,
        "sqlExpression": column,
        "timeGrain": grain,
    }


def _pivoted(form: Form, columns: list[str]) -> Query:
    return {
        "operation": "pivot",
        "options": {
            "index": [form["x_axis"]],
            "columns": columns,
            "aggregates": {name: {"operator": "mean"} for name in _metrics(form)},
            "drop_missing_columns": False,
        },
    }


def _number(form: Form) -> Query:
    return {}


def _trend(form: Form) -> Query:
    return {
        "columns": [_axis(form, form["x_axis"])],
        "post_processing": [_pivoted(form, []), {"operation": "flatten"}],
    }


def _series(form: Form) -> Query:
    by, metrics = list(form["groupby"]), _metrics(form)
    steps = [_pivoted(form, by)]
    if by and len(metrics) == 1:
        renamed = {"columns": {metrics[0]: None}, "level": 0, "inplace": True}
        steps.append({"operation": "rename", "options": renamed})
    if not by and "x_axis_sort" in form:
        steps.append(_sorted(form))
    axis = _axis(form, form["x_axis"])
    if isinstance(axis, str):
        axis = {
            "columnType": "BASE_AXIS",
            "expressionType": "SQL",
            "label": axis,
            "sqlExpression": axis,
        }
    return {
        "columns": [axis, *by],
        "series_columns": by,
        "orderby": _largest_first(form),
        "time_offsets": [],
        "post_processing": [*steps, {"operation": "flatten"}],
    }


def _sorted(form: Form) -> Query:
    by, ascending = form["x_axis_sort"], form["x_axis_sort_asc"]
    if by == form["x_axis"]:
        return {"operation": "sort", "options": {"is_sort_index": True, "ascending": ascending}}
    return {"operation": "sort", "options": {"by": by, "ascending": ascending}}


def _share(form: Form) -> Query:
    whole = {"columns": _metrics(form), "rename_columns": [f"{form['metric']}__contribution"]}
    return {
        "columns": list(form["groupby"]),
        "orderby": _largest_first(form),
        "post_processing": [{"operation": "contribution", "options": whole}],
    }


def _table(form: Form) -> Query:
    if form["query_mode"] == "raw":
        return {
            "columns": list(form["all_columns"]),
            "metrics": None,
            "orderby": [json.loads(given) for given in form["order_by_cols"]],
        }
    return {
        "columns": [_axis(form, name) for name in form["groupby"]],
        "orderby": _largest_first(form),
    }


def _pivot(form: Form) -> Query:
    columns = [*form["groupbyColumns"], *form["groupbyRows"]]
    return {
        "columns": [_axis(form, name) for name in columns],
        "orderby": _largest_first(form),
    }


def _heat(form: Form) -> Query:
    ranked = {"metric": form["metric"], "group_by": None}
    return {
        "columns": [_axis(form, form["x_axis"]), form["groupby"]],
        "orderby": [[form["x_axis"], True], [form["groupby"], True]],
        "post_processing": [{"operation": "rank", "options": ranked}],
    }


def _scatter(form: Form) -> Query:
    return {
        "columns": [form["entity"], *_given(form["series"])],
        "metrics": list(dict.fromkeys([form["x"], form["y"], form["size"]])),
    }


def _treemap(form: Form) -> Query:
    return {
        "columns": list(form["groupby"]),
        "orderby": [*_largest_first(form), *([name, True] for name in form["groupby"])],
    }


def _sunburst(form: Form) -> Query:
    return {"columns": list(form["columns"]), "orderby": _largest_first(form)}


def _histogram(form: Form) -> Query:
    options = {
        name: form[name] for name in ("column", "groupby", "bins", "cumulative", "normalize")
    }
    return {
        "columns": [*form["groupby"], form["column"]],
        "metrics": None,
        "post_processing": [{"operation": "histogram", "options": options}],
    }


def _box(form: Form) -> Query:
    options = {"whisker_type": "tukey", "groupby": form["groupby"], "metrics": _metrics(form)}
    return {
        "columns": [*(_axis(form, name) for name in form["columns"]), *form["groupby"]],
        "series_columns": list(form["groupby"]),
        "post_processing": [{"operation": "boxplot", "options": options}],
    }


def _waterfall(form: Form) -> Query:
    columns = [form["x_axis"], *form["groupby"]]
    return {
        "columns": [_axis(form, name) for name in columns],
        "orderby": [[name, True] for name in columns],
    }


_KINDS: dict[str, Callable[[Form], Query]] = {
    "big_number_total": _number,
    "big_number": _trend,
    "echarts_timeseries_line": _series,
    "echarts_area": _series,
    "echarts_timeseries_bar": _series,
    "pie": _share,
    "table": _table,
    "pivot_table_v2": _pivot,
    "heatmap_v2": _heat,
    "bubble_v2": _scatter,
    "treemap_v2": _treemap,
    "sunburst_v2": _sunburst,
    "histogram_v2": _histogram,
    "box_plot": _box,
    "waterfall": _waterfall,
}
