"""One file becomes raw rows, dead letters and a ledger row: all or nothing, once."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime

from granary.clock import Clock, utc_now
from granary.landing.anomalies import Anomaly, find_anomalies
from granary.landing.batch import LOADED, REFUSED, LoadBatch, load_id_of
from granary.landing.checks import REFUSED_LINES
from granary.landing.contract import Contract
from granary.landing.contract_versions import record_versions
from granary.landing.errors import (
    ContractViolation,
    FileAnomalous,
    FileChanged,
    FileProblem,
    FileRefused,
)
from granary.landing.files import FileStamp, LandingFile
from granary.landing.fit import fit, remedy, type_changes
from granary.landing.physique import Physique, content_digest, examine, header_names
from granary.landing.reader import NotPlain, Reading
from granary.landing.records import csv_record
from granary.landing.store import UNUSUAL, Findings, Store


def land_file(
    store: Store, file: LandingFile, contract: Contract, now: Clock = utc_now
) -> LoadBatch | None:
    """Land one file exactly once.

    Rows that meet the contract are copied to its raw table, the others become dead letters, and
    the ledger row is written, all in one transaction.

    Args:
        file: path, tenant, entity and extract time.
        contract: columns, types and checks of the feed.
        now: the clock, UTC without zone; gives load_timestamp.

    Returns:
        The ledger row; rows_read = rows_loaded + rows_rejected + rows_duplicate. None when the same
        bytes of the same extract had landed before.

    Raises:
        ContractViolation: the header does not fit; only the refusal was written.
        FileAnomalous: it is unusual, and the policy stops that; only the refusal was written.
        FileRefused: the file is empty, damaged, in another encoding, or has too few good rows; only
            the refusal was written.
        FileChanged: the file was written to while it was read; nothing was landed.
        FileUnreadable: the operating system says no; nothing was landed.
        ContractDrifted: the contract differs from the same version in use; nothing was read.
        StoreError: the warehouse is out of reach; nothing was landed.
    """
    store.prepare([contract])
    for drift in record_versions(store, [contract], utc_now()).values():
        raise drift
    return land_prepared(store, file, contract, now(), now)


def land_prepared(
    store: Store, file: LandingFile, contract: Contract, started_at: datetime, now: Clock
) -> LoadBatch | None:
    """Land one file whose table is there already; see land_file."""
    return _Landing(store, file, contract, started_at, now).run()


def record_refusal(store: Store, refusal: FileRefused) -> None:
    """Write the ledger row and the dead letter of a file that was refused."""
    assert refusal.batch is not None
    store.refuse(refusal.batch, *_class_of(refusal))


@dataclass
class _Landing:
    """One file on its way into the warehouse."""

    store: Store
    file: LandingFile
    contract: Contract
    started_at: datetime
    now: Clock

    def run(self) -> LoadBatch | None:
        try:
            return self._run()
        except FileProblem as problem:
            problem.rename(self.file.path, self.file.shown)
            raise

    def _run(self) -> LoadBatch | None:
        path = self.file.path
        stamp = FileStamp.of(self.file)
        try:
            physique = examine(path)
        except FileRefused as refusal:
            # What cannot be decompressed is known by its bytes as they are.
            self._refuse(self._batch(stamp, content_digest(path, packed=True)), refusal)
            raise
        batch = self._batch(stamp, physique.sha256)
        if self.store.has_landed(batch.load_id):
            return None
        try:
            return self._land(batch, stamp, physique)
        except FileRefused as refusal:
            self._expect_unchanged(stamp, physique)
            self._refuse(batch, refusal)
            raise

    def _refuse(self, batch: LoadBatch, refusal: FileRefused) -> None:
        refusal.rename(self.file.path, self.file.shown)
        refusal.batch = replace(batch, status=REFUSED, error=str(refusal), finished_at=self.now())
        # Where nothing can be taken back, the transaction of the file's set is lost, and who lands
        # the set records it afterwards.
        if self.store.can_take_back:
            record_refusal(self.store, refusal)

    def _batch(self, stamp: FileStamp, sha256: str) -> LoadBatch:
        file = self.file
        return LoadBatch(
            load_id=load_id_of(file, sha256),
            feed=file.feed,
            tenant_id=file.tenant_id,
            domain=file.domain,
            source=file.source,
            sha256=sha256,
            bytes=stamp.size,
            modified_at=stamp.modified_at,
            extracted_at=file.extracted_at,
            load_timestamp=self.started_at,
            rows_read=0,
            rows_loaded=0,
            rows_rejected=0,
            rows_duplicate=0,
            expected_minimum_rows=self.contract.expected_minimum_rows,
            status=LOADED,
            error=None,
            started_at=self.started_at,
            finished_at=self.started_at,
            contract_version=self.contract.version,
        )

    def _land(self, batch: LoadBatch, stamp: FileStamp, physique: Physique) -> LoadBatch | None:
        names = header_names(self.file.path, physique)
        fitted = self.store.barring(fit(names, self.contract, self.file.shown), self.file.tenant_id)
        if fitted.columns.keys() - self.contract.columns.keys():
            self.store.prepare([fitted])
        batch = replace(batch, header=csv_record(names))
        reading = Reading(
            self.store.workbench,
            self.file.path,
            physique,
            names,
            fitted,
            batch,
            as_text=self.store.takes_text,
        )
        with closing(reading):
            # What the quick way wrote of a file that turns out not to be plain has to go again.
            if physique.plain and self.store.can_take_back:
                try:
                    return self._write(batch, fitted, reading, stamp, physique, carefully=False)
                except NotPlain:
                    self._expect_unchanged(stamp, physique)
            return self._write(batch, fitted, reading, stamp, physique, carefully=True)

    def _write(
        self,
        batch: LoadBatch,
        fitted: Contract,
        reading: Reading,
        stamp: FileStamp,
        physique: Physique,
        *,
        carefully: bool,
    ) -> LoadBatch | None:
        """Stream the file into the warehouse, and commit once everything is known to be right."""
        with self.store.landing(batch, fitted) as target:
            if target is None:
                return None
            for block in reading.blocks(carefully=carefully):
                target.write(block)
            # The warehouse is still at the last rows.
            self._expect_unchanged(stamp, physique)
            target.finish_rows()
            counted = _counted(batch, reading)
            self._expect_types(fitted, reading)
            self._expect_enough(counted, reading)
            landed = replace(counted, finished_at=self.now())
            anomalies = find_anomalies(
                self.store,
                landed,
                fitted,
                reading.profile,
                reading.differing,
                landed.finished_at,
            )
            self._expect_usual(landed, anomalies)
            target.record(landed, Findings(reading.notes, reading.profile, anomalies))
        return landed

    def _expect_unchanged(self, stamp: FileStamp, physique: Physique) -> None:
        path = self.file.path
        if FileStamp.of(self.file) != stamp or content_digest(path) != physique.sha256:
            raise FileChanged(
                f"{path}: the file was written to while it was read. Nothing was landed.",
                "Run again when it is complete; a file still being written should end in .part.",
            )

    def _expect_types(self, fitted: Contract, reading: Reading) -> None:
        """Refuse a file of which a column has changed its type."""
        profile = reading.profile
        counts = {
            name: (profile.rows - profile.nulls.get(name, 0) + filled, count)
            for name, (filled, count) in reading.misfits.items()
        }
        changes = type_changes(counts, fitted)
        if changes:
            raise ContractViolation(
                f"{self.file.path}: {'; '.join(changes)}. Nothing was landed.",
                remedy(self.contract),
            )

    def _expect_enough(self, counted: LoadBatch, reading: Reading) -> None:
        """Refuse a file that would land fewer rows than its feed must have."""
        if counted.rows_loaded >= counted.expected_minimum_rows:
            return
        reasons = reading.notes.execute(
            f"SELECT reason FROM {REFUSED_LINES} ORDER BY source_line LIMIT 3"
        ).fetchall()
        first = "".join(f" {reason}." for (reason,) in reasons)
        raise FileRefused(
            f"{self.file.path}: {counted.rows_loaded} of {counted.rows_read} lines are good, and "
            f"the feed has at least {counted.expected_minimum_rows}.{first} Nothing was landed.",
            "Ask the sender for the complete file.",
        )

    def _expect_usual(self, landed: LoadBatch, anomalies: Sequence[Anomaly]) -> None:
        """Refuse a file with an anomaly that its feed's policy stops, unless it was accepted."""
        stopping = [anomaly for anomaly in anomalies if anomaly.policy == "stop"]
        if stopping and not self.store.is_accepted(landed.load_id):
            raise FileAnomalous(
                f"{self.file.path}: {'; '.join(anomaly.message for anomaly in stopping)}. "
                "Nothing was landed.",
                "Ask the sender. If it is right, let it in: granary retry --load "
                f'{landed.load_id} --accept "why"',
                stopping,
            )


def _class_of(refusal: FileRefused) -> tuple[str, Sequence[Anomaly]]:
    """Give the error class of a refused file, and its anomalies."""
    if isinstance(refusal, FileAnomalous):
        return UNUSUAL, refusal.anomalies
    return ("header" if isinstance(refusal, ContractViolation) else "file"), ()


def _counted(batch: LoadBatch, reading: Reading) -> LoadBatch:
    found = reading.notes.execute(
        f"SELECT COUNT(*) FILTER (error_class = 'duplicate'), COUNT(*) FROM {REFUSED_LINES}"
    ).fetchone()
    assert found is not None
    duplicate, refused = found
    return replace(
        batch,
        rows_read=reading.rows_read,
        rows_loaded=reading.rows_read - refused,
        rows_rejected=refused - duplicate,
        rows_duplicate=duplicate,
    )
