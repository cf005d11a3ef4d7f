"""Compiles questions to SQL: each fact is aggregated on its own before facts meet.

A fact joins only what each of its rows has one of, so no join can multiply rows. Facts meet on the
keys that any of them has, each with one row per key.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby

from sqlglot import exp, parse_one

from granary.errors import GranaryError
from semantic.definitions import DIALECT, Grain, Measure, Metric
from semantic.query import Query, date_literal, require_distinct
from semantic.registry import PERIOD, TENANT, Domain, Reached, Registry, nearest, probably

EMPTY_IS_ZERO = {"sum", "count", "distinct"}
KEYS = "keys"
CONTRIBUTION = "contribution"
# Wide enough for any numerator; the unit decides the final type.
QUOTIENT_TYPE = "DECIMAL(38, 6)"
# Ten digits are kept before a quotient is rounded to those of its unit: DuckDB divides in binary,
# where a tie such as 685.725 is a little less and would be rounded down.
EXACT_QUOTIENT_TYPE = "DECIMAL(28, 10)"
UNKNOWN = "unknown"

TableName = Callable[[str], str]


@dataclass(frozen=True)
class _Fact:
    """Measures that one pass over one table gives.

    Attributes:
        domain: where the entity is defined.
        entity: the table's entity.
        time: the column that puts rows into periods.
        last: only the last instant of each period counts.
        dimensions: what it is split by; fewer than asked for when it is an exposure.
        metrics: names of the measured metrics.
    """

    domain: Domain
    entity: str
    time: str
    last: bool
    dimensions: tuple[str, ...]
    metrics: tuple[str, ...]

    def is_exposure(self, query: Query) -> bool:
        return self.dimensions != query.by

    @property
    def name(self) -> str:
        parts = [self.entity, "last" if self.last else "by", self.time]
        return "_".join(parts)

    @property
    def instants(self) -> str:
        """What its last instants are called."""
        return f"{self.name}_instants"


def compile_query(
    registry: Registry, query: Query, table_name: TableName = lambda name: name
) -> exp.Select:
    """Compile a question to one SELECT, in DuckDB's dialect; `.sql(dialect)` writes another's.

    The columns are `period` (first day; with a grain only), the dimensions, the metrics, each in
    the order of the question. A metric without rows is 0 where it counts or adds, otherwise NULL;
    a ratio over zero is NULL. Periods without any rows are left out.

    Args:
        registry: the definitions.
        query: the question.
        table_name: gives the table to read for a `schema.table`, such as that of an environment.

    Raises:
        GranaryError: a name is unknown, a dimension cannot split a metric, the grain is finer than
            a metric's, a value has the wrong type.
    """
    _check(registry, query)
    facts = _facts(registry, query)
    select = exp.Select()
    for fact in facts:
        for name, cte in _fact_ctes(fact, query, table_name):
            select = select.with_(name, as_=cte, copy=False)
    keys = _keys(query)
    source = facts[0].name
    if len(facts) > 1:
        select, source = _meet(select, facts, query), KEYS if keys else facts[0].name
    for key in keys:
        select = select.select(exp.column(key, table=source), copy=False)
    for name in query.metrics:
        number = in_unit(registry, name, value(registry, name))
        select = select.select(exp.alias_(number, name), copy=False)
    return _ordered(select.from_(source, copy=False), query, keys)


def compile_contributions(
    registry: Registry,
    query: Query,
    measured: str,
    columns: Sequence[str],
    key: Sequence[str],
    table_name: TableName = lambda name: name,
) -> exp.Select:
    """Compile what each row of a fact adds to a measured metric of a question without periods.

    The columns are those asked for and `contribution`, whose sum is the metric where it adds or
    counts; of the rows with one value of a distinct count the first by key contributes 1. Rows that
    add nothing are left out; of a median or an extreme all count that have a value.

    Args:
        query: the question, without grain and dimensions; its conditions hold.
        measured: one of the measured metrics that those of the question are made from.
        columns: columns of the fact to give.
        key: columns that identify a row of it.
        table_name: gives the table to read for a `schema.table`, such as that of an environment.

    Raises:
        GranaryError: as compile_query.
    """
    _check(registry, query)
    fact = next(fact for fact in _facts(registry, query) if measured in fact.metrics)
    measure = fact.domain.measure(measured)
    value = _value(measure, fact.entity)
    if measure.aggregate == "distinct":
        value = _first_of_each(value, [exp.column(name, table=fact.entity) for name in key])
    rows = _fact_rows(replace(fact, metrics=(measured,)), query, table_name)
    for name in columns:
        rows = rows.select(exp.column(name, table=fact.entity), copy=False)
    rows = rows.select(exp.alias_(value, CONTRIBUTION), copy=False)
    if fact.last:
        instants = _last_instants(fact, query, table_name)
        rows = rows.with_(fact.instants, as_=instants, copy=False)
    whole = exp.Select().select(*columns, CONTRIBUTION).from_(rows.subquery("measured_rows"))
    given = exp.column(CONTRIBUTION)
    if measure.aggregate in EMPTY_IS_ZERO:
        return whole.where(given.neq(exp.Literal.number(0)))
    return whole.where(exp.Not(this=exp.Is(this=given, expression=exp.null())))


def _first_of_each(value: exp.Expr, key: list[exp.Column]) -> exp.Expr:
    rank = exp.Window(
        this=exp.RowNumber(),
        partition_by=[value],
        order=exp.Order(expressions=[exp.Ordered(this=column) for column in key]),
    )
    is_first = exp.and_(
        exp.Not(this=exp.Is(this=value.copy(), expression=exp.null())),
        rank.eq(exp.Literal.number(1)),
    )
    return exp.Case().when(is_first, exp.Literal.number(1)).else_(exp.Literal.number(0))


def _check(registry: Registry, query: Query) -> None:
    if not query.metrics:
        raise GranaryError("No metric was asked for.", "Name one: granary metrics list")
    require_distinct(query.metrics, "metrics")
    require_distinct(query.by, "dimensions")
    for metric in query.metrics:
        known = registry.dimensions(metric)
        for name in (*query.by, *(condition.dimension for condition in query.where)):
            if name not in known:
                raise GranaryError(
                    f"{metric} cannot be split by {name}.",
                    f"{probably(name, known)} It knows {', '.join(sorted(known))}.".strip(),
                )
        finest = registry.grain(metric)
        if query.grain and query.grain.days < finest.days:
            raise GranaryError(
                f"{metric} is known by {finest}, not by {query.grain}.",
                f"Ask with --grain {finest} or coarser.",
            )
        for day in (query.start, query.end):
            if day and _is_inside(day, finest):
                raise GranaryError(
                    f"{metric} is known by {finest}, and {day} is not the first day of one.",
                    f"Begin and end on the first day of a {finest}.",
                )
    known_names = {*_keys(query), *query.metrics}
    for name in query.order:
        if name.removeprefix("-") not in known_names:
            raise GranaryError(
                f"Cannot sort by {name.removeprefix('-')}.",
                nearest(name.removeprefix("-"), known_names),
            )


def _is_inside(day: date, grain: Grain) -> bool:
    """Whether a day is another than the first of a period."""
    months = {Grain.QUARTER: (1, 4, 7, 10), Grain.YEAR: (1,)}.get(grain, range(1, 13))
    return grain != Grain.DAY and (day.day != 1 or day.month not in months)


def _facts(registry: Registry, query: Query) -> list[_Fact]:
    """The passes over tables that the question needs; measures of one kind share one."""
    needs = list(dict.fromkeys(leaf for name in query.metrics for leaf in registry.measured(name)))

    def kind(leaf: str) -> tuple[str, str, str, bool, tuple[str, ...]]:
        domain = registry.domain_of(leaf)
        measure = domain.measure(leaf)
        known = domain.dimensions[measure.of]
        split = tuple(name for name in query.by if name in known)
        return domain.name, measure.of, domain.time_of(leaf), measure.last, split

    return [
        _Fact(registry.domains[domain], entity, time, last, split, tuple(leaves))
        for (domain, entity, time, last, split), leaves in groupby(sorted(needs, key=kind), kind)
    ]


def _fact_ctes(
    fact: _Fact, query: Query, table_name: TableName
) -> Iterator[tuple[str, exp.Select]]:
    time = exp.column(fact.time, table=fact.entity)
    reached = fact.domain.dimensions[fact.entity]
    if fact.last:
        yield fact.instants, _last_instants(fact, query, table_name)
    select = _fact_rows(fact, query, table_name)
    if query.grain:
        select = select.select(exp.alias_(_period(time, query.grain), PERIOD), copy=False)
    for name in fact.dimensions:
        select = select.select(exp.alias_(_dimension(reached[name], fact.entity), name), copy=False)
    for name in fact.metrics:
        measure = fact.domain.measure(name)
        select = select.select(exp.alias_(_aggregate(measure, fact.entity), name), copy=False)
    for position in range(1, bool(query.grain) + len(fact.dimensions) + 1):
        select = select.group_by(exp.Literal.number(position), copy=False)
    yield fact.name, select


def _fact_rows(fact: _Fact, query: Query, table_name: TableName) -> exp.Select:
    """The rows of a fact that count, with what they are split and measured by; no columns yet."""
    entity = fact.domain.entities[fact.entity]
    table = exp.to_table(table_name(entity.table))
    time = exp.column(fact.time, table=fact.entity)
    reached = fact.domain.dimensions[fact.entity]
    select = exp.Select().from_(exp.alias_(table, fact.entity, table=True), copy=False)
    used = [reached[name] for name in fact.dimensions]
    used += [reached[c.dimension] for c in query.where if c.dimension in reached]
    joined = fact.domain.joined_by_measures(fact.metrics)
    for path in _paths([*(r.path for r in used), *((name,) for name in joined)]):
        select = _joined(select, fact, path, table_name)
    if fact.last:
        same = [
            exp.column("instant", table=fact.instants).eq(time.copy()),
            exp.column(TENANT, table=fact.instants).eq(exp.column(TENANT, table=fact.entity)),
        ]
        select = select.join(fact.instants, on=exp.and_(*same), join_type="inner", copy=False)
    for condition in _conditions(fact, query, time):
        select = select.where(condition, copy=False)
    return select


def _paths(wanted: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Every join on the way to the wanted entities, nearer ones first."""
    prefixes = {path[:n] for path in wanted for n in range(1, len(path) + 1)}
    return sorted(prefixes, key=lambda path: (len(path), path))


