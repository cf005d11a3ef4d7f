"""Who an asset is: the same everywhere at every build, and another one in every environment."""

from typing import Literal
from uuid import UUID, uuid5

PROD = "prod"
SCHEMA = "semantic"
NAMESPACE = UUID("0d5a2c1e-4f0b-5c3d-9a86-2b7f6e1d9c40")

Kind = Literal["database", "dataset", "chart", "dashboard"]


def asset_uuid(environment: str, kind: Kind, key: str) -> UUID:
    """The uuid of an asset; `key` tells it from the others of its kind."""
    return uuid5(NAMESPACE, f"{environment}/{kind}/{key}")


DATABASE_UUID = asset_uuid(PROD, "database", "granary")


def schema_of(environment: str) -> str:
    """Where an environment's tables are."""
    return SCHEMA if environment == PROD else f"{SCHEMA}__{environment}"


def title_in(environment: str, title: str) -> str:
    """A title as people see it: outside prod it ends in the environment."""
    return title if environment == PROD else f"{title} [{environment}]"


def slug_in(environment: str, slug: str) -> str:
    """The last part of a dashboard's address."""
    return slug if environment == PROD else f"{slug}-{environment}"
