"""Landing: source files into raw tables, exactly once, with a ledger and dead letters."""

from granary.landing.batch import LoadBatch
from granary.landing.contract import Contract, Tenants, load_contracts, load_tenants
from granary.landing.duckdb_store import DuckDBStore
from granary.landing.files import LandingFile
from granary.landing.folder import LandingReport, land_all
from granary.landing.loader import land_file
from granary.landing.postgres_store import PostgresStore
from granary.landing.store import Store

__all__ = [
    "Contract",
    "DuckDBStore",
    "LandingFile",
    "LandingReport",
    "LoadBatch",
    "PostgresStore",
    "Store",
    "Tenants",
    "land_all",
    "land_file",
    "load_contracts",
    "load_tenants",
]
