"""Files that may still name a forgotten person: our own logs, and what senders left."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from granary.errors import GranaryError
from granary.landing.errors import FileProblem
from granary.landing.files import LandingFile
from granary.landing.physique import DAMAGED, open_content

# What a database writes is its own to clean, and searching it for words proves nothing.
DATABASES = ("data", "base", "pg_wal")
DATABASE_SUFFIXES = (".duckdb", ".wal")


@dataclass(frozen=True)
class StillNamed:
    """A file that names the person, and in how many lines."""

    where: str
    lines: int


def clean_logs(home: Path, pattern: re.Pattern[bytes]) -> int:
    """Take the lines that name the person out of our logs; gives how many there were."""
    removed = 0
    for path in sorted((home / "logs").glob("**/*")):
        if path.is_file() and not path.is_symlink():
            # In place: who writes to it goes on doing so.
            with path.open("r+b") as log:
                lines = log.readlines()
                kept = [line for line in lines if not pattern.search(line)]
                if len(kept) < len(lines):
                    removed += len(lines) - len(kept)
                    log.seek(0)
                    log.writelines(kept)
                    log.truncate()
    return removed


def find_in_home(home: Path, pattern: re.Pattern[bytes]) -> Iterator[StillNamed]:
    """Search what we wrote outside of databases."""
    for path in sorted(home.glob("**/*")):
        inside = path.relative_to(home).parts
        if path.is_symlink() or not path.is_file() or path.name.endswith(DATABASE_SUFFIXES):
            continue
        if any(part in DATABASES for part in inside[:-1]):
            continue
        try:
            with path.open("rb") as stream:
                count = sum(1 for line in stream if pattern.search(line))
        except OSError as error:
            raise GranaryError(
                f"{path} cannot be searched: {error.strerror}.",
                "Let the user that runs granary read it, then run the command again.",
            ) from error
        if count:
            yield StillNamed(str(path), count)


def find_in_landing(
    files: Iterable[LandingFile], pattern: re.Pattern[bytes]
) -> Iterator[StillNamed | FileProblem]:
    """Search senders' files, decompressed; one that cannot be read is given as its problem."""
    for file in files:
        try:
            with file.fetched() as local:
                count = _count(local.path, pattern)
        except FileProblem as problem:
            yield problem
        except (OSError, *DAMAGED) as error:
            yield FileProblem(f"{file.shown}: cannot be searched: {error}.")
        else:
            if count:
                yield StillNamed(file.shown, count)


def _count(path: Path, pattern: re.Pattern[bytes]) -> int:
    with open_content(path) as stream:
        return sum(1 for line in stream if pattern.search(line))
