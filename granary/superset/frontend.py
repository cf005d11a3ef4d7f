"""Superset as the verbs see it: start, stop, bring up to date, tell."""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from granary.dashboards.bundle import Bundle
from granary.errors import GranaryError
from granary.postgres.warehouse import Warehouse, resolve
from granary.settings import Settings
from granary.superset import synchronisation
from granary.superset.changes import Changes, wanted_assets
from granary.superset.credentials import make_private_folder, open_to_others
from granary.superset.installation import install, is_installed
from granary.superset.metadata import open_metadata
from granary.superset.places import SECURITY, SUPERSET, Places
from granary.superset.runtime import write_runtime
from granary.superset.security import load_security
from granary.superset.server import Server
from granary.superset.synchronisation import Look, is_migrated
from granary.superset.tables import PROD, check_tables, environments, schema_of


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
            return f"they need PostgreSQL, and the gateway is {self._settings.gateway}"
        if not SUPERSET.exists():
            return f"there is no folder {SUPERSET}"
        return None

    @property
    def admin(self) -> str:
        """The user who may do everything."""
        return load_security(SECURITY).admin.user

    def require(self) -> None:
        """Make sure that there can be dashboards.

        Raises:
            GranaryError: there cannot be any here.
        """
        if self.why_none:
            raise GranaryError(
                f"There are no dashboards: {self.why_none}.",
                "Use a whole checkout with GRANARY_GATEWAY=postgres.",
            )

    def describe(self) -> str:
        """Where it is, and how one gets in."""
        return f"{self.server.url}, user {self.admin}, password in {self.places.passwords}"

    def is_set_up(self) -> bool:
        """Whether there is a Superset whose figures have to be kept fresh."""
        if self.why_none or not self.places.runtime.exists():
            return False
        with open_metadata(self._warehouse.superset) as metadata:
            return metadata.is_there()

    def is_installed(self) -> bool:
        """Whether Superset is installed as its lock file says."""
        return is_installed()

    def install(self) -> None:
        """Install Superset, unless it is."""
        install()

    def check(self) -> str:
        """Look whether all is well; gives a finding.

        Raises:
            GranaryError: something is not.
        """
        if not self.places.runtime.exists():
            return "was not set up yet, which `granary up` does"
        again = "Run: granary up"
        if not self.is_installed():
            raise GranaryError("is not installed as its lock file says.", again)
        if readable := open_to_others(self.places):
            names = " ".join(map(str, readable))
            raise GranaryError(f"others can read its secrets: {names}.", f"chmod 600 {names}")
        with open_metadata(self._warehouse.superset) as metadata:
            if not metadata.is_there() or not is_migrated(metadata):
                raise GranaryError("its metadata is lost or of another version.", again)
        if not self.server.is_up():
            self.server.check_port()
            raise GranaryError("is down.", "Start it with: granary up")
        return f"answers at {self.server.url}"

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
        return self._look(bundle).changes

    def synchronise(
        self,
        bundle: Bundle,
        show: Callable[[Changes], None] = lambda _: None,
        *,
        serve: bool = False,
    ) -> Changes:
        """Make Superset hold what a bundle says, setting it up when it is new.

        Args:
            bundle: what an environment should show.
            show: is told what differs before it is changed.
            serve: start the server as well, or anew when its configuration changed.

        Raises:
            GranaryError: the environment does not exist or lacks tables or columns, or Superset
                refuses or does not start.
        """
        with self._alone():
            found = self._look(bundle)
            show(found.changes)
            write_runtime(self.places, self._settings, self._warehouse.superset)
            must_start = serve and (found.request.migrate or not self.server.is_current())
            if found.changes:
                # The server starts while the rest goes on; each takes about as long.
                begin = self.server.launch if must_start else _nothing
                synchronisation.apply(self.places, self._warehouse, found, begin)
            elif must_start:
                self.server.launch()
            if must_start:
                self.server.wait()
            return found.changes

    def remove(self, environment: str) -> int:
        """Remove all that shows an environment; gives the number of its dashboards.

        Nothing happens when Superset was never set up.
        """
        if not self.is_set_up():
            return 0
        with self._alone():
            found = synchronisation.look(
                self.places, self._warehouse, Bundle(environment, {}, fingerprint="")
            )
            if found.changes.removed:
                write_runtime(self.places, self._settings, self._warehouse.superset)
                synchronisation.apply(self.places, self._warehouse, found)
            return sum(one.kind == "dashboard" for one in found.changes.removed)

    def bust(self, environment: str) -> None:
        """Let no chart show figures of an environment from before now."""
        if self.is_set_up():
            with open_metadata(self._warehouse.superset) as metadata:
                metadata.bust(schema_of(environment))

    def gone_environments(self) -> list[str]:
        """Environments that are shown and are no more."""
        if not self.is_set_up():
            return []
        with open_metadata(self._warehouse.superset) as metadata:
            shown = {asset.environment for asset in metadata.assets().values()} - {PROD}
        return sorted(shown - set(environments(self._warehouse.reader))) if shown else []

    def shipped_charts(self) -> set[str]:
        """The uuids of the charts that Granary made, of every environment."""
        with open_metadata(self._warehouse.superset) as metadata:
            return {one.uuid for one in metadata.assets().values() if one.kind == "chart"}

    @property
    def _warehouse(self) -> Warehouse:
        return resolve(self._settings)

    def _look(self, bundle: Bundle) -> Look:
        self.require()
        check_tables(self._warehouse.reader, bundle.environment, wanted_assets(bundle.files))
        return synchronisation.look(self.places, self._warehouse, bundle)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        make_private_folder(self.places.folder)
        with self.places.lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _nothing() -> None:
    """Start no server."""
