"""Databases, roles and grants: what a PostgreSQL server needs before Granary can work on it."""

import hashlib
from typing import LiteralString

import psycopg
from psycopg import sql

from granary.errors import GranaryError
from granary.postgres.connection import connect
from granary.postgres.endpoint import Endpoint
from granary.postgres.record import RolePasswords
from granary.postgres.statistics import STATISTICS_FUNCTION
from granary.writer import WRITER_FUNCTIONS

LOADER = "granary_loader"
TRANSFORMER = "granary_transformer"
READER = "granary_reader"
SUPERSET = "granary_superset"

WAREHOUSE_DATABASE = "granary"
APPLICATION = "granary set-up"
OLDEST_VERSION = 15
FIRST_WITH_BUILTIN_LOCALES = 17
ADVISORY_LOCK = 0x6772616E617279

ROLE_SETTINGS = {
    LOADER: {"timezone": "UTC"},
    TRANSFORMER: {"timezone": "UTC"},
    READER: {
        "timezone": "UTC",
        "default_transaction_read_only": "on",
        "statement_timeout": "60s",
    },
    SUPERSET: {"timezone": "UTC"},
}

DATABASE_GRANTS = """
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {database} TO granary_transformer;
GRANT CONNECT, TEMPORARY ON DATABASE {database} TO granary_loader;
GRANT CONNECT ON DATABASE {database} TO granary_reader;
"""

SCHEMA_GRANTS = """
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA IF NOT EXISTS raw AUTHORIZATION granary_loader;
CREATE SCHEMA IF NOT EXISTS ops AUTHORIZATION granary_loader;
GRANT USAGE ON SCHEMA raw, ops TO granary_transformer;
GRANT SELECT ON ALL TABLES IN SCHEMA raw TO granary_transformer;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA ops TO granary_transformer;
ALTER DEFAULT PRIVILEGES FOR ROLE granary_loader IN SCHEMA raw
  GRANT SELECT ON TABLES TO granary_transformer;
ALTER DEFAULT PRIVILEGES FOR ROLE granary_loader IN SCHEMA ops
  GRANT SELECT, INSERT, UPDATE ON TABLES TO granary_transformer;
"""

IS_COMPLETE = """
SELECT
  (
    SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %(warehouse)s
  ) IS NOT DISTINCT FROM %(mark)s
  AND (SELECT COUNT(*) FROM pg_database WHERE datname = ANY(%(databases)s)) = %(database_count)s
  AND (SELECT COUNT(*) FROM pg_roles WHERE rolname = ANY(%(roles)s)) = %(role_count)s
"""


def state_database(database: str) -> str:
    """The database that holds SQLMesh's state for a warehouse."""
    return f"{database}_state"


def superset_database(database: str) -> str:
    """The database that holds Superset's metadata for a warehouse."""
    return f"{database}_superset"


def bootstrap(
    admin: Endpoint, passwords: RolePasswords, *, database: str = WAREHOUSE_DATABASE
) -> None:
    """Make the roles, databases, schemas and grants that are missing; repeatable.

    The roles' passwords are the given ones afterwards, whatever they were before. When all is
    there it takes one connection and one query.

    Args:
        admin: a superuser, or a role with CREATEROLE and CREATEDB; its database is connected to
            when the warehouse's does not exist yet.
        passwords: of the roles.
        database: the warehouse's; SQLMesh's state and Superset's metadata go to databases whose
            names begin with it.

    Raises:
        GranaryError: the server is older than PostgreSQL 15, or the admin lacks a privilege.
    """
    owners = {
        database: TRANSFORMER,
        state_database(database): TRANSFORMER,
        superset_database(database): SUPERSET,
    }
    role_passwords = {
        LOADER: passwords.loader,
        TRANSFORMER: passwords.transformer,
        READER: passwords.reader,
        SUPERSET: passwords.superset,
    }
    mark = _mark(role_passwords)
    try:
        with connect(admin, application_name=APPLICATION, autocommit=True) as connection:
            _require_version(connection, admin)
            if _is_complete(connection, owners, database, mark):
                return
            # Two bootstraps at once would trip over each other's roles.
            connection.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
            _ensure_roles(connection, role_passwords)
            _ensure_databases(connection, owners)
            _execute(connection, DATABASE_GRANTS, database=database)
            with connect(admin.for_database(database), application_name=APPLICATION) as warehouse:
                warehouse.execute(SCHEMA_GRANTS)
                warehouse.execute(WRITER_FUNCTIONS)
                warehouse.execute(STATISTICS_FUNCTION)
            _execute(
                connection,
                "COMMENT ON DATABASE {database} IS {mark}",
                database=database,
                mark=sql.Literal(mark),
            )
    except psycopg.errors.InsufficientPrivilege as error:
        raise GranaryError(
            f"User {admin.user} may not set up PostgreSQL at {admin.host}:{admin.port}: "
            f"{error.diag.message_primary}.",
            "Let GRANARY_PGUSER be a superuser, or a role with CREATEROLE and CREATEDB that made "
            "any granary roles and databases which are there already.",
        ) from error


