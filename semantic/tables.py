"""The metric tables: SQLMesh models made from the registry, so that no number is defined twice."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

# SQLMesh extends sqlglot's generators, which has to happen before the first one is used.
from sqlmesh.core.dialect import format_model_expressions, parse

from semantic.compiler import compile_query, in_unit
from semantic.definitions import DIALECT, Additivity, Grain
from semantic.query import Query
from semantic.registry import PERIOD, TENANT, Registry
from semantic.stored import StoredTable, stored_tables

SCHEMA = "semantic"
LONG_TABLE = "metric_values"


@dataclass(frozen=True)
class MetricTable:
    """A model to write.

    Attributes:
        name: the table's name in the semantic schema.
        text: the model as SQLMesh reads it.
    """

    name: str
    text: str


def metric_tables(registry: Registry) -> list[MetricTable]:
    """Every metric table: the ones with a column per metric, and the long one over all."""
    wide = list(stored_tables(registry).values())
    return [*(_wide_model(registry, table) for table in wide), _long_model(registry, wide)]


def write_tables(tables: Iterable[MetricTable], folder: Path) -> list[Path]:
    """Write the models that differ from what the folder holds, and remove those no longer made.

    Returns:
        The files that were written or removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {folder / f"{table.name}.sql": _formatted(table.text) for table in tables}
    changed = [path for path in folder.glob("*.sql") if path not in wanted]
    for path in changed:
        path.unlink()
    for path, text in wanted.items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            changed.append(path)
    return sorted(changed)


def _formatted(text: str) -> str:
    formatted = format_model_expressions(
        parse(text, default_dialect=DIALECT), DIALECT, max_text_width=100
    )
    return f"{formatted}\n"


def _wide_model(registry: Registry, table: StoredTable) -> MetricTable:
    select = _dense(registry, table) if table.exposures else _asked(registry, table, table.metrics)
    described = {PERIOD: f"first day of the {table.grain}", TENANT: "tenant whose data it is"}
    for name in table.by[1:]:
        described[name] = _first_of(registry, table.metrics, name)
    for name in table.metrics:
        metric = registry.metrics[name]
        described[name] = f"{metric.label}, {metric.unit}"
        if name in table.exposures:
            parts = [_first_of(registry, table.metrics, part) for part in table.parts]
            described[name] += f"; the same for every {' and '.join(parts)}"
    types = {PERIOD: "DATE", **dict.fromkeys(table.by, "TEXT")}
    select.set("expressions", [_described(item, described, types) for item in select.selects])
    keys = ", ".join([*table.by, PERIOD])
    audits = [
        f"not_null(columns := ({keys}))",
        f"unique_combination_of_columns(columns := ({keys}))",
    ]
    others = []
    if len(table.by) > 1:
        for other, audit in _totals_audits(registry, table):
            others.append(other)
            audits.append(audit)
    # The audits read them, so they have to be there first.
    needs = f"depends_on ({', '.join(dict.fromkeys(others))})," if others else ""
    return MetricTable(
        table.name, _model(table.name, keys, table.description, audits, select, needs)
    )


def _asked(registry: Registry, table: StoredTable, metrics: tuple[str, ...]) -> exp.Select:
    by = table.by if metrics != table.exposures else table.cells
    select = compile_query(registry, Query(metrics, by, table.grain))
    select.set("order", None)
    return select


def _dense(registry: Registry, table: StoredTable) -> exp.Select:
    """Every part in every cell, with what was measured there and the exposure of the cell."""
    own = tuple(name for name in table.metrics if name not in table.exposures)
    cells, parts = (PERIOD, *table.cells), table.parts
    select = exp.Select()
    for name, metrics in (("measured", own), ("exposed", table.exposures)):
        select = select.with_(name, as_=_asked(registry, table, metrics), copy=False)
    known = [exp.Select().select(*cells).from_(name) for name in ("measured", "exposed")]
    select = select.with_("cells", as_=exp.union(*known), copy=False)
    every_part = exp.Select().select(*parts).distinct().from_("measured")
    select = select.with_("parts", as_=every_part, copy=False)
    homes = {**dict.fromkeys(cells, "cells"), **dict.fromkeys(parts, "parts")}
    for name in (PERIOD, *table.by):
        select = select.select(exp.column(name, table=homes[name]), copy=False)
    for name in table.metrics:
        home = "exposed" if name in table.exposures else "measured"
        total = exp.func("COALESCE", exp.column(name, table=home), exp.Literal.number(0))
        typed = in_unit(registry, name, total)
        select = select.select(exp.alias_(typed, name), copy=False)
    select = select.from_("cells", copy=False).join("parts", join_type="cross", copy=False)
    for name, keys in (("measured", (*cells, *parts)), ("exposed", cells)):
        same = [exp.column(k, table=name).eq(exp.column(k, table=homes[k])) for k in keys]
        select = select.join(name, on=exp.and_(*same), join_type="left", copy=False)
    return select


