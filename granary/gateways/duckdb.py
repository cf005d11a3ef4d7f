"""One DuckDB file as a gateway, for work that needs no server."""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import duckdb

from granary.duckdb_files import finish_log, open_duckdb
from granary.errors import GranaryError
from granary.gateways.base import NOTHING_GIVEN, Connection, Rows
from granary.landing.duckdb_store import DuckDBStore
from granary.landing.store import Store
from granary.privacy.secret import read_secret
from granary.settings import Settings

# A file that is opened for reading only would still let COPY and ATTACH write other files.
NOTHING_ELSE = "SET enable_external_access = false; SET lock_configuration = true"


ESTIMATED_ROWS = """
SELECT schema_name || '.' || table_name, estimated_size
FROM duckdb_tables()
WHERE LIST_CONTAINS($1, schema_name || '.' || table_name)
"""


class DuckDBGateway:
    """The warehouse in `<home>/granary.duckdb`, SQLMesh's state beside it."""

    def __init__(self, settings: Settings) -> None:
        """Remember the settings; nothing is opened yet."""
        self._settings = settings
        self._home = settings.home_path
        self._file = self._home / "granary.duckdb"
        self._state_file = self._home / "granary_state.duckdb"
        self._lock_file = self._home / "writer.lock"

    def describe(self) -> str:
        """Say which file it is."""
        return f"DuckDB in {self._file}"

    def start(self) -> None:
        """Make the folder; the file needs no server.

        Raises:
            GranaryError: the folder cannot be made.
        """
        try:
            self._home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise GranaryError(
                f"{self._home} cannot be made: {error.strerror}.",
                "Set GRANARY_HOME to a folder of your own.",
            ) from error

    def stop(self) -> bool:
        """There is nothing to stop."""
        return False

    def destroy(self) -> None:
        """Remove the files of the warehouse and of SQLMesh's state."""
        for file in (self._file, self._state_file):
            for path in self._home.glob(f"{file.name}*"):
                path.unlink()

    def is_up(self) -> bool:
        """Say whether the file is there."""
        return self._file.exists()

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Open the file for landing."""
        with DuckDBStore(self._file) as store:
            store.secret = read_secret(self._home)
            yield store

    @contextmanager
    def operations(self) -> Iterator[Connection]:
        """Open the file for the ops schema."""
        with _connect(self._file) as connection:
            yield connection

    def models(self) -> AbstractContextManager[Connection]:
        """Open the file, in which nobody owns tables."""
        return self.operations()

    def purge(self, tables: Sequence[str]) -> None:
        """Write the file anew: DuckDB marks rows as deleted, and keeps freed blocks as they are.

        Raises:
            GranaryError: the file cannot be written; it is as it was.
        """
        draft = self._file.with_name(f"{self._file.name}.purged")
        draft.unlink(missing_ok=True)
        with _explained(self._file):
            finish_log(self._file)
            with duckdb.connect() as bench:
                for file, name in ((self._file, "old"), (draft, "new")):
                    quoted = str(file).replace("'", "''")
                    bench.execute(f"ATTACH '{quoted}' AS {name}")
                bench.execute("COPY FROM DATABASE old TO new")
        draft.replace(self._file)

    @contextmanager
    def writer(self, purpose: str, on_wait: Callable[[str], None]) -> Iterator[None]:
        """Hold a lock on a file beside the warehouse; it goes with the process, even by kill -9."""
        self.start()
        with self._lock_file.open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                on_wait(lock.read().strip() or "another process")
                fcntl.flock(lock, fcntl.LOCK_EX)
            lock.truncate(0)
            lock.write(f"granary {purpose} (process {os.getpid()})")
            lock.flush()
            for file in (self._file, self._state_file):
                with _explained(file):
                    finish_log(file)
            yield

    def writer_now(self) -> str | None:
        """Say who holds the lock."""
        if not self._lock_file.exists():
            return None
        with self._lock_file.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return lock.read().strip() or "another process"
        return None

    def sqlmesh_variables(self) -> dict[str, str]:
        """Give the environment variables that config.yaml reads."""
        return {
            "GRANARY_SQLMESH_GATEWAY": self._settings.gateway,
            "GRANARY_SQLMESH_HOME": str(self._home),
        }

    def check_roles(self) -> str:
        """A file has no roles."""
        return "a DuckDB file has none"

    def check_state(self) -> str:
        """Open the file of SQLMesh's state."""
        if not self._state_file.exists():
            raise GranaryError(f"There is no {self._state_file}.", "Make it with: granary up")
        with _connect(self._state_file, read_only=True):
            return f"{self._state_file.name} can be read"

    def query(self, sql: str, given: Mapping[str, str] = NOTHING_GIVEN) -> Rows:
        """Answer one statement on the file, opened for reading only."""
        if not self._file.exists():
            raise GranaryError(f"There is no warehouse in {self._file}.", "Run `granary up` first.")
        try:
            statements = duckdb.extract_statements(sql)
            if len(statements) != 1:
                raise GranaryError(
                    f"The query failed: it holds {len(statements)} statements.", "Send one."
                )
            with _connect(self._file, read_only=True) as connection:
                connection.execute(NOTHING_ELSE)
                for name, part in given.items():
                    connection.execute(f"CREATE TEMP TABLE {name} AS {part}")
                cursor = connection.execute(statements[0])
                columns = [column[0] for column in cursor.description or []]
                return Rows(columns, cursor.fetchall())
        except duckdb.Error as error:
            if _would_write(error):
                raise GranaryError(
                    f"`granary sql` only reads: {error}.", "Change data through files and models."
                ) from error
            raise GranaryError(f"The query failed: {error}", "Mend the query.") from error

    def estimated_rows(self, tables: Sequence[str]) -> dict[str, int]:
        """Read DuckDB's own count of each table."""
        if not tables:
            return {}
        with _connect(self._file, read_only=True) as connection:
            rows = connection.execute(ESTIMATED_ROWS, [list(tables)]).fetchall()
        return dict(rows)


def _connect(file: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    with _explained(file):
        return open_duckdb(file, read_only=read_only)


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    try:
        yield
    except duckdb.IOException as error:
        if "lock" in str(error):
            raise GranaryError(
                f"{file} is in use by another process.", "Try again when its run is done."
            ) from error
        raise GranaryError(f"{file} cannot be opened: {error}.", "Check the file.") from error


def _would_write(error: duckdb.Error) -> bool:
    return isinstance(error, duckdb.PermissionException) or "in read-only mode" in str(error)
