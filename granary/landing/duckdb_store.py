"""Landing in a DuckDB file."""

import queue
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from granary.duckdb_files import open_duckdb
from granary.landing.errors import StoreError
from granary.landing.store import NONE_SHARED, Appender, Store, equip
from granary.landing.tables import Table, literal

WAITING_BLOCKS = 2


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

    @property
    def can_take_back(self) -> bool:
        """Only outside of a transaction: DuckDB knows no inner ones."""
        return not self._depth

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make all that is written inside one transaction; an inner one is part of it."""
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

    def existing_columns(self, table: Table) -> dict[str, bool]:
        """Give the columns that a table has, and whether each is NOT NULL."""
        schema, _, name = table.name.partition(".")
        found = self.rows(
            "SELECT column_name, is_nullable = 'NO' FROM information_schema.columns "
            "WHERE table_schema = $1 AND table_name = $2",
            [schema, name],
        )
        return {column: required for column, required in found}

    def _has_schema(self, schema: str) -> bool:
        statement = "SELECT 1 FROM information_schema.schemata WHERE schema_name = $1"
        return bool(self.rows(statement, [schema]))

    def _settle(self, table: Table) -> list[str]:
        return []

    @contextmanager
    def _appending(
        self, table: str, columns: Sequence[str], shared: Mapping[str, object] = NONE_SHARED
    ) -> Iterator[Appender]:
        appender = _Inserting(self._writer, insertion(table, columns, shared))
        try:
            yield appender
        except BaseException:
            appender.give_up()
            raise
        appender.finish()

    def _bytes_of(self, expression: str) -> str:
        return f"unhex({expression})"


class _Inserting(Appender):
    """Blocks of rows on their way through one INSERT.

    One statement over all blocks lets DuckDB write to the file as it goes; where there is more than
    one block it runs in a thread of its own.
    """

    def __init__(self, writer: duckdb.DuckDBPyConnection, statement: str) -> None:
        """Prepare to insert.

        Args:
            statement: an INSERT that reads a table `appended`.
        """
        self._writer = writer
        self._statement = statement
        self._blocks: queue.Queue[pa.Table | None] = queue.Queue(maxsize=WAITING_BLOCKS)
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._first: pa.Table | None = None
        self._inserting: Future[int] | None = None
        self._is_broken = False

    def write(self, rows: pa.Table) -> None:
        if self._first is None:
            self._first = rows
            return
        if self._inserting is None:
            appended = pa.RecordBatchReader.from_batches(rows.schema, self._batches())
            self._inserting = self._pool.submit(self._insert, appended)
            self._put(self._first)
        self._put(rows)

    def finish(self) -> None:
        """Wait until all rows are in the table."""
        if self._inserting is not None:
            self._put(None)
            self.count = self._inserting.result()
        elif self._first is not None:
            self.count = self._insert(self._first)
        self._pool.shutdown()

    def give_up(self) -> None:
        """End the statement without what is still to come."""
        self._is_broken = True
        if self._inserting is not None:
            with suppress(Exception):
                self._put(None)
        self._pool.shutdown()

    def _put(self, rows: pa.Table | None) -> None:
        while True:
            try:
                return self._blocks.put(rows, timeout=1)
            except queue.Full:
                if self._inserting is not None and self._inserting.done():
                    # It can only have failed.
                    self._inserting.result()

    def _insert(self, appended: pa.Table | pa.RecordBatchReader) -> int:
        self._writer.register("appended", appended)
        try:
            row = self._writer.execute(self._statement).fetchone()
        finally:
            self._writer.unregister("appended")
        return int(row[0]) if row else 0

    def _batches(self) -> Iterator[pa.RecordBatch]:
        while (rows := self._blocks.get()) is not None:
            yield from rows.to_batches()
        if self._is_broken:
            raise InterruptedError("the file cannot land")


def insertion(table: str, columns: Sequence[str], shared: Mapping[str, object]) -> str:
    """An INSERT of the rows of `appended` and what they share, which takes the columns' types."""
    names = ", ".join([*columns, *shared])
    values = ", ".join([*columns, *(literal(str(value)) for value in shared.values())])
    return f"INSERT INTO {table} ({names}) SELECT {values} FROM appended"


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
