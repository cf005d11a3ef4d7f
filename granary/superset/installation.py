"""Superset's own environment, made from its lock file in superset/.venv."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from granary.errors import GranaryError
from granary.settings import PROJECT
from granary.superset.places import ENVIRONMENT, LOCK_FILE, SUPERSET

MARKER = ENVIRONMENT / "granary.lock-hash"
TOLD_LINES = 15


def interpreter() -> Path:
    """The Python that Superset runs in."""
    return ENVIRONMENT / "bin" / "python"


def lock_hash() -> str:
    """Hash of the lock file: the same hash means the same packages."""
    return hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()


def is_installed() -> bool:
    """Whether the environment holds what the lock file names."""
    return os.access(interpreter(), os.X_OK) and _marked() == lock_hash()


def install() -> None:
    """Make the environment equal to the lock file; does nothing when it is.

    Raises:
        GranaryError: uv is missing, it cannot fetch a package, or the folder is somebody else's.
    """
    if is_installed():
        return
    try:
        with _one_at_a_time():
            if not is_installed():
                _sync()
    except OSError as error:
        raise GranaryError(
            f"Superset could not be installed into {ENVIRONMENT}: {error}.",
            "Run this as the user who owns the checkout, or remove that folder.",
        ) from error


def _sync() -> None:
    MARKER.unlink(missing_ok=True)
    outcome = subprocess.run(
        [_uv(), "sync", "--frozen", "--quiet"],
        cwd=SUPERSET,
        env={
            **{name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"},
            "UV_PROJECT_ENVIRONMENT": str(ENVIRONMENT),
            "UV_SYSTEM_CERTS": "true",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if outcome.returncode != 0:
        told = "\n".join(outcome.stderr.strip().splitlines()[-TOLD_LINES:])
        raise GranaryError(
            f"Superset could not be installed into {ENVIRONMENT}:\n{told}",
            "Mend what uv names (network, disk, Python 3.11 or 3.12), then run: granary up",
        )
    MARKER.write_text(lock_hash())


def _marked() -> str | None:
    return MARKER.read_text() if MARKER.exists() else None


def _uv() -> str:
    tool = os.environ.get("UV") or shutil.which("uv")
    own = PROJECT / ".local" / "tools" / "bin" / "uv"
    if tool is None and not own.exists():
        raise GranaryError(
            "Superset needs uv to be installed, and there is none on PATH.", "Run: make setup"
        )
    return tool or str(own)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    # Homes of one checkout share the environment.
    with (SUPERSET / ".install.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
