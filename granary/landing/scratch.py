"""A folder for what is kept aside for a while; what a killed process left goes with the next."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "granary-landing-"
# Held for as long as its process lives, by whatever it ends.
LOCK = "in-use"


class Scratch:
    """A folder of its own, which only this user can enter.

    Attributes:
        name: its path.
    """

    def __init__(self) -> None:
        """Make it, and remove those whose processes are gone."""
        remove_left_behind()
        self._folder = tempfile.TemporaryDirectory(prefix=PREFIX)
        self.name = self._folder.name
        # Under its own name only once it is locked: what has no lock yet is left alone.
        draft = Path(self.name) / f"{LOCK}.draft"
        self._lock = draft.open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        draft.rename(draft.with_name(LOCK))

    def __enter__(self) -> Path:
        """Give its path."""
        return Path(self.name)

    def __exit__(self, *_: object) -> None:
        """Remove it."""
        self.cleanup()

    def cleanup(self) -> None:
        """Remove it."""
        self._folder.cleanup()
        self._lock.close()


def remove_left_behind() -> None:
    """Remove the folders of this user's processes that ended without doing so."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            with (folder / LOCK).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            # In use, half made, or removed by another process at this moment.
            continue
