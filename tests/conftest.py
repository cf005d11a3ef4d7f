"""The warehouses that the oracle and the end-to-end tests share.

Building one takes most of the time of these tests, so there are two: PostgreSQL, to which the files
come in three groups, and DuckDB, to which they come all at once. They are built beside each other,
because a plan keeps no more than one core busy.
"""

import gc
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from end_to_end.sandbox import Sandbox
from oracle.arrivals import Arrivals, Arrived, generate_arrivals, observe

# As granary.transformation does: projects of SQLMesh are loaded in the tests' own processes too.
gc.set_threshold(100_000, 50, 100)

# Fixtures that take minutes to make: all files that use one are run by one worker.
SHARED = ("building", "dashboards")

NewSandbox = Callable[[Literal["postgres", "duckdb"]], Sandbox]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give a worker whole files, as their tests share fixtures; or all that share a warehouse.

    What takes long goes first, lest one worker ends long after the others.
    """
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    groups = {
        item.path: name
        for item in items
        for name in SHARED
        if name in getattr(item, "fixturenames", ())
    }
    for item in items:
        item.add_marker(pytest.mark.xdist_group(groups.get(item.path, item.path.stem)))


@pytest.fixture(scope="session")
def reachable_folder() -> Iterator[Path]:
    """A temporary folder that the server's own user can reach, unlike tmp_path."""
    with tempfile.TemporaryDirectory(prefix="granary-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(scope="session")
def new_sandbox(reachable_folder: Path) -> Iterator[NewSandbox]:
    """Makes sandboxes, one per gateway, whose warehouses are gone when the tests are over."""
    sandboxes: list[Sandbox] = []

    def make(gateway: Literal["postgres", "duckdb"]) -> Sandbox:
        sandboxes.append(Sandbox(reachable_folder / gateway, gateway))
        return sandboxes[-1]

    yield make
    for sandbox in sandboxes:
        sandbox.gateway.destroy()


@pytest.fixture(scope="session")
def arrivals(reachable_folder: Path) -> Arrivals:
    """The files."""
    return generate_arrivals(reachable_folder / "source")


@dataclass(frozen=True)
class Building:
    """The warehouses while they are built; each Future gives what was there after an arrival."""

    postgres: Sandbox
    duckdb: Sandbox
    postgres_begun: Future[Arrived]
    postgres_grown: Future[Arrived]
    duckdb_whole: Future[Arrived]


@pytest.fixture(scope="session")
def building(new_sandbox: NewSandbox, arrivals: Arrivals) -> Iterator[Building]:
    """Starts both at once."""
    postgres, duckdb = new_sandbox("postgres"), new_sandbox("duckdb")
    first, second, third = arrivals.groups

    def arrive(sandbox: Sandbox, files: Iterable[Path], verb: str) -> Arrived:
        sandbox.drop(files, arrivals.landing)
        return observe(sandbox, sandbox.granary(verb))

    with ThreadPoolExecutor(2) as executor:
        begun = executor.submit(arrive, postgres, first, "up")

        def grow() -> Arrived:
            begun.result()
            return arrive(postgres, second, "run")

        whole = executor.submit(arrive, duckdb, (*first, *second, *third), "up")
        yield Building(postgres, duckdb, begun, executor.submit(grow), whole)


@pytest.fixture(scope="session")
def postgres_begun(building: Building) -> Arrived:
    """PostgreSQL after `up` on the first files."""
    return building.postgres_begun.result()


@pytest.fixture(scope="session")
def postgres_grown(building: Building) -> Arrived:
    """PostgreSQL after a `run` with most of the rest, some of it late."""
    return building.postgres_grown.result()


@pytest.fixture(scope="session")
def duckdb_whole(building: Building) -> Arrived:
    """DuckDB after `up` on all files."""
    return building.duckdb_whole.result()


@pytest.fixture(scope="session")
def postgres(building: Building, postgres_begun: Arrived) -> Sandbox:
    """The PostgreSQL warehouse, up; who needs more of its story names that as well."""
    return building.postgres


@pytest.fixture(scope="session")
def duckdb(building: Building, duckdb_whole: Arrived) -> Sandbox:
    """The DuckDB warehouse; nobody changes it."""
    return building.duckdb
