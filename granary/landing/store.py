"""What landing needs of a warehouse."""

from collections.abc import Iterable
from typing import Protocol

import duckdb

from granary.connection import Connection
from granary.landing.batch import LoadBatch, Sighting
from granary.landing.checks import LINES, REFUSED_LINES, typed
from granary.landing.contract import Contract
from granary.landing.tables import literal, quoted, raw_table

MEMORY_LIMIT = "700MB"
DEAD_LETTER_COLUMNS = (
    "load_id, feed, tenant_id, source_line, column_name, reason, error_class, raw_text, status, "
    "attempts, created_at"
)


class Store(Protocol):
    """A warehouse that files land in.

    Attributes:
        workbench: the DuckDB connection that files are read and checked on.
        connection: the raw and ops schemas, in the transaction that is open, if one is.
    """

    workbench: duckdb.DuckDBPyConnection
    connection: Connection

    def prepare(self, contracts: Iterable[Contract]) -> None:
        """Create what is missing of schemas, ledger and raw tables; add and relax columns."""
        ...

    def sightings(self) -> set[Sighting]:
        """Give the files that landed, as they looked then."""
        ...

    def has_landed(self, load_id: int) -> bool:
        """Say whether this batch is in the warehouse already."""
        ...

    def land(self, batch: LoadBatch, contract: Contract) -> bool:
        """Write good lines, refused lines and the ledger row in one transaction.

        Returns:
            False when another process landed the same batch meanwhile; nothing was written.
        """
        ...

    def refuse(self, batch: LoadBatch, error_class: str) -> None:
        """Write the ledger row and the dead letter of a file refused as a whole."""
        ...

    def second(self) -> "Store | None":
        """Open another way into the same warehouse, to be used from another thread.

        Returns:
            None when there can be only one.
        """
        ...

    def close(self) -> None:
        """Let go of connections and scratch files."""
        ...


def equip(workbench: duckdb.DuckDBPyConnection) -> None:
    """Set what reading and checking rely on: memory, UTC, and the order of lines."""
    workbench.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
    workbench.execute("SET TimeZone = 'UTC'")
    workbench.execute("SET preserve_insertion_order = true")
    workbench.execute("SET enable_progress_bar = false")


def good_rows(batch: LoadBatch, contract: Contract) -> str:
    """SQL of the rows that stand, with the columns of the raw table in its order."""
    columns = [f"{typed(column)} AS {quoted(column.name)}" for column in contract.columns.values()]
    filters = f"WHERE source_line NOT IN (SELECT source_line FROM {REFUSED_LINES})"
    return f"""
        SELECT
          {", ".join(columns)},
          {literal(batch.tenant_id)} AS tenant_id,
          {batch.load_id} AS load_id,
          TIMESTAMP {literal(str(batch.load_timestamp))} AS load_timestamp,
          TIMESTAMP {literal(str(batch.extracted_at))} AS extracted_at,
          source_line
        FROM {LINES}
        {filters if batch.rows_loaded < batch.rows_read else ""}
    """


def dead_letters(batch: LoadBatch) -> str:
    """SQL of the refused lines; a duplicate leaves nothing to mend, so it is closed."""
    return f"""
        SELECT
          {batch.load_id}, {literal(batch.feed)}, {literal(batch.tenant_id)},
          source_line, column_name, reason, error_class, raw_text,
          CASE error_class WHEN 'duplicate' THEN 'closed' ELSE 'waiting' END,
          1, TIMESTAMP {literal(str(batch.load_timestamp))}
        FROM {REFUSED_LINES}
    """


def raw_columns(contract: Contract) -> str:
    """The columns of the raw table, as an INSERT or COPY lists them."""
    return ", ".join(quoted(column.name) for column in raw_table(contract).columns)
