"""Dead letters tried again: what now meets the contract lands as a batch of its own.

The batch stands at the feed, tenant and extract time of the one that the lines came with, and
lands later, so that it counts where both speak of a key. For that to give what a file right from
the start would have given, it also brings the lines that stand: all of a snapshot, and of a change
feed those of the same keys.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from granary.clock import Clock, utc_now
from granary.landing.batch import LOAD_ID_DIGITS, LOADED, LoadBatch
from granary.landing.checks import FORGOTTEN, REFUSED_LINES
from granary.landing.contract import Column, Contract
from granary.landing.errors import ContractViolation
from granary.landing.fit import fit, missing_headers
from granary.landing.letters import Letter
from granary.landing.physique import Physique
from granary.landing.reader import Reading
from granary.landing.records import Line, csv_record
from granary.landing.store import LEDGER_COLUMNS, Store, Target
from granary.landing.tables import quoted, raw_table, timestamp

CHUNK = 200
# Lines with nothing to mend: they repeat the line before them, or nobody may keep them.
SETTLED = ("duplicate", FORGOTTEN)


@dataclass
class ReplayReport:
    """What became of the lines that were tried again.

    Attributes:
        landed: the batches that brought lines.
        replayed: lines that are in raw now.
        closed: lines that turned out to have nothing to mend.
        refused: lines that still do not meet their contract.
        problems: a message per file whose lines could not be tried.
    """

    landed: list[LoadBatch] = field(default_factory=list)
    replayed: int = 0
    closed: int = 0
    refused: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 when no line that was tried waits any longer."""
        return 1 if self.refused or self.problems else 0


def replay(
    store: Store,
    contracts: Mapping[str, Contract],
    letters: Iterable[Letter],
    now: Clock = utc_now,
) -> ReplayReport:
    """Try lines again by the contracts of today; all of it stands, or nothing.

    Args:
        contracts: by feed; of a feed that is not there nothing is tried.
        letters: what waits, mended or not, batch by batch.
        now: the clock, UTC without zone; gives load_timestamp.

    Raises:
        StoreError: the warehouse is out of reach; nothing was changed.
    """
    report = ReplayReport()
    replays = []
    for load_id, waiting in groupby(letters, key=attrgetter("load_id")):
        original = _batch(store, load_id)
        if original.feed in contracts:
            try:
                replays.append(_Replay(store, contracts[original.feed], original, list(waiting)))
            except ContractViolation as violation:
                report.problems.append(str(violation))
    store.prepare([contract for replay in replays for contract in (replay.declared, replay.fitted)])
    with store.together():
        for replay in replays:
            replay.run(report, now)
    return report


