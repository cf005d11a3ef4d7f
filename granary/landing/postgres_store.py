"""Landing in PostgreSQL."""

import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, fields
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.csv

from granary.connection import Connection, Cursor
from granary.landing.batch import LOADED, REFUSED, LoadBatch, Sighting
from granary.landing.contract import Contract
from granary.landing.errors import StoreError
from granary.landing.store import (
    DEAD_LETTER_COLUMNS,
    dead_letters,
    equip,
    good_rows,
    raw_columns,
)
from granary.landing.tables import (
    OPS_TABLES,
    Table,
    change_statements,
    comment_statements,
    create_statement,
    raw_table,
)

LEDGER_COLUMNS = [field.name for field in fields(LoadBatch)]
COPY_ROWS = 20_000
PREPARE_LOCK = 0x6772616E617279  # "granary": one process at a time changes tables


class _Statements:
    """The server's connection with parameters $1, $2, … as on DuckDB."""

    def __init__(self, server: psycopg.Connection) -> None:
        self._server = server

    def execute(self, query: str, parameters: Sequence[Any] = ()) -> Cursor:
        return psycopg.RawCursor(self._server).execute(query.encode(), parameters)


class PostgresStore:
    """A warehouse in a PostgreSQL database."""

    def __init__(self, conninfo: str) -> None:
        """Connect.

        Args:
            conninfo: a libpq connection string; its password never shows in a message.

        Raises:
            StoreError: the server is down or refuses the login.
        """
        self._conninfo = conninfo
        self._filled: set[str] = set()
        # For what does not fit into memory; only this user can enter it.
        self._scratch = tempfile.TemporaryDirectory(prefix="granary-landing-")
        self.workbench = duckdb.connect(config={"temp_directory": self._scratch.name})
        equip(self.workbench)
        with _explained():
            self._server = psycopg.connect(
                conninfo, autocommit=True, options="-c TimeZone=UTC", application_name="granary"
            )
        self.connection: Connection = _Statements(self._server)

    def __enter__(self) -> "PostgresStore":
        """Give the store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the store."""
        self.close()

    def close(self) -> None:
        """Refresh the statistics of what was filled, and disconnect.

        The server would do it by itself minutes later, after the models have read the tables.
        """
        if self._filled and not self._server.closed:
            for table in ["ops.load_batch", *sorted(self._filled)]:
                self._server.execute(f"ANALYZE {table}".encode())
        self._server.close()
        self.workbench.close()
        self._scratch.cleanup()

    def second(self) -> "PostgresStore":
        """Open another connection: while the server writes one file, the next is read."""
        return PostgresStore(self._conninfo)

    def prepare(self, contracts: Iterable[Contract]) -> None:
        """Create what is missing of schemas, ledger and raw tables; add and relax columns."""
        with _explained(), self._server.transaction():
            self._server.execute("SELECT pg_advisory_xact_lock(%s)", [PREPARE_LOCK])
            for schema in ("raw", "ops"):
                self._prepare_schema(schema)
            for table in [*OPS_TABLES, *map(raw_table, contracts)]:
                self._prepare_table(table)

    def _prepare_schema(self, schema: str) -> None:
        # IF NOT EXISTS would ask for the right to create even when there is nothing to do.
        found = self._server.execute(
            "SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema]
        ).fetchone()
        if not found:
            self._server.execute(f"CREATE SCHEMA {schema}".encode())

    def _prepare_table(self, table: Table) -> None:
        present: dict[str, bool] = dict(
            self._server.execute(
                "SELECT attname, attnotnull FROM pg_attribute WHERE attrelid = to_regclass(%s) "
                "AND attnum > 0 AND NOT attisdropped",
                [table.name],
            ).fetchall()
        )
        changes = change_statements(table, present)
        if not changes:
            return
        creation = [create_statement(table)]
        if table.name.startswith("raw."):
            # Lines lie in the order of arrival, by which models read them.
            name = table.name.replace(".", "_")
            creation.append(
                f"CREATE INDEX {name}_arrival ON {table.name} USING brin (load_timestamp)"
            )
        creation.append(f"ANALYZE {table.name}")
        for statement in [*(changes if present else creation), *comment_statements(table)]:
            self._server.execute(statement.encode())

    def sightings(self) -> set[Sighting]:
        """Give the files that landed, as they looked then."""
        with _explained():
            rows = self._server.execute(
                "SELECT source, feed, tenant_id, extracted_at, bytes, modified_at "
                "FROM ops.load_batch WHERE status = %s",
                [LOADED],
            ).fetchall()
        return set(rows)

    def has_landed(self, load_id: int) -> bool:
        """Say whether this batch is in the database already."""
        with _explained():
            row = self._server.execute(
                "SELECT 1 FROM ops.load_batch WHERE load_id = %s AND status = %s",
                [load_id, LOADED],
            ).fetchone()
        return row is not None

    def land(self, batch: LoadBatch, contract: Contract) -> bool:
        """Write good lines, refused lines and the ledger row in one transaction."""
        with _explained(), self._server.transaction():
            self._server.execute("SELECT pg_advisory_xact_lock(%s)", [batch.load_id])
            if self.has_landed(batch.load_id):
                return False
            self._filled.add(contract.table)
            self._write_ledger(batch)
            loaded = self._copy(contract.table, raw_columns(contract), good_rows(batch, contract))
            refused = self._copy("ops.dead_letter", DEAD_LETTER_COLUMNS, dead_letters(batch))
            if loaded != batch.rows_loaded or loaded + refused != batch.rows_read:
                raise StoreError(
                    f"{batch.source}: the server took {loaded} rows and {refused} dead letters of "
                    f"{batch.rows_read} lines. Nothing was landed.",
                    "Report this file: a value in it is not copied as it stands.",
                )
            self._server.execute(
                "UPDATE ops.dead_letter SET status = 'closed' WHERE source_line = 0 AND load_id IN "
                "(SELECT load_id FROM ops.load_batch WHERE feed = %s AND tenant_id = %s "
                "AND extracted_at = %s)",
                [batch.feed, batch.tenant_id, batch.extracted_at],
            )
        return True

    def refuse(self, batch: LoadBatch, error_class: str) -> None:
        """Write the ledger row and the dead letter of a file refused as a whole."""
        with _explained(), self._server.transaction():
            self._server.execute("SELECT pg_advisory_xact_lock(%s)", [batch.load_id])
            self._write_ledger(batch)
            self._server.execute(
                f"INSERT INTO ops.dead_letter AS letter ({DEAD_LETTER_COLUMNS}) "
                "VALUES (%s, %s, %s, 0, NULL, %s, %s, NULL, 'waiting', 1, %s) "
                "ON CONFLICT (load_id, source_line) DO UPDATE SET reason = excluded.reason, "
                "error_class = excluded.error_class, attempts = letter.attempts + 1",
                [
                    batch.load_id,
                    batch.feed,
                    batch.tenant_id,
                    batch.error,
                    error_class,
                    batch.load_timestamp,
                ],
            )

    def _write_ledger(self, batch: LoadBatch) -> None:
        changes = ", ".join(
            f"{name} = excluded.{name}" for name in LEDGER_COLUMNS if name != "load_id"
        )
        statement = (
            f"INSERT INTO ops.load_batch ({', '.join(LEDGER_COLUMNS)}) "
            f"VALUES ({', '.join('%s' for _ in LEDGER_COLUMNS)}) "
            f"ON CONFLICT (load_id) DO UPDATE SET {changes} WHERE load_batch.status = '{REFUSED}'"
        )
        self._server.execute(statement.encode(), astuple(batch))

    def _copy(self, table: str, columns: str, query: str) -> int:
        """Stream the workbench's rows to the server, a block of CSV at a time; gives the rows."""
        options = pa.csv.WriteOptions(include_header=False)
        statement = f"COPY {table} ({columns}) FROM STDIN (FORMAT csv)"
        with self._server.cursor() as cursor:
            with cursor.copy(statement.encode()) as copy:
                for rows in self.workbench.sql(query).to_arrow_reader(COPY_ROWS):
                    block = io.BytesIO()
                    pa.csv.write_csv(rows, block, options)
                    copy.write(block.getbuffer())
            return cursor.rowcount


@contextmanager
def _explained() -> Iterator[None]:
    """Turn the server's errors of the outside world into one that says what to do."""
    try:
        yield
    except psycopg.errors.DiskFull as error:
        raise StoreError(
            f"The database server has no disk space left: {_text(error)}.",
            "Free space, then run again: nothing was landed in part.",
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise StoreError(
            f"The database server refuses: {_text(error)}.", "Log in as granary_loader."
        ) from error
    except psycopg.OperationalError as error:
        raise StoreError(
            f"The database server cannot be used: {_text(error)}.",
            "Check that it runs and that GRANARY_PG* are right, then run again: what was not "
            "committed was not landed.",
        ) from error
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise StoreError(
            f"No memory or disk left to read the file with: {error}.",
            "Free memory and disk, then run again.",
        ) from error


def _text(error: psycopg.Error) -> str:
    return " ".join((error.diag.message_primary or str(error)).split()).rstrip(".")
