"""Files that only their owner may read, and that do not grow without end."""

import os
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

MODE = 0o600


def make_private(path: Path) -> None:
    """Make a file for its owner alone, with its folder; one that is there stays as it is.

    Raises:
        OSError: the operating system says no.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=MODE, exist_ok=True)


def rotate(path: Path, size: int, kept: int) -> None:
    """Begin a new file when this one has grown to a size, keeping some of those before it.

    Raises:
        OSError: the operating system says no.
    """
    if not path.exists() or path.stat().st_size < size:
        return
    for number in range(kept, 0, -1):
        older = path if number == 1 else path.with_name(f"{path.name}.{number - 1}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number}"))


class PrivateLog(RotatingFileHandler):
    """Lines of a log that only its owner may read."""

    def _open(self) -> Any:
        path = Path(self.baseFilename)
        path.parent.mkdir(parents=True, exist_ok=True)
        return open(
            path, self.mode, encoding="utf-8", opener=lambda name, flags: os.open(name, flags, MODE)
        )

    def handleError(self, record: object) -> None:
        """A log that cannot be written keeps nobody from working; `granary doctor` finds it."""
