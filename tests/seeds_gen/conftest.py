"""The worlds that the tests of the generator share."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from aca_world import ARGUMENTS, FEEDS, World, contract

from seeds_gen.aca import generate


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A small world for all tests."""
    return _made(tmp_path_factory.mktemp("world") / "landing", ARGUMENTS)


@pytest.fixture(scope="session")
def large_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A year of a world with enough stays and appeals to have figures."""
    year = {"tenants": 1, "members": 11000, "start": date(2024, 1, 1), "end": date(2024, 12, 31)}
    return _made(tmp_path_factory.mktemp("large") / "landing", ARGUMENTS | year)


@pytest.fixture(scope="session")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two states of three issuers each, over a new year; nobody else sells in Texas."""
    year = {"tenants": 6, "members": 15000, "start": date(2024, 11, 1), "end": date(2025, 1, 31)}
    return _made(tmp_path_factory.mktemp("shared") / "landing", ARGUMENTS | year | {"seed": 6})


def _made(landing: Path, arguments: dict[str, Any]) -> World:
    """The files, and per feed a typed table with tenant_id and extracted_on added."""
    summary = generate(landing, **arguments)
    connection = duckdb.connect()
    for feed in FEEDS:
        typed = ", ".join(
            f"CAST({name} AS {'VARCHAR' if spec['type'] == 'text' else spec['type']}) AS {name}"
            for name, spec in contract(feed)["columns"].items()
        )
        connection.execute(
            f"CREATE TABLE {feed} AS SELECT split_part(filename, '/', -2) AS tenant_id, "
            f"strptime(regexp_extract(filename, '_(\\d{{8}})T', 1), '%Y%m%d')::DATE "
            f"AS extracted_on, {typed} FROM read_csv('{landing}/aca/*/{feed}_*.csv', "
            "all_varchar = true, filename = true)"
        )
    return World(landing, summary, connection)
