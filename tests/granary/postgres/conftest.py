"""Servers to test against: the embedded one, and Debian's PostgreSQL 15 as the external one."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from external_postgres import external_postgres

from granary.postgres.cluster import Cluster
from granary.postgres.connection import connect
from granary.postgres.endpoint import Endpoint
from granary.postgres.installation import Account
from granary.settings import Settings


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the shell's variables nor the checkout's own .env reach a test."""
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    for name in [name for name in os.environ if name.startswith("GRANARY_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that every user of the machine can reach, unlike tmp_path."""
    with tempfile.TemporaryDirectory(prefix="granary-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def new_cluster() -> Iterator[Callable[[Path], Cluster]]:
    """Makes clusters that are gone when the test is over."""
    clusters = []

    def make(home: Path) -> Cluster:
        clusters.append(Cluster(home))
        return clusters[-1]

    yield make
    for cluster in clusters:
        cluster.destroy()


@pytest.fixture(scope="session")
def shared_cluster(open_folder: Path) -> Iterator[Cluster]:
    """One running embedded server for tests that leave it running."""
    cluster = Cluster(open_folder / "shared home")
    cluster.start()
    yield cluster
    cluster.destroy()


@pytest.fixture(scope="session")
def external_server(open_folder: Path) -> Iterator[Endpoint]:
    """The superuser's endpoint on a PostgreSQL 15 that Granary did not make."""
    with external_postgres(open_folder / "external") as owner:
        yield owner


@pytest.fixture(scope="session")
def external_manager(open_folder: Path) -> Iterator[Endpoint]:
    """On another PostgreSQL 15, someone who may make roles and databases but is no superuser."""
    with external_postgres(open_folder / "managed") as owner:
        yield with_manager(owner)


@pytest.fixture(scope="session")
def recent_manager(open_folder: Path) -> Iterator[Endpoint]:
    """The same on PostgreSQL 18, where such a user is no member of the roles it makes."""
    cluster = Cluster(open_folder / "recent home")
    cluster.start()
    yield with_manager(cluster.admin)
    cluster.destroy()


def with_manager(owner: Endpoint) -> Endpoint:
    """Make a user with CREATEROLE and CREATEDB alone."""
    with connect(owner, application_name="test", autocommit=True) as connection:
        connection.execute("CREATE ROLE manager LOGIN CREATEROLE CREATEDB PASSWORD 'manages'")
    return replace(owner, user="manager", password="manages")


@pytest.fixture(scope="session")
def python_of_everyone() -> Path:
    """A Python of our version that an unprivileged user can run."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [
        Path(sys.executable),
        Path("/usr/bin") / version,
        Path("/usr/local/bin") / version,
    ]
    for candidate in candidates:
        if candidate.exists() and Account.unprivileged().can_run(candidate):
            return candidate
    pytest.skip(f"no {version} that an unprivileged user can run")
