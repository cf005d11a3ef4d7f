"""The warehouse's endpoints, from settings: on the embedded server or on any other."""

from dataclasses import dataclass

from granary.errors import GranaryError
from granary.postgres.bootstrap import (
    LOADER,
    READER,
    SUPERSET,
    TRANSFORMER,
    bootstrap,
    state_database,
    superset_database,
)
from granary.postgres.cluster import Cluster
from granary.postgres.connection import connect
from granary.postgres.endpoint import Endpoint
from granary.postgres.record import RolePasswords, home_lock, read_record, record_path, write_record
from granary.settings import Settings

__all__ = ["Warehouse", "connect", "ensure", "resolve"]


@dataclass(frozen=True)
class Warehouse:
    """Who connects to what; on the warehouse's database where no other is named.

    Attributes:
        loader: writes raw and ops.
        transformer: reads raw, owns the rest.
        reader: reads semantic schemas.
        admin: on the database `postgres`; makes roles and databases.
        state: the transformer, on the database of SQLMesh's state.
        superset: owner of the database of Superset's metadata.
    """

    loader: Endpoint
    transformer: Endpoint
    reader: Endpoint
    admin: Endpoint
    state: Endpoint
    superset: Endpoint


def resolve(settings: Settings) -> Warehouse:
    """The endpoints that settings stand for; touches no server.

    Raises:
        GranaryError: the gateway is not PostgreSQL, or the embedded server was never started.
    """
    admin = _admin(settings)
    passwords = _role_passwords(settings)
    warehouse = admin.for_database(settings.pgdatabase)
    transformer = _as(warehouse, TRANSFORMER, passwords.transformer)
    return Warehouse(
        loader=_as(warehouse, LOADER, passwords.loader),
        transformer=transformer,
        reader=_as(warehouse, READER, passwords.reader),
        admin=admin,
        state=transformer.for_database(state_database(settings.pgdatabase)),
        superset=_as(
            warehouse.for_database(superset_database(settings.pgdatabase)),
            SUPERSET,
            passwords.superset,
        ),
    )


def ensure(settings: Settings) -> Warehouse:
    """Start the embedded server if it is the one meant, set the server up, and resolve.

    Raises:
        GranaryError: the server does not start or answer, or it cannot be set up.
    """
    if settings.embedded:
        Cluster(settings.home_path).start()
    warehouse = resolve(settings)
    bootstrap(warehouse.admin, _role_passwords(settings), database=settings.pgdatabase)
    return warehouse


def _admin(settings: Settings) -> Endpoint:
    if settings.embedded:
        return Cluster(settings.home_path).admin
    if settings.pghost is None:
        raise GranaryError(
            f"The gateway {settings.gateway} has no PostgreSQL server.",
            "Set GRANARY_GATEWAY=postgres.",
        )
    return Endpoint(
        settings.pghost, settings.pgport, settings.pguser, settings.pgpassword, "postgres"
    )


def _role_passwords(settings: Settings) -> RolePasswords:
    """The roles' passwords, made up and remembered when they are first asked for."""
    home = settings.home_path.resolve()
    if not record_path(home).exists():
        with home_lock(home):
            if not record_path(home).exists():
                write_record(read_record(home))
    return read_record(home).roles


def _as(endpoint: Endpoint, user: str, password: str) -> Endpoint:
    return Endpoint(endpoint.host, endpoint.port, user, password, endpoint.database)
