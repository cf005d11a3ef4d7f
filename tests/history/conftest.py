"""The two warehouses; loading the models takes most of the time."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg
import pytest
from small_project import opened
from sqlmesh.core.context import Context

from granary.postgres.cluster import Cluster
from granary.settings import PROJECT
from history.warehouse import Cursor, Warehouse


class InMemory:
    """A DuckDB in memory."""

    dialect = "duckdb"

    def __init__(self) -> None:
        self._connection = duckdb.connect(":memory:", config={"threads": 1})
        # Prepared while tables are empty, so plans must not rest on what the tables hold.
        self.execute(
            "SET disabled_optimizers = 'statistics_propagation,compressed_materialization'"
        )

    def execute(self, query: str) -> Cursor:
        return self._connection.execute(query)


class OnServer:
    """One session on an embedded server."""

    dialect = "postgres"

    def __init__(self, cluster: Cluster) -> None:
        self.connection = psycopg.connect(
            cluster.admin.conninfo(),
            autocommit=True,
            # Psycopg's own prepared statements end all others with them after a ROLLBACK.
            prepare_threshold=None,
        )

    def execute(self, query: str) -> Cursor:
        return self.connection.execute(query.encode())


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    with opened(PROJECT, tmp_path_factory.mktemp("history") / "home") as transformation:
        yield transformation._context


@pytest.fixture(scope="session")
def warehouse(context: Context) -> Warehouse:
    return Warehouse(context, InMemory())


@pytest.fixture(scope="session")
def postgres_warehouse(context: Context, reachable_folder: Path) -> Iterator[Warehouse]:
    cluster = Cluster(reachable_folder / "history")
    cluster.start()
    session = OnServer(cluster)
    yield Warehouse(context, session)
    session.connection.close()
    cluster.destroy()
