"""Opening connections, with failures told in terms of what the user can do."""

import psycopg

from granary.errors import GranaryError
from granary.postgres.endpoint import Endpoint

CONNECT_SECONDS = 10
# What libpq and psycopg say, in English everywhere, when nobody answers.
NO_ANSWER = (
    "Connection refused",
    "failed to resolve host",
    "could not translate host name",
    "timeout expired",
    "No route to host",
    "Network is unreachable",
    "server closed the connection unexpectedly",
)


def connect(
    endpoint: Endpoint,
    *,
    application_name: str,
    autocommit: bool = False,
    read_only: bool = False,
) -> psycopg.Connection:
    """Open a connection.

    Args:
        endpoint: server, user and database.
        application_name: what `pg_stat_activity` shows, and who a waiting process is told about.
        autocommit: commit every statement by itself.
        read_only: refuse statements that write.

    Raises:
        GranaryError: no server answers, the password is wrong, the database does not exist, or the
            server refuses for a reason of its own.
    """
    try:
        connection = psycopg.connect(
            endpoint.conninfo(),
            connect_timeout=CONNECT_SECONDS,
            application_name=application_name,
            autocommit=autocommit,
        )
    except psycopg.OperationalError as error:
        raise _explain(endpoint, error) from error
    connection.read_only = read_only
    return connection


def _explain(endpoint: Endpoint, error: psycopg.OperationalError) -> GranaryError:
    server = f"{endpoint.host}:{endpoint.port}"
    text = str(error)
    if any(phrase in text for phrase in NO_ANSWER):
        return GranaryError(
            f"No PostgreSQL server answers at {server}.",
            "Start the embedded one with `granary up`; "
            "for another server check GRANARY_PGHOST and GRANARY_PGPORT, and that it is running.",
        )
    if "password authentication failed" in text or "no password supplied" in text:
        return GranaryError(
            f"PostgreSQL at {server} refused the password of user {endpoint.user}.",
            "Check GRANARY_PGUSER and GRANARY_PGPASSWORD; "
            "passwords of Granary's own roles are set by `granary up`.",
        )
    if f'database "{endpoint.database}" does not exist' in text:
        return GranaryError(
            f"PostgreSQL at {server} has no database {endpoint.database}.",
            "Make Granary's databases with `granary up`, or check GRANARY_PGDATABASE.",
        )
    return GranaryError(
        f"PostgreSQL at {server} refused user {endpoint.user}: {text}.",
        "Mend what the server names, then try again.",
    )
