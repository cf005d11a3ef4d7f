"""superset/security.yaml, and what follows from it for the datasets that are there."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from granary.dashboards.identity import DATABASE_UUID
from granary.errors import GranaryError
from granary.yaml_files import YamlFile

ADMIN_ROLE = "Admin"
ANALYST_ROLE = "Granary analyst"
TENANT_PLACE = "{tenant}"
RULE_PREFIX = "Granary: "
BASE_RULE = f"{RULE_PREFIX}nothing without a rule"
PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]+")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AdminSpec(_Strict):
    """Who administers Superset."""

    user: str = Field(pattern=r"^[a-z0-9_.-]+$")


class AnalystSpec(_Strict):
    """Who sees all: user name, roles of Superset that theirs is like, more permissions by view."""

    user: str = Field(pattern=r"^[a-z0-9_.-]+$")
    like: list[str]
    permissions: dict[str, list[str]]


class ViewerSpec(_Strict):
    """Who sees the rows of one tenant: user name, environments, permissions by view."""

    user: str = Field(pattern=r"^[a-z0-9_.-]*\{tenant\}[a-z0-9_.-]*$")
    environments: list[str]
    permissions: dict[str, list[str]]


class Security(_Strict):
    """The content of security.yaml."""

    tenant_column: str
    public: list[str]
    internal: list[str]
    admin: AdminSpec
    analyst: AnalystSpec
    viewer: ViewerSpec


@dataclass(frozen=True)
class Dataset:
    """A dataset in Superset.

    Attributes:
        environment: whose it is; None when somebody made it by hand.
        columns: their names.
    """

    uuid: str
    table: str
    environment: str | None
    columns: frozenset[str]


@dataclass(frozen=True)
class Access:
    """Who may do and see what, in the terms of Superset's tables; all in a fixed order."""

    admin: str
    roles: list[dict[str, Any]]
    rules: list[dict[str, Any]]
    users: list[dict[str, Any]]


def load_security(path: Path) -> Security:
    """Read the file.

    Raises:
        GranaryError: it is not of this form; names file, line and key.
    """
    security: Security = YamlFile(path).read_as(Security)
    return security


def check_public(security: Security, path: Path, datasets: Iterable[Dataset]) -> None:
    """Make sure that no dataset is open to all that has rows of tenants.

    Raises:
        GranaryError: one has the tenant column.
    """
    for dataset in datasets:
        if _is_public(security, dataset) and security.tenant_column in dataset.columns:
            raise YamlFile(path).fault(
                ("public",),
                f"{dataset.table} has the column {security.tenant_column}, so its rows belong to "
                "tenants.",
                "Take it from the list, or the column from the table.",
            )


def access_to(
    security: Security,
    tenants: Sequence[str],
    datasets: Sequence[Dataset],
) -> Access:
    """Work out roles and rules for the datasets that are there.

    Args:
        tenants: whose rows there may be.
        datasets: all on the warehouse, of every environment and made by hand.

    Raises:
        GranaryError: the name of a tenant cannot stand in a rule.
    """
    closed = [dataset.uuid for dataset in datasets if security.tenant_column in dataset.columns]
    seen = [dataset.uuid for dataset in datasets if _may_view(security, dataset)]
    viewers = [
        {
            "name": _tenant_role(tenant),
            "like": [],
            "permissions": _pairs(security.viewer.permissions),
            "datasets": seen,
            "databases": [],
        }
        for tenant in tenants
    ]
    analyst = {
        "name": ANALYST_ROLE,
        "like": security.analyst.like,
        "permissions": _pairs(security.analyst.permissions),
        "datasets": [],
        "databases": [str(DATABASE_UUID)],
    }
    # Rules of one group are joined by OR: a tenant sees nothing or its own, and nothing when its
    # own rule is lost.
    base = _rule(BASE_RULE, "Base", "1 = 0", [ADMIN_ROLE, ANALYST_ROLE], closed)
    own = [
        _rule(
            f"{RULE_PREFIX}rows of {tenant}",
            "Regular",
            f"{security.tenant_column} = '{_plain(tenant)}'",
            [_tenant_role(tenant)],
            closed,
        )
        for tenant in tenants
    ]
    users = [
        _user(security.admin.user, ADMIN_ROLE, "Granary", "admin"),
        _user(security.analyst.user, ANALYST_ROLE, "Granary", "analyst"),
        *(
            _user(
                security.viewer.user.replace(TENANT_PLACE, tenant),
                _tenant_role(tenant),
                "Viewer of",
                tenant,
            )
            for tenant in tenants
        ),
    ]
    return Access(security.admin.user, [analyst, *viewers], [base, *own], users)


def _pairs(permissions: Mapping[str, list[str]]) -> list[list[str]]:
    return [[name, view] for view, names in permissions.items() for name in names]


def _may_view(security: Security, dataset: Dataset) -> bool:
    return (
        dataset.environment in security.viewer.environments
        and not _matches(dataset.table, security.internal)
        and (_is_public(security, dataset) or security.tenant_column in dataset.columns)
    )


def _is_public(security: Security, dataset: Dataset) -> bool:
    return _matches(dataset.table, security.public) and not _matches(
        dataset.table, security.internal
    )


def _matches(table: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch(table, pattern) for pattern in patterns)


def _rule(
    name: str, kind: str, clause: str, roles: Sequence[str], datasets: Sequence[str]
) -> dict[str, Any]:
    return {
        "name": name,
        "description": "Made by Granary from superset/security.yaml.",
        "type": kind,
        "clause": clause,
        "group_key": "tenant",
        "roles": list(roles),
        "datasets": list(datasets),
    }


def _user(name: str, role: str, first_name: str, last_name: str) -> dict[str, Any]:
    return {"name": name, "role": role, "first_name": first_name, "last_name": last_name}


def _tenant_role(tenant: str) -> str:
    return f"Granary viewer of {tenant}"


def _plain(tenant: str) -> str:
    if not PLAIN_NAME.fullmatch(tenant):
        raise GranaryError(
            f'The tenant "{tenant}" cannot stand in a rule of Superset.',
            "Give it a name of letters, digits, dots, dashes and underscores in "
            "contracts/tenants.yaml.",
        )
    return tenant
