import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from granary.duckdb_files import open_duckdb

# A landing's tables are made, and the process dies before DuckDB writes them into the file.
CRASH = """
import os, signal, sys
from pathlib import Path
from granary.landing import DuckDBStore
store = DuckDBStore(Path(sys.argv[1]))
store.prepare([])
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def left_behind(tmp_path: Path) -> Path:
    """A file with the log of a process that was killed after its commit."""
    path = tmp_path / "left behind's.duckdb"
    subprocess.run([sys.executable, "-c", CRASH, str(path)], check=False)
    assert path.with_name(f"{path.name}.wal").exists()
    return path


def test_what_a_killed_process_committed_is_there(left_behind: Path) -> None:
    with open_duckdb(left_behind, read_only=True) as connection:
        tables = connection.execute("SELECT table_name FROM information_schema.tables").fetchall()
    assert ("load_batch",) in tables


def test_duckdb_alone_still_cannot_open_it(left_behind: Path) -> None:
    # When this fails, DuckDB was mended and granary.duckdb_files can go.
    with pytest.raises(duckdb.InternalException, match="replaying WAL"):
        duckdb.connect(str(left_behind))


def test_a_new_file_is_made(tmp_path: Path) -> None:
    with open_duckdb(tmp_path / "new.duckdb") as connection:
        assert connection.execute("SELECT 1").fetchall() == [(1,)]
