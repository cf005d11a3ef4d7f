"""The way of a run: start, land, transform; one process, one writer, one line per step."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from granary.clock import utc_now
from granary.dashboards import build_bundle
from granary.errors import GranaryError
from granary.gateways import open_gateway
from granary.gateways.base import Rows
from granary.landing import (
    LandingFile,
    LandingReport,
    LoadBatch,
    land_all,
    land_file,
    load_contracts,
    load_tenants,
)
from granary.landing.contract import Contract
from granary.landing.contract_versions import record_versions
from granary.landing.files import discover
from granary.landing.fit import added_columns
from granary.landing.folder import Outcome, Waiting
from granary.landing.freshness import stale_feeds
from granary.landing.letters import (
    Wanted,
    accept_file,
    close_letters,
    expect_known,
    mend,
    read_mended,
    waiting_files,
    waiting_lines,
)
from granary.landing.places import open_places
from granary.landing.records import parse_csv_record
from granary.landing.replay import replay
from granary.landing.sets import expect_partners, load_sets
from granary.landing.store import Store
from granary.ledger import (
    WaitingLetters,
    count_unusual,
    find_standing,
    latest_extracts,
    retract,
    unusual_since,
    waiting_letters,
)
from granary.metric_definitions import record_definitions
from granary.names import known
from granary.observability.observer import Observer
from granary.postgres.environment import write_dotenv
from granary.reporter import Reporter, Step, counted
from granary.runs import FinishedRun, Freshness, ModelRun, RunLog, project_version
from granary.settings import CONTRACTS, PROJECT, Settings
from granary.superset.changes import Changes
from granary.superset.frontend import Frontend
from granary.tenants import RECENT_DAYS, Mismatch, reconcile, sums
from semantic.registry import load_registry

if TYPE_CHECKING:
    from granary.transformation import Evaluations, TableDifference, Transformation

SETS = CONTRACTS / "sets.yaml"
PROD = "prod"
SHOWN_UNUSUAL = 5
SHOWN_UNKNOWN = 5
Work = Callable[["Transformation", Step], "Evaluations"]


class Pipeline:
    """What the verbs do, on the warehouse that settings name."""

    def __init__(
        self, settings: Settings, reporter: Reporter, observer: Observer | None = None
    ) -> None:
        """Remember the settings; nothing is started yet.

        Args:
            observer: hears what happens; one of its own when not given.
        """
        self.settings = settings
        self.gateway = open_gateway(settings)
        self.frontend = Frontend(settings)
        self._reporter = reporter
        self._observer = observer or Observer(lambda: settings, reporter)

    def start(self) -> None:
        """Bring the warehouse up and let plain `sqlmesh` find it."""
        with self._reporter.step("Warehouse") as step:
            self.gateway.start()
            self._share_connection()
            step.result = f"is up: {self.gateway.describe()}"

    def nothing_to_land(self) -> bool:
        """Say whether no file lies in any of the landing places."""
        return all(place.is_empty() for place in open_places(self.settings))

    def land(self, only: Collection[str] | None = None) -> LandingReport:
        """Land what is new in the landing places.

        Args:
            only: sources of the files to try, with the others of their sets; all when None.
        """
        places, contracts = open_places(self.settings), load_contracts(CONTRACTS)
        began = utc_now()
        with self._landing() as (step, store):

            def progress(done: int, total: int, file: LandingFile, outcome: Outcome) -> None:
                step.say(f"{done}/{total} {file.source}")
                if not isinstance(outcome, Waiting):
                    self._observer.file(file, outcome)

            report = land_all(
                store,
                places,
                contracts,
                load_tenants(CONTRACTS / "tenants.yaml"),
                progress=progress,
                sets=load_sets(SETS, contracts),
                only=only,
            )
            stale = stale_feeds(store, contracts.values(), utc_now())
            report.problems += [f"{one.message}." for one in stale if one.policy == "stop"]
            step.result = _landing_summary(report)
        self._tell_unusual(report, began)
        self._tell_unknown(report.landed, contracts)
        for message in report.waiting:
            self._reporter.line(message)
        for problem in report.problems:
            self._reporter.error(problem)
        self._tell_late(report)
        return report

    def land_one(self, path: Path, feed: str, tenant_id: str, extracted_at: datetime) -> None:
        """Land one file from outside the landing folder.

        Args:
            extracted_at: when the file was read at its source, UTC.

        Raises:
            GranaryError: the feed or the tenant is unknown, or the file does not fit its contract.
        """
        contracts = load_contracts(CONTRACTS)
        contract = known(feed, contracts, "feed", CONTRACTS)
        tenants = load_tenants(CONTRACTS / "tenants.yaml")
        known(tenant_id, tenants[contract.domain], "tenant", CONTRACTS / "tenants.yaml")
        file = LandingFile.from_options(path, contract, tenant_id, extracted_at)
        began = utc_now()
        with self._landing() as (step, store):
            store.prepare([contract])
            expect_partners(file, store.sightings(), load_sets(SETS, contracts))
            batch = land_file(store, file, contract)
            self._observer.file(file, batch)
            report = LandingReport(landed=[batch] if batch else [], skipped=[] if batch else [file])
            step.result = _landing_summary(report)
        self._tell_unusual(report, began)
        self._tell_unknown(report.landed, contracts)

    def _tell_unusual(self, report: LandingReport, began: datetime) -> None:
        """Tell of what landed, or came late, and is unlike its feed's past."""
        with self.gateway.operations() as connection:
            unusual = unusual_since(connection, began)
        self._observer.landing_done(report, unusual, self.gateway)
        for one in unusual[:SHOWN_UNUSUAL]:
            self._reporter.warn(f"{one.source}: {one.message}.")
        if len(unusual) > SHOWN_UNUSUAL:
            self._reporter.line(f"{len(unusual) - SHOWN_UNUSUAL} more are in ops.anomaly.")

    def _tell_unknown(
        self, landed: Collection[LoadBatch], contracts: Mapping[str, Contract]
    ) -> None:
        """Tell of columns that a contract does not know, until it does: they are only kept."""
        kept: dict[str, dict[str, str]] = {}
        for batch in landed:
            header = parse_csv_record(batch.header or "")
            for column in added_columns(header, contracts[batch.feed]):
                kept.setdefault(batch.feed, {}).setdefault(column.name, batch.source)
        for feed, columns in sorted(kept.items()):
            names = list(columns)
            more = f" and {len(names) - SHOWN_UNKNOWN} more" if names[SHOWN_UNKNOWN:] else ""
            self._reporter.line(
                f"{feed}: columns that its contract does not know were kept as text: "
                f"{', '.join(names[:SHOWN_UNKNOWN])}{more}, first in {columns[names[0]]}. "
                "See: granary contract diff FILE"
            )

    @contextmanager
    def _landing(self, purpose: str = "load") -> Iterator[tuple[Step, Store]]:
        # Under the writer's lock: a batch that commits while a run reads would be missed by it.
        with (
            self.alone(purpose),
            self._reporter.step("Landing") as step,
            self.gateway.store() as store,
        ):
            yield step, store

    def _tell_late(self, report: LandingReport) -> None:
        if not report.landed:
            return
        with self.gateway.operations() as connection:
            known = latest_extracts(connection, min(b.load_timestamp for b in report.landed))
        late: dict[tuple[str, str], list[datetime]] = {}
        for batch in report.landed:
            feed = (batch.feed, batch.tenant_id)
            if feed in known and batch.extracted_at < known[feed]:
                late.setdefault(feed, []).append(batch.extracted_at)
        for (feed_name, tenant_id), extracts in sorted(late.items()):
            self._reporter.line(
                f"Late: {len(extracts)} of {feed_name} ({tenant_id}) older than what had landed; "
                f"history is amended from {min(extracts):%Y-%m-%d %H:%M} on."
            )

    def retract(self, load_id: int, reason: str) -> None:
        """Take a batch out of history and bring prod to what then holds.

        Raises:
            GranaryError: the batch cannot be retracted.
        """
        self._prepare_raw()
        # A mistake in the number is told before anybody is waited for.
        with self.gateway.operations() as connection:
            find_standing(connection, load_id)
        with (
            self.alone(f"retract {load_id}"),
            self.gateway.operations() as connection,
        ):
            retraction = retract(connection, load_id, reason)
        self._observer.retracted(retraction)
        self._reporter.line(
            f"Retracted {retraction.source} ({retraction.feed} of {retraction.tenant_id}); "
            "its rows stay in raw, history no longer counts them."
        )
        self.run()

    def close_letters(self, wanted: Wanted, reason: str) -> None:
        """Give up refused lines and files that wait; what was closed before stays as it is.

        Raises:
            WrongUsage: a name in what is wanted is unknown.
        """
        self._expect_known(wanted)
        with (
            self.alone("dead-letters close"),
            self.gateway.store() as store,
        ):
            closed = close_letters(store, wanted, reason, utc_now())
        self._observer.letters_closed(closed, self.gateway)
        if not closed.lines and not closed.files:
            self._reporter.line("Nothing of that waits; nothing was closed.")
            return
        self._refresh_figures(PROD)
        self._reporter.line(
            f"Closed {counted(closed.lines, 'line')} and {counted(len(closed.files), 'file')}; "
            "ops.dead_letter keeps why."
        )
        there = self._in_landing_places()
        for source in closed.files:
            if source in there:
                self._reporter.line(
                    f"{source} is in a landing place still: take it out, or the next load refuses "
                    "it again."
                )

    def _expect_known(self, wanted: Wanted) -> None:
        with self.gateway.store() as store:
            store.prepare([])
            tenants = load_tenants(CONTRACTS / "tenants.yaml")
            expect_known(store, wanted, load_contracts(CONTRACTS), tenants)

    def _in_landing_places(self) -> set[str]:
        """Name the files that lie in the landing places, as the ledger calls them."""
        contracts, tenants = load_contracts(CONTRACTS), load_tenants(CONTRACTS / "tenants.yaml")
        found = discover(open_places(self.settings), contracts, tenants)
        return {file.source for file in found.files}

    def retry(self, wanted: Wanted, mended: Path | None, accepted: str | None = None) -> int:
        """Try refused lines and files again, and bring prod to what then holds.

        Args:
            wanted: which of those that wait.
            mended: an export with corrected values; only its lines are tried.
            accepted: why the file of the batch that is wanted may land although it is unusual.

        Returns:
            1 when something that was tried still waits, 0 otherwise.

        Raises:
            WrongUsage: a name in what is wanted is unknown.
            GranaryError: that batch was not stopped for being unusual, or the export lacks a
                column of its lines; nothing was tried.
        """
        # A mistake in a name is told before anybody is waited for.
        self._expect_known(wanted)
        rows = read_mended(mended) if mended else None
        contracts = load_contracts(CONTRACTS)
        began = utc_now()
        with self._landing("retry") as (step, store):
            store.prepare(contracts.values())
            if accepted is not None:
                assert wanted.load_id is not None
                accept_file(store, wanted.load_id, accepted)
            drifted = record_versions(store, contracts.values(), utc_now())
            waiting = waiting_lines(store, wanted)
            letters = mend(waiting, rows, mended) if mended and rows is not None else waiting
            if rows is not None and len(letters) < len(rows):
                self._reporter.warn(
                    f"{counted(len(rows) - len(letters), 'row')} of {mended} name no line that "
                    "waits, or none any more: nothing was done with them."
                )
            report = replay(
                store,
                {name: known for name, known in contracts.items() if name not in drifted},
                letters,
            )
            files = waiting_files(store, wanted) if rows is None else []
            step.result = (
                f"{counted(report.replayed, 'line')} replayed, {report.closed:,} closed, "
                f"{report.refused:,} still refused"
            )
        problems = [*report.problems, *map(str, drifted.values())]
        for batch in report.landed:
            self._observer.file(self._file_of(batch), batch)
        self._tell_unusual(LandingReport(landed=report.landed, problems=problems), began)
        for problem in problems:
            self._reporter.error(problem)
        left = self._retry_files(files, wanted) if files else 0
        freshness = self.freshness()
        if freshness.is_built and freshness.batches_waiting:
            self.run()
        return 1 if report.exit_code or drifted or left else 0

    def _file_of(self, batch: LoadBatch) -> LandingFile:
        """Describe the file that a batch's lines came with."""
        first = self.settings.landing_places[0]
        return LandingFile(
            Path(batch.source) if isinstance(first, str) else first / batch.source,
            batch.source,
            batch.domain,
            batch.tenant_id,
            batch.feed.removeprefix(f"{batch.domain}_"),
            batch.extracted_at,
        )

    def _retry_files(self, sources: list[str], wanted: Wanted) -> int:
        """Land refused files that are in the landing places; gives how many still wait."""
        self.land(sources)
        with self.gateway.store() as store:
            left = waiting_files(store, wanted)
        for source in sorted(set(left) - self._in_landing_places()):
            self._reporter.line(
                f"{source} is in no landing place any more: put it there again, or load it from "
                "where it is: granary load FILE --feed … --tenant … --extracted-at …; if it will "
                "not come again: granary dead-letters close --load … --reason …"
            )
        return len(left)

    def build_prod(self) -> None:
        """Bring prod to the checkout's models and to what has landed."""
        self._transform("plan", PROD, lambda sqlmesh, step: sqlmesh.plan(PROD, step))

    def plan(self, environment: str, show: Callable[[list[str]], None]) -> None:
        """Show what the checkout's models change in an environment, test them, build only that."""

        def test_and_build(sqlmesh: "Transformation", step: Step) -> "Evaluations":
            with step.paused():
                show(sqlmesh.changes(environment))
            step.say("testing the models")
            sqlmesh.test()
            return sqlmesh.plan(environment, step)

        self._transform("plan", environment, test_and_build)

    def explain(self, environment: str) -> list[str]:
        """Tell what a plan would change, a line per model."""
        self._prepare_raw()
        with self._load() as transformation:
            return transformation.changes(environment)

    def run(self) -> None:
        """Bring prod to what has landed, with the models it was planned with."""
        self._transform("run", PROD, lambda sqlmesh, step: sqlmesh.run(step))

    def promote(self, environment: str) -> None:
        """Give prod the tables of an environment.

        Raises:
            GranaryError: its tables are older than prod's, or its models are not the checkout's.
        """
        waiting = self.freshness(environment).batches_waiting
        with self.gateway.operations() as connection:
            log = RunLog(connection)
            own, prods = log.built_at(environment), log.built_at(PROD)
        if own and (waiting or (prods and own < prods)):
            raise GranaryError(
                f"{environment} is older than prod: files landed, or prod was run, since it was "
                "planned.",
                f"Bring it up to date first: granary plan {environment}",
            )
        self._transform(
            "promote",
            PROD,
            lambda sqlmesh, step: sqlmesh.promote(environment, step),
        )
        if self.frontend.is_set_up():
            self.synchronise(PROD)

    def drop(self, environment: str) -> None:
        """Remove an environment, and what shows it in Superset.

        Raises:
            GranaryError: it is prod, or there is no such environment.
        """
        if environment == PROD:
            raise GranaryError(
                "Prod cannot be dropped.", "Remove the whole warehouse with: granary reset"
            )
        self._expect_environment(environment)
        with self._reporter.step("Drop") as step:
            with self.alone(f"drop {environment}"), self._load() as sqlmesh:
                sqlmesh.drop(environment)
            removed = self.frontend.remove(environment)
            step.result = f"{environment} is gone"
            if removed:
                step.result += f", and so are its dashboards ({removed})"

    def _expect_environment(self, environment: str) -> None:
        """Tell a mistake in a name before anybody is waited for."""
        # SQLMesh opens no file that another process has open, as a run has on DuckDB.
        if self.settings.gateway == "duckdb" and self.gateway.writer_now():
            return
        with self._load(with_models=False) as transformation:
            transformation.expect_environment(environment)

    def synchronise(
        self,
        environment: str,
        show: Callable[[list[str]], None] = lambda _: None,
        *,
        serve: bool = False,
    ) -> None:
        """Make Superset show an environment as the checkout's dashboards say.

        Args:
            show: is given a line per difference before it is changed.
            serve: start Superset as well.

        Raises:
            GranaryError: there is no such environment, it lacks what the dashboards need, or
                Superset does not start.
        """
        self.frontend.require()
        if not self.frontend.is_installed():
            with self._reporter.step("Superset") as step:
                step.say("installing")
                self.frontend.install()
                step.result = "is installed"
        bundle = build_bundle(environment)
        with self._reporter.step("Dashboards") as step:
            step.say(environment)

            def shown(changes: Changes) -> None:
                with step.paused():
                    show(changes.lines)

            changes = self.frontend.synchronise(bundle, shown, serve=serve)
            step.result = f"{environment}: {changes.summary or 'nothing to change'}"
        for asset in changes.kept:
            self._reporter.warn(
                f"The {asset.kind} {asset.title} stays: somebody's own work in Superset needs it."
            )

    def differences(self, environment: str) -> list[str]:
        """Tell how Superset differs from the checkout's dashboards, a line per difference."""
        return self.frontend.compare(build_bundle(environment)).lines

    def compare(self, source: str, target: str) -> list["TableDifference"]:
        """Compare two environments, table by table."""
        with self._load() as transformation:
            return transformation.compare(source, target)

    def upstream(self, model: str) -> list[str]:
        """Tell which models and raw tables a model is made from, a line per model on the way."""
        with self._load() as transformation:
            return transformation.upstream(model)

    def query_as_of(self, sql: str, moment: datetime) -> Rows:
        """Answer a query as the warehouse would have answered it at a moment.

        Args:
            moment: UTC without zone.

        Raises:
            GranaryError: the statement is not one SELECT, or it fails.
        """
        with self._load() as transformation:
            past = transformation.as_of(sql, moment)
        return self.gateway.query(past.query, past.tables)

    def freshness(self, environment: str = PROD) -> Freshness:
        """Compare an environment with what landed and with the checkout."""
        self._prepare_raw()
        with self.gateway.operations() as connection:
            return RunLog(connection).freshness(environment, project_version(PROJECT))

    def count_unusual(self) -> int:
        """Count what stands in ops.anomaly of batches that history holds."""
        with self.gateway.operations() as connection:
            return count_unusual(connection)

    def waiting_letters(self) -> WaitingLetters:
        """Count the refused lines and files that wait."""
        with self.gateway.operations() as connection:
            return waiting_letters(connection)

    def count_tenants(self, *, all_batches: bool) -> tuple[Rows, list[Mismatch]]:
        """Sum what each tenant sent, and count it again.

        Args:
            all_batches: not only those of the last week, whose rows are found without reading all.
        """
        since = None if all_batches else utc_now() - timedelta(days=RECENT_DAYS)
        with self.gateway.operations() as connection:
            built_at = RunLog(connection).built_at(PROD)
        contracts = load_contracts(CONTRACTS).values()
        mismatches = reconcile(self.gateway, contracts, since, built_at)
        return sums(self.gateway, mismatches, since), mismatches

    def alone(self, purpose: str) -> AbstractContextManager[None]:
        """Be the one writer for as long as something lasts; say for whom it waits."""

        def waiting(holder: str) -> None:
            self._reporter.line(
                f"Waiting for {holder}; granary {purpose} comes after it, for one command writes "
                "at a time."
            )

        return self.gateway.writer(purpose, waiting)

    def models(self) -> AbstractContextManager["Transformation"]:
        """Load the models, for those who are the one writer."""
        return self._load()

    def _transform(self, verb: str, environment: str, work: Work) -> None:
        # SQLMesh extends sqlglot's generators, which has to happen before definitions are written:
        # a generator that was used before writes macros wrongly, and every model seems changed.
        import sqlmesh  # noqa: F401

        with self.alone(f"{verb} {environment}"):
            self._prepare_raw()
            if verb == "plan":
                self._refresh_metric_models()
            version = project_version(PROJECT)
            with self.gateway.operations() as connection:
                log = RunLog(connection)
                log.close_unfinished()
                run_id = log.begin(verb, environment, version)
                if environment == PROD and verb != "run":
                    # A run goes on with the models, and so the definitions, of the last plan.
                    record_definitions(connection, load_registry())
            self._observer.run_began(run_id, environment)
            error: str | None = "stopped before its end"
            models: Mapping[str, ModelRun] = {}
            warnings: list[str] = []
            began_at = utc_now()
            try:
                with self._reporter.step(verb.capitalize()) as step:
                    step.say("loading the models")
                    with self._load() as transformation:
                        if verb == "plan":
                            load_registry().check_columns(transformation.columns())
                        try:
                            done = work(transformation, step)
                        finally:
                            models = transformation.evaluations.models
                            warnings = transformation.evaluations.warnings
                    step.result = (
                        f"{environment}: {counted(len(done.models), 'model')} built, "
                        f"{counted(done.audits, 'audit')} passed"
                    )
                error = None
            except GranaryError as failure:
                error = str(failure)
                raise
            finally:
                rows = self.gateway.estimated_rows(
                    [model.table for model in models.values() if model.table]
                )
                with self.gateway.operations() as connection:
                    RunLog(connection).finish(run_id, error, models, rows)
                finished = FinishedRun(
                    run_id, verb, environment, began_at, utc_now(), error, models
                )
                self._observer.run_ended(finished, warnings, self.gateway)
                self._refresh_figures(environment)
        for warning in warnings:
            self._reporter.warn(warning)

    def _refresh_figures(self, environment: str) -> None:
        try:
            self.frontend.bust(environment)
            # SQLMesh drops environments that nobody planned for a week.
            for gone in self.frontend.gone_environments():
                self.frontend.remove(gone)
                self._reporter.line(f"The environment {gone} is gone, and so are its dashboards.")
        except GranaryError as failure:
            # The run is done, or failed for a reason that matters more.
            self._reporter.warn(f"Dashboards may show old figures for an hour: {failure}")

    def _refresh_metric_models(self) -> None:
        from granary.metric_models import refresh_metric_models

        for path in refresh_metric_models():
            self._reporter.line(f"{path.relative_to(PROJECT)} now agrees with the registry.")

    def _load(self, *, with_models: bool = True) -> AbstractContextManager["Transformation"]:
        # Loading SQLMesh takes seconds, and landing needs none of it.
        from granary.transformation import open_transformation

        return open_transformation(self.settings, self.gateway, with_models=with_models)

    def _prepare_raw(self) -> None:
        """Models read the raw tables of every feed, so these exist before the first file does."""
        with self.gateway.store() as store:
            store.prepare(load_contracts(CONTRACTS).values())

    def _share_connection(self) -> None:
        # A home of its own (a test, a second warehouse) must not redirect the checkout's .env.
        if self.settings.home_path == Settings.model_construct().home_path:
            write_dotenv(PROJECT / ".env", self.gateway.sqlmesh_variables())


def _landing_summary(report: LandingReport) -> str:
    read = sum(batch.rows_read for batch in report.landed)
    loaded = sum(batch.rows_loaded for batch in report.landed)
    rejected = sum(batch.rows_rejected for batch in report.landed)
    duplicate = sum(batch.rows_duplicate for batch in report.landed)
    parts = [f"{counted(len(report.landed), 'file')}, {loaded:,} of {read:,} rows"]
    if rejected or duplicate:
        parts.append(
            f"{rejected:,} rejected, {duplicate:,} duplicate (see: granary dead-letters list)"
        )
    if report.skipped:
        parts.append(f"{counted(len(report.skipped), 'file')} had landed before")
    if report.problems:
        parts.append(f"{len(report.problems)} could not land")
    return "; ".join(parts)
