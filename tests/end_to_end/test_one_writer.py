"""Two processes that want to write at once: `granary` or plain `sqlmesh`, on both gateways.

The warehouse has one model. Its evaluation waits at a gate that the test holds shut, so it is not
left to chance that both processes are at work at one moment.
"""

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from end_to_end.sandbox import UNIT_TEST, Outcome, Sandbox, finish
from granary.gateways.postgres import PostgresGateway

pytestmark = pytest.mark.slow

HEAD = """
  owner finance,
  grain payment_id,
  start '2026-01-01',
  description 'Version {version} of the payments. What was paid?',
"""
ON_POSTGRES = f"""
MODEL (
  name core.payments,
  kind INCREMENTAL_BY_TIME_RANGE (time_column paid_on, batch_size 1000),
  {HEAD}
  audits (not_null(columns := (payment_id)))
);

SELECT
  payments.payment_id::INT AS payment_id, /* number of the payment */
  {{version}}::INT AS version, /* of the model */
  payments.paid_on::DATE AS paid_on /* day of the payment */
FROM (
  VALUES (1, '2026-01-01'), (2, '2026-01-02'), (3, CURRENT_DATE::TEXT)
) AS payments(payment_id, paid_on)
CROSS JOIN (SELECT PG_ADVISORY_LOCK_SHARED({{gate}})::TEXT AS opened) AS gate
WHERE payments.paid_on::DATE BETWEEN @start_ds::DATE AND @end_ds::DATE
"""
ON_DUCKDB = '''
"""A model that waits at a gate."""

import time
from pathlib import Path

import pandas as pd
from sqlmesh import model


@model(
    "core.payments",
    kind="FULL",
    columns={{"payment_id": "int", "version": "int"}},
    column_descriptions={{"payment_id": "number of the payment", "version": "of the model"}},
    owner="finance",
    grain="payment_id",
    start="2026-01-01",
    description="What was paid?",
    audits=[("not_null", {{"columns": ["payment_id"]}})],
)
def execute(context, start, end, execution_time, **kwargs):
    Path("{reached}").touch()
    while not Path("{gate}").exists():
        time.sleep(0.1)
    return pd.DataFrame({{"payment_id": [1, 2], "version": {version}}})
'''
GATE = 4242
AT_THE_GATE = (
    "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
    f"AND classid = 0 AND objid = {GATE}"
)
PAYMENTS = (
    "SELECT payment_id, version, COUNT(*) AS rows FROM core.payments GROUP BY 1, 2 ORDER BY 1"
)
PLAN = ("plan", "prod", "--no-prompts", "--auto-apply", "--skip-tests")
RUN = ("run", "prod", "--ignore-cron")
BUSY = r"Another command writes: {holder} \(process {process} on [^)]*\), since \S+ UTC\."
GRANARY_PLAN = """
from granary.pipeline import Pipeline
from granary.reporter import Reporter
from granary.settings import Settings
from granary.transformation import open_transformation

reporter = Reporter()
pipeline = Pipeline(Settings(), reporter)
pipeline.start()
with pipeline.alone("plan prod"), reporter.step("Plan") as step:
    with pipeline.gateway.store() as store:
        store.prepare([])
    with open_transformation(pipeline.settings, pipeline.gateway) as sqlmesh:
        sqlmesh.plan("prod", step)
"""
HOOK = "  - '@take_writer_lock()'\n"


def start_granary(sandbox: Sandbox) -> subprocess.Popen[str]:
    """Start what `granary plan prod` does, without the metrics, which need all models."""
    return sandbox._start(GRANARY_PLAN)


def once(version: int, payments: int = 3) -> list[dict[str, int]]:
    """The payments as they should be; the third is of today, which a plain plan leaves to a run."""
    return [
        {"payment_id": number, "version": version, "rows": 1} for number in range(1, payments + 1)
    ]


def told(outcome: Outcome) -> str:
    """All that a command said, in one line, as if the terminal were wide enough."""
    return re.sub(r"\s+", " ", outcome.answer + outcome.messages)


