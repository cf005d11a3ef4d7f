"""What every tenant sent, and that ledger, raw tables and staging agree about it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from granary.gateways.base import Gateway, Rows
from granary.landing.contract import Contract
from granary.landing.tables import literal, quoted, timestamp

RECENT_DAYS = 7
COLUMNS = ["tenant_id", "feed", "batches", "read", "loaded", "rejected", "duplicate", "as_counted"]


@dataclass(frozen=True)
class Mismatch:
    """A batch about which two places disagree."""

    feed: str
    tenant_id: str
    load_id: int
    message: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.feed} of {self.tenant_id}, batch {self.load_id}: {self.message}"


def sums(gateway: Gateway, mismatches: Sequence[Mismatch], since: datetime | None) -> Rows:
    """Sum the ledger by tenant and feed.

    Args:
        mismatches: what was found wrong in the same batches.
        since: only batches that landed from then on; all when None.
    """
    found = gateway.query(
        "SELECT tenant_id, feed, COUNT(*) AS batches, SUM(rows_read), SUM(rows_loaded), "
        "SUM(rows_rejected), SUM(rows_duplicate) FROM ops.load_batch WHERE status = 'loaded' "
        f"{_from(since)} GROUP BY tenant_id, feed ORDER BY tenant_id, feed"
    )
    wrong = {(one.tenant_id, one.feed) for one in mismatches}
    rows = [(*row, "no" if row[:2] in wrong else "yes") for row in found.rows]
    return Rows(COLUMNS, rows)


def reconcile(
    gateway: Gateway,
    contracts: Iterable[Contract],
    since: datetime | None,
    built_at: datetime | None,
) -> list[Mismatch]:
    """Count again what the ledger says of each batch and tenant.

    Args:
        since: only batches that landed from then on, as they lie together in raw; all when None.
        built_at: when prod last took in what had landed; None when it was never built, and
            staging is then not asked.
    """
    found: list[Mismatch] = []
    landed = {
        feed
        for (feed,) in gateway.query(
            f"SELECT DISTINCT feed FROM ops.load_batch WHERE status = 'loaded' {_from(since)}"
        ).rows
    }
    for contract in contracts:
        if contract.feed not in landed:
            continue
        rows = gateway.query(_landed(contract, since)).rows
        found += [
            Mismatch(
                contract.feed,
                tenant,
                load_id,
                f"the ledger has {_number(loaded)} rows and {_number(refused)} refused lines, "
                f"raw has {_number(raw)} rows and there are {_number(letters)} dead letters",
            )
            for tenant, load_id, loaded, refused, raw, letters in rows
        ]
        if built_at:
            found += [
                Mismatch(
                    contract.feed,
                    tenant,
                    load_id,
                    f"raw has {_number(keys)} keys, staging has {_number(staged)} rows",
                )
                for tenant, load_id, keys, staged in gateway.query(
                    _staged(contract, since, built_at)
                ).rows
            ]
    return found


def _landed(contract: Contract, since: datetime | None) -> str:
    """SQL of the batches whose rows or dead letters are not those of the ledger."""
    feed = literal(contract.feed)
    return f"""
        WITH batches AS (
          SELECT load_id, tenant_id, rows_loaded, rows_rejected + rows_duplicate AS rows_refused,
            replay_of
          FROM ops.load_batch WHERE feed = {feed} AND status = 'loaded' {_from(since)}
        ), landed AS (
          SELECT load_id, tenant_id, COUNT(*) AS row_count
          FROM {contract.table} WHERE TRUE {_from(since)} GROUP BY load_id, tenant_id
        ), letters AS (
          SELECT load_id, tenant_id, COUNT(*) AS row_count FROM ops.dead_letter
          WHERE feed = {feed} AND source_line > 0 AND load_id IN (SELECT load_id FROM batches)
          GROUP BY load_id, tenant_id
        )
        SELECT
          COALESCE(batches.tenant_id, landed.tenant_id), COALESCE(batches.load_id, landed.load_id),
          batches.rows_loaded, batches.rows_refused, landed.row_count, letters.row_count
        FROM batches
        FULL JOIN landed
          ON landed.load_id = batches.load_id AND landed.tenant_id = batches.tenant_id
        LEFT JOIN letters
          ON letters.load_id = batches.load_id AND letters.tenant_id = batches.tenant_id
        WHERE COALESCE(landed.row_count, 0) <> COALESCE(batches.rows_loaded, 0)
          OR (batches.replay_of IS NULL
            AND COALESCE(letters.row_count, 0) <> COALESCE(batches.rows_refused, 0))
        ORDER BY 2
    """


def _staged(contract: Contract, since: datetime | None, built_at: datetime) -> str:
    """SQL of the standing batches that staging does not have key by key."""
    # Staging keeps the last row of each key of a batch.
    names = map(quoted, contract.key)
    keys = ", ".join(f"TRIM(CAST({name} AS TEXT)) AS {name}" for name in names)
    until = f"AND load_timestamp < {timestamp(built_at)}"
    return f"""
        WITH standing AS (
          SELECT load_id FROM ops.load_batch
          WHERE feed = {literal(contract.feed)} AND status = 'loaded' {_from(since)} {until}
            AND load_id NOT IN (SELECT load_id FROM ops.retraction)
        ), landed_keys AS (
          SELECT DISTINCT load_id, tenant_id, {keys}
          FROM {contract.table} WHERE TRUE {_from(since)} {until}
        ), landed AS (
          SELECT load_id, tenant_id, COUNT(*) AS row_count FROM landed_keys
          WHERE load_id IN (SELECT load_id FROM standing) GROUP BY load_id, tenant_id
        ), staged AS (
          SELECT load_id, tenant_id, COUNT(*) AS row_count FROM staging.stg_{contract.feed}
          WHERE load_id IN (SELECT load_id FROM standing) GROUP BY load_id, tenant_id
        )
        SELECT
          COALESCE(landed.tenant_id, staged.tenant_id), COALESCE(landed.load_id, staged.load_id),
          landed.row_count, staged.row_count
        FROM landed
        FULL JOIN staged
          ON staged.load_id = landed.load_id AND staged.tenant_id = landed.tenant_id
        WHERE COALESCE(landed.row_count, 0) <> COALESCE(staged.row_count, 0)
        ORDER BY 2
    """


def _from(since: datetime | None) -> str:
    return f"AND load_timestamp >= {timestamp(since)}" if since else ""


def _number(count: int | None) -> str:
    return f"{count or 0:,}"