def _mark(role_passwords: dict[str, str]) -> str:
    """A comment for the warehouse that changes when its set-up has to be done anew.

    The passwords cannot be found from it: they have 192 random bits.
    """
    functions = WRITER_FUNCTIONS + STATISTICS_FUNCTION
    setup = repr((ROLE_SETTINGS, DATABASE_GRANTS, SCHEMA_GRANTS, functions, role_passwords))
    return f"Granary warehouse, set-up {hashlib.sha256(setup.encode()).hexdigest()[:16]}"


def _require_version(connection: psycopg.Connection, admin: Endpoint) -> None:
    major = connection.info.server_version // 10000
    if major < OLDEST_VERSION:
        raise GranaryError(
            f"The server at {admin.host}:{admin.port} is PostgreSQL {major}; "
            f"Granary needs {OLDEST_VERSION} or later.",
            "Upgrade it, or unset GRANARY_PGHOST to use the embedded server.",
        )


def _is_complete(
    connection: psycopg.Connection, owners: dict[str, str], database: str, mark: str
) -> bool:
    parameters = {
        "warehouse": database,
        "mark": mark,
        "databases": list(owners),
        "database_count": len(owners),
        "roles": list(ROLE_SETTINGS),
        "role_count": len(ROLE_SETTINGS),
    }
    row = connection.execute(IS_COMPLETE, parameters).fetchone()
    return row == (True,)


def _ensure_roles(connection: psycopg.Connection, role_passwords: dict[str, str]) -> None:
    present = _names(connection, "SELECT rolname FROM pg_roles")
    is_superuser = connection.info.parameter_status("is_superuser") == "on"
    with connection.transaction():
        for role, password in role_passwords.items():
            if role not in present:
                _execute(connection, "CREATE ROLE {role}", role=role)
            # Hashed here, so that the server's statement log never sees the password itself.
            hashed = connection.pgconn.encrypt_password(
                password.encode(), role.encode(), b"scram-sha-256"
            )
            _execute(
                connection,
                "ALTER ROLE {role} LOGIN PASSWORD {hashed}",
                role=role,
                hashed=sql.Literal(hashed.decode()),
            )
            if not is_superuser:
                # To hand databases and schemas over to a role one has to be a member of it.
                _execute(connection, "GRANT {role} TO CURRENT_USER", role=role)
            for name, value in ROLE_SETTINGS[role].items():
                _execute(
                    connection,
                    "ALTER ROLE {role} SET {name} = {value}",
                    role=role,
                    name=name,
                    value=sql.Literal(value),
                )


def _ensure_databases(connection: psycopg.Connection, owners: dict[str, str]) -> None:
    present = _names(connection, "SELECT datname FROM pg_database")
    for database, owner in owners.items():
        if database in present:
            continue
        _execute(
            connection,
            "CREATE DATABASE {database} OWNER {owner} TEMPLATE template0 ENCODING 'UTF8' {locale}",
            database=database,
            owner=owner,
            locale=_locale(connection),
        )
        _execute(connection, "REVOKE ALL ON DATABASE {database} FROM PUBLIC", database=database)


def _locale(connection: psycopg.Connection) -> sql.Composable:
    """Sort by code point, as DuckDB does, and know the case of all letters where the server can."""
    if connection.info.server_version // 10000 >= FIRST_WITH_BUILTIN_LOCALES:
        return sql.SQL("LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'")
    character_types = _names(
        connection,
        "SELECT datctype FROM pg_database "
        "WHERE datname = 'template0' AND encoding = pg_char_to_encoding('UTF8')",
    )
    return sql.SQL("LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE {}").format(
        sql.Literal(character_types.pop() if character_types else "C")
    )


def _names(connection: psycopg.Connection, query: LiteralString) -> set[str]:
    return {name for (name,) in connection.execute(query)}


def _execute(
    connection: psycopg.Connection, statement: LiteralString, **parts: str | sql.Composable
) -> None:
    """Run a statement; strings fill its places as quoted names."""
    composed = {
        place: sql.Identifier(part) if isinstance(part, str) else part
        for place, part in parts.items()
    }
    connection.execute(sql.SQL(statement).format(**composed))
