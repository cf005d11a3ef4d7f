"""A warehouse that files land in: a transaction per batch, the same SQL on every engine."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import astuple, dataclass, field, fields
from typing import Any, ClassVar

import duckdb
import pyarrow as pa

from granary.landing.anomalies import Anomaly
from granary.landing.batch import LOADED, REFUSED, LoadBatch, Sighting
from granary.landing.checks import FORGOTTEN, REFUSED_LINES
from granary.landing.contract import Contract
from granary.landing.errors import StoreError
from granary.landing.reader import Profile
from granary.landing.tables import (
    LOAD_PROFILE,
    OPS_TABLES,
    Table,
    change_statements,
    comment_statements,
    create_statement,
    literal,
    quoted,
    raw_table,
    timestamp,
)
from granary.privacy.secret import FILE_NAME as SECRET_FILE
from granary.privacy.secret import Secret

MEMORY_LIMIT = "300MB"
LEDGER_COLUMNS = [column.name for column in fields(LoadBatch)]
ANOMALY_COLUMNS = [column.name for column in fields(Anomaly)]
DEAD_LETTER_COLUMNS = (
    *("load_id", "feed", "tenant_id", "source_line", "column_name", "reason", "error_class"),
    *("raw_text", "status", "attempts", "created_at"),
)
REFUSED_LINE_COLUMNS = ("load_id", "source_line", "line")
NONE_SHARED: Mapping[str, object] = {}
WHOLE_FILE = 0
# The error class of a file that its policy stopped.
UNUSUAL = "anomaly"


@dataclass(frozen=True)
class Findings:
    """What was found out about a batch besides its rows.

    Attributes:
        notes: the connection with the table of refused lines.
    """

    notes: duckdb.DuckDBPyConnection
    profile: Profile
    anomalies: list[Anomaly] = field(default_factory=list)


class Store(ABC):
    """A warehouse that files land in.

    Attributes:
        workbench: the DuckDB connection that files are read and checked on.
        secret: what lines of forgotten people are known by; None where nobody was forgotten.
        takes_text: whether rows are written as text, which the warehouse itself reads.
    """

    takes_text: ClassVar[bool] = False
    workbench: duckdb.DuckDBPyConnection
    secret: Secret | None = None

    def __enter__(self) -> "Store":
        """Give the store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the store."""
        self.close()

    @abstractmethod
    def second(self) -> "Store | None":
        """Open another way into the same warehouse, to be used from another thread.

        Returns:
            None when there can be only one.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of connections and scratch files."""

    @abstractmethod
    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement, whose parameters are $1, $2, …; gives its rows.

        Raises:
            StoreError: the warehouse is out of reach.
        """

    @property
    @abstractmethod
    def can_take_back(self) -> bool:
        """Whether a part that fails by itself takes back what it wrote, and the rest can go on."""

    @abstractmethod
    def together(self) -> AbstractContextManager[None]:
        """Make all that is written inside one transaction: all of it stands, or nothing.

        May be nested; where `can_take_back` is false inside, a part that fails ends the whole.
        """

    @abstractmethod
    def _lock(self, load_id: int) -> None:
        """Wait until no other transaction is at this batch."""

    @abstractmethod
    def _exclusively(self) -> None:
        """Wait until no other transaction makes tables."""

    @abstractmethod
    def existing_columns(self, table: Table) -> dict[str, bool]:
        """Give the columns that a table has, and whether each is NOT NULL; {} without a table."""

    @abstractmethod
    def _has_schema(self, schema: str) -> bool:
        """Say whether a schema is there."""

    @abstractmethod
    def _settle(self, table: Table) -> list[str]:
        """Give the statements that make a new table ready."""

    @abstractmethod
    def _appending(
        self, table: str, columns: Sequence[str], shared: Mapping[str, object] = NONE_SHARED
    ) -> "AbstractContextManager[Appender]":
        """Begin to write rows to a table; at the end all of them are there.

        Args:
            columns: those that the rows have, quoted where a name needs it.
            shared: values that all rows have, by column; only lineage columns of raw tables.
        """

    @abstractmethod
    def _bytes_of(self, expression: str) -> str:
        """SQL on the workbench that turns hexadecimal digits into what a BYTEA column takes."""

    def prepare(self, contracts: Iterable[Contract]) -> None:
        """Create what is missing of schemas, ledger and raw tables; add and relax columns."""
        with self.together():
            self._exclusively()
            for schema in ("raw", "ops"):
                # IF NOT EXISTS would ask for the right to create even when there is nothing to do.
                if not self._has_schema(schema):
                    self.rows(f"CREATE SCHEMA {schema}")
            for table in [*OPS_TABLES, *map(raw_table, contracts)]:
                self._prepare_table(table)

    def _prepare_table(self, table: Table) -> None:
        present = self.existing_columns(table)
        if present:
            statements = change_statements(table, present)
        else:
            statements = [create_statement(table), *self._settle(table)]
        if statements:
            for statement in [*statements, *comment_statements(table)]:
                self.rows(statement)

    def sightings(self) -> set[Sighting]:
        """Give the files that landed, as they looked then."""
        statement = (
            "SELECT source, feed, tenant_id, extracted_at, bytes, modified_at "
            "FROM ops.load_batch WHERE status = $1"
        )
        return set(self.rows(statement, [LOADED]))

    def has_landed(self, load_id: int) -> bool:
        """Say whether this batch is in the warehouse already."""
        statement = "SELECT 1 FROM ops.load_batch WHERE load_id = $1 AND status = $2"
        return bool(self.rows(statement, [load_id, LOADED]))

    def barring(self, contract: Contract, tenant_id: str) -> Contract:
        """Give the contract as it applies to a tenant's files: people who were forgotten stay out.

        Raises:
            StoreError: somebody was forgotten, and the secret that knows them is missing.
        """
        if contract.subject is None:
            return contract
        known = self.rows(
            "SELECT known.digest, forgotten.secret_id FROM ops.forgotten_value AS known "
            "INNER JOIN ops.forgotten AS forgotten "
            "ON forgotten.forgotten_id = known.forgotten_id "
            "WHERE known.domain = $1 AND known.tenant_id = $2 AND known.column_name = $3",
            [contract.domain, tenant_id, contract.subject],
        )
        if not known:
            return contract
        if self.secret is None or {secret_id for _, secret_id in known} != {self.secret.secret_id}:
            raise StoreError(
                f"People of {tenant_id} were forgotten, and the secret that they are known by is "
                "missing or another one. Nothing was landed.",
                f"Restore {SECRET_FILE} in GRANARY_HOME from a copy: without it they would come "
                "back.",
            )
        value = self.secret.digest_sql(
            contract.domain, tenant_id, contract.subject, quoted(contract.subject)
        )
        digests = ", ".join(literal(digest) for digest, _ in known)
        return contract.barring(f"{value} IN ({digests})")

    @contextmanager
    def landing(self, batch: LoadBatch, contract: Contract) -> Iterator["Target | None"]:
        """Open the transaction that a batch lands in; an error inside takes everything back.

        Args:
            contract: as it applies to the batch; its columns are in the raw table.

        Returns:
            None when another process landed the same batch meanwhile.
        """
        with self.together():
            self._lock(batch.load_id)
            if self.has_landed(batch.load_id):
                yield None
                return
            with ExitStack() as writing:
                appending = self._appending(contract.table, read_columns(contract), lineage(batch))
                appender = writing.enter_context(appending)
                yield Target(self, batch, contract, appender, writing.close)

    def refuse(self, batch: LoadBatch, error_class: str, anomalies: Sequence[Anomaly] = ()) -> None:
        """Write the ledger row and the dead letter of a file refused as a whole."""
        with self.together():
            self._lock(batch.load_id)
            self.record_batch(batch)
            self._record_anomalies(batch.load_id, anomalies)
            self.rows(
                f"INSERT INTO ops.dead_letter ({', '.join(DEAD_LETTER_COLUMNS)}) "
                f"VALUES ($1, $2, $3, {WHOLE_FILE}, NULL, $4, $5, NULL, 'waiting', 1, $6) "
                "ON CONFLICT (load_id, source_line) DO UPDATE SET reason = excluded.reason, "
                "error_class = excluded.error_class, attempts = dead_letter.attempts + 1",
                [
                    batch.load_id,
                    batch.feed,
                    batch.tenant_id,
                    batch.error,
                    error_class,
                    batch.load_timestamp,
                ],
            )

    def record_batch(self, batch: LoadBatch) -> None:
        """Write a batch into the ledger; a refusal gives way to what became of it later."""
        changes = ", ".join(
            f"{name} = excluded.{name}" for name in LEDGER_COLUMNS if name != "load_id"
        )
        self.rows(
            f"INSERT INTO ops.load_batch ({', '.join(LEDGER_COLUMNS)}) "
            f"VALUES ({_places(LEDGER_COLUMNS)}) "
            f"ON CONFLICT (load_id) DO UPDATE SET {changes} WHERE load_batch.status = '{REFUSED}'",
            astuple(batch),
        )

    def accept(self, load_id: int, reason: str) -> None:
        """Keep why a file that was refused may land although it is unusual."""
        self.rows(
            "UPDATE ops.load_batch SET accepted_reason = $1 WHERE load_id = $2", [reason, load_id]
        )

    def is_accepted(self, load_id: int) -> bool:
        """Say whether somebody let this batch in although it is unusual."""
        statement = (
            "SELECT 1 FROM ops.load_batch WHERE load_id = $1 AND accepted_reason IS NOT NULL"
        )
        return bool(self.rows(statement, [load_id]))

    def record_findings(self, batch: LoadBatch, findings: Findings) -> int:
        """Write refused lines, profile and anomalies of a batch; gives the refused lines."""
        self._append(LOAD_PROFILE, profile_rows(batch.load_id, findings.profile))
        self._record_anomalies(batch.load_id, findings.anomalies)
        if batch.rows_loaded == batch.rows_read:
            return 0
        self._append_query(
            findings.notes,
            "raw.refused_line",
            REFUSED_LINE_COLUMNS,
            f"SELECT {batch.load_id} AS load_id, source_line, {self._bytes_of('record')} AS line "
            f"FROM {REFUSED_LINES} WHERE record IS NOT NULL",
        )
        return self._append_query(
            findings.notes, "ops.dead_letter", DEAD_LETTER_COLUMNS, dead_letters(batch)
        )

    def replace_anomalies(self, kind: str, anomalies: Sequence[Anomaly]) -> None:
        """Let these be all anomalies of a kind that there are."""
        with self.together():
            self.rows("DELETE FROM ops.anomaly WHERE anomaly = $1", [kind])
            self._write_anomalies(anomalies)

    def _record_anomalies(self, load_id: int, anomalies: Sequence[Anomaly]) -> None:
        self.rows("DELETE FROM ops.anomaly WHERE load_id = $1", [load_id])
        self._write_anomalies(anomalies)

    def _write_anomalies(self, anomalies: Sequence[Anomaly]) -> None:
        for anomaly in anomalies:
            self.rows(
                f"INSERT INTO ops.anomaly ({', '.join(ANOMALY_COLUMNS)}) "
                f"VALUES ({_places(ANOMALY_COLUMNS)})",
                astuple(anomaly),
            )

    def close_superseded(self, batch: LoadBatch) -> None:
        """Close what waits of earlier files of the same extract: the sender sent another.

        Their lines need no repair any more.
        """
        earlier = (
            "SELECT load_id FROM ops.load_batch "
            "WHERE feed = $1 AND tenant_id = $2 AND extracted_at = $3"
        )
        extract = [batch.feed, batch.tenant_id, batch.extracted_at, batch.load_id]
        self.rows(
            f"DELETE FROM raw.refused_line WHERE load_id IN ({earlier}) AND load_id <> $4", extract
        )
        self.rows(
            "UPDATE ops.dead_letter SET status = 'closed' WHERE status = 'waiting' "
            f"AND load_id IN ({earlier}) AND (load_id <> $4 OR source_line = {WHOLE_FILE})",
            extract,
        )

    def _append_query(
        self, notes: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], query: str
    ) -> int:
        rows = notes.execute(query).to_arrow_table()
        if rows.num_rows:
            with self._appending(table, columns) as appender:
                appender.write(rows)
        return int(rows.num_rows)

    def _append(self, table: Table, rows: pa.Table) -> None:
        if rows.num_rows:
            with self._appending(table.name, rows.column_names) as appender:
                appender.write(rows)


