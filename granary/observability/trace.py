"""From a figure back to the files and lines that it rests on."""

import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlglot import exp

from granary.errors import GranaryError
from granary.gateways.base import Gateway, Rows
from granary.landing.contract import Contract
from granary.metrics import ask
from semantic.compiler import CONTRIBUTION, compile_contributions
from semantic.definitions import Additivity
from semantic.origins import FACT, Origin
from semantic.query import Condition, Query
from semantic.registry import Registry

PERIOD = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?|-Q([1-4]))?")
MASK = "***"
RETRACTED = "load_id NOT IN (SELECT load_id FROM ops.retraction)"
ADDITIVE = (Additivity.SUM, Additivity.LAST, Additivity.DISTINCT)
LINE = "line"


@dataclass(frozen=True)
class Part:
    """A measured metric of which a figure is made, followed back.

    Attributes:
        fact: the table that it is measured on.
        value: what it is, under the conditions and in the period of the figure.
        adds_up: whether the contributions add up to it; not for medians and extremes.
        batches: the batches that it rests on, the largest contribution first; None when its fact is
            made of too many lines to follow.
        lines: the lines with the largest contributions; None likewise.
    """

    metric: str
    fact: str
    value: Decimal | None
    adds_up: bool
    batches: Rows | None
    lines: Rows | None


@dataclass(frozen=True)
class Trace:
    """A figure, and the parts that it is made of."""

    metric: str
    value: Decimal | None
    parts: list[Part] = field(default_factory=list)


def parse_period(text: str) -> tuple[date, date]:
    """Read 2025, 2025-Q1, 2025-03 or 2025-03-14: its first day, and the first day after it.

    Raises:
        GranaryError: it is none of these.
    """
    match = PERIOD.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        year, month, day, quarter = (int(part) if part else None for part in match.groups())
        assert year is not None
        if quarter:
            return date(year, 3 * quarter - 2, 1), _month_after(date(year, 3 * quarter, 1))
        if month is None:
            return date(year, 1, 1), date(year + 1, 1, 1)
        if day is None:
            return date(year, month, 1), _month_after(date(year, month, 1))
        first = date(year, month, day)
        return first, date.fromordinal(first.toordinal() + 1)
    except ValueError:
        raise GranaryError(
            f"{text!r} is no period.", "Write 2025, 2025-Q1, 2025-03 or 2025-03-14."
        ) from None


def _month_after(first: date) -> date:
    return date.fromordinal(first.toordinal() + calendar.monthrange(first.year, first.month)[1])


