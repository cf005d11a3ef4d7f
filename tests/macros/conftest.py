"""The engines that the macros' SQL runs on, written the way SQLMesh writes it for each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb as duckdb_engine
import psycopg
import pytest
from macro_support import Answers
from sqlmesh.core import dialect
from sqlmesh.core.macros import macro
from sqlmesh.core.model import load_sql_based_model
from sqlmesh.utils.metaprogramming import import_python_file

from granary.postgres.cluster import Cluster
from granary.settings import PROJECT


@pytest.fixture(scope="session")
def postgres_answers(reachable_folder: Path) -> Iterator[Answers]:
    cluster = Cluster(reachable_folder / "macros")
    cluster.start()
    with psycopg.connect(cluster.admin.conninfo(), autocommit=True) as connection:
        yield lambda query: connection.execute(query.encode()).fetchall()
    cluster.destroy()


@pytest.fixture(scope="session")
def duckdb_answers() -> Iterator[Answers]:
    with duckdb_engine.connect() as connection:
        yield lambda query: connection.execute(query).fetchall()


@pytest.fixture(
    scope="session", params=["duckdb", pytest.param("postgres", marks=pytest.mark.slow)]
)
def engine(request: pytest.FixtureRequest) -> Answers:
    """Answers a model's query in the dialect of the project, macros included."""
    answers: Answers = request.getfixturevalue(f"{request.param}_answers")
    for path in (PROJECT / "macros").glob("*.py"):
        import_python_file(path, PROJECT)

    def answer(query: str) -> list[tuple[Any, ...]]:
        model = load_sql_based_model(
            dialect.parse(f"MODEL (name test.macros); {query}", default_dialect="duckdb"),
            path=PROJECT / "models" / "macros.sql",
            module_path=PROJECT,
            macros=macro.get_registry(),
            dialect="duckdb",
        )
        return answers(model.render_query_or_raise().sql(dialect=request.param, identify=True))

    return answer