def _joined(
    select: exp.Select, fact: _Fact, path: tuple[str, ...], table_name: TableName
) -> exp.Select:
    here, there = path[-2] if len(path) > 1 else fact.entity, path[-1]
    entities = fact.domain.entities
    table = exp.alias_(exp.to_table(table_name(entities[there].table)), there, table=True)
    on = exp.column(str(entities[there].key), table=there).eq(
        exp.column(entities[here].joins[there], table=here)
    )
    return select.join(table, on=on, join_type="left", copy=False)


def _last_instants(fact: _Fact, query: Query, table_name: TableName) -> exp.Select:
    """The last instant on record, of each tenant and period."""
    entities = fact.domain.entities
    name = entities[fact.entity].clock or fact.entity
    time = exp.column(fact.time, table=name)
    if name != fact.entity:
        time = exp.column(next(iter(entities[name].time)), table=name)
    tenant = exp.column(TENANT, table=name)
    table = exp.alias_(exp.to_table(table_name(entities[name].table)), name, table=True)
    select = exp.Select().from_(table, copy=False)
    select = select.select(tenant, exp.alias_(exp.Max(this=time.copy()), "instant"), copy=False)
    for condition in _within(time, query):
        select = select.where(condition, copy=False)
    select = select.group_by(tenant.copy(), copy=False)
    if query.grain:
        select = select.group_by(_period(time, query.grain), copy=False)
    return select


