"""Which folders the embedded server uses, and as whom."""

import contextlib
import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from granary.errors import GranaryError
from granary.postgres.installation import Account, bundled_installation, copied_installation
from granary.postgres.record import EmbeddedServer, Record

OUTSIDE = Path("/var/lib/granary")


@dataclass(frozen=True)
class Layout:
    """The folder of a server and what lies in it."""

    root: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.root / "data"

    @property
    def log(self) -> Path:
        """The log since the last start."""
        return self.root / "server.log"

    @property
    def configuration(self) -> Path:
        """Settings fitted to the machine, which postgresql.conf includes."""
        return self.root / "granary.conf"

    def account(self) -> Account:
        """Whom the server runs as: its data's owner, or nobody when root makes it."""
        if os.geteuid() != 0:
            return Account.current()
        if self.data.exists() and (owner := Account.owner_of(self.data)).uid != 0:
            return owner
        return Account.unprivileged()


def layout_of(record: Record) -> Layout:
    """The folders of a home's server."""
    server = record.server
    if server is not None and server.outside is not None and server.data_outside:
        return Layout(server.outside)
    return Layout(record.home / "postgres")


def place(record: Record, port: int) -> Record:
    """Decide where a new server's data lives: in the home, unless its OS user cannot get there.

    Makes the folder; changes no permission of any folder that was there before.
    """
    inside = Layout(record.home / "postgres")
    if inside.data.exists():
        raise GranaryError(
            f"{inside.data} holds a database, but {record.home}/postgres.json with its passwords "
            "is gone.",
            f"Restore that file, or remove {inside.root} to start with an empty database.",
        )
    account = inside.account()
    make_folder(inside.root, account)
    server = EmbeddedServer(port=port)
    if not account.can_enter(inside.root):
        with contextlib.suppress(OSError):
            inside.root.rmdir()
        server = EmbeddedServer(port=port, outside=_new_outside(record.home), data_outside=True)
    return record.model_copy(update={"server": server})


def with_programs(record: Record, account: Account) -> Record:
    """Decide whether the server's OS user needs a copy of the programs, and where it goes."""
    server = server_of(record)
    if server.outside is None and not account.can_run(bundled_installation() / "bin/postgres"):
        server = server.model_copy(update={"outside": _new_outside(record.home)})
    return record.model_copy(update={"server": server})


def installation_of(record: Record, account: Account) -> Path:
    """The PostgreSQL to run: the bundled one, or a copy if the OS user cannot reach that."""
    outside = server_of(record).outside
    if outside is None or account.can_run(bundled_installation() / "bin/postgres"):
        return bundled_installation()
    make_folder(outside, account)
    return copied_installation(outside)


def server_of(record: Record) -> EmbeddedServer:
    """The server's part of a record that has one."""
    if record.server is None:
        raise ValueError("the record has no server yet")
    return record.server


def make_folder(folder: Path, account: Account) -> None:
    """Make a folder of our own; others may pass through it only if the server is another user."""
    for path in [folder.parent, folder] if folder.parent == OUTSIDE else [folder]:
        if not path.exists():
            path.mkdir(mode=0o700)
            path.chmod(0o755 if account.foreign else 0o700)


def _new_outside(home: Path) -> Path:
    """A folder name for a home; one that is in use stays with the home that uses it."""
    folder = OUTSIDE / hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return folder.with_name(f"{folder.name}-{secrets.token_hex(3)}") if folder.exists() else folder
