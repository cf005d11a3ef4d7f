"""A listener per kind, and a landing folder with a good and a bad file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from listeners import Listener, mail_listener, web_listener

HEADER = "appeal_id,claim_id,line_number,filed_date,decided_date,outcome\n"


@pytest.fixture
def web() -> Iterator[Listener]:
    """A web server of this machine."""
    with web_listener() as listener:
        yield listener


@pytest.fixture
def mail() -> Iterator[Listener]:
    """A mail server of this machine."""
    with mail_listener() as listener:
        yield listener


@pytest.fixture
def landing(home: Path) -> Path:
    """A file of three appeals, one of them wrong, and one whose header lacks a column."""
    folder = home.parent / "landing/aca/issuer_1"
    folder.mkdir(parents=True)
    (folder / "appeals_20250201T020000Z.csv").write_text(
        HEADER
        + "A1,C1,1,2025-01-05,,open\nA2,C2,1,2025-01-06,2025-01-20,upheld\nA3,C3,1,soon,,open\n"
    )
    (folder / "appeals_20250301T020000Z.csv").write_text("appeal_id,claim_id\nA4,C4\n")
    return folder
