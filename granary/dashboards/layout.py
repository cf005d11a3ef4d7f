"""Where everything stands on a dashboard: tabs, a line of text, rows that fill the width."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from granary.dashboards.identity import PROD
from granary.dashboards.specs import COLUMNS, Chart, Spec, Tab

WIDTH = COLUMNS["full"]
# Heights are in Superset's units of 8 pixels.
UNIT = 8
LOW = {"number": 19, "trend": 27}
HIGH = 50
TALL = 88
# What a tab is wide on a screen of 1024 pixels, beside the filters.
LINE_OF_TEXT = 82
LINE_HEIGHT = 22
TEXT_MARGIN = 30

Component = dict[str, Any]


def position(
    environment: str, spec: Spec, title: str, charts: Mapping[str, tuple[int, UUID, str]]
) -> dict[str, Any]:
    """The components of a dashboard, by id.

    Args:
        environment: where the tables are; another than prod is named in every tab.
        spec: the dashboard.
        title: the dashboard's title.
        charts: number within the bundle, uuid and title of each chart, by its name.
    """
    tabs = [_tab(environment, n, tab, charts) for n, tab in enumerate(spec.dashboard.tabs, start=1)]
    top = [components[0]["id"] for components in tabs]
    placed = [component for components in tabs for component in components]
    return {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["TABS-all"]},
        "GRID_ID": _component("GRID", "GRID_ID", [], ["ROOT_ID"]),
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": title}},
        "TABS-all": _component("TABS", "TABS-all", top, ["ROOT_ID"], {}),
        **{component["id"]: component for component in placed},
    }


def _tab(
    environment: str, number: int, tab: Tab, charts: Mapping[str, tuple[int, UUID, str]]
) -> list[Component]:
    """The tab and all that is in it."""
    parents = ["ROOT_ID", "TABS-all"]
    name = f"TAB-{number}"
    text = _text_row(f"{number}-0", _header(environment, tab.says), [*parents, name])
    rows = [
        _row(f"{number}-{n}", row, charts, [*parents, name])
        for n, row in enumerate(tab.rows, start=1)
    ]
    meta = {"text": tab.tab, "defaultText": "Tab title", "placeholder": "Tab title"}
    children = [text[0]["id"], *(row[0]["id"] for row in rows)]
    return [
        _component("TAB", name, children, parents, meta),
        *text,
        *(component for row in rows for component in row),
    ]


def _header(environment: str, says: str) -> str:
    if environment == PROD:
        return says
    return f"**Environment {environment}: not prod.** {says}"


def _text_row(name: str, text: str, parents: list[str]) -> list[Component]:
    row, box = f"ROW-{name}", f"MARKDOWN-{name}"
    lines = sum(-(-max(len(line), 1) // LINE_OF_TEXT) for line in text.splitlines())
    meta = {
        "code": text,
        "width": WIDTH,
        "height": -(-(TEXT_MARGIN + LINE_HEIGHT * lines) // UNIT),
    }
    return [
        _component("ROW", row, [box], parents, {"background": "BACKGROUND_TRANSPARENT"}),
        _component("MARKDOWN", box, [], [*parents, row], meta),
    ]


def _row(
    name: str,
    row: Iterable[Chart],
    charts: Mapping[str, tuple[int, UUID, str]],
    parents: list[str],
) -> list[Component]:
    identity = f"ROW-{name}"
    height = row_height(row)
    placed = []
    for chart in row:
        number, uuid, title = charts[chart.name]
        meta = {
            "chartId": number,
            "uuid": str(uuid),
            "sliceName": title,
            "width": COLUMNS[chart.size],
            "height": height,
        }
        placed.append(_component("CHART", f"CHART-{chart.name}", [], [*parents, identity], meta))
    background = {"background": "BACKGROUND_TRANSPARENT"}
    children = [component["id"] for component in placed]
    return [_component("ROW", identity, children, parents, background), *placed]


def row_height(row: Iterable[Chart]) -> int:
    """The height of all charts of a row, so that no gap is left: what its tallest needs."""
    return max(TALL if chart.tall else LOW.get(chart.chart, HIGH) for chart in row)


def _component(
    kind: str,
    identity: str,
    children: list[str],
    parents: list[str],
    meta: Mapping[str, Any] | None = None,
) -> Component:
    component: Component = {
        "type": kind,
        "id": identity,
        "children": children,
        "parents": parents,
    }
    return component if meta is None else {**component, "meta": dict(meta)}
