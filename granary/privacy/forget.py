"""`granary forget`: a person is removed everywhere, and that it was done is recorded.

History is amended the way a retracted batch amends it: the person's rows in staging and change logs
are given to a batch of their own that does not count, and the next run recomputes what they
touched. Then they are deleted. See docs/adr/0027.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from granary.clock import utc_now
from granary.errors import GranaryError
from granary.gateways.base import Connection, Gateway
from granary.landing.checks import FORGOTTEN, WHOSE_LINE
from granary.landing.contract import Contract
from granary.landing.tables import quoted
from granary.privacy.letters import blank_letters
from granary.privacy.person import (
    Condition,
    Feeds,
    Identity,
    Person,
    Table,
    collect,
    raw_tables,
    tables_of_models,
)
from granary.privacy.secret import Secret

# No run covers this day, so no run takes away what lies on it.
OUT_OF_TIME = "1900-01-01"
LOAD_ID_DIGITS = 13

Counts = dict[str, int]


@dataclass(frozen=True)
class Request:
    """What ops.forgotten knows of a request."""

    forgotten_id: str
    status: str
    requested_at: datetime

    @property
    def load_id(self) -> int:
        """The batch that the person's rows are given to: none that ever landed is negative."""
        return -int(self.forgotten_id[:LOAD_ID_DIGITS], 16)


def find_request(connection: Connection, person: Person, secret: Secret) -> Request | None:
    """Look whether the person was forgotten before, or is about to be."""
    row = connection.execute(
        "SELECT forgotten.forgotten_id, forgotten.status, forgotten.requested_at "
        "FROM ops.forgotten AS forgotten INNER JOIN ops.forgotten_value AS known "
        "ON known.forgotten_id = forgotten.forgotten_id "
        "WHERE known.domain = $1 AND known.tenant_id = $2 AND known.column_name = $3 "
        "AND known.digest = $4",
        [person.domain, person.tenant_id, person.subject, _digest(secret, person, person.subject)],
    ).fetchone()
    return Request(*row) if row else None


def identify(gateway: Gateway, person: Person, feeds: Feeds) -> tuple[Identity, Counts]:
    """Find all that leads to the person, and count the rows that tables hold.

    Returns:
        The counts by table, only of tables that hold any.
    """
    with gateway.operations() as landing, gateway.models() as models:
        raw, made = raw_tables(landing, feeds.all), tables_of_models(models)
        identity = collect(person, feeds, [(landing, raw), (models, made)])
        counts = {
            contract.table: _count(landing, contract.table, identity.in_raw(contract))
            for contract in feeds.all
        }
        for table in made:
            where = identity.within(table.columns)
            if where:
                found = _count(models, table.sql, where)
                counts[table.model] = counts.get(table.model, 0) + found
    return identity, {table: count for table, count in counts.items() if count}


def names_of(gateway: Gateway, person: Person, feeds: Feeds) -> set[str]:
    """Give what else would tell who it is: protected free text of the person's lines."""
    found: set[str] = set()
    identity = Identity(person)
    with gateway.operations() as landing:
        for contract in feeds.direct:
            where = identity.in_raw(contract)
            for column in contract.columns.values():
                if column.phi and column.kind == "text" and column.pattern is None:
                    rows = landing.execute(
                        f"SELECT DISTINCT {quoted(column.name)} FROM {contract.table} "
                        f"WHERE {quoted(column.name)} IS NOT NULL AND {where.sql}",
                        where.values,
                    ).fetchall()
                    found |= {value for (value,) in rows}
    return found


