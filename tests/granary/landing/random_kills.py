"""Kills landing again and again at random moments, then looks whether every line is there once.

    uv run python tests/granary/landing/random_kills.py [--kills 50] [--engine duckdb|postgres]

Prints a line per kill: after how long it came, and how many files had landed by then.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from landing_support import (
    ORDERS,
    ORDERS_HEADER,
    TENANTS,
    DuckDBWarehouse,
    PostgresWarehouse,
    Warehouse,
)

from granary.landing.tables import OPS_TABLES
from granary.postgres.cluster import Cluster
from granary.settings import PROJECT

LAND = """
import sys
from pathlib import Path
from granary.landing import *
folder, target = Path(sys.argv[1]), sys.argv[2]
store = PostgresStore(target) if "host=" in target else DuckDBStore(Path(target))
tenants = load_tenants(folder / "tenants.yaml")
print("ready", flush=True)
land_all(store, folder / "landing", load_contracts(folder / "contracts"), tenants)
store.close()
"""
FILES = 6
LINES = 12_000
# Of the lines of a file: every 1,000th is faulty, every 1,500th repeats the one before it.
FAULTY_EVERY, REPEATED_EVERY = 1_000, 1_500


@dataclass(frozen=True)
class Kill:
    """One landing that was cut off; whole when it was done before."""

    seconds: float
    landed: int
    whole: bool


def write_world(folder: Path, files: int = FILES, lines: int = LINES) -> None:
    """Write contracts, tenants and files of orders, some lines of which are not right."""
    (folder / "contracts" / "shop").mkdir(parents=True)
    (folder / "contracts" / "shop" / "orders.yaml").write_text(ORDERS)
    (folder / "tenants.yaml").write_text(TENANTS)
    north = folder / "landing" / "shop" / "north"
    north.mkdir(parents=True)
    for day in range(1, files + 1):
        records = [_order(day, number) for number in range(lines)]
        path = north / f"orders_202502{day:02}T000000Z.csv"
        path.write_text("\n".join([ORDERS_HEADER, *records]) + "\n")


def _order(day: int, number: int) -> str:
    if number % REPEATED_EVERY == 1:
        number -= 1
    price = "much" if number % FAULTY_EVERY == 7 else f"{number % 5000}.25"
    return f"A{day}-{number},Ann,2025-01-02,{price},1,true,web,,,"


def prepare(warehouse: Warehouse) -> None:
    """Make empty tables, without what landed before."""
    with warehouse.open() as store:
        store.prepare([])
        for table in ("raw.shop_orders", *(table.name for table in OPS_TABLES)):
            store.rows(f"DROP TABLE IF EXISTS {table}")
        store.prepare([])


def kill_landings(
    warehouse: Warehouse, folder: Path, kills: int, longest: float, chance: random.Random
) -> Iterator[Kill]:
    """Land the folder in a process of its own, and kill it at a random moment, again and again.

    Args:
        longest: seconds after which a kill comes at the latest.
    """
    for _ in range(kills):
        process = start_landing(warehouse, folder)
        seconds = chance.uniform(0, longest)
        time.sleep(seconds)
        process.kill()
        process.communicate()
        [(landed,)] = warehouse.rows("SELECT COUNT(*) FROM ops.load_batch")
        yield Kill(seconds, landed, process.returncode == 0)


def start_landing(warehouse: Warehouse, folder: Path) -> subprocess.Popen[str]:
    """Start to land a folder in a process of its own; it has connected when this returns."""
    process = subprocess.Popen(
        [sys.executable, "-c", LAND, str(folder), warehouse.target],
        cwd=PROJECT,
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    if process.stdout.readline() != "ready\n":
        raise RuntimeError(process.communicate()[1])
    return process


def finish_landing(warehouse: Warehouse, folder: Path) -> float:
    """Land what is left; gives the seconds that it took."""
    process = start_landing(warehouse, folder)
    began = time.perf_counter()
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    return time.perf_counter() - began


def losses(warehouse: Warehouse, files: int = FILES, lines: int = LINES) -> list[str]:
    """Say what is missing, repeated or does not add up; nothing when all is well."""
    [(batches, read, loaded, rejected, duplicate)] = warehouse.rows(
        "SELECT COUNT(*), SUM(rows_read), SUM(rows_loaded), SUM(rows_rejected), "
        "SUM(rows_duplicate) FROM ops.load_batch WHERE status = 'loaded'"
    )
    [(raw, kept, apart)] = warehouse.rows(
        "SELECT (SELECT COUNT(*) FROM raw.shop_orders), (SELECT COUNT(*) FROM ops.dead_letter), "
        "(SELECT COUNT(*) FROM (SELECT load_id, source_line FROM raw.shop_orders "
        "UNION SELECT load_id, source_line FROM ops.dead_letter) AS places)"
    )
    found = {
        "files": (batches, files),
        "lines read": (read, files * lines),
        "lines of the ledger": (loaded + rejected + duplicate, read),
        "rows in raw": (raw, loaded),
        "dead letters": (kept, rejected + duplicate),
        "different lines": (apart, files * lines),
    }
    return [f"{what}: {is_}, not {due}" for what, (is_, due) in found.items() if is_ != due]


@contextmanager
def _warehouse(engine: str, folder: Path) -> Iterator[Warehouse]:
    if engine == "duckdb":
        yield DuckDBWarehouse(folder / "granary.duckdb")
        return
    cluster = Cluster(folder / "home")
    cluster.start()
    try:
        yield PostgresWarehouse(cluster.admin.conninfo())
    finally:
        cluster.destroy()


def main() -> int:
    """Run the kills; 1 when a line was lost or repeated."""
    parser = argparse.ArgumentParser(description="Random kills of landing.")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--engine", choices=("duckdb", "postgres"), default="postgres")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    failures = 0
    with tempfile.TemporaryDirectory(prefix="granary-kills-") as name:
        Path(name).chmod(0o755)
        with _warehouse(asked.engine, Path(name)) as warehouse:
            write_world(Path(name) / "whole")
            prepare(warehouse)
            longest = finish_landing(warehouse, Path(name) / "whole")
            print(f"A landing that nobody kills takes {longest:.2f} s.")
            done, world = 0, 0
            while done < asked.kills:
                world += 1
                folder = Path(name) / f"world_{world}"
                write_world(folder)
                prepare(warehouse)
                left = asked.kills - done
                for kill in kill_landings(warehouse, folder, left, longest, chance):
                    done += 1
                    print(f"{done:3} after {kill.seconds:.2f} s: {kill.landed} of {FILES} landed")
                    if kill.landed == FILES:
                        break
                finish_landing(warehouse, folder)
                wrong = losses(warehouse)
                failures += bool(wrong)
                print(f"    world {world}: {'; '.join(wrong) or 'every line is there once'}")
    print(f"{done} kills, {world} worlds, {failures} with losses")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
