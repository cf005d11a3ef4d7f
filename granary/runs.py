"""ops.run, ops.model_run, ops.audit_result: what was planned and run, when, and how it ended."""

import hashlib
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from uuid import uuid4

from granary.clock import utc_now
from granary.gateways.base import Connection

# Everything whose change can change a table.
PROJECT_PARTS = (
    "config.yaml",
    "models",
    "macros",
    "audits",
    "materializations",
    "semantic",
    "reference",
    "external_models",
)


def project_version(project: Path) -> str:
    """Hash of all files that define the tables: the same hash means the same plan."""
    digest = hashlib.sha256()
    for part in PROJECT_PARTS:
        root = project / part
        files = [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file())
        for path in files:
            if path.suffix != ".pyc":
                digest.update(str(path.relative_to(project)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


# A run writes some 300 rows of 200 bytes; a run every hour so keeps about 130 MB.
AUDIT_RESULTS_KEPT = timedelta(days=90)


@dataclass(frozen=True)
class AuditResult:
    """What one audit of a model found.

    Attributes:
        arguments: what it was asked to check, as the model says it.
        blocking: whether a finding stops the run.
        rows_found: rows that break it; 0 when it passed.
        checked_at: when it was asked (UTC).
    """

    audit: str
    arguments: str
    blocking: bool
    rows_found: int
    checked_at: datetime
    seconds: float


@dataclass
class ModelRun:
    """What a plan or run did to one model.

    Attributes:
        table: schema and name of the table that it filled.
        seconds: time it took, audits included.
        began_at: when its first part began (UTC).
        reads: schema and name of what it reads, raw tables included.
        columns: name and SQL type of its columns.
        error: why it failed; None when it did not.
        audits: what its audits found, in the order in which they were asked.
    """

    table: str
    seconds: float = 0
    audits_passed: int = 0
    audits_failed: int = 0
    began_at: datetime | None = None
    reads: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    error: str | None = None
    audits: list[AuditResult] = field(default_factory=list)


@dataclass(frozen=True)
class FinishedRun:
    """A plan, run or promotion that has come to its end; times are UTC.

    Attributes:
        error: why it failed; None when it is done.
        models: what it did to each model, by name.
    """

    run_id: str
    verb: str
    environment: str
    began_at: datetime
    ended_at: datetime
    error: str | None
    models: Mapping[str, ModelRun]

    @property
    def job(self) -> str:
        """What it is called among jobs."""
        return f"{self.verb}.{self.environment}"


NO_MODELS: Mapping[str, ModelRun] = MappingProxyType({})
NO_ROWS: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True)
class Freshness:
    """How prod stands against what landed and what the checkout says.

    Attributes:
        is_built: a plan or run of prod was ever done.
        is_current_project: the last one used the models as they are now.
        batches_waiting: batches that landed, or were retracted, since the last one began.
    """

    is_built: bool
    is_current_project: bool
    batches_waiting: int


@dataclass(frozen=True)
class Unfinished:
    """A plan or run that is still going on, or that was cut off; started_at is UTC."""

    verb: str
    environment: str
    started_at: datetime


class RunLog:
    """Writes and reads ops.run and ops.model_run."""

    def __init__(self, connection: Connection) -> None:
        """Use the tables that landing prepared."""
        self._connection = connection

    def begin(self, verb: str, environment: str, version: str) -> str:
        """Record that a run began; returns its id."""
        run_id = uuid4().hex
        self._connection.execute(
            "INSERT INTO ops.run VALUES ($1, $2, $3, $4, $5, NULL, 'running', NULL)",
            [run_id, verb, environment, version, utc_now()],
        )
        return run_id

    def finish(
        self,
        run_id: str,
        error: str | None = None,
        models: Mapping[str, ModelRun] = NO_MODELS,
        rows: Mapping[str, int] = NO_ROWS,
    ) -> None:
        """Record how it ended.

        Args:
            error: why it failed; None when it is done.
            models: what it did to each model, by name.
            rows: about how many rows each table has, by its name in the database.
        """
        for name, model in models.items():
            self._connection.execute(
                "INSERT INTO ops.model_run VALUES ($1, $2, $3, $4, $5, $6)",
                [
                    run_id,
                    name,
                    model.seconds,
                    model.audits_passed,
                    model.audits_failed,
                    rows.get(model.table),
                ],
            )
            self._record_audits(run_id, name, model.audits)
        self._connection.execute(
            "DELETE FROM ops.audit_result WHERE checked_at < $1", [utc_now() - AUDIT_RESULTS_KEPT]
        )
        self._connection.execute(
            "UPDATE ops.run SET finished_at = $1, status = $2, error = $3 WHERE run_id = $4",
            [utc_now(), "failed" if error else "done", error, run_id],
        )

    def _record_audits(self, run_id: str, model: str, results: list[AuditResult]) -> None:
        if not results:
            return
        rows = [(run_id, model, number, *astuple(r)) for number, r in enumerate(results, start=1)]
        width = len(rows[0])
        marks = [
            f"({', '.join(f'${row * width + place + 1}' for place in range(width))})"
            for row in range(len(rows))
        ]
        self._connection.execute(
            "INSERT INTO ops.audit_result (run_id, model, audit_number, audit, arguments, "
            f"blocking, rows_found, checked_at, seconds) VALUES {', '.join(marks)}",
            [value for row in rows for value in row],
        )

    def unfinished(self) -> list[Unfinished]:
        """Give what began and has no end, the latest first."""
        rows = self._connection.execute(
            "SELECT verb, environment, started_at FROM ops.run "
            "WHERE status = 'running' ORDER BY started_at DESC"
        ).fetchall()
        return [Unfinished(*row) for row in rows]

    def close_unfinished(self) -> None:
        """Record as failed what has no end; only the holder of the writer's lock can know that."""
        self._connection.execute(
            "UPDATE ops.run SET finished_at = $1, status = 'failed', error = $2 "
            "WHERE status = 'running'",
            [utc_now(), "cut off: its process ended without a word"],
        )

    def freshness(self, environment: str, version: str) -> Freshness:
        """Compare an environment with what landed and with the checkout."""
        last = self._connection.execute(
            "SELECT project_version FROM ops.run "
            "WHERE environment = $1 AND status = 'done' ORDER BY started_at DESC LIMIT 1",
            [environment],
        ).fetchone()
        built_at = self.built_at(environment)
        since = _reach(built_at) if built_at else datetime(1900, 1, 1)
        waiting = self._connection.execute(
            "SELECT (SELECT COUNT(*) FROM ops.load_batch WHERE status = 'loaded' "
            "AND finished_at > $1) + (SELECT COUNT(*) FROM ops.retraction WHERE retracted_at > $1)",
            [since],
        ).fetchone()[0]
        return Freshness(last is not None, bool(last) and last[0] == version, waiting)

    def built_at(self, environment: str) -> datetime | None:
        """Give when the last plan or run began that brought what had landed; None before the first.

        A promotion brings nothing: it hands over tables as they are.
        """
        row = self._connection.execute(
            "SELECT MAX(started_at) FROM ops.run WHERE environment = $1 AND status = 'done' "
            "AND verb IN ('plan', 'run')",
            [environment],
        ).fetchone()
        return row[0]  # type: ignore[no-any-return]


def _reach(started_at: datetime) -> datetime:
    """Up to when a run saw what had landed.

    SQLMesh rounds the end of a run down to the minute, so one that begins in the first minute of a
    day ends with the day before.
    """
    midnight = started_at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if started_at < midnight + timedelta(minutes=1) else started_at
