"""Debian's PostgreSQL 15, as a server that Granary did not start."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from debian import require

from granary.postgres.cluster import _free_port
from granary.postgres.endpoint import Endpoint
from granary.postgres.installation import Account

PROGRAMS = Path("/usr/lib/postgresql/15/bin")


@contextmanager
def external_postgres(folder: Path) -> Iterator[Endpoint]:
    """Run Debian's PostgreSQL 15 in a new folder; gives the superuser's endpoint."""
    require(PROGRAMS / "postgres", "postgresql-15")
    account = Account.unprivileged() if os.geteuid() == 0 else Account.current()
    folder.mkdir()
    password_file = folder / "password"
    password_file.write_text("not-the-default")
    for path in (folder, password_file):
        os.chown(path, account.uid, account.gid)

    def run(*command: str | Path) -> None:
        subprocess.run(
            command,
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **account.process_options(),
        )

    data = folder / "data"
    port = _free_port()
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    initdb = ["-U", "owner", "-A", "scram-sha-256", f"--pwfile={password_file}", "--no-sync"]
    control = [PROGRAMS / "pg_ctl", "-D", data, "-w"]
    run(PROGRAMS / "initdb", "-D", data, "-E", "UTF8", *initdb)
    run(*control, "-l", folder / "log", "-o", options, "start")
    yield Endpoint("127.0.0.1", port, "owner", "not-the-default", "postgres")
    run(*control, "-m", "immediate", "stop")
