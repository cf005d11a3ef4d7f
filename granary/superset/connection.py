"""Superset's connection to the warehouse, as the reader."""

from urllib.parse import quote

import yaml

from granary.dashboards.identity import DATABASE_UUID
from granary.postgres.endpoint import Endpoint

DATABASE_FILE = "databases/Granary.yaml"
# Superset's own sign for a password that it is given apart from the file.
MASK = "XXXXXXXXXX"


def database_file(reader: Endpoint) -> str:
    """The file of the database in a bundle; it holds no password."""
    return yaml.safe_dump(
        {
            "database_name": "Granary",
            "sqlalchemy_uri": uri(reader, MASK),
            "cache_timeout": None,
            "expose_in_sqllab": True,
            "allow_run_async": False,
            "allow_ctas": False,
            "allow_cvas": False,
            "allow_dml": False,
            "allow_csv_upload": False,
            "impersonate_user": False,
            "extra": {
                "allows_virtual_table_explore": True,
                "metadata_params": {},
                "metadata_cache_timeout": {},
                "engine_params": {},
                "schemas_allowed_for_csv_upload": [],
            },
            "uuid": str(DATABASE_UUID),
            "version": "1.0.0",
        },
        sort_keys=False,
    )


def uri(endpoint: Endpoint, password: str) -> str:
    """An endpoint as SQLAlchemy names it."""
    user, word, database = (
        quote(part, safe="") for part in (endpoint.user, password, endpoint.database)
    )
    return f"postgresql+psycopg2://{user}:{word}@{endpoint.host}:{endpoint.port}/{database}"
