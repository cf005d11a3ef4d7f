"""Secrets are made once, for their owner alone, and reach Superset by a file."""

import stat
from pathlib import Path

import pytest

from granary.errors import GranaryError
from granary.postgres.endpoint import Endpoint
from granary.settings import Settings
from granary.superset.connection import database_file
from granary.superset.credentials import (
    open_to_others,
    passwords_of,
    read_private,
    secrets_of,
)
from granary.superset.places import Places
from granary.superset.runtime import process_environment, write_runtime

METADATA = Endpoint("127.0.0.1", 5432, "granary_superset", "p@ss/word", "granary_superset")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "home")


def test_secrets_and_passwords_are_made_once_and_private(places: Places) -> None:
    secrets, passwords = secrets_of(places), passwords_of(places, ["admin", "analyst"])
    assert len({*secrets.values(), *passwords.values()}) == 5
    assert all(len(word) >= 32 for word in [*secrets.values(), *passwords.values()])
    assert secrets_of(places) == secrets
    more = passwords_of(places, ["admin", "analyst", "viewer_issuer_1"])
    assert {**more, **passwords} == more
    assert (mode(places.folder), mode(places.secrets), mode(places.passwords)) == (
        0o700,
        0o600,
        0o600,
    )
    assert open_to_others(places) == []
    places.secrets.chmod(0o644)
    assert open_to_others(places) == [places.secrets]


def test_a_damaged_file_is_told_without_its_content(places: Places) -> None:
    secrets_of(places)
    places.secrets.write_text('{"secret_key": "abc')
    with pytest.raises(GranaryError, match=r"secrets\.json is damaged") as told:
        read_private(places.secrets)
    assert "abc" not in str(told.value)
    assert told.value.__cause__ is None


def test_the_runtime_file_is_private_and_stays_when_nothing_changed(places: Places) -> None:
    settings = Settings(_env_file=None, home=places.home)
    write_runtime(places, settings, METADATA)
    before = places.runtime.stat()
    write_runtime(places, settings, METADATA)
    assert places.runtime.stat().st_ino == before.st_ino
    assert mode(places.runtime) == 0o600
    told = read_private(places.runtime)
    assert told["metadata_uri"] == (
        "postgresql+psycopg2://granary_superset:p%40ss%2Fword@127.0.0.1:5432/granary_superset"
    )
    assert told["secret_key"] == secrets_of(places)["secret_key"]


def test_no_variable_of_supersets_processes_holds_a_secret(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRANARY_PGPASSWORD", "of the server")
    monkeypatch.setenv("https_proxy", "http://proxy.example")
    handed = " ".join(process_environment(places).values())
    assert [word for word in secrets_of(places).values() if word in handed] == []
    assert METADATA.password not in handed
    assert "of the server" not in handed
    assert "proxy" not in handed


def test_the_databases_file_holds_no_password() -> None:
    text = database_file(Endpoint("127.0.0.1", 5432, "granary_reader", "secret", "granary"))
    assert "secret" not in text
    assert "granary_reader:XXXXXXXXXX@127.0.0.1:5432/granary" in text
    assert "allow_dml: false" in text
