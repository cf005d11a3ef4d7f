"""Making Superset hold what a bundle and security.yaml say: look, then apply."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from granary.dashboards.bundle import Bundle
from granary.landing.contract import load_tenants
from granary.postgres.warehouse import Warehouse
from granary.settings import PROJECT
from granary.superset import security
from granary.superset.changes import (
    Changes,
    Difference,
    Wanted,
    compare_assets,
    datasets_of,
    gone_assets,
    hash_of,
    removals,
    wanted_assets,
)
from granary.superset.connection import DATABASE_FILE, database_file
from granary.superset.credentials import passwords_of, secrets_of
from granary.superset.installation import lock_hash
from granary.superset.metadata import Asset, Metadata, open_metadata
from granary.superset.places import SECURITY, Places
from granary.superset.provisioning import Request, provision
from granary.superset.security import Access, Dataset
from granary.superset.tables import PROD

TENANTS = PROJECT / "contracts" / "tenants.yaml"
METADATA_FILE = {
    "metadata.yaml": yaml.safe_dump(
        {"version": "1.0.0", "type": "assets", "timestamp": "2026-01-01T00:00:00+00:00"}
    )
}
SOFTWARE = "Superset's own tables"
CONNECTION = "connection to the warehouse"
ACCESS = "roles, users and rules"
STORED_ACCESS = "what is stored of roles, users and rules"
PASSWORD = "password of "


@dataclass(frozen=True)
class Look:
    """A comparison, and all that follows from it.

    Attributes:
        environment: whose assets were compared.
        wanted: all that should be there.
        access: roles, rules and users that should be there.
        done: fingerprints to remember when it is done, by what they are of.
        changes: what differs.
        request: what to ask of Superset.
    """

    environment: str
    wanted: list[Wanted]
    access: Access
    done: dict[str, str]
    changes: Changes
    request: Request


@dataclass(frozen=True)
class _Present:
    """What the metadata database holds; all empty before the first set-up."""

    done: dict[str, str]
    assets: dict[str, Asset]
    stored: dict[str, str]
    datasets: list[Dataset]


def look(places: Places, warehouse: Warehouse, bundle: Bundle) -> Look:
    """Compare Superset with a bundle and with security.yaml; starts no process of Superset.

    Raises:
        GranaryError: security.yaml is wrong, or opens rows of tenants to all.
    """
    database = database_file(warehouse.reader)
    wanted = wanted_assets({DATABASE_FILE: database, **bundle.files})
    with open_metadata(warehouse.superset) as metadata:
        present = _present(metadata)
        gone = gone_assets(bundle.environment, wanted, _without_database(present.assets))
        needed = _needed(metadata, gone, wanted)
        going = [one for one in gone if one.uuid not in needed]
        access = _access(_datasets_then(bundle, wanted, present, going))
        passwords = passwords_of(places, [user["name"] for user in access.users])
        done = _fingerprints(places, warehouse, access, passwords)
        differences = [
            *_other_differences(done, present.done),
            *_access_edited(metadata, access, done, present.done),
            *compare_assets(wanted, present.assets, present.stored),
            *removals(gone),
        ]
        old_rules = metadata.rules(security.RULE_PREFIX) if present.done else []
    changes = Changes(differences, gone, [one for one in gone if one.uuid in needed])
    request = Request(
        migrate=done[SOFTWARE] != present.done.get(SOFTWARE),
        admin=access.admin,
        users=_users(access, passwords, done, present.done),
        files={**METADATA_FILE, **bundle.files, DATABASE_FILE: database},
        database_passwords={DATABASE_FILE: warehouse.reader.password},
        roles=access.roles,
        rules=access.rules,
        removed_rules=sorted(set(old_rules) - {rule["name"] for rule in access.rules}),
        removed=[{"kind": one.kind, "uuid": one.uuid} for one in going],
    )
    return Look(bundle.environment, wanted, access, done, changes, request)


def apply(
    places: Places,
    warehouse: Warehouse,
    found: Look,
    on_migrated: Callable[[], None] = lambda: None,
) -> None:
    """Do what a look found to be done, and remember it.

    Args:
        on_migrated: called once Superset's own tables are there, while the rest goes on.

    Raises:
        GranaryError: Superset refuses.
    """
    with open_metadata(warehouse.superset) as metadata:
        if metadata.is_there() and metadata.done().get(CONNECTION) != found.done[CONNECTION]:
            metadata.forget_password()
    provision(places, found.request, on_migrated)
    with open_metadata(warehouse.superset) as metadata:
        metadata.prepare()
        stored = metadata.stored()
        metadata.remember_assets(
            [_made(one, found.environment, stored[one.uuid]) for one in found.wanted],
            # What stays belongs to those who use it.
            [one.uuid for one in found.changes.removed],
        )
        stored_access = _stored_access(metadata, found.access)
        metadata.remember_done({**found.done, STORED_ACCESS: stored_access})


def is_migrated(metadata: Metadata) -> bool:
    """Whether Superset's own tables are those of the installed version."""
    return metadata.done().get(SOFTWARE) == hash_of(lock_hash())


