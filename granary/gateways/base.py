"""What the pipeline needs of a gateway."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from granary.landing.store import Store

NOTHING_GIVEN: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Rows:
    """The answer to a query: column names, and tuples in their order."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


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


class Gateway(Protocol):
    """A warehouse that can be started, landed in, planned on and asked."""

    def describe(self) -> str:
        """Say in a few words where the warehouse is."""
        ...

    def start(self) -> None:
        """Bring the warehouse up; returns when it answers."""
        ...

    def stop(self) -> bool:
        """Stop what Granary started; False when there was nothing to stop."""
        ...

    def destroy(self) -> None:
        """Remove the warehouse and all that is in it, for good."""
        ...

    def is_up(self) -> bool:
        """Say whether the warehouse answers."""
        ...

    def store(self) -> AbstractContextManager[Store]:
        """Open the warehouse for landing."""
        ...

    def operations(self) -> AbstractContextManager[Connection]:
        """Open the warehouse for reading and writing the ops schema.

        Raises:
            GranaryError: the warehouse cannot be opened.
        """
        ...

    def models(self) -> AbstractContextManager[Connection]:
        """Open the warehouse for reading and writing the tables that models fill.

        Raises:
            GranaryError: the warehouse cannot be opened.
        """
        ...

    def purge(self, tables: Sequence[str]) -> None:
        """Let go of what was deleted from tables, so that files hold as little of it as can be.

        Args:
            tables: schema and name of each, quoted.
        """
        ...

    def writer(self, purpose: str, on_wait: Callable[[str], None]) -> AbstractContextManager[None]:
        """Be the one process that plans or runs; wait for another, telling `on_wait` for whom."""
        ...

    def writer_now(self) -> str | None:
        """Say which process plans or runs at this moment; None when there is none."""
        ...

    def sqlmesh_variables(self) -> dict[str, str]:
        """Give the environment variables that config.yaml reads."""
        ...

    def check_roles(self) -> str:
        """Log in as each of Granary's roles; gives a finding.

        Raises:
            GranaryError: a role cannot log in.
        """
        ...

    def check_state(self) -> str:
        """Open the database of SQLMesh's state; gives a finding.

        Raises:
            GranaryError: it cannot be opened.
        """
        ...

    def query(self, sql: str, given: Mapping[str, str] = NOTHING_GIVEN) -> Rows:
        """Answer one statement that only reads.

        Args:
            sql: the statement.
            given: queries of temporary tables that it reads, by name, in the order of making.

        Raises:
            GranaryError: the statement is wrong, or it would write.
        """
        ...

    def estimated_rows(self, tables: Sequence[str]) -> dict[str, int]:
        """Tell about how many rows tables have, by the database's own statistics.

        Args:
            tables: schema and name of each; views and tables never counted are left out.
        """
        ...
