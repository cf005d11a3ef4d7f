"""The filters beside a dashboard, each reaching the charts whose table has its column."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from granary.dashboards.charts import time_column
from granary.dashboards.identity import asset_uuid
from granary.dashboards.shapes import Shape
from granary.dashboards.specs import PERIOD_FILTER, Chart
from granary.dashboards.wording import Wording


def native_filter(
    environment: str,
    name: str,
    charts: Sequence[Chart],
    shapes: Mapping[str, Shape],
    wording: Wording,
) -> dict[str, Any]:
    """A filter as Superset saves it.

    Args:
        environment: where the tables are.
        name: `period`, or a column.
        charts: the dashboard's, in the order of their numbers, which begin at 1.
        shapes: the tables.
        wording: labels of columns.
    """
    reached = [chart for chart in charts if reaches(name, chart, shapes[chart.table])]
    excluded = [n for n, chart in enumerate(charts, start=1) if chart not in reached]
    is_period = name == PERIOD_FILTER
    return {
        "id": f"NATIVE_FILTER-{name}",
        "name": "Period" if is_period else wording.label(name),
        "filterType": "filter_time" if is_period else "filter_select",
        "type": "NATIVE_FILTER",
        "description": "",
        "targets": [{}] if is_period else [_target(environment, name, reached)],
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": excluded},
        "defaultDataMask": {"extraFormData": {}, "filterState": {}, "ownState": {}},
        "controlValues": {"enableEmptyFilter": False} if is_period else _SELECTS,
    }


def reaches(name: str, chart: Chart, shape: Shape) -> bool:
    """Whether a filter changes what a chart of a table shows."""
    if name == PERIOD_FILTER:
        return time_column(chart, shape) is not None
    return name in shape.columns


def _target(environment: str, column: str, reached: Sequence[Chart]) -> dict[str, Any]:
    """Where the values to choose from come from: the table that most charts read."""
    counted = Counter(chart.table for chart in reached)
    table = min(counted, key=lambda name: (-counted[name], name))
    return {
        "column": {"name": column},
        "datasetUuid": str(asset_uuid(environment, "dataset", table)),
    }


_SELECTS = {
    "enableEmptyFilter": False,
    "multiSelect": True,
    "defaultToFirstItem": False,
    "inverseSelection": False,
    "searchAllOptions": False,
    "sortAscending": True,
}
