"""What Superset is told to draw: the form of each kind of chart.

A kind is a small function from what the spec says to the form's particular part.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from granary.dashboards.formats import (
    DAY,
    MONTH,
    TIME_FORMATS,
    along_axis,
    compact,
    exact,
    of_column,
    short,
    with_unit,
    words,
)
from granary.dashboards.measures import Measure
from granary.dashboards.shapes import Shape
from granary.dashboards.specs import (
    COLUMNS,
    Bar,
    Box,
    Chart,
    Condition,
    Heat,
    Histogram,
    Line,
    Nested,
    Number,
    Pivot,
    Ranking,
    Scalar,
    Scatter,
    Share,
    Table,
    TimeGrain,
    Trend,
    Waterfall,
)

Form = dict[str, Any]
GRAINS: dict[TimeGrain, str] = {"day": "P1D", "month": "P1M", "quarter": "P3M", "year": "P1Y"}
PERIODS_OF_A_YEAR: dict[TimeGrain, int] = {"day": 365, "month": 12, "quarter": 4, "year": 1}
COLOURS = "supersetColors"
ROWS = 10_000
# Longer definitions are for the description: beneath a number they would shrink to nothing.
SUBTITLE = 60


@dataclass(frozen=True)
class Source:
    """What a chart reads.

    Attributes:
        shape: the table.
        measures: all that the table can give, by name.
    """

    shape: Shape
    measures: Mapping[str, Measure]


def form(chart: Chart, source: Source) -> Form:
    """The form of a chart, as Superset saves it."""
    particular = _KINDS[chart.chart](chart, source)
    return {
        "datasource": "0__table",
        "adhoc_filters": _filters(chart, source.shape),
        "extra_form_data": {},
        "annotation_layers": [],
        "dashboards": [],
        **particular,
    }


def title(chart: Chart, source: Source) -> str:
    """The title as people read it."""
    units = {source.measures[name].unit for name in chart.measured}
    # A table names the unit of each column, and a number has it beneath.
    if len(units) != 1 or isinstance(chart, Number | Trend | Table | Scatter):
        return chart.title
    return with_unit(chart.title, units.pop())


def time_column(chart: Chart, shape: Shape) -> str | None:
    """The column by which the dashboard's period reaches a chart."""
    if chart.axis and shape.is_time(chart.axis):
        return chart.axis
    return shape.time


def _filters(chart: Chart, shape: Shape) -> list[Form]:
    time = time_column(chart, shape)
    # A filter that lets everything pass is what a dashboard's period takes hold of.
    bound = [_filter(time, "TEMPORAL_RANGE", "No filter")] if time else []
    return bound + [
        found for column, condition in chart.where.items() for found in _where(column, condition)
    ]


def _where(column: str, condition: Condition) -> list[Form]:
    if isinstance(condition, dict):
        return [_filter(column, operator, _plain(value)) for operator, value in condition.items()]
    if isinstance(condition, tuple):
        return [_filter(column, "IN", [_plain(value) for value in condition])]
    return [_filter(column, "==", _plain(condition))]


def _plain(value: Scalar) -> bool | int | float | str:
    return value.isoformat() if isinstance(value, date) else value


def _filter(column: str, operator: str, value: Any) -> Form:
    return {
        "clause": "WHERE",
        "comparator": value,
        "expressionType": "SIMPLE",
        "operator": operator,
        "subject": column,
    }


def _number(chart: Number, source: Source) -> Form:
    measure = source.measures[chart.metric]
    return {
        "viz_type": "big_number_total",
        "metric": chart.metric,
        "header_font_size": 0.4,
        "subtitle": _subtitle(chart, measure),
        "subtitle_font_size": 0.2,
        "y_axis_format": short(measure.unit),
        "time_format": DAY,
    }


def _trend(chart: Trend, source: Source) -> Form:
    measure = source.measures[chart.metric]
    compared = {
        "compare_lag": PERIODS_OF_A_YEAR[chart.grain],
        "compare_suffix": "on the year before",
    }
    return {
        "viz_type": "big_number",
        "metric": chart.metric,
        **_time_axis(chart.over, chart.grain, source),
        "aggregation": "LAST_VALUE",
        "show_trend_line": True,
        "start_y_axis_at_zero": False,
        "show_timestamp": True,
        "header_font_size": 0.4,
        "subheader_font_size": 0.15,
        "subtitle": "" if chart.compare else _subtitle(chart, measure),
        "subtitle_font_size": 0.15,
        "y_axis_format": short(measure.unit),
        "time_format": TIME_FORMATS[chart.grain],
        "rolling_type": "None",
        "color_picker": {"r": 31, "g": 168, "b": 201, "a": 1},
        **(compared if chart.compare else {}),
    }


