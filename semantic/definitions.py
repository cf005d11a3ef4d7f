"""What a registry file may say: entities with dimensions and joins, and metrics on them."""

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

DIALECT = "duckdb"
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")

Name = Annotated[str, StringConstraints(pattern=f"^{NAME.pattern}$")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Grain(StrEnum):
    """Lengths of a period, from short to long."""

    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def days(self) -> int:
        """Days of the shortest such period."""
        return {"day": 1, "month": 28, "quarter": 90, "year": 365}[self.value]


class Unit(StrEnum):
    """What a number counts; decides its SQL type and, unless told otherwise, its format."""

    USD = "USD"
    USD_PMPM = "USD per member month"
    SHARE = "share"
    PER_1000 = "per 1,000 members and year"
    PER_MEMBER_YEAR = "per member and year"
    DAYS = "days"
    MONTHS = "months"
    RATIO = "ratio"
    SCORE = "score"
    MEMBERS = "members"
    AVERAGE_MEMBERS = "average members"
    SELECTIONS = "selections"
    SPANS = "coverage spans"
    INVOICES = "invoices"
    CLAIMS = "claims"
    LINES = "claim lines"
    APPEALS = "appeals"
    STAYS = "stays"
    VISITS = "visits"
    WEIGHTED_VISITS = "weighted visits"
    FILLS = "fills"
    PROVIDERS = "providers"
    CONDITIONS = "conditions"
    PLANS = "plans"
    STATES = "states"
    RATING_AREAS = "rating areas"
    PER_RATING_AREA = "per rating area"
    USD_PER_MONTH = "USD per month"
    FILES = "files"
    FILE_LINES = "lines"
    LINES_PER_SECOND = "lines per second"
    RUNS = "runs"
    AUDITS = "audits"
    ROWS = "rows"
    SECONDS = "seconds"

    @property
    def sql_type(self) -> str:
        """The type of its values."""
        return _SQL_TYPES.get(self, "BIGINT")

    @property
    def d3_format(self) -> str:
        """How charts write its values."""
        return _FORMATS.get(self, ",d")


_SQL_TYPES = {
    Unit.USD: "DECIMAL(20, 2)",
    Unit.USD_PMPM: "DECIMAL(20, 2)",
    Unit.SHARE: "DECIMAL(20, 6)",
    Unit.PER_1000: "DECIMAL(20, 2)",
    Unit.PER_MEMBER_YEAR: "DECIMAL(20, 4)",
    Unit.DAYS: "DECIMAL(20, 2)",
    Unit.MONTHS: "DECIMAL(20, 2)",
    Unit.AVERAGE_MEMBERS: "DECIMAL(20, 2)",
    Unit.WEIGHTED_VISITS: "DECIMAL(20, 4)",
    Unit.PER_RATING_AREA: "DECIMAL(20, 2)",
    Unit.USD_PER_MONTH: "DECIMAL(20, 2)",
    Unit.SECONDS: "DECIMAL(20, 3)",
    Unit.RATIO: "DECIMAL(20, 6)",
    Unit.SCORE: "DECIMAL(20, 6)",
}
_FORMATS = {
    Unit.USD: "$,.0f",
    Unit.USD_PMPM: "$,.2f",
    Unit.SHARE: ".1%",
    Unit.PER_1000: ",.1f",
    Unit.PER_MEMBER_YEAR: ",.2f",
    Unit.DAYS: ",.1f",
    Unit.MONTHS: ",.1f",
    Unit.AVERAGE_MEMBERS: ",.1f",
    Unit.WEIGHTED_VISITS: ",.1f",
    Unit.PER_RATING_AREA: ",.1f",
    Unit.USD_PER_MONTH: "$,.2f",
    Unit.SECONDS: ",.1f",
    Unit.RATIO: ",.3f",
    Unit.SCORE: ",.3f",
}


class Additivity(StrEnum):
    """How values of a metric over parts become the value of the whole."""

    SUM = "sum"
    LAST = "last"
    DISTINCT = "distinct"
    MEDIAN = "median"
    EXTREME = "extreme"
    RATIO = "ratio"


def parse_expression(sql: object) -> exp.Expr:
    """Parse an expression of columns; queries and aggregates are refused.

    Raises:
        ValueError: it is no such expression.
    """
    if isinstance(sql, exp.Expr):
        return sql
    try:
        parsed = parse_one(str(sql), dialect=DIALECT)
    except SqlglotError as error:
        raise ValueError(f"{str(sql)!r} is not an SQL expression") from error
    refused = exp.Query, exp.AggFunc, exp.Window, exp.DDL, exp.Command
    if parsed.find(*refused):
        raise ValueError(
            f"{str(sql)!r} must be an expression of columns, without query or aggregate"
        )
    return parsed


Expression = Annotated[exp.Expr, BeforeValidator(parse_expression)]


class Part(BaseModel):
    """A part of the registry; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Dimension(Part):
    """A way to split metrics.

    Attributes:
        expression: SQL on the columns of its entity; its name when not given.
        type: text, integer, date or boolean; text without a value reads as `unknown`.
    """

    label: Words
    description: Words
    expression: Expression | None = None
    type: Literal["text", "integer", "date", "boolean"] = "text"


class Entity(Part):
    """A table that metrics are measured on, or that describes one.

    Attributes:
        table: schema and name.
        key: column that identifies a row, when other entities join to it.
        time: columns with the time of an event, each with the grain that it is exact to; the
            first is the default. None for an entity that only describes.
        clock: the entity whose instants are those on record, where this one may have no row at
            one: a month without pended claims is no reason to show those of the month before.
        joins: entities of which each row has one, by name, with the column that holds their key.
        dimensions: what its own columns can split by.
    """

    table: Annotated[str, StringConstraints(pattern=r"^[a-z_]+\.[a-z][a-z0-9_]*$")]
    description: Words
    key: Name | None = None
    time: dict[Name, Grain] = Field(default_factory=dict)
    clock: Name | None = None
    joins: dict[Name, Name] = Field(default_factory=dict)
    dimensions: dict[Name, Dimension] = Field(default_factory=dict)


class Measure(Part):
    """An aggregate over the rows of one entity; exactly one of AGGREGATES.

    Attributes:
        of: the entity.
        where: which rows count.
        time: the date that puts a row in a period; the entity's first when not given.
        last: of each period only the last instant on record counts, tenant by tenant, so that
            stocks (members in force, open claims) are not added up over time.
    """

    of: Name
    sum: Expression | None = None
    count: Literal[True] | None = None
    distinct: Expression | None = None
    median: Expression | None = None
    largest: Expression | None = None
    where: Expression | None = None
    time: Name | None = None
    last: bool = False

    @model_validator(mode="after")
    def _one_aggregate(self) -> "Measure":
        given = [name for name in AGGREGATES if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(AGGREGATES)}")
        return self

    @property
    def aggregate(self) -> str:
        """Which aggregate it is, one of AGGREGATES."""
        return next(name for name in AGGREGATES if getattr(self, name) is not None)

    @property
    def expressions(self) -> list[exp.Expr]:
        """The SQL on the entity's columns: what is aggregated, and the condition."""
        given = getattr(self, self.aggregate)
        return [part for part in (given, self.where) if isinstance(part, exp.Expr)]

    @property
    def additivity(self) -> Additivity:
        """How its values combine."""
        sums = Additivity.LAST if self.last else Additivity.SUM
        return {
            "sum": sums,
            "count": sums,
            "distinct": Additivity.DISTINCT,
            "median": Additivity.MEDIAN,
            "largest": Additivity.EXTREME,
        }[self.aggregate]


AGGREGATES = ("sum", "count", "distinct", "median", "largest")


class Ratio(Part):
    """One metric over another.

    Attributes:
        numerator: a metric that is not a ratio.
        denominator: a metric that is not a ratio.
        scale: what the quotient is multiplied by, such as 12000 for a year's rate per 1,000.
        exposure: the denominator is the exposure behind the numerator (member months): split by
            what the denominator does not know, such as a specialty, it stays whole.
    """

    numerator: Name
    denominator: Name
    scale: int = Field(default=1, ge=1)
    exposure: bool = False


class Metric(Part):
    """A number with one meaning: exactly one of measure, ratio and derived.

    Attributes:
        question: the business question that it answers.
        derived: arithmetic on other metrics, by their names.
        unit: what it counts; a share is shown in percent.
        direction: whether more is better, worse or neither.
        synonyms: what else people call it.
    """

    label: Words
    question: Words
    description: Words
    group: Name
    owner: Name
    unit: Unit
    direction: Literal["up", "down", "neutral"]
    synonyms: tuple[Words, ...] = ()
    measure: Measure | None = None
    ratio: Ratio | None = None
    derived: Expression | None = None

    @model_validator(mode="after")
    def _one_formula(self) -> "Metric":
        if sum(part is not None for part in (self.measure, self.ratio, self.derived)) != 1:
            raise ValueError("give exactly one of measure, ratio, derived")
        return self

    @property
    def inputs(self) -> list[str]:
        """Names of the metrics that it is made from, in order."""
        if self.ratio:
            return [self.ratio.numerator, self.ratio.denominator]
        if self.derived is not None:
            return list(dict.fromkeys(column.name for column in columns_of(self.derived)))
        return []


class Table(Part):
    """A metric table that is built besides those that every domain has.

    Attributes:
        description: what it holds, ending with the question that it answers.
        grain: length of its periods.
        by: dimensions, all of them text.
        metrics: what can be asked of it; stored are the sums that they are made from.
    """

    description: Annotated[Words, StringConstraints(pattern=r"\?$")]
    grain: Grain
    by: tuple[Name, ...] = Field(min_length=1)
    metrics: tuple[Name, ...] = Field(min_length=1)


class Document(Part):
    """One registry file."""

    domain: Name
    description: Words
    entities: dict[Name, Entity] = Field(min_length=1)
    metrics: dict[Name, Metric] = Field(min_length=1)
    tables: dict[Name, Table] = Field(default_factory=dict)


def columns_of(expression: exp.Expr) -> list[exp.Column]:
    """The columns in an expression, in the order of writing."""
    return list(expression.find_all(exp.Column, bfs=False))
