"""Landing in PostgreSQL."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.csv

from granary.landing.errors import StoreError
from granary.landing.scratch import Scratch
from granary.landing.store import NONE_SHARED, Appender, Store, equip
from granary.landing.tables import LINEAGE_COLUMNS, Table

PREPARE_LOCK = 0x6772616E617279  # "granary": one process at a time changes tables
# What all lines of a batch share is not sent with each of them: the columns' defaults read settings
# of the transaction. COPY works out once, before the first row, what it is told is IMMUTABLE; the
# function is none, and only COPY relies on it.
SHARED_VALUE = "granary."
CREATE_SHARED_VALUE = """
    CREATE OR REPLACE FUNCTION ops.shared_value(setting TEXT) RETURNS TEXT
    LANGUAGE sql IMMUTABLE AS 'SELECT current_setting(setting)'
"""


class PostgresStore(Store):
    """A warehouse in a PostgreSQL database."""

    takes_text = True

    def __init__(self, conninfo: str) -> None:
        """Connect.

        Args:
            conninfo: a libpq connection string; its password never shows in a message.

        Raises:
            StoreError: the server is down or refuses the login.
        """
        self._conninfo = conninfo
        self._filled: set[str] = set()
        self._scratch = Scratch()
        self.workbench = duckdb.connect(config={"temp_directory": self._scratch.name})
        equip(self.workbench)
        with _explained():
            self._server = psycopg.connect(
                conninfo,
                autocommit=True,
                options="-c TimeZone=UTC",
                application_name="granary",
                cursor_factory=psycopg.RawCursor,
            )

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
        second = PostgresStore(self._conninfo)
        second.secret = self.secret
        return second

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement; gives its rows."""
        with _explained():
            cursor = self._server.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    @property
    def can_take_back(self) -> bool:
        """Always: the server has savepoints."""
        return True

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make all that is written inside one transaction; an inner one takes back its own."""
        with _explained(), self._server.transaction():
            yield

    def _lock(self, load_id: int) -> None:
        self.rows("SELECT pg_advisory_xact_lock($1)", [load_id])

    def _exclusively(self) -> None:
        self._lock(PREPARE_LOCK)

    def existing_columns(self, table: Table) -> dict[str, bool]:
        """Give the columns that a table has, and whether each is NOT NULL."""
        found = self.rows(
            "SELECT attname, attnotnull FROM pg_attribute WHERE attrelid = to_regclass($1) "
            "AND attnum > 0 AND NOT attisdropped",
            [table.name],
        )
        return {column: required for column, required in found}

    def _has_schema(self, schema: str) -> bool:
        return bool(self.rows("SELECT 1 FROM pg_namespace WHERE nspname = $1", [schema]))

    def _prepare_table(self, table: Table) -> None:
        super()._prepare_table(table)
        if LINEAGE_COLUMNS[0] not in table.columns:
            return
        if not self.rows("SELECT 1 FROM pg_attrdef WHERE adrelid = to_regclass($1)", [table.name]):
            for statement in (CREATE_SHARED_VALUE, share_lineage(table)):
                self.rows(statement)

    def _settle(self, table: Table) -> list[str]:
        statements = [f"ANALYZE {table.name}"]
        if any(column.name == "load_timestamp" for column in table.columns):
            # Lines lie in the order of arrival, by which models read them.
            name = table.name.replace(".", "_")
            statements.append(
                f"CREATE INDEX {name}_arrival ON {table.name} USING brin (load_timestamp)"
            )
        return statements

    @contextmanager
    def _appending(
        self, table: str, columns: Sequence[str], shared: Mapping[str, object] = NONE_SHARED
    ) -> Iterator[Appender]:
        if table.startswith("raw."):
            self._filled.add(table)
        for name, value in shared.items():
            self.rows("SELECT set_config($1, $2, TRUE)", [SHARED_VALUE + name, str(value)])
        statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT csv)"
        names = [name.strip('"') for name in columns]
        with self._server.cursor() as cursor:
            # Waits for the server: while it writes a block, the next one is read.
            with cursor.copy(statement.encode()) as copy:
                appender = _Copying(copy, names)
                yield appender
            appender.count = cursor.rowcount

    def _bytes_of(self, expression: str) -> str:
        return f"'\\x' || {expression}"


class _Copying(Appender):
    """Blocks of CSV on their way through COPY."""

    def __init__(self, copy: psycopg.Copy, columns: list[str]) -> None:
        self._copy = copy
        self._columns = columns

    def write(self, rows: pa.Table) -> None:
        chosen = rows.select(self._columns)
        try:
            # The server reads values without quotes faster; most blocks need none.
            block = _csv(chosen, "none")
        except pa.ArrowInvalid:
            block = _csv(chosen, "needed")
        self._copy.write(block)


def _csv(rows: pa.Table, quoting: Literal["none", "needed"]) -> memoryview:
    block = io.BytesIO()
    options = pa.csv.WriteOptions(include_header=False, quoting_style=quoting)
    pa.csv.write_csv(rows, block, options)
    return block.getbuffer()


def share_lineage(table: Table) -> str:
    """ALTER TABLE that lets what all lines of a batch share come from settings of the session."""
    changes = (
        f"ALTER COLUMN {column.name} SET DEFAULT "
        f"ops.shared_value('{SHARED_VALUE}{column.name}')::{column.sql_type}"
        for column in LINEAGE_COLUMNS
        if column.name != "source_line"
    )
    return f"ALTER TABLE {table.name} {', '.join(changes)}"


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
