from pathlib import Path

import pytest
from listeners import Listener, json_lines
from runtime_support import Granary

SECRET = "s3cr3t"


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch, web: Listener, mail: Listener) -> str:
    """A web hook and a mailbox, both with a password."""
    told = (
        f"json://user:{SECRET}@127.0.0.1:{web.port}/hook "
        f"mailto://127.0.0.1:{mail.port}/?from=granary@example.com&to=ops@example.com&mode=insecure"
    )
    monkeypatch.setenv("GRANARY_ALERT_URLS", told)
    return told


def test_a_command_sends_one_message_with_all_that_went_wrong(
    granary: Granary, landing: Path, addresses: str, web: Listener, mail: Listener
) -> None:
    (landing / "appeals_20250401T020000Z.csv").write_text("nothing\n")
    granary("load")

    [message] = web.received
    assert "granary load tells of 2 problems" in message["title"]
    assert "appeals_20250301T020000Z.csv" in message["message"]
    assert "appeals_20250401T020000Z.csv" in message["message"]
    assert "->" in message["message"], "what to do is said"
    [mailed] = mail.received
    assert "To: ops@example.com" in mailed
    assert "granary load tells of 2 problems" in mailed.replace("\r\n ", " ").replace("_", " ")


def test_nobody_hears_of_a_load_that_went_well(
    granary: Granary, landing: Path, addresses: str, web: Listener
) -> None:
    (landing / "appeals_20250301T020000Z.csv").unlink()
    assert granary("load").exit_code == 0
    assert web.received == []


def test_refused_lines_above_a_number_are_told_unless_only_errors_are_asked_for(
    granary: Granary,
    landing: Path,
    addresses: str,
    web: Listener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (landing / "appeals_20250301T020000Z.csv").unlink()
    monkeypatch.setenv("GRANARY_ALERT_DEAD_LETTERS", "0")
    monkeypatch.setenv("GRANARY_ALERT_LEVEL", "error")
    granary("load")
    assert web.received == []

    monkeypatch.setenv("GRANARY_ALERT_LEVEL", "warning")
    granary("load")
    [message] = web.received
    assert "1 refused lines wait, more than 0" in message["message"]


def test_an_alert_that_fails_is_a_warning_without_the_address(
    granary: Granary, home: Path, landing: Path, monkeypatch: pytest.MonkeyPatch, web: Listener
) -> None:
    web.status = 500
    monkeypatch.setenv("GRANARY_ALERT_URLS", f"json://u:{SECRET}@127.0.0.1:{web.port} nonsense")
    told = granary("load")
    assert told.exit_code == 1, "as it would be without alerts"
    assert "Address 1 of GRANARY_ALERT_URLS did not take the message" in told.messages
    assert "Address 2 of GRANARY_ALERT_URLS is none that can be sent to" in told.messages
    log = (home / "logs/granary.jsonl").read_text()
    for text in (told.messages, told.answer, log):
        assert SECRET not in text
        assert str(web.port) not in text


def test_the_addresses_can_be_tried(
    granary: Granary, addresses: str, web: Listener, mail: Listener
) -> None:
    told = granary("alert", "--test")
    assert told.exit_code == 0
    assert "Address 1 took the message.\nAddress 2 took the message." in told.answer
    assert (len(web.received), len(mail.received)) == (1, 1)

    web.status = 403
    told = granary("alert", "--test")
    assert told.exit_code == 1
    assert SECRET not in told.messages


def test_without_addresses_it_says_how_to_give_one(granary: Granary) -> None:
    told = granary("alert")
    assert told.exit_code == 1
    assert "GRANARY_ALERT_URLS" in told.messages


def test_a_file_unlike_those_before_is_told_with_its_figures(
    granary: Granary, home: Path, landing: Path, addresses: str, web: Listener
) -> None:
    header = (landing / "appeals_20250201T020000Z.csv").read_text().splitlines()[0]
    for file in landing.iterdir():
        file.unlink()
    for month, count in enumerate((900, 910, 905, 895, 900, 5), start=1):
        lines = [f"A{month}-{n},C{n},1,2025-01-05,,open" for n in range(count)]
        path = landing / f"appeals_20250{month}01T020000Z.csv"
        path.write_text("\n".join([header, *lines, ""]))
    told = granary("load")
    assert told.exit_code == 0
    assert "warning aca/issuer_1/appeals_20250601T020000Z.csv: 5 rows" in told.messages

    [message] = web.received
    assert "appeals_20250601T020000Z.csv: 5 rows" in message["message"]
    assert "granary retract" in message["message"]
    unusual = [
        line
        for line in json_lines(home / "logs/granary.jsonl")
        if line["event"] == "file_unusual" and line["anomaly"] == "volume"
    ]
    assert [line["source"] for line in unusual] == ["aca/issuer_1/appeals_20250601T020000Z.csv"]
    figures = (home / "metrics/granary.prom").read_text()
    assert 'anomaly="volume",feed="aca_appeals",policy="warn",tenant="issuer_1"} 1.0' in figures


def test_a_command_that_fails_as_a_whole_is_told_unless_somebody_is_there_to_see_it(
    granary: Granary, home: Path, addresses: str, web: Listener
) -> None:
    unknown = ("x.csv", "--feed", "aca_weather", "--tenant", "cms")
    assert granary("load", *unknown, "--extracted-at", "20250101T000000Z").exit_code == 1
    [message] = web.received
    assert "granary load tells of 1 problem" in message["title"]
    assert 'There is no feed "aca_weather"' in message["message"]

    assert granary("retract", "5", "--reason", "wrong").exit_code == 2
    assert len(web.received) == 1
    events = json_lines(home / "logs/granary.jsonl")
    assert [(line["event"], line["command"]) for line in events] == [
        ("command_failed", "load"),
        ("command_failed", "retract"),
    ]
