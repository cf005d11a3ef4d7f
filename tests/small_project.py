"""A small SQLMesh project on a DuckDB file, with the parts of the checkout that a test wants."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from granary.gateways import open_gateway
from granary.settings import PROJECT, Settings
from granary.transformation import Transformation, open_transformation

CONFIG = """
gateways:
  duckdb:
    connection:
      type: duckdb
      database: {{ env_var('GRANARY_SQLMESH_HOME') }}/granary.duckdb
    state_connection:
      type: duckdb
      database: {{ env_var('GRANARY_SQLMESH_HOME') }}/granary_state.duckdb
    test_connection: {type: duckdb}
default_gateway: duckdb
disable_anonymized_analytics: true
model_defaults: {dialect: duckdb, start: '2025-01-01', cron: '@daily', allow_partials: true}
"""


def write_project(folder: Path, files: Mapping[str, str], *parts: str, config: str = "") -> Path:
    """Write a project.

    Args:
        files: text by path in the project, such as models/a.sql.
        parts: folders of the checkout to copy.
        config: what to add to config.yaml.
    """
    for part in parts:
        shutil.copytree(PROJECT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in {"config.yaml": CONFIG + config, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def duckdb_settings(home: Path) -> Settings:
    """Settings that nothing outside the test can change."""
    return Settings(
        _env_file=None, gateway="duckdb", home=home, landing=home.parent / "landing", pghost=None
    )


@contextmanager
def opened(project: Path, home: Path) -> Iterator[Transformation]:
    """Load the project with its warehouse in `home`."""
    settings = duckdb_settings(home)
    gateway = open_gateway(settings)
    gateway.start()
    # SQLMesh puts its settings into the environment of the process.
    with patch.dict(os.environ), patch("granary.transformation.PROJECT", project):  # noqa: SIM117
        with open_transformation(settings, gateway) as transformation:
            yield transformation
