"""What a dashboard's file may say: superset/specs/<slug>.yaml."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

from granary.yaml_files import Location, YamlFile
from semantic.definitions import Name, Words

Scalar = bool | int | float | date | str
Comparison = Literal["==", "!=", ">", ">=", "<", "<="]
Condition = Scalar | tuple[Scalar, ...] | dict[Comparison, Scalar]
TimeGrain = Literal["day", "month", "quarter", "year"]
Size = Literal["quarter", "third", "half", "two-thirds", "three-quarters", "full"]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]

# Superset's grid has twelve columns.
COLUMNS: dict[Size, int] = {
    "quarter": 3,
    "third": 4,
    "half": 6,
    "two-thirds": 8,
    "three-quarters": 9,
    "full": 12,
}
PERIOD_FILTER = "period"


class Part(BaseModel):
    """A part of a spec; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Chart(Part):
    """What every chart says.

    Attributes:
        MEASURED: the fields that name metrics.
        SPLIT: the fields that name columns to split or list by.
        title: as people read it, without its unit when the numbers show that.
        says: what is shown and how it is defined; the chart's description.
        table: a semantic table, without schema.
        where: conditions on columns: a value, one of several, or comparisons.
        size: its share of the row.
        key: tells it from the dashboard's other charts; made from the title when not given.
        tall: whether it has more rows than fit into the usual height.
    """

    MEASURED: ClassVar[tuple[str, ...]] = ("metric", "metrics")
    SPLIT: ClassVar[tuple[str, ...]] = ("by",)

    chart: str
    title: Words
    says: Words | None = None
    table: Name
    where: dict[Name, Condition] = Field(default_factory=dict)
    size: Size
    key: Key | None = None
    tall: bool = False

    @property
    def name(self) -> str:
        """The key, given or made."""
        words = "".join(letter if letter.isalnum() else " " for letter in self.title.lower())
        return self.key or "-".join(words.encode("ascii", "ignore").decode().split())

    @property
    def measured(self) -> tuple[str, ...]:
        """The metrics that it shows."""
        return self._names(self.MEASURED)

    @property
    def split(self) -> tuple[str, ...]:
        """The columns that it splits or lists by, without that along the axis."""
        return self._names(self.SPLIT)

    @property
    def axis(self) -> str | None:
        """The column along its axis, when it was named."""
        return next(iter(self._names(("over",))), None)

    def _names(self, fields: tuple[str, ...]) -> tuple[str, ...]:
        given = [getattr(self, field, None) for field in fields]
        return tuple(
            name
            for value in given
            if value
            for name in ((value,) if isinstance(value, str) else value)
        )


class OneMetric(Chart):
    """Charts of one metric."""

    metric: Name


class Metrics(Chart):
    """Charts of one metric, or of several."""

    metric: Name | None = None
    metrics: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _metric_or_metrics(self) -> "Metrics":
        if bool(self.metric) == bool(self.metrics):
            raise ValueError("give either metric or metrics")
        return self


class Number(OneMetric):
    """One number over all that the filters leave."""

    chart: Literal["number"]


class Trend(OneMetric):
    """The number of the last period, with a line of all periods.

    Attributes:
        over: time column; the table's main one when not given.
        compare: `year` shows the change to the period twelve months before.
    """

    chart: Literal["trend"]
    over: Name | None = None
    grain: TimeGrain = "month"
    compare: Literal["year"] | None = None


class Line(Metrics):
    """Lines, or stacked areas, over time.

    Attributes:
        by: a line for each value of these columns.
        over: time column; the table's main one when not given.
    """

    chart: Literal["line", "area"]
    by: tuple[Name, ...] = ()
    over: Name | None = None
    grain: TimeGrain = "month"


class Bar(Metrics):
    """Upright bars over time or over a category.

    Attributes:
        over: what stands along the axis; the table's main time column when not given.
        by: bars of a colour for each value.
        stack: whether these stand on each other.
    """

    chart: Literal["bar"]
    by: tuple[Name, ...] = ()
    over: Name | None = None
    grain: TimeGrain = "month"
    stack: bool = False


class Ranking(Metrics):
    """Lying bars, the longest on top; a second column in `by` stacks parts of another colour."""

    chart: Literal["ranking"]
    by: tuple[Name, ...] = Field(min_length=1, max_length=2)
    limit: int = Field(default=10, ge=1, le=50)


class Share(OneMetric):
    """A ring of parts that add up to a whole."""

    chart: Literal["share"]
    by: tuple[Name, ...] = Field(min_length=1, max_length=2)
    limit: int = Field(default=12, ge=1, le=50)


class Table(Metrics):
    """A table: metrics by columns, or the rows themselves with `columns`.

    Attributes:
        by: a row for each of their values; times are cut to `grain`.
        columns: columns of the rows as they are, newest first when the table has a time.
        limit: most rows.
    """

    SPLIT: ClassVar[tuple[str, ...]] = ("by", "columns")

    chart: Literal["table"]
    by: tuple[Name, ...] = ()
    columns: tuple[Name, ...] = ()
    grain: TimeGrain = "month"
    limit: int = Field(default=100, ge=1, le=1000)

    @model_validator(mode="after")
    def _metric_or_metrics(self) -> "Table":
        if self.columns and (self.metric or self.metrics or self.by):
            raise ValueError("give either columns, or by and metrics")
        if not self.columns and not (self.by and bool(self.metric) != bool(self.metrics)):
            raise ValueError("give by with either metric or metrics, or give columns")
        return self