class Appender(ABC):
    """Rows on their way into one table.

    Attributes:
        count: rows written so far.
    """

    count: int = 0

    @abstractmethod
    def write(self, rows: pa.Table) -> None:
        """Write a block of rows, whose columns are those that were announced, in any order."""


class Target:
    """The transaction that one batch is written in: its rows, then what was found about it."""

    def __init__(
        self,
        store: Store,
        batch: LoadBatch,
        contract: Contract,
        appender: Appender,
        end_rows: Callable[[], None],
    ) -> None:
        self._store = store
        self._batch = batch
        self._contract = contract
        self._appender = appender
        self._end_rows = end_rows

    def write(self, rows: pa.Table) -> None:
        """Write a block of rows."""
        self._appender.write(rows)

    def finish_rows(self) -> None:
        """Wait until all rows are there; only now can the store be asked for anything else."""
        self._end_rows()

    def remove(self, lines: Sequence[int]) -> None:
        """Take lines out of the raw table again."""
        if not lines:
            return
        # Lines lie in the order of arrival, so the time finds them without reading the table.
        numbers = ", ".join(map(str, lines))
        self._store.rows(
            f"DELETE FROM {self._contract.table} WHERE load_timestamp = $1 AND load_id = $2 "
            f"AND source_line IN ({numbers})",
            [self._batch.load_timestamp, self._batch.load_id],
        )

    def record(self, batch: LoadBatch, findings: Findings) -> None:
        """Write ledger, refused lines and findings, after the last row.

        Raises:
            StoreError: rows and refused lines are not the lines that were read.
        """
        repeated = findings.notes.execute(
            f"SELECT source_line FROM {REFUSED_LINES} WHERE error_class = 'duplicate'"
        ).fetchall()
        self.remove([line for (line,) in repeated])
        self._store.record_batch(batch)
        refused = self._store.record_findings(batch, findings)
        loaded = self._appender.count - len(repeated)
        if loaded != batch.rows_loaded or loaded + refused != batch.rows_read:
            raise StoreError(
                f"{batch.source}: the warehouse took {loaded} rows and {refused} dead letters of "
                f"{batch.rows_read} lines. Nothing was landed.",
                "Report this file: a value in it is not copied as it stands.",
            )
        self._store.close_superseded(batch)


