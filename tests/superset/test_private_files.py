"""Secrets are made once, for their owner alone, and reach Superset by a file."""

import re
import runpy
import stat
from pathlib import Path
from typing import Any

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
from granary.superset.places import CONFIGURATION, Places
from granary.superset.runtime import process_environment, write_runtime

METADATA = Endpoint("127.0.0.1", 5432, "granary_superset", "p@ss/word", "granary_superset")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "home")


@pytest.fixture
def configuration(places: Places, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What Superset is told, as its configuration works it out."""
    settings = Settings(_env_file=None, home=places.home, superset_port=18119)
    write_runtime(places, settings, METADATA)
    monkeypatch.setenv("GRANARY_SUPERSET_RUNTIME", str(places.runtime))
    return runpy.run_path(str(CONFIGURATION))


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


def test_the_runtime_file_is_private_and_stays_when_nothing_changed(
    places: Places, configuration: dict[str, Any]
) -> None:
    before = places.runtime.stat()
    write_runtime(places, Settings(_env_file=None, home=places.home, superset_port=18119), METADATA)
    assert places.runtime.stat().st_ino == before.st_ino
    assert mode(places.runtime) == 0o600
    assert configuration["SQLALCHEMY_DATABASE_URI"] == (
        "postgresql+psycopg2://granary_superset:p%40ss%2Fword@127.0.0.1:5432/granary_superset"
    )
    assert configuration["SECRET_KEY"] == secrets_of(places)["secret_key"]


def test_no_variable_of_supersets_processes_holds_a_secret(
    places: Places, configuration: dict[str, Any], monkeypatch: pytest.MonkeyPatch
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


def test_the_browser_is_let_nowhere_but_here(configuration: dict[str, Any]) -> None:
    policy = configuration["TALISMAN_CONFIG"]["content_security_policy"]
    sources = [source for value in policy.values() for source in value if len(source) > 1]
    allowed = re.compile(r"'(self|none|unsafe-inline|strict-dynamic)'|blob:|data:")
    assert [source for source in sources if not allowed.fullmatch(source)] == []
    assert "unsafe-inline" not in str(policy["script-src"])
    assert configuration["TALISMAN_ENABLED"] is True


def test_sessions_are_strict_and_logins_limited(configuration: dict[str, Any]) -> None:
    assert configuration["SESSION_COOKIE_SAMESITE"] == "Strict"
    assert configuration["SESSION_COOKIE_HTTPONLY"] is True
    assert configuration["SESSION_COOKIE_NAME"] == "granary_18119"
    assert configuration["AUTH_RATE_LIMITED"] is True
    assert configuration["RATELIMIT_ENABLED"] is True
    assert configuration["WTF_CSRF_ENABLED"] is True
    assert configuration["PUBLIC_ROLE_LIKE"] is None


def test_figures_are_kept_for_an_hour_in_the_private_folder(
    places: Places, configuration: dict[str, Any]
) -> None:
    cache = configuration["DATA_CACHE_CONFIG"]
    assert cache["CACHE_DEFAULT_TIMEOUT"] == 3600
    assert Path(cache["CACHE_DIR"]).is_relative_to(places.folder)
    flags = configuration["FEATURE_FLAGS"]
    assert flags["RLS_IN_SQLLAB"] is True
    assert flags["DASHBOARD_RBAC"] is False
    assert flags["ENABLE_TEMPLATE_PROCESSING"] is False
