"""Ids of assets: the same at every build, different in every environment."""

from uuid import UUID, uuid5

NAMESPACE = UUID("8f0d2c54-6a1e-5b7c-9e43-2d7f1a9b6c30")


def asset_uuid(environment: str, kind: str, key: str) -> UUID:
    """Give the id of an asset.

    Args:
        environment: "prod" or a SQLMesh environment.
        kind: database, dataset, chart or dashboard.
        key: what tells it from others of its kind.
    """
    return uuid5(NAMESPACE, f"{environment}/{kind}/{key}")


DATABASE_UUID = asset_uuid("prod", "database", "granary")
