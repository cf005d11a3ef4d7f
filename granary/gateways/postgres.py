"""PostgreSQL, embedded or any other server, as a gateway."""

import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property

import psycopg

from granary.errors import GranaryError
from granary.gateways.base import NOTHING_GIVEN, Connection, Rows
from granary.landing.postgres_store import PostgresStore
from granary.landing.store import Store
from granary.postgres.cluster import Cluster
from granary.postgres.endpoint import Endpoint
from granary.postgres.environment import environment_variables
from granary.postgres.warehouse import Warehouse, connect, ensure, resolve
from granary.privacy.secret import read_secret
from granary.settings import Settings
from granary.writer import WRITER_LOCK, WRITER_NOW, writing_here

# Of what a session says about itself, the server keeps as much.
LONGEST_NAME = 63
# reltuples is -1 before the first ANALYZE, and 0 for views.
ESTIMATED_ROWS = """
SELECT names.name, classes.reltuples::BIGINT
FROM UNNEST(%s::TEXT[]) AS names(name)
INNER JOIN pg_class AS classes ON classes.oid = TO_REGCLASS(names.name)
WHERE classes.relkind = 'r' AND classes.reltuples >= 0
"""


class PostgresGateway:
    """The warehouse in a PostgreSQL database."""

    def __init__(self, settings: Settings) -> None:
        """Remember the settings; nothing is connected yet."""
        self._settings = settings

    @cached_property
    def warehouse(self) -> Warehouse:
        """The endpoints; the embedded server must have been started once."""
        return resolve(self._settings)

    def describe(self) -> str:
        """Say which server and database it is."""
        endpoint = self.warehouse.transformer
        kind = "embedded PostgreSQL" if self._settings.embedded else "PostgreSQL"
        return f"{kind} at {endpoint.host}:{endpoint.port}, database {endpoint.database}"

    def start(self) -> None:
        """Start the embedded server if it is the one meant, and set the server up."""
        self.warehouse = ensure(self._settings)

    def stop(self) -> bool:
        """Stop the embedded server; another server is not ours to stop."""
        if not self._settings.embedded:
            return False
        cluster = Cluster(self._settings.home_path)
        was_running = cluster.status().running
        cluster.stop()
        return was_running

    def destroy(self) -> None:
        """Remove the embedded server and its data.

        Raises:
            GranaryError: the warehouse is on a server that is not ours.
        """
        if not self._settings.embedded:
            raise GranaryError(
                f"{self.describe()} is not Granary's own server, so its data stays.",
                "Drop the database and its _state and _superset neighbours yourself.",
            )
        Cluster(self._settings.home_path).destroy()

    def is_up(self) -> bool:
        """Say whether the server answers."""
        if self._settings.embedded:
            return Cluster(self._settings.home_path).status().running
        with connect(self.warehouse.transformer, application_name="granary status"):
            return True

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Open the warehouse for landing, as the loader."""
        with PostgresStore(self.warehouse.loader.conninfo()) as store:
            store.secret = read_secret(self._settings.home_path)
            yield store

    def operations(self) -> AbstractContextManager[Connection]:
        """Open the warehouse for the ops schema, as the loader."""
        return _numbered(self.warehouse.loader)

    def models(self) -> AbstractContextManager[Connection]:
        """Open the warehouse for the tables of models, as the transformer, who owns them."""
        return _numbered(self.warehouse.transformer)

    def purge(self, tables: Sequence[str]) -> None:
        """Vacuum tables, each as its owner."""
        for table in tables:
            is_landed = table.partition(".")[0].strip('"') in ("raw", "ops")
            with self.operations() if is_landed else self.models() as connection:
                connection.execute(f"VACUUM (ANALYZE) {table}")

    @contextmanager
    def writer(self, purpose: str, on_wait: Callable[[str], None]) -> Iterator[None]:
        """Hold the advisory lock of plans and runs; it goes with the session, even by kill -9."""
        with connect(
            self.warehouse.transformer, application_name=_name_of(purpose), autocommit=True
        ) as connection:
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", [WRITER_LOCK]).fetchone()
            if row != (True,):
                on_wait(_holder(connection) or "another process")
                connection.execute("SELECT pg_advisory_lock(%s)", [WRITER_LOCK])
            with writing_here():
                yield

    def writer_now(self) -> str | None:
        """Say who holds the advisory lock."""
        with connect(self.warehouse.transformer, application_name="granary") as connection:
            return _holder(connection)

    def sqlmesh_variables(self) -> dict[str, str]:
        """Give the environment variables that config.yaml reads."""
        return {
            **environment_variables(self.warehouse, self._settings),
            "GRANARY_SQLMESH_GATEWAY": self._settings.gateway,
        }

    def check_roles(self) -> str:
        """Log in as each role, on its own database."""
        warehouse = self.warehouse
        roles = (warehouse.loader, warehouse.transformer, warehouse.reader, warehouse.superset)
        for endpoint in roles:
            with connect(endpoint, application_name="granary doctor"):
                pass
        return f"{', '.join(endpoint.user for endpoint in roles)} can log in"

    def check_state(self) -> str:
        """Connect to the database of SQLMesh's state."""
        with connect(self.warehouse.state, application_name="granary doctor"):
            return f"database {self.warehouse.state.database} answers"

    def query(self, sql: str, given: Mapping[str, str] = NOTHING_GIVEN) -> Rows:
        """Answer one statement in a read-only transaction, as the transformer, who sees all."""
        with connect(
            self.warehouse.transformer, application_name="granary sql", read_only=not given
        ) as connection:
            try:
                for name, part in given.items():
                    connection.execute(
                        f"CREATE TEMP TABLE {name} ON COMMIT DROP AS {part}".encode()
                    )
                    connection.execute(f"ANALYZE {name}".encode())
                if given:
                    connection.execute("SET TRANSACTION READ ONLY")
                # A prepared statement is one statement: nothing can follow a semicolon.
                cursor = connection.execute(sql.encode(), prepare=True)
                columns = [column.name for column in cursor.description or []]
                return Rows(columns, cursor.fetchall() if columns else [])
            except psycopg.errors.ReadOnlySqlTransaction as error:
                raise GranaryError(
                    f"`granary sql` only reads: {error.diag.message_primary}.",
                    "Change data through files and models.",
                ) from error
            except psycopg.Error as error:
                raise GranaryError(_explain(error), "Mend the query.") from error

    def estimated_rows(self, tables: Sequence[str]) -> dict[str, int]:
        """Read what the last ANALYZE of each table found."""
        with connect(self.warehouse.transformer, application_name="granary") as connection:
            rows = connection.execute(ESTIMATED_ROWS, [list(tables)]).fetchall()
        return dict(rows)


@contextmanager
def _numbered(endpoint: Endpoint) -> Iterator[Connection]:
    with connect(endpoint, application_name="granary", autocommit=True) as connection:
        # Its parameters are $1, $2, … as on DuckDB.
        connection.cursor_factory = psycopg.RawCursor
        yield connection


def _name_of(purpose: str) -> str:
    """Say who works for what; the host's name gives way to the server's limit for such names."""
    name = f"granary {purpose} (process {os.getpid()} on "
    return f"{name}{socket.gethostname()}"[: LONGEST_NAME - 1] + ")"


def _holder(connection: psycopg.Connection) -> str | None:
    row = connection.execute(WRITER_NOW).fetchone()
    return str(row[0]) if row else None


def _explain(error: psycopg.Error) -> str:
    message = error.diag.message_primary or str(error)
    hint = f" ({error.diag.message_hint})" if error.diag.message_hint else ""
    at = f" at character {error.diag.statement_position}" if error.diag.statement_position else ""
    return f"The query failed{at}: {message}{hint}."
