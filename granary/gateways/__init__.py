"""Where the warehouse lives: PostgreSQL or one DuckDB file, behind one interface."""

from granary.gateways.base import Gateway
from granary.settings import Settings


def open_gateway(settings: Settings) -> Gateway:
    """The gateway that settings name; nothing is started or connected yet."""
    if settings.gateway == "duckdb":
        from granary.gateways.duckdb import DuckDBGateway

        return DuckDBGateway(settings)
    from granary.gateways.postgres import PostgresGateway

    return PostgresGateway(settings)
