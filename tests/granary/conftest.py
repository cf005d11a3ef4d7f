"""The runtime on both gateways, out of reach of the shell's variables and the checkout's .env."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from runtime_support import Granary, Outcome
from small_project import duckdb_settings

from granary import cli
from granary.gateways import open_gateway
from granary.gateways.base import Gateway
from granary.settings import Settings


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the shell's variables nor the checkout's own .env reach a test."""
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    for name in [name for name in os.environ if name.startswith(("GRANARY_", "OPENLINEAGE_"))]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def server_settings(reachable_folder: Path) -> Iterator[Settings]:
    """Settings of an embedded server that runs; who stops it starts it again."""
    home = reachable_folder / "runtime"
    settings = Settings(
        _env_file=None, gateway="postgres", home=home, landing=home / "landing", pghost=None
    )
    gateway = open_gateway(settings)
    gateway.start()
    yield settings
    gateway.destroy()


@pytest.fixture
def new_settings(
    request: pytest.FixtureRequest, tmp_path: Path, clean_environment: None
) -> Callable[[str], Settings]:
    """Settings of a gateway by its name, the server's or those of a file."""

    def settings_of(name: str) -> Settings:
        if name == "duckdb":
            return duckdb_settings(tmp_path / "home")
        found: Settings = request.getfixturevalue("server_settings")
        return found

    return settings_of


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.slow)])
def settings(request: pytest.FixtureRequest, new_settings: Callable[[str], Settings]) -> Settings:
    """The settings of each gateway in turn."""
    return new_settings(request.param)


@pytest.fixture
def gateway(settings: Settings) -> Gateway:
    """A warehouse in which nothing has landed and nothing has run."""
    gateway = open_gateway(settings)
    gateway.start()
    with gateway.store() as store:
        store.prepare([])
    with gateway.operations() as connection:
        connection.execute("DELETE FROM ops.run")
        connection.execute("DELETE FROM ops.model_run")
        connection.execute("DELETE FROM ops.audit_result")
        connection.execute("DELETE FROM ops.load_batch")
        connection.execute("DELETE FROM ops.dead_letter")
    return gateway


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_environment: None) -> Path:
    """The home folder of a DuckDB warehouse that the environment names."""
    monkeypatch.setenv("GRANARY_GATEWAY", "duckdb")
    monkeypatch.setenv("GRANARY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GRANARY_LANDING", str(tmp_path / "landing"))
    return tmp_path / "home"


@pytest.fixture
def granary(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Granary:
    """Runs a command as the program does, from its arguments to its exit code."""

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["granary", *arguments])
        with pytest.raises(SystemExit) as exit:
            cli.main()
        output = capsys.readouterr()
        return Outcome(int(exit.value.code or 0), output.out, output.err)

    return run
