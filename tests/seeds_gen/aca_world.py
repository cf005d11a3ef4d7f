"""A small world to test the generator on: two issuers, half a year, over a new year."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from granary.settings import PROJECT
from seeds_gen.aca import GenerationSummary

FEEDS = (
    "plans",
    "providers",
    "members",
    "enrollments",
    "claims",
    "premium_payments",
    "appeals",
)
ARGUMENTS: dict[str, Any] = {
    "tenants": 2,
    "members": 1200,
    "start": date(2024, 8, 1),
    "end": date(2025, 1, 31),
    "batches": None,
    "seed": 7,
}


@dataclass(frozen=True)
class World:
    landing: Path
    summary: GenerationSummary
    connection: duckdb.DuckDBPyConnection

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()

    def value(self, query: str) -> Any:
        return self.rows(query)[0][0]


@cache
def contract(feed: str) -> dict[str, Any]:
    text = (PROJECT / "contracts" / "aca" / f"{feed}.yaml").read_text()
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded
