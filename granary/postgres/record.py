"""What Granary remembers about its PostgreSQL servers: `<home>/postgres.json`, mode 0600."""

import fcntl
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from granary.errors import GranaryError


def new_password() -> str:
    """A password that needs no quoting in a URL, an .env file or SQL; 192 random bits."""
    return secrets.token_urlsafe(24)


class RolePasswords(BaseModel):
    """Passwords of the four roles that Granary makes on a server."""

    model_config = ConfigDict(frozen=True)

    loader: str = Field(default_factory=new_password, repr=False)
    transformer: str = Field(default_factory=new_password, repr=False)
    reader: str = Field(default_factory=new_password, repr=False)
    superset: str = Field(default_factory=new_password, repr=False)


class EmbeddedServer(BaseModel):
    """The embedded server's own facts.

    `outside` is the folder made for what the server's OS user cannot reach within the home: copies
    of the programs and, when `data_outside`, the data as well.
    """

    model_config = ConfigDict(frozen=True)

    port: int
    password: str = Field(default_factory=new_password, repr=False)
    outside: Path | None = None
    data_outside: bool = False


class Record(BaseModel):
    """The content of postgres.json; `home` is the folder it was written for."""

    model_config = ConfigDict(frozen=True)

    home: Path
    roles: RolePasswords = Field(default_factory=RolePasswords)
    server: EmbeddedServer | None = None


def record_path(home: Path) -> Path:
    """The file that holds the record of a home folder."""
    return home / "postgres.json"


def read_record(home: Path) -> Record:
    """Read the record of a home folder, or make a new one in memory when there is none.

    Raises:
        GranaryError: the file cannot be read, or it is a copy of another home's.
    """
    path = record_path(home)
    if not path.exists():
        return Record(home=home)
    record = _parse(path)
    if record.home != home and _share_a_folder(record, record_path(record.home)):
        raise GranaryError(
            f"{path} is a copy; its database belongs to {record.home}.",
            f"Delete {path} to start with an empty database here.",
        )
    return record.model_copy(update={"home": home})


def write_record(record: Record) -> None:
    """Write the record into its home folder, atomically and readable by its owner alone."""
    path = record_path(record.home)
    content = record.model_dump_json(indent=2) + "\n"
    write_private(path, content)


def _parse(path: Path) -> Record:
    try:
        return Record.model_validate_json(path.read_bytes())
    except PermissionError as error:
        raise _foreign(path) from error
    except ValidationError:
        # The cause would print the content, passwords included.
        raise GranaryError(
            f"{path} is damaged; it holds the passwords of the PostgreSQL server.",
            "Restore it from a copy, or delete it and its folder postgres to start afresh.",
        ) from None


def _share_a_folder(record: Record, other: Path) -> bool:
    if record.server is None or record.server.outside is None or not other.exists():
        return False
    theirs = _parse(other).server
    return theirs is not None and theirs.outside == record.server.outside


def write_private(path: Path, content: str) -> None:
    """Replace a file in one step; mode 0600, and the owner stays who it was."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            if path.exists():
                owner = path.stat()
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def home_lock(home: Path) -> Iterator[None]:
    """Let one process at a time change the record, start or stop the server of a home folder."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = (home / "postgres.lock").open("a")
    except PermissionError as error:
        raise _foreign(home) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _foreign(path: Path) -> GranaryError:
    return GranaryError(
        f"{path} belongs to another user.",
        "Run this as the user who ran it first, or set GRANARY_HOME to a folder of your own.",
    )
