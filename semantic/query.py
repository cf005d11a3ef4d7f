"""Questions to the registry: which metrics, split by what, over which time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlglot import exp

from granary.errors import GranaryError
from semantic.definitions import Dimension, Grain

OPERATORS: dict[str, type[exp.Predicate]] = {
    "=": exp.EQ,
    "!=": exp.NEQ,
    ">=": exp.GTE,
    "<=": exp.LTE,
    ">": exp.GT,
    "<": exp.LT,
}
CONDITION = re.compile(r"\s*([a-z][a-z0-9_]*)\s*(!=|>=|<=|=|>|<)(.*)", re.DOTALL)
BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True)
class Condition:
    """A dimension compared with values; several values mean any of them (none of them for !=)."""

    dimension: str
    operator: str
    values: tuple[str, ...]

    def predicate(self, subject: exp.Expr, dimension: Dimension) -> exp.Expr:
        """The condition on an SQL expression; values become literals of the dimension's type.

        Raises:
            GranaryError: a value is not of that type, or the type has no order to compare by.
        """
        if self.operator not in ("=", "!=") and dimension.type in ("text", "boolean"):
            raise GranaryError(
                f"{self.dimension} {self.operator} {self.values[0]}: {self.dimension} is a "
                f"{dimension.type}, which has no order.",
                "Compare it with = or !=.",
            )
        literals = [self._literal(value, dimension) for value in self.values]
        if self.operator == "=" and len(literals) > 1:
            return exp.In(this=subject, expressions=literals)
        if self.operator == "!=" and len(literals) > 1:
            return exp.Not(this=exp.In(this=subject, expressions=literals))
        return OPERATORS[self.operator](this=subject, expression=literals[0])

    def _literal(self, value: str, dimension: Dimension) -> exp.Expr:
        try:
            if dimension.type == "integer":
                return exp.Literal.number(int(value))
            if dimension.type == "date":
                return date_literal(date.fromisoformat(value))
            if dimension.type == "boolean":
                return exp.Boolean(this=BOOLEANS[value.lower()])
        except (ValueError, KeyError):
            raise GranaryError(
                f"{self.dimension} {self.operator} {value}: {value!r} is not "
                f"{'an' if dimension.type == 'integer' else 'a'} {dimension.type}.",
                "Dates are YYYY-MM-DD, booleans true or false.",
            ) from None
        return exp.Literal.string(value)


@dataclass(frozen=True)
class Query:
    """A question.

    Attributes:
        metrics: names, at least one.
        by: dimensions to split by.
        grain: length of the periods; None for one number over the whole time.
        where: conditions that all hold.
        start: first day.
        end: first day that no longer counts.
        order: names to sort by, `-name` for descending; periods and dimensions when empty.
        limit: most rows to give.
    """

    metrics: tuple[str, ...]
    by: tuple[str, ...] = ()
    grain: Grain | None = None
    where: tuple[Condition, ...] = ()
    start: date | None = None
    end: date | None = None
    order: tuple[str, ...] = field(default=())
    limit: int | None = None


def parse_condition(text: str) -> Condition:
    """Read `dimension=value`, with several values apart by commas, or another operator.

    Raises:
        GranaryError: it is no such condition.
    """
    match = CONDITION.fullmatch(text)
    if match is None or not match[3].strip():
        raise GranaryError(
            f"{text!r} is not a condition.",
            "Write dimension=value, such as metal_tier=silver,gold or metal_tier!=gold.",
        )
    name, operator, values = match[1], match[2], tuple(v.strip() for v in match[3].split(","))
    if len(values) > 1 and operator not in ("=", "!="):
        raise GranaryError(f"{text!r} compares with several values.", "Give one value.")
    return Condition(name, operator, values)


def date_literal(day: date) -> exp.Expr:
    """A day in SQL."""
    return exp.cast(exp.Literal.string(day.isoformat()), "DATE")


def require_distinct(names: Sequence[str], what: str) -> None:
    """Refuse a name that stands twice.

    Raises:
        GranaryError: one does.
    """
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise GranaryError(f"{', '.join(repeated)} stands twice among the {what}.", "Name it once.")
