"""From settings to endpoints, and what is said when a connection fails."""

import stat
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from granary.errors import GranaryError
from granary.postgres.cluster import Cluster
from granary.postgres.endpoint import Endpoint
from granary.postgres.warehouse import connect, ensure, resolve
from granary.settings import Settings


def user_and_database(endpoint: Endpoint) -> tuple[str, str]:
    with connect(endpoint, application_name="test") as connection:
        row = connection.execute("SELECT current_user, current_database()").fetchone()
    assert row is not None
    return row


@pytest.mark.slow
def test_embedded_warehouse_is_ready_after_ensure(shared_cluster: Cluster) -> None:
    settings = Settings(home=shared_cluster.home)
    warehouse = ensure(settings)
    assert resolve(settings) == warehouse
    assert {name: user_and_database(getattr(warehouse, name)) for name in vars(warehouse)} == {
        "admin": ("postgres", "postgres"),
        "loader": ("granary_loader", "granary"),
        "transformer": ("granary_transformer", "granary"),
        "reader": ("granary_reader", "granary"),
        "state": ("granary_transformer", "granary_state"),
        "superset": ("granary_superset", "granary_superset"),
    }


@pytest.mark.slow
def test_external_warehouse_is_ready_after_ensure(
    tmp_path: Path, external_server: Endpoint
) -> None:
    settings = Settings(
        home=tmp_path / "home",
        pghost=external_server.host,
        pgport=external_server.port,
        pguser=external_server.user,
        pgpassword=external_server.password,
        pgdatabase="elsewhere",
    )
    warehouse = ensure(settings)
    assert ensure(settings) == warehouse
    assert user_and_database(warehouse.loader) == ("granary_loader", "elsewhere")
    assert user_and_database(warehouse.state) == ("granary_transformer", "elsewhere_state")
    assert stat.S_IMODE((tmp_path / "home/postgres.json").stat().st_mode) == 0o600
    assert not (tmp_path / "home/postgres").exists()


def test_embedded_server_that_was_never_started(tmp_path: Path) -> None:
    with pytest.raises(GranaryError, match=r"There is no database in .* yet\. Run: granary up"):
        resolve(Settings(home=tmp_path / "home"))


def test_gateway_without_a_server(tmp_path: Path) -> None:
    with pytest.raises(GranaryError, match="The gateway duckdb has no PostgreSQL server"):
        resolve(Settings(home=tmp_path / "home", gateway="duckdb"))


@pytest.mark.slow
def test_failures_are_told_apart(shared_cluster: Cluster) -> None:
    admin = shared_cluster.admin
    for endpoint, message in [
        (replace(admin, port=1), "No PostgreSQL server answers at 127.0.0.1:1"),
        (replace(admin, host="no-such-host.invalid"), "No PostgreSQL server answers at no-such-h"),
        (replace(admin, password="wrong"), "refused the password of user postgres"),
        (admin.for_database("absent"), "has no database absent. Make Granary's databases with"),
    ]:
        with pytest.raises(GranaryError, match=message) as failure:
            connect(endpoint, application_name="test")
        assert endpoint.password not in str(failure.value)


@pytest.mark.slow
def test_connection_has_the_asked_for_manners(shared_cluster: Cluster) -> None:
    with connect(shared_cluster.admin, application_name="landing", read_only=True) as connection:
        assert connection.execute("SHOW application_name").fetchone() == ("landing",)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("CREATE TABLE stray (id INT)")
