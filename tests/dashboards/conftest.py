"""A small project of its own: one dashboard with a chart of every kind, on the real models."""

from pathlib import Path

import pytest

from granary.dashboards.bundle import Bundle, Sources, assemble, read_sources
from granary.settings import PROJECT
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