def _subtitle(chart: Chart, measure: Measure) -> str:
    if chart.says and len(chart.says) <= SUBTITLE:
        return chart.says.rstrip(".")
    made_of = measure.made_of
    return made_of if made_of and len(made_of) <= SUBTITLE else words(measure.unit)


def _line(chart: Line, source: Source) -> Form:
    stacked = {"stack": "Stack", "opacity": 0.7, "markerEnabled": False}
    return {
        "viz_type": "echarts_timeseries_line" if chart.chart == "line" else "echarts_area",
        **_series(chart.measured, chart.by, source),
        **_time_axis(chart.over, chart.grain, source),
        "seriesType": "line",
        "markerEnabled": True,
        "markerSize": 5,
        **(stacked if chart.chart == "area" else {}),
        "showTooltipTotal": chart.chart == "area" and _add_up(chart.measured, source),
    }


def _bar(chart: Bar, source: Source) -> Form:
    over = chart.over or source.shape.time
    axis = (
        _time_axis(over, chart.grain, source)
        if over and source.shape.is_time(over)
        else _category_axis(str(over), chart.by, str(over))
    )
    stacked = chart.stack and bool(chart.by or len(chart.measured) > 1)
    return {
        "viz_type": "echarts_timeseries_bar",
        **_series(chart.measured, chart.by, source),
        **axis,
        "orientation": "vertical",
        "stack": "Stack" if stacked else None,
        "showTooltipTotal": stacked and _add_up(chart.measured, source),
    }


def _ranking(chart: Ranking, source: Source) -> Form:
    first, *parts = chart.by
    measure = source.measures[chart.measured[0]]
    return {
        "viz_type": "echarts_timeseries_bar",
        **_series(chart.measured, tuple(parts), source),
        # Lying bars are drawn from below, so the longest comes last.
        **_category_axis(first, tuple(parts), chart.measured[0]),
        "orientation": "horizontal",
        "stack": "Stack" if parts else None,
        "show_value": not parts and len(chart.measured) == 1 and not measure.may_be_negative,
        "row_limit": ROWS if parts else chart.limit,
        "showTooltipTotal": bool(parts) and _add_up(chart.measured, source),
    }


def _category_axis(axis: str, parts: tuple[str, ...], by: str) -> Form:
    # An axis whose bars have parts knows two orders: `name` and `sum`.
    order = ("name" if by == axis else "sum") if parts else by
    return {
        "x_axis": axis,
        "xAxisForceCategorical": True,
        "xAxisLabelInterval": "0",
        "x_axis_sort": order,
        "x_axis_sort_asc": True,
    }


def _series(measured: tuple[str, ...], by: tuple[str, ...], source: Source) -> Form:
    """What all charts with axes share."""
    several = bool(by) or len(measured) > 1
    return {
        "metrics": list(measured),
        "groupby": list(by),
        "row_limit": ROWS,
        "order_desc": True,
        "truncate_metric": True,
        "show_empty_columns": True,
        "rich_tooltip": True,
        "tooltipSortByMetric": several,
        "show_legend": several,
        "legendType": "plain",
        "legendOrientation": "top",
        "sort_series_type": "name" if by else "sum",
        "sort_series_ascending": bool(by),
        "color_scheme": COLOURS,
        "y_axis_format": along_axis(source.measures[measured[0]].unit),
        "y_axis_bounds": [None, None],
        "truncateYAxis": False,
        "zoomable": False,
    }


def _time_axis(over: str | None, grain: TimeGrain, source: Source) -> Form:
    return {
        "x_axis": over or source.shape.time,
        "time_grain_sqla": GRAINS[grain],
        "x_axis_time_format": TIME_FORMATS[grain],
        "tooltipTimeFormat": TIME_FORMATS[grain],
    }


def _share(chart: Share, source: Source) -> Form:
    return {
        "viz_type": "pie",
        "groupby": list(chart.by),
        "metric": chart.metric,
        "row_limit": chart.limit,
        "sort_by_metric": True,
        "donut": True,
        "innerRadius": 25,
        "outerRadius": 85,
        "label_type": "key_percent",
        "number_format": along_axis(source.measures[chart.metric].unit),
        "date_format": TIME_FORMATS["month"],
        "show_labels": True,
        "labels_outside": False,
        # Smaller parts have no room for a number.
        "show_labels_threshold": 5,
        "show_legend": True,
        "legendType": "scroll",
        "legendOrientation": "top",
        "color_scheme": COLOURS,
    }