def _totals_audits(registry: Registry, table: StoredTable) -> Iterator[tuple[str, str]]:
    """Audits that compare sums with the table by tenant that holds them, with its name."""
    for length in (Grain.MONTH, Grain.YEAR):
        other = f"{SCHEMA}.{table.domain}_metrics_{length}ly"
        there = [n for n in table.metrics if _is_total(registry, table, n, length)]
        whole = [name for name in there if name not in table.exposures]
        repeated = [name for name in there if name in table.exposures]
        if whole:
            yield other, f"same_totals(columns := ({', '.join(whole)}), other := {other})"
        if repeated:
            columns, parts = ", ".join(repeated), ", ".join(table.parts)
            arguments = f"columns := ({columns}), parts := ({parts}), other := {other}"
            yield other, f"same_totals_in_each_part({arguments})"


def _is_total(registry: Registry, table: StoredTable, metric: str, length: Grain) -> bool:
    """Whether a column sums up to that of the table by tenant with periods of a length.

    A stock is known at the end of each period, so that its periods have to be the same.
    """
    known_by = max(registry.grain(metric), Grain.MONTH, key=lambda grain: grain.days)
    additivity = registry.additivity(metric)
    same_periods = additivity is Additivity.LAST and table.grain is length
    return known_by is length and (additivity is Additivity.SUM or same_periods)


def _first_of(registry: Registry, metrics: Iterable[str], dimension: str) -> str:
    known = (registry.dimensions(name) for name in metrics)
    return next(found[dimension].label for found in known if dimension in found).lower()


def _described(item: exp.Expr, described: Mapping[str, str], types: Mapping[str, str]) -> exp.Expr:
    name = item.alias_or_name
    value = item.unalias().copy()
    if name in types:
        value = exp.cast(value, types[name])
    column = exp.alias_(value, name)
    column.add_comments([described[name]])
    return column


def _long_model(registry: Registry, wide: Iterable[StoredTable]) -> MetricTable:
    """One row per metric, tenant and period, from the wide tables by tenant."""
    branches = [_long_branch(registry, table) for table in wide if table.by == (TENANT,)]
    select = exp.Select().from_("longs", copy=False)
    union = exp.union(*branches, distinct=False) if len(branches) > 1 else branches[0]
    select = select.with_("longs", as_=union, copy=False)
    columns = {
        "domain": ("TEXT", "domain of the registry"),
        TENANT: ("TEXT", "tenant whose data it is"),
        "period_grain": ("TEXT", "length of the period: month or year"),
        PERIOD: ("DATE", "first day of the period"),
        "metric": ("TEXT", "name in the registry"),
        "numerator": ("DECIMAL(38, 6)", "what a ratio divides; NULL for others"),
        "denominator": ("DECIMAL(38, 6)", "what a ratio is over; NULL for others"),
        "value": ("DECIMAL(38, 6)", "the metric; NULL when a ratio has nothing to divide by"),
    }
    for name, (kind, text) in columns.items():
        select = select.select(_described(exp.column(name), {name: text}, {name: kind}), copy=False)
    keys = f"domain, {TENANT}, period_grain, {PERIOD}, metric"
    audits = [
        f"not_null(columns := ({keys}))",
        f"unique_combination_of_columns(columns := ({keys}))",
        "forall(criteria := (denominator IS NULL OR denominator <> 0 OR value IS NULL))",
    ]
    description = (
        "Every metric of every domain by tenant and period, one row each. What was the number, "
        "and what was it made of?"
    )
    return MetricTable(LONG_TABLE, _model(LONG_TABLE, keys, description, audits, select))


def _long_branch(registry: Registry, table: StoredTable) -> exp.Select:
    """The wide table turned: names from a list, values by CASE, which every engine knows."""
    names = [exp.tuple_(exp.Literal.string(name)) for name in table.metrics]
    listed = exp.values(names, alias="listed", columns=["metric"])
    ratios = {n: registry.metrics[n].ratio for n in table.metrics if registry.metrics[n].ratio}

    def chosen(columns: Mapping[str, str]) -> exp.Expr:
        case = exp.Case(this=exp.column("metric", table="listed"))
        for name, column in columns.items():
            value = exp.cast(exp.column(column, table="wide"), "DECIMAL(38, 6)")
            case = case.when(exp.Literal.string(name), value, copy=False)
        return case

    stored = set(table.metrics)
    above = {n: r.numerator for n, r in ratios.items() if r and r.numerator in stored}
    below = {n: r.denominator for n, r in ratios.items() if r and r.denominator in stored}
    return (
        exp.Select()
        .select(
            exp.alias_(exp.Literal.string(table.domain), "domain"),
            exp.column(TENANT, table="wide"),
            exp.alias_(exp.Literal.string(table.grain.value), "period_grain"),
            exp.column(PERIOD, table="wide"),
            exp.column("metric", table="listed"),
            exp.alias_(chosen(above), "numerator"),
            exp.alias_(chosen(below), "denominator"),
            exp.alias_(chosen({name: name for name in table.metrics}), "value"),
        )
        .from_(exp.alias_(exp.to_table(f"{SCHEMA}.{table.name}"), "wide", table=True))
        .join(listed, join_type="cross")
    )


def _model(
    name: str, keys: str, description: str, audits: list[str], select: exp.Select, needs: str = ""
) -> str:
    written = description.replace("'", "''")
    header = (
        "/* Made from the registry in semantic/: edit that, then run `granary metrics write`. */"
    )
    return f"""{header}
MODEL (
  name {SCHEMA}.{name},
  kind FULL,
  owner analytics_engineering,
  grain ({keys}),
  {needs}
  description '{written}',
  audits ({", ".join(audits)})
);

{select.sql(DIALECT, pretty=True)}
"""
