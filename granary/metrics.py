"""Metrics of the registry: listed, described, and asked of the warehouse."""

from collections.abc import Callable
from datetime import date

from sqlglot import exp

from granary.errors import GranaryError
from granary.gateways.base import Gateway, Rows
from granary.metric_definitions import formula
from granary.pipeline import PROD
from semantic.compiler import compile_query
from semantic.definitions import Metric
from semantic.query import Query
from semantic.registry import PERIOD, Registry, nearest

CATALOG = (
    "SELECT table_schema, table_name, column_name FROM information_schema.columns "
    "WHERE table_schema IN ({schemas})"
)
FORMATS: dict[str, Callable[[float], str]] = {
    "$,.0f": "${:,.0f}".format,
    "$,.2f": "${:,.2f}".format,
    ",.1f": "{:,.1f}".format,
    ",.2f": "{:,.2f}".format,
    ",.3f": "{:,.3f}".format,
    ".1%": "{:.1%}".format,
    ",d": "{:,.0f}".format,
}
BARS = "▁▂▃▄▅▆▇█"


def ask(gateway: Gateway, registry: Registry, query: Query, environment: str = PROD) -> Rows:
    """Answer a question from the facts of an environment.

    Every table and column that it reads is looked up first, so a registry that does not fit the
    warehouse is told by file and line and not by an SQL error.

    Raises:
        GranaryError: the question cannot be compiled, or the environment lacks what it reads.
    """
    suffix = "" if environment == PROD else f"__{environment}"

    def in_environment(table: str) -> str:
        schema, _, name = table.partition(".")
        return f"{schema}{suffix}.{name}"

    select = compile_query(registry, query, in_environment)
    dialect = gateway.sqlmesh_variables()["GRANARY_SQLMESH_GATEWAY"]
    used = {
        f"{table.db.removesuffix(suffix)}.{table.name}"
        for table in select.find_all(exp.Table)
        if table.db
    }
    columns = _columns(gateway, used, suffix)
    if not columns:
        raise GranaryError(
            f"The environment {environment} holds no facts.",
            f"Build it: {'granary up' if environment == PROD else f'granary plan {environment}'}",
        )
    for domain in {
        registry.domain_of(metric).name: registry.domain_of(metric) for metric in query.metrics
    }.values():
        domain.check_columns(columns, used)
    return gateway.query(select.sql(dialect))


def _columns(gateway: Gateway, tables: set[str], suffix: str) -> dict[str, set[str]]:
    schemas = sorted({f"'{table.partition('.')[0]}{suffix}'" for table in tables})
    found: dict[str, set[str]] = {}
    for schema, table, column in gateway.query(CATALOG.format(schemas=", ".join(schemas))).rows:
        found.setdefault(f"{schema.removesuffix(suffix)}.{table}", set()).add(column)
    return found


def catalogue(registry: Registry, group: str | None, search: str | None) -> Rows:
    """One row per metric: name, label, group, unit, how it combines, finest grain.

    Args:
        group: only metrics of this group.
        search: only metrics with this text in name, label, question, description or synonyms.

    Raises:
        GranaryError: there is no such group.
    """
    groups = {metric.group for metric in registry.metrics.values()}
    if group and group not in groups:
        raise GranaryError(f"There is no group {group}.", nearest(group, groups))
    rows = [
        (
            name,
            metric.label,
            metric.group,
            metric.unit.value,
            registry.additivity(name).value,
            registry.grain(name).value,
        )
        for name, metric in registry.metrics.items()
        if (group is None or metric.group == group) and _mentions(name, metric, search)
    ]
    return Rows(["metric", "label", "group", "unit", "combines", "grain"], rows)


def _mentions(name: str, metric: Metric, search: str | None) -> bool:
    texts = (name, metric.label, metric.question, metric.description, *metric.synonyms)
    return search is None or any(search.lower() in text.lower() for text in texts)


def description(registry: Registry, name: str) -> list[str]:
    """Everything about one metric, as lines of text.

    Raises:
        GranaryError: there is no such metric; names the nearest ones.
    """
    domain = registry.domain_of(name)
    metric = domain.metrics[name]
    facts = {
        "Question": metric.question,
        "Meaning": metric.description,
        "Formula": formula(registry, name),
        "Unit": metric.unit.value,
        "Better when": {"up": "higher", "down": "lower", "neutral": "depends"}[metric.direction],
        "Combines by": registry.additivity(name).value,
        "Finest grain": registry.grain(name).value,
        "Split by": ", ".join(sorted(registry.dimensions(name))),
        "Also called": ", ".join(metric.synonyms),
        "Owner": metric.owner,
        "Defined in": f"{domain.path.name}:{domain.line('metrics', name)}",
    }
    lines = [f"{metric.label} ({name})"]
    return lines + [f"  {label:13} {text}" for label, text in facts.items() if text]


def history(gateway: Gateway, name: str) -> Rows:
    """The definitions that a metric had in prod, oldest first.

    Raises:
        GranaryError: prod never knew such a metric.
    """
    literal = exp.Literal.string(name).sql()
    rows = gateway.query(
        "SELECT valid_from, valid_to, formula, description, unit "
        f"FROM semantic.metric_definition_history WHERE metric = {literal} ORDER BY valid_from"
    )
    if not rows.rows:
        raise GranaryError(
            f"Prod never knew a metric {name}.", "All of the registry: granary metrics list"
        )
    return rows


def for_people(registry: Registry, rows: Rows) -> Rows:
    """The answer with numbers written in the units of their metrics; NULL stays."""
    write = {
        position: FORMATS[registry.metrics[name].unit.d3_format]
        for position, name in enumerate(rows.columns)
        if name in registry.metrics
    }
    told = [
        tuple(
            write[position](float(value)) if position in write and value is not None else value
            for position, value in enumerate(row)
        )
        for row in rows.rows
    ]
    return Rows(rows.columns, told)


def sparks(registry: Registry, rows: Rows) -> list[str]:
    """One line of bars per metric and group over the periods; none without periods."""
    if PERIOD not in rows.columns:
        return []
    places = {name: position for position, name in enumerate(rows.columns)}
    keys = [n for n in rows.columns if n not in registry.metrics and n != PERIOD]
    series: dict[str, list[tuple[date, float]]] = {}
    for row in rows.rows:
        group = " ".join(str(row[places[key]]) for key in keys)
        for name in rows.columns:
            if name in registry.metrics and row[places[name]] is not None:
                point = (row[places[PERIOD]], float(row[places[name]]))
                series.setdefault(f"{name} {group}".strip(), []).append(point)
    width = max(map(len, series), default=0)
    return [f"{name:{width}}  {_bars(sorted(points))}" for name, points in series.items()]


def _bars(points: list[tuple[date, float]]) -> str:
    values = [value for _, value in points]
    low, span = min(values), max(values) - min(values)
    if span == 0:
        return BARS[0] * len(values)
    return "".join(BARS[round((value - low) / span * (len(BARS) - 1))] for value in values)
