"""A wrong, late extract through the command line amends history; its retraction undoes that."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from end_to_end.sandbox import Outcome, Sandbox
from oracle.arrivals import TABLES

from seeds_gen.aca import generate

pytestmark = pytest.mark.slow

LATE = "aca/issuer_1/members_20241215T020000Z.csv"
VERSIONS = (
    "SELECT geographic_reporting, COUNT(*) AS versions FROM core.dim_member "
    "GROUP BY geographic_reporting ORDER BY geographic_reporting"
)
BATCH = f"SELECT load_id, load_timestamp FROM ops.load_batch WHERE source LIKE '%{Path(LATE).name}'"

Tables = dict[str, list[str]]


@dataclass(frozen=True)
class Told:
    """What commands said, and what tables held before the late file, with it and without it."""

    run: Outcome
    asked_before: Outcome
    asked_of_the_past: Outcome
    retracted: Outcome
    before: Tables
    amended: Tables
    after: Tables


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("retraction")
    source = folder / "source"
    generate(
        source,
        tenants=1,
        members=60,
        start=date(2024, 11, 1),
        end=date(2025, 1, 31),
        batches=None,
        seed=5,
    )
    sandbox = Sandbox(folder / "sandbox", "duckdb")
    sandbox.drop(source.rglob("*.csv*"), source)
    assert sandbox.granary("up").exit_code == 0
    before = tables(sandbox)
    asked_before = sandbox.granary("sql", VERSIONS, "--format", "json")
    write_late(sandbox.landing)
    run = sandbox.granary("run")
    amended = tables(sandbox)
    late = sandbox.rows(BATCH)[0]
    moment = late["load_timestamp"] - timedelta(seconds=1)
    of_the_past = sandbox.granary(
        "sql", VERSIONS, "--as-of", f"{moment:%Y-%m-%dT%H:%M:%S}", "--format", "json"
    )
    retracted = sandbox.granary("retract", str(late["load_id"]), "--reason", "wrong members")
    return Told(run, asked_before, of_the_past, retracted, before, amended, tables(sandbox))


def write_late(landing: Path) -> None:
    """Write an extract between two others: half of the members are gone, nobody lives in a city."""
    source = next(landing.glob("aca/issuer_1/members_20241201*"))
    header, *lines = source.read_text().splitlines()
    wrong = [line.replace(",metro,", ",rural,") for line in lines[::2]]
    assert wrong != lines[::2]
    (landing / LATE).write_text("\n".join([header, *wrong]) + "\n")


def tables(sandbox: Sandbox) -> Tables:
    return {table: sorted(map(str, sandbox.rows(f"SELECT * FROM {table}"))) for table in TABLES}


def test_run_says_that_a_batch_is_late(told: Told) -> None:
    assert told.run.exit_code == 0, told.run.messages
    assert "Late: 1 of aca_members (issuer_1)" in told.run.messages
    assert "history is amended from 2024-12-15 02:00 on" in told.run.messages


def test_late_batch_amends_members_and_what_refers_to_them(told: Told) -> None:
    assert told.amended["core.dim_member"] != told.before["core.dim_member"]
    assert told.amended["core.fct_claim_line"] != told.before["core.fct_claim_line"]


@pytest.mark.parametrize("table", TABLES)
def test_retraction_leaves_what_was_there_before_the_batch(told: Told, table: str) -> None:
    assert told.retracted.exit_code == 0, told.retracted.messages
    assert told.after[table] == told.before[table] != []


def test_question_about_the_past_is_answered_as_then(told: Told) -> None:
    assert told.asked_of_the_past.exit_code == 0, told.asked_of_the_past.messages
    assert json.loads(told.asked_of_the_past.answer) == json.loads(told.asked_before.answer) != []
