"""A user's days with the warehouse, through the command line, from the first `up` on.

Each fixture is a step of the story and rests on the step before; each test tells what one step
showed. The warehouse is PostgreSQL, and the oracle says what it should hold.
"""

import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from oracle.arrivals import LATE, TABLES, Arrivals, Arrived, differences, observe

from end_to_end.sandbox import Outcome, Sandbox, finish
from granary.gateways.postgres import PostgresGateway

pytestmark = pytest.mark.slow

MODEL = Path("models/semantic/aca/dashboard_summary.sql")
BEFORE, AFTER = "IN ('paid', 'denied') THEN", "IN ('paid', 'denied', 'reversed') THEN"
DECIDED = "SELECT SUM(decided_lines) FROM {schema}.dashboard_summary"
NEWEST_CLAIMS = "SELECT MAX(extracted_at) FROM {table} WHERE tenant_id = 'issuer_1'"
WAITING = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@dataclass(frozen=True)
class Murder:
    """A run that was killed half way, and the one that waited behind it.

    Attributes:
        newest_fact: extract time of the newest claim line when the first run died.
        newest_staged: the same in staging.
    """

    victim: int
    second: Outcome
    arrived: Arrived
    newest_fact: object
    newest_staged: object


@pytest.fixture(scope="module")
def up_again(postgres: Sandbox, postgres_grown: Arrived) -> Outcome:
    return postgres.granary("up")


@pytest.fixture(scope="module")
def run_again(postgres: Sandbox, up_again: Outcome) -> Outcome:
    return postgres.granary("run")


@pytest.fixture(scope="module")
def planned(postgres: Sandbox, run_again: Outcome) -> Outcome:
    """The analyst counts a reversed line as decided, and plans that in a sandbox."""
    model = postgres.checkout / MODEL
    text = model.read_text()
    assert text.count(BEFORE) == 1
    model.write_text(text.replace(BEFORE, AFTER))
    return postgres.granary("plan", "sandbox")


@pytest.fixture(scope="module")
def decided(postgres: Sandbox, planned: Outcome) -> dict[str, object]:
    """What prod and the sandbox say after the plan."""
    return {
        schema: postgres.value(DECIDED.format(schema=schema))
        for schema in ("semantic", "semantic__sandbox")
    }


@pytest.fixture(scope="module")
def compared(postgres: Sandbox, decided: dict[str, object]) -> Outcome:
    return postgres.granary("diff", "sandbox")


@pytest.fixture(scope="module")
def murder(postgres: Sandbox, arrivals: Arrivals, compared: Outcome) -> Murder:
    """A run is killed after staging and before the facts, while another waits."""
    postgres.drop(arrivals.groups[2], arrivals.landing)
    staged = NEWEST_CLAIMS.format(table="staging.stg_aca_claims")
    before = postgres.value(staged)
    first = postgres.start("run")
    wait_until(lambda: postgres.value("SELECT COUNT(*) FROM ops.run WHERE status = 'running'") > 0)
    second = postgres.start("run")
    wait_until(lambda: postgres.value(WAITING) > 0)
    wait_until(lambda: postgres.value(staged) > before or first.poll() is not None)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    newest_fact = postgres.value(NEWEST_CLAIMS.format(table="core.fct_claim_line"))
    newest_staged = postgres.value(staged)
    outcome = finish(second)
    return Murder(first.pid, outcome, observe(postgres, outcome), newest_fact, newest_staged)


@pytest.fixture(scope="module")
def promoted(postgres: Sandbox, murder: Murder) -> Outcome:
    """Prod has had a month since the sandbox was planned; who is told to plan again does so."""
    outcome = postgres.granary("promote", "sandbox")
    if "granary plan sandbox" in outcome.messages:
        assert outcome.exit_code == 1
        postgres.granary("plan", "sandbox")
        outcome = postgres.granary("promote", "sandbox")
    return outcome


@pytest.fixture(scope="module")
def plain(postgres: Sandbox, promoted: Outcome) -> dict[str, Outcome]:
    """Plain `sqlmesh`; the unit tests go beside the rest, for they need no warehouse."""
    unit_tests = postgres.start_sqlmesh("test")
    return {
        "plan": finish(postgres.start_sqlmesh("plan", "prod", "--no-prompts")),
        "run": finish(postgres.start_sqlmesh("run")),
        "test": finish(unit_tests),
    }


