"""Landing against dlt's row path: the same file, read row by row as dlt's documentation shows.

    uv run --with 'dlt[duckdb,postgres]' python -m benchmarks.landing_dlt [--rows 100000]

dlt gets the rows of csv.DictReader, makes up a schema, normalizes and loads them; it checks no
contract and keeps no dead letters. It is no dependency of this project.
"""

import argparse
import csv
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import duckdb

from benchmarks.landing import CLAIMS, land, seconds_of, server
from granary.landing import DuckDBStore, PostgresStore, load_contracts
from granary.settings import PROJECT


def main() -> None:
    """Run both on one file, on both engines, and print rows per second."""
    parser = argparse.ArgumentParser(description="Landing against dlt.")
    parser.add_argument("--rows", type=int, default=100_000, help="lines of the file")
    rows = parser.parse_args().rows
    contract = load_contracts(PROJECT / "contracts")["aca_claims"]
    with tempfile.TemporaryDirectory(prefix="granary-benchmark-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        os.environ["DLT_DATA_DIR"] = str(folder / "dlt")
        os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
        path = folder / "claims.csv"
        duckdb.execute(CLAIMS.format(rows=rows, path=path))
        figures = {}
        target = dlt.destinations.duckdb(str(folder / "dlt.duckdb"))
        figures["DuckDB"] = (
            seconds_of(lambda: _row_by_row("duckdb", path, target)),
            land(DuckDBStore(folder / "granary.duckdb"), path, contract),
        )
        with server(folder) as conninfo:
            target = dlt.destinations.postgres(_url(conninfo))
            figures["PostgreSQL"] = (
                seconds_of(lambda: _row_by_row("postgres", path, target)),
                land(PostgresStore(conninfo), path, contract),
            )
    print(f"{rows:,} claim lines\n\n{'':12}{'dlt rows/s':>12}{'landed rows/s':>15}{'times':>8}")
    for engine, (theirs, ours) in figures.items():
        print(f"{engine:12}{rows / theirs:12,.0f}{rows / ours:15,.0f}{theirs / ours:8.1f}")


def _row_by_row(name: str, path: Path, target: Any) -> None:
    pipeline = dlt.pipeline(name, destination=target, dataset_name="plain")
    pipeline.run(_rows(path), table_name="claims", write_disposition="append")


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="") as stream:
        yield from csv.DictReader(stream)


def _url(conninfo: str) -> str:
    parts = dict(part.split("=", 1) for part in conninfo.split())
    return (
        f"postgresql://{parts['user']}:{parts.get('password', '')}@{parts['host']}:{parts['port']}"
        f"/{parts['dbname']}"
    )


if __name__ == "__main__":
    main()