def wait_until(is_so: Callable[[], bool], *processes: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 180
    while not is_so():
        ended = [finish(process) for process in processes if process.poll() is not None]
        assert not ended, told(ended[0])
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def with_one_model(folder: Path, name: str, gateway: str) -> Sandbox:
    sandbox = Sandbox(folder / name, gateway)  # type: ignore[arg-type]
    shutil.rmtree(sandbox.checkout / "models")
    (sandbox.checkout / UNIT_TEST).unlink()
    (sandbox.checkout / "models").mkdir()
    return sandbox


@pytest.fixture(scope="module")
def postgres_of_payments(reachable_folder: Path) -> Iterator[Sandbox]:
    """Version 1 of the payments is in prod, up to yesterday."""
    sandbox = with_one_model(reachable_folder, "one_writer", "postgres")
    write_version(sandbox, 1)
    built = finish(start_granary(sandbox))
    assert built.exit_code == 0, built.messages
    yield sandbox
    sandbox.gateway.destroy()


def write_version(sandbox: Sandbox, version: int) -> None:
    (sandbox.checkout / "models" / "payments.sql").write_text(
        ON_POSTGRES.format(version=version, gate=GATE)
    )


@contextmanager
def shut_gate(sandbox: Sandbox) -> Iterator[None]:
    """While it is shut, no evaluation ends."""
    assert isinstance(sandbox.gateway, PostgresGateway)
    with psycopg.connect(
        sandbox.gateway.warehouse.transformer.conninfo(), autocommit=True
    ) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [GATE])
        yield


def at_the_gate(sandbox: Sandbox, number: int) -> Callable[[], bool]:
    return lambda: sandbox.value(AT_THE_GATE) == number


def test_two_plain_plans_of_one_version_build_it_once(postgres_of_payments: Sandbox) -> None:
    sandbox = postgres_of_payments
    write_version(sandbox, 2)
    with shut_gate(sandbox):
        both = [sandbox.start_sqlmesh(*PLAN) for _ in range(2)]
        wait_until(lambda: any(process.poll() is not None for process in both))
        [refused] = [process for process in both if process.poll() is not None]
        [builds] = [process for process in both if process is not refused]
        wait_until(at_the_gate(sandbox, 1), builds)
    outcome = finish(refused)
    assert outcome.exit_code == 1
    assert re.search(BUSY.format(holder="sqlmesh", process=builds.pid), told(outcome))
    assert "Nothing was changed." in told(outcome)
    assert finish(builds).exit_code == 0
    assert sandbox.rows(PAYMENTS) == once(2, payments=2)

    again = finish(sandbox.start_sqlmesh(*PLAN))
    assert again.exit_code == 0, told(again)
    assert sandbox.rows(PAYMENTS) == once(2, payments=2)


def test_plain_plan_does_not_begin_while_granary_plans(postgres_of_payments: Sandbox) -> None:
    sandbox = postgres_of_payments
    write_version(sandbox, 3)
    with shut_gate(sandbox):
        ours = start_granary(sandbox)
        wait_until(at_the_gate(sandbox, 1), ours)
        plain = finish(sandbox.start_sqlmesh(*PLAN))
    assert plain.exit_code == 1
    assert re.search(BUSY.format(holder="granary plan prod", process=ours.pid), told(plain))
    outcome = finish(ours)
    assert outcome.exit_code == 0, outcome.messages
    assert sandbox.rows(PAYMENTS) == once(3)


def test_granary_waits_for_a_plain_plan_and_says_so(postgres_of_payments: Sandbox) -> None:
    sandbox = postgres_of_payments
    write_version(sandbox, 4)
    waits = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event = 'advisory'"
    with shut_gate(sandbox):
        plain = sandbox.start_sqlmesh(*PLAN)
        wait_until(at_the_gate(sandbox, 1), plain)
        ours = start_granary(sandbox)
        wait_until(lambda: sandbox.value(waits) == 2, plain, ours)
    assert finish(plain).exit_code == 0
    outcome = finish(ours)
    assert outcome.exit_code == 0, outcome.messages
    assert f"Waiting for sqlmesh (process {plain.pid} on " in outcome.messages
    assert sandbox.rows(PAYMENTS) == once(4)


