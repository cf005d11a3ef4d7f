"""What a metric is over the columns of a metric table."""

from semantic.definitions import Additivity, Grain
from semantic.registry import Registry

_SUMS = (Additivity.SUM, Additivity.LAST)


def rollup(registry: Registry, table: str, metric: str) -> str | None:
    """SQL of a metric over any of a table's rows, for PostgreSQL; None if there is none."""
    definition = registry.metrics.get(metric)
    if definition is None:
        return None
    if definition.ratio:
        parts = [rollup(registry, table, name) for name in definition.inputs]
        if None in parts:
            return None
        scale = f"{definition.ratio.scale}.0 * " if definition.ratio.scale > 1 else "1.0 * "
        return f"{scale}{parts[0]} / NULLIF({parts[1]}, 0)"
    if (
        definition.measure
        and registry.additivity(metric) in _SUMS
        and _stores(table, registry, metric)
    ):
        return f"SUM({metric})"
    return None


def is_additive_over_time(registry: Registry, metric: str) -> bool:
    """Whether values of several periods make the value of them all."""
    leaves = registry.measured(metric)
    return all(registry.additivity(leaf) is not Additivity.LAST for leaf in leaves)


def _stores(table: str, registry: Registry, metric: str) -> bool:
    yearly = registry.grain(metric) is Grain.YEAR
    return table.startswith("aca_metrics_") and yearly == table.endswith("_yearly")
