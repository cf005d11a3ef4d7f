import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

import pytest
from small_project import duckdb_settings, write_project
from sqlmesh.core.context import Context

from granary.gateways import open_gateway
from granary.gateways.base import Gateway
from granary.metric_definitions import record_definitions
from granary.metrics import history
from granary.settings import PROJECT
from semantic.registry import Registry, load_registry

FILES = ("models/semantic/metric_definition_history.sql", "external_models/raw.yaml")
REGISTRY = """
domain: shop
description: A shop.
entities:
  sale:
    table: core.sale
    description: Sales.
    time: {sold_on: day}
metrics:
"""
METRIC = """
  NAME:
    label: Revenue
    question: What did we earn?
    description: What customers paid.
    group: sales
    owner: tests
    unit: USD
    direction: up
    measure: {of: sale, sum: EXPRESSION}
"""


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    gateway = open_gateway(duckdb_settings(tmp_path / "home"))
    gateway.start()
    with gateway.store() as store:
        store.prepare([])
    with patch.dict(os.environ, gateway.sqlmesh_variables()):
        yield gateway


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(
        tmp_path / "project", {name: (PROJECT / name).read_text() for name in FILES}
    )


def registry_of(folder: Path, **expressions: str) -> Registry:
    folder.mkdir(exist_ok=True)
    metrics = [
        METRIC.replace("NAME", name).replace("EXPRESSION", expression)
        for name, expression in expressions.items()
    ]
    (folder / "shop.yaml").write_text(REGISTRY + "".join(metrics))
    return load_registry(folder)


def record(gateway: Gateway, registry: Registry) -> None:
    with gateway.operations() as connection:
        record_definitions(connection, registry)


def test_prod_remembers_every_definition_that_a_metric_had(
    gateway: Gateway, project: Path, tmp_path: Path
) -> None:
    registries = [
        registry_of(tmp_path / "1", revenue="price", returns="0 - price"),
        registry_of(tmp_path / "2", revenue="price", returns="0 - price"),
        registry_of(tmp_path / "3", revenue="price - discount"),
    ]
    for day, registry in enumerate(registries, start=2):
        record(gateway, registry)
        now = f"2025-01-0{day} 12:00:00"
        context = Context(paths=[str(project)])
        context.plan(
            auto_apply=True,
            no_prompts=True,
            run=True,
            execution_time=now,
            skip_tests=True,
            ignore_cron=True,
        )
        context.close()

    found = history(gateway, "revenue")
    formulas = [row[found.columns.index("formula")] for row in found.rows]
    assert formulas == [
        "sum price of core.sale by sold_on",
        "sum price - discount of core.sale by sold_on",
    ]
    assert [row[:2] for row in found.rows] == [
        (datetime(2025, 1, 2, 12), datetime(2025, 1, 4, 12)),
        (datetime(2025, 1, 4, 12), None),
    ]
    # Returns is no longer defined, and known all the same.
    assert [row[1] for row in history(gateway, "returns").rows] == [datetime(2025, 1, 4, 12)]


def test_recording_twice_changes_nothing_and_drops_what_is_gone(
    gateway: Gateway, tmp_path: Path
) -> None:
    record(gateway, registry_of(tmp_path / "1", revenue="price", returns="0 - price"))
    record(gateway, registry_of(tmp_path / "2", revenue="price"))
    record(gateway, registry_of(tmp_path / "2", revenue="price"))
    rows = gateway.query("SELECT metric, formula FROM ops.metric_definition").rows
    assert rows == [("revenue", "sum price of core.sale by sold_on")]
