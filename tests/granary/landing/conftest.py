"""The two warehouses, and a landing folder with two tenants."""

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from landing_support import (
    ORDERS,
    RETURNS,
    TENANTS,
    DuckDBWarehouse,
    PostgresWarehouse,
    Warehouse,
)

from granary.landing import Contract, Store, Tenants, load_contracts, load_tenants
from granary.postgres.cluster import Cluster
from granary.settings import PROJECT


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="granary-test-") as name:
        Path(name).chmod(0o755)
        cluster = Cluster(Path(name) / "home")
        cluster.start()
        yield cluster
        cluster.destroy()


@pytest.fixture
def postgres(cluster: Cluster) -> Iterator[PostgresWarehouse]:
    """A new database on the embedded server."""
    name = f"landing_{uuid.uuid4().hex}"
    with psycopg.connect(cluster.admin.conninfo(), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        yield PostgresWarehouse(cluster.admin.for_database(name).conninfo())
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(params=[pytest.param("postgres", marks=pytest.mark.slow), "duckdb"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Warehouse:
    if request.param == "postgres":
        found: Warehouse = request.getfixturevalue("postgres")
        return found
    return DuckDBWarehouse(tmp_path / "home" / "granary.duckdb")


@pytest.fixture
def store(warehouse: Warehouse) -> Iterator[Store]:
    store = warehouse.open()
    yield store
    store.close()


@pytest.fixture
def contracts(tmp_path: Path) -> dict[str, Contract]:
    folder = tmp_path / "contracts" / "shop"
    folder.mkdir(parents=True)
    (folder / "orders.yaml").write_text(ORDERS)
    (folder / "returns.yaml").write_text(RETURNS)
    return load_contracts(folder.parent)


@pytest.fixture
def tenants(tmp_path: Path) -> Tenants:
    path = tmp_path / "tenants.yaml"
    path.write_text(TENANTS)
    return load_tenants(path)


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    folder = tmp_path / "landing"
    (folder / "shop" / "north").mkdir(parents=True)
    (folder / "shop" / "south").mkdir()
    return folder


@pytest.fixture
def project_contracts() -> dict[str, Contract]:
    """The contracts that the project ships."""
    return load_contracts(PROJECT / "contracts")


@pytest.fixture
def shared_data() -> Path:
    """Real public files, which are not part of the project."""
    folder = PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real public files: {folder} is missing")
    return folder
