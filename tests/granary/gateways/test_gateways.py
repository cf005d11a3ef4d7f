from pathlib import Path

import pytest
from small_project import duckdb_settings

from granary.errors import GranaryError
from granary.gateways import open_gateway
from granary.gateways.base import Gateway
from granary.settings import Settings


def test_a_started_warehouse_answers_and_says_where_it_is(
    gateway: Gateway, settings: Settings
) -> None:
    assert gateway.is_up()
    place = {"duckdb": "DuckDB in ", "postgres": "embedded PostgreSQL at 127.0.0.1:"}
    assert gateway.describe().startswith(place[settings.gateway])
    assert gateway.sqlmesh_variables()["GRANARY_SQLMESH_GATEWAY"] == settings.gateway


def test_operations_name_their_parameters_alike_everywhere(gateway: Gateway) -> None:
    with gateway.operations() as connection:
        found = connection.execute("SELECT $2 || '%' || $1", ["b", "a"]).fetchone()
    assert found == ("a%b",)


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    for gateway in ("duckdb", "postgres"):
        settings = duckdb_settings(tmp_path / "home").model_copy(update={"gateway": gateway})
        with pytest.raises(GranaryError) as refusal:
            open_gateway(settings).start()
        assert str(tmp_path / "home") in refusal.value.message
        assert "GRANARY_HOME" in refusal.value.remedy


def test_duckdb_has_nothing_to_stop_and_can_be_destroyed(tmp_path: Path) -> None:
    gateway = open_gateway(duckdb_settings(tmp_path / "home"))
    gateway.start()
    with gateway.store() as store:
        store.prepare([])
    note = tmp_path / "home" / "note.txt"
    note.write_text("not ours")
    assert gateway.is_up()
    assert not gateway.stop()
    gateway.destroy()
    assert not gateway.is_up()
    assert note.exists()


def test_a_foreign_server_is_neither_stopped_nor_destroyed(tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None, gateway="postgres", home=tmp_path, pghost="127.0.0.1", pgport=1
    )
    gateway = open_gateway(settings)
    assert not gateway.stop()
    with pytest.raises(GranaryError, match="not Granary's own server"):
        gateway.destroy()
    with pytest.raises(GranaryError, match=r"No PostgreSQL server answers at 127\.0\.0\.1:1"):
        gateway.is_up()
    with pytest.raises(GranaryError, match="No PostgreSQL server answers"), gateway.operations():
        pass
