"""Landing in a DuckDB file."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, fields
from pathlib import Path

import duckdb

from granary.connection import Connection
from granary.duckdb_files import open_duckdb
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


class DuckDBStore:
    """A warehouse in one DuckDB file, `<home>/granary.duckdb`."""

    def __init__(self, path: Path) -> None:
        """Open the file, made when missing.

        Raises:
            StoreError: it is no DuckDB file, or another process has it open.
        """
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with _explained(path):
            self.workbench = open_duckdb(path)
            equip(self.workbench)
        self.connection: Connection = self.workbench

    def __enter__(self) -> "DuckDBStore":
        """Give the store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the store."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.workbench.close()

    def second(self) -> None:
        """Give none: one connection writes to a DuckDB file at a time."""
        return

    def prepare(self, contracts: Iterable[Contract]) -> None:
        """Create what is missing of schemas, ledger and raw tables; add and relax columns."""
        with self._transaction():
            for schema in ("raw", "ops"):
                self.workbench.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            for table in [*OPS_TABLES, *map(raw_table, contracts)]:
                self._prepare_table(table)

    def _prepare_table(self, table: Table) -> None:
        schema, _, name = table.name.partition(".")
        present = dict(
            self.workbench.execute(
                "SELECT column_name, is_nullable = 'NO' FROM information_schema.columns "
                "WHERE table_schema = ? AND table_name = ?",
                [schema, name],
            ).fetchall()
        )
        changes = change_statements(table, present) if present else [create_statement(table)]
        if not changes:
            return
        for statement in [*changes, *comment_statements(table)]:
            self.workbench.execute(statement)

    def sightings(self) -> set[Sighting]:
        """Give the files that landed, as they looked then."""
        with _explained(self.path):
            rows = self.workbench.execute(
                "SELECT source, feed, tenant_id, extracted_at, bytes, modified_at "
                "FROM ops.load_batch WHERE status = ?",
                [LOADED],
            ).fetchall()
        return set(rows)

    def has_landed(self, load_id: int) -> bool:
        """Say whether this batch is in the file already."""
        with _explained(self.path):
            row = self.workbench.execute(
                "SELECT 1 FROM ops.load_batch WHERE load_id = ? AND status = ?", [load_id, LOADED]
            ).fetchone()
        return row is not None

    def land(self, batch: LoadBatch, contract: Contract) -> bool:
        """Write good lines, refused lines and the ledger row in one transaction."""
        with self._transaction():
            if self.has_landed(batch.load_id):
                return False
            self._write_ledger(batch)
            self.workbench.execute(
                f"INSERT INTO {contract.table} ({raw_columns(contract)}) "
                f"{good_rows(batch, contract)}"
            )
            self.workbench.execute(
                f"INSERT INTO ops.dead_letter ({DEAD_LETTER_COLUMNS}) {dead_letters(batch)}"
            )
            self.workbench.execute(
                "UPDATE ops.dead_letter SET status = 'closed' WHERE source_line = 0 AND load_id IN "
                "(SELECT load_id FROM ops.load_batch WHERE feed = ? AND tenant_id = ? "
                "AND extracted_at = ?)",
                [batch.feed, batch.tenant_id, batch.extracted_at],
            )
        return True

    def refuse(self, batch: LoadBatch, error_class: str) -> None:
        """Write the ledger row and the dead letter of a file refused as a whole."""
        with self._transaction():
            self._write_ledger(batch)
            self.workbench.execute(
                f"INSERT INTO ops.dead_letter ({DEAD_LETTER_COLUMNS}) "
                "VALUES (?, ?, ?, 0, NULL, ?, ?, NULL, 'waiting', 1, ?) "
                "ON CONFLICT (load_id, source_line) DO UPDATE SET reason = excluded.reason, "
                "error_class = excluded.error_class, attempts = attempts + 1",
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
        self.workbench.execute(
            f"INSERT INTO ops.load_batch ({', '.join(LEDGER_COLUMNS)}) "
            f"VALUES ({', '.join('?' for _ in LEDGER_COLUMNS)}) "
            f"ON CONFLICT (load_id) DO UPDATE SET {changes} WHERE load_batch.status = '{REFUSED}'",
            astuple(batch),
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _explained(self.path):
            self.workbench.execute("BEGIN")
            try:
                yield
            except BaseException:
                self.workbench.execute("ROLLBACK")
                raise
            # A commit that fails rolls back by itself.
            self.workbench.execute("COMMIT")


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