def _present(metadata: Metadata) -> _Present:
    if not metadata.is_there():
        return _Present({}, {}, {}, [])
    return _Present(metadata.done(), metadata.assets(), metadata.stored(), metadata.datasets())


def _without_database(assets: dict[str, Asset]) -> list[Asset]:
    return [one for one in assets.values() if one.kind != "database"]


def _datasets_then(
    bundle: Bundle, wanted: list[Wanted], present: _Present, going: list[Asset]
) -> list[Dataset]:
    """All datasets that there will be, in a fixed order."""
    own = datasets_of(bundle, wanted)
    replaced = {one.uuid for one in own} | {one.uuid for one in going}
    others = [one for one in present.datasets if one.uuid not in replaced]
    return sorted([*own, *others], key=lambda one: one.uuid)


def _needed(metadata: Metadata, gone: list[Asset], wanted: list[Wanted]) -> set[str]:
    if not gone:
        return set()
    return metadata.needed({one.uuid for one in gone}, {one.uuid for one in wanted})


def _access(datasets: Sequence[Dataset]) -> Access:
    spec = security.load_security(SECURITY)
    security.check_public(spec, SECURITY, datasets)
    domains = load_tenants(TENANTS).values()
    tenants = sorted({tenant for tenants in domains for tenant in tenants})
    return security.access_to(spec, tenants, datasets)


def _fingerprints(
    places: Places, warehouse: Warehouse, access: Access, passwords: dict[str, str]
) -> dict[str, str]:
    secret_key = secrets_of(places)["secret_key"]
    return {
        SOFTWARE: hash_of(lock_hash()),
        # Superset keeps the password encrypted with the key.
        CONNECTION: hash_of([warehouse.reader.password, secret_key]),
        ACCESS: hash_of([access.roles, access.rules, access.users]),
        # They have 192 random bits, so that nobody finds them from their hash.
        **{f"{PASSWORD}{user}": hash_of(password) for user, password in passwords.items()},
    }


def _other_differences(done: dict[str, str], before: dict[str, str]) -> list[Difference]:
    return [
        Difference("~" if what in before else "+", what)
        for what in done
        # A password that was never set belongs to a new user, who is told of anyway.
        if before.get(what) != done[what] and (what in before or not what.startswith(PASSWORD))
    ]


def _access_edited(
    metadata: Metadata, access: Access, done: dict[str, str], before: dict[str, str]
) -> list[Difference]:
    if before.get(ACCESS) != done[ACCESS]:
        return []
    is_same = _stored_access(metadata, access) == before.get(STORED_ACCESS)
    return [] if is_same else [Difference("!", ACCESS)]


def _stored_access(metadata: Metadata, access: Access) -> str:
    names = ([one["name"] for one in many] for many in (access.roles, access.users, access.rules))
    return metadata.stored_access(*names)


def _users(
    access: Access, passwords: dict[str, str], done: dict[str, str], before: dict[str, str]
) -> list[dict[str, Any]]:
    """Users with their passwords, which are set when the file says another one than before."""
    return [
        {
            **user,
            "password": passwords[user["name"]],
            "set_password": before.get(f"{PASSWORD}{user['name']}")
            != done[f"{PASSWORD}{user['name']}"],
        }
        for user in access.users
    ]


def _made(one: Wanted, environment: str, stored: str) -> Asset:
    # The connection is the same for all.
    owner = PROD if one.kind == "database" else environment
    return Asset(one.uuid, owner, one.kind, one.title, one.fingerprint, stored)
