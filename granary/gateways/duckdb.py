"""One DuckDB file as a gateway, for work that needs no server."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb

from granary.errors import GranaryError
from granary.gateways.base import Connection, Rows
from granary.landing.duckdb_store import DuckDBStore
from granary.landing.store import Store
from granary.settings import Settings


class DuckDBGateway:
    """The warehouse in `<home>/granary.duckdb`, SQLMesh's state beside it."""

    def __init__(self, settings: Settings) -> None:
        """Remember the settings; nothing is opened yet."""
        self._settings = settings
        self._home = settings.home_path
        self._file = self._home / "granary.duckdb"

    def describe(self) -> str:
        """Say which file it is."""
        return f"DuckDB in {self._file}"

    def start(self) -> None:
        """Make the folder; the file needs no server."""
        self._home.mkdir(parents=True, exist_ok=True)

    def stop(self) -> bool:
        """There is nothing to stop."""
        return False

    def destroy(self) -> None:
        """Remove the files of the warehouse and of SQLMesh's state."""
        for name in ("granary.duckdb", "granary_state.duckdb"):
            for path in self._home.glob(f"{name}*"):
                path.unlink()

    def is_up(self) -> bool:
        """Say whether the file is there."""
        return self._file.exists()

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Open the file for landing."""
        with DuckDBStore(self._file) as store:
            yield store

    @contextmanager
    def operations(self) -> Iterator[Connection]:
        """Open the file for the ops schema."""
        with duckdb.connect(str(self._file)) as connection:
            yield connection

    @contextmanager
    def writer(self, purpose: str, on_wait: Callable[[str], None]) -> Iterator[None]:
        """Hold a lock on a file beside the warehouse; it goes with the process, even by kill -9."""
        self._home.mkdir(parents=True, exist_ok=True)
        with (self._home / "writer.lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                on_wait(lock.read().strip() or "another process")
                fcntl.flock(lock, fcntl.LOCK_EX)
            lock.truncate(0)
            lock.write(f"granary {purpose} (process {os.getpid()})")
            lock.flush()
            yield

    def sqlmesh_variables(self) -> dict[str, str]:
        """Give the environment variables that config.yaml reads."""
        return {
            "GRANARY_GATEWAY": self._settings.gateway,
            "GRANARY_SQLMESH_HOME": str(self._home),
        }

    def query(self, sql: str) -> Rows:
        """Answer one statement on the file, opened for reading only."""
        if not self._file.exists():
            raise GranaryError(f"There is no warehouse in {self._file}.", "Run `granary up` first.")
        try:
            with duckdb.connect(str(self._file), read_only=True) as connection:
                cursor = connection.execute(sql)
                columns = [column[0] for column in cursor.description or []]
                return Rows(columns, cursor.fetchall())
        except duckdb.IOException as error:
            raise GranaryError(
                f"{self._file} is in use by another process.", "Try again when its run is done."
            ) from error
        except duckdb.InvalidInputException as error:
            raise GranaryError(
                f"`granary sql` only reads: {error}", "Change data through files and models."
            ) from error
        except duckdb.Error as error:
            raise GranaryError(f"The query failed: {error}", "Mend the query.") from error