def equip(workbench: duckdb.DuckDBPyConnection) -> None:
    """Set what reading and checking rely on: memory, UTC, and the order of lines.

    A query takes one thread; several of them run at the same time instead. An INSERT that keeps
    the order of rows costs twice the work with two threads.
    """
    workbench.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
    workbench.execute("SET threads = 1")
    workbench.execute("SET GLOBAL TimeZone = 'UTC'")
    workbench.execute("SET preserve_insertion_order = true")
    workbench.execute("SET enable_progress_bar = false")


def dead_letters(batch: LoadBatch) -> str:
    """SQL of the refused lines; a duplicate, as a forgotten person's line, is closed at once."""
    return f"""
        SELECT
          {batch.load_id} AS load_id, {literal(batch.feed)} AS feed,
          {literal(batch.tenant_id)} AS tenant_id, source_line, column_name, reason, error_class,
          raw_text,
          CASE WHEN error_class IN ('duplicate', '{FORGOTTEN}') THEN 'closed' ELSE 'waiting' END
            AS status,
          1 AS attempts, {timestamp(batch.load_timestamp)} AS created_at
        FROM {REFUSED_LINES}
    """


def profile_rows(load_id: int, profile: Profile) -> pa.Table:
    """Rows of ops.load_profile; none for a batch without good rows."""
    names = list(profile.nulls) if profile.rows else []
    return pa.table(
        {
            "load_id": pa.array([load_id] * len(names), pa.int64()),
            "column_name": pa.array(names, pa.string()),
            "blank_share": pa.array([profile.blank_share(n) for n in names], pa.float64()),
            "distinct_share": pa.array([profile.distinct_share(n) for n in names], pa.float64()),
        }
    )


def read_columns(contract: Contract) -> list[str]:
    """The columns of the raw table that differ from line to line, quoted."""
    return [*map(quoted, contract.columns), "source_line"]


def lineage(batch: LoadBatch) -> dict[str, object]:
    """The lineage columns that all lines of a batch share."""
    return {
        "tenant_id": batch.tenant_id,
        "load_id": batch.load_id,
        "load_timestamp": batch.load_timestamp,
        "extracted_at": batch.extracted_at,
    }


def _places(columns: Sequence[str]) -> str:
    return ", ".join(f"${place}" for place in range(1, len(columns) + 1))
