"""The shipped charts, asked over Superset's API the way a browser asks."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import yaml

from granary.dashboards import Bundle
from granary.superset.client import Answer, Client

Row = dict[str, Any]
Filter = dict[str, Any]

TIMES = "TEMPORAL_RANGE"
# Superset's GenericDataType
TEMPORAL = 2


@dataclass(frozen=True)
class Chart:
    """A chart of a bundle.

    Attributes:
        dashboard: slug of the dashboard that it is on.
        table: the semantic table that it reads.
        query: what it asks for.
        measures: SQL of the metrics that its dataset has, by name.
    """

    dashboard: str
    key: str
    uuid: str
    kind: str
    table: str
    query: dict[str, Any]
    measures: dict[str, str]

    @property
    def name(self) -> str:
        """What tells it from all other charts."""
        return f"{self.dashboard}/{self.key}"

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of its metrics; none for a list of rows."""
        return tuple(self.query["metrics"] or ())

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of what it splits by or lists."""
        return tuple(
            column if isinstance(column, str) else column["sqlExpression"]
            for column in self.query["columns"]
        )


def charts_of(bundle: Bundle) -> list[Chart]:
    """Every chart of a bundle."""
    documents = {path: yaml.safe_load(text) for path, text in bundle.files.items()}
    datasets = {
        document["uuid"]: document
        for path, document in documents.items()
        if path.startswith("datasets/")
    }
    charts = []
    for path, document in documents.items():
        if path.startswith("charts/"):
            name = path.removeprefix("charts/").removesuffix(".yaml")
            dashboard, _, key = name.partition("__")
            [query] = json.loads(document["query_context"])["queries"]
            kind = document["viz_type"]
            dataset = datasets[document["dataset_uuid"]]
            measures = {one["metric_name"]: one["expression"] for one in dataset["metrics"]}
            table = dataset["table_name"]
            charts.append(Chart(dashboard, key, document["uuid"], kind, table, query, measures))
    return charts


def columns_of(bundle: Bundle) -> dict[str, set[str]]:
    """The columns of every dataset, by table."""
    documents = [
        yaml.safe_load(text) for path, text in bundle.files.items() if path.startswith("datasets/")
    ]
    return {
        document["table_name"]: {column["column_name"] for column in document["columns"]}
        for document in documents
    }


class Asker:
    """Asks for charts as one user."""

    def __init__(self, client: Client) -> None:
        """Look up which charts the user may see."""
        self._client = client
        self._sources: dict[str, tuple[int, int]] = {}
        page = 0
        while True:
            query = f"(columns:!(id,uuid,datasource_id),page:{page},page_size:100)"
            answer = client.get("/api/v1/chart/", q=query).content
            for found in answer["result"]:
                self._sources[found["uuid"]] = found["id"], found["datasource_id"]
            page += 1
            if page * 100 >= answer["count"]:
                break

    @property
    def visible(self) -> set[str]:
        """The uuids of the charts that the user may see."""
        return set(self._sources)

    def saved(self, chart: Chart, *, force: bool = True) -> Answer:
        """The answer to the chart as it is saved; `force` goes past the caches."""
        path = f"/api/v1/chart/{self._sources[chart.uuid][0]}/data/"
        return self._client.get(path, force="true") if force else self._client.get(path)

    def rows(self, chart: Chart, filters: Sequence[Filter] = ()) -> list[Row]:
        """What the chart's query gives under more filters, before it is turned for drawing.

        Args:
            filters: of columns, or one of times, which the chart puts in the place of its own.
        """
        own = chart.query["filters"]
        times = [given for given in filters if given["op"] == TIMES]
        if times:
            own = [{**given, **times[0]} if given["op"] == TIMES else given for given in own]
        others = [given for given in filters if given["op"] != TIMES]
        return self._ask(chart, {**chart.query, "filters": [*own, *others]})

    def values(self, chart: Chart, column: str) -> list[Any]:
        """The values of a column of the chart's table, as its filters offer them."""
        asked = {
            **chart.query,
            "columns": [column],
            "series_columns": [],
            "metrics": [],
            "orderby": [[column, True]],
        }
        return [row[column] for row in self._ask(chart, asked) if row[column] is not None]

    def _ask(self, chart: Chart, query: dict[str, Any]) -> list[Row]:
        asked = {**query, "post_processing": [], "row_limit": 50_000}
        context = {
            "datasource": {"id": self._sources[chart.uuid][1], "type": "table"},
            "force": True,
            "queries": [asked],
            "result_format": "json",
            "result_type": "full",
        }
        answer = self._client.post("/api/v1/chart/data", context)
        assert answer.status == 200, (chart.name, answer.content)
        [result] = answer.content["result"]
        assert not result["error"], (chart.name, result["error"])
        rows: list[Row] = result["data"]
        times = {
            name
            for name, kind in zip(result["colnames"], result["coltypes"], strict=True)
            if kind == TEMPORAL
        }
        return [
            {name: _day(value) if name in times else value for name, value in row.items()}
            for row in rows
        ]


def _day(value: Any) -> Any:
    if value is None:
        return None
    return datetime.fromtimestamp(value / 1000, UTC).date()
