from pathlib import Path

import pytest
from pydantic import ValidationError

from granary.settings import PROJECT, Settings

pytestmark = pytest.mark.usefixtures("clean_environment")


def test_without_any_setting_everything_has_a_working_default() -> None:
    settings = Settings()
    assert settings.gateway == "postgres"
    assert settings.embedded
    assert settings.home_path == PROJECT / ".local"
    assert settings.landing_path == PROJECT / "data" / "landing"
    assert settings.superset_port == 8088
    assert (settings.pguser, settings.pgport, settings.pgdatabase) == ("postgres", 5432, "granary")


def test_dotenv_is_read_and_the_process_has_the_last_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(
        "# a comment\nGRANARY_GATEWAY=duckdb\nGRANARY_PGPORT=6000\nGRANARY_PGDATABASE=\n"
        "GRANARY_SQLMESH_PASSWORD='kept for sqlmesh'\nSOMETHING_ELSE=1\n"
    )
    monkeypatch.setitem(Settings.model_config, "env_file", dotenv)
    assert (Settings().gateway, Settings().pgport) == ("duckdb", 6000)
    # An empty line in .env means the default.
    assert Settings().pgdatabase == "granary"

    monkeypatch.setenv("GRANARY_PGPORT", "7000")
    assert (Settings().gateway, Settings().pgport) == ("duckdb", 7000)


def test_relative_paths_are_taken_from_the_checkout_in_every_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRANARY_HOME", "warehouse")
    monkeypatch.setenv("GRANARY_LANDING", "../inbox")
    assert Settings().home_path == PROJECT / "warehouse"
    assert Settings().landing_path.resolve() == PROJECT.parent / "inbox"


def test_absolute_paths_and_the_users_home_stay_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GRANARY_HOME", "~/granary")
    monkeypatch.setenv("GRANARY_LANDING", "/srv/inbox")
    assert Settings().home_path == tmp_path / "granary"
    assert Settings().landing_path == Path("/srv/inbox")


def test_a_named_server_or_another_gateway_is_not_the_embedded_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRANARY_PGHOST", "db.example")
    assert not Settings().embedded
    monkeypatch.delenv("GRANARY_PGHOST")
    monkeypatch.setenv("GRANARY_GATEWAY", "duckdb")
    assert not Settings().embedded


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GRANARY_GATEWAY", "oracle"),
        ("GRANARY_PGPORT", "5432x"),
        ("GRANARY_PGPORT", "0"),
        ("GRANARY_SUPERSET_PORT", "65536"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_its_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as refusal:
        Settings()
    [problem] = refusal.value.errors()
    assert problem["loc"] == (name.removeprefix("GRANARY_").lower(),)


def test_every_setting_is_shown_with_its_default_in_the_example() -> None:
    example = (PROJECT / ".env.example").read_text()
    shown = {
        line.removeprefix("# ").partition("=")[0]: line.partition("=")[2]
        for line in example.splitlines()
        if line.startswith("# GRANARY_")
    }
    for name, field in Settings.model_fields.items():
        if name == "superset_port":
            continue  # Shown when there is a Superset to serve.
        assert shown[f"GRANARY_{name.upper()}"] == str(field.default or ""), name