def _conditions(fact: _Fact, query: Query, time: exp.Column) -> Iterator[exp.Expr]:
    """What rows must meet: to have happened, within the time asked for, and the conditions."""
    reached = fact.domain.dimensions[fact.entity]
    yield exp.Not(this=exp.Is(this=time.copy(), expression=exp.null()))
    for condition in query.where:
        if condition.dimension in reached:
            found = reached[condition.dimension]
            subject = _dimension(found, fact.entity)
            if condition.operator == "=" and UNKNOWN not in condition.values:
                # Says the same, and the database can look it up.
                subject = _plain(found, fact.entity)
            yield condition.predicate(subject, found.dimension)
    yield from _within(time, query)


def _within(time: exp.Column, query: Query) -> Iterator[exp.Expr]:
    if query.start:
        yield exp.GTE(this=time.copy(), expression=date_literal(query.start))
    if query.end:
        yield exp.LT(this=time.copy(), expression=date_literal(query.end))


def _period(time: exp.Column, grain: Grain) -> exp.Expr:
    truncated = parse_one(f"DATE_TRUNC('{grain}', instant)", dialect=DIALECT)
    return exp.cast(_with(truncated, "instant", time), "DATE")


def _with(expression: exp.Expr, name: str, value: exp.Expr) -> exp.Expr:
    return expression.transform(
        lambda node: value.copy() if isinstance(node, exp.Column) and node.name == name else node
    )


def _of(expression: exp.Expr, table: str) -> exp.Expr:
    """The expression with its columns taken from a table, unless they name a joined one."""
    return expression.transform(
        lambda node: (
            exp.column(node.name, table=node.table or table)
            if isinstance(node, exp.Column)
            else node
        )
    )


def _plain(reached: Reached, entity: str) -> exp.Expr:
    table = reached.path[-1] if reached.path else entity
    written = reached.dimension.expression
    return exp.column(reached.name, table=table) if written is None else _of(written, table)


