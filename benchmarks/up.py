"""Setting up the demo, asking for it again, and one more month: time and memory of every step.

    uv run python -m benchmarks.up [--members 20000]

Home and landing folder are temporary. The demo lands under yesterday's clock, so that the month
after it is the work of a new day, as it is in use.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import psutil

from granary.clock import utc_now
from granary.landing import land_all, load_contracts, load_tenants
from granary.pipeline import CONTRACTS, Pipeline
from granary.postgres.cluster import Cluster
from granary.reporter import Reporter
from granary.seed_cli import DEMO_END, DEMO_MEMBERS, DEMO_SEED, DEMO_START, DEMO_TENANTS
from granary.settings import Settings
from seeds_gen.aca import generate

MONTH_AFTER_DEMO = date(2026, 1, 31)
SAMPLE_SECONDS = 0.05
MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Figure:
    """What a step took; memory is the peak of one process, resident, in bytes."""

    step: str
    seconds: float
    rows: int | None
    own_memory: int
    server_memory: int

    @property
    def line(self) -> str:
        """The figure as a line of the table."""
        rows = f"{self.rows:12,}{self.rows / self.seconds:10,.0f}" if self.rows else " " * 22
        memory = f"{self.own_memory // MEGABYTE:9,}{self.server_memory // MEGABYTE:11,}"
        return f"{self.step:28}{self.seconds:9.2f}{rows}{memory}"


class _Memory(threading.Thread):
    """Watches this process, and the server processes of a home folder if they run already."""

    def __init__(self, home: Path) -> None:
        super().__init__(daemon=True)
        pid = Cluster(home).status().pid
        self._server = psutil.Process(pid) if pid else None
        self._ended = threading.Event()
        self.own = self.server = 0

    def run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self._sample()

    def end(self) -> None:
        self._ended.set()
        self.join()
        self._sample()

    def _sample(self) -> None:
        self.own = max(self.own, _resident(psutil.Process()))
        if self._server:
            processes = [self._server, *self._server.children()]
            self.server = max(self.server, *map(_resident, processes))


def main() -> None:
    """Take every step and print the table."""
    parser = argparse.ArgumentParser(description="Set-up of the demo, step by step.")
    parser.add_argument("--members", type=int, default=DEMO_MEMBERS, help="over all issuers")
    members = parser.parse_args().members
    with tempfile.TemporaryDirectory(prefix="granary-benchmark-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        settings = Settings(home=folder / "home", landing=folder / "landing")
        pipeline = Pipeline(settings, Reporter())
        try:
            figures, claim_lines = _measure(pipeline, members)
        finally:
            pipeline.gateway.destroy()
    print(f"\n{members:,} members, {psutil.cpu_count()} cores, {settings.gateway}")
    print(f"{'':28}{'seconds':>9}{'rows':>12}{'rows/s':>10}{'own MB':>9}{'server MB':>11}")
    for figure in figures:
        print(figure.line)
    print(f"Claim lines in prod: {claim_lines[0]:,}, and {claim_lines[1]:,} a month later.")


def _measure(pipeline: Pipeline, members: int) -> tuple[list[Figure], list[int]]:
    """Take the steps; gives their figures, and the claim lines after either build."""

    def measured(step: str, work: Callable[[], int | None]) -> Figure:
        memory = _Memory(pipeline.settings.home_path)
        memory.start()
        began = time.perf_counter()
        rows = work()
        seconds = time.perf_counter() - began
        memory.end()
        return Figure(step, seconds, rows, memory.own, memory.server)

    def seeds(end: date) -> int:
        return _write_seeds(pipeline.settings, members, end)

    figures = [
        measured("start the warehouse", pipeline.start),
        measured("write the seeds", lambda: seeds(date.fromisoformat(DEMO_END))),
        measured("land them", lambda: _land_yesterday(pipeline)),
        measured("build prod", pipeline.build_prod),
    ]
    claim_lines = [_claim_lines(pipeline)]
    figures.append(measured("granary up, all being up", lambda: _up(pipeline.settings)))
    seeds(MONTH_AFTER_DEMO)
    figures += [
        measured("land one more month", lambda: _rows_landed(pipeline)),
        measured("bring prod forward", pipeline.run),
    ]
    return figures, [*claim_lines, _claim_lines(pipeline)]


def _write_seeds(settings: Settings, members: int, end: date) -> int:
    summary = generate(
        settings.landing_path,
        tenants=DEMO_TENANTS,
        members=members,
        start=date.fromisoformat(DEMO_START),
        end=end,
        batches=None,
        seed=DEMO_SEED,
    )
    return sum(summary.rows.values())


def _land_yesterday(pipeline: Pipeline) -> int:
    with pipeline.gateway.store() as store:
        report = land_all(
            store,
            pipeline.settings.landing_path,
            load_contracts(CONTRACTS),
            load_tenants(CONTRACTS / "tenants.yaml"),
            now=lambda: utc_now() - timedelta(days=1),
        )
    return sum(batch.rows_loaded for batch in report.landed)


def _rows_landed(pipeline: Pipeline) -> int:
    return sum(batch.rows_loaded for batch in pipeline.land().landed)


def _up(settings: Settings) -> None:
    folders = {
        "GRANARY_HOME": str(settings.home_path),
        "GRANARY_LANDING": str(settings.landing_path),
    }
    command = [str(Path(sys.executable).with_name("granary")), "up"]
    subprocess.run(command, env=os.environ | folders, check=True)


def _claim_lines(pipeline: Pipeline) -> int:
    return int(pipeline.gateway.query("SELECT COUNT(*) FROM core.fct_claim_line").rows[0][0])


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


if __name__ == "__main__":
    main()
