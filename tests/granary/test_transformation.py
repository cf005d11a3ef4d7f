import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import duckdb
import pytest
from small_project import duckdb_settings, opened, write_project

from granary.errors import GranaryError
from granary.pipeline import Pipeline
from granary.reporter import Reporter, Step
from granary.runs import RunLog
from granary.transformation import Transformation
from semantic.registry import Registry

PAYMENTS = """
MODEL (
  name core.payments, kind FULL, grain id,
  audits (
    not_null(columns := (id, amount)),
    accepted_range("column" := amount, min_v := 0),
    forall(criteria := (amount < 100), blocking := FALSE)
  )
);
SELECT id::INT AS id, amount::INT AS amount
FROM (VALUES {rows}) AS payments(id, amount)
"""
TOTALS = """
MODEL (name semantic.totals, kind FULL, grain total);
SELECT SUM(amount)::INT AS total FROM core.payments
"""
TEST = """
test_totals:
  model: semantic.totals
  inputs: {core.payments: {rows: [{id: 1, amount: 2}, {id: 2, amount: 3}]}}
  outputs: {query: {rows: [{total: TOTAL}]}}
"""
GOOD = "(1, 5), (2, 7)"
LARGE = "(1, 5), (2, 700)"
WRONG = "(1, -5), (2, NULL), (3, NULL)"
TOO_LARGE = "core.payments: 1 row breaks the audit forall(criteria := (amount < 100))"