def test_two_plain_runs_do_not_run_at_once(postgres_of_payments: Sandbox) -> None:
    sandbox = postgres_of_payments
    write_version(sandbox, 5)
    planned = finish(sandbox.start_sqlmesh(*PLAN))
    assert planned.exit_code == 0, told(planned)
    assert sandbox.rows(PAYMENTS) == once(5, payments=2)
    with shut_gate(sandbox):
        both = [sandbox.start_sqlmesh(*RUN) for _ in range(2)]
        wait_until(lambda: any(process.poll() is not None for process in both))
        [refused] = [process for process in both if process.poll() is not None]
        [runs] = [process for process in both if process is not refused]
        wait_until(at_the_gate(sandbox, 1), runs)
    outcome = finish(refused)
    assert outcome.exit_code == 1
    assert re.search(BUSY.format(holder="sqlmesh", process=runs.pid), told(outcome))
    assert finish(runs).exit_code == 0
    assert sandbox.rows(PAYMENTS) == once(5)


def test_lock_goes_with_a_plain_plan_that_is_killed(postgres_of_payments: Sandbox) -> None:
    sandbox = postgres_of_payments
    write_version(sandbox, 6)
    with shut_gate(sandbox):
        killed = sandbox.start_sqlmesh(*PLAN)
        wait_until(at_the_gate(sandbox, 1), killed)
        killed.kill()
        killed.communicate()
    wait_until(lambda: sandbox.gateway.writer_now() is None)
    outcome = finish(start_granary(sandbox))
    assert outcome.exit_code == 0, outcome.messages
    assert sandbox.rows(PAYMENTS) == once(6)


def test_without_the_hook_rows_double(postgres_of_payments: Sandbox) -> None:
    """What the lock is there for; should this fail one day, SQLMesh guards its plans itself."""
    sandbox = postgres_of_payments
    config = sandbox.checkout / "config.yaml"
    guarded = config.read_text()
    assert guarded.count(HOOK) == 1
    config.write_text(guarded.replace(f"before_all:\n{HOOK}", ""))
    write_version(sandbox, 7)
    with shut_gate(sandbox):
        first = sandbox.start_sqlmesh(*PLAN)
        wait_until(at_the_gate(sandbox, 1), first)
        second = sandbox.start_sqlmesh(*PLAN)
        wait_until(at_the_gate(sandbox, 2), first, second)
    outcomes = [finish(first), finish(second)]
    config.write_text(guarded)
    # The other may notice at its end that it was overtaken, which is too late.
    assert 0 in [outcome.exit_code for outcome in outcomes], told(outcomes[1])
    assert {row["rows"] for row in sandbox.rows(PAYMENTS)} == {2}

    repaired = finish(sandbox.start_sqlmesh(*PLAN, "--restate-model", "core.payments"))
    assert repaired.exit_code == 0, told(repaired)
    assert sandbox.rows(PAYMENTS) == once(7, payments=2)


@pytest.mark.parametrize("first", ["granary", "sqlmesh"])
def test_duckdb_lets_one_process_in(tmp_path: Path, first: str) -> None:
    sandbox = with_one_model(tmp_path, "one_writer", "duckdb")
    gate, reached = tmp_path / "gate", tmp_path / "reached"
    model = sandbox.checkout / "models" / "payments.py"
    gate.touch()
    model.write_text(ON_DUCKDB.format(version=1, gate=gate, reached=reached))
    built = finish(start_granary(sandbox))
    assert built.exit_code == 0, built.messages
    gate.unlink()
    reached.unlink()

    model.write_text(ON_DUCKDB.format(version=2, gate=gate, reached=reached))
    begun = start_granary(sandbox) if first == "granary" else sandbox.start_sqlmesh(*PLAN)
    wait_until(reached.exists, begun)
    plain = finish(sandbox.start_sqlmesh(*PLAN))
    ours = start_granary(sandbox) if first == "sqlmesh" else None
    refused = finish(ours) if ours else None
    gate.touch()
    outcome = finish(begun)

    assert plain.exit_code == 1
    assert "Could not set lock on file" in told(plain)
    assert f"PID {begun.pid}" in told(plain)
    if refused:
        assert refused.exit_code == 1
        assert "is in use by another process" in refused.messages
    assert outcome.exit_code == 0, told(outcome)
    assert sandbox.rows(PAYMENTS) == once(2, payments=2)
