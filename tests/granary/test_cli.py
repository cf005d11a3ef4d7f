import json
import re
from pathlib import Path

import pytest
import typer
from runtime_support import Granary, Outcome
from small_project import duckdb_settings

from granary import cli
from granary.gateways import open_gateway
from granary.gateways.duckdb import DuckDBGateway
from granary.settings import PROJECT

COMMANDS = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
VERBS = [[name] for name in COMMANDS] + [["seed", name] for name in COMMANDS["seed"].commands]


@pytest.fixture
def warehouse(home: Path) -> Path:
    """A DuckDB warehouse that exists and is empty."""
    with open_gateway(duckdb_settings(home)).store() as store:
        store.prepare([])
    return home


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_has_help_that_says_what_it_does(verb: list[str], granary: Granary) -> None:
    outcome = granary(*verb, "--help")
    assert outcome.exit_code == 0
    command = COMMANDS[verb[0]] if len(verb) == 1 else COMMANDS["seed"].commands[verb[1]]
    said = " ".join(outcome.answer.split())
    assert re.search(rf"Usage: granary {' '.join(verb)} ", said)
    assert " ".join((command.help or "").split()) in said
    assert len(command.help or "") > 20


def test_every_verb_is_a_make_target() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    assert COMMANDS.keys() <= targets


