"""The metric tables: SQLMesh models made from the registry, so that no number is defined twice."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

# SQLMesh extends sqlglot's generators, which has to happen before the first one is used.
from sqlmesh.core.dialect import format_model_expressions, parse

from semantic.compiler import compile_query
from semantic.definitions import DIALECT, Additivity, Grain
from semantic.query import Query
from semantic.registry import PERIOD, TENANT, Domain, Registry

SCHEMA = "semantic"
LONG_TABLE = "metric_values"
# What nearly every fact of a domain knows; the detail table is split by these.
DETAIL_DIMENSIONS = {"aca": ("metal_tier", "state", "age_group", "gender")}


@dataclass(frozen=True)
class MetricTable:
    """A model to write.

    Attributes:
        name: the table's name in the semantic schema.
        text: the model as SQLMesh reads it.
    """

    name: str
    text: str


@dataclass(frozen=True)
class _Wide:
    """A table with a column per metric, and how its rows are told apart."""

    name: str
    grain: Grain
    by: tuple[str, ...]
    metrics: tuple[str, ...]
    description: str


def metric_tables(registry: Registry) -> list[MetricTable]:
    """Every metric table: per domain the wide ones, and the long one over all."""
    wide = {name: _wide_tables(registry, domain) for name, domain in registry.domains.items()}
    tables = [
        _wide_model(registry, registry.domains[name], table)
        for name, all_wide in wide.items()
        for table in all_wide
    ]
    return [*tables, _long_model(registry, wide)]


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


def _wide_tables(registry: Registry, domain: Domain) -> list[_Wide]:
    monthly = [name for name in domain.metrics if registry.grain(name).days <= Grain.MONTH.days]
    yearly = [name for name in domain.metrics if name not in monthly]
    details = DETAIL_DIMENSIONS[domain.name]
    parts = [
        name
        for name in monthly
        if registry.additivity(name) in (Additivity.SUM, Additivity.LAST)
        and set(details) <= set(registry.dimensions(name))
    ]
    return [
        _Wide(
            f"{domain.name}_metrics_monthly",
            Grain.MONTH,
            (TENANT,),
            tuple(monthly),
            f"Every metric of {domain.name} that has a monthly value, by tenant and month. How do "
            "all numbers of a tenant develop? Only sums add up over months: see the registry.",
        ),
        _Wide(
            f"{domain.name}_metrics_yearly",
            Grain.YEAR,
            (TENANT,),
            tuple(yearly),
            f"The metrics of {domain.name} that are known by year only, by tenant and year. "
            "How did a year end?",
        ),
        _Wide(
            f"{domain.name}_metrics_detail",
            Grain.MONTH,
            (TENANT, *details),
            tuple(parts),
            f"The metrics of {domain.name} that add up, by tenant, month, {', '.join(details)}. "
            "Which part drives a number? Ratios follow from the sums.",
        ),
    ]


def _wide_model(registry: Registry, domain: Domain, table: _Wide) -> MetricTable:
    query = Query(table.metrics, table.by, table.grain)
    select = compile_query(registry, query).order_by(append=False)
    select.set("order", None)
    described = {PERIOD: f"first day of the {table.grain}", TENANT: "tenant whose data it is"}
    for name in table.by[1:]:
        described[name] = _first_of(registry, table.metrics, name)
    for name in table.metrics:
        metric = registry.metrics[name]
        described[name] = f"{metric.label}, {metric.unit}"
    types = {PERIOD: "DATE", **dict.fromkeys(table.by, "TEXT")}
    select.set("expressions", [_described(item, described, types) for item in select.selects])
    keys = ", ".join([*table.by, PERIOD])
    audits = [
        f"not_null(columns := ({keys}))",
        f"unique_combination_of_columns(columns := ({keys}))",
    ]
    if len(table.by) > 1:
        whole = f"{SCHEMA}.{domain.name}_metrics_monthly"
        sums = [n for n in table.metrics if registry.additivity(n) is Additivity.SUM]
        audits.append(f"same_totals(columns := ({', '.join(sums)}), other := {whole})")
        # The audit reads it, so it has to be there first.
        needs = f"depends_on ({whole}),"
    else:
        needs = ""
    return MetricTable(
        table.name, _model(table.name, keys, table.description, audits, select, needs)
    )


def _first_of(registry: Registry, metrics: Iterable[str], dimension: str) -> str:
    return next(registry.dimensions(name)[dimension].label for name in metrics).lower()


def _described(item: exp.Expr, described: Mapping[str, str], types: Mapping[str, str]) -> exp.Expr:
    name = item.alias_or_name
    value = item.unalias().copy()
    if name in types:
        value = exp.cast(value, types[name])
    column = exp.alias_(value, name)
    column.add_comments([described[name]])
    return column


def _long_model(registry: Registry, wide: Mapping[str, list[_Wide]]) -> MetricTable:
    """One row per metric, tenant and period, from the wide tables by tenant."""
    branches: list[exp.Expr] = []
    for domain, tables in wide.items():
        branches += [_long_branch(registry, domain, t) for t in tables if t.by == (TENANT,)]
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


def _long_branch(registry: Registry, domain: str, table: _Wide) -> exp.Select:
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
            exp.alias_(exp.Literal.string(domain), "domain"),
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
