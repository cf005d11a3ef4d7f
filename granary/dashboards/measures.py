"""What can be measured on each table: metrics of the registry, and measures of other tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from granary.dashboards.shapes import Shape
from granary.yaml_files import YamlFile
from semantic.definitions import Name, Unit, Words
from semantic.registry import Registry, nearest
from semantic.rollup import is_additive_over_time, rollup
from semantic.stored import stored_tables

DIALECT = "postgres"


@dataclass(frozen=True)
class Measure:
    """A number that a table can give for any of its rows.

    Attributes:
        name: its name in the dataset.
        label: its name for people.
        sql: aggregate of the table's columns, in PostgreSQL's dialect.
        unit: what it counts.
        description: what it means.
        made_of: what a ratio divides, in words; None for others.
        is_stock: whether it holds within one period only.
    """

    name: str
    label: str
    sql: str
    unit: Unit
    description: str
    made_of: str | None = None
    is_stock: bool = False

    @cached_property
    def _formula(self) -> exp.Expr:
        formula = parse_one(self.sql, dialect=DIALECT)
        while isinstance(formula, exp.Cast | exp.Paren | exp.Coalesce):
            formula = formula.this
        return formula

    @property
    def may_be_negative(self) -> bool:
        """Whether it is a difference."""
        return isinstance(self._formula, exp.Sub)

    @property
    def adds_up(self) -> bool:
        """Whether the whole is the sum of the parts, whatever they are split by."""
        aggregate = self._formula
        counts = isinstance(aggregate, exp.Count) and not isinstance(aggregate.this, exp.Distinct)
        return (counts or isinstance(aggregate, exp.Sum)) and not self.is_stock


class _Own(BaseModel):
    """A measure of a table that is not made from the registry."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: Words
    sql: Words
    unit: Unit
    description: Words


Measures = Mapping[str, Mapping[str, Measure]]


def read_measures(file: Path, registry: Registry, shapes: Mapping[str, Shape]) -> Measures:
    """The measures of every table, by table and name.

    Args:
        file: superset/measures.yaml, with the measures of tables that are not made from the
            registry.
        registry: the metrics.
        shapes: the tables.

    Raises:
        GranaryError: the file names what is not there, or what the registry defines.
    """
    made = stored_tables(registry)
    own = _read_own(file, registry, shapes)
    return {
        table: _rolled_up(registry, shape) if table in made else own.get(table, {})
        for table, shape in shapes.items()
    }


def _rolled_up(registry: Registry, shape: Shape) -> dict[str, Measure]:
    found = {}
    for name, metric in registry.metrics.items():
        if not set(registry.measured(name)) <= shape.columns.keys():
            continue
        sql = rollup(registry, shape.table, name)
        if sql is None:
            continue
        made_of = None
        if metric.ratio:
            parts = [registry.metrics[part].label for part in metric.inputs]
            made_of = " / ".join([parts[0], parts[1].lower()])
        found[name] = Measure(
            name=name,
            label=metric.label,
            sql=sql,
            unit=metric.unit,
            description=f"{metric.question} {metric.description}",
            made_of=made_of,
            is_stock=not is_additive_over_time(registry, name),
        )
    return found


def _read_own(
    path: Path, registry: Registry, shapes: Mapping[str, Shape]
) -> dict[str, dict[str, Measure]]:
    file = YamlFile(path)
    tables: dict[str, dict[str, _Own]] = file.read_as(dict[Name, dict[Name, _Own]])
    made = stored_tables(registry)
    for table, measures in tables.items():
        if table not in shapes:
            raise file.fault((table,), f"there is no table {table}.", nearest(table, shapes))
        if table in made:
            raise file.fault(
                (table,), f"{table} is made from the registry.", "Define the metric there."
            )
        for name, measure in measures.items():
            _check_sql(file, (table, name, "sql"), measure.sql, shapes[table])
    return {
        table: {name: Measure(name=name, **dict(own)) for name, own in measures.items()}
        for table, measures in tables.items()
    }


def _check_sql(file: YamlFile, location: Any, sql: str, shape: Shape) -> None:
    try:
        parsed = parse_one(sql, dialect=DIALECT)
    except SqlglotError as error:
        raise file.fault(
            location, f"{sql!r} is not an SQL expression.", "Correct the SQL."
        ) from error
    if not parsed.find(exp.AggFunc) or parsed.find(exp.Query):
        raise file.fault(location, f"{sql!r} is no aggregate.", "Write SUM(…), COUNT(*), …")
    for column in parsed.find_all(exp.Column):
        if column.name not in shape.columns:
            raise file.fault(
                location,
                f"{shape.table} has no column {column.name}.",
                nearest(column.name, shape.columns),
            )