def _table(chart: Table, source: Source) -> Form:
    shared = {
        "viz_type": "table",
        "row_limit": chart.limit,
        "server_pagination": False,
        "order_desc": True,
        "allow_rearrange_columns": False,
        "conditional_formatting": [],
        "color_pn": False,
    }
    if chart.columns:
        times = [name for name in chart.columns if source.shape.is_time(name)]
        ordered = [f'["{times[0]}", false]'] if times else []
        return {
            **shared,
            "query_mode": "raw",
            "all_columns": list(chart.columns),
            "groupby": [],
            "metrics": [],
            "order_by_cols": ordered,
            "show_cell_bars": False,
            "table_timestamp_format": _written_in_rows(chart.columns, source.shape),
            "column_config": {
                name: {"d3NumberFormat": written}
                for name in chart.columns
                if (written := of_column(source.shape.columns[name]))
            },
        }
    return {
        **shared,
        "query_mode": "aggregate",
        "groupby": list(chart.by),
        **_cut_times(chart.by, chart.grain, source),
        "all_columns": [],
        "metrics": list(chart.measured),
        "percent_metrics": [],
        "order_by_cols": [],
        "show_cell_bars": True,
        "table_timestamp_format": TIME_FORMATS[chart.grain],
        "column_config": {
            name: {"d3NumberFormat": exact(source.measures[name].unit)} for name in chart.measured
        },
    }


def _written_in_rows(columns: tuple[str, ...], shape: Shape) -> str:
    """One way to write all times of a table: as exact as the most exact of them."""
    times = [shape.columns[name] for name in columns if shape.is_time(name)]
    if any(time.type.startswith("TIMESTAMP") for time in times):
        return "%Y-%m-%d %H:%M:%S"
    return MONTH if all(time.name.endswith(("month", "period")) for time in times) else "%Y-%m-%d"


def _cut_times(columns: tuple[str, ...], grain: TimeGrain, source: Source) -> Form:
    """Times among a table's columns are cut to a grain."""
    times = {name: True for name in columns if source.shape.is_time(name)}
    cut = {"time_grain_sqla": GRAINS[grain]} if times else {}
    return {"temporal_columns_lookup": times, **cut}


def _pivot(chart: Pivot, source: Source) -> Form:
    adds_up = _add_up(chart.measured, source)
    return {
        "viz_type": "pivot_table_v2",
        "groupbyRows": list(chart.rows),
        "groupbyColumns": list(chart.columns),
        **_cut_times(chart.split, chart.grain, source),
        "metrics": list(chart.measured),
        "metricsLayout": "COLUMNS",
        "aggregateFunction": "Sum",
        # A total of ratios would be no ratio of anything.
        "rowTotals": adds_up and bool(chart.columns),
        "colTotals": adds_up,
        "row_limit": ROWS,
        "order_desc": True,
        "valueFormat": exact(source.measures[chart.measured[0]].unit),
        "date_format": TIME_FORMATS[chart.grain],
        "rowOrder": "key_a_to_z",
        "colOrder": "key_a_to_z",
    }


def _heat(chart: Heat, source: Source) -> Form:
    is_time = source.shape.is_time(chart.x)
    return {
        "viz_type": "heatmap_v2",
        "x_axis": chart.x,
        **({"time_grain_sqla": GRAINS[chart.grain]} if is_time else {}),
        "groupby": chart.y,
        "metric": chart.metric,
        "row_limit": ROWS,
        "sort_x_axis": "alpha_asc",
        "sort_y_axis": "alpha_asc",
        "normalize_across": "heatmap",
        "legend_type": "continuous",
        "linear_color_scheme": "superset_seq_1",
        "xscale_interval": -1,
        "yscale_interval": 1,
        # Automatic margins cut long labels off.
        "left_margin": 150 if chart.size == "full" else 100,
        "bottom_margin": 50,
        "value_bounds": [None, None],
        "y_axis_format": compact(source.measures[chart.metric].unit),
        "x_axis_time_format": TIME_FORMATS[chart.grain],
        "show_legend": True,
        "show_percentage": False,
        # Months are too many for numbers to fit, and small charts too narrow.
        "show_values": not is_time and COLUMNS[chart.size] >= COLUMNS["half"],
    }