def remove_landed(
    connection: Connection,
    identity: Identity,
    feeds: Feeds,
    secret: Secret,
    request: Request | None,
    reason: str,
    counts: Counts,
) -> Request:
    """Remove the person from raw and from dead letters, and record that it began, all or nothing.

    Every line removed leaves a closed dead letter that says no more than its number, so that the
    ledger still adds up.
    """
    person, now = identity.person, utc_now()
    with _transaction(connection):
        if request is None:
            request = Request(uuid4().hex, "started", now)
            connection.execute(
                "INSERT INTO ops.forgotten VALUES ($1, $2, $3, $4, $5, 'started', $6, NULL, $7)",
                [
                    request.forgotten_id,
                    person.domain,
                    person.tenant_id,
                    secret.secret_id,
                    reason,
                    now,
                    json.dumps(counts),
                ],
            )
        values = {person.subject: [person.value], **identity.texts}
        for column, texts in values.items():
            for text in texts:
                connection.execute(
                    "INSERT INTO ops.forgotten_value VALUES ($1, $2, $3, $4, $5) "
                    "ON CONFLICT DO NOTHING",
                    [
                        request.forgotten_id,
                        person.domain,
                        person.tenant_id,
                        column,
                        secret.digest(person.domain, person.tenant_id, column, text),
                    ],
                )
        for contract in feeds.all:
            _remove_lines(connection, contract, identity, now)
        blank_letters(connection, person, identity, feeds.all)
        # The next run hears of it: see retract.
        connection.execute("DELETE FROM ops.retraction WHERE load_id = $1", [request.load_id])
        connection.execute(
            "INSERT INTO ops.retraction VALUES ($1, 'a person was forgotten', $2)",
            [request.load_id, now],
        )
        connection.execute(
            "UPDATE ops.forgotten SET status = 'started' WHERE forgotten_id = $1",
            [request.forgotten_id],
        )
    return request


def _remove_lines(
    connection: Connection, contract: Contract, identity: Identity, now: datetime
) -> None:
    where = identity.in_raw(contract)
    lines = f"FROM {contract.table} WHERE {where.sql}"
    place = len(where.values)
    connection.execute(
        "INSERT INTO ops.dead_letter (load_id, feed, tenant_id, source_line, column_name, reason, "
        "error_class, raw_text, status, attempts, created_at) "
        f"SELECT load_id, CAST(${place + 1} AS TEXT), tenant_id, source_line, NULL, "
        f"'line ' || source_line || CAST(${place + 2} AS TEXT), CAST(${place + 3} AS TEXT), NULL, "
        f"'closed', 1, CAST(${place + 4} AS TIMESTAMP) {lines} "
        "ON CONFLICT DO NOTHING",
        [*where.values, contract.feed, WHOSE_LINE, FORGOTTEN, now],
    )
    connection.execute(
        "UPDATE ops.load_batch SET rows_loaded = rows_loaded - removed.line_count, "
        "rows_rejected = rows_rejected + removed.line_count "
        f"FROM (SELECT load_id, COUNT(*) AS line_count {lines} GROUP BY load_id) AS removed "
        "WHERE load_batch.load_id = removed.load_id",
        where.values,
    )
    connection.execute(f"DELETE {lines}", where.values)


def set_apart(connection: Connection, identity: Identity, request: Request, logs: set[str]) -> None:
    """Give the person's rows in staging and change logs to the batch that does not count.

    Args:
        logs: the tables, as schema.name, that runs extend day by day.
    """
    with _transaction(connection):
        for table in tables_of_models(connection):
            where = identity.within(table.columns) if table.shown in logs else None
            if where:
                batch = where.add(request.load_id)
                connection.execute(
                    f"UPDATE {table.sql} SET load_id = {batch}, load_date = DATE '{OUT_OF_TIME}' "
                    f"WHERE {where.sql}",
                    where.values,
                )


def sweep(connection: Connection, identity: Identity) -> list[Table]:
    """Delete what is left of the person in every table that models made.

    Returns:
        The tables that held any.
    """
    swept: list[Table] = []
    with _transaction(connection):
        for table in tables_of_models(connection):
            where = identity.within(table.columns)
            if where and _count(connection, table.sql, where):
                connection.execute(f"DELETE FROM {table.sql} WHERE {where.sql}", where.values)
                swept.append(table)
    return swept


def finish(connection: Connection, request: Request) -> None:
    """Record that nothing is left."""
    with _transaction(connection):
        connection.execute("DELETE FROM ops.retraction WHERE load_id = $1", [request.load_id])
        connection.execute(
            "UPDATE ops.forgotten SET status = 'done', finished_at = $1 WHERE forgotten_id = $2",
            [utc_now(), request.forgotten_id],
        )


def check_reason(reason: str, person: Person) -> None:
    """See that a reason does not say who it is.

    Raises:
        GranaryError: it holds the id.
    """
    if person.value in reason:
        raise GranaryError(
            "The reason names the person, and it is kept.", "Give one without a name or an id."
        )


def _count(connection: Connection, table: str, where: Condition) -> int:
    row = connection.execute(f"SELECT COUNT(*) FROM {table} WHERE {where.sql}", where.values)
    return int(row.fetchone()[0])


def _digest(secret: Secret, person: Person, column: str) -> str:
    return secret.digest(person.domain, person.tenant_id, column, person.value)


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
