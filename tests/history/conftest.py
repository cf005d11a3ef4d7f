"""The warehouse in memory; loading the models takes most of the time."""

import pytest
from small_project import opened

from granary.settings import PROJECT
from history.warehouse import Warehouse


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    with opened(PROJECT, tmp_path_factory.mktemp("history") / "home") as transformation:
        return Warehouse(transformation._context)
