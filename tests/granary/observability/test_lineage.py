import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from listeners import Listener, json_lines
from openlineage.client.event_v2 import RunState
from openlineage.client.serde import Serde
from runtime_support import Granary
from small_project import duckdb_settings

from granary.observability.lineage import run_events
from granary.runs import FinishedRun, ModelRun

BEGAN = datetime(2025, 3, 1, 10)


def test_a_file_leads_to_its_table(granary: Granary, home: Path, landing: Path) -> None:
    granary("load")
    good, bad = by_run(json_lines(home / "lineage/events.jsonl"))

    assert [event["eventType"] for event in good] == ["START", "COMPLETE"]
    done = good[-1]
    assert (done["job"]["namespace"], done["job"]["name"]) == ("granary", "land.aca_appeals")
    [source] = done["inputs"]
    assert source["namespace"] == "file"
    assert source["name"] == str(landing / "appeals_20250201T020000Z.csv")
    assert source["inputFacets"]["inputStatistics"]["rowCount"] == 3
    assert len(source["facets"]["version"]["datasetVersion"]) == 64
    [target] = done["outputs"]
    assert target["name"] == "raw.aca_appeals"
    assert target["outputFacets"]["outputStatistics"]["rowCount"] == 2
    batch = done["run"]["facets"]["granary_load"]
    assert (batch["tenantId"], batch["rowsRejected"]) == ("issuer_1", 1)

    assert [event["eventType"] for event in bad] == ["START", "FAIL"]
    assert "filed_date" in bad[-1]["run"]["facets"]["errorMessage"]["message"]


def by_run(events: list[Any]) -> list[list[Any]]:
    """Events of each run, in the order of their first."""
    runs = dict.fromkeys(event["run"]["runId"] for event in events)
    return [[event for event in events if event["run"]["runId"] == run] for run in runs]


def test_events_go_to_a_server_when_one_is_named(
    granary: Granary, home: Path, landing: Path, web: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", f"http://127.0.0.1:{web.port}")
    before = dict(os.environ)
    granary("load")
    assert {name for name in os.environ.keys() - before.keys() if "OPENLINEAGE" in name} == set()
    assert [event["eventType"] for event in web.received] == ["START", "COMPLETE", "START", "FAIL"]
    assert not (home / "lineage").exists()


def test_a_server_that_is_gone_is_a_warning(
    granary: Granary, landing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (landing / "appeals_20250301T020000Z.csv").unlink()
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", "http")
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__URL", "http://127.0.0.1:9")
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__RETRY__TOTAL", "0")
    told = granary("load")
    assert told.exit_code == 0
    assert "Events of lineage could not be sent" in told.messages
    assert "127.0.0.1" not in told.messages


def test_models_lead_from_what_they_read_to_what_they_fill(tmp_path: Path) -> None:
    models = {
        "core.dim_plan": ModelRun(
            "sqlmesh__core.x",
            seconds=2,
            began_at=BEGAN,
            reads=("core.plan_changes", "raw.aca_plans"),
            columns=(("plan_sk", "BIGINT"),),
        ),
        "core.fct_claim": ModelRun("", error="2 rows break the audit not_null(columns := (id))"),
    }
    run = FinishedRun(
        uuid4().hex, "plan", "sandbox", BEGAN, BEGAN + timedelta(seconds=9), "stopped", models
    )
    events = list(run_events(duckdb_settings(tmp_path), run))
    # What the client cannot write is no event.
    assert all(Serde.to_json(event) for event in events)
    told = [(event.job.name, event.eventType) for event in events]
    assert told == [
        ("plan.sandbox", RunState.START),
        ("core.dim_plan", RunState.START),
        ("core.dim_plan", RunState.COMPLETE),
        ("core.fct_claim", RunState.START),
        ("core.fct_claim", RunState.FAIL),
        ("plan.sandbox", RunState.FAIL),
    ]
    built = events[2]
    assert built.eventTime == "2025-03-01T10:00:02+00:00"
    # An environment's own views, and the raw tables that all share.
    assert [table.name for table in built.inputs] == ["core__sandbox.plan_changes", "raw.aca_plans"]
    assert [table.name for table in built.outputs] == ["core__sandbox.dim_plan"]
    assert built.run.facets["parent"].job.name == "plan.sandbox"
