"""Writes feeds as CSV files, whole or not at all."""

import filecmp
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from granary.errors import GranaryError

EXTRACT_TIME = "T020000Z"


class FeedWriter:
    """Writes the files of one tenant and never replaces one that differs.

    A file is first a draft under a hidden name and then renamed, so that landing never sees a
    part of one.
    """

    def __init__(self, folder: Path) -> None:
        """Make the folder when it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._connection = duckdb.connect()

    def target(self, entity: str, extract: date) -> Path:
        """The file of a feed and an extract."""
        return self._folder / f"{entity}_{extract:%Y%m%d}{EXTRACT_TIME}.csv"

    def draft(self, target: Path, table: pa.Table) -> Path:
        """Write the rows next to the target."""
        draft = target.with_name(f".{target.name}.part")
        quoted = str(draft).replace("'", "''")
        self._connection.register("feed", table)
        self._connection.execute(f"COPY feed TO '{quoted}' (FORMAT csv, HEADER, DELIMITER ',')")
        self._connection.unregister("feed")
        return draft

    def publish(self, draft: Path, target: Path) -> bool:
        """Give a draft its name, or drop it when the same file is there already.

        Returns:
            Whether the file is new.

        Raises:
            GranaryError: the file exists and says something else.
        """
        if not target.exists():
            draft.rename(target)
            return True
        same = filecmp.cmp(draft, target, shallow=False)
        draft.unlink()
        if not same:
            raise GranaryError(
                f"{target} exists with other content; it was left as it is.",
                "Repeat the arguments that made it, or choose another landing folder.",
            )
        return False

    def close(self) -> None:
        """Release the writer's memory."""
        self._connection.close()
