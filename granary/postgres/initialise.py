"""Making a new, empty data folder."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from granary.errors import GranaryError
from granary.postgres.failures import explain
from granary.postgres.installation import Account
from granary.postgres.layout import Layout
from granary.postgres.tuning import MIB, shared_memory_type

SUPERUSER = "postgres"
DISK_NEEDED = 200 * MIB


def initialise(layout: Layout, installation: Path, account: Account, password: str) -> None:
    """Make the data folder of a server; an attempt that is cut short leaves none.

    Args:
        layout: where it goes.
        installation: whose initdb to run.
        account: who will own the data.
        password: the superuser's.

    Raises:
        GranaryError: the disk is full, or initdb failed for a reason that the message names.
    """
    free = shutil.disk_usage(layout.root).free
    if free < DISK_NEEDED:
        raise GranaryError(
            f"{layout.root} has {free // MIB} MB of free disk space; a new database needs "
            f"{DISK_NEEDED // MIB} MB.",
            "Free some disk space, or set GRANARY_HOME to a folder on a larger disk.",
        )
    unfinished = layout.root / "data.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    os.chown(unfinished, account.uid, account.gid)
    _run_initdb(unfinished, installation, account, password)
    with (unfinished / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(f"\ninclude '../{layout.configuration.name}'\n")
    unfinished.rename(layout.data)


def _run_initdb(folder: Path, installation: Path, account: Account, password: str) -> None:
    with tempfile.NamedTemporaryFile("w", dir=folder.parent, prefix=".password.") as file:
        file.write(password)
        file.flush()
        os.fchown(file.fileno(), account.uid, account.gid)
        # C.UTF-8 sorts by code point, as DuckDB does, and knows the case of all letters.
        command = [
            str(installation / "bin/initdb"),
            f"--pgdata={folder}",
            f"--username={SUPERUSER}",
            f"--pwfile={file.name}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            f"--set=dynamic_shared_memory_type={shared_memory_type()}",
            "--no-instructions",
        ]
        result = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            **account.process_options(),
        )
    if result.returncode != 0:
        raise explain("PostgreSQL could not make a new database", result.stdout + result.stderr)
