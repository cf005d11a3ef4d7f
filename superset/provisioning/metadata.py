"""Superset's own tables, permissions and roles."""

from pathlib import Path

from flask_migrate import upgrade

import superset


def migrate() -> None:
    """Bring the tables to this version."""
    upgrade(directory=str(Path(superset.__file__).parent / "migrations"))


def initialise() -> None:
    """Make the permissions of this version, and the roles that Superset brings along."""
    from superset import appbuilder, security_manager

    appbuilder.add_permissions(update_perms=True)
    security_manager.sync_role_definitions()
