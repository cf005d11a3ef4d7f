"""Landing against dlt's row path: the same file, read row by row as dlt's documentation shows.

    uv run --with 'dlt[duckdb,postgres]' python -m benchmarks.landing_dlt [--rows 100000]

dlt gets the rows of csv.DictReader, makes up a schema, normalizes and loads them; it checks no
contract and keeps no dead letters. It is no dependency of this project.
"""

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt

from benchmarks.landing import asked_rows, claims_file, land, seconds_of, server
from granary.landing import DuckDBStore, PostgresStore, load_contracts
from granary.settings import PROJECT


def main() -> None:
    """Run both on one file, on both engines, and print rows per second."""
    rows = asked_rows("Landing against dlt.", default=100_000)
    contract = load_contracts(PROJECT / "contracts")["aca_claims"]
    with claims_file(rows) as path:
        folder = path.parent
        os.environ["DLT_DATA_DIR"] = str(folder / "dlt")
        os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
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
