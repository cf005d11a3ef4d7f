"""A small project with a chart of every kind; and all dashboards, served on a small warehouse."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from end_to_end.sandbox import Sandbox

from dashboards.serving import TENANTS, Dashboards, free_port
from granary.dashboards.bundle import Bundle, Sources, assemble, read_sources
from granary.settings import PROJECT
from granary.superset.frontend import Frontend
from seeds_gen.aca import generate
from semantic.registry import Registry, load_registry

EVERY_KIND = Path(__file__).parent / "every_kind"
MODELS = PROJECT / "models" / "semantic"


@pytest.fixture(scope="session")
def registry() -> Registry:
    """The product's metrics."""
    return load_registry()


@pytest.fixture(scope="session")
def sources(registry: Registry) -> Sources:
    """What the small project is built from."""
    return read_sources(EVERY_KIND, MODELS, registry)


@pytest.fixture(scope="session")
def bundle(sources: Sources) -> Bundle:
    """The small project's assets in prod."""
    return assemble("prod", sources)


@pytest.fixture(scope="session")
def dashboards(reachable_folder: Path) -> Iterator[Dashboards]:
    """All that `granary up` makes of two years of two small issuers, refused lines included."""
    port = free_port()
    sandbox = Sandbox(reachable_folder / "served", "postgres", superset_port=port)
    generate(
        sandbox.landing,
        tenants=len(TENANTS),
        members=1200,
        start=date(2024, 1, 1),
        end=date(2025, 12, 31),
        batches=None,
        seed=3,
        faults=True,
    )
    outcome = sandbox.granary("up")
    try:
        assert f"Dashboards are at http://127.0.0.1:{port}" in outcome.messages, outcome.messages
        yield Dashboards(sandbox, port)
    finally:
        Frontend(sandbox.settings).destroy()
        sandbox.gateway.destroy()
