"""DuckDB files, as crashes leave them."""

from pathlib import Path

import duckdb


def open_duckdb(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a file, made when missing and not only read; what a killed process committed is there.

    Raises:
        duckdb.Error: it is no DuckDB file, or another process has it open.
    """
    finish_log(path)
    return duckdb.connect(str(path), read_only=read_only)


def finish_log(path: Path) -> None:
    """Bring what a killed process left in the write-ahead log into its file.

    DuckDB 1.5 fails to do so for some statements when it opens the file itself, and manages when
    the file is attached to another database (duckdb/duckdb issues 22124 and 22044).
    """
    if path.with_name(f"{path.name}.wal").exists():
        quoted = str(path).replace("'", "''")
        with duckdb.connect() as bench:
            bench.execute(f"ATTACH '{quoted}' AS left_behind")
