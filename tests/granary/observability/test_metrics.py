from datetime import UTC, datetime
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from runtime_support import Granary

from granary.gateways.base import Gateway
from granary.observability.metrics import FAMILIES, write_metrics
from granary.runs import RunLog

Samples = dict[tuple[str, ...], float]


def samples(path: Path) -> Samples:
    """Values by name and labels, as Prometheus itself reads them."""
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(path.read_text())
        for sample in family.samples
    }


def test_a_load_writes_what_became_of_its_files(
    granary: Granary, home: Path, landing: Path
) -> None:
    granary("load")
    found = samples(home / "metrics/granary.prom")
    one = ("aca_appeals", "issuer_1")
    assert found["granary_rows_total", "aca_appeals", "loaded", "issuer_1"] == 2
    assert found["granary_rows_total", "aca_appeals", "rejected", "issuer_1"] == 1
    assert found["granary_rows_total", "aca_appeals", "duplicate", "issuer_1"] == 0
    assert found["granary_batches_total", "aca_appeals", "loaded", "issuer_1"] == 1
    assert found["granary_batches_total", "aca_appeals", "refused", "issuer_1"] == 1
    # The wrong line, and the file that was refused whole.
    assert found["granary_dead_letters_waiting", *one] == 2
    newest = datetime(2025, 2, 1, 2, tzinfo=UTC).timestamp()
    assert found["granary_newest_extract_timestamp_seconds", *one] == newest
    size = (landing / "appeals_20250201T020000Z.csv").stat().st_size
    assert found["granary_landed_bytes_total", *one] == size
    assert found["granary_landing_seconds_total", *one] >= 0
    for name in ("success", "failure"):
        assert found[f"granary_last_{name}_timestamp_seconds", "load"] > newest


def test_the_folder_can_be_that_of_another_program(
    granary: Granary, landing: Path, tmp_path: Path, monkeypatch: object
) -> None:
    folder = tmp_path / "node_exporter"
    monkeypatch.setenv("GRANARY_METRICS", str(folder))  # type: ignore[attr-defined]
    granary("load")
    assert [path.name for path in folder.iterdir()] == ["granary.prom"]


def test_runs_are_told_by_how_they_ended(gateway: Gateway, tmp_path: Path) -> None:
    with gateway.operations() as connection:
        log = RunLog(connection)
        log.finish(log.begin("run", "prod", "v1"))
        log.finish(log.begin("run", "prod", "v1"), "SQLMesh stopped")
        log.begin("plan", "sandbox", "v1")
        found = samples(write_metrics(connection, tmp_path))
    assert found["granary_runs_total", "prod", "done", "run"] == 1
    assert found["granary_runs_total", "prod", "failed", "run"] == 1
    assert found["granary_runs_total", "sandbox", "running", "plan"] == 1
    assert found["granary_run_seconds_total", "prod", "run"] >= 0
    assert ("granary_last_success_timestamp_seconds", "run") in found
    assert ("granary_last_failure_timestamp_seconds", "run") in found
    assert ("granary_last_success_timestamp_seconds", "load") not in found


def test_names_say_what_is_measured() -> None:
    for family in FAMILIES:
        assert family.name.startswith("granary_")
        assert not family.name.endswith("_total"), "the library adds it to counters"
        assert family.description.endswith(".")
