"""`granary contract`, on a copy of the contracts."""

import shutil
from pathlib import Path

import pytest
from runtime_support import Granary

from granary import contracts_cli, pages, pipeline
from granary.settings import PROJECT


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the command reads and writes of the checkout."""
    for name in ("contracts", "docs", "external_models"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    for module in (contracts_cli, pages, pipeline):
        monkeypatch.setattr(module, "PROJECT", tmp_path)
        monkeypatch.setattr(module, "CONTRACTS", tmp_path / "contracts")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _appeals(checkout: Path, header: str, *lines: str, day: int) -> str:
    folder = checkout / "landing" / "aca" / "issuer_1"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"appeals_202502{day:02}T000000Z.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return str(path.relative_to(checkout))


HEADER = "appeal_id,claim_id,line_number,filed_date,decided_date,outcome"


def test_a_changed_feed_is_shown_accepted_and_landed(checkout: Path, granary: Granary) -> None:
    """The second file has a column more and one less; the third comes after it was accepted."""
    _appeals(checkout, HEADER, "A1,C1,1,2025-01-02,,open", day=1)
    assert granary("load").exit_code == 0
    header = HEADER.replace(",decided_date", "") + ",clerk"
    changed = _appeals(checkout, header, "A2,C1,1,2025-01-02,open,7", day=2)

    shown = granary("contract", "diff", changed)
    assert shown.exit_code == 1
    assert shown.answer.splitlines() == [
        f"{changed}: 1 lines against aca_appeals, version 1",
        'refused    column "decided_date" is missing',
        'refused    column "clerk" is not in the contract',
        'added      column "clerk" is new (integer)',
    ]
    refused = granary("load")
    assert refused.exit_code == 1
    assert 'column "decided_date" is missing' in refused.messages

    options = ["--reason", "The clerk decides.", "--not-phi", "clerk"]
    taken = granary("contract", "accept", changed, *options)
    assert taken.exit_code == 0, taken.messages
    assert taken.answer.splitlines()[:3] == [
        "contracts/aca/appeals.yaml is version 2 now:",
        '  column "decided_date" is retired',
        '  column "clerk" is new (integer, optional)',
    ]
    page = (checkout / "docs" / "data_dictionary.md").read_text()
    assert "The clerk decides." in page
    assert "| `clerk` | BIGINT |" in page

    assert granary("contract", "diff", changed).exit_code == 0
    assert granary("load").exit_code == 0
    listed = granary("contract", "list", "--format", "csv").answer.splitlines()
    assert listed[1].startswith(
        "aca_appeals,2,change,6,keep added columns; late after 40 days (warn),2,2"
    )
    assert "The clerk decides." in granary("contract", "show", "aca_appeals").answer


def test_an_edited_contract_waits_until_it_is_accepted(checkout: Path, granary: Granary) -> None:
    contract = checkout / "contracts" / "aca" / "appeals.yaml"
    unknown = granary("contract", "accept", "aca_appeals", "--reason", "New outcome.")
    assert unknown.exit_code == 1
    assert "Nothing landed under version 1 of aca_appeals here" in unknown.messages

    _appeals(checkout, HEADER, "A1,C1,1,2025-01-02,,open", day=1)
    granary("load")
    contract.write_text(contract.read_text().replace("overturned]", "overturned, withdrawn]"))
    _appeals(checkout, HEADER, "A2,C1,1,2025-01-02,,withdrawn", day=2)
    refused = granary("load")
    assert refused.exit_code == 1
    assert "granary contract accept aca_appeals --reason" in refused.messages

    accepted = granary("contract", "accept", "aca_appeals", "--reason", "New outcome.")
    assert accepted.exit_code == 0, accepted.messages
    assert "open, upheld, overturned, is open, upheld, overturned, withdrawn" in accepted.answer
    assert granary("load").exit_code == 0


def test_a_file_that_says_nothing_of_its_feed_asks_for_it(granary: Granary, checkout: Path) -> None:
    (checkout / "appeals.csv").write_text(f"{HEADER}\n")
    outcome = granary("contract", "diff", "appeals.csv")
    assert outcome.exit_code == 1
    assert "Give it with --feed." in outcome.messages
    assert granary("contract", "diff", "appeals.csv", "--feed", "aca_appeals").exit_code == 0
    assert granary("contract", "diff", "none.csv", "--feed", "aca_appeals").exit_code == 1
    missing = granary("contract", "diff", "none.csv")
    assert missing.exit_code == 1
    assert missing.messages.splitlines() == [
        "error none.csv: there is no such file.",
        "Check the path.",
    ]


def test_a_load_tells_of_columns_that_the_contract_does_not_know_until_it_does(
    checkout: Path, granary: Granary
) -> None:
    known = "columns that its contract does not know"
    _appeals(checkout, HEADER, "A1,C1,1,2025-01-02,,open", day=1)
    assert known not in granary("load").messages
    more = [f"more {number}" for number in range(6)]
    header = ",".join([HEADER, "Colour", *more])
    file = _appeals(checkout, header, "A2,C1,1,2025-01-02,,open,red,,,,,,", day=2)
    loaded = granary("load")
    assert loaded.exit_code == 0
    assert (
        f"aca_appeals: {known} were kept as text: x_colour, x_more_0, x_more_1, x_more_2, x_more_3 "
        "and 2 more, first in aca/issuer_1/appeals_20250202T000000Z.csv. "
        "See: granary contract diff FILE\n"
    ) in loaded.messages
    assert known not in granary("load").messages

    elsewhere = checkout / "appeals.csv"
    elsewhere.write_text(f"{HEADER},Colour\nA3,C1,1,2025-01-02,,open,blue\n")
    options = ["--feed", "aca_appeals", "--tenant", "issuer_2", "--extracted-at"]
    alone = granary("load", str(elsewhere), *options, "20250203T000000Z")
    assert f"{known} were kept as text: x_colour, first in " in alone.messages

    accepted = granary("contract", "accept", file, "--reason", "Colours.")
    assert accepted.exit_code == 0, accepted.messages
    again = granary("load", str(elsewhere), *options, "20250204T000000Z")
    assert (again.exit_code, known in again.messages) == (0, False)
    # Nobody else has to send what one sender was accepted with.
    _appeals(checkout, HEADER, "A4,C1,1,2025-01-02,,open", day=5)
    assert granary("load").exit_code == 0
    landed = granary(
        "sql", "SELECT appeal_id, colour, x_colour FROM raw.aca_appeals ORDER BY 1, 2",
        "--format", "csv",
    )  # fmt: skip
    assert landed.answer.splitlines()[1:] == [
        *("A1,,", "A2,,red", "A3,blue,", "A3,,blue", "A4,,"),
    ]


def test_a_column_under_another_name_is_named_and_keeps_its_column_in_raw(
    checkout: Path, granary: Granary
) -> None:
    """Pages that stay as they are are not said to be written."""
    _appeals(checkout, HEADER, "A1,C1,1,2025-01-02,,open", day=1)
    assert granary("load").exit_code == 0
    header = HEADER.replace("filed_date", "received_on")
    renamed = _appeals(checkout, header, "A2,C1,1,2025-01-03,,open", day=2)
    hint = (
        'column "received_on" stands where "filed_date" stood, with values of its kind: probably '
        "another name for it. Then do not accept the file, but write header: received_on into "
        'column "filed_date" of contracts/aca/appeals.yaml and run: granary contract accept '
        "aca_appeals --reason '…'"
    )
    assert f"renamed    {hint}" in granary("contract", "diff", renamed).answer.splitlines()

    contract = checkout / "contracts" / "aca" / "appeals.yaml"
    before = contract.read_text()
    mistaken = granary("contract", "accept", renamed, "--reason", "Another system.")
    assert f"Take it back if this was a mistake: {hint}" in mistaken.answer.splitlines()
    contract.write_text(before)
    assert granary("docs").exit_code == 0
    assert "All pages are as contracts and registry say." in granary("docs").messages

    contract.write_text(before.replace("filed_date: {", "filed_date: {header: received_on, "))
    accepted = granary("contract", "accept", "aca_appeals", "--reason", "Another system.")
    assert accepted.exit_code == 0, accepted.messages
    assert 'column "filed_date": header is now received_on' in accepted.answer
    written = [line for line in accepted.answer.splitlines() if line.startswith("Wrote")]
    assert written == ["Wrote docs/data_dictionary.md."]
    assert granary("load").exit_code == 0
    landed = granary(
        "sql", "SELECT appeal_id, filed_date FROM raw.aca_appeals ORDER BY 1", "--format", "csv"
    )
    assert landed.answer.splitlines()[1:] == ["A1,2025-01-02", "A2,2025-01-03"]
