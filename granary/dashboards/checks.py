"""What would draw an error, an empty chart or a wrong number is refused before it is built."""

from collections.abc import Iterator, Mapping, Sequence

from granary.dashboards.charts import Source
from granary.dashboards.filters import reaches
from granary.dashboards.measures import Measure, Measures
from granary.dashboards.shapes import Shape
from granary.dashboards.specs import (
    COLUMNS,
    PERIOD_FILTER,
    Bar,
    Box,
    Chart,
    Heat,
    Histogram,
    Line,
    Pivot,
    Spec,
    Table,
    Trend,
    Waterfall,
)
from granary.errors import GranaryError
from granary.yaml_files import Location
from semantic.registry import nearest

Fault = tuple[Location, str, str]
_WITH_GRAIN = (Trend, Line, Bar, Table, Pivot, Heat, Box, Waterfall)
_WITH_AXIS = (Trend, Line, Bar)
_ONE_SCALE = (Line, Bar)


def check_specs(specs: Sequence[Spec], shapes: Mapping[str, Shape], measures: Measures) -> None:
    """Refuse specs that do not fit the tables.

    Raises:
        GranaryError: names file, line, fault and fix of each.
    """
    faults = [
        spec.file.fault(location, message, remedy)
        for spec in specs
        for location, message, remedy in _faults(spec, shapes, measures)
    ]
    if faults:
        raise GranaryError("\n".join(map(str, faults)))


def _faults(spec: Spec, shapes: Mapping[str, Shape], measures: Measures) -> Iterator[Fault]:
    for location, chart in spec.charts():
        shape = shapes.get(chart.table)
        if shape is None:
            where = (*location, "table")
            yield where, f"there is no table {chart.table}.", nearest(chart.table, shapes)
        else:
            yield from _chart_faults(location, chart, Source(shape, measures[chart.table]))
    yield from _repeated(spec)
    yield from _uneven_rows(spec)
    yield from _idle_filters(spec, shapes)


def _chart_faults(location: Location, chart: Chart, source: Source) -> Iterator[Fault]:
    yield from _missing_columns(location, chart, source.shape)
    yield from _missing_axis(location, chart, source.shape)
    unknown = [name for name in chart.measured if name not in source.measures]
    for name in unknown:
        yield (
            _where(location, chart, name),
            f"{chart.table} cannot give the metric {name}.",
            nearest(name, source.measures),
        )
    if not unknown:
        measured = [source.measures[name] for name in chart.measured]
        yield from _mixed_units(location, chart, measured)
        yield from _added_stocks(location, chart, source, measured)


def _missing_columns(location: Location, chart: Chart, shape: Shape) -> Iterator[Fault]:
    named = [*chart.split, *chart.where, *([chart.axis] if chart.axis else [])]
    for name in dict.fromkeys(named):
        if name not in shape.columns:
            yield (
                _where(location, chart, name),
                f"{chart.table} has no column {name}.",
                nearest(name, shape.columns),
            )
    if isinstance(chart, Histogram) and chart.column in shape.columns:
        column = shape.columns[chart.column]
        if not column.is_number:
            where = (*location, "column")
            yield where, f"{column.name} holds no numbers.", "Take a column of numbers."


def _missing_axis(location: Location, chart: Chart, shape: Shape) -> Iterator[Fault]:
    if not isinstance(chart, _WITH_AXIS):
        return
    if chart.over is None and shape.time is None:
        yield location, f"{chart.table} has no main time.", "Say over: <column>."
    over = chart.over
    if isinstance(chart, Trend | Line) and over in shape.columns and not shape.is_time(str(over)):
        where = (*location, "over")
        yield where, f"{over} holds no times.", "Take a time, or a bar chart."


def _mixed_units(location: Location, chart: Chart, measured: Sequence[Measure]) -> Iterator[Fault]:
    units = list(dict.fromkeys(measure.unit.d3_format for measure in measured))
    if isinstance(chart, _ONE_SCALE) and len(units) > 1:
        names = ", ".join(f"{measure.name} ({measure.unit})" for measure in measured)
        where = (*location, "metrics")
        yield where, f"one axis cannot show {names}.", "Draw a chart of each."


def _added_stocks(
    location: Location, chart: Chart, source: Source, measured: Sequence[Measure]
) -> Iterator[Fault]:
    stocks = [measure.name for measure in measured if measure.is_stock]
    if stocks and not _keeps_months(chart, source.shape):
        yield (
            _where(location, chart, stocks[0]),
            f"{', '.join(stocks)} cannot be added up over months.",
            "Show it by month (over, by, x, rows), as a trend, or where its time is one month.",
        )


def _keeps_months(chart: Chart, shape: Shape) -> bool:
    time = shape.time
    if time is None or (time in chart.where and not isinstance(chart.where[time], dict | tuple)):
        return True
    shown = {*chart.split, chart.axis or (time if isinstance(chart, _WITH_AXIS) else None)}
    return time in shown and isinstance(chart, _WITH_GRAIN) and chart.grain in ("day", "month")


def _repeated(spec: Spec) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for location, chart in spec.charts():
        line = spec.file.line(location)
        if chart.name in seen:
            yield (
                location,
                f"the key {chart.name} is that of the chart in line {seen[chart.name]} too.",
                "Give one of them another title, or a key.",
            )
        seen.setdefault(chart.name, line)
    for n, tab in enumerate(spec.dashboard.tabs):
        if tab.tab in [other.tab for other in spec.dashboard.tabs[:n]]:
            yield ("tabs", n, "tab"), f"two tabs are called {tab.tab}.", "Rename one."
    for n, name in enumerate(spec.dashboard.filters):
        if name in spec.dashboard.filters[:n]:
            yield ("filters", n), f"the filter {name} stands twice.", "Remove one."


def _uneven_rows(spec: Spec) -> Iterator[Fault]:
    for t, tab in enumerate(spec.dashboard.tabs):
        for r, row in enumerate(tab.rows):
            width = sum(COLUMNS[chart.size] for chart in row)
            if width != COLUMNS["full"]:
                yield (
                    ("tabs", t, "rows", r),
                    f"the row fills {width} of {COLUMNS['full']} columns.",
                    "Choose sizes that make one full row.",
                )


def _idle_filters(spec: Spec, shapes: Mapping[str, Shape]) -> Iterator[Fault]:
    charts = [chart for _, chart in spec.charts() if chart.table in shapes]
    for n, name in enumerate(spec.dashboard.filters):
        if not any(reaches(name, chart, shapes[chart.table]) for chart in charts):
            known = sorted({column for chart in charts for column in shapes[chart.table].columns})
            yield (
                ("filters", n),
                f"no chart of the dashboard has {name}.",
                nearest(name, [PERIOD_FILTER, *known]),
            )


def _where(location: Location, chart: Chart, name: str) -> Location:
    """Where in a chart a name stands."""
    for field in type(chart).model_fields:
        value = getattr(chart, field)
        if field != "chart" and (value == name or (isinstance(value, dict) and name in value)):
            return (*location, field, name)
        if isinstance(value, tuple) and name in value:
            return (*location, field, value.index(name))
    return location
