"""The ledger row of a batch, and what makes a batch the same batch."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from granary.landing.files import FileStamp, LandingFile

LOADED = "loaded"
REFUSED = "refused"
LOAD_ID_DIGITS = 13


@dataclass(frozen=True)
class LoadBatch:
    """One row of ops.load_batch: a file that landed, or that was refused as a whole.

    Attributes:
        rows_read: lines after the header; rows_loaded + rows_rejected + rows_duplicate.
        sha256: digest of the content, decompressed.
        status: loaded or refused.
        error: why it was refused.
        contract_version: version of the contract that it was checked against.
        header: the names of its columns as a CSV record; None when they cannot be read.
        replay_of: the batch whose lines it brings again; None for a file.
    """

    load_id: int
    feed: str
    tenant_id: str
    domain: str
    source: str
    sha256: str
    bytes: int
    modified_at: datetime
    extracted_at: datetime
    load_timestamp: datetime
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    rows_duplicate: int
    expected_minimum_rows: int
    status: str
    error: str | None
    started_at: datetime
    finished_at: datetime
    contract_version: int = 1
    header: str | None = None
    replay_of: int | None = None

    @property
    def sighting(self) -> "Sighting":
        """How the file looked when it was read."""
        return (
            self.source,
            self.feed,
            self.tenant_id,
            self.extracted_at,
            self.bytes,
            self.modified_at,
        )


Sighting = tuple[str, str, str, datetime, int, datetime]


def sighting(file: LandingFile, stamp: FileStamp) -> Sighting:
    """How a file looks from outside; one that looks as it did when it landed is not read again."""
    return (
        file.source,
        file.feed,
        file.tenant_id,
        file.extracted_at,
        stamp.size,
        stamp.modified_at,
    )


def load_id_of(file: LandingFile, sha256: str) -> int:
    """Name a batch by what it is: feed, tenant, extract time and bytes.

    Returns:
        52 bits, the same on every engine and in every order of arrival. The same bytes at another
        extract time are another batch.
    """
    identity = f"{file.feed}|{file.tenant_id}|{file.extracted_at.isoformat()}|{sha256}"
    return int(hashlib.sha256(identity.encode()).hexdigest()[:LOAD_ID_DIGITS], 16)