def _dimension(reached: Reached, entity: str) -> exp.Expr:
    value = _plain(reached, entity)
    if reached.dimension.type == "text":
        return exp.func("COALESCE", exp.cast(value, "TEXT"), exp.Literal.string(UNKNOWN))
    return value


def _value(measure: Measure, entity: str) -> exp.Expr:
    """What a row gives to the aggregate; NULL when it does not count."""
    value: exp.Expr = exp.Literal.number(1)
    written = getattr(measure, measure.aggregate)
    if isinstance(written, exp.Expr):
        value = _of(written, entity)
    if measure.where is not None:
        value = exp.Case().when(_of(measure.where, entity), value)
    return value


def _aggregate(measure: Measure, entity: str) -> exp.Expr:
    value = _value(measure, entity)
    if measure.aggregate == "distinct":
        return exp.Count(this=exp.Distinct(expressions=[value]))
    if measure.aggregate == "median":
        return exp.Median(this=value)
    if measure.aggregate == "count":
        return exp.Count(this=value)
    return exp.Max(this=value) if measure.aggregate == "largest" else exp.Sum(this=value)


def _meet(select: exp.Select, facts: list[_Fact], query: Query) -> exp.Select:
    """Join all facts to the keys that any of them has; exposures repeat on every key they serve."""
    keys = _keys(query)
    whole = [fact for fact in facts if not fact.is_exposure(query)]
    if keys:
        branches = [exp.Select().select(*keys).from_(fact.name) for fact in whole]
        every = exp.union(*branches) if len(branches) > 1 else branches[0].distinct()
        select = select.with_(KEYS, as_=every, copy=False)
    for fact in facts if keys else facts[1:]:
        known = [key for key in keys if key == PERIOD or key in fact.dimensions]
        same = [_same(fact, key) for key in known]
        on = exp.and_(*same) if same else exp.true()
        select = select.join(exp.to_table(fact.name), on=on, join_type="left", copy=False)
    return select


def _same(fact: _Fact, key: str) -> exp.Expr:
    ours, theirs = exp.column(key, table=fact.name), exp.column(key, table=KEYS)
    if key == PERIOD or fact.domain.dimensions[fact.entity][key].dimension.type == "text":
        return exp.EQ(this=ours, expression=theirs)
    return exp.NullSafeEQ(this=ours, expression=theirs)


def value(registry: Registry, name: str) -> exp.Expr:
    """A metric from the columns of its measures, each named like the measured metric."""
    metric: Metric = registry.domain_of(name).metrics[name]
    if metric.measure:
        column = exp.column(name)
        if metric.measure.aggregate in EMPTY_IS_ZERO:
            return exp.func("COALESCE", column, exp.Literal.number(0))
        return column
    if metric.ratio:
        above = value(registry, metric.ratio.numerator)
        if metric.ratio.scale != 1:
            above = exp.Mul(this=above, expression=exp.Literal.number(metric.ratio.scale))
        return _quotient(above, value(registry, metric.ratio.denominator))
    if metric.derived is None:
        raise TypeError(f"{name} has no formula")
    formula = metric.derived.copy()
    # The inner ones first.
    for division in reversed(list(formula.find_all(exp.Div))):
        safe = _quotient(division.this.copy(), division.expression.copy())
        if division is formula:
            formula = safe
        else:
            division.replace(safe)
    for other in metric.inputs:
        formula = _with(formula, other, exp.paren(value(registry, other)))
    return formula


def in_unit(registry: Registry, name: str, formula: exp.Expr) -> exp.Cast:
    """A formula of a metric, rounded to the digits of the metric's unit."""
    # Not exp.cast, to which one decimal type is as good as another.
    return exp.Cast(this=formula, to=exp.DataType.build(registry.metrics[name].unit.sql_type))


def _quotient(above: exp.Expr, below: exp.Expr) -> exp.Cast:
    """A division that has no value over zero; what macros.numbers.quotient writes in models."""
    whole = exp.func("NULLIF", below, exp.Literal.number(0))
    division = exp.Div(this=exp.cast(above, QUOTIENT_TYPE), expression=whole)
    return exp.cast(division, EXACT_QUOTIENT_TYPE)


def _keys(query: Query) -> list[str]:
    return [PERIOD] * bool(query.grain) + list(query.by)


def _ordered(select: exp.Select, query: Query, keys: list[str]) -> exp.Select:
    for name in query.order or keys:
        descending = name.startswith("-")
        column = exp.column(name.removeprefix("-"))
        ordered = exp.Ordered(this=column, desc=descending, nulls_first=False)
        select = select.order_by(ordered, copy=False)
    return select.limit(query.limit, copy=False) if query.limit is not None else select
