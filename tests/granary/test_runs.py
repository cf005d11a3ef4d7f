import shutil
from dataclasses import astuple, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from granary.gateways.base import Connection, Gateway
from granary.landing.batch import LoadBatch
from granary.runs import AuditResult, Freshness, ModelRun, RunLog, project_version

NOW = datetime.now(UTC).replace(tzinfo=None)
SOON = NOW + timedelta(hours=1)
EARLIER = NOW - timedelta(hours=1)


def land(connection: Connection, load_id: int, at: datetime, status: str = "loaded") -> None:
    """Write the ledger row of a batch that landed or was refused at a time."""
    batch = LoadBatch(
        load_id=load_id,
        feed="aca_claims",
        tenant_id="issuer_1",
        domain="aca",
        source=f"aca/issuer_1/claims_{load_id}.csv",
        sha256="0" * 64,
        bytes=10,
        modified_at=at,
        extracted_at=at,
        load_timestamp=at,
        rows_read=1,
        rows_loaded=1,
        rows_rejected=0,
        rows_duplicate=0,
        expected_minimum_rows=0,
        status=status,
        error=None,
        started_at=at,
        finished_at=at,
    )
    names = ", ".join(field.name for field in fields(batch))
    places = ", ".join(f"${place}" for place in range(1, len(fields(batch)) + 1))
    connection.execute(f"INSERT INTO ops.load_batch ({names}) VALUES ({places})", astuple(batch))


def test_prod_is_fresh_after_a_run_and_stale_after_the_next_batch(gateway: Gateway) -> None:
    with gateway.operations() as connection:
        log = RunLog(connection)
        land(connection, 1, EARLIER)
        assert log.freshness("prod", "v1") == Freshness(False, False, 1)

        log.finish(log.begin("plan", "prod", "v1"))
        assert log.freshness("prod", "v1") == Freshness(True, True, 0)
        assert log.freshness("prod", "v2") == Freshness(True, False, 0)

        land(connection, 2, SOON)
        land(connection, 3, SOON, status="refused")
        assert log.freshness("prod", "v1") == Freshness(True, True, 1)


def test_a_batch_that_lands_while_a_run_goes_on_waits_for_the_next(gateway: Gateway) -> None:
    with gateway.operations() as connection:
        log = RunLog(connection)
        run_id = log.begin("run", "prod", "v1")
        land(connection, 1, datetime.now(UTC).replace(tzinfo=None))
        log.finish(run_id)
        assert log.freshness("prod", "v1").batches_waiting == 1


def test_only_runs_of_prod_that_came_to_their_end_count(gateway: Gateway) -> None:
    with gateway.operations() as connection:
        log = RunLog(connection)
        land(connection, 1, EARLIER)
        log.begin("run", "prod", "v1")
        log.finish(log.begin("run", "prod", "v1"), "SQLMesh stopped")
        log.finish(log.begin("plan", "sandbox", "v1"))
        assert log.freshness("prod", "v1") == Freshness(False, False, 1)
        assert log.freshness("sandbox", "v1") == Freshness(True, True, 0)

        rows = connection.execute(
            "SELECT verb, environment, status, error, finished_at IS NULL "
            "FROM ops.run ORDER BY started_at"
        ).fetchall()
        assert rows == [
            ("run", "prod", "running", None, True),
            ("run", "prod", "failed", "SQLMesh stopped", False),
            ("plan", "sandbox", "done", None, False),
        ]


