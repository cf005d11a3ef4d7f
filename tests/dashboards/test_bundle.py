"""What is built: the same at every build, whole, and nothing that is a machine's own."""

import re
from collections import Counter

import pytest
import yaml

from dashboards.bundles import documents, placed
from dashboards.conftest import EVERY_KIND, MODELS
from granary.dashboards import Bundle, build_bundle
from granary.dashboards.bundle import Sources, assemble, read_sources
from granary.dashboards.identity import DATABASE_UUID, asset_uuid
from granary.settings import PROJECT
from semantic.registry import Registry


@pytest.fixture(scope="module")
def product() -> Bundle:
    return build_bundle("prod")


def test_two_builds_have_the_same_bytes(bundle: Bundle, registry: Registry) -> None:
    again = assemble("prod", read_sources(EVERY_KIND, MODELS, registry))
    assert again == bundle
    assert list(again.files) == sorted(again.files)


def test_uuids_never_change() -> None:
    assert str(DATABASE_UUID) == "dedbefcc-f437-591f-a0a7-730714c8d853"
    assert (
        str(asset_uuid("prod", "dashboard", "executive-overview"))
        == "05325c8c-cb1a-5ef5-bbbd-4beb419261bc"
    )


def test_the_fingerprint_tells_a_changed_letter(sources: Sources, bundle: Bundle) -> None:
    [spec] = sources.specs
    dashboard = spec.dashboard.model_copy(update={"says": "Another sentence."})
    changed = type(spec)(spec.slug, spec.file, dashboard)
    other = Sources([changed], sources.shapes, sources.measures, sources.wording)
    assert assemble("prod", other).fingerprint != bundle.fingerprint


def test_another_environment_is_a_clone_that_shares_nothing(
    sources: Sources, bundle: Bundle
) -> None:
    clone = assemble("sandbox", sources)
    [dashboard] = documents(clone, "dashboards").values()
    assert dashboard["slug"] == "every-kind-sandbox"
    assert dashboard["dashboard_title"] == "Every kind [sandbox]"
    assert "background" in dashboard["css"]
    texts = [text["meta"]["code"] for text in placed(dashboard, "MARKDOWN")]
    assert all(text.startswith("**Environment sandbox: not prod.**") for text in texts)
    assert {d["schema"] for d in documents(clone, "datasets").values()} == {"semantic__sandbox"}
    assert all(c["slice_name"].endswith(" [sandbox]") for c in documents(clone, "charts").values())
    assert clone.files.keys() == bundle.files.keys()
    assert not uuids(clone) & uuids(bundle)


def uuids(bundle: Bundle) -> set[str]:
    return {
        document["uuid"]
        for folder in ("datasets", "charts", "dashboards")
        for document in documents(bundle, folder).values()
    }


@pytest.mark.parametrize("which", ["bundle", "product"])
def test_nothing_is_unused_and_nothing_there_twice(
    which: str, request: pytest.FixtureRequest
) -> None:
    built: Bundle = request.getfixturevalue(which)
    datasets, charts = documents(built, "datasets"), documents(built, "charts")
    dashboards = documents(built, "dashboards")
    files = len(datasets) + len(charts) + len(dashboards)
    assert len(uuids(built)) == files == len(built.files) - 1
    shown = Counter(c["meta"]["uuid"] for d in dashboards.values() for c in placed(d, "CHART"))
    assert shown == Counter(chart["uuid"] for chart in charts.values())
    assert {c["dataset_uuid"] for c in charts.values()} <= {d["uuid"] for d in datasets.values()}
    assert len({d["slug"] for d in dashboards.values()}) == len(dashboards)
    tables = [dataset["table_name"] for dataset in datasets.values()]
    assert sorted(tables) == sorted(path.stem for path in MODELS.rglob("*.sql"))


@pytest.mark.parametrize("which", ["bundle", "product"])
def test_no_file_holds_a_secret_a_port_or_a_path_of_this_machine(
    which: str, request: pytest.FixtureRequest
) -> None:
    built: Bundle = request.getfixturevalue(which)
    refused = re.compile(
        rf"passw|secret|sqlalchemy_uri|://|localhost|127\.0\.0|{re.escape(str(PROJECT))}|/home/|/tmp/",
        re.IGNORECASE,
    )
    found = [path for path, text in built.files.items() if refused.search(text)]
    assert found == []
    assert not [path for path in built.files if path.startswith("databases/")]


def test_a_dataset_says_what_its_columns_and_metrics_are(bundle: Bundle) -> None:
    dataset = yaml.safe_load(bundle.files["datasets/Granary/aca_metrics_detail.yaml"])
    columns = {column["column_name"]: column for column in dataset["columns"]}
    metrics = {metric["metric_name"]: metric for metric in dataset["metrics"]}
    assert dataset["schema"] == "semantic"
    assert dataset["main_dttm_col"] == "period"
    assert dataset["description"].endswith("Ratios follow from the sums.")
    assert columns["period"]["is_dttm"]
    assert columns["tenant_id"]["verbose_name"] == "Issuer"
    assert columns["metal_tier"]["verbose_name"] == "Metal level"
    assert columns["claims_paid"]["type"] == "DECIMAL(20, 2)"
    assert not columns["claims_paid"]["groupby"]
    assert metrics["paid_pmpm"]["verbose_name"] == "Paid PMPM"
    assert "NULLIF(" in metrics["paid_pmpm"]["expression"]
    assert metrics["paid_pmpm"]["d3format"] == "$,.2f"
    assert metrics["claims_paid"]["d3format"] == "$.3~s"
    assert metrics["effectuated_enrollment"]["warning_text"] == "Holds within one period only."
    certified = dataset["extra"]["certification"]
    assert certified["certified_by"] == "analytics engineering"
    assert certified["details"] == "Its rows were published because 3 audits passed."


def test_a_value_has_the_colour_of_the_file_on_dashboards_that_split_by_it(
    bundle: Bundle,
) -> None:
    [dashboard] = documents(bundle, "dashboards").values()
    colours = dashboard["metadata"]["label_colors"]
    assert colours == {"bronze": "#B0703C", "gold": "#E0B12B", "paid": "#2E9E6B"}
