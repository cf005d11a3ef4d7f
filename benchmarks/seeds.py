"""The generator: claim lines per second with all their feeds, memory, and patient years.

    uv run python -m benchmarks.seeds [--members 400000] [--batches 8]

Two years of six issuers, written as CSV. The lines counted are rows of the claims feed; members,
coverage, invoices and the rest are made and written in the same time. CPU seconds are those of all
processes: on a machine with other work they say more than the clock.
"""

import argparse
import os
import tempfile
import threading
import time
from datetime import date
from pathlib import Path

import psutil

from seeds_gen.aca import generate

START, END, YEARS = date(2024, 1, 1), date(2025, 12, 31), 2
TENANTS = 6
# Synthea makes whole lives. Its project publishes no rate; a user's run of ten million patients on
# 8 vCPUs took 377.9 hours (github.com/synthetichealth/synthea/issues/1515), which is 7.4 patients a
# second. A life counts for 80 years here, which favours it.
SYNTHEA_PATIENTS, SYNTHEA_HOURS, SYNTHEA_LIFE = 10_000_000, 377.9, 80
INTERVAL = 0.1


class MemoryWatch:
    """The most memory that this process and its children held together."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self.peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        own = psutil.Process()
        while not self._over.wait(INTERVAL):
            held = 0
            for process in (own, *own.children(recursive=True)):
                try:
                    held += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.peak = max(self.peak, held)


def main() -> None:
    """Generate a large world and print what it took."""
    parser = argparse.ArgumentParser(description="Speed and memory of the generator.")
    parser.add_argument("--members", type=int, default=400_000, help="over all issuers")
    parser.add_argument("--batches", type=int, default=8, help="extracts of two years")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="granary-benchmark-") as name, MemoryWatch() as memory:
        began, busy = time.perf_counter(), _cpu_seconds()
        summary = generate(
            Path(name) / "landing",
            tenants=TENANTS,
            members=arguments.members,
            start=START,
            end=END,
            batches=arguments.batches,
            seed=1,
        )
        seconds, busy = time.perf_counter() - began, _cpu_seconds() - busy
        size = sum(path.stat().st_size for path in summary.files)
    lines, rows = summary.rows["claims"], sum(summary.rows.values())
    years = arguments.members * YEARS
    synthea = SYNTHEA_PATIENTS * SYNTHEA_LIFE / (SYNTHEA_HOURS * 3600)
    print(f"{arguments.members:,} members, {arguments.batches} extracts, {size / 1e9:.1f} GB")
    print(f"{lines:,} claim lines of {rows:,} rows")
    print(f"{'seconds by the clock':34}{seconds:12.1f}")
    print(f"{'CPU seconds':34}{busy:12.1f}")
    print(f"{'claim lines/s':34}{lines / seconds:12,.0f}")
    print(f"{'claim lines per CPU second':34}{lines / busy:12,.0f}")
    print(f"{'rows/s':34}{rows / seconds:12,.0f}")
    print(f"{'peak memory, all processes':34}{memory.peak / 1e6:9,.0f} MB")
    print(f"{'patient years/s':34}{years / seconds:12,.0f}")
    print(f"{'patient years/s, Synthea, 8 vCPUs':34}{synthea:12,.0f}")


def _cpu_seconds() -> float:
    """User and system time of this process and the children that ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    main()