class Tracer:
    """Follows figures of one environment."""

    def __init__(
        self,
        gateway: Gateway,
        registry: Registry,
        origins: Mapping[str, Origin],
        contracts: Mapping[str, Contract],
        environment: str,
    ) -> None:
        """Use what is known; nothing is asked yet.

        Args:
            contracts: of every feed, which say what names a line and which columns are protected.
        """
        self._gateway = gateway
        self._registry = registry
        self._origins = origins
        self._contracts = contracts
        self._environment = environment

    def trace(
        self,
        metric: str,
        where: Sequence[Condition],
        period: tuple[date, date] | None,
        limit: int,
    ) -> Trace:
        """Follow a figure.

        Args:
            where: conditions that all hold.
            period: first day, and first day after it; None for all of time.
            limit: most batches and most lines to give for each part.

        Raises:
            GranaryError: there is no such metric or dimension, or the environment is not built.
        """
        start, end = period or (None, None)
        query = Query((metric,), where=tuple(where), start=start, end=end)
        rows = ask(self._gateway, self._registry, query, self._environment)
        return Trace(
            metric,
            rows.rows[0][0] if rows.rows else None,
            [self._part(query, name, limit) for name in self._registry.measured(metric)],
        )

    def _part(self, query: Query, name: str, limit: int) -> Part:
        fact = self._registry.domain_of(name).entity_of(name).table
        adds_up = self._registry.additivity(name) in ADDITIVE
        origin = self._origins.get(fact)
        if origin is None:
            return Part(name, fact, self._value(query, name), adds_up, None, None)
        lines = self._lines(query, name, origin)
        batches = self._ask(_batches(lines, adds_up, limit))
        return Part(
            name,
            fact,
            self._value(query, name),
            adds_up,
            batches,
            self._ask(_largest(lines, self._contracts[origin.feed], limit)),
        )

    def _value(self, query: Query, name: str) -> Decimal | None:
        known = self._registry.dimensions(name)
        # As the figure itself: what an exposure does not know does not narrow it.
        where = tuple(condition for condition in query.where if condition.dimension in known)
        own = Query((name,), where=where, start=query.start, end=query.end)
        rows = ask(self._gateway, self._registry, own, self._environment)
        return rows.rows[0][0] if rows.rows else None

    def _lines(self, query: Query, name: str, origin: Origin) -> exp.Select:
        """Every row of the fact that counts: what it adds, and the line that it rests on."""
        contributions = compile_contributions(
            self._registry, query, name, origin.columns, origin.key, self._in_environment
        )
        keys = [exp.column(key, table=FACT) for key in origin.key]
        shown = list(self._contracts[origin.feed].key)
        found = exp.Select().select(*keys).from_(FACT)
        for place, step in enumerate(origin.steps):
            table: exp.Expr = exp.to_table(self._in_environment(step.table))
            if place == len(origin.steps) - 1:
                table = exp.select("*").from_(table).where(RETRACTED).subquery()
            on = exp.and_(*origin.conditions(place))
            found = found.join(exp.alias_(table, step.alias, table=True), on=on, join_type="inner")
        staged = origin.steps[-1].alias
        for column in dict.fromkeys((*shown, "load_id", "source_line")):
            found = found.select(exp.alias_(exp.column(column, table=staged), f"{LINE}_{column}"))
        newest = ("extracted_at", "load_timestamp", "load_id", "source_line")
        rank = exp.Window(
            this=exp.RowNumber(),
            partition_by=[key.copy() for key in keys],
            order=exp.Order(
                expressions=[
                    exp.Ordered(this=exp.column(column, table=staged), desc=True)
                    for column in newest
                ]
            ),
        )
        found = found.select(exp.alias_(rank, "newness"))
        same = [
            exp.column(key, table="found").eq(exp.column(key, table=FACT)) for key in origin.key
        ]
        same.append(exp.column("newness", table="found").eq(exp.Literal.number(1)))
        columns = [
            f"{LINE}_{column}" for column in dict.fromkeys((*shown, "load_id", "source_line"))
        ]
        lines = exp.select(exp.column(CONTRIBUTION, table=FACT), *columns).from_(FACT)
        lines = lines.join("found", on=exp.and_(*same), join_type="left")
        return (
            exp.Select()
            .with_(FACT, as_=contributions)
            .with_("found", as_=found)
            .with_("lines", as_=lines)
        )

    def _in_environment(self, table: str) -> str:
        if self._environment == "prod":
            return table
        schema, _, name = table.partition(".")
        return f"{schema}__{self._environment}.{name}"

    def _ask(self, select: exp.Select) -> Rows:
        return self._gateway.query(
            select.sql(self._gateway.sqlmesh_variables()["GRANARY_SQLMESH_GATEWAY"])
        )


def _batches(lines: exp.Select, adds_up: bool, limit: int) -> exp.Select:
    """The batches of the lines, with what each adds and how much of the whole that is."""
    share = f"SUM({CONTRIBUTION}) / NULLIF(SUM(SUM({CONTRIBUTION})) OVER (), 0)"
    return (
        lines.select(
            "lines.line_load_id AS load_id",
            "COALESCE(batches.source, 'unknown') AS source",
            "batches.extracted_at AS extracted_at",
            "COUNT(*) AS rows",
            f"SUM({CONTRIBUTION}) AS {CONTRIBUTION}"
            if adds_up
            else f"CAST(NULL AS DECIMAL(20, 2)) AS {CONTRIBUTION}",
            f"CAST({share} AS DECIMAL(20, 6)) AS share"
            if adds_up
            else "CAST(NULL AS DECIMAL(20, 6)) AS share",
        )
        .from_("lines")
        .join(
            "ops.load_batch AS batches", on="batches.load_id = lines.line_load_id", join_type="left"
        )
        .group_by("lines.line_load_id", "batches.source", "batches.extracted_at")
        .order_by("5 DESC", "4 DESC", "1")
        .limit(limit)
    )


def _largest(lines: exp.Select, contract: Contract, limit: int) -> exp.Select:
    """The lines that add most, with what names them; protected values are not shown."""
    named = [
        f"'{MASK}' AS {column}" if contract.columns[column].phi else f"line_{column} AS {column}"
        for column in contract.key
    ]
    return (
        lines.select(
            "lines.line_load_id AS load_id",
            "COALESCE(batches.source, 'unknown') AS source",
            "lines.line_source_line AS source_line",
            *named,
            f"lines.{CONTRIBUTION} AS {CONTRIBUTION}",
        )
        .from_("lines")
        .join(
            "ops.load_batch AS batches", on="batches.load_id = lines.line_load_id", join_type="left"
        )
        .order_by(f"ABS(lines.{CONTRIBUTION}) DESC", "1", "3")
        .limit(limit)
    )
