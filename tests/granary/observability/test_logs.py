import json
import stat
from pathlib import Path

import pytest
from listeners import json_lines
from runtime_support import Granary

from granary.observability.logs import log_path, open_log, without_values
from granary.observability.private_files import rotate


def test_every_file_of_a_load_is_in_the_log(granary: Granary, home: Path, landing: Path) -> None:
    assert granary("load").exit_code == 1
    log = home / "logs/granary.jsonl"
    landed, refused = json_lines(log)
    assert (
        landed.items()
        >= {
            "event": "file_landed",
            "level": "info",
            "command": "load",
            "feed": "aca_appeals",
            "tenant_id": "issuer_1",
            "source": "aca/issuer_1/appeals_20250201T020000Z.csv",
            "rows_read": 3,
            "rows_loaded": 2,
            "rows_rejected": 1,
        }.items()
    )
    assert landed["timestamp"].endswith("Z")
    assert landed["load_id"] > 0
    assert (refused["event"], refused["error_class"]) == ("file_refused", "ContractViolation")
    assert "filed_date" in refused["error"]
    assert stat.S_IMODE(log.stat().st_mode) == 0o600

    granary("load")
    assert [line["event"] for line in json_lines(log)[2:]] == ["file_refused", "file_skipped"]


def test_a_query_that_fails_leaves_its_class_and_none_of_its_words(
    granary: Granary, home: Path, landing: Path
) -> None:
    granary("load")
    granary("sql", "SELECT * FROM raw.aca_appeals WHERE claim_id = 'Ada Lovelace' AND oops")
    last = json_lines(home / "logs/granary.jsonl")[-1]
    assert (last["event"], last["command"]) == ("command_failed", "sql")
    assert "Lovelace" not in json.dumps(last)


@pytest.mark.parametrize(
    "message",
    [
        "invalid input syntax for type integer: \"Ada\"\nLINE 1: SELECT 'Ada'::INT",
        'new row violates check constraint "rule"\nDETAIL:  Failing row contains (1, Ada).',
        "Conversion Error: Could not convert string 'Ada' to INT32",
        'Constraint Error: Duplicate key "name: Ada" violates primary key constraint.',
        'duplicate key value violates unique constraint "k"\nDETAIL:  Key (name)=(Ada) exists.',
    ],
)
def test_messages_of_databases_lose_the_data_they_quote(message: str) -> None:
    told = without_values(message)
    assert "Ada" not in told
    assert told.split()[0] == message.split()[0]


def test_an_audit_keeps_its_words() -> None:
    message = "core.dim_plan: 2 rows break the audit accepted_values(is_in := ('a', 'b'))"
    assert without_values(message) == message


def test_a_log_that_cannot_be_written_stops_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    open_log(tmp_path).info("file_landed")
    assert capsys.readouterr().err == ""
    assert not log_path(tmp_path).exists()


def test_old_files_give_way_to_new_ones(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    for text in ("first", "second", "third", "fourth"):
        rotate(path, size=3, kept=2)
        path.write_text(text)
    found = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert found == {
        "events.jsonl": "fourth",
        "events.jsonl.1": "third",
        "events.jsonl.2": "second",
    }
