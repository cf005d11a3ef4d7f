"""The models of the metric tables, kept in step with the registry."""

from pathlib import Path

# SQLMesh first, by way of semantic.tables: it extends sqlglot before any SQL is written.
from semantic.tables import metric_tables, write_tables  # isort: skip
from granary.settings import PROJECT
from semantic.registry import load_registry

FOLDER = PROJECT / "models" / "semantic" / "metrics"


def refresh_metric_models() -> list[Path]:
    """Write the models that the registry's metrics ask for.

    Returns:
        The files that were written, or removed because no domain asks for them any more.

    Raises:
        GranaryError: the registry is wrong; names file, line and fix.
    """
    return write_tables(metric_tables(load_registry()), FOLDER)