Load = Callable[[], AbstractContextManager[Transformation]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of two models and a test."""
    files = {
        "models/payments.sql": PAYMENTS.format(rows=GOOD),
        "models/totals.sql": TOTALS,
        "tests/test_totals.yaml": TEST.replace("TOTAL", "5"),
    }
    return write_project(tmp_path / "project", files)


@pytest.fixture
def load(project: Path, tmp_path: Path) -> Load:
    """Loads the project as it is at that moment."""
    return partial(opened, project, tmp_path / "home")


@pytest.fixture
def step() -> Step:
    return Step(Reporter(), "Plan")


@pytest.fixture
def sqlmesh_log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What goes to sqlmesh.log."""
    logger = logging.getLogger("sqlmesh")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def hold(project: Path, rows: str) -> None:
    (project / "models" / "payments.sql").write_text(PAYMENTS.format(rows=rows))


def test_a_plan_tells_what_it_built_and_how_many_audits_passed(load: Load, step: Step) -> None:
    with load() as sqlmesh:
        assert sqlmesh.changes("prod") == ["+ core.payments (new)", "+ semantic.totals (new)"]
        done = sqlmesh.plan("prod", step)
    assert done.models.keys() == {"core.payments", "semantic.totals"}
    assert (done.audits, done.warnings, done.errors) == (3, [], [])


def test_runs_within_one_minute_see_what_came_between(
    load: Load, step: Step, project: Path, tmp_path: Path
) -> None:
    counting = "MODEL (name core.counted, kind FULL); SELECT COUNT(*)::INT AS n FROM src.sale"
    (project / "models" / "counted.sql").write_text(counting)
    file = tmp_path / "home" / "granary.duckdb"
    file.parent.mkdir()
    sell = "INSERT INTO src.sale VALUES (1)"
    counted = []
    for statements in (["CREATE SCHEMA src", "CREATE TABLE src.sale (id INT)"], [sell], [sell]):
        with duckdb.connect(str(file)) as warehouse:
            for statement in statements:
                warehouse.execute(statement)
        with load() as sqlmesh:
            done = sqlmesh.run(step) if counted else sqlmesh.plan("prod", step)
            assert "core.counted" in done.models
        with duckdb.connect(str(file)) as warehouse:
            counted += warehouse.execute("SELECT n FROM core.counted").fetchall()
    assert counted == [(0,), (1,), (2,)]


def test_a_failed_audit_stops_the_plan_and_names_model_audit_and_rows(
    load: Load, step: Step, project: Path, sqlmesh_log: pytest.LogCaptureFixture
) -> None:
    hold(project, WRONG)
    with load() as sqlmesh, pytest.raises(GranaryError) as failure:
        sqlmesh.plan("prod", step)
    lines = failure.value.message.splitlines()
    failed = sqlmesh.evaluations.models["core.payments"]
    assert (failed.audits_passed, failed.audits_failed) == (0, 2)
    assert [(one.audit, one.arguments, one.blocking, one.rows_found) for one in failed.audits] == [
        ("not_null", "columns := (id, amount)", True, 2),
        ("accepted_range", "column := amount, min_v := 0", True, 1),
        ("forall", "criteria := (amount < 100)", False, 0),
    ]
    assert lines[:3] == [
        "SQLMesh stopped:",
        "core.payments: 2 rows break the audit not_null(columns := (id, amount))",
        "core.payments: 1 row breaks the audit accepted_range(column := amount, min_v := 0)",
    ]
    assert "run the command again" in failure.value.remedy
    # Who mends it finds the query of the rows in the log.
    [query] = [line for line in sqlmesh_log.messages if "audit not_null" in line]
    assert "SELECT" in query
    assert "IS NULL" in query


def test_an_audit_that_only_warns_lets_the_plan_pass_and_is_told(
    load: Load, step: Step, project: Path
) -> None:
    hold(project, LARGE)
    with load() as sqlmesh:
        done = sqlmesh.plan("prod", step)
    assert done.models.keys() == {"core.payments", "semantic.totals"}
    assert done.audits == 2
    assert done.warnings == [TOO_LARGE]


def test_the_linter_warns_once_and_stops_with_the_file_and_the_rule(
    load: Load, step: Step, project: Path
) -> None:
    config = (project / "config.yaml").read_text()
    totals = project / "models" / "totals.sql"
    (project / "config.yaml").write_text(
        f"{config}linter: {{enabled: true, warn_rules: [nomissingaudits]}}\n"
    )
    with load() as sqlmesh:
        sqlmesh.changes("prod")
        [warning] = sqlmesh.plan("prod", step).warnings
    assert warning.startswith(f"{totals}: nomissingaudits: ")

    (project / "config.yaml").write_text(
        f"{config}linter: {{enabled: true, rules: [nomissingaudits]}}\n"
    )
    with load() as sqlmesh, pytest.raises(GranaryError) as failure:
        sqlmesh.changes("prod")
    assert f"{totals}: nomissingaudits: " in failure.value.message


def test_a_query_that_fails_is_told_with_its_model(load: Load, step: Step, project: Path) -> None:
    (project / "models" / "totals.sql").write_text(
        TOTALS.replace("SUM(amount)", "CAST('many' || SUM(amount)::TEXT AS INT)")
    )
    with load() as sqlmesh, pytest.raises(GranaryError, match=r"semantic\.totals: .*many12"):
        sqlmesh.plan("prod", step)


def test_a_model_that_does_not_load_is_told_with_its_file(load: Load, project: Path) -> None:
    (project / "models" / "totals.sql").write_text("MODEL (name semantic.totals);\nSELEC FROM x")
    with pytest.raises(GranaryError) as failure, load():
        pass
    assert "models/totals.sql" in failure.value.message
    assert "Line 2, Col: 10" in failure.value.message
    # Colours and underlines are for terminals.
    assert "\x1b" not in failure.value.message


def test_a_failing_unit_test_shows_both_sides(load: Load, project: Path) -> None:
    with load() as sqlmesh:
        sqlmesh.test()
    (project / "tests" / "test_totals.yaml").write_text(TEST.replace("TOTAL", "6"))
    with load() as sqlmesh, pytest.raises(GranaryError) as failure:
        sqlmesh.test()
    test = project / "tests" / "test_totals.yaml"
    assert failure.value.message.startswith(f"1 unit tests fail:\n{test}: test_totals: ")
    assert re.search(r"exp act\s+0\s+6\s+5", failure.value.message)


def test_only_what_an_environment_has_can_be_promoted(
    load: Load, step: Step, project: Path
) -> None:
    with load() as sqlmesh:
        with pytest.raises(GranaryError, match=r"There is no environment sandbox\."):
            sqlmesh.promote("sandbox", step)
        sqlmesh.plan("prod", step)
        with pytest.raises(GranaryError, match=r"There is no environment sandbox\.") as failure:
            sqlmesh.compare("prod", "sandbox")
        assert failure.value.remedy == "Make it with: granary plan sandbox"

    hold(project, "(1, 5), (2, 8), (3, 1)")
    with load() as sqlmesh:
        assert [line for line in sqlmesh.changes("sandbox") if line[0] in "+~-"] == [
            "~ core.payments (changed)",
            "~ semantic.totals (depends on a change)",
        ]
        sqlmesh.plan("sandbox", step)
        differences = {found.model: found for found in sqlmesh.compare("prod", "sandbox")}
        payments = differences["core.payments"]
        assert (payments.rows_only_in_source, payments.rows_only_in_target) == (0, 1)
        assert (payments.rows_changed, payments.rows_equal) == (1, 1)

    hold(project, "(1, 6)")
    with load() as sqlmesh, pytest.raises(GranaryError) as failure:
        sqlmesh.promote("sandbox", step)
    assert "~ core.payments (changed)" in failure.value.message
    assert "granary plan sandbox" in failure.value.remedy

    hold(project, "(1, 5), (2, 8), (3, 1)")
    with load() as sqlmesh:
        assert sqlmesh.promote("sandbox", step).models == {}
        assert sqlmesh.compare("prod", "sandbox") == []


def test_a_dropped_environment_is_gone_with_its_schemas_and_prod_stays(
    load: Load, step: Step, project: Path, tmp_path: Path
) -> None:
    with load() as sqlmesh:
        sqlmesh.plan("prod", step)
    (project / "models" / "payments.sql").write_text(PAYMENTS.format(rows="(1, 5), (2, 9)"))
    with load() as sqlmesh:
        sqlmesh.plan("sandbox", step)
        with pytest.raises(GranaryError) as told:
            sqlmesh.drop("sandbax")
        assert told.value.message == ("There is no environment sandbax; there are: prod, sandbox.")
        sqlmesh.drop("sandbox")
        with pytest.raises(GranaryError, match="there are: prod"):
            sqlmesh.drop("sandbox")
    with duckdb.connect(str(tmp_path / "home" / "granary.duckdb")) as connection:
        schemas = {
            name
            for (name,) in connection.sql("FROM duckdb_schemas() SELECT schema_name").fetchall()
        }
        assert not [name for name in schemas if name.endswith("__sandbox")]
        assert connection.sql("SELECT total FROM semantic.totals").fetchall() == [(12,)]


def test_a_state_that_is_in_use_is_told_in_a_sentence(load: Load, tmp_path: Path) -> None:
    state = tmp_path / "home" / "granary_state.duckdb"
    state.parent.mkdir()
    script = (
        f"import duckdb; c = duckdb.connect({str(state)!r}); print('open', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "open\n"
        with pytest.raises(GranaryError) as failure, load() as sqlmesh:
            sqlmesh.changes("prod")
        other.communicate("\n")
    assert "granary_state.duckdb" in failure.value.message
    assert "granary doctor" in failure.value.remedy


@pytest.fixture
def pipeline(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """The pipeline on the small project."""
    monkeypatch.setattr("granary.transformation.PROJECT", project)
    # The small project has no metrics.
    monkeypatch.setattr("granary.pipeline.load_registry", lambda: Registry([]))
    monkeypatch.setattr("granary.pipeline.record_definitions", lambda *_: None)
    monkeypatch.setattr("granary.metric_models.refresh_metric_models", list)
    # SQLMesh puts its settings into the environment of the process.
    for name in ("GRANARY_SQLMESH_GATEWAY", "GRANARY_SQLMESH_HOME"):
        monkeypatch.setenv(name, "")
    pipeline = Pipeline(duckdb_settings(tmp_path / "home"), Reporter())
    pipeline.gateway.start()
    return pipeline


def runs(pipeline: Pipeline) -> list[tuple[str, str, str, str | None]]:
    with pipeline.gateway.operations() as connection:
        return connection.execute(
            "SELECT verb, environment, status, error FROM ops.run ORDER BY started_at"
        ).fetchall()


def test_every_plan_is_recorded_with_its_end(
    pipeline: Pipeline, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hold(project, LARGE)
    pipeline.build_prod()
    hold(project, WRONG)
    with pytest.raises(GranaryError):
        pipeline.plan("sandbox", lambda _: None)

    messages = capsys.readouterr().err
    assert "Plan         prod: 2 models built, 2 audits passed (" in messages
    assert f"warning {TOO_LARGE}" in messages
    built, failed = runs(pipeline)
    assert built == ("plan", "prod", "done", None)
    assert failed[:3] == ("plan", "sandbox", "failed")
    assert "core.payments: 2 rows break the audit not_null" in (failed[3] or "")


def test_what_a_crash_left_is_closed_by_the_next_plan(pipeline: Pipeline) -> None:
    pipeline.freshness()
    with pipeline.gateway.operations() as connection:
        RunLog(connection).begin("run", "prod", "v1")
    pipeline.build_prod()
    assert runs(pipeline) == [
        ("run", "prod", "failed", "cut off: its process ended without a word"),
        ("plan", "prod", "done", None),
    ]


def test_a_plan_that_is_interrupted_is_recorded_as_failed(pipeline: Pipeline) -> None:
    def interrupt(_: list[str]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipeline.plan("sandbox", interrupt)
    assert runs(pipeline) == [("plan", "sandbox", "failed", "stopped before its end")]


def test_a_plan_tells_the_log_the_figures_and_lineage(
    pipeline: Pipeline, project: Path, tmp_path: Path
) -> None:
    hold(project, LARGE)
    pipeline.build_prod()
    hold(project, WRONG)
    with pytest.raises(GranaryError):
        pipeline.build_prod()

    home = tmp_path / "home"
    lines = [json.loads(line) for line in (home / "logs/granary.jsonl").read_text().splitlines()]
    told = [(line["event"], line.get("model"), line["level"]) for line in lines]
    assert told == [
        ("run_began", None, "info"),
        ("model_built", "core.payments", "info"),
        ("model_built", "semantic.totals", "info"),
        ("run_warned", None, "warning"),
        ("run_done", None, "info"),
        ("run_began", None, "info"),
        ("model_failed", "core.payments", "error"),
        ("run_failed", None, "error"),
    ]
    assert len({line["run_id"] for line in lines}) == 2
    assert "2 rows break the audit not_null" in lines[-2]["error"]

    with pipeline.gateway.operations() as connection:
        found = connection.execute(
            "SELECT audit, blocking, rows_found FROM ops.audit_result "
            "ORDER BY checked_at, audit_number"
        ).fetchall()
    assert found == [
        ("not_null", True, 0),
        ("accepted_range", True, 0),
        ("forall", False, 1),
        ("not_null", True, 2),
        ("accepted_range", True, 1),
        ("forall", False, 0),
    ]

    events = [json.loads(line) for line in (home / "lineage/events.jsonl").read_text().splitlines()]
    ends = [(event["job"]["name"], event["eventType"]) for event in events]
    assert ends.count(("core.payments", "COMPLETE")) == 1
    assert ends.count(("core.payments", "FAIL")) == 1
    assert ends[-1] == ("plan.prod", "FAIL")
    [totals] = [
        e for e in events if e["job"]["name"] == "semantic.totals" and e["eventType"] == "START"
    ]
    assert [table["name"] for table in totals["inputs"]] == ["core.payments"]
    assert totals["outputs"][0]["facets"]["schema"]["fields"][0]["name"] == "total"

    figures = (home / "metrics/granary.prom").read_text()
    assert 'granary_runs_total{environment="prod",status="failed",verb="plan"} 1.0' in figures
    assert 'granary_audits_total{environment="prod",outcome="failed"} 3.0' in figures
