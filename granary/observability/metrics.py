"""Figures for Prometheus, computed from the ops tables: right after a crash too.

Moments are given, not ages: a file that nobody writes any more would show an age that stands still.
`time() - granary_newest_extract_timestamp_seconds` is the lag of a feed at any time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, write_to_textfile
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from granary.gateways.base import Connection

FILE = "granary.prom"


@dataclass(frozen=True)
class Family:
    """One metric: its last column is the value, the others are its labels.

    Attributes:
        kind: counter or gauge; a counter's name gets `_total`.
        query: SQL on the ops schema.
    """

    name: str
    kind: type[CounterMetricFamily] | type[GaugeMetricFamily]
    description: str
    labels: tuple[str, ...]
    query: str


LOADED = "FROM ops.load_batch WHERE status = 'loaded' GROUP BY feed, tenant_id"
ENDED = "finished_at IS NOT NULL GROUP BY verb"
FAMILIES = (
    Family(
        "granary_rows",
        CounterMetricFamily,
        "Lines of landed files by what became of them: loaded, rejected or duplicate.",
        ("feed", "tenant", "outcome"),
        f"SELECT feed, tenant_id, 'loaded', SUM(rows_loaded) {LOADED} "
        f"UNION ALL SELECT feed, tenant_id, 'rejected', SUM(rows_rejected) {LOADED} "
        f"UNION ALL SELECT feed, tenant_id, 'duplicate', SUM(rows_duplicate) {LOADED}",
    ),
    Family(
        "granary_batches",
        CounterMetricFamily,
        "Files by how they ended: loaded or refused.",
        ("feed", "tenant", "status"),
        "SELECT feed, tenant_id, status, COUNT(*) FROM ops.load_batch "
        "GROUP BY feed, tenant_id, status",
    ),
    Family(
        "granary_landed_bytes",
        CounterMetricFamily,
        "Size of the files that landed.",
        ("feed", "tenant"),
        f"SELECT feed, tenant_id, SUM(bytes) {LOADED}",
    ),
    Family(
        "granary_landing_seconds",
        CounterMetricFamily,
        "Time from the first line read to the last written.",
        ("feed", "tenant"),
        f"SELECT feed, tenant_id, SUM(EXTRACT(EPOCH FROM (finished_at - started_at))) {LOADED}",
    ),
    Family(
        "granary_newest_extract_timestamp_seconds",
        GaugeMetricFamily,
        "When the newest file that landed was written at its source.",
        ("feed", "tenant"),
        f"SELECT feed, tenant_id, MAX(extracted_at) {LOADED}",
    ),
    Family(
        "granary_dead_letters_waiting",
        GaugeMetricFamily,
        "Refused lines that wait to be mended; a file refused as a whole counts as one.",
        ("feed", "tenant"),
        "SELECT feed, tenant_id, COUNT(*) FROM ops.dead_letter WHERE status = 'waiting' "
        "GROUP BY feed, tenant_id",
    ),
    Family(
        "granary_oldest_dead_letter_timestamp_seconds",
        GaugeMetricFamily,
        "When the oldest refused line that waits was refused.",
        ("feed", "tenant"),
        "SELECT feed, tenant_id, MIN(created_at) FROM ops.dead_letter WHERE status = 'waiting' "
        "GROUP BY feed, tenant_id",
    ),
    Family(
        "granary_anomalies",
        CounterMetricFamily,
        "What was unusual about files: warn where they landed, stop where they were refused.",
        ("feed", "tenant", "anomaly", "policy"),
        "SELECT feed, tenant_id, anomaly, policy, COUNT(*) FROM ops.anomaly "
        "GROUP BY feed, tenant_id, anomaly, policy",
    ),
    Family(
        "granary_runs",
        CounterMetricFamily,
        "Plans, runs and promotions by how they ended: done or failed; running while they go on.",
        ("verb", "environment", "status"),
        "SELECT verb, environment, status, COUNT(*) FROM ops.run "
        "GROUP BY verb, environment, status",
    ),
    Family(
        "granary_run_seconds",
        CounterMetricFamily,
        "Time that plans, runs and promotions took.",
        ("verb", "environment"),
        "SELECT verb, environment, SUM(EXTRACT(EPOCH FROM (finished_at - started_at))) "
        "FROM ops.run WHERE finished_at IS NOT NULL GROUP BY verb, environment",
    ),
    Family(
        "granary_last_success_timestamp_seconds",
        GaugeMetricFamily,
        "When a verb last came to a good end; load: when a file last landed.",
        ("verb",),
        f"SELECT verb, MAX(finished_at) FROM ops.run WHERE status = 'done' AND {ENDED} "
        "UNION ALL SELECT 'load', MAX(finished_at) FROM ops.load_batch WHERE status = 'loaded' "
        "HAVING COUNT(*) > 0",
    ),
    Family(
        "granary_last_failure_timestamp_seconds",
        GaugeMetricFamily,
        "When a verb last failed; load: when a file was last refused.",
        ("verb",),
        f"SELECT verb, MAX(finished_at) FROM ops.run WHERE status = 'failed' AND {ENDED} "
        "UNION ALL SELECT 'load', MAX(finished_at) FROM ops.load_batch WHERE status = 'refused' "
        "HAVING COUNT(*) > 0",
    ),
    Family(
        "granary_audits",
        CounterMetricFamily,
        "Audits of models by what they found: passed or failed.",
        ("environment", "outcome"),
        "SELECT environment, 'passed', SUM(audits_passed) FROM ops.model_run "
        "INNER JOIN ops.run ON run.run_id = model_run.run_id GROUP BY environment "
        "UNION ALL SELECT environment, 'failed', SUM(audits_failed) FROM ops.model_run "
        "INNER JOIN ops.run ON run.run_id = model_run.run_id GROUP BY environment",
    ),
)


def write_metrics(connection: Connection, folder: Path) -> Path:
    """Write `granary.prom` in place of the one before, at once.

    Args:
        connection: the ops schema.
        folder: where to; such as the folder of node_exporter's textfile collector.

    Raises:
        OSError: the operating system says no.
    """
    folder.mkdir(parents=True, exist_ok=True)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected([_collect(connection, family) for family in FAMILIES]))
    path = folder / FILE
    write_to_textfile(str(path), registry)
    return path


def count_waiting(connection: Connection) -> int:
    """How many refused lines wait to be mended."""
    row = connection.execute(
        "SELECT COUNT(*) FROM ops.dead_letter WHERE status = 'waiting'"
    ).fetchone()
    return int(row[0])


class _Collected:
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _collect(connection: Connection, family: Family) -> Metric:
    metric = family.kind(family.name, family.description, labels=family.labels)
    rows: Sequence[tuple[Any, ...]] = connection.execute(family.query).fetchall()
    for *labels, value in sorted(rows):
        metric.add_metric(labels, _number(value))
    return metric


def _number(value: Any) -> float:
    """A figure, or a moment (UTC without zone) as seconds since 1970."""
    return value.replace(tzinfo=UTC).timestamp() if isinstance(value, datetime) else float(value)