@pytest.mark.parametrize(
    "arguments",
    [
        ["unload"],
        ["status", "--deep"],
        ["plan", "sandbox", "prod"],
        ["sql"],
        ["sql", "SELECT 1", "--format", "xml"],
        ["seed", "aca", "--tenants", "7"],
        ["seed", "aca", "--members", "many"],
        ["seed", "aca", "--from", "2025-01-31", "--to", "2025-01-01"],
        ["seed", "aca", "--from", "31.1.2025"],
        ["load", "plans.csv"],
        ["load", "plans.csv", "--feed", "aca_plans", "--tenant", "cms", "--extracted-at", "now"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_2_and_starts_nothing(
    arguments: list[str], granary: Granary, home: Path
) -> None:
    outcome = granary(*arguments)
    assert outcome.exit_code == 2
    assert "Usage: granary" in outcome.messages
    assert outcome.answer == ""
    assert not home.exists()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PGPORT", "abc", "Input should be a valid integer"),
        ("PGPORT", "70000", "Input should be less than or equal to 65535"),
        ("GATEWAY", "oracle", "Input should be 'postgres' or 'duckdb'"),
    ],
)
def test_a_setting_that_cannot_work_exits_2_in_a_sentence(
    name: str, value: str, sentence: str, granary: Granary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"GRANARY_{name}", value)
    outcome = granary("status")
    assert outcome.exit_code == 2
    problem, remedy = outcome.messages.splitlines()
    assert problem.startswith(f"error Setting GRANARY_{name}: {sentence}")
    assert problem.endswith(".")
    assert ".env.example" in remedy


def test_an_error_to_mend_exits_1_with_message_and_remedy(granary: Granary, home: Path) -> None:
    outcome = granary("sql", "SELECT 1")
    assert outcome.exit_code == 1
    assert outcome.messages.splitlines() == [
        f"error There is no warehouse in {home / 'granary.duckdb'}.",
        "Run `granary up` first.",
    ]
    assert outcome.answer == ""


@pytest.mark.parametrize(
    ("arguments", "exit_code", "problem"),
    [
        (["retract", "99999", "--reason", "wrong"], 2, "There is no batch 99999."),
        (["drop", "prod"], 1, "Prod cannot be dropped."),
        (["drop", "sandbux"], 1, "There is no environment sandbux; there are: none."),
    ],
    ids=["retract", "drop prod", "drop"],
)
def test_what_cannot_be_done_is_told_before_the_writers_turn_comes(
    arguments: list[str],
    exit_code: int,
    problem: str,
    granary: Granary,
    warehouse: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def wait(*_: object) -> None:
        raise AssertionError("it asked for the lock")

    monkeypatch.setattr(DuckDBGateway, "writer", wait)
    outcome = granary(*arguments)
    assert outcome.exit_code == exit_code
    assert f"error {problem}" in outcome.messages


def test_what_nobody_foresaw_exits_1_and_keeps_its_details_in_a_log(
    granary: Granary, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("member Jane Doe")

    monkeypatch.setattr("granary.gateways.open_gateway", broken)
    outcome = granary("status")
    assert outcome.exit_code == 1
    assert "RuntimeError" in outcome.messages
    # What the error says may be somebody's data, and the terminal may be a shared log.
    assert "Jane Doe" not in outcome.messages
    assert "Traceback" not in outcome.messages
    [log] = (home / "logs").glob("error_*.log")
    assert str(log) in outcome.messages
    assert "RuntimeError: member Jane Doe" in log.read_text()


def test_details_are_kept_even_when_the_home_folder_is_what_is_wrong(
    granary: Granary, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.write_text("a file where the folder should be")
    monkeypatch.setattr("granary.gateways.open_gateway", lambda _: 1 / 0)
    outcome = granary("status")
    assert outcome.exit_code == 1
    log = re.search(r"The details are in (\S+)\.\n", outcome.messages)
    assert log
    assert "ZeroDivisionError" in Path(log[1]).read_text()
    Path(log[1]).unlink()
    Path(log[1]).parent.rmdir()


def test_status_of_a_warehouse_that_is_down_exits_1(granary: Granary) -> None:
    outcome = granary("status")
    assert outcome.exit_code == 1
    assert outcome.messages == "The warehouse is down; start it with: granary up\n"


def test_status_of_a_warehouse_without_prod(granary: Granary, warehouse: Path) -> None:
    outcome = granary("status")
    assert outcome.exit_code == 0
    assert "is up: DuckDB in" in outcome.messages
    assert "Prod         was never built; build it with: granary up" in outcome.messages


def test_down_with_nothing_running_is_no_error(granary: Granary) -> None:
    assert granary("down") == Outcome(0, "", "Nothing was running.\n")


def test_sql_answers_on_standard_output_alone(granary: Granary, warehouse: Path) -> None:
    query = "SELECT COUNT(*) AS batches, '[b]' AS mark FROM ops.load_batch"
    outcome = granary("sql", query, "--format", "json")
    assert (outcome.exit_code, outcome.messages) == (0, "")
    assert json.loads(outcome.answer) == [{"batches": 0, "mark": "[b]"}]
    assert granary("sql", query, "--format", "csv").answer == "batches,mark\n0,[b]\n"
    assert granary("sql", query).answer.splitlines()[-1] == "1 row"


def test_reset_asks_first_and_keeps_everything_without_a_yes(
    granary: Granary, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody is there to answer.
    assert granary("reset").exit_code == 1
    assert (warehouse / "granary.duckdb").exists()
    outcome = granary("reset", "--yes")
    assert (outcome.exit_code, outcome.answer) == (0, "")
    assert not (warehouse / "granary.duckdb").exists()


def test_load_of_an_unknown_feed_suggests_the_known_one(granary: Granary, tmp_path: Path) -> None:
    file = tmp_path / "plans.csv"
    file.write_text("plan_id\n")
    options = ["--tenant", "issuer_1", "--extracted-at", "20250101T000000Z"]
    outcome = granary("load", str(file), "--feed", "aca_plan", *options)
    assert outcome.exit_code == 1
    assert 'There is no feed "aca_plan".\nDid you mean aca_plans?' in outcome.messages


def test_docs_writes_what_is_committed(
    granary: Granary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ["docs/data_dictionary.md", "docs/metrics_aca.md", "external_models/raw.yaml"]
    for name in made:
        (tmp_path / name).parent.mkdir(exist_ok=True)
    monkeypatch.setattr("granary.pages.PROJECT", tmp_path)
    assert granary("docs").exit_code == 0
    for name in made:
        assert (tmp_path / name).read_text() == (PROJECT / name).read_text(), "run: make docs"


def test_a_load_tells_what_is_new_and_status_counts_what_stands(
    granary: Granary, warehouse: Path, tmp_path: Path
) -> None:
    """A tenant's appeals fall behind; two loads later that is no news, though more days passed."""
    header = "appeal_id,claim_id,line_number,filed_date,decided_date,outcome"

    def drop(tenant: str, month: int) -> None:
        folder = tmp_path / "landing" / "aca" / tenant
        folder.mkdir(parents=True, exist_ok=True)
        line = f"A{month},C1,1,2024-12-01,,open"
        file = folder / f"appeals_2025{month:02}01T000000Z.csv"
        file.write_text(f"{header}\n{line}\n")

    assert "Unusual" not in granary("status").messages
    drop("issuer_1", 1)
    drop("issuer_2", 3)
    late = "aca_appeals of issuer_1 is {} days behind the newest extract of aca"
    assert late.format("59.0") in granary("load").messages
    assert "behind" not in granary("load").messages
    drop("issuer_2", 4)
    third = granary("load").messages
    assert "1 file, 1 of 1 rows" in third
    assert "behind" not in third
    kept = granary("sql", "SELECT message FROM ops.anomaly", "--format", "csv").answer
    assert late.format("90.0") in kept
    assert "Unusual      1 thing stands in ops.anomaly; see: " in granary("status").messages
    drop("issuer_1", 4)
    assert "behind" not in granary("load").messages
    assert "Unusual" not in granary("status").messages
