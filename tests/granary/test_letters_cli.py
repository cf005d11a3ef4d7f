"""`granary dead-letters` and `granary retry`, from the options to the file and the exit code."""

import csv
import stat
from pathlib import Path

import pytest
from runtime_support import Granary

HEADER = "appeal_id,claim_id,line_number,filed_date,decided_date,outcome"


@pytest.fixture
def landing(home: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "landing" / "aca" / "issuer_1"
    folder.mkdir(parents=True)
    return folder


def test_refused_lines_are_exported_corrected_and_tried_again(
    granary: Granary, landing: Path, tmp_path: Path
) -> None:
    lines = ["A1,C1,1,2025-01-02,,open", "A2,C1,2,2025-01-02,,won", "A3,C1,x,2025-01-02,,open"]
    (landing / "appeals_20250201T000000Z.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    assert granary("load").exit_code == 0

    groups = granary("dead-letters", "groups", "--format", "csv").answer.splitlines()
    assert [line.rsplit(",", 2)[0] for line in groups[1:]] == [
        "aca_appeals,issuer_1,type_mismatch,line_number,waiting,1",
        "aca_appeals,issuer_1,unknown_code,outcome,waiting,1",
    ]
    listed = granary("dead-letters", "list", "--reason", "unknown_code", "--format", "csv").answer
    assert 'column ""outcome"": ""won"" is not one of' in listed

    file = tmp_path / "waiting.csv"
    file.write_text("readable by all")
    file.chmod(0o644)
    exported = granary("dead-letters", "export", str(file))
    assert exported.exit_code == 0, exported.messages
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text(file.read_text().replace(",won,", ",overturned,"))
    assert [row["outcome"] for row in csv.DictReader(file.open())] == ["overturned", "open"]

    retried = granary("retry", "--mended", str(file))
    assert retried.exit_code == 1
    assert "1 line replayed, 0 closed, 1 still refused" in retried.messages
    again = granary("retry", "--mended", str(file))
    assert "name no line that waits" in again.messages
    answer = granary("sql", "SELECT appeal_id, outcome FROM raw.aca_appeals", "--format", "csv")
    assert answer.answer.splitlines()[1:] == ["A1,open", "A2,overturned"]
    rest = granary("retry", "--reason", "unknown_code")
    assert rest.exit_code == 0
    assert granary("dead-letters", "list", "--status", "replayed").answer.count("A2,C1") == 1


def test_files_refused_whole_land_once_they_are_mended(granary: Granary, landing: Path) -> None:
    here = landing / "appeals_20250201T000000Z.csv"
    gone = landing / "appeals_20250301T000000Z.csv"
    for file in (here, gone):
        file.write_text("appeal_id\n")
    assert granary("load").exit_code == 1
    gone.unlink()
    here.write_text(f"{HEADER}\nA1,C1,1,2025-01-02,,open\n")
    new = landing / "appeals_20250401T000000Z.csv"
    new.write_text(f"{HEADER}\nA2,C1,1,2025-03-02,,open\n")

    retried = granary("retry", "--feed", "aca_appeals")

    assert retried.exit_code == 1
    assert f"aca/issuer_1/{gone.name} is in no landing place any more" in retried.messages
    assert here.name not in retried.messages
    appeals = ("sql", "SELECT appeal_id FROM raw.aca_appeals ORDER BY 1", "--format", "csv")
    assert granary(*appeals).answer == "appeal_id\nA1\n"
    assert granary("load").exit_code == 0
    assert granary(*appeals).answer == "appeal_id\nA1\nA2\n"


def test_one_unusual_file_is_accepted_by_its_batch(granary: Granary, landing: Path) -> None:
    for arguments in (["--accept", "why"], ["--load", "5", "--mended", "x", "--accept", "why"]):
        assert granary("retry", *arguments).exit_code == 2
    (landing / "appeals_20250201T000000Z.csv").write_text("appeal_id\n")
    assert granary("load").exit_code == 1
    [load_id] = granary(
        "sql", "SELECT load_id FROM ops.load_batch", "--format", "csv"
    ).answer.splitlines()[1:]

    refused = granary("retry", "--load", load_id, "--accept", "why")

    assert refused.exit_code == 1
    assert f"No file of batch {load_id} waits because it is unusual." in refused.messages


def test_there_may_be_nothing_to_export_or_to_retry(granary: Granary, landing: Path) -> None:
    export = granary("dead-letters", "export", "waiting.csv")
    assert export.exit_code == 1
    assert "No line waits." in export.messages
    assert granary("retry").exit_code == 0
    assert granary("dead-letters", "groups").answer.endswith("0 rows\n")
