"""Metrics over the rows of stored tables: what a chart computes is what a question gives."""

from sqlglot import exp, parse_one

from granary.errors import GranaryError
from semantic.compiler import in_unit, value
from semantic.definitions import Additivity
from semantic.registry import ADDITIVE, Registry, nearest
from semantic.stored import StoredTable, stored_tables

DIALECT = "postgres"


def rollup(registry: Registry, table: str, metric: str) -> str | None:
    """SQL of a metric over a stored table, for PostgreSQL.

    It holds over the rows that conditions on single dimensions leave, and split by any of them. A
    stock (see `is_additive_over_time`) holds within one period of the table only.

    Returns:
        An aggregate of the table's columns in the type of the metric's unit; None where the table
        does not hold what the metric is made from, or where that does not add up.

    Raises:
        GranaryError: there is no such table or metric.
    """
    tables = stored_tables(registry)
    if table not in tables:
        raise GranaryError(f"There is no metric table {table}.", nearest(table, tables))
    stored = tables[table]
    leaves = registry.measured(metric)
    if not all(leaf in stored.metrics and registry.additivity(leaf) in ADDITIVE for leaf in leaves):
        return None
    if not set(stored.by) <= set(registry.dimensions(metric)):
        return None
    formula = value(registry, metric).transform(
        lambda node: _total(stored, node.name) if isinstance(node, exp.Column) else node
    )
    return in_unit(registry, metric, formula).sql(DIALECT)


def is_additive_over_time(registry: Registry, metric: str) -> bool:
    """Whether a metric's rollup holds over several periods: nothing in it is a stock."""
    kinds = {registry.additivity(leaf) for leaf in registry.measured(metric)}
    return kinds == {Additivity.SUM}


def _total(table: StoredTable, column: str) -> exp.Expr:
    """The sum of a column; that of an exposure counts each cell once."""
    total = exp.Sum(this=exp.column(column))
    if column not in table.exposures:
        return total
    parts = parse_one(" || '|' || ".join(table.parts), dialect=DIALECT)
    return exp.Div(
        this=total, expression=exp.Count(this=exp.Distinct(expressions=[parts])), typed=True
    )
