"""One small world for all tests of the generator."""

import duckdb
import pytest
from aca_world import ARGUMENTS, FEEDS, World, contract

from seeds_gen.aca import generate


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The files, and per feed a typed table with tenant_id and extracted_on added."""
    landing = tmp_path_factory.mktemp("world") / "landing"
    summary = generate(landing, **ARGUMENTS)
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
