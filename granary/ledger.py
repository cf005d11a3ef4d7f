"""What is asked of the ledger, and how a wrong batch is taken out of history."""

from dataclasses import dataclass
from datetime import datetime

from granary.clock import utc_now
from granary.errors import GranaryError, WrongUsage
from granary.gateways.base import Connection
from granary.landing.store import WHOLE_FILE
from granary.reporter import counted


@dataclass(frozen=True)
class Retraction:
    """A batch that no longer counts."""

    load_id: int
    feed: str
    tenant_id: str
    source: str


def latest_extracts(connection: Connection, before: datetime) -> dict[tuple[str, str], datetime]:
    """Give the latest extract time of what had landed before a moment, by feed and tenant."""
    rows = connection.execute(
        "SELECT feed, tenant_id, MAX(extracted_at) FROM ops.load_batch "
        "WHERE status = 'loaded' AND load_timestamp < $1 GROUP BY feed, tenant_id",
        [before],
    ).fetchall()
    return {(feed, tenant_id): latest for feed, tenant_id, latest in rows}


@dataclass(frozen=True)
class Unusual:
    """Something unusual about a batch that landed all the same; see ops.anomaly."""

    load_id: int
    feed: str
    tenant_id: str
    source: str
    anomaly: str
    message: str


def unusual_since(connection: Connection, moment: datetime) -> list[Unusual]:
    """Give what was unusual about batches that landed since a moment (UTC without zone)."""
    rows = connection.execute(
        "SELECT anomalies.load_id, anomalies.feed, anomalies.tenant_id, batches.source, "
        "anomalies.anomaly, anomalies.message FROM ops.anomaly AS anomalies "
        "INNER JOIN ops.load_batch AS batches ON batches.load_id = anomalies.load_id "
        "WHERE anomalies.policy = 'warn' AND anomalies.found_at >= $1 "
        "ORDER BY anomalies.found_at, batches.source, anomalies.anomaly, anomalies.column_name",
        [moment],
    ).fetchall()
    return [Unusual(*row) for row in rows]


@dataclass(frozen=True)
class WaitingLetters:
    """How many refused lines, and files refused as a whole, wait."""

    lines: int
    files: int

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self.lines or self.files)

    def __str__(self) -> str:
        """As "3 lines and 1 file wait"."""
        parts = [(self.lines, "line"), (self.files, "file")]
        told = " and ".join(counted(number, noun) for number, noun in parts if number)
        return f"{told} {'waits' if self.lines + self.files == 1 else 'wait'}"


def waiting_letters(connection: Connection) -> WaitingLetters:
    """Count the dead letters that nobody has repaired or given up."""
    row = connection.execute(
        f"SELECT COUNT(CASE WHEN source_line <> {WHOLE_FILE} THEN 1 END), "
        f"COUNT(CASE WHEN source_line = {WHOLE_FILE} THEN 1 END) "
        "FROM ops.dead_letter WHERE status = 'waiting'"
    ).fetchone()
    return WaitingLetters(*row)


def count_unusual(connection: Connection) -> int:
    """Count what is unusual about the batches that history holds."""
    row = connection.execute(
        "SELECT COUNT(*) FROM ops.anomaly AS anomalies INNER JOIN ops.load_batch AS batches "
        "ON batches.load_id = anomalies.load_id WHERE batches.status = 'loaded' "
        "AND batches.load_id NOT IN (SELECT load_id FROM ops.retraction)"
    ).fetchone()
    return int(row[0])


def find_standing(connection: Connection, load_id: int) -> Retraction:
    """Look up a batch that counts.

    Raises:
        WrongUsage: there is no such batch.
        GranaryError: it never landed, or it was retracted before.
    """
    batch = connection.execute(
        "SELECT feed, tenant_id, source, status FROM ops.load_batch WHERE load_id = $1", [load_id]
    ).fetchone()
    if batch is None:
        raise WrongUsage(
            f"There is no batch {load_id}.",
            'List them: granary sql "SELECT load_id, source, extracted_at FROM ops.load_batch"',
        )
    feed, tenant_id, source, status = batch
    if status != "loaded":
        raise GranaryError(
            f"Batch {load_id} ({source}) was {status}, so history does not hold it.",
            "There is nothing to take out.",
        )
    before = connection.execute(
        "SELECT retracted_at, reason FROM ops.retraction WHERE load_id = $1", [load_id]
    ).fetchone()
    if before is not None:
        raise GranaryError(
            f"Batch {load_id} ({source}) was retracted on {before[0]:%Y-%m-%d %H:%M} UTC: "
            f"{before[1]}.",
            "There is nothing left to take out.",
        )
    return Retraction(load_id, feed, tenant_id, source)


def retract(connection: Connection, load_id: int, reason: str) -> Retraction:
    """Record that a batch no longer counts; its rows stay in raw, and the next run amends history.

    So do the batches that brought refused lines of it again; those that still wait are closed.

    Args:
        connection: the ops schema, open for writing.
        load_id: the batch, as in ops.load_batch.
        reason: why, for those who ask later.

    Raises:
        WrongUsage: there is no such batch.
        GranaryError: it never landed, or it was retracted before.
    """
    found = find_standing(connection, load_id)
    connection.execute("DELETE FROM raw.refused_line WHERE load_id = $1", [load_id])
    connection.execute(
        "UPDATE ops.dead_letter SET status = 'closed' WHERE load_id = $1 AND status = 'waiting'",
        [load_id],
    )
    now = utc_now()
    # Before the batch itself: who is cut off here can do all of it once more.
    connection.execute(
        "INSERT INTO ops.retraction (load_id, reason, retracted_at) "
        "SELECT load_id, $2, $3 FROM ops.load_batch WHERE replay_of = $1 "
        "AND load_id NOT IN (SELECT load_id FROM ops.retraction)",
        [load_id, reason, now],
    )
    connection.execute(
        "INSERT INTO ops.retraction (load_id, reason, retracted_at) VALUES ($1, $2, $3)",
        [load_id, reason, now],
    )
    return found
