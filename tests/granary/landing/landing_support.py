"""A small feed of our own, the warehouses that it lands in, and files to land."""

from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import duckdb
import psycopg

from granary.landing import (
    Contract,
    DuckDBStore,
    LandingFile,
    LoadBatch,
    PostgresStore,
    Store,
)
from granary.landing.contract import Change

ORDERS = """
feed: shop_orders
kind: change
description: Orders that are new since the last file.
key: [order_id]
expected_minimum_rows: 1
columns:
  order_id: {type: text, required: true, description: The shop's id.}
  customer: {type: text, phi: true, description: Who bought.}
  placed_on:
    {type: date, required: true, min: '2010-01-01', not_after_extract: true, description: When.}
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

    target: str

    def open(self) -> Store: ...

    def rows(self, query: str) -> list[tuple[Any, ...]]: ...


class PostgresWarehouse:
    def __init__(self, conninfo: str) -> None:
        self.conninfo = self.target = conninfo

    def open(self) -> PostgresStore:
        return PostgresStore(self.conninfo)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.conninfo) as connection:
            return connection.execute(query.encode()).fetchall()


class DuckDBWarehouse:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.target = str(path)

    def open(self) -> DuckDBStore:
        return DuckDBStore(self.path)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.path)) as connection:
            return connection.execute(query).fetchall()


def write_orders(path: Path, *lines: str, header: str = ORDERS_HEADER) -> Path:
    """Write a file of orders; a line may leave out the columns at its end."""
    width = ORDERS_HEADER.count(",")
    filled = [line + "," * (width - line.count(",")) for line in lines]
    path.write_text("\n".join([header, *filled]) + "\n")
    return path


def orders_file(path: Path, contracts: dict[str, Contract]) -> LandingFile:
    """Describe a file of orders of the tenant north."""
    return LandingFile.from_options(path, contracts["shop_orders"], "north", EXTRACTED_AT)


def accepted(contract: Contract, reason: str) -> Contract:
    """Make a contract the next version of itself."""
    version = contract.version + 1
    change = Change(version=version, accepted_on=LANDED_AT.date(), reason=reason, what=("a rule",))
    return contract.model_copy(update={"version": version, "changes": (*contract.changes, change)})


def any_batch(file: LandingFile) -> LoadBatch:
    """Describe a batch of a file, of which nothing is counted yet."""
    return LoadBatch(
        load_id=1,
        feed=file.feed,
        tenant_id=file.tenant_id,
        domain=file.domain,
        source=file.source,
        sha256="",
        bytes=0,
        modified_at=LANDED_AT,
        extracted_at=file.extracted_at,
        load_timestamp=LANDED_AT,
        rows_read=0,
        rows_loaded=0,
        rows_rejected=0,
        rows_duplicate=0,
        expected_minimum_rows=0,
        status="loaded",
        error=None,
        started_at=LANDED_AT,
        finished_at=LANDED_AT,
    )
