"""Landing in a DuckDB file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from granary.duckdb_files import open_duckdb
from granary.landing.errors import StoreError
from granary.landing.store import Appender, Store, equip
from granary.landing.tables import Table

# As many as DuckDB keeps together in a table.
BLOCK_ROWS = 122_880


class DuckDBStore(Store):
    """A warehouse in one DuckDB file, `<home>/granary.duckdb`."""

    def __init__(self, path: Path) -> None:
        """Open the file, made when missing.

        Raises:
            StoreError: it is no DuckDB file, or another process has it open.
        """
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._depth = 0
        with _explained(path):
            self.workbench = open_duckdb(path)
            equip(self.workbench)
            # Files are read on one connection while the other writes.
            self._writer = self.workbench.cursor()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()
        self.workbench.close()

    def second(self) -> None:
        """Give none: one connection writes to a DuckDB file at a time."""
        return

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement; gives its rows."""
        with _explained(self.path):
            return self._writer.execute(statement, parameters or None).fetchall()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make all that is written inside one transaction; DuckDB knows no inner ones."""
        if self._depth:
            yield
            return
        with _explained(self.path):
            self._writer.execute("BEGIN")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1
            # A commit that fails rolls back by itself.
            self._writer.execute("COMMIT")

    def _lock(self, load_id: int) -> None:
        """Nobody else can write: the file is open here."""

    def _exclusively(self) -> None:
        """Nobody else can write: the file is open here."""

    def _existing_columns(self, table: Table) -> set[str]:
        schema, _, name = table.name.partition(".")
        found = self.rows(
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_schema = $1 AND table_name = $2",
            [schema, name],
        )
        return {name for (name,) in found}

    def _has_schema(self, schema: str) -> bool:
        statement = "SELECT 1 FROM information_schema.schemata WHERE schema_name = $1"
        return bool(self.rows(statement, [schema]))

    def _settle(self, table: Table) -> list[str]:
        return []

    @contextmanager
    def _appending(self, table: str, columns: str) -> Iterator[Appender]:
        appender = _Inserting(self._writer, table, columns)
        yield appender
        appender.flush()

    def _bytes_of(self, expression: str) -> str:
        return f"unhex({expression})"


class _Inserting(Appender):
    """Blocks of rows, gathered until a table takes them best."""

    def __init__(self, writer: duckdb.DuckDBPyConnection, table: str, columns: str) -> None:
        self._writer = writer
        self._table = table
        self._columns = columns
        self._waiting: list[pa.Table] = []

    def write(self, rows: pa.Table) -> None:
        self._waiting.append(rows)
        if sum(block.num_rows for block in self._waiting) >= BLOCK_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what was gathered."""
        if not self._waiting:
            return
        blocks = pa.concat_tables(self._waiting)
        self._waiting.clear()
        self._writer.register("appended", blocks)
        row = self._writer.execute(
            f"INSERT INTO {self._table} ({self._columns}) SELECT {self._columns} FROM appended"
        ).fetchone()
        self._writer.unregister("appended")
        self.count += int(row[0]) if row else 0


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn DuckDB's errors of the outside world into one that says what to do."""
    try:
        yield
    except duckdb.IOException as error:
        text = str(error)
        if "lock" in text:
            raise StoreError(
                f"{path}: another process has the warehouse open.", "Wait for it, or end it."
            ) from error
        remedy = "Free disk space, then run again: nothing was landed in part."
        raise StoreError(f"{path}: {text}.", remedy) from error
    except (duckdb.OutOfMemoryException, duckdb.TransactionException) as error:
        raise StoreError(
            f"{path}: the changes could not be written: {error}.",
            "Free memory and disk space, then run again: nothing was landed in part.",
        ) from error
