"""Databases, datasets, charts and dashboards."""

from collections.abc import Iterator
from contextlib import contextmanager

import yaml
from refusal import Refusal
from superset.commands.exceptions import CommandInvalidError
from superset.commands.importers.v1.assets import ImportAssetsCommand
from superset.connectors.sqla.models import SqlaTable
from superset.models.dashboard import Dashboard
from superset.models.slice import Slice
from superset.utils.core import override_user

from superset import db, security_manager

# In the order of removal: what refers to others goes first.
MODELS = {"dashboard": Dashboard, "chart": Slice, "dataset": SqlaTable}


@contextmanager
def acting_as(user: str) -> Iterator[None]:
    """Do what follows as a user."""
    with override_user(security_manager.find_user(username=user)):
        yield


def import_bundle(files: dict[str, str], passwords: dict[str, str]) -> None:
    """Make or overwrite all assets of a bundle, in one transaction.

    Args:
        files: text by path in the bundle.
        passwords: of databases, by the path of their file.
    """
    _refuse_taken_tables(files)
    try:
        ImportAssetsCommand(dict(files), passwords=passwords).run()
    except Exception as error:
        # run() hides the reason in the cause.
        cause = error if isinstance(error, CommandInvalidError) else error.__cause__ or error
        if isinstance(cause, CommandInvalidError):
            reason = "; ".join(
                f"{path}: {faults}" for path, faults in cause.normalized_messages().items()
            )
        else:
            reason = f"{type(cause).__name__}: {cause}"
        raise Refusal(f"Superset does not accept the dashboards: {reason}") from error


def remove(assets: list[dict[str, str]]) -> None:
    """Remove assets by kind and uuid; those that are gone already are no fault."""
    for kind, model in MODELS.items():
        uuids = [asset["uuid"] for asset in assets if asset["kind"] == kind]
        for found in db.session.query(model).filter(model.uuid.in_(uuids)):
            db.session.delete(found)
        db.session.flush()
    db.session.commit()


def _refuse_taken_tables(files: dict[str, str]) -> None:
    """Somebody's own dataset on the same table would silently become ours."""
    taken = {
        (dataset.schema, dataset.table_name): dataset for dataset in db.session.query(SqlaTable)
    }
    for path, text in files.items():
        if path.startswith("datasets/"):
            wanted = yaml.safe_load(text)
            there = taken.get((wanted["schema"], wanted["table_name"]))
            if there is not None and str(there.uuid) != wanted["uuid"]:
                raise Refusal(
                    f"Somebody made a dataset of {there.schema}.{there.table_name} by hand "
                    f"(number {there.id}), and {path} needs that place. Rename its table or "
                    "remove it in Superset."
                )
