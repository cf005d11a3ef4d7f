"""`granary dead-letters` and `granary retry`, from the options to the file and the exit code."""

import csv
import stat
from pathlib import Path

import pytest
from runtime_support import Granary

WRONG_CODES = ("dead-letters", "list", "--error-class", "unknown_code")
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
    listed = granary(*WRONG_CODES, "--format", "csv").answer
    assert 'column ""outcome"": ""won"" is not one of' in listed

    file = tmp_path / "waiting.csv"
    exported = granary("dead-letters", "export", str(file))
    assert exported.exit_code == 0, exported.messages
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["waiting.csv"]
    file.write_text(file.read_text().replace(",won,", ",overturned,"))
    corrected = file.read_text()
    again = granary("dead-letters", "export", str(file))
    assert (again.exit_code, again.answer, file.read_text()) == (1, "", corrected)
    assert f"error {file}: there is such a file already" in again.messages
    assert f"granary retry --mended {file}" in again.messages
    assert [row["outcome"] for row in csv.DictReader(file.open())] == ["overturned", "open"]

    retried = granary("retry", "--mended", str(file))
    assert retried.exit_code == 1
    assert "1 line replayed, 0 closed, 1 still refused" in retried.messages
    again = granary("retry", "--mended", str(file))
    assert "name no line that waits" in again.messages
    answer = granary("sql", "SELECT appeal_id, outcome FROM raw.aca_appeals", "--format", "csv")
    assert answer.answer.splitlines()[1:] == ["A1,open", "A2,overturned"]
    rest = granary("retry", "--error-class", "unknown_code")
    assert rest.exit_code == 0
    assert granary("dead-letters", "list", "--status", "replayed").answer.count("A2,C1") == 1


def test_an_export_without_a_column_of_its_lines_is_refused_before_anything_is_tried(
    granary: Granary, landing: Path, tmp_path: Path
) -> None:
    line = "A1,C1,1,2025-01-02,,won,x"
    (landing / "appeals_20250201T000000Z.csv").write_text(f"{HEADER},clerk\n{line}\n")
    assert granary("load").exit_code == 0
    file = tmp_path / "waiting.csv"
    assert granary("dead-letters", "export", str(file)).exit_code == 0
    rows = [row.split(",") for row in file.read_text().replace(",won,", ",open,").splitlines()]
    # The reason, in quotes, holds commas; the columns of the file are counted from the end.
    taken_out = [[*row[:-7], *row[-6:-3], *row[-2:]] for row in rows]
    file.write_text("\n".join(map(",".join, taken_out)) + "\n")

    refused = granary("retry", "--mended", str(file))

    assert refused.exit_code == 1
    assert f"error {file}, line 1: column claim_id, outcome is missing" in refused.messages
    assert "correct values only" in refused.messages
    told = granary("sql", "SELECT attempts, status FROM ops.dead_letter", "--format", "csv")
    assert told.answer == "attempts,status\n1,waiting\n"


def test_an_export_that_cannot_be_written_leaves_nothing(
    granary: Granary, landing: Path, tmp_path: Path
) -> None:
    (landing / "appeals_20250201T000000Z.csv").write_text(f"{HEADER}\nA1,C1,1,2025-01-02,,won\n")
    assert granary("load").exit_code == 0
    outcome = granary("dead-letters", "export", str(tmp_path / "nowhere" / "waiting.csv"))
    assert outcome.exit_code == 1
    assert "cannot be written: No such file or directory. Name another place." in " ".join(
        outcome.messages.split()
    )