def _scatter(chart: Scatter, source: Source) -> Form:
    x, y, bubble = (source.measures[name] for name in chart.measured)
    return {
        "viz_type": "bubble_v2",
        "entity": chart.entity,
        "series": chart.series,
        "x": chart.x,
        "y": chart.y,
        "size": chart.bubble,
        "row_limit": chart.limit,
        "max_bubble_size": "25",
        "opacity": 0.6,
        "color_scheme": COLOURS,
        "show_legend": chart.series is not None,
        "legendType": "plain",
        "legendOrientation": "top",
        "x_axis_label": x.label,
        "x_axis_title_margin": 30,
        "xAxisFormat": along_axis(x.unit),
        # The default leaves only the ends of the axis.
        "xAxisLabelInterval": None,
        "y_axis_label": y.label,
        "y_axis_title_margin": 50,
        "y_axis_format": along_axis(y.unit),
        "tooltipSizeFormat": along_axis(bubble.unit),
        "truncateXAxis": False,
        "truncateYAxis": False,
        "y_axis_bounds": [None, None],
    }


def _nested(chart: Nested, source: Source) -> Form:
    unit = source.measures[chart.metric].unit
    shared = {
        "metric": chart.metric,
        "row_limit": ROWS,
        "sort_by_metric": True,
        "number_format": along_axis(unit),
        "date_format": TIME_FORMATS["month"],
        "show_labels": True,
        "color_scheme": COLOURS,
    }
    if chart.chart == "sunburst":
        return {
            "viz_type": "sunburst_v2",
            **shared,
            "columns": list(chart.by),
            "label_type": "key",
            "show_labels_threshold": 5,
        }
    return {
        "viz_type": "treemap_v2",
        **shared,
        "groupby": list(chart.by),
        "label_type": "key_value",
        "show_upper_labels": len(chart.by) > 1,
    }


def _histogram(chart: Histogram, source: Source) -> Form:
    return {
        "viz_type": "histogram_v2",
        "column": chart.column,
        "groupby": list(chart.by),
        "bins": chart.bins,
        "row_limit": ROWS,
        "normalize": False,
        "cumulative": False,
        "color_scheme": COLOURS,
        "show_legend": bool(chart.by),
        "show_value": False,
        "x_axis_title": "",
        "x_axis_format": "SMART_NUMBER",
        "y_axis_title": "",
        "y_axis_format": ",d",
    }


def _box(chart: Box, source: Source) -> Form:
    return {
        "viz_type": "box_plot",
        "columns": list(chart.across),
        "groupby": list(chart.by),
        **_cut_times(chart.across, chart.grain, source),
        "metrics": list(chart.measured),
        "row_limit": ROWS,
        "whiskerOptions": "Tukey",
        "x_ticks_layout": "45°",
        "number_format": along_axis(source.measures[chart.measured[0]].unit),
        "date_format": TIME_FORMATS[chart.grain],
        "color_scheme": COLOURS,
        "zoomable": False,
    }


def _waterfall(chart: Waterfall, source: Source) -> Form:
    is_time = source.shape.is_time(chart.over)
    return {
        "viz_type": "waterfall",
        "x_axis": chart.over,
        **({"time_grain_sqla": GRAINS[chart.grain]} if is_time else {}),
        "groupby": [chart.by] if chart.by else [],
        "metric": chart.metric,
        "row_limit": ROWS,
        "show_legend": True,
        "show_value": False,
        "show_total": True,
        "increase_label": "Increase",
        "decrease_label": "Decrease",
        "total_label": "Total",
        "x_axis_time_format": TIME_FORMATS[chart.grain],
        # Left to itself it leaves names out that do not fit.
        "x_ticks_layout": "auto" if is_time else "45°",
        "y_axis_format": along_axis(source.measures[chart.metric].unit),
    }


def _add_up(measured: tuple[str, ...], source: Source) -> bool:
    return all(source.measures[name].adds_up for name in measured)


_KINDS: dict[str, Callable[[Any, Source], Form]] = {
    "number": _number,
    "trend": _trend,
    "line": _line,
    "area": _line,
    "bar": _bar,
    "ranking": _ranking,
    "share": _share,
    "table": _table,
    "pivot": _pivot,
    "heat": _heat,
    "scatter": _scatter,
    "treemap": _nested,
    "sunburst": _nested,
    "histogram": _histogram,
    "box": _box,
    "waterfall": _waterfall,
}
