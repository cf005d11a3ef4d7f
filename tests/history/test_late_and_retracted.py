"""A wrong, late extract through the command line amends history; its retraction undoes that.

At the end of the story a person is forgotten, on PostgreSQL as well.
"""

import csv
import json
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from end_to_end.sandbox import Outcome, Sandbox
from oracle.arrivals import TABLES

from granary.privacy.person import Person
from seeds_gen.aca import generate

pytestmark = pytest.mark.slow

LATE = "aca/issuer_1/members_20241215T020000Z.csv"
VERSIONS = (
    "SELECT geographic_reporting, COUNT(*) AS versions FROM core.dim_member "
    "GROUP BY geographic_reporting ORDER BY geographic_reporting"
)
BATCH = f"SELECT load_id, load_timestamp FROM ops.load_batch WHERE source LIKE '%{Path(LATE).name}'"

Tables = dict[str, list[str]]


DIRTY = "aca/issuer_1/members_20250101T020000Z.csv"
PAID = "SELECT SUM(paid_amount) FROM semantic.agg_claims_monthly"


@dataclass(frozen=True)
class Told:
    """What commands said, and what tables held before the late file, with it and without it."""

    sandbox: Sandbox
    run: Outcome
    asked_before: Outcome
    asked_of_the_past: Outcome
    retracted: Outcome
    before: Tables
    amended: Tables
    after: Tables


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of three months, some lines of the busiest member being wrong."""
    source = tmp_path_factory.mktemp("source")
    generate(
        source,
        tenants=1,
        members=60,
        start=date(2024, 11, 1),
        end=date(2025, 1, 31),
        batches=None,
        seed=5,
    )
    plant_lines(source, busiest_member(source))
    return source


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, source: Path) -> Told:
    sandbox = Sandbox(tmp_path_factory.mktemp("retraction"), "duckdb")
    raise_world(sandbox, source)
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
    return Told(
        sandbox, run, asked_before, of_the_past, retracted, before, amended, tables(sandbox)
    )


def raise_world(sandbox: Sandbox, source: Path) -> None:
    """Land all files, and build prod."""
    sandbox.drop(source.rglob("*.csv*"), source)
    outcome = sandbox.granary("up")
    assert outcome.exit_code == 0, outcome.messages


def busiest_member(landing: Path) -> str:
    """The member with most claim lines."""
    lines: Counter[str] = Counter()
    for path in landing.glob("aca/issuer_1/claims_*.csv"):
        with path.open() as stream:
            lines.update(line["member_id"] for line in csv.DictReader(stream))
    return lines.most_common(1)[0][0]


def plant_lines(source: Path, member: str) -> None:
    """Add lines of a member that are refused: a faulty one, a malformed one, and a repeated one."""
    path = source / DIRTY
    [line] = [line for line in path.read_text().splitlines() if line.startswith(f"{member},")]
    dob = line.split(",")[2]
    with path.open("a") as stream:
        stream.write(f"{line.replace(dob, 'never')}\n{line},more,and more\n{line}\n{line}\n")


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


@dataclass(frozen=True)
class Forgotten:
    """A member, what was there before, and what the commands said."""

    sandbox: Sandbox
    member: str
    name: str
    paid: float
    paid_before: float
    cut_off: int
    outcome: Outcome
    again: Outcome


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def forgotten(
    request: pytest.FixtureRequest, reachable_folder: Path, source: Path
) -> Iterator[Forgotten]:
    """A person is forgotten by a process that dies on the way, then by another."""
    if request.param == "duckdb":
        sandbox: Sandbox = request.getfixturevalue("told").sandbox
    else:
        sandbox = Sandbox(reachable_folder / "forgotten", "postgres")
        raise_world(sandbox, source)
    member = busiest_member(sandbox.landing)
    name = sandbox.value(f"SELECT MAX(name) FROM raw.aca_members WHERE member_id = '{member}'")
    person = Person("aca", "issuer_1", "member_id", member)
    paid_before = sandbox.value(PAID)
    paid = sandbox.value(
        f"SELECT SUM(paid_amount) FROM core.fct_claim_line WHERE member_key = {person.key}"
    )
    assert paid > 0
    arguments = (
        *("forget", "--tenant", "issuer_1", "--member", member),
        *("--reason", "asked by letter", "--yes"),
    )
    process = sandbox.start(*arguments)
    assert process.stderr is not None
    while not process.stderr.readline().startswith("Forget"):
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    outcome, again = sandbox.granary(*arguments), sandbox.granary(*arguments)
    yield Forgotten(sandbox, member, name, paid, paid_before, process.returncode, outcome, again)
    if request.param == "postgres":
        sandbox.gateway.destroy()


def test_forgetting_is_completed_after_a_kill_and_done_once(forgotten: Forgotten) -> None:
    assert forgotten.cut_off == -signal.SIGKILL
    assert forgotten.outcome.exit_code == 0, forgotten.outcome.messages
    assert "Forgotten." in forgotten.outcome.messages
    assert forgotten.again.exit_code == 0
    assert "already; nothing is held" in forgotten.again.messages


def test_no_table_and_no_file_names_the_forgotten(forgotten: Forgotten) -> None:
    sandbox = forgotten.sandbox
    key = str(Person("aca", "issuer_1", "member_id", forgotten.member).key)
    tables = sandbox.rows(
        "SELECT table_schema, table_name FROM information_schema.tables "
        "WHERE table_type = 'BASE TABLE' AND table_catalog = CURRENT_DATABASE() "
        "AND table_schema NOT IN ('information_schema', 'pg_catalog')"
    )
    assert len(tables) > 50
    for table in tables:
        rows = str(sandbox.rows(f'SELECT * FROM "{table["table_schema"]}"."{table["table_name"]}"'))
        for word in (forgotten.member, forgotten.name, key):
            assert word not in rows, (table, word)
    home = sandbox.settings.home_path
    # The server keeps bytes of what was deleted until it writes other rows there.
    servers = home / "postgres" / "data"
    for path in home.rglob("*"):
        if path.is_file() and not path.is_relative_to(servers):
            content = path.read_bytes()
            for word in (forgotten.member, forgotten.name):
                assert word.encode() not in content, (path, word)


def test_sums_are_those_of_the_others(forgotten: Forgotten) -> None:
    assert forgotten.sandbox.value(PAID) == forgotten.paid_before - forgotten.paid
    assert forgotten.sandbox.value("SELECT SUM(paid_amount) FROM core.fct_claim_line") == (
        forgotten.paid_before - forgotten.paid
    )


def test_the_ledger_adds_up_and_says_no_more_than_that_lines_are_gone(forgotten: Forgotten) -> None:
    rows = forgotten.sandbox.rows
    assert (
        rows(
            "SELECT 1 FROM ops.load_batch WHERE rows_read <> rows_loaded + rows_rejected "
            "+ rows_duplicate"
        )
        == []
    )
    [batch] = rows(f"SELECT * FROM ops.load_batch WHERE source LIKE '%{Path(DIRTY).name}'")
    landed = forgotten.sandbox.value(
        f"SELECT COUNT(*) FROM raw.aca_members WHERE load_id = {batch['load_id']}"
    )
    letters = rows(f"SELECT * FROM ops.dead_letter WHERE load_id = {batch['load_id']}")
    assert batch["rows_loaded"] == landed
    # The line that had landed, the faulty one, the malformed one, and the two repeated ones.
    assert len(letters) == batch["rows_rejected"] + batch["rows_duplicate"] == 5
    for letter in letters:
        assert (
            letter["reason"]
            == f"line {letter['source_line']} belongs to a person who was forgotten"
        )
        assert (letter["raw_text"], letter["column_name"]) == (None, None)
        assert (letter["error_class"], letter["status"]) == ("forgotten", "closed")
    [record] = rows("SELECT * FROM ops.forgotten")
    assert (record["tenant_id"], record["reason"]) == ("issuer_1", "asked by letter")
    assert record["status"] == "done"
    assert json.loads(record["rows_removed"])["core.dim_member"] > 0
    assert rows("SELECT 1 FROM ops.retraction WHERE reason LIKE '%forgotten%'") == []


def test_senders_files_are_named_and_left_as_they_are(forgotten: Forgotten) -> None:
    path = forgotten.sandbox.landing / DIRTY
    lines = [line for line in path.read_text().splitlines() if forgotten.member in line]
    assert f"{path}: {len(lines)} lines name the person." in forgotten.outcome.messages


def test_who_was_forgotten_does_not_come_back(forgotten: Forgotten) -> None:
    header, *lines = (forgotten.sandbox.landing / DIRTY).read_text().splitlines()
    later = forgotten.sandbox.landing / DIRTY.replace("20250101", "20250301")
    later.write_text("\n".join([header, *lines]) + "\n")

    outcome = forgotten.sandbox.granary("load")

    assert outcome.exit_code == 0, outcome.messages
    rows = forgotten.sandbox.rows
    [batch] = rows(f"SELECT * FROM ops.load_batch WHERE source LIKE '%{later.name}'")
    named = sum(line.startswith(f"{forgotten.member},") for line in lines)
    # A line that cannot be split into columns does not say whose it is.
    assert batch["rows_rejected"] == named
    assert batch["rows_loaded"] == len(lines) - named
    letters = rows(
        "SELECT error_class, raw_text, status, COUNT(*) AS lines FROM ops.dead_letter "
        f"WHERE load_id = {batch['load_id']} AND error_class = 'forgotten' "
        "GROUP BY error_class, raw_text, status"
    )
    assert letters == [
        {"error_class": "forgotten", "raw_text": None, "status": "closed", "lines": named - 1}
    ]
    back = f"SELECT COUNT(*) FROM raw.aca_members WHERE member_id = '{forgotten.member}'"
    assert forgotten.sandbox.value(back) == 0
