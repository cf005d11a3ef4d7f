"""The models' own queries on DuckDB or PostgreSQL, with the scheduler played by hand.

SQLMesh renders each query once; a case then takes a fraction of a second instead of minutes. A run
does to each model what its kind says: logs replace the days from the last run on, models that
recompute what was touched do that, and fill their table with their whole query in the first run.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from typing import Any, Literal, Protocol

from sqlglot import exp
from sqlmesh.core.context import Context

from history.stories import COUNTIES, FEEDS, Batch, Story
from materializations.recompute import rows_named, touched_keys, whole, without_ctes

START, END = "2101-01-01", "2102-02-02"
# The days that a run evaluates.
FIRST, LAST = "(SELECT first FROM run_days)", "(SELECT last FROM run_days)"
STAGED = {feed: f"staging.stg_{feed}" for feed in FEEDS}
# The models that follow from feeds, each after those that it reads, and the day that logs go by.
LOGS = {
    "core.member_changes": "load_date",
    "core.provider_changes": "load_date",
    "core.plan_changes": "load_date",
    "core.enrollment_changes": "load_date",
    "core.claim_line_changes": "load_date",
    "core.claim_line_touches": "touched_on",
    "core.coverage_touches": "touched_on",
}
MODELS = {
    "aca_members": ["core.member_changes", "core.dim_member"],
    "aca_providers": ["core.provider_changes", "core.dim_provider"],
    "aca_plans": ["core.plan_changes", "core.dim_plan"],
    "aca_enrollments": [
        "core.enrollment_changes",
        "core.enrollment_spans",
        "core.enrollment_states",
        "core.coverage_touches",
        "core.fct_member_month",
        "core.member_coverage_years",
        "core.fct_enrollment",
    ],
    "aca_claims": [
        "core.claim_line_changes",
        "core.claim_line_touches",
        "core.fct_claim_line",
        "core.fct_claim",
    ],
    "aca_premium_payments": ["core.fct_premium_invoice"],
}
AGGREGATES = [
    "semantic.agg_claims_monthly",
    "semantic.claims_daily_member",
    "semantic.high_cost_member_tracking",
    "semantic.agg_member_cost",
    "semantic.agg_provider_performance",
    "semantic.claims_by_plan_metal_month",
    "semantic.utilization_by_specialty",
]
# Facts of what claims went through, which are computed anew by every run.
JOURNEYS = ["core.fct_payment", "core.fct_claim_processing"]
# They say how the row came to be, not what is so.
CIRCUMSTANCES = {"created_at", "load_date"}

Rows = list[dict[str, Any]]


class Cursor(Protocol):
    """The answer to a statement, as DB-API has it."""

    @property
    def description(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...


class Connection(Protocol):
    """A connection to an empty database that commits each statement outside a transaction."""

    @property
    def dialect(self) -> str: ...

    def execute(self, query: str) -> Cursor: ...


class Warehouse:
    """Tables of the five feeds; each story begins with empty ones."""

    def __init__(self, context: Context, connection: Connection) -> None:
        """Render the models and make their tables."""
        self._connection = connection
        for schema in ("ops", "staging", "core", "semantic"):
            self._connection.execute(f"CREATE SCHEMA {schema}")
        of_feeds = (name for names in MODELS.values() for name in names)
        computed = [*of_feeds, *AGGREGATES, *JOURNEYS]
        given = ["ops.load_batch", "ops.retraction", *STAGED.values()]
        given += ["core.dim_geography", "core.fct_appeal"]
        for name in (*given, *computed):
            self._create(context, name)
        days = self._text(_rendered(context, "core.dim_date"))
        self._connection.execute(
            "CREATE TABLE core.dim_date AS "
            f"SELECT * FROM ({days}) AS days WHERE year IN (2024, 2025)"
        )
        for sk, county in enumerate(COUNTIES):
            self._insert("core.dim_geography", [{"geography_sk": sk, "county_fips": county}])
        self._connection.execute("CREATE TABLE run_days (first DATE, last DATE)")
        self._steps: dict[str, list[str]] = {}
        for name in computed:
            self._prepare(name, _rendered(context, name))
        self._connection.execute("BEGIN")

    def live(self, story: Story, also: Iterable[str] = ()) -> None:
        """Let a story happen, from empty tables to its last run.

        Args:
            also: models above those of the story's feeds that are run as well.
        """
        self._connection.execute("ROLLBACK")
        self._connection.execute("BEGIN")
        names = [*(name for feed in story.feeds for name in MODELS[feed]), *also]
        last_run = None
        for event in story.events:
            day = event.moment.date()
            if event.batch is not None and event.kind == "land":
                self._land(event.batch, event.moment)
            elif event.batch is not None:
                self._retract(event.batch, event.moment)
            elif last_run is None:
                self._run(names, "whole", story.events[0].moment.date(), day)
                last_run = day
            else:
                self._run(names, "touched", last_run - timedelta(days=event.days_again), day)
                last_run = day

    def rows(self, query: str) -> Rows:
        """The answer to a query."""
        cursor = self._connection.execute(query)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def facts(self, table: str, without: Collection[str] = CIRCUMSTANCES) -> list[str]:
        """The rows of a table as text, sorted, without the circumstances of their landing."""
        told = (
            {name: value for name, value in row.items() if name not in without}
            for row in self.rows(f"SELECT * FROM {table}")
        )
        return sorted(_line(row) for row in told)

    def _land(self, batch: Batch, moment: datetime) -> None:
        key, attributes = FEEDS[batch.feed]
        landed = {
            "tenant_id": batch.tenant_id,
            "load_id": batch.load_id,
            "extracted_at": batch.extracted_at,
            "load_timestamp": moment,
        }
        self._insert("ops.load_batch", [{**landed, "feed": batch.feed, "status": "loaded"}])
        rows = [
            dict(zip((*key, *attributes), (*identity, *values), strict=True))
            for identity, values in batch.rows.items()
        ]
        staged = {**landed, "load_date": moment.date()}
        self._insert(STAGED[batch.feed], [{**staged, **row} for row in rows])

    def _retract(self, batch: Batch, moment: datetime) -> None:
        self._insert("ops.retraction", [{"load_id": batch.load_id, "retracted_at": moment}])

    def _run(
        self, names: list[str], extent: Literal["whole", "touched"], start: date, end: date
    ) -> None:
        self._connection.execute("DELETE FROM run_days")
        self._insert("run_days", [{"first": start, "last": end}])
        for name in names:
            for step in self._steps.get(f"{extent} {name}", self._steps.get(name, [])):
                self._connection.execute(f"EXECUTE {step}")

    def _prepare(self, name: str, query: exp.Query) -> None:
        if name in LOGS:
            past = f"DELETE FROM {name} WHERE {LOGS[name]} BETWEEN {FIRST} AND {LAST}"
            self._steps[name] = self._prepared(name, [past, self._filling(name, query)])
            return
        everything = [f"DELETE FROM {name}", self._filling(name, whole(query))]
        if name in JOURNEYS:
            self._steps[name] = self._prepared(name, everything)
            return
        self._steps[f"whole {name}"] = self._prepared(f"whole {name}", everything)
        steps = []
        touched = touched_keys(query)
        for keys, asked in touched.items():
            table = _own(name, keys)
            others = touched.keys() - {keys}
            finding = _own_tables(name, without_ctes(asked, others), others)
            self._connection.execute(f"CREATE TABLE {table} AS {self._text(finding)}")
            steps += [
                f"DELETE FROM {table}",
                self._filling(table, finding),
                rows_named(name, table, asked.named_selects).sql(self._connection.dialect),
            ]
        renewed = _own_tables(name, without_ctes(query, set(touched)), touched)
        steps.append(self._filling(name, renewed))
        self._steps[f"touched {name}"] = self._prepared(f"touched {name}", steps)

    def _prepared(self, name: str, statements: list[str]) -> list[str]:
        """Prepare statements: planning takes most of the time of a query over a handful of rows."""
        steps = []
        for number, statement in enumerate(statements):
            step = f"{name}_{number}".replace(".", "_").replace(" ", "_")
            self._connection.execute(f"PREPARE {step} AS {statement}")
            steps.append(step)
        return steps

    def _filling(self, table: str, query: exp.Query) -> str:
        names = ", ".join(query.named_selects)
        return f"INSERT INTO {table} ({names}) {self._text(query)}"

    def _text(self, query: exp.Query) -> str:
        text = query.sql(self._connection.dialect)
        return text.replace(f"'{START}'", FIRST).replace(f"'{END}'", LAST)

    def _create(self, context: Context, name: str) -> None:
        types = context.get_model(name, raise_if_missing=True).columns_to_types or {}
        columns = ", ".join(
            f"{column} {kind.sql(self._connection.dialect)}" for column, kind in types.items()
        )
        self._connection.execute(f"CREATE TABLE {name} ({columns})")

    def _insert(self, table: str, rows: Rows) -> None:
        if rows:
            values = ", ".join(f"({', '.join(map(_literal, row.values()))})" for row in rows)
            self._connection.execute(f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES {values}")


def _rendered(context: Context, name: str) -> exp.Query:
    """The query of a model over the days START to END, tables named as models."""
    model = context.get_model(name, raise_if_missing=True)
    query = model.render_query_or_raise(start=START, end=END)
    for table in query.find_all(exp.Table):
        table.set("catalog", None)
    return query


def _own(name: str, keys: str) -> str:
    return f"{name.partition('.')[2]}__{keys}"


def _own_tables(name: str, query: exp.Query, touched: Iterable[str]) -> exp.Query:
    """The query with the tables of keys named after the model, as models use the same names."""
    for table in query.find_all(exp.Table):
        if not table.db and table.name in touched:
            named = exp.to_table(_own(name, table.name)).as_(table.alias_or_name)
            table.replace(named)
    return query


def _literal(value: object) -> str:
    return "NULL" if value is None else f"'{value}'"


def _line(row: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in row.items() if value is not None)
