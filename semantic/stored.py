"""Which tables of metrics there are."""

from semantic.registry import Registry


def stored_tables(registry: Registry) -> dict[str, str]:
    """Every table with a column per metric, by name."""
    names = ("monthly", "yearly", "detail")
    return {f"{d}_metrics_{name}": d for d in registry.domains for name in names}
