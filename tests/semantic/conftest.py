from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from tiny_world import REGISTRY, WORLD

from semantic.registry import Registry, load_registry


@pytest.fixture
def registry_file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(REGISTRY)
    return path


@pytest.fixture
def registry(registry_file: Path) -> Registry:
    return load_registry(registry_file.parent)


@pytest.fixture(scope="session")
def world() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(WORLD)
        yield connection