def test_runs_without_an_end_are_listed_and_closed(gateway: Gateway) -> None:
    with gateway.operations() as connection:
        log = RunLog(connection)
        log.finish(log.begin("plan", "prod", "v1"))
        log.begin("run", "prod", "v1")
        log.begin("plan", "sandbox", "v1")
        unfinished = log.unfinished()
        assert [(run.verb, run.environment) for run in unfinished] == [
            ("plan", "sandbox"),
            ("run", "prod"),
        ]

        log.close_unfinished()
        assert log.unfinished() == []
        rows = connection.execute(
            "SELECT verb, status, error, finished_at >= started_at FROM ops.run ORDER BY started_at"
        ).fetchall()
        cut_off = "cut off: its process ended without a word"
        assert rows == [
            ("plan", "done", None, True),
            ("run", "failed", cut_off, True),
            ("plan", "failed", cut_off, True),
        ]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout with a file of each kind."""
    for name in (
        "config.yaml",
        "models/core/dim_member.sql",
        "models/core/fct_claim.sql",
        "macros/keys.py",
        "macros/__pycache__/keys.pyc",
        "audits/history.sql",
        "reference/aca/county.csv",
        "external_models/raw.yaml",
        "README.md",
        "tests/models/test_dim_member.yaml",
        "granary/cli.py",
    ):
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}")
    return tmp_path / "project"


@pytest.mark.parametrize(
    "name",
    [
        "config.yaml",
        "models/core/dim_member.sql",
        "macros/keys.py",
        "audits/history.sql",
        "reference/aca/county.csv",
        "external_models/raw.yaml",
    ],
)
def test_project_version_changes_with_whatever_defines_a_table(name: str, project: Path) -> None:
    before = project_version(project)
    (project / name).write_text("other content")
    changed = project_version(project)
    assert changed != before

    (project / name).write_text(f"content of {name}")
    assert project_version(project) == before


def test_project_version_changes_when_a_model_comes_goes_or_is_renamed(project: Path) -> None:
    models = project / "models" / "core"
    versions = [project_version(project)]
    (models / "dim_plan.sql").write_text("content")
    versions.append(project_version(project))
    (models / "dim_plan.sql").rename(models / "dim_product.sql")
    versions.append(project_version(project))
    (models / "fct_claim.sql").unlink()
    versions.append(project_version(project))
    assert len(set(versions)) == 4


def test_project_version_stays_with_everything_else(project: Path, tmp_path: Path) -> None:
    before = project_version(project)
    (project / "README.md").write_text("other words")
    (project / "tests/models/test_dim_member.yaml").unlink()
    (project / "granary/cli.py").write_text("print()")
    (project / "macros/__pycache__/keys.pyc").write_bytes(b"compiled anew")
    (project / "models/core/dim_member.sql").touch()
    assert project_version(project) == before

    copy = shutil.copytree(project, tmp_path / "another checkout")
    assert project_version(copy) == before


def test_what_a_run_did_to_each_model_is_kept(gateway: Gateway) -> None:
    with gateway.operations() as connection:
        log = RunLog(connection)
        models = {
            "core.dim_plan": ModelRun("ops.run", 1.5, audits_passed=3, audits_failed=1),
            "semantic.totals": ModelRun("ops.no_such_table", 0.25),
        }
        log.finish(log.begin("run", "prod", "v1"), "SQLMesh stopped", models, {"ops.run": 7})
        rows = connection.execute(
            "SELECT model, seconds, audits_passed, audits_failed, table_rows "
            "FROM ops.model_run ORDER BY model"
        ).fetchall()
    assert rows == [
        ("core.dim_plan", 1.5, 3, 1, 7),
        ("semantic.totals", 0.25, 0, 0, None),
    ]


def test_rows_are_estimated_for_tables_that_exist(gateway: Gateway) -> None:
    with gateway.operations() as connection:
        land(connection, 1, EARLIER)
        land(connection, 2, EARLIER)
        connection.execute("ANALYZE ops.load_batch")
    counted = gateway.estimated_rows(["ops.load_batch", "ops.no_such_table"])
    assert counted == {"ops.load_batch": 2}
    assert gateway.estimated_rows([]) == {}


def test_what_audits_found_is_kept_for_90_days(gateway: Gateway) -> None:
    old = AuditResult("not_null", "columns := (id)", True, 0, NOW - timedelta(days=91), 0.1)
    new = AuditResult("forall", "criteria := (amount > 0)", False, 3, NOW, 0.2)
    with gateway.operations() as connection:
        log = RunLog(connection)
        log.finish(log.begin("run", "prod", "v1"), None, {"core.a": ModelRun("", audits=[old])})
        again = log.begin("run", "prod", "v1")
        log.finish(again, None, {"core.a": ModelRun("", audits=[old, new])})
        rows = connection.execute(
            "SELECT run_id, model, audit_number, audit, blocking, rows_found FROM ops.audit_result"
        ).fetchall()
    assert rows == [(again, "core.a", 2, "forall", False, 3)]
