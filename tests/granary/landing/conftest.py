"""A small feed of our own, and the two warehouses that it lands in."""

import tempfile
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import duckdb
import psycopg
import pytest

from granary.landing import (
    Contract,
    DuckDBStore,
    LandingFile,
    PostgresStore,
    Store,
    Tenants,
    load_contracts,
    load_tenants,
)
from granary.postgres.cluster import Cluster

ORDERS = """
feed: shop_orders
kind: change
description: Orders that are new since the last file.
key: [order_id]
expected_minimum_rows: 1
columns:
  order_id: {type: text, required: true, description: The shop's id.}
  customer: {type: text, phi: true, description: Who bought.}
  placed_on: {type: date, required: true, min: '2010-01-01', not_after_extract: true, description: D.}
  amount: {type: 'decimal(8,2)', required: true, min: 0, max: 5000, unit: USD, description: Total.}
  quantity: {type: integer, min: 1, description: Pieces.}
  paid: {type: boolean, description: Whether it is paid.}
  channel: {type: text, codes: [web, store], description: Where it was bought.}
  zip: {type: text, pattern: '[0-9]{5}', phi: true, description: Where to.}
  npi: {type: text, check: npi, description: Who prescribed it.}
  seen_at: {type: timestamp, header: seen.at, description: Last look at it.}
"""
RETURNS = """
feed: shop_returns
kind: change
description: Returns; there may be none.
key: [order_id]
expected_minimum_rows: 0
columns:
  order_id: {type: text, required: true, description: The shop's id.}
  note: {type: text, description: What the customer said.}
"""
TENANTS = "shop:\n  north: {description: A shop}\n  south: {description: Another shop}\n"
ORDERS_HEADER = "order_id,customer,placed_on,amount,quantity,paid,channel,zip,npi,seen.at"
EXTRACTED_AT = datetime(2025, 1, 31)
LANDED_AT = datetime(2025, 2, 1, 6, 30)


class Warehouse(Protocol):
    """A place to land in, and a way to see what is in it."""

    def open(self) -> Store: ...

    def rows(self, query: str) -> list[tuple[Any, ...]]: ...


class PostgresWarehouse:
    def __init__(self, conninfo: str) -> None:
        self.conninfo = conninfo

    def open(self) -> PostgresStore:
        return PostgresStore(self.conninfo)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.conninfo) as connection:
            return connection.execute(query.encode()).fetchall()


class DuckDBWarehouse:
    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> DuckDBStore:
        return DuckDBStore(self.path)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.path)) as connection:
            return connection.execute(query).fetchall()


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


def write_orders(path: Path, *lines: str, header: str = ORDERS_HEADER) -> Path:
    """Write a file of orders; a line may leave out the columns at its end."""
    width = ORDERS_HEADER.count(",")
    filled = [line + "," * (width - line.count(",")) for line in lines]
    path.write_text("\n".join([header, *filled]) + "\n")
    return path


def orders_file(path: Path, contracts: dict[str, Contract]) -> LandingFile:
    """Describe a file of orders of the tenant north."""
    return LandingFile.from_options(path, contracts["shop_orders"], "north", EXTRACTED_AT)
