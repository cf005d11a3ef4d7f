"""The warehouses that the oracle and the end-to-end tests share.

Building one takes most of the time of these tests, so there are two: PostgreSQL, to which the files
come in three groups, and DuckDB, to which they come all at once. DuckDB's is built beside the other
tests, because a plan keeps one core busy.
"""

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import pytest
from end_to_end.sandbox import Sandbox
from oracle.arrivals import Arrivals, Arrived, generate_arrivals, observe


@pytest.fixture(scope="session")
def reachable_folder() -> Iterator[Path]:
    """A temporary folder that the server's own user can reach, unlike tmp_path."""
    with tempfile.TemporaryDirectory(prefix="granary-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(scope="session")
def new_sandbox(reachable_folder: Path) -> Iterator[Callable[[str], Sandbox]]:
    """Makes sandboxes, one per gateway, whose warehouses are gone when the tests are over."""
    sandboxes: list[Sandbox] = []

    def make(gateway: str) -> Sandbox:
        sandboxes.append(Sandbox(reachable_folder / gateway, gateway))
        return sandboxes[-1]

    yield make
    for sandbox in sandboxes:
        sandbox.gateway.destroy()


@pytest.fixture(scope="session")
def arrivals(reachable_folder: Path) -> Arrivals:
    """The files."""
    return generate_arrivals(reachable_folder / "source")


@pytest.fixture(scope="session")
def duckdb_builds(
    new_sandbox: Callable[[str], Sandbox], arrivals: Arrivals
) -> Iterator[Future[tuple[Sandbox, Arrived]]]:
    """The DuckDB warehouse while it is being built from all files at once."""
    sandbox = new_sandbox("duckdb")

    def build() -> tuple[Sandbox, Arrived]:
        sandbox.drop(chain(*arrivals.groups), arrivals.landing)
        return sandbox, observe(sandbox, sandbox.granary("up"))

    with ThreadPoolExecutor(1) as executor:
        yield executor.submit(build)


@pytest.fixture(scope="session")
def duckdb_whole(duckdb_builds: Future[tuple[Sandbox, Arrived]]) -> Arrived:
    """DuckDB after `up` on all files."""
    return duckdb_builds.result()[1]


@pytest.fixture(scope="session")
def duckdb(duckdb_builds: Future[tuple[Sandbox, Arrived]]) -> Sandbox:
    """The DuckDB warehouse; nobody changes it."""
    return duckdb_builds.result()[0]


@pytest.fixture(scope="session")
def postgres(new_sandbox: Callable[[str], Sandbox]) -> Sandbox:
    """The PostgreSQL warehouse; who needs it at some point of its story names that as well."""
    return new_sandbox("postgres")


@pytest.fixture(scope="session")
def postgres_begun(
    postgres: Sandbox, arrivals: Arrivals, duckdb_builds: Future[tuple[Sandbox, Arrived]]
) -> Arrived:
    """PostgreSQL after `up` on the first files."""
    postgres.drop(arrivals.groups[0], arrivals.landing)
    return observe(postgres, postgres.granary("up"))


@pytest.fixture(scope="session")
def postgres_grown(postgres: Sandbox, arrivals: Arrivals, postgres_begun: Arrived) -> Arrived:
    """PostgreSQL after a `run` with most of the rest, some of it late."""
    postgres.drop(arrivals.groups[1], arrivals.landing)
    return observe(postgres, postgres.granary("run"))
