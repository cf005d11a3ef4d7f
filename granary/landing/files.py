"""Landing files: what their names say, and what lies in the places that they are dropped into."""

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from granary.clock import utc_now
from granary.landing.contract import Contract, Tenants
from granary.landing.errors import FileUnreadable

EPOCH = datetime(1970, 1, 1)
EXTRACT_TIME = "%Y%m%dT%H%M%SZ"
# How far the clock of a source may be ahead of ours.
CLOCKS_DIFFER = timedelta(days=1)
FILE_NAME = re.compile(r"(?P<entity>.+)_(?P<seed>\d{8}T\d{6}Z)\.csv(\.gz|\.zst)?")
UNFINISHED_SUFFIXES = (".tmp", ".part", ".partial", ".filepart", ".crdownload")


@dataclass(frozen=True)
class FileStamp:
    """What is said of a file without reading it; the same stamp means the same bytes.

    Attributes:
        modified_at: UTC without zone, to the microsecond.
    """

    size: int
    modified_at: datetime

    @classmethod
    def of(cls, file: "LandingFile") -> "FileStamp":
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


class Remote(Protocol):
    """A file that has to be fetched before it can be read."""

    @property
    def stamp(self) -> FileStamp:
        """What its place says of it."""
        ...

    def fetched(self) -> AbstractContextManager[Path]:
        """Bring it to a local path, which has its name and its stamp, for as long as it is read.

        Raises:
            FileUnreadable: it is gone or out of reach.
            FileChanged: it is no longer what was listed.
        """
        ...


@dataclass(frozen=True)
class LandingFile:
    """One source file.

    Attributes:
        path: where it is read; for a remote file, its name until it is fetched.
        source: how the ledger calls it: the path inside the first landing folder, the whole path
            in another one, the address in a bucket, or the bare name.
        extracted_at: when the source wrote it, UTC without zone; the clock of history.
        remote: where to fetch it from; None when it lies on this machine.
    """

    path: Path
    source: str
    domain: str
    tenant_id: str
    entity: str
    extracted_at: datetime
    remote: Remote | None = None

    @property
    def feed(self) -> str:
        """Name of the contract and of the raw table."""
        return f"{self.domain}_{self.entity}"

    @property
    def shown(self) -> str:
        """How people find it: its path, or its address."""
        return self.source if self.remote else str(self.path)

    def stamp(self) -> FileStamp:
        """Look at the file where it lies.

        Raises:
            FileUnreadable: it is gone, or a folder on the way cannot be entered.
        """
        return self.remote.stamp if self.remote else FileStamp.of(self)

    @contextmanager
    def fetched(self) -> Iterator["LandingFile"]:
        """Give the file with a path that can be read.

        Raises:
            FileUnreadable: it is gone or out of reach.
            FileChanged: it is no longer what was listed.
        """
        if self.remote is None:
            yield self
            return
        with self.remote.fetched() as path:
            yield replace(self, path=path)

    @classmethod
    def from_options(
        cls, path: Path, contract: Contract, tenant_id: str, extracted_at: datetime
    ) -> "LandingFile":
        """Describe a file outside the landing folder, whose name says nothing.

        Args:
            extracted_at: a moment with a zone, or UTC without one.

        Raises:
            FileUnreadable: that moment is still to come.
        """
        moment = without_zone(extracted_at)
        _expect_past(moment, str(path))
        return cls(path, path.name, contract.domain, tenant_id, contract.entity, moment)


@dataclass(frozen=True)
class Entry:
    """What a folder of a place holds: a file or another folder.

    Attributes:
        key: its path below the place, with slashes.
        path: where it is, or would be, on this machine.
        source: how the ledger calls it.
    """

    key: str
    path: Path
    source: str
    is_folder: bool
    is_link: bool = False
    remote: Remote | None = None

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rpartition("/")[2]


class Place(Protocol):
    """Where source files lie, as `<domain>/<tenant_id>/<file>` below it."""

    def entries(self, folder: str) -> list[Entry]:
        """List a folder by its path below the place, "" for the place itself, by name.

        Raises:
            FileUnreadable: it cannot be listed.
        """
        ...

    def shown(self, key: str) -> str:
        """Say how people find what lies there."""
        ...

    def is_empty(self) -> bool:
        """Say whether no file lies in it, at any depth.

        Raises:
            FileUnreadable: it cannot be listed.
        """
        ...


@dataclass(frozen=True)
class Discovery:
    """What was found: files that can be landed, and a message for all that cannot."""

    files: list[LandingFile]
    problems: list[str]


