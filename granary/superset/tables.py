"""What the warehouse has for dashboards to show, as its reader sees it."""

from collections.abc import Iterable

from granary.errors import GranaryError
from granary.postgres.connection import connect
from granary.postgres.endpoint import Endpoint
from granary.superset.changes import Wanted

PROD = "prod"
SCHEMA = "semantic"
APPLICATION = "granary dashboards"
COLUMNS = """
SELECT table_name::TEXT, ARRAY_AGG(column_name::TEXT)
FROM information_schema.columns
WHERE table_schema = %s
GROUP BY table_name
"""
SCHEMAS = """
SELECT DISTINCT table_schema::TEXT FROM information_schema.tables
WHERE table_schema = %(schema)s OR STARTS_WITH(table_schema, %(schema)s || '__')
ORDER BY table_schema::TEXT
"""


def schema_of(environment: str) -> str:
    """The schema of an environment's semantic tables."""
    return SCHEMA if environment == PROD else f"{SCHEMA}__{environment}"


def environments(reader: Endpoint) -> list[str]:
    """The environments that have tables to show."""
    with connect(reader, application_name=APPLICATION) as connection:
        names = [name for (name,) in connection.execute(SCHEMAS, {"schema": SCHEMA})]
    return [PROD if name == SCHEMA else name.removeprefix(f"{SCHEMA}__") for name in names]


def check_tables(reader: Endpoint, environment: str, wanted: Iterable[Wanted]) -> None:
    """Make sure that an environment has all tables and columns of the datasets.

    Raises:
        GranaryError: there is no such environment, or it lacks some; names each.
    """
    schema = schema_of(environment)
    with connect(reader, application_name=APPLICATION) as connection:
        there: dict[str, list[str]] = dict(connection.execute(COLUMNS, [schema]))
    if not there:
        known = ", ".join(environments(reader)) or "none"
        raise GranaryError(
            f"There is no environment {environment}; there are: {known}.",
            f"Make it with: granary plan {environment}",
        )
    lacking = [
        name
        for one in wanted
        if one.kind == "dataset"
        for name in _lacking(f"{schema}.{one.title}", one.columns, there.get(one.title))
    ]
    if lacking:
        remedy = f"granary plan {environment}"
        if environment == PROD:
            remedy = "granary promote ENV, or granary plan prod"
        raise GranaryError(
            f"The dashboards need what {environment} lacks: {', '.join(lacking)}.",
            f"Bring {environment} to the checkout's models first: {remedy}",
        )


def _lacking(table: str, columns: frozenset[str], there: list[str] | None) -> list[str]:
    if there is None:
        return [table]
    return [f"{table}.{column}" for column in sorted(columns - set(there))]
