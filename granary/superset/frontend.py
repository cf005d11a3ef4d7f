"""Superset as the verbs see it: start, stop, bring up to date, tell."""

import fcntl
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import yaml

from granary.dashboards.bundle import Bundle
from granary.dashboards.identity import DATABASE_UUID
from granary.errors import GranaryError
from granary.landing.contract import load_tenants
from granary.postgres.connection import connect
from granary.postgres.warehouse import Warehouse, resolve
from granary.settings import PROJECT, Settings
from granary.superset import security as rules
from granary.superset.changes import (
    Changes,
    Wanted,
    compare,
    datasets_of,
    hash_of,
    wanted_assets,
)
from granary.superset.credentials import make_private_folder, passwords_of, secrets_of
from granary.superset.installation import install, is_installed, lock_hash
from granary.superset.metadata import Asset, Metadata, open_metadata
from granary.superset.places import SECURITY, SUPERSET, Places
from granary.superset.provisioning import Request, provision
from granary.superset.runtime import uri, write_runtime
from granary.superset.server import Server

PROD = "prod"
SCHEMA = "semantic"
DATABASE_FILE = "databases/Granary.yaml"
MASK = "XXXXXXXXXX"
RULE_PREFIX = "Granary: "
COLUMNS = """
SELECT table_schema, table_name, ARRAY_AGG(column_name::TEXT)
FROM information_schema.columns
WHERE table_schema = %s
GROUP BY table_schema, table_name
"""
SCHEMAS = """
SELECT nspname FROM pg_namespace
WHERE nspname = %(schema)s OR STARTS_WITH(nspname, %(schema)s || '__')
ORDER BY nspname
"""


@dataclass(frozen=True)
class Outcome:
    """What bringing Superset up to date did.

    Attributes:
        changes: what differed.
        kept: titles of assets that should go and stay, for somebody's own work needs them.
    """

    changes: Changes
    kept: list[str]


