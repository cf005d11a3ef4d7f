"""Roles, databases and grants, on PostgreSQL 18 and 15, by a superuser and by a lesser admin."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import psycopg
import pytest

from granary.errors import GranaryError
from granary.postgres import bootstrap as bootstrap_module
from granary.postgres.bootstrap import bootstrap
from granary.postgres.cluster import Cluster
from granary.postgres.connection import connect
from granary.postgres.endpoint import Endpoint
from granary.postgres.record import RolePasswords

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Prepared:
    """A server that was set up, with a table in raw and one in ops, made by the loader."""

    admin: Endpoint
    passwords: RolePasswords
    database: str

    def role(self, name: str, database: str | None = None) -> Endpoint:
        return replace(
            self.admin.for_database(database or self.database),
            user=f"granary_{name}",
            password=getattr(self.passwords, name),
        )

    def do(self, role: str, *statements: str, database: str | None = None) -> list[tuple]:
        """Run statements as a role; returns the last one's rows."""
        endpoint = self.role(role, database)
        with connect(endpoint, application_name="test", autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def refuses(self, role: str, *statements: str) -> None:
        for statement in statements:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                self.do(role, statement)


@pytest.fixture(
    scope="module",
    params=["shared_cluster", "external_server", "external_manager", "recent_manager"],
)
def prepared(request: pytest.FixtureRequest) -> Prepared:
    found = request.getfixturevalue(request.param)
    admin = found.admin if isinstance(found, Cluster) else found
    database = "granary"
    result = Prepared(admin, RolePasswords(), database)
    bootstrap(admin, result.passwords, database=database)
    result.do(
        "loader",
        "CREATE TABLE raw.aca_members (member_id TEXT)",
        "INSERT INTO raw.aca_members VALUES ('m1')",
        "CREATE TABLE ops.run (run_id BIGINT GENERATED ALWAYS AS IDENTITY, status TEXT)",
    )
    return result


def test_loader_writes_raw_and_ops_alone(prepared: Prepared) -> None:
    assert prepared.do("loader", "SELECT member_id FROM raw.aca_members") == [("m1",)]
    prepared.refuses(
        "loader", "CREATE SCHEMA core", "CREATE TABLE public.stray (id INT)", "CREATE ROLE stray"
    )


def test_transformer_reads_raw_records_runs_and_makes_schemas(prepared: Prepared) -> None:
    rows = prepared.do(
        "transformer",
        "CREATE SCHEMA core",
        "CREATE TABLE core.dim_member AS SELECT member_id FROM raw.aca_members",
        "SELECT member_id FROM core.dim_member",
    )
    assert rows == [("m1",)]
    recorded = prepared.do(
        "transformer",
        "INSERT INTO ops.run (status) VALUES ('running')",
        "UPDATE ops.run SET status = 'done'",
        "SELECT status FROM ops.run",
    )
    assert recorded == [("done",)]
    prepared.refuses(
        "transformer",
        "INSERT INTO raw.aca_members VALUES ('m2')",
        "DELETE FROM raw.aca_members",
        "DROP TABLE raw.aca_members",
        "CREATE TABLE raw.stray (id INT)",
        "DELETE FROM ops.run",
    )


def test_reader_sees_what_it_is_given_and_changes_nothing(prepared: Prepared) -> None:
    prepared.do(
        "transformer",
        "CREATE SCHEMA semantic",
        "CREATE TABLE semantic.summary AS SELECT 7 AS members",
        "GRANT USAGE ON SCHEMA semantic TO granary_reader",
        "GRANT SELECT ON semantic.summary TO granary_reader",
    )
    assert prepared.do("reader", "SELECT members FROM semantic.summary") == [(7,)]
    assert prepared.do("reader", "SHOW statement_timeout") == [("1min",)]
    prepared.refuses("reader", "SELECT * FROM raw.aca_members", "SELECT * FROM ops.run")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        prepared.do("reader", "CREATE TABLE stray (id INT)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        prepared.do("reader", "SET default_transaction_read_only = off", "CREATE SCHEMA stray")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        prepared.do(
            "reader",
            "SET default_transaction_read_only = off",
            "INSERT INTO semantic.summary VALUES (8)",
        )


def test_each_database_has_its_owner_and_no_other_guests(prepared: Prepared) -> None:
    state, superset = f"{prepared.database}_state", f"{prepared.database}_superset"
    prepared.do("transformer", "CREATE SCHEMA sqlmesh", database=state)
    prepared.do("superset", "CREATE TABLE dashboards (id INT)", database=superset)
    for role, database in [
        ("loader", state),
        ("reader", state),
        ("superset", state),
        ("loader", superset),
        ("transformer", superset),
        ("reader", superset),
        ("superset", prepared.database),
    ]:
        with pytest.raises(GranaryError, match="permission denied for database"):
            prepared.do(role, "SELECT 1", database=database)


@pytest.mark.parametrize("role", ["loader", "transformer", "reader", "superset"])
def test_every_role_lives_in_utc_and_has_no_power_over_others(
    prepared: Prepared, role: str
) -> None:
    database = f"{prepared.database}_superset" if role == "superset" else prepared.database
    assert prepared.do(role, "SHOW timezone", database=database) == [("UTC",)]
    powers = prepared.do(
        role,
        "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls "
        "FROM pg_roles WHERE rolname = current_user",
        database=database,
    )
    assert powers == [(False,)]


def test_databases_sort_by_code_point_and_know_the_case_of_letters(prepared: Prepared) -> None:
    assert prepared.do("loader", "SELECT 'B' < 'a', 'Z' < 'é'") == [(True, True)]
    assert prepared.do("loader", "SHOW server_encoding") == [("UTF8",)]


def test_second_time_takes_one_connection_and_changes_nothing(
    prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("nothing should be made when all is there")

    monkeypatch.setattr(bootstrap_module, "_ensure_roles", fail)
    monkeypatch.setattr(bootstrap_module, "_ensure_databases", fail)
    bootstrap(prepared.admin, prepared.passwords, database=prepared.database)


def test_what_went_missing_comes_back(prepared: Prepared) -> None:
    with connect(prepared.admin, application_name="test", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {prepared.database}_state")
    bootstrap(prepared.admin, prepared.passwords, database=prepared.database)
    prepared.do("transformer", "SELECT 1", database=f"{prepared.database}_state")
    assert prepared.do("loader", "SELECT member_id FROM raw.aca_members") == [("m1",)]


def test_new_passwords_replace_old_ones(prepared: Prepared) -> None:
    new = replace(prepared, passwords=RolePasswords())
    bootstrap(new.admin, new.passwords, database=new.database)
    assert new.do("loader", "SELECT 1") == [(1,)]
    with pytest.raises(GranaryError, match="refused the password of user granary_loader"):
        prepared.do("loader", "SELECT 1")
    bootstrap(prepared.admin, prepared.passwords, database=prepared.database)
    assert prepared.do("loader", "SELECT 1") == [(1,)]


def test_two_at_once_do_not_trip_over_each_other(shared_cluster: Cluster) -> None:
    passwords = RolePasswords()
    before = shared_cluster.admin
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: bootstrap(before, passwords, database="at_once"), range(3)))
    assert Prepared(before, passwords, "at_once").do("loader", "SELECT 1") == [(1,)]


def test_database_that_the_user_made_keeps_its_owner_and_guests(external_server: Endpoint) -> None:
    with connect(external_server, application_name="test", autocommit=True) as connection:
        connection.execute("CREATE DATABASE theirs")
        connection.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
    passwords = RolePasswords()
    bootstrap(external_server, passwords, database="theirs")
    theirs = Prepared(external_server, passwords, "theirs")
    theirs.do("transformer", "CREATE SCHEMA core")
    guest = replace(external_server, user="guest", password="guest", database="theirs")
    with connect(guest, application_name="test") as connection:
        owner = connection.execute(
            "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'theirs'"
        ).fetchone()
    assert owner == (external_server.user,)


def test_admin_without_the_power_is_told_what_it_takes(external_server: Endpoint) -> None:
    with connect(external_server, application_name="test", autocommit=True) as connection:
        connection.execute("CREATE ROLE powerless LOGIN PASSWORD 'powerless'")
    powerless = replace(external_server, user="powerless", password="powerless")
    with pytest.raises(GranaryError, match="a role with CREATEROLE and CREATEDB"):
        bootstrap(powerless, RolePasswords(), database="not_there")


def test_old_server_is_refused(external_server: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap_module, "OLDEST_VERSION", 16)
    with pytest.raises(GranaryError, match="is PostgreSQL 15; Granary needs 16 or later"):
        bootstrap(external_server, RolePasswords())


def test_statistics_are_refreshed_when_a_tenth_of_a_table_changed(prepared: Prepared) -> None:
    def known_after(change: str) -> float:
        """The rows that the planner knows of after a transaction that changes some."""
        with connect(prepared.role("transformer"), application_name="test") as connection:
            connection.execute(change)
            connection.execute("SELECT ops.analyze_changed('core.counted')")
        return prepared.do(
            "transformer", "SELECT reltuples FROM pg_class WHERE oid = 'core.counted'::REGCLASS"
        )[0][0]

    prepared.do(
        "transformer",
        "CREATE SCHEMA IF NOT EXISTS core",
        # A visit of the server's own collector would hide what the function does.
        "CREATE TABLE core.counted (number INT) WITH (autovacuum_enabled = FALSE)",
    )
    fill = "INSERT INTO core.counted SELECT GENERATE_SERIES(1, {})"
    assert known_after(fill.format(1000)) == 1000
    # The server counts what a transaction changed before its own ANALYZE as changed after it.
    prepared.do("transformer", "ANALYZE core.counted")
    assert known_after(fill.format(90)) == 1000
    assert known_after(fill.format(20)) == 1110
    assert known_after("DELETE FROM core.counted WHERE number <= 100") == 1110 - 210
