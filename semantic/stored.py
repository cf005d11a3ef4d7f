"""Which tables of metrics there are: columns, rows and what may be added up in them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from semantic.definitions import Grain, Table
from semantic.registry import ADDITIVE, TENANT, Domain, Registry

# What nearly every fact of a domain knows; the detail table is split by these.
DETAIL_DIMENSIONS = {"aca": ("metal_tier", "state", "age_group", "gender")}


@dataclass(frozen=True)
class StoredTable:
    """A table with a column per metric.

    Attributes:
        name: its name in the semantic schema.
        domain: the domain of its metrics.
        grain: length of its periods.
        by: dimensions that, with the period, tell its rows apart.
        metrics: its columns of numbers.
        exposures: those of the metrics that do not know every dimension. They repeat on each part
            of what they do not know, so that they stand where a ratio needs them.
        parts: the dimensions that exposures do not know. The table has a row for each combination
            of these on record in each cell of the other dimensions, or the exposure of a cell
            without claims would be missing from a rate. Every tenant has those of all tenants.
        description: what it holds, ending with its question.
    """

    name: str
    domain: str
    grain: Grain
    by: tuple[str, ...]
    metrics: tuple[str, ...]
    description: str
    exposures: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()

    @property
    def cells(self) -> tuple[str, ...]:
        """The dimensions that everything in it knows."""
        return tuple(name for name in self.by if name not in self.parts)


@lru_cache(maxsize=1)
def stored_tables(registry: Registry) -> Mapping[str, StoredTable]:
    """Every table with a column per metric, by name."""
    every = (
        table for domain in registry.domains.values() for table in _of_domain(registry, domain)
    )
    return {table.name: table for table in every}


def _of_domain(registry: Registry, domain: Domain) -> Iterator[StoredTable]:
    monthly = [name for name in domain.metrics if registry.grain(name).days <= Grain.MONTH.days]
    yearly = [name for name in domain.metrics if name not in monthly]
    details = DETAIL_DIMENSIONS[domain.name]
    parts = [
        name
        for name in monthly
        if registry.additivity(name) in ADDITIVE and set(details) <= set(registry.dimensions(name))
    ]
    yield StoredTable(
        f"{domain.name}_metrics_monthly",
        domain.name,
        Grain.MONTH,
        (TENANT,),
        tuple(monthly),
        f"Every metric of {domain.name} that has a monthly value, by tenant and month. How do "
        "all numbers of a tenant develop? Only sums add up over months: see the registry.",
    )
    yield StoredTable(
        f"{domain.name}_metrics_yearly",
        domain.name,
        Grain.YEAR,
        (TENANT,),
        tuple(yearly),
        f"The metrics of {domain.name} that are known by year only, by tenant and year. "
        "How did a year end?",
    )
    yield StoredTable(
        f"{domain.name}_metrics_detail",
        domain.name,
        Grain.MONTH,
        (TENANT, *details),
        tuple(parts),
        f"The metrics of {domain.name} that add up, by tenant, month, {', '.join(details)}. "
        "Which part drives a number? Ratios follow from the sums.",
    )
    for name, table in domain.tables.items():
        yield _asked_for(registry, domain, name, table)


def _asked_for(registry: Registry, domain: Domain, name: str, table: Table) -> StoredTable:
    leaves = dict.fromkeys(leaf for metric in table.metrics for leaf in registry.measured(metric))
    unknown = {
        leaf: tuple(d for d in table.by if d not in registry.dimensions(leaf)) for leaf in leaves
    }
    exposures = tuple(leaf for leaf in leaves if unknown[leaf])
    return StoredTable(
        name,
        domain.name,
        table.grain,
        table.by,
        tuple(leaves),
        table.description,
        exposures,
        unknown[exposures[0]] if exposures else (),
    )
