"""The way of `granary forget`: every step can be done again, so what was cut off is completed."""

from dataclasses import dataclass

from granary.errors import GranaryError
from granary.landing.contract import load_contracts, load_tenants
from granary.landing.files import discover
from granary.landing.places import open_places
from granary.pipeline import Pipeline
from granary.privacy.files import StillNamed, clean_logs, find_in_home, find_in_landing
from granary.privacy.forget import (
    Counts,
    Request,
    check_reason,
    find_request,
    finish,
    identify,
    names_of,
    remove_landed,
    set_apart,
    sweep,
)
from granary.privacy.letters import naming
from granary.privacy.person import Feeds, Person, feeds_of
from granary.privacy.secret import Secret, make_secret
from granary.reporter import Reporter, counted
from granary.settings import CONTRACTS

LANDED = ("ops.dead_letter", "raw.refused_line")


@dataclass
class Forgetting:
    """One person on the way out.

    Attributes:
        found: rows by table, before anything was removed.
        request: what is recorded of it, None at first.
    """

    pipeline: Pipeline
    reporter: Reporter
    person: Person
    feeds: Feeds
    secret: Secret
    found: Counts
    request: Request | None

    @property
    def is_held(self) -> bool:
        """Whether anything of the person is left to remove."""
        return bool(self.found) or (self.request is not None and self.request.status == "started")

    def environments(self) -> list[str]:
        """Name the environments that have to go: their tables are not recomputed."""
        with self.pipeline.alone("forget"), self.pipeline.models() as models:
            return models.environments()

    def run(self, reason: str) -> bool:
        """Remove the person everywhere.

        Returns:
            Whether nothing of ours names the person any more. The request stays open otherwise.
        """
        check_reason(reason, self.person)
        gateway, pipeline = self.pipeline.gateway, self.pipeline
        words = naming({self.person.value, *names_of(gateway, self.person, self.feeds)})
        is_built = pipeline.freshness().is_built
        with pipeline.alone("forget"), self.reporter.step("Forget") as step:
            logs = self._leave_prod_alone() if is_built else set()
            identity, counts = identify(gateway, self.person, self.feeds)
            with gateway.operations() as connection:
                request = remove_landed(
                    connection, identity, self.feeds, self.secret, self.request, reason, counts
                )
            with gateway.models() as connection:
                set_apart(connection, identity, request, logs)
            step.result = (
                f"{counted(sum(counts.values()), 'row')} of {counted(len(counts), 'table')}"
            )
        if is_built:
            pipeline.run()
        with pipeline.alone("forget"), self.reporter.step("Clean up") as step:
            identity, _ = identify(gateway, self.person, self.feeds)
            with gateway.models() as connection:
                swept = sweep(connection, identity)
            raw = [contract.table for contract in self.feeds.all]
            gateway.purge([*raw, *LANDED, *(table.sql for table in swept)])
            lines = clean_logs(pipeline.settings.home_path, words)
            left = list(find_in_home(pipeline.settings.home_path, words))
            if not left:
                with gateway.operations() as connection:
                    finish(connection, request)
            step.result = (
                f"{counted(len(swept), 'table')} swept, {counted(lines, 'line')} of logs removed"
            )
        self._tell(left)
        return not left

    def _leave_prod_alone(self) -> set[str]:
        with self.pipeline.models() as models:
            for name in models.environments():
                models.drop(name)
                self.pipeline.frontend.remove(name)
                self.reporter.line(f"Dropped {name}; make it anew with: granary plan {name}")
            models.remove_unused()
            return models.daily_tables("load_date")

    def _tell(self, left: list[StillNamed]) -> None:
        for file in left:
            self.reporter.error(
                f"{file.where} still names the person in {file.lines} lines. Remove them, then run "
                "the command again."
            )
        settings = self.pipeline.settings
        contracts = load_contracts(CONTRACTS)
        found = discover(open_places(settings), contracts, load_tenants(CONTRACTS / "tenants.yaml"))
        feeds = {contract.feed for contract in self.feeds.all}
        theirs = [
            file
            for file in found.files
            if file.tenant_id == self.person.tenant_id and file.feed in feeds
        ]
        named = list(find_in_landing(theirs, naming([self.person.value])))
        for one in named:
            if isinstance(one, StillNamed):
                self.reporter.line(f"{one.where}: {one.lines} lines name the person.")
            else:
                self.reporter.warn(str(one))
        if named:
            self.reporter.line(
                f"These files are the sender's and were not changed. Delete them, or let "
                f"{self.person.tenant_id} send them anew; lines of the person will be refused."
            )


def prepare(pipeline: Pipeline, reporter: Reporter, tenant_id: str, value: str) -> Forgetting:
    """Look what is held of a person.

    Raises:
        GranaryError: the tenant is unknown, or it knows no such person and never did.
    """
    feeds = feeds_of(tenant_id, load_contracts(CONTRACTS), load_tenants(CONTRACTS / "tenants.yaml"))
    person = Person(feeds.domain, tenant_id, feeds.subject, value)
    secret = make_secret(pipeline.settings.home_path)
    pipeline.freshness()
    with pipeline.gateway.operations() as connection:
        request = find_request(connection, person, secret)
    _, found = identify(pipeline.gateway, person, feeds)
    if not found and request is None:
        raise GranaryError(
            f"{tenant_id} has sent nothing about a {feeds.subject} like this.",
            "Check the id as the sender writes it. Nothing was changed.",
        )
    return Forgetting(pipeline, reporter, person, feeds, secret, found, request)
