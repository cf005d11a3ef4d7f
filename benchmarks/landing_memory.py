"""What landing takes of memory: files of growing size, each landed by a process of its own.

    uv run python -m benchmarks.landing_memory [--rows 100000 1000000 6500000]

Without --rows the files have 15, 150 and 1,000 MB. Memory is the process's highest resident size.
"""

import argparse
import multiprocessing
import resource
import tempfile
from pathlib import Path

import duckdb

from benchmarks.landing import CLAIMS, land, server
from granary.landing import DuckDBStore, PostgresStore, load_contracts
from granary.settings import PROJECT

ROWS = [100_000, 1_000_000, 6_500_000]


def main() -> None:
    """Land a file of each size into each engine and print seconds and memory."""
    parser = argparse.ArgumentParser(description="Memory that landing takes.")
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS, help="lines of the files")
    sizes = parser.parse_args().rows
    alone = multiprocessing.get_context("spawn")
    print(f"{'':12}{'rows':>12}{'file MB':>9}{'seconds':>9}{'memory MB':>11}")
    for engine in ("DuckDB", "PostgreSQL"):
        for rows in sizes:
            with tempfile.TemporaryDirectory(prefix="granary-benchmark-") as name:
                folder = Path(name)
                folder.chmod(0o755)
                path = folder / "claims.csv"
                with alone.Pool(1) as pool:
                    pool.apply(_make, (path, rows))
                with alone.Pool(1) as pool:
                    seconds, memory = pool.apply(_measure, (engine, folder, path))
                megabytes = path.stat().st_size / 1e6
            print(f"{engine:12}{rows:12,}{megabytes:9,.0f}{seconds:9.1f}{memory:11,.0f}")


def _make(path: Path, rows: int) -> None:
    duckdb.execute("SET enable_progress_bar = false")
    duckdb.execute(CLAIMS.format(rows=rows, path=path))


def _measure(engine: str, folder: Path, path: Path) -> tuple[float, float]:
    contract = load_contracts(PROJECT / "contracts")["aca_claims"]
    if engine == "DuckDB":
        seconds = land(DuckDBStore(folder / "granary.duckdb"), path, contract)
    else:
        with server(folder) as conninfo:
            seconds = land(PostgresStore(conninfo), path, contract)
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    main()
