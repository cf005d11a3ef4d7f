"""What a run costs when history grows: one batch behind 12 extracts, and the same behind 120.

    uv run python -m benchmarks.history [--members 4000]

The histories are the first year and all ten years of one world. The batch is an extract of the day
after the last one: all members, of whom one in a hundred changed, and new claim lines of these. A
run without news shows what SQLMesh itself costs. The seconds in which the engine was at work are
counted apart, and the models are named in which they grew most.
"""

import argparse
import csv
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

from sqlmesh.core.engine_adapter import EngineAdapter

from granary.clock import utc_now
from granary.landing import land_all, load_contracts, load_tenants
from granary.landing.files import EXTRACT_TIME
from granary.pipeline import Pipeline
from granary.reporter import Reporter
from granary.settings import CONTRACTS, Settings
from seeds_gen.aca import generate

Gateway = Literal["duckdb", "postgres"]
START, END = date(2015, 1, 1), date(2024, 12, 31)
TENANTS = 3
SHORT, LONG = 12, 120
ONE_IN = 100
GROWN = 8
PHYSICAL_TABLE = re.compile(r'"sqlmesh__\w+"\."(\w+?)__\d+(?:__\w+)?"')
TARGET = 1.3


@dataclass
class Figures:
    """Seconds of runs of one warehouse, and the rows in its raw tables before them.

    Attributes:
        rows: in raw tables before the runs.
        idle: seconds of a run without news.
        batch: seconds of the run that brings the batch.
        sql: of these, the seconds in which the engine worked, by model.
    """

    rows: int = 0
    idle: float = 0.0
    batch: float = 0.0
    sql: Counter[str] = field(default_factory=Counter)


def main() -> None:
    """Measure both histories on both engines and print the table."""
    parser = argparse.ArgumentParser(description="The cost of a run as history grows.")
    parser.add_argument("--members", type=int, default=4000, help="over all issuers")
    members = parser.parse_args().members
    with tempfile.TemporaryDirectory(prefix="granary-benchmark-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        world = folder / "world"
        generate(
            world, tenants=TENANTS, members=members, start=START, end=END, batches=None, seed=1
        )
        measured: dict[tuple[Gateway, int], Figures] = {}
        pipelines: dict[tuple[Gateway, int], Pipeline] = {}
        for gateway in ("duckdb", "postgres"):
            for months in (SHORT, LONG):
                pipeline = _pipeline(folder / f"{gateway}_{months}", gateway)
                stack.callback(pipeline.gateway.destroy)
                pipelines[gateway, months] = pipeline
                measured[gateway, months] = Figures(rows=_build(pipeline, world, months))
        for key, pipeline in pipelines.items():
            measured[key].idle = _run(pipeline)
            changed = _write_batch(pipeline.settings.landing_path)
            pipeline.land()
            with _engine_clock() as measured[key].sql:
                measured[key].batch = _run(pipeline)
    print(f"\n{members:,} members; a batch with {changed:,} changed members and their claims")
    print(f"{'':10}{'extracts':>9}{'raw rows':>12}{'no news':>9}{'batch':>8}{'of it SQL':>11}")
    for (gateway, months), figures in measured.items():
        print(
            f"{gateway:10}{months:9}{figures.rows:12,}{figures.idle:9.1f}"
            f"{figures.batch:8.1f}{figures.sql.total():11.1f}"
        )
    for gateway in ("duckdb", "postgres"):
        short, long = measured[gateway, SHORT], measured[gateway, LONG]
        print(
            f"{gateway}: {long.batch / short.batch:.2f} times the seconds, "
            f"{long.sql.total() / short.sql.total():.2f} times those of SQL, "
            f"behind {long.rows / short.rows:.0f} times the rows (at most {TARGET} is the aim)"
        )
        grown = Counter({name: long.sql[name] - short.sql[name] for name in long.sql})
        told = (f"{name} {seconds:.2f}" for name, seconds in grown.most_common(GROWN))
        print(f"  grew most, in seconds: {', '.join(told)}")


@contextmanager
def _engine_clock() -> Iterator[Counter[str]]:
    """Count the seconds that statements take, by the model whose table they name first."""
    seconds: Counter[str] = Counter()
    execute = EngineAdapter._execute

    def timed(self: EngineAdapter, sql: str, *args: Any, **kwargs: Any) -> None:
        began = time.perf_counter()
        execute(self, sql, *args, **kwargs)
        named = PHYSICAL_TABLE.search(sql)
        seconds[named[1] if named else "SQLMesh's state"] += time.perf_counter() - began

    with patch.object(EngineAdapter, "_execute", timed):
        yield seconds


def _pipeline(folder: Path, gateway: Gateway) -> Pipeline:
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        gateway=gateway,
        home=folder / "home",
        landing=folder / "landing",
        pghost=None,
    )
    return Pipeline(settings, Reporter())


def _build(pipeline: Pipeline, world: Path, months: int) -> int:
    """Land the first extracts of the world on an earlier day and build prod; gives their rows."""
    pipeline.start()
    for issuer in (world / "aca").iterdir():
        target = pipeline.settings.landing_path / "aca" / issuer.name
        target.mkdir(parents=True)
        for extract in sorted({_extract(path) for path in issuer.iterdir()})[:months]:
            for path in issuer.glob(f"*_{extract}.csv"):
                shutil.copy(path, target)
    with pipeline.gateway.store() as store:
        report = land_all(
            store,
            pipeline.settings.landing_path,
            load_contracts(CONTRACTS),
            load_tenants(CONTRACTS / "tenants.yaml"),
            now=lambda: utc_now() - timedelta(days=2),
        )
    pipeline.build_prod()
    return sum(batch.rows_loaded for batch in report.landed)


def _run(pipeline: Pipeline) -> float:
    began = time.perf_counter()
    pipeline.run()
    return time.perf_counter() - began


def _write_batch(landing: Path) -> int:
    """Write each issuer's extract of the day after its last; gives how many members changed."""
    changed = 0
    for issuer in (landing / "aca").iterdir():
        last = max(_extract(path) for path in issuer.iterdir())
        next_day = f"{datetime.strptime(last, EXTRACT_TIME) + timedelta(days=1):{EXTRACT_TIME}}"
        members = list(_rows(issuer / f"members_{last}.csv"))
        for member in members[::ONE_IN]:
            member["wellness_enrolled"] = (
                "false" if member["wellness_enrolled"] == "true" else "true"
            )
        ids = {member["member_id"] for member in members[::ONE_IN]}
        lines = [
            {**line, "claim_id": f"X{line['claim_id']}"}
            for path in sorted(issuer.glob("claims_*.csv"))[-SHORT:]
            for line in _rows(path)
            if line["member_id"] in ids
        ]
        unique = {(line["claim_id"], line["line_number"]): line for line in lines}
        _write(issuer / f"members_{next_day}.csv", members)
        _write(issuer / f"claims_{next_day}.csv", list(unique.values()))
        changed += len(ids)
    return changed


def _extract(path: Path) -> str:
    return path.stem.rpartition("_")[2]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
