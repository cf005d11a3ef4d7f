"""How metrics are defined: in one line each, and on record in the warehouse."""

from sqlglot import exp

from granary.gateways.base import Connection
from semantic.definitions import Measure
from semantic.registry import Registry

TABLE = "ops.metric_definition"
COLUMNS = (
    "metric",
    "domain",
    "label",
    "question",
    "description",
    "formula",
    "unit",
    "additivity",
    "direction",
    "owner",
)


def record_definitions(connection: Connection, registry: Registry) -> None:
    """Write what every metric means today in place of what was written before.

    Run once more after a crash, it ends the same.
    """
    rows = definitions(registry)
    marks = [
        f"({', '.join(f'${row * len(COLUMNS) + place + 1}' for place in range(len(COLUMNS)))})"
        for row in range(len(rows))
    ]
    changes = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
    connection.execute(
        f"INSERT INTO {TABLE} ({', '.join(COLUMNS)}) VALUES {', '.join(marks)} "
        f"ON CONFLICT (metric) DO UPDATE SET {changes}",
        [value for row in rows for value in row],
    )
    kept = ", ".join(f"${place + 1}" for place in range(len(rows)))
    connection.execute(
        f"DELETE FROM {TABLE} WHERE metric NOT IN ({kept})", [row[0] for row in rows]
    )


def definitions(registry: Registry) -> list[tuple[str, ...]]:
    """One row per metric, with the columns of ops.metric_definition."""
    return [
        (
            name,
            registry.domain_of(name).name,
            metric.label,
            metric.question,
            metric.description,
            whole_formula(registry, name),
            metric.unit.value,
            registry.additivity(name).value,
            metric.direction,
            metric.owner,
        )
        for name, metric in registry.metrics.items()
    ]


def whole_formula(registry: Registry, name: str) -> str:
    """A metric's formula with those of all that it is made from."""
    inputs = registry.domain_of(name).metrics[name].inputs
    told = {name: formula(registry, name)}
    while inputs:
        told |= {other: formula(registry, other) for other in inputs if other not in told}
        inputs = [deeper for other in inputs for deeper in registry.metrics[other].inputs]
    first, *rest = told.items()
    return "; ".join([first[1], *(f"{other} = {text}" for other, text in rest)])


def formula(registry: Registry, name: str) -> str:
    """The definition of a metric in one line."""
    domain = registry.domain_of(name)
    metric = domain.metrics[name]
    if metric.ratio:
        scale = f" * {metric.ratio.scale}" if metric.ratio.scale != 1 else ""
        return f"{metric.ratio.numerator}{scale} / {metric.ratio.denominator}"
    if metric.derived is not None:
        return metric.derived.sql("duckdb")
    measure = domain.measure(name)
    parts = [_aggregate(measure), f"of {domain.entity_of(name).table}"]
    if measure.where is not None:
        parts.append(f"where {measure.where.sql('duckdb')}")
    parts.append(f"by {domain.time_of(name)}")
    if measure.last:
        parts.append("at the period's last")
    return " ".join(parts)


def _aggregate(measure: Measure) -> str:
    written = getattr(measure, measure.aggregate)
    told = written.sql("duckdb") if isinstance(written, exp.Expr) else "rows"
    return f"{measure.aggregate} {told}"
