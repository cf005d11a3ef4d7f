"""Commands that are killed at random moments, again and again, leave no trace in the warehouse."""

import random
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import pytest

from end_to_end.sandbox import Outcome, Sandbox
from seeds_gen.aca import generate

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

GATEWAYS: list[Literal["postgres", "duckdb"]] = ["postgres", "duckdb"]
FIRST_EXTRACT = "_20241201"
KILLS_OF_UP, KILLS_OF_RUN = 3, 2
# Who is killed later has less to do: what those before had built stays.
WITHIN = 0.6
# Without those that tell of the runs themselves.
TABLES = (
    "SELECT table_schema || '.' || table_name AS name FROM information_schema.tables "
    "WHERE table_schema IN ('core', 'semantic') AND table_name NOT LIKE 'warehouse_%' ORDER BY name"
)
# They say how and when a row came to be, not what is so.
CIRCUMSTANCES = {"created_at", "load_date", "load_timestamp", "touched_on"}
# It tells when this warehouse first used a formula.
DEFINITIONS = "semantic.metric_definition_history"

Tables = dict[str, list[str]]


@dataclass(frozen=True)
class Lived:
    """A warehouse whose commands all came to their end at last.

    Attributes:
        up: how the last `up` ended, with the first extracts.
        run: how the last `run` ended, with the others.
        kills: how many commands died before.
        tables: the rows of core and semantic tables as text, sorted.
    """

    up: Outcome
    run: Outcome
    kills: int
    tables: Tables


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kills")
    generate(
        folder,
        tenants=1,
        members=40,
        start=date(2024, 11, 1),
        end=date(2025, 1, 31),
        batches=None,
        seed=5,
    )
    return folder


@pytest.fixture(scope="module")
def undisturbed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    return live(Sandbox(tmp_path_factory.mktemp("undisturbed"), "duckdb"), source)


@pytest.fixture(scope="module")
def killed(source: Path, undisturbed: Lived, reachable_folder: Path) -> Iterator[dict[str, Lived]]:
    """Both engines at once; moments of death follow from the time that an undisturbed one took."""
    sandboxes = [Sandbox(reachable_folder / f"killed_{name}", name) for name in GATEWAYS]
    with ThreadPoolExecutor() as executor:
        lives = executor.map(lambda sandbox: live(sandbox, source, undisturbed), sandboxes)
        yield dict(zip(GATEWAYS, lives, strict=True))
    for sandbox in sandboxes:
        sandbox.gateway.destroy()


def live(sandbox: Sandbox, source: Path, undisturbed: Lived | None = None) -> Lived:
    """Bring the first extracts, then the others.

    Args:
        undisturbed: one that lived through the same; without it nobody is killed.
    """
    chance = random.Random(11)
    files = sorted(source.rglob("*.csv*"))
    first = [file for file in files if FIRST_EXTRACT in file.name]
    kills = 0
    sandbox.drop(first, source)
    if undisturbed:
        kills += kill(sandbox, "up", KILLS_OF_UP, undisturbed.up.seconds, chance)
    up = sandbox.granary("up")
    sandbox.drop(set(files) - set(first), source)
    if undisturbed:
        kills += kill(sandbox, "run", KILLS_OF_RUN, undisturbed.run.seconds, chance)
    return Lived(up, sandbox.granary("run"), kills, tables(sandbox))


def kill(sandbox: Sandbox, verb: str, times: int, seconds: float, chance: random.Random) -> int:
    """Kill a command later each time; tells how often it had not ended by then."""
    kills = 0
    for part in range(times):
        process = sandbox.start(verb)
        try:
            process.wait(WITHIN * seconds * (part + chance.random()) / times)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
    return kills


def tables(sandbox: Sandbox) -> Tables:
    return {row["name"]: facts(sandbox, row["name"]) for row in sandbox.rows(TABLES)}


def facts(sandbox: Sandbox, table: str) -> list[str]:
    told_not = {*CIRCUMSTANCES, "valid_from"} if table == DEFINITIONS else CIRCUMSTANCES
    rows = [
        ", ".join(f"{name}={value}" for name, value in found.items() if name not in told_not)
        for found in sandbox.rows(f"SELECT * FROM {table}")
    ]
    # Commands on both sides of midnight note on each day what it touched.
    return sorted(set(rows) if table.endswith("_touches") else rows)


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_killed_commands_are_made_good_by_the_next(killed: dict[str, Lived], gateway: str) -> None:
    lived = killed[gateway]
    assert lived.kills >= 3
    assert lived.up.exit_code == 0, lived.up.messages
    assert lived.run.exit_code == 0, lived.run.messages


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_kills_leave_no_trace_in_any_table(
    undisturbed: Lived, killed: dict[str, Lived], gateway: str
) -> None:
    found = killed[gateway].tables
    assert found.keys() == undisturbed.tables.keys()
    differing = [name for name in found if found[name] != undisturbed.tables[name]]
    assert differing == []
    assert found["core.dim_member"]
    assert found["core.fct_claim_line"]
