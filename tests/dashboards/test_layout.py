"""Rows fill the width, stand level and leave no gap; filters reach what they can change."""

from typing import Any

import pytest

from dashboards.bundles import documents, placed
from granary.dashboards import build_bundle
from granary.dashboards.bundle import Bundle


@pytest.fixture(scope="module", params=["every kind", "product"])
def dashboards(request: pytest.FixtureRequest, bundle: Bundle) -> Bundle:
    return bundle if request.param == "every kind" else build_bundle("prod")


def test_every_row_fills_the_width_at_one_height(dashboards: Bundle) -> None:
    for path, dashboard in documents(dashboards, "dashboards").items():
        position = dashboard["position"]
        for row in placed(dashboard, "ROW"):
            inside = [position[child]["meta"] for child in row["children"]]
            assert sum(meta["width"] for meta in inside) == 12, (path, row["id"])
            assert len({meta["height"] for meta in inside}) == 1, (path, row["id"])


def test_every_component_is_the_child_of_one_parent(dashboards: Bundle) -> None:
    for path, dashboard in documents(dashboards, "dashboards").items():
        position = dashboard["position"]
        children = [
            c
            for part in position.values()
            if isinstance(part, dict)
            for c in part.get("children", [])
        ]
        alone = {"DASHBOARD_VERSION_KEY", "ROOT_ID", "GRID_ID", "HEADER_ID"}
        assert sorted(children) == sorted(position.keys() - alone), path
        for name in children:
            *_, parent = position[name]["parents"]
            assert name in position[parent]["children"], (path, name)


def test_every_tab_begins_with_a_low_line_of_text(dashboards: Bundle) -> None:
    for path, dashboard in documents(dashboards, "dashboards").items():
        for tab in placed(dashboard, "TAB"):
            row = dashboard["position"][tab["children"][0]]
            [text] = [dashboard["position"][child] for child in row["children"]]
            assert text["type"] == "MARKDOWN", path
            assert text["meta"]["code"], path
            assert text["meta"]["height"] <= 20, (path, tab["meta"]["text"])


def test_numbers_stand_in_low_rows(bundle: Bundle) -> None:
    [dashboard] = documents(bundle, "dashboards").values()
    heights = {c["id"]: c["meta"]["height"] for c in placed(dashboard, "CHART")}
    assert heights["CHART-claims-paid"] < heights["CHART-states-by-claims"]


def test_each_filter_reaches_exactly_the_charts_whose_table_has_its_column(
    dashboards: Bundle,
) -> None:
    datasets = {d["uuid"]: d for d in documents(dashboards, "datasets").values()}
    charts = {c["uuid"]: c for c in documents(dashboards, "charts").values()}
    for path, dashboard in documents(dashboards, "dashboards").items():
        numbers = {
            c["meta"]["chartId"]: charts[c["meta"]["uuid"]] for c in placed(dashboard, "CHART")
        }
        for one in dashboard["metadata"]["native_filter_configuration"]:
            excluded = set(one["scope"]["excluded"])
            reached = {
                number
                for number, chart in numbers.items()
                if _can_be_filtered(one, chart, datasets[chart["dataset_uuid"]])
            }
            assert reached, (path, one["name"])
            assert numbers.keys() - reached == excluded, (path, one["name"])


def _can_be_filtered(one: dict[str, Any], chart: dict[str, Any], dataset: dict[str, Any]) -> bool:
    if one["filterType"] == "filter_time":
        filters = chart["params"]["adhoc_filters"]
        return any(f["operator"] == "TEMPORAL_RANGE" for f in filters)
    [target] = one["targets"]
    return target["column"]["name"] in {c["column_name"] for c in dataset["columns"]}


def test_a_filters_values_come_from_the_table_that_most_charts_read(bundle: Bundle) -> None:
    [dashboard] = documents(bundle, "dashboards").values()
    detail = documents(bundle, "datasets")["datasets/Granary/aca_metrics_detail.yaml"]["uuid"]
    period, *others = dashboard["metadata"]["native_filter_configuration"]
    assert period["targets"] == [{}]
    assert [one["name"] for one in others] == ["Issuer", "Metal level", "State"]
    assert {one["targets"][0]["datasetUuid"] for one in others} == {detail}
