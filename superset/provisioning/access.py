"""Users, roles and row-level rules."""

from typing import Any

from refusal import Refusal
from superset.connectors.sqla.models import RowLevelSecurityFilter, SqlaTable
from superset.models.core import Database

from superset import db, security_manager


def apply_users(users: list[dict[str, Any]]) -> None:
    """Make the users that are missing, and give each the one role that is theirs.

    A user who is there keeps their password, unless `set_password` says otherwise.
    """
    for wanted in users:
        role = security_manager.find_role(wanted["role"]) or security_manager.add_role(
            wanted["role"]
        )
        user = security_manager.find_user(username=wanted["name"])
        if user is None:
            made = security_manager.add_user(
                wanted["name"],
                wanted["first_name"],
                wanted["last_name"],
                f"{wanted['name']}@granary.invalid",
                role,
                password=wanted["password"],
            )
            if not made:
                raise Refusal(f"Superset did not make the user {wanted['name']}.")
            continue
        user.roles = [role]
        if wanted["set_password"]:
            security_manager.reset_password(user.id, wanted["password"])
    db.session.commit()


def apply_roles(roles: list[dict[str, Any]]) -> None:
    """Give each role exactly the permissions that are named, and the datasets."""
    datasets = _datasets()
    databases = {str(database.uuid): database for database in db.session.query(Database)}
    for wanted in roles:
        role = security_manager.add_role(wanted["name"])
        permissions = [
            permission
            for name in wanted["like"]
            for permission in security_manager.find_role(name).permissions
        ]
        permissions += [
            _permission(role.name, permission, view) for permission, view in wanted["permissions"]
        ]
        permissions += [
            security_manager.add_permission_view_menu("datasource_access", datasets[uuid].perm)
            for uuid in wanted["datasets"]
        ]
        permissions += [
            security_manager.add_permission_view_menu("database_access", databases[uuid].perm)
            for uuid in wanted["databases"]
        ]
        role.permissions = list(dict.fromkeys(permissions))
    db.session.commit()


def apply_rules(rules: list[dict[str, Any]], removed: list[str]) -> None:
    """Make, change and remove row-level rules by name."""
    datasets = _datasets()
    known = {rule.name: rule for rule in db.session.query(RowLevelSecurityFilter)}
    for wanted in rules:
        rule = known.get(wanted["name"])
        if rule is None:
            rule = RowLevelSecurityFilter(name=wanted["name"])
            db.session.add(rule)
        rule.description = wanted["description"]
        rule.filter_type = wanted["type"]
        rule.clause = wanted["clause"]
        rule.group_key = wanted["group_key"]
        rule.roles = [security_manager.find_role(name) for name in wanted["roles"]]
        rule.tables = [datasets[uuid] for uuid in wanted["datasets"]]
    for name in removed:
        if name in known:
            db.session.delete(known[name])
    db.session.commit()


def _datasets() -> dict[str, SqlaTable]:
    return {str(dataset.uuid): dataset for dataset in db.session.query(SqlaTable)}


def _permission(role: str, permission: str, view: str) -> Any:
    found = security_manager.find_permission_view_menu(permission, view)
    if found is None:
        raise Refusal(
            f'superset/security.yaml gives {role} the permission "{permission}" on "{view}", '
            "which this version of Superset does not have."
        )
    return found