@pytest.fixture(scope="module")
def spoiled(postgres: Sandbox, plain: object) -> Outcome:
    """Bad files come together with a good one."""
    members = next((postgres.landing / "aca" / LATE).glob("members_20250301*"))
    lines = members.read_text().splitlines()
    folder = members.parent
    (folder / "members_20250401T020000Z.csv").write_text(
        "\n".join([lines[0].replace("dob", "birth_date"), *lines[1:]])
    )
    stranger = postgres.landing / "aca" / "issuer_99"
    stranger.mkdir()
    shutil.copy2(members, stranger)
    providers = next(folder.glob("providers_20250301*"))
    shutil.copy2(providers, folder / "providers_20250401T020000Z.csv")
    return postgres.granary("load")


def wait_until(is_so: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def test_up_says_what_it_did_and_what_to_ask(postgres_begun: Arrived) -> None:
    messages = postgres_begun.outcome.messages
    assert "All is up: embedded PostgreSQL at 127.0.0.1:" in messages
    assert "SELECT * FROM semantic.dashboard_summary" in messages
    assert postgres_begun.outcome.answer == ""


def test_second_up_does_nothing_and_is_quick(up_again: Outcome, postgres_begun: Arrived) -> None:
    assert up_again.exit_code == 0
    assert "0 files" in up_again.messages
    assert "Plan " not in up_again.messages
    assert "Run " not in up_again.messages
    assert up_again.seconds < postgres_begun.outcome.seconds / 3


def test_run_brings_the_new_month(postgres_begun: Arrived, postgres_grown: Arrived) -> None:
    before, after = (
        {row["service_month"] for row in state.tables["semantic.dashboard_summary"]}
        for state in (postgres_begun, postgres_grown)
    )
    assert before < after


def test_run_again_has_nothing_to_do(run_again: Outcome) -> None:
    assert run_again.exit_code == 0
    assert "nothing to run" in run_again.messages


def test_plan_shows_the_change_and_builds_only_that(planned: Outcome) -> None:
    assert planned.exit_code == 0, planned.messages
    told = planned.answer + planned.messages
    assert "semantic.dashboard_summary (changed)" in told
    assert AFTER.removesuffix(" THEN") in told
    assert told.count("(changed)") == 1
    assert "(depends on a change)" not in told
    assert "sandbox: 1 model built" in planned.messages


def test_sandbox_has_the_change_and_prod_does_not(
    decided: dict[str, object], postgres_grown: Arrived
) -> None:
    states = Counter(line["claim_status"] for line in postgres_grown.oracle.fct_claim_line)
    in_prod = states["paid"] + states["denied"]
    assert states["reversed"] > 0
    assert decided == {"semantic": in_prod, "semantic__sandbox": in_prod + states["reversed"]}


def test_diff_shows_the_intended_change_only(compared: Outcome, postgres_grown: Arrived) -> None:
    months_with_reversals = {
        (line["tenant_id"], line["service_date"].replace(day=1))
        for line in postgres_grown.oracle.fct_claim_line
        if line["claim_status"] == "reversed"
    }
    all_months = len(postgres_grown.tables["semantic.dashboard_summary"])
    assert compared.exit_code == 0, compared.messages
    _, line = compared.answer.splitlines()
    model, *figures = line.split()
    assert "semantic.dashboard_summary" in model
    # Only in prod, only in the sandbox, changed, equal.
    changed = len(months_with_reversals)
    assert figures == ["0", "0", str(changed), str(all_months - changed)]


def test_promote_computes_nothing(promoted: Outcome) -> None:
    assert promoted.exit_code == 0, promoted.messages
    assert "prod: 0 models built, 0 audits passed" in promoted.messages


def test_prod_has_the_sandbox_table_itself(postgres: Sandbox, promoted: Outcome) -> None:
    prod, sandbox = (
        postgres.value(f"SELECT pg_get_viewdef('{schema}.dashboard_summary'::regclass)")
        for schema in ("semantic", "semantic__sandbox")
    )
    assert prod == sandbox


def test_promote_does_not_take_prod_back(
    postgres: Sandbox, promoted: Outcome, murder: Murder
) -> None:
    lines = postgres.value("SELECT SUM(claim_lines) FROM semantic.dashboard_summary")
    assert lines == len(murder.arrived.oracle.fct_claim_line)


@pytest.mark.parametrize("command", ["plan", "run", "test"])
def test_plain_sqlmesh_works_in_the_checkout(plain: dict[str, Outcome], command: str) -> None:
    outcome = plain[command]
    assert outcome.exit_code == 0, outcome.answer + outcome.messages
    assert "rror" not in outcome.answer + outcome.messages


def test_run_was_killed_half_way(murder: Murder) -> None:
    assert murder.newest_staged > murder.newest_fact  # type: ignore[operator]


def test_second_run_waits_and_says_for_whom(murder: Murder) -> None:
    assert f"Waiting for granary run prod (process {murder.victim} on" in murder.second.messages
    assert murder.second.exit_code == 0, murder.second.messages


@pytest.mark.parametrize("table", TABLES)
def test_tables_after_a_kill_are_those_of_an_undisturbed_run(
    murder: Murder, duckdb_whole: Arrived, table: str
) -> None:
    for undisturbed in (murder.arrived.expected(table), duckdb_whole.known(table)):
        expected, actual = (
            [
                {
                    column: value
                    for column, value in row.items()
                    if column not in ("attr_hash", "created_at", "load_date")
                }
                for row in rows
            ]
            for rows in (undisturbed, murder.arrived.known(table))
        )
        assert differences(expected, actual, TABLES[table]) == []


def test_killed_run_does_not_stay_running_in_the_books(postgres: Sandbox, murder: Murder) -> None:
    assert postgres.value("SELECT COUNT(*) FROM ops.run WHERE status = 'running'") == 0


def test_bad_files_are_named_with_what_to_do(spoiled: Outcome) -> None:
    assert spoiled.exit_code == 1
    assert "members_20250401T020000Z.csv" in spoiled.messages
    assert 'column "dob" is missing' in spoiled.messages
    assert 'column "birth_date" is not in the contract' in spoiled.messages
    assert "issuer_99: unknown tenant" in spoiled.messages
    assert "contracts/tenants.yaml" in spoiled.messages
    assert "Traceback" not in spoiled.messages


def test_good_file_lands_beside_bad_ones(postgres: Sandbox, spoiled: Outcome) -> None:
    landed = postgres.rows(
        "SELECT feed, status FROM ops.load_batch "
        "WHERE extracted_at = '2025-04-01 02:00:00' ORDER BY feed"
    )
    assert landed == [
        {"feed": "aca_members", "status": "refused"},
        {"feed": "aca_providers", "status": "loaded"},
    ]
    assert "lacks 1 batch" in postgres.granary("status").messages


@pytest.mark.parametrize("schema", ["semantic", "semantic__sandbox"])
def test_reader_sees_semantic_tables(postgres: Sandbox, promoted: Outcome, schema: str) -> None:
    with reader(postgres) as connection:
        rows = connection.execute(f"SELECT 1 FROM {schema}.dashboard_summary").fetchall()
    assert rows


@pytest.mark.parametrize(
    "table",
    ["core.dim_member", "staging.stg_aca_members", "raw.aca_members", "ops.dead_letter"],
)
def test_reader_is_refused_everything_below(
    postgres: Sandbox, promoted: Outcome, table: str
) -> None:
    with reader(postgres) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"SELECT 1 FROM {table}")


def test_reader_changes_nothing(postgres: Sandbox, promoted: Outcome) -> None:
    with reader(postgres) as connection:
        connection.execute("SET TRANSACTION READ WRITE")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE semantic.mine (a INTEGER)")


def reader(sandbox: Sandbox) -> psycopg.Connection[tuple[object, ...]]:
    assert isinstance(sandbox.gateway, PostgresGateway)
    return psycopg.connect(sandbox.gateway.warehouse.reader.conninfo())