class _Replay:
    """The lines of one batch on their way into the warehouse once more."""

    def __init__(
        self, store: Store, contract: Contract, original: LoadBatch, letters: Sequence[Letter]
    ) -> None:
        self._store = store
        self._original = original
        self.declared = contract
        header = letters[0].header
        known = _with_retired(contract, header)
        # What was declared since is blank in older lines, as in the rows that landed with them.
        later = [
            name for name in missing_headers(header, known) if not known.by_header[name].required
        ]
        self._names = [*header, *later]
        fitted = fit(self._names, known, original.source)
        self.fitted = store.barring(fitted, original.tenant_id)
        blanks = b"," * len(later)
        self._lines: list[Line] = [
            (letter.source_line, letter.record + blanks) for letter in letters
        ]

    def run(self, report: ReplayReport, now: Clock) -> None:
        """Try the lines, and say in the report what became of them."""
        batch = self._batch(now())
        physique = Physique(b"", batch.bytes, len(self._lines), 0, False, True, batch.sha256)
        reading = Reading(
            self._store.workbench,
            Path(batch.source),
            physique,
            self._names,
            self.fitted,
            batch,
            self._lines,
            as_text=self._store.takes_text,
        )
        with closing(reading), self._store.landing(batch, self.fitted) as target:
            if target is None:
                return
            for block in reading.blocks(carefully=True):
                target.write(block)
            target.finish_rows()
            self._settle(batch, target, reading, report, now)

    def _batch(self, moment: datetime) -> LoadBatch:
        content = b"".join(b"%d,%s\n" % line for line in self._lines)
        digest = hashlib.sha256(content).hexdigest()
        identity = hashlib.sha256(f"{self._original.load_id}|{digest}".encode()).hexdigest()
        return replace(
            self._original,
            load_id=int(identity[:LOAD_ID_DIGITS], 16),
            sha256=digest,
            bytes=len(content),
            modified_at=moment,
            load_timestamp=moment,
            rows_read=0,
            rows_loaded=0,
            rows_rejected=0,
            rows_duplicate=0,
            expected_minimum_rows=0,
            status=LOADED,
            error=None,
            started_at=moment,
            finished_at=moment,
            contract_version=self.declared.version,
            header=csv_record(self._names),
            replay_of=self._original.load_id,
        )

    def _settle(
        self,
        batch: LoadBatch,
        target: Target,
        reading: Reading,
        report: ReplayReport,
        now: Clock,
    ) -> None:
        """Bring the lines that stand too, and write ledger and letters."""
        found = reading.notes.execute(
            f"SELECT source_line, column_name, reason, error_class, raw_text FROM {REFUSED_LINES}"
        ).fetchall()
        settled = [row[0] for row in found if row[3] in SETTLED]
        refused = {row[0] for row in found}
        landed = [line for line, _ in self._lines if line not in refused]
        target.remove(settled)
        if landed:
            self._bring_standing(batch)
            rows = self._count(batch)
            batch = replace(batch, rows_read=rows, rows_loaded=rows, finished_at=now())
            self._store.record_batch(batch)
            report.landed.append(batch)
        self._mark([line for line, _ in self._lines], "attempts = attempts + 1")
        self._mark(landed, f"status = 'replayed', replayed_load_id = {batch.load_id}")
        self._mark(settled, "status = 'closed'")
        self._tell(found)
        self._forget_lines([*landed, *settled])
        report.replayed += len(landed)
        report.closed += len(settled)
        report.refused += len(refused) - len(settled)

    def _bring_standing(self, batch: LoadBatch) -> None:
        """Copy the lines of the first batch, and of its replays, that the new one has to repeat."""
        table = self.declared.table
        family = self._store.rows(
            "SELECT load_id, load_timestamp FROM ops.load_batch AS batches "
            "WHERE status = $1 AND (load_id = $2 OR replay_of = $2) AND NOT EXISTS "
            "(SELECT 1 FROM ops.retraction WHERE retraction.load_id = batches.load_id)",
            [LOADED, self._original.load_id],
        )
        batches = ", ".join(str(load_id) for load_id, _ in family)
        times = ", ".join(timestamp(moment) for _, moment in family)
        own = {"load_id", "load_timestamp"}
        names = [
            quoted(name)
            for name in self._store.existing_columns(raw_table(self.declared))
            if name not in own
        ]
        columns = ", ".join(names)
        same_key = " AND ".join(
            f"{_comparable(column, 'mended')} = {_comparable(column, 'lines')}"
            for column in (self.declared.columns[name] for name in self.declared.key)
        )
        wanted = (
            f"EXISTS (SELECT 1 FROM {table} AS mended WHERE mended.load_id = {batch.load_id} "
            f"AND mended.load_timestamp = {timestamp(batch.load_timestamp)} AND {same_key})"
        )
        self._store.rows(
            f"INSERT INTO {table} ({columns}, load_id, load_timestamp) "
            f"SELECT {columns}, {batch.load_id}, {timestamp(batch.load_timestamp)} FROM ("
            f"SELECT {', '.join(f'lines.{name}' for name in names)}, ROW_NUMBER() OVER "
            "(PARTITION BY lines.source_line ORDER BY lines.load_timestamp, lines.load_id) "
            "AS place "
            f"FROM {table} AS lines WHERE lines.load_id IN ({batches}) "
            f"AND lines.load_timestamp IN ({times})"
            f"{'' if self.declared.kind == 'snapshot' else f' AND {wanted}'}"
            ") AS standing WHERE place = 1"
        )

    def _count(self, batch: LoadBatch) -> int:
        [(rows,)] = self._store.rows(
            f"SELECT COUNT(*) FROM {self.declared.table} "
            "WHERE load_id = $1 AND load_timestamp = $2",
            [batch.load_id, batch.load_timestamp],
        )
        return int(rows)

    def _mark(self, lines: Sequence[int], change: str) -> None:
        if lines:
            self._store.rows(
                f"UPDATE ops.dead_letter SET {change} "
                f"WHERE load_id = $1 AND source_line IN ({', '.join(map(str, lines))})",
                [self._original.load_id],
            )

    def _tell(self, found: Sequence[tuple[Any, ...]]) -> None:
        """Write why lines are refused now."""
        for start in range(0, len(found), CHUNK):
            rows = found[start : start + CHUNK]
            width = len(rows[0])
            places = ", ".join(
                "(CAST(${} AS INTEGER), CAST(${} AS TEXT), CAST(${} AS TEXT), CAST(${} AS TEXT), "
                "CAST(${} AS TEXT))".format(*range(2 + row * width, 2 + (row + 1) * width))
                for row in range(len(rows))
            )
            self._store.rows(
                "UPDATE ops.dead_letter SET column_name = told.column_name, reason = told.reason, "
                "error_class = told.error_class, raw_text = told.raw_text "
                f"FROM (VALUES {places}) AS told(line, column_name, reason, error_class, raw_text) "
                "WHERE dead_letter.load_id = $1 AND dead_letter.source_line = told.line",
                [self._original.load_id, *(value for row in rows for value in row)],
            )

    def _forget_lines(self, lines: Sequence[int]) -> None:
        if lines:
            self._store.rows(
                "DELETE FROM raw.refused_line "
                f"WHERE load_id = $1 AND source_line IN ({', '.join(map(str, lines))})",
                [self._original.load_id],
            )


def _batch(store: Store, load_id: int) -> LoadBatch:
    [row] = store.rows(
        f"SELECT {', '.join(LEDGER_COLUMNS)} FROM ops.load_batch WHERE load_id = $1", [load_id]
    )
    return LoadBatch(*row)


def _with_retired(contract: Contract, header: Sequence[str]) -> Contract:
    """Expect the retired columns that an older file still has; keep what it has besides."""
    retired = {column.source_name: column for column in contract.columns.values() if column.retired}
    again = {
        retired[name].name: retired[name].model_copy(update={"retired": False, "required": False})
        for name in header
        if name in retired and name not in contract.by_header
    }
    policy = contract.policy.model_copy(update={"added_columns": "keep"})
    return contract.model_copy(update={"columns": {**contract.columns, **again}, "policy": policy})


def _comparable(column: Column, table: str) -> str:
    """SQL of a value of the key, alike where staging may write it alike."""
    value = f"{table}.{quoted(column.name)}"
    return f"LOWER({value})" if column.kind == "text" else value
