"""A connection to the warehouse, the same words for every engine."""

from collections.abc import Sequence
from typing import Any, Protocol


class Cursor(Protocol):
    """The result of one statement."""

    def fetchone(self) -> Any:
        """Give the next row, None when there is none."""
        ...

    def fetchall(self) -> list[Any]:
        """Give the rows that are left."""
        ...


class Connection(Protocol):
    """A connection whose statements name their parameters $1, $2, …"""

    def execute(self, query: str, parameters: Sequence[Any] = ...) -> Cursor:
        """Run one statement and commit it."""
        ...