def discover(
    places: Sequence[Place], contracts: dict[str, Contract], tenants: Tenants
) -> Discovery:
    """Find `<domain>/<tenant_id>/<entity>_<YYYYMMDDTHHMMSSZ>.csv[.gz|.zst]` in every place.

    Hidden and unfinished files (.tmp, .part, …) are left alone; anything else that does not fit is
    a problem with a remedy, and so is a place that cannot be listed.

    Returns:
        The files by extract time, then by domain, tenant and entity.
    """
    files: list[LandingFile] = []
    problems: list[str] = []
    for place in places:
        found = _Search(place, contracts, tenants)
        try:
            found.search()
        except FileUnreadable as problem:
            found.problems.append(str(problem))
        files += found.files
        problems += found.problems
    files.sort(key=lambda file: (file.extracted_at, file.domain, file.tenant_id, file.entity))
    return Discovery(files, problems)


def _expect_past(extracted_at: datetime, shown: str) -> None:
    """Refuse a mistyped year: one extract from the future would make all others look late."""
    if extracted_at > utc_now() + CLOCKS_DIFFER:
        raise FileUnreadable(
            f"{shown}: its extract time, {extracted_at:%Y-%m-%d %H:%M} UTC, is still to come. "
            "Nothing was landed.",
            "Correct the time: it is the clock of history.",
        )


_LAYOUT = "Files go to <landing>/<domain>/<tenant>/<entity>_<YYYYMMDDTHHMMSSZ>.csv[.gz|.zst]."
_NO_LINKS = (
    "Links are not followed, lest one tenant's folder shows another's files: put the file itself "
    "there, or name its folder in GRANARY_LANDING."
)


class _Search:
    """One place, searched from its domains to its files."""

    def __init__(self, place: Place, contracts: dict[str, Contract], tenants: Tenants) -> None:
        self._place = place
        self._contracts = contracts
        self._tenants = tenants
        self.files: list[LandingFile] = []
        self.problems: list[str] = []

    def search(self) -> None:
        for entry in self._entries(""):
            if not entry.is_folder:
                self._tell(entry, f"stands outside a domain folder. {_LAYOUT}")
            elif entry.name not in self._tenants:
                known = ", ".join(sorted(self._tenants)) or "none"
                self._tell(entry, f"unknown domain (known: {known}). {_LAYOUT}")
            else:
                self._search_domain(entry.name)

    def _search_domain(self, domain: str) -> None:
        for entry in self._entries(domain):
            if not entry.is_folder:
                self._tell(entry, f"stands outside a tenant folder. {_LAYOUT}")
            elif entry.name not in self._tenants[domain]:
                known = ", ".join(sorted(self._tenants[domain]))
                self._tell(
                    entry,
                    f"unknown tenant (known: {known}). Nothing in it was landed. "
                    "Add it to contracts/tenants.yaml, or correct the folder's name.",
                )
            else:
                for file in self._entries(entry.key):
                    try:
                        self.files.append(self._parse(file, domain, entry.name))
                    except FileUnreadable as problem:
                        self.problems.append(str(problem))

    def _entries(self, folder: str) -> Iterator[Entry]:
        for entry in self._place.entries(folder):
            if _is_unfinished(entry.name):
                continue
            if entry.is_link:
                self._tell(entry, f"is a symbolic link. {_NO_LINKS}")
            else:
                yield entry

    def _tell(self, entry: Entry, message: str) -> None:
        self.problems.append(f"{self._place.shown(entry.key)}: {message}")

    def _parse(self, entry: Entry, domain: str, tenant_id: str) -> LandingFile:
        shown = self._place.shown(entry.key)
        if entry.is_folder:
            raise FileUnreadable(f"{shown}: a folder where a file should be.", _LAYOUT)
        name = entry.name
        match = FILE_NAME.fullmatch(name)
        if not match:
            stem, dot, suffix = name.partition(".")
            plain = f"{stem}{dot}{suffix.lower()}"
            if FILE_NAME.fullmatch(plain):
                raise FileUnreadable(f"{shown}: .{suffix} is not .{suffix.lower()}.", "Rename it.")
            raise FileUnreadable(
                f"{shown}: the name is not <entity>_<time>.csv[.gz|.zst].", _LAYOUT
            )
        try:
            extracted_at = datetime.strptime(match["seed"], EXTRACT_TIME)
        except ValueError as error:
            raise FileUnreadable(
                f"{shown}: {match['seed']} is not a time.",
                "Write the extract time as YYYYMMDDTHHMMSSZ.",
            ) from error
        _expect_past(extracted_at, shown)
        file = LandingFile(
            entry.path,
            entry.source,
            domain,
            tenant_id,
            match["entity"],
            extracted_at,
            entry.remote,
        )
        if file.feed not in self._contracts:
            feeds = (c.entity for c in self._contracts.values() if c.domain == domain)
            known = ", ".join(feeds) or "none"
            raise FileUnreadable(
                f"{shown}: {domain} has no feed {file.entity} (known: {known}).",
                f"Correct the name, or write contracts/{domain}/{file.entity}.yaml.",
            )
        return file


def _is_unfinished(name: str) -> bool:
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