class Frontend:
    """The Superset of one home."""

    def __init__(self, settings: Settings) -> None:
        """Remember the settings; touches nothing yet."""
        self._settings = settings
        self.places = Places(settings.home_path)
        self.server = Server(self.places, settings.superset_host, settings.superset_port)

    @property
    def why_none(self) -> str | None:
        """Why there are no dashboards here; None when there are."""
        if self._settings.gateway != "postgres":
            return f"the gateway {self._settings.gateway} has none; they need PostgreSQL"
        if not SUPERSET.exists():
            return f"there is no folder {SUPERSET}"
        return None

    def require(self) -> None:
        """Make sure that there can be dashboards.

        Raises:
            GranaryError: there cannot be any here.
        """
        if self.why_none:
            raise GranaryError(
                f"There are no dashboards here: {self.why_none}.",
                "Set GRANARY_GATEWAY=postgres in a whole checkout.",
            )

    @property
    def admin(self) -> str:
        """The user who may do everything."""
        return rules.load_security(SECURITY).admin.user

    def describe(self) -> str:
        """Where it is, and how one gets in."""
        return f"{self.server.url}, user {self.admin}, password in {self.places.passwords}"

    def is_set_up(self) -> bool:
        """Whether there is a Superset whose figures have to be kept fresh."""
        if self.why_none or not self.places.runtime.exists():
            return False
        with open_metadata(self._warehouse.superset) as metadata:
            return metadata.is_there()

    def install(self) -> None:
        """Install Superset, unless it is."""
        self.require()
        install()

    def is_installed(self) -> bool:
        """Whether Superset is installed as its lock file says."""
        return is_installed()

    def start(self) -> None:
        """Start the server, or start it anew when its configuration changed."""
        with self._alone():
            write_runtime(self.places, self._settings, self._warehouse.superset)
            if not self.server.is_current():
                self.server.launch()
                self.server.wait()

    def stop(self) -> bool:
        """End the server; False when none ran."""
        if not self.places.folder.exists():
            return False
        with self._alone():
            return self.server.stop()

    def destroy(self) -> None:
        """End the server, remove secrets, passwords and caches; the database is the gateway's."""
        self.stop()
        if self.places.folder.exists():
            shutil.rmtree(self.places.folder)

    def compare(self, bundle: Bundle) -> Changes:
        """Compare a bundle with what Superset holds; changes nothing, starts nothing.

        Raises:
            GranaryError: the environment does not exist, or lacks tables or columns.
        """
        self.require()
        return self._look(bundle).changes

    def synchronise(
        self,
        bundle: Bundle,
        show: Callable[[Changes], None] = lambda _: None,
        *,
        serve: bool = False,
    ) -> Outcome:
        """Make Superset hold what a bundle says, setting it up when it is new.

        Args:
            bundle: what an environment should show.
            show: is told what differs before it is changed.
            serve: start the server as well, as soon as its tables are there.

        Raises:
            GranaryError: the environment does not exist or lacks tables or columns, or Superset
                refuses.
        """
        self.require()
        with self._alone():
            write_runtime(self.places, self._settings, self._warehouse.superset)
            look = self._look(bundle)
            show(look.changes)
            launch = serve and not self.server.is_current()
            if not look.changes:
                if launch:
                    self.server.launch()
                    self.server.wait()
                return Outcome(look.changes, [])
            outcome = self._apply(look, self.server.launch if launch else lambda: None)
            if launch:
                self.server.wait()
            return outcome

    def remove(self, environment: str) -> int:
        """Remove what shows an environment; returns how many dashboards went.

        Nothing happens when Superset was never set up.
        """
        if not self.is_set_up():
            return 0
        with self._alone():
            look = self._look(Bundle(environment, {}, ""), check=False)
            if look.changes:
                self._apply(look, lambda: None)
            return sum(one.kind == "dashboard" for one in look.changes.removed)

    def bust(self, environment: str) -> None:
        """Let no chart show figures of an environment from before now."""
        if self.is_set_up():
            with open_metadata(self._warehouse.superset) as metadata:
                metadata.bust(schema_of(environment))

    def environments(self) -> list[str]:
        """The environments that can have dashboards, as the warehouse's schemas tell."""
        with connect(self._warehouse.reader, application_name="granary dashboards") as connection:
            names = [name for (name,) in connection.execute(SCHEMAS, {"schema": SCHEMA})]
        return [PROD if name == SCHEMA else name.removeprefix(f"{SCHEMA}__") for name in names]

    def shipped_charts(self) -> set[str]:
        """The uuids of the charts that Granary made, of every environment."""
        with open_metadata(self._warehouse.superset) as metadata:
            return {one.uuid for one in metadata.assets().values() if one.kind == "chart"}

    @property
    def _warehouse(self) -> Warehouse:
        return resolve(self._settings)

    def _tenants(self) -> list[str]:
        domains = load_tenants(PROJECT / "contracts" / "tenants.yaml")
        return sorted({tenant for tenants in domains.values() for tenant in tenants})

    def _look(self, bundle: Bundle, *, check: bool = True) -> "_Look":
        warehouse, tenants = self._warehouse, self._tenants()
        wanted = wanted_assets(bundle)
        if check:
            self._check_tables(bundle.environment, wanted)
        security = rules.load_security(SECURITY)
        passwords = passwords_of(self.places, rules.users_of(security, tenants))
        secret_key = secrets_of(self.places)["secret_key"]
        reader = warehouse.reader
        database = _database_file(uri(reader, MASK))
        wanted = [*wanted_assets(Bundle(PROD, {DATABASE_FILE: database}, "")), *wanted]
        with open_metadata(warehouse.superset) as metadata:
            is_there = metadata.is_there()
            done = metadata.done() if is_there else {}
            made = metadata.assets() if is_there else {}
            stored = metadata.stored() if is_there else {}
            known = metadata.datasets() if is_there else []
            going = {
                one.uuid for one in compare(bundle.environment, wanted, made, stored, []).removed
            }
            own = datasets_of(bundle, wanted)
            fresh = {one.uuid for one in own}
            datasets = [*own, *(one for one in known if one.uuid not in fresh | going)]
            datasets.sort(key=lambda one: one.uuid)
            rules.check_public(security, SECURITY, datasets)
            access = rules.access_to(security, tenants, datasets)
            names = _names(access)
            doing = {
                "software": hash_of([lock_hash(), secret_key]),
                "connection": hash_of([reader.password, secret_key]),
                "access": hash_of([access.roles, access.rules, access.users]),
                **{f"password of {user}": hash_of(word) for user, word in passwords.items()},
            }
            other = _other_changes(doing, done)
            if is_there and done.get("access") == doing["access"]:
                now = metadata.stored_access(*names)
                if now != done.get("stored access"):
                    other.append("! roles, users and rules (edited in Superset)")
            changes = compare(bundle.environment, wanted, made, stored, other)
            old_rules = metadata.rules(RULE_PREFIX) if is_there else []
        users = [
            {
                **user,
                "first_name": user["name"].split("_")[0].capitalize(),
                "last_name": " ".join(user["name"].split("_")[1:]) or "of Granary",
                "password": passwords[user["name"]],
                "set_password": done.get(f"password of {user['name']}")
                != doing[f"password of {user['name']}"],
            }
            for user in access.users
        ]
        request = Request(
            migrate=done.get("software") != doing["software"],
            admin=security.admin.user,
            users=users,
            bundles=[{"files": {**_metadata_file(), **bundle.files, DATABASE_FILE: database}}],
            database_passwords={DATABASE_FILE: reader.password},
            roles=access.roles,
            rules=access.rules,
            removed_rules=sorted(set(old_rules) - set(names[2])),
            removed=[{"kind": one.kind, "uuid": one.uuid} for one in changes.removed],
        )
        lost_key = is_there and done.get("connection") != doing["connection"]
        return _Look(bundle.environment, wanted, changes, doing, request, names, lost_key)

    def _apply(self, look: "_Look", on_migrated: Callable[[], None]) -> Outcome:
        if look.lost_key:
            with open_metadata(self._warehouse.superset) as metadata:
                metadata.forget_password()
        kept = provision(self.places, look.request, on_migrated)
        with open_metadata(self._warehouse.superset) as metadata:
            metadata.prepare()
            titles = _remember(metadata, look, kept)
        return Outcome(look.changes, titles)

    def _check_tables(self, environment: str, wanted: Sequence[Wanted]) -> None:
        schema = schema_of(environment)
        with connect(self._warehouse.reader, application_name="granary dashboards") as connection:
            there = {
                table: set(columns) for _, table, columns in connection.execute(COLUMNS, [schema])
            }
        if not there:
            raise self._no_environment(environment)
        lacking = []
        for one in wanted:
            if one.kind != "dataset":
                continue
            columns = {
                column["column_name"]
                for column in one.content["columns"]
                if not column.get("expression")
            }
            if one.title not in there:
                lacking.append(f"{schema}.{one.title}")
            else:
                lacking += [
                    f"{schema}.{one.title}.{column}"
                    for column in sorted(columns - there[one.title])
                ]
        if lacking:
            how = "granary promote ENV" if environment == PROD else f"granary plan {environment}"
            raise GranaryError(
                f"The dashboards need what {environment} lacks: {', '.join(lacking)}.",
                f"Bring {environment} to the checkout's models first: {how}"
                + (", or granary plan prod" if environment == PROD else ""),
            )

    def _no_environment(self, environment: str) -> GranaryError:
        known = self.environments()
        close = get_close_matches(environment, known, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        return GranaryError(
            f"There is no environment {environment}; there are: {', '.join(known) or 'none'}.{hint}",
            f"Make it with: granary plan {environment}",
        )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        make_private_folder(self.places.folder)
        with self.places.lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


@dataclass(frozen=True)
class _Look:
    """A comparison, and what follows from it.

    Attributes:
        doing: fingerprints to remember when it is done.
        names: of our roles, users and rules.
        lost_key: the stored password of the warehouse can no longer be read, or is not the one.
    """

    environment: str
    wanted: list[Wanted]
    changes: Changes
    doing: dict[str, str]
    request: Request
    names: tuple[list[str], list[str], list[str]]
    lost_key: bool


def schema_of(environment: str) -> str:
    """The schema of an environment's semantic tables."""
    return SCHEMA if environment == PROD else f"{SCHEMA}__{environment}"


def _remember(metadata: Metadata, look: _Look, kept: list[str]) -> list[str]:
    stored = metadata.stored()
    made = [
        Asset(
            one.uuid,
            PROD if one.kind == "database" else look.environment,
            one.kind,
            one.title,
            one.fingerprint,
            stored[one.uuid],
        )
        for one in look.wanted
    ]
    gone = [one.uuid for one in look.changes.removed if one.uuid not in kept]
    metadata.remember_assets(made, gone)
    access = metadata.stored_access(*look.names)
    metadata.remember_done({**look.doing, "stored access": access})
    return [f"{one.kind} {one.title}" for one in look.changes.removed if one.uuid in kept]


def _names(access: rules.Access) -> tuple[list[str], list[str], list[str]]:
    return (
        [role["name"] for role in access.roles],
        [user["name"] for user in access.users],
        [rule["name"] for rule in access.rules],
    )


def _other_changes(doing: dict[str, str], done: dict[str, str]) -> list[str]:
    if not done:
        return ["+ Superset's own tables, roles and users (new)"]
    lines = {
        "software": "~ Superset's own tables (another version)",
        "connection": "~ connection to the warehouse (changed)",
        "access": "~ roles, users and rules (changed)",
    }
    said = [line for what, line in lines.items() if done.get(what) != doing[what]]
    words = [
        what for what in doing if what.startswith("password") and done.get(what) != doing[what]
    ]
    return said + [f"~ {what} (changed)" for what in words]


def _metadata_file() -> dict[str, str]:
    content = {"version": "1.0.0", "type": "assets", "timestamp": "2026-01-01T00:00:00+00:00"}
    return {"metadata.yaml": yaml.safe_dump(content)}


def _database_file(sqlalchemy_uri: str) -> str:
    extra: dict[str, Any] = {
        "allows_virtual_table_explore": True,
        "metadata_params": {},
        "metadata_cache_timeout": {},
        "engine_params": {},
        "schemas_allowed_for_csv_upload": [],
    }
    return yaml.safe_dump(
        {
            "database_name": "Granary",
            "sqlalchemy_uri": sqlalchemy_uri,
            "cache_timeout": None,
            "expose_in_sqllab": True,
            "allow_run_async": False,
            "allow_ctas": False,
            "allow_cvas": False,
            "allow_dml": False,
            "allow_csv_upload": False,
            "impersonate_user": False,
            "extra": extra,
            "uuid": str(DATABASE_UUID),
            "version": "1.0.0",
        },
        sort_keys=False,
    )
