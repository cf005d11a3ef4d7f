"""One file becomes raw rows, dead letters and a ledger row: all or nothing, once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import duckdb

from granary.landing.batch import LOADED, REFUSED, LoadBatch, load_id_of
from granary.landing.checks import (
    REFUSED_LINES,
    count_repeated_hashes,
    find_faulty_lines,
    refuse_duplicate_lines,
    refuse_faulty_lines,
)
from granary.landing.contract import Contract
from granary.landing.contract_versions import record_versions
from granary.landing.errors import (
    ContractViolation,
    FileChanged,
    FileRefused,
    StoreError,
)
from granary.landing.files import FileStamp, LandingFile
from granary.landing.fit import fit
from granary.landing.reader import digest, read_header, read_text
from granary.landing.store import Store

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Now, UTC without zone."""
    return datetime.now(UTC).replace(tzinfo=None)


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
        FileRefused: the file is empty, damaged, in another encoding, or has too few good rows; only
            the refusal was written.
        FileChanged: the file was written to while it was read; nothing was landed.
        FileUnreadable: the operating system says no; nothing was landed.
        ContractDrifted: the contract differs from the same version in use; nothing was read.
        StoreError: the warehouse is out of reach; nothing was landed.
    """
    store.prepare([contract])
    for drift in record_versions(store.connection, [contract], utc_now()).values():
        raise drift
    return land_prepared(store, file, contract, now(), now)


def land_prepared(
    store: Store, file: LandingFile, contract: Contract, started_at: datetime, now: Clock
) -> LoadBatch | None:
    """Land one file whose table is there already; see land_file."""
    stamp = FileStamp.of(file)
    sha256 = digest(file)
    batch = LoadBatch(
        load_id=load_id_of(file, sha256),
        feed=file.feed,
        tenant_id=file.tenant_id,
        domain=file.domain,
        source=file.source,
        sha256=sha256,
        bytes=stamp.size,
        modified_at=stamp.modified_at,
        extracted_at=file.extracted_at,
        load_timestamp=started_at,
        rows_read=0,
        rows_loaded=0,
        rows_rejected=0,
        rows_duplicate=0,
        expected_minimum_rows=contract.expected_minimum_rows,
        status=LOADED,
        error=None,
        started_at=started_at,
        finished_at=started_at,
    )
    if store.has_landed(batch.load_id):
        return None
    try:
        fitted = fit(read_header(file.path), contract, str(file.path))
        counted = _read(store, file, fitted, batch)
        _expect_unchanged(file, stamp, sha256)
        _expect_enough(file, counted, store)
    except FileRefused as refusal:
        _expect_unchanged(file, stamp, sha256)
        refused = replace(batch, status=REFUSED, error=str(refusal), finished_at=now())
        store.refuse(refused, "header" if isinstance(refusal, ContractViolation) else "file")
        raise
    if not fitted.columns.keys() <= contract.columns.keys():
        store.prepare([fitted])
    landed = replace(counted, finished_at=now())
    return landed if store.land(landed, fitted) else None


def _read(store: Store, file: LandingFile, contract: Contract, batch: LoadBatch) -> LoadBatch:
    """Read and check the file on the workbench, and count."""
    try:
        rows_read = read_text(store.workbench, file, contract)
        if _number(store, find_faulty_lines(contract, file.extracted_at)):
            store.workbench.execute(refuse_faulty_lines(contract, file.extracted_at))
        if _number(store, count_repeated_hashes(contract)):
            store.workbench.execute(refuse_duplicate_lines(contract))
    except (duckdb.IOException, duckdb.OutOfMemoryException, OSError) as error:
        raise StoreError(
            f"{file.path}: no memory or disk left to read it with: {error}.",
            "Free memory and space for temporary files, then run again.",
        ) from error
    duplicate = _number(
        store, f"SELECT COUNT(*) FROM {REFUSED_LINES} WHERE error_class = 'duplicate'"
    )
    rejected = _number(store, f"SELECT COUNT(*) FROM {REFUSED_LINES}") - duplicate
    return replace(
        batch,
        rows_read=rows_read,
        rows_loaded=rows_read - rejected - duplicate,
        rows_rejected=rejected,
        rows_duplicate=duplicate,
    )


def _number(store: Store, query: str) -> int:
    """Run a statement that gives one number, such as the rows it wrote."""
    row = store.workbench.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def _expect_unchanged(file: LandingFile, stamp: FileStamp, sha256: str) -> None:
    if FileStamp.of(file) != stamp or digest(file) != sha256:
        raise FileChanged(
            f"{file.path}: the file was written to while it was read. Nothing was landed.",
            "Run again when it is complete; a file still being written should end in .part.",
        )


def _expect_enough(file: LandingFile, counted: LoadBatch, store: Store) -> None:
    """Refuse a file that would land fewer rows than its feed must have."""
    if counted.rows_loaded >= counted.expected_minimum_rows:
        return
    reasons = store.workbench.execute(
        f"SELECT reason FROM {REFUSED_LINES} ORDER BY source_line LIMIT 3"
    ).fetchall()
    first = "".join(f" {reason}." for (reason,) in reasons)
    raise FileRefused(
        f"{file.path}: {counted.rows_loaded} of {counted.rows_read} lines are good, and the feed "
        f"has at least {counted.expected_minimum_rows}.{first} Nothing was landed.",
        "Ask the sender for the complete file.",
    )