class Pivot(Metrics):
    """A table with columns of one dimension's values and rows of another's."""

    SPLIT: ClassVar[tuple[str, ...]] = ("rows", "columns")

    chart: Literal["pivot"]
    rows: tuple[Name, ...] = Field(min_length=1)
    columns: tuple[Name, ...] = ()
    grain: TimeGrain = "month"


class Heat(OneMetric):
    """A field of colours: one column along, one up."""

    SPLIT: ClassVar[tuple[str, ...]] = ("x", "y")

    chart: Literal["heat"]
    x: Name
    y: Name
    grain: TimeGrain = "month"


class Scatter(Chart):
    """A bubble for each entity.

    Attributes:
        x: metric along.
        y: metric up.
        bubble: metric that the size shows.
        entity: column of which each value has a bubble.
        series: column whose values have colours.
    """

    MEASURED: ClassVar[tuple[str, ...]] = ("x", "y", "bubble")
    SPLIT: ClassVar[tuple[str, ...]] = ("entity", "series")

    chart: Literal["scatter"]
    x: Name
    y: Name
    bubble: Name
    entity: Name
    series: Name | None = None
    limit: int = Field(default=1000, ge=1, le=10000)


class Nested(OneMetric):
    """Parts within parts: rectangles, or rings."""

    chart: Literal["treemap", "sunburst"]
    by: tuple[Name, ...] = Field(min_length=1)


class Histogram(Chart):
    """How many rows have which value of a number.

    Attributes:
        column: the number.
        by: bars of a colour for each value.
    """

    SPLIT: ClassVar[tuple[str, ...]] = ("by", "column")

    chart: Literal["histogram"]
    column: Name
    by: tuple[Name, ...] = ()
    bins: int = Field(default=20, ge=2, le=100)


class Box(Metrics):
    """How a metric varies across the values of one column, a box for each value of others."""

    SPLIT: ClassVar[tuple[str, ...]] = ("across", "by")

    chart: Literal["box"]
    across: tuple[Name, ...] = Field(min_length=1)
    by: tuple[Name, ...] = ()
    grain: TimeGrain = "month"


class Waterfall(OneMetric):
    """Steps up and down along a column, and their sum; `by` breaks each step into parts."""

    chart: Literal["waterfall"]
    over: Name
    by: Name | None = None
    grain: TimeGrain = "month"


def _kind(given: object) -> str:
    kind = str(given.get("chart")) if isinstance(given, dict) else ""
    return KINDS.get(kind, kind)


# Tags stand in the places that errors name, where a bare `table` would be taken for the key.
AnyChart = Annotated[
    Annotated[Number, Tag("chart number")]
    | Annotated[Trend, Tag("chart trend")]
    | Annotated[Line, Tag("chart line, area")]
    | Annotated[Bar, Tag("chart bar")]
    | Annotated[Ranking, Tag("chart ranking")]
    | Annotated[Share, Tag("chart share")]
    | Annotated[Table, Tag("chart table")]
    | Annotated[Pivot, Tag("chart pivot")]
    | Annotated[Heat, Tag("chart heat")]
    | Annotated[Scatter, Tag("chart scatter")]
    | Annotated[Nested, Tag("chart treemap, sunburst")]
    | Annotated[Histogram, Tag("chart histogram")]
    | Annotated[Box, Tag("chart box")]
    | Annotated[Waterfall, Tag("chart waterfall")],
    Discriminator(_kind),
]
# Every kind of chart, with the tag of its model.
KINDS: dict[str, str] = {
    kind: tag.tag
    for member in get_args(get_args(AnyChart)[0])
    for model, tag in [get_args(member)]
    for kind in get_args(model.model_fields["chart"].annotation)
}


class Tab(Part):
    """A tab: a line of text on what is shown and how it is defined, and rows of charts."""

    tab: Words
    says: Words
    rows: tuple[tuple[AnyChart, ...], ...]


class Dashboard(Part):
    """A dashboard.

    Attributes:
        says: which question it answers, and for whom.
        order: its place among the others.
        filters: `period` filters times, the others are columns.
    """

    dashboard: Words
    says: Words
    order: int = Field(ge=0)
    filters: tuple[Name, ...]
    tabs: tuple[Tab, ...]


@dataclass(frozen=True)
class Spec:
    """A dashboard and the file that it was read from."""

    slug: str
    file: YamlFile
    dashboard: Dashboard

    def charts(self) -> Iterator[tuple[Location, Chart]]:
        """Every chart with its place in the file, in the order of reading."""
        for t, tab in enumerate(self.dashboard.tabs):
            for r, row in enumerate(tab.rows):
                for c, chart in enumerate(row):
                    yield ("tabs", t, "rows", r, c), chart


def read_specs(folder: Path) -> list[Spec]:
    """Every dashboard of a folder, in their order.

    Raises:
        GranaryError: a file is not YAML, or no spec; names file, line and fault.
    """
    files = [YamlFile(path) for path in sorted(folder.glob("*.yaml"))]
    specs = [Spec(file.path.stem, file, file.read_as(Dashboard)) for file in files]
    return sorted(specs, key=lambda spec: (spec.dashboard.order, spec.slug))
