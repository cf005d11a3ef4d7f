"""Landing files: what lies in the landing folder, and what their names say."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from granary.landing.contract import Contract, Tenants
from granary.landing.errors import FileUnreadable

EPOCH = datetime(1970, 1, 1)
EXTRACT_TIME = "%Y%m%dT%H%M%SZ"
FILE_NAME = re.compile(r"(?P<entity>.+)_(?P<seed>\d{8}T\d{6}Z)\.csv(\.gz|\.zst)?")
UNFINISHED_SUFFIXES = (".tmp", ".part", ".partial", ".filepart", ".crdownload")


@dataclass(frozen=True)
class LandingFile:
    """One source file.

    Attributes:
        path: where it lies.
        source: how the ledger calls it: the path inside the landing folder, or the bare name.
        extracted_at: when the source wrote it, UTC without zone; the clock of history.
    """

    path: Path
    source: str
    domain: str
    tenant_id: str
    entity: str
    extracted_at: datetime

    @property
    def feed(self) -> str:
        """Name of the contract and of the raw table."""
        return f"{self.domain}_{self.entity}"

    @classmethod
    def from_options(
        cls, path: Path, contract: Contract, tenant_id: str, extracted_at: datetime
    ) -> "LandingFile":
        """Describe a file outside the landing folder, whose name says nothing.

        Args:
            extracted_at: a moment with a zone, or UTC without one.
        """
        return cls(
            path, path.name, contract.domain, tenant_id, contract.entity, without_zone(extracted_at)
        )


@dataclass(frozen=True)
class FileStamp:
    """What the file system says of a file; the same stamp means the same bytes.

    Attributes:
        modified_at: UTC without zone, to the microsecond.
    """

    size: int
    modified_at: datetime

    @classmethod
    def of(cls, file: LandingFile) -> "FileStamp":
        """Look at the file.

        Raises:
            FileUnreadable: it is gone, or a folder on the way cannot be entered.
        """
        try:
            status = file.path.stat()
        except OSError as error:
            raise unreadable(file.path, error) from error
        modified_at = EPOCH + timedelta(microseconds=status.st_mtime_ns // 1000)
        return cls(status.st_size, modified_at)


@dataclass(frozen=True)
class Discovery:
    """What was found: files that can be landed, and a message for all that cannot."""

    files: list[LandingFile]
    problems: list[str]


def discover(landing: Path, contracts: dict[str, Contract], tenants: Tenants) -> Discovery:
    """Find `<landing>/<domain>/<tenant_id>/<entity>_<YYYYMMDDTHHMMSSZ>.csv[.gz|.zst]`.

    Hidden and unfinished files (.tmp, .part, …) are left alone; anything else that does not fit is
    a problem with a remedy.

    Returns:
        The files by extract time, then by domain, tenant and entity.

    Raises:
        FileUnreadable: the landing folder does not exist or cannot be listed.
    """
    files: list[LandingFile] = []
    problems: list[str] = []
    for path in _entries(landing):
        if not path.is_dir():
            problems.append(f"{path}: stands outside a domain folder. {_LAYOUT}")
            continue
        if path.name not in tenants:
            known = ", ".join(sorted(tenants)) or "none"
            problems.append(f"{path}: unknown domain (known: {known}). {_LAYOUT}")
            continue
        _discover_domain(path, contracts, tenants, files, problems)
    files.sort(key=lambda file: (file.extracted_at, file.domain, file.tenant_id, file.entity))
    return Discovery(files, problems)


_LAYOUT = "Files go to <landing>/<domain>/<tenant>/<entity>_<YYYYMMDDTHHMMSSZ>.csv[.gz|.zst]."


def _discover_domain(
    folder: Path,
    contracts: dict[str, Contract],
    tenants: Tenants,
    files: list[LandingFile],
    problems: list[str],
) -> None:
    domain = folder.name
    for path in _entries(folder):
        if not path.is_dir():
            problems.append(f"{path}: stands outside a tenant folder. {_LAYOUT}")
        elif path.name not in tenants[domain]:
            known = ", ".join(sorted(tenants[domain]))
            problems.append(
                f"{path}: unknown tenant (known: {known}). Nothing in it was landed. "
                "Add it to contracts/tenants.yaml, or correct the folder's name."
            )
        else:
            for entry in _entries(path):
                try:
                    files.append(_parse(entry, folder.parent, domain, path.name, contracts))
                except FileUnreadable as problem:
                    problems.append(str(problem))


def _parse(
    path: Path, landing: Path, domain: str, tenant_id: str, contracts: dict[str, Contract]
) -> LandingFile:
    if path.is_dir():
        raise FileUnreadable(f"{path}: a folder where a file should be.", _LAYOUT)
    match = FILE_NAME.fullmatch(path.name)
    if not match:
        raise FileUnreadable(f"{path}: the name is not <entity>_<time>.csv[.gz|.zst].", _LAYOUT)
    try:
        extracted_at = datetime.strptime(match["seed"], EXTRACT_TIME)
    except ValueError as error:
        raise FileUnreadable(
            f"{path}: {match['seed']} is not a time.", "Write the extract time as YYYYMMDDTHHMMSSZ."
        ) from error
    file = LandingFile(
        path,
        path.relative_to(landing).as_posix(),
        domain,
        tenant_id,
        match["entity"],
        extracted_at,
    )
    if file.feed not in contracts:
        known = ", ".join(c.entity for c in contracts.values() if c.domain == domain) or "none"
        raise FileUnreadable(
            f"{path}: {domain} has no feed {file.entity} (known: {known}).",
            f"Correct the name, or write contracts/{domain}/{file.entity}.yaml.",
        )
    return file


def _entries(folder: Path) -> list[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise unreadable(folder, error) from error
    return [path for path in entries if not _unfinished(path.name)]


def _unfinished(name: str) -> bool:
    return name.startswith((".", "~")) or name.lower().endswith(UNFINISHED_SUFFIXES)


def unreadable(path: Path, error: OSError) -> FileUnreadable:
    """Say what the operating system said, with what to do about it."""
    remedies: dict[type[OSError], str] = {
        FileNotFoundError: "Check the path.",
        PermissionError: "Give the user that runs granary the right to read it.",
        IsADirectoryError: _LAYOUT,
        NotADirectoryError: _LAYOUT,
    }
    return FileUnreadable(
        f"{path}: cannot be read: {error.strerror or error}.",
        remedies.get(type(error), "Check the disk, then run again."),
    )


def without_zone(moment: datetime) -> datetime:
    """Move a moment to UTC and drop its zone: how every timestamp is stored."""
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
