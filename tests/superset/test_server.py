"""The server's own bookkeeping, without Superset."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from granary.errors import GranaryError
from granary.settings import Settings
from granary.superset.frontend import Frontend
from granary.superset.places import Places
from granary.superset.server import Server


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which this process listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_in_use_is_told_with_who_uses_it(tmp_path: Path, taken: int) -> None:
    with pytest.raises(GranaryError) as told:
        Server(Places(tmp_path), "127.0.0.1", taken).check_port()
    assert f"Superset's port {taken} on 127.0.0.1 is in use by " in told.value.message
    assert f"(process {os.getpid()} in {Path.cwd()})" in told.value.message
    assert "GRANARY_SUPERSET_PORT" in told.value.remedy


@pytest.mark.parametrize("started_at", [0.0, None])
def test_a_pid_file_that_names_a_strangers_process_is_not_believed(
    tmp_path: Path, started_at: float | None, taken: int
) -> None:
    places = Places(tmp_path)
    places.folder.mkdir()
    record = {
        "pid": os.getpid(),
        "started_at": started_at,
        "host": "127.0.0.1",
        "port": taken,
        "configuration": "",
    }
    if started_at is None:
        del record["started_at"]
    places.server.write_text(json.dumps(record))
    server = Server(places, "127.0.0.1", taken)
    assert not server.is_up()
    assert server.stop() is False
    assert psutil.Process().is_running()
    assert not places.server.exists()


def test_the_address_for_browsers() -> None:
    urls = {
        host: Server(Places(Path()), host, 8088).url for host in ("127.0.0.1", "0.0.0.0", "::1")
    }
    assert urls == {
        "127.0.0.1": "http://127.0.0.1:8088",
        "0.0.0.0": "http://127.0.0.1:8088",
        "::1": "http://[::1]:8088",
    }


def test_a_duckdb_warehouse_has_no_dashboards_and_says_why(tmp_path: Path) -> None:
    frontend = Frontend(Settings(_env_file=None, gateway="duckdb", home=tmp_path))
    assert frontend.why_none == "they need PostgreSQL, and the gateway is duckdb"
    with pytest.raises(GranaryError, match="There are no dashboards"):
        frontend.require()
    frontend.bust("prod")
    assert frontend.remove("sandbox") == 0
    assert frontend.stop() is False
    assert list(tmp_path.iterdir()) == []
