"""The places that settings name: folders of this machine and buckets."""

import os
from collections.abc import Sequence
from pathlib import Path

from granary.landing.files import Entry, Place, unreadable
from granary.settings import Settings


class Folder:
    """A folder of this machine."""

    def __init__(self, root: Path, *, is_first: bool = True) -> None:
        """Remember the folder.

        Args:
            is_first: the ledger calls its files by their paths inside it; those of other folders
                by their whole paths.
        """
        self._root = root
        self._is_first = is_first

    def entries(self, folder: str) -> list[Entry]:
        """List a folder by its path below the place, by name."""
        path = self._root / folder
        try:
            with os.scandir(path) as found:
                return sorted((self._entry(one) for one in found), key=lambda entry: entry.key)
        except OSError as error:
            raise unreadable(path, error) from error

    def _entry(self, found: "os.DirEntry[str]") -> Entry:
        path = Path(found.path)
        key = path.relative_to(self._root).as_posix()
        source = key if self._is_first else path.as_posix()
        return Entry(key, path, source, found.is_dir(), found.is_symlink())

    def shown(self, key: str) -> str:
        """Give the whole path."""
        return str(self._root / key)

    def is_empty(self) -> bool:
        """Say whether no file lies in it, at any depth; a folder that is not there is empty."""
        return not any(path.is_file() for path in self._root.rglob("*"))


def open_places(settings: Settings) -> list[Place]:
    """Give the places of GRANARY_LANDING in their order.

    Raises:
        GranaryError: the address of a bucket is not s3://bucket or s3://bucket/prefix.
    """
    places: list[Place] = []
    for place in settings.landing_places:
        if isinstance(place, Path):
            places.append(Folder(place, is_first=not places))
        else:
            # boto3 takes a while to import, and most landings have no bucket.
            from granary.landing.bucket import Bucket

            places.append(Bucket(place, settings.aws_variables))
    return places


def describe(places: Sequence[Place]) -> str:
    """Name the places in one line."""
    return ", ".join(place.shown("") for place in places)