def test_status_tells_what_waits(granary: Granary, landing: Path) -> None:
    (landing / "appeals_20250201T000000Z.csv").write_text(f"{HEADER}\nA1,C1,1,2025-01-02,,open\n")
    assert granary("load").exit_code == 0
    assert "Dead letters" not in granary("status").messages
    lines = ["A2,C1,2,2025-01-02,,won", "A3,C1,x,2025-01-02,,open"]
    (landing / "appeals_20250301T000000Z.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    (landing / "appeals_20250401T000000Z.csv").write_text("appeal_id\n")
    assert granary("load").exit_code == 1
    see = "; see: granary dead-letters groups --status waiting\n"
    told = granary("status")
    assert told.exit_code == 0
    assert f"Dead letters 2 lines and 1 file wait{see}" in told.messages
    close = ("dead-letters", "close", "--reason", "lost", "--error-class")
    granary(*close, "header")
    granary(*close, "unknown_code")
    assert f"Dead letters 1 line waits{see}" in granary("status").messages


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


def test_a_name_that_is_unknown_is_told_with_those_that_are_there(
    granary: Granary, landing: Path
) -> None:
    lists = ("dead-letters", "list")
    empty = granary(*lists, "--error-class", "nope")
    assert (empty.exit_code, empty.answer) == (2, "")
    assert "There are no dead letters at all." in empty.messages
    lines = ["A2,C1,2,2025-01-02,,won", "A3,C1,x,2025-01-02,,open"]
    (landing / "appeals_20250201T000000Z.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    assert granary("load").exit_code == 0

    for command, option, name, there in (
        (lists, "--error-class", "nope", "type_mismatch, unknown_code."),
        (lists, "--feed", "aca_appeal", "aca_appeals."),
        (lists, "--tenant", "issuer_l", "issuer_1."),
        (("dead-letters", "groups"), "--reason", "nope", "type_mismatch, unknown_code."),
        (("dead-letters", "export", "waiting.csv"), "--feed", "aca_appeal", "aca_appeals."),
        (("dead-letters", "close", "--reason", "lost"), "--feed", "aca_appeal", "aca_appeals."),
        (("retry",), "--tenant", "issuer_l", "issuer_1."),
    ):
        told = granary(*command, option, name)
        assert (told.exit_code, told.answer) == (2, "")
        assert f'is called "{name}"' in told.messages
        assert f"There are dead letters of: {there}" in told.messages
    no_batch = granary(*lists, "--load", "5")
    assert (no_batch.exit_code, no_batch.answer) == (2, "")
    assert "There is no batch 5." in no_batch.messages
    waiting = granary("dead-letters", "groups", "--status", "waiting")
    assert waiting.answer.endswith("2 rows\n")


def test_what_can_be_there_and_is_not_is_an_empty_answer(granary: Granary, landing: Path) -> None:
    spotless = ["--feed", "aca_claims", "--tenant", "issuer_2", "--error-class", "too_long"]
    listed = granary("dead-letters", "list", *spotless)
    assert (listed.exit_code, listed.answer.splitlines()[-1]) == (0, "0 rows")


def test_an_export_names_the_files_that_it_cannot_hold(
    granary: Granary, landing: Path, tmp_path: Path
) -> None:
    for month in range(1, 8):
        (landing / f"appeals_2025{month:02}01T000000Z.csv").write_text("appeal_id\n")
    assert granary("load").exit_code == 1
    file = tmp_path / "waiting.csv"

    nothing = granary("dead-letters", "export", str(file))
    assert (nothing.exit_code, file.exists()) == (1, False)
    assert "No line waits." in nothing.messages
    assert "7 files refused as a whole wait, and no export holds them: aca/issuer_1/" in (
        nothing.messages
    )
    assert "appeals_20250501T000000Z.csv and 2 more. Mend them" in nothing.messages

    lines = ["A1,C1,1,2025-01-02,,open", "A2,C1,2,2025-01-02,,won"]
    (landing / "appeals_20250801T000000Z.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    assert granary("load").exit_code == 1
    exported = granary("dead-letters", "export", str(file), "--feed", "aca_appeals")
    assert exported.exit_code == 0
    assert "Wrote 1 line of aca_appeals" in exported.answer
    assert "7 files refused as a whole wait" in exported.answer
    assert "then: granary retry." in exported.answer


def test_what_nobody_will_repair_is_closed_once_with_the_reason(
    granary: Granary, landing: Path
) -> None:
    """Three lines and two files wait; a line has another fault, and a file is still there."""
    lines = ["A1,C1,1,2025-01-02,,open", "A2,C1,2,2025-01-02,,won", "A3,C1,3,2025-01-02,,lost"]
    lines.append("A4,C1,x,2025-01-02,,open")
    (landing / "appeals_20250201T000000Z.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    here, gone = (landing / f"appeals_2025{month}01T000000Z.csv" for month in ("03", "04"))
    for file in (here, gone):
        file.write_text("appeal_id\n")
    assert granary("load").exit_code == 1
    gone.unlink()
    close = ("dead-letters", "close", "--reason", "clerk left, nobody knows")

    for wrong in (
        ["dead-letters", "close", "--feed", "aca_appeals"],
        ["dead-letters", "close", "--reason", " ", "--feed", "aca_appeals"],
        ["dead-letters", "close", "--reason", "unknown_code", "--feed", "aca_appeals"],
        [*close],
    ):
        assert granary(*wrong).exit_code == 2

    closed = granary(*close, "--error-class", "unknown_code")
    assert closed.exit_code == 0, closed.messages
    assert "Closed 2 lines and 0 files; ops.dead_letter keeps why." in closed.messages
    again = granary(*close, "--error-class", "unknown_code")
    assert "Nothing of that waits; nothing was closed." in again.messages
    told = granary("dead-letters", "list", "--status", "closed", "--format", "csv").answer
    assert told.count("clerk left, nobody knows") == 2
    kept = granary("sql", "SELECT source_line FROM raw.refused_line", "--format", "csv")
    assert kept.answer == "source_line\n5\n"

    files = granary("dead-letters", "close", "--reason", "withdrawn", "--error-class", "header")
    assert "Closed 0 lines and 2 files" in files.messages
    assert f"aca/issuer_1/{here.name} is in a landing place still: take it out" in files.messages
    assert gone.name not in files.messages
    here.unlink()
    retried = granary("retry")
    assert retried.exit_code == 1
    assert "0 lines replayed, 0 closed, 1 still refused" in retried.messages
    why = granary(
        "sql",
        "SELECT source_line, status, closed_reason, closed_at IS NULL AS open "
        "FROM ops.dead_letter ORDER BY source_line",
        *("--format", "csv"),
    )
    assert why.answer.splitlines()[1:] == [
        *["0,closed,withdrawn,False"] * 2,
        '3,closed,"clerk left, nobody knows",False',
        '4,closed,"clerk left, nobody knows",False',
        "5,waiting,,True",
    ]
