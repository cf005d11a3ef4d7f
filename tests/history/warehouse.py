"""The models' own queries on a DuckDB in memory, with the scheduler played by hand.

SQLMesh renders each query once; a case then takes a fraction of a second instead of minutes. A run
does to each model what its kind says: incremental models replace the days from the last run on,
models by unique key replace the keys they give, full models are computed anew.
"""

from datetime import date, datetime, timedelta
from typing import Any

import duckdb
from sqlglot import exp
from sqlmesh.core.context import Context

from history.stories import COUNTIES, FEEDS, Batch, Story

START, END = "2101-01-01", "2102-02-02"
# The days that a run evaluates.
FIRST, LAST = "(SELECT first FROM days)", "(SELECT last FROM days)"
STAGED = {feed: f"staging.stg_{feed}" for feed in FEEDS}
# The models that follow from a feed alone, by kind.
LOGS = {
    "aca_members": "core.member_changes",
    "aca_providers": "core.provider_changes",
    "aca_plans": "core.plan_changes",
    "aca_enrollments": "core.enrollment_changes",
    "aca_claims": "core.claim_line_changes",
}
DIMENSIONS = {
    "aca_members": "core.dim_member",
    "aca_providers": "core.dim_provider",
    "aca_plans": "core.dim_plan",
}
LATEST = "core.latest_claim_lines"
AT_THE_END = {
    "aca_claims": ["core.fct_claim_line"],
    "aca_enrollments": ["core.enrollment_spans", "core.fct_member_month", "core.fct_enrollment"],
}
# They say how the row came to be, not what is so.
CIRCUMSTANCES = {"created_at", "load_date"}

Rows = list[dict[str, Any]]


class Warehouse:
    """Tables of the five feeds; each story begins with empty ones."""

    def __init__(self, context: Context) -> None:
        """Render the models and make their tables."""
        self._connection = duckdb.connect(":memory:", config={"threads": 1})
        # Prepared while tables are empty, so plans must not rest on what the tables hold.
        self._connection.execute(
            "SET disabled_optimizers = 'statistics_propagation,compressed_materialization'"
        )
        for schema in ("ops", "staging", "core"):
            self._connection.execute(f"CREATE SCHEMA {schema}")
        computed = [
            *LOGS.values(),
            *DIMENSIONS.values(),
            LATEST,
            *(name for names in AT_THE_END.values() for name in names),
        ]
        given = ["ops.load_batch", "ops.retraction", *STAGED.values(), "core.dim_geography"]
        for name in (*given, *computed):
            self._create(context, name)
        self._connection.execute(
            "CREATE TABLE core.dim_date AS SELECT * FROM "
            f"({_rendered(context, 'core.dim_date')}) WHERE year = 2025"
        )
        for sk, county in enumerate(COUNTIES):
            self._insert("core.dim_geography", [{"geography_sk": sk, "county_fips": county}])
        self._connection.execute("CREATE TABLE days (first DATE, last DATE)")
        self._connection.execute(f"CREATE TABLE touched AS FROM {LATEST}")
        for name in computed:
            target = "touched" if name == LATEST else name
            query = _rendered(context, name).replace(f"'{START}'", FIRST).replace(f"'{END}'", LAST)
            # Planning takes most of the time of a query over a handful of rows.
            self._connection.execute(
                f"PREPARE {_prepared(name)} AS INSERT INTO {target} BY NAME ({query})"
            )
        self._connection.begin()

    def live(self, story: Story) -> None:
        """Let a story happen, from empty tables to its last run."""
        self._connection.rollback()
        self._connection.begin()
        last_run = story.events[0].moment.date()
        for event in story.events:
            if event.batch is None:
                self._run(
                    story.feeds, last_run - timedelta(days=event.days_again), event.moment.date()
                )
                last_run = event.moment.date()
            elif event.kind == "land":
                self._land(event.batch, event.moment)
            else:
                self._retract(event.batch, event.moment)
        for feed in story.feeds:
            for name in AT_THE_END.get(feed, []):
                self._replace(name)

    def rows(self, query: str) -> Rows:
        """The answer to a query."""
        cursor = self._connection.execute(query)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def facts(self, table: str) -> list[str]:
        """The rows of a table, sorted, without the circumstances of their landing."""
        told = (
            {name: value for name, value in row.items() if name not in CIRCUMSTANCES}
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

    def _run(self, feeds: tuple[str, ...], start: date, end: date) -> None:
        self._connection.execute("DELETE FROM days")
        self._insert("days", [{"first": start, "last": end}])
        for feed in feeds:
            self._connection.execute(
                f"DELETE FROM {LOGS[feed]} WHERE load_date BETWEEN '{start}' AND '{end}'"
            )
            self._add(LOGS[feed])
            if feed in DIMENSIONS:
                self._replace(DIMENSIONS[feed])
        if "aca_claims" in feeds:
            self._connection.execute("DELETE FROM touched")
            self._add(LATEST)
            self._connection.execute(
                f"DELETE FROM {LATEST} WHERE claim_line_key IN (SELECT claim_line_key FROM touched)"
            )
            self._connection.execute(f"INSERT INTO {LATEST} FROM touched")

    def _replace(self, name: str) -> None:
        self._connection.execute(f"DELETE FROM {name}")
        self._add(name)

    def _add(self, name: str) -> None:
        self._connection.execute(f"EXECUTE {_prepared(name)}")

    def _create(self, context: Context, name: str) -> None:
        types = context.get_model(name, raise_if_missing=True).columns_to_types or {}
        columns = ", ".join(f"{column} {kind.sql('duckdb')}" for column, kind in types.items())
        self._connection.execute(f"CREATE TABLE {name} ({columns})")

    def _insert(self, table: str, rows: Rows) -> None:
        if rows:
            values = ", ".join(f"({', '.join(map(_literal, row.values()))})" for row in rows)
            self._connection.execute(f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES {values}")


def _rendered(context: Context, name: str) -> str:
    """The query of a model over the days START to END, tables named as models."""
    model = context.get_model(name, raise_if_missing=True)
    query = model.render_query_or_raise(start=START, end=END)
    for table in query.find_all(exp.Table):
        table.set("catalog", None)
    return query.sql("duckdb")


def _prepared(name: str) -> str:
    return "add_" + name.partition(".")[2]


def _literal(value: object) -> str:
    return "NULL" if value is None else f"'{value}'"


def _line(row: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in row.items() if value is not None)
