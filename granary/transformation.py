"""SQLMesh in this process: plans, runs, promotions and comparisons of environments."""

import gc
import io
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import duckdb
import psycopg2  # type: ignore[import-untyped]
from rich.text import Text
from sqlglot import exp
from sqlmesh.core import constants
from sqlmesh.core.config.loader import load_configs
from sqlmesh.core.console import NoopConsole, set_console
from sqlmesh.core.context import Context
from sqlmesh.core.linter.rule import RuleViolation
from sqlmesh.core.loader import SqlMeshLoader
from sqlmesh.core.model import Model
from sqlmesh.core.plan import Plan
from sqlmesh.core.snapshot import SnapshotEvaluator
from sqlmesh.core.test import ModelTestMetadata
from sqlmesh.utils import CompletionStatus
from sqlmesh.utils.concurrency import NodeExecutionFailedError
from sqlmesh.utils.errors import AuditError, NodeAuditsErrors, SQLMeshError

from granary.as_of import PastQuery, as_of
from granary.clock import utc_now
from granary.errors import GranaryError
from granary.gateways.base import Gateway
from granary.postgres.environment import write_dotenv
from granary.reporter import Step
from granary.runs import AuditResult, ModelRun
from granary.settings import PROJECT, Settings

PROD = "prod"
START_OF_HISTORY = "1970-01-01"
END_OF_HISTORY = "2200-01-01"
LOG_BYTES = 5_000_000
MINUTE = timedelta(minutes=1)
# How SQLMesh says that an audit which stops nothing found rows.
AUDIT_WARNING = re.compile(r"'\w+' audit error: \d+ rows? failed")
# New objects between two looks for garbage, and how many of these look at what is older.
SELDOM = (100_000, 50, 100)
# What the drivers raise when the warehouse or SQLMesh's state is down, gone or locked.
OUT_OF_REACH = (psycopg2.OperationalError, duckdb.IOException)

logger = logging.getLogger("sqlmesh.granary")


@dataclass
class Evaluations:
    """What a plan or run did.

    Attributes:
        models: what it did to each model that it evaluated, by name.
        warnings: audits that failed without stopping the run, and other warnings.
        errors: what stopped it.
    """

    models: dict[str, ModelRun] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def audits(self) -> int:
        """How many audits passed."""
        return sum(model.audits_passed for model in self.models.values())


class _LoadingConsole(NoopConsole):
    """Keeps what SQLMesh says went wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.evaluations = Evaluations()

    def log_warning(self, short_message: str, long_message: str | None = None) -> None:
        super().log_warning(short_message, long_message)
        self.evaluations.warnings.append(short_message.strip())

    def log_error(self, message: str, *args: Any, **kwargs: Any) -> None:
        self.evaluations.errors.append(str(message).strip())

    def log_failed_models(self, errors: list[NodeExecutionFailedError[Any]]) -> None:
        for error in errors:
            model = _short(getattr(error.node, "snapshot_name", str(error.node)))
            cause = error.__cause__ or error
            failed = self.evaluations.models.setdefault(model, ModelRun(""))
            if isinstance(cause, NodeAuditsErrors):
                told = [_failed_audit(failure) for failure in cause.errors]
                # SQLMesh counts audits only where none of them stops the run.
                failed.audits_failed += len(told)
            else:
                told = [str(cause).strip()]
            failed.error = "; ".join(told)
            self.evaluations.errors += [f"{model}: {line}" for line in told]

    def show_linter_violations(
        self, violations: list[RuleViolation], model: Model, is_error: bool = False
    ) -> None:
        said = self.evaluations.errors if is_error else self.evaluations.warnings
        said += [f"{model._path}: {violation}" for violation in violations]


class _ProgressConsole(_LoadingConsole):
    """Also feeds SQLMesh's events to a step."""

    def __init__(self, step: Step) -> None:
        super().__init__()
        self._step = step

    def log_warning(self, short_message: str, long_message: str | None = None) -> None:
        # What an audit found is told with what it asked.
        if not AUDIT_WARNING.search(short_message):
            super().log_warning(short_message, long_message)

    def start_snapshot_evaluation_progress(self, snapshot: Any, audit_only: bool = False) -> None:
        self._step.say(_short(snapshot.name))
        model = self._model_run(snapshot)
        model.began_at = model.began_at or utc_now()

    def note_audit(self, snapshot: Any, result: Any, checked_at: datetime, seconds: float) -> None:
        """Keep what an audit found, and warn of it; SQLMesh itself only counts."""
        if result.skipped:
            return
        if result.count and not result.blocking:
            found = _breach(result.audit.name, result.audit_args, result.count)
            self.evaluations.warnings.append(f"{_short(snapshot.name)}: {found}")
        self._model_run(snapshot).audits.append(
            AuditResult(
                result.audit.name,
                _told(result.audit_args),
                result.blocking,
                result.count or 0,
                checked_at,
                seconds,
            )
        )

    def _model_run(self, snapshot: Any) -> ModelRun:
        name = _short(snapshot.name)
        run = self.evaluations.models.setdefault(name, ModelRun(""))
        if not run.table:
            run.table = _short(snapshot.table_name())
            run.reads = tuple(sorted(_short(parent) for parent in snapshot.model.depends_on))
            types = snapshot.model.columns_to_types or {}
            run.columns = tuple((column, kind.sql()) for column, kind in types.items())
        return run

    def update_snapshot_evaluation_progress(
        self,
        snapshot: Any,
        interval: Any,
        batch_idx: int,
        duration_ms: int | None,
        num_audits_passed: int,
        num_audits_failed: int,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        model = self._model_run(snapshot)
        model.seconds += (duration_ms or 0) / 1000
        model.audits_passed += num_audits_passed
        model.audits_failed += num_audits_failed


class _ModelsLoader(SqlMeshLoader):
    """Leaves out the models' unit tests, which take a third of the time and which few verbs run."""

    def load_model_tests(self) -> list[ModelTestMetadata]:
        return []


class Transformation:
    """A loaded SQLMesh project on one gateway."""

    def __init__(self, context: Context, loading: Evaluations) -> None:
        """Use a loaded project; `loading` holds what was said until its first evaluation.

        `evaluations` tells what the last plan, run or promotion did, up to where it failed too.
        """
        self._context = context
        self._loading = loading
        self.evaluations = Evaluations()

    def test(self) -> None:
        """Run the models' unit tests.

        Raises:
            GranaryError: a test fails; the message shows expected and actual rows.
        """
        with _explained(self._loading):
            tests = SqlMeshLoader(self._context, PROJECT).load_model_tests()
            self._context._model_test_metadata = tests
            result = self._context.test(stream=io.StringIO())
        failed: list[tuple[Any, str]] = [*result.failures, *result.errors]
        if failed:
            told = [f"{test.path}: {test.test_name}: {text.strip()}" for test, text in failed]
            raise GranaryError(
                f"{len(failed)} unit tests fail:\n" + "\n".join(told),
                "Mend the model, or the test when it asks for the wrong thing: sqlmesh test",
            )

    def plan(self, environment: str, step: Step) -> Evaluations:
        """Bring an environment to the models of the checkout and to the data that has landed.

        An environment shares with prod the tables that do not differ; only its own are built.
        """
        return self._evaluate(step, lambda: self._context.apply(self._plan(environment)))

    def _plan(self, environment: str) -> Plan:
        plan = self._context.plan_builder(
            environment,
            include_unmodified=True,
            run=True,
            ignore_cron=True,
            skip_tests=True,
            execution_time=self._moment(),
        ).build()
        prod = self._context.state_reader.get_environment(PROD)
        if environment == PROD or prod is None:
            return plan
        shared = {snapshot.name: snapshot.version for snapshot in prod.snapshots}
        own = {
            snapshot.name
            for snapshot in plan.context_diff.snapshots.values()
            if shared.get(snapshot.name) != snapshot.version
        }
        return plan.copy(update={"models_to_backfill": own})

    def run(self, step: Step) -> Evaluations:
        """Bring prod to the data that has landed, with the models it was planned with."""
        return self._evaluate(
            step,
            lambda: self._context.run(PROD, ignore_cron=True, execution_time=self._moment()),
        )

    def _moment(self) -> datetime:
        """Now, or a minute after what has been done.

        SQLMesh counts in whole minutes: within that of the last plan or run it would find nothing
        left to do.
        """
        snapshots = self._context.snapshots.values()
        done = max((s.intervals[-1][1] for s in snapshots if s.intervals), default=0)
        return max(datetime.now(UTC), datetime.fromtimestamp(done / 1000, UTC) + MINUTE)

    def columns(self) -> dict[str, set[str]]:
        """Give the columns of every model, by `schema.table`."""
        return {
            model.name: set(model.columns_to_types or {}) for model in self._context.models.values()
        }

    def changes(self, environment: str) -> list[str]:
        """Tell what a plan of the environment would change, a line per model."""
        with _explained(self._loading):
            plan: Plan = self._context.plan_builder(
                environment, include_unmodified=True, skip_tests=True
            ).build()
        difference = plan.context_diff
        removed = difference.removed_snapshots.values()
        lines = sorted(f"+ {_short(s.name)} (new)" for s in difference.added)
        lines += sorted(f"- {_short(s.name)} (removed)" for s in removed)
        for name in sorted(difference.modified_snapshots):
            if difference.directly_modified(name):
                lines += [f"~ {_short(name)} (changed)", *_indented(difference.text_diff(name))]
            else:
                lines.append(f"~ {_short(name)} (depends on a change)")
        return lines

    def promote(self, environment: str, step: Step) -> Evaluations:
        """Give prod the tables that the environment already has.

        Raises:
            GranaryError: there is no such environment, or the checkout's models are not the ones
                that it was planned with.
        """
        self._require(environment)
        pending = self.changes(environment)
        if pending:
            raise GranaryError(
                f"The models of this checkout are not those of {environment}:\n"
                + "\n".join(pending),
                f"Bring {environment} up to date first: granary plan {environment}",
            )
        return self._evaluate(
            step,
            lambda: self._context.plan(PROD, skip_tests=True, auto_apply=True, no_prompts=True),
        )

    def compare(self, source: str, target: str) -> list["TableDifference"]:
        """Compare the tables that two environments hold in different versions, row by row.

        Raises:
            GranaryError: one of the environments does not exist.
        """
        self._require(source)
        self._require(target)
        with _explained(self._loading):
            differences = self._context.table_diff(source, target, select_models=["*"], show=False)
            return [_table_difference(difference) for difference in differences]

    def drop(self, environment: str) -> None:
        """Remove an environment with its schemas; tables that prod uses stay.

        Its own tables go with a later run, once SQLMesh's time to bring them back is over.

        Raises:
            GranaryError: there is no such environment.
        """
        self.expect_environment(environment)
        with _explained(self._loading):
            self._context.invalidate_environment(environment, sync=True)

    def expect_environment(self, environment: str) -> None:
        """See that there is an environment.

        Raises:
            GranaryError: there is none of that name; tells which there are.
        """
        with _explained(self._loading):
            known = sorted(one.name for one in self._context.state_reader.get_environments())
        if environment not in known:
            raise GranaryError(
                f"There is no environment {environment}; there are: {', '.join(known) or 'none'}.",
                "Name one of them.",
            )

    def environments(self) -> list[str]:
        """Name all environments but prod."""
        with _explained(self._loading):
            known = [one.name for one in self._context.state_reader.get_environments()]
        return sorted(name for name in known if name != PROD)

    def remove_unused(self) -> None:
        """Remove the tables that no environment has, however lately one had them."""
        with _explained(self._loading):
            self._context.run_janitor(ignore_ttl=True)

    def daily_tables(self, column: str) -> set[str]:
        """Name the tables of prod, as schema.table, that runs extend by days of a column."""
        with _explained(self._loading):
            prod = self._context.state_reader.get_environment(PROD)
            snapshots = self._context.state_reader.get_snapshots(prod.snapshots) if prod else {}
        return {
            _short(snapshot.table_name())
            for snapshot in snapshots.values()
            if snapshot.is_model
            and snapshot.model.time_column is not None
            and snapshot.model.time_column.column.name == column
        }

    def as_of(self, sql: str, moment: datetime) -> PastQuery:
        """Rewrite a query so that it sees the models over what had landed at a moment."""
        return as_of(sql, moment, self._context.engine_adapter.dialect, self._whole_query)

    def upstream(self, name: str) -> list[str]:
        """Tell what a model reads, and what these read, down to the raw tables; a line each."""
        told: dict[str, str] = {}
        waiting = [name]
        while waiting:
            here = waiting.pop(0)
            model = self._context.get_model(here)
            if here in told or model is None or not model.depends_on:
                continue
            parents = sorted(_short(parent) for parent in model.depends_on)
            told[here] = f"{here} reads {', '.join(parents)}"
            waiting += parents
        return list(told.values())

    def _whole_query(self, name: str) -> exp.Query | None:
        model = self._context.get_model(name)
        if model is None:
            return None
        # Rendered by the model itself, so that tables keep the names of the models.
        query = model.render_query(start=START_OF_HISTORY, end=END_OF_HISTORY)
        return query if isinstance(query, exp.Query) else None

    def _require(self, environment: str) -> None:
        with _explained(self._loading):
            found = self._context.state_reader.get_environment(environment)
        if found is None:
            raise GranaryError(
                f"There is no environment {environment}.",
                f"Make it with: granary plan {environment}",
            )

    def _evaluate(self, step: Step, action: Callable[[], object]) -> Evaluations:
        console = _ProgressConsole(step)
        console.evaluations.warnings += self._loading.warnings
        self.evaluations = console.evaluations
        self._context.console = console
        set_console(console)
        with _explained(console.evaluations), _audits_noted(console):
            outcome = action()
        if console.evaluations.errors or outcome is CompletionStatus.FAILURE:
            raise _failure(console.evaluations.errors)
        # The linter speaks at every look at the plan.
        console.evaluations.warnings = list(dict.fromkeys(console.evaluations.warnings))
        return console.evaluations


@contextmanager
def open_transformation(
    settings: Settings, gateway: Gateway, *, with_models: bool = True
) -> Iterator[Transformation]:
    """Load the project for the gateway.

    Args:
        with_models: who asks for environments only needs none, and saves their time.

    Raises:
        GranaryError: a model, macro or audit does not load, or the state database is out of reach.
    """
    _log_to(settings.home_path / "logs" / "sqlmesh.log")
    variables = gateway.sqlmesh_variables()
    # Explicit, because SQLMesh otherwise lets the checkout's .env override this process.
    dotenv = settings.home_path / "sqlmesh.env"
    write_dotenv(dotenv, variables)
    console = _LoadingConsole()
    set_console(console)
    # The syntax trees of all models are millions of objects that live to the end. Looking for
    # garbage among them as often as Python does by itself was a third of the work of a plan.
    gc.set_threshold(*SELDOM)
    # Workers inherit the connection that holds the writer's lock and keep it when the writer dies.
    constants.MAX_FORK_WORKERS = 1
    with _explained(console.evaluations):
        configs = load_configs(None, Context.CONFIG_TYPE, [PROJECT], dotenv_path=dotenv)
        context: Context = Context(
            paths=[str(PROJECT)], config=configs, loader=_ModelsLoader, load=with_models
        )
    try:
        yield Transformation(context, console.evaluations)
    finally:
        context.close()


def _log_to(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    logger = logging.getLogger("sqlmesh")
    logger.propagate = False
    if not logger.handlers:
        handler = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=1, delay=True)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        logger.addHandler(handler)


@dataclass(frozen=True)
class TableDifference:
    """How a table differs between two environments.

    Attributes:
        columns_added: columns that only the target has.
        columns_removed: columns that only the source has.
        rows_only_in_source: rows whose grain only the source has.
        rows_only_in_target: rows whose grain only the target has.
        rows_changed: rows in both that differ in a shared column.
        rows_equal: rows in both that are equal in all shared columns.
    """

    model: str
    columns_added: list[str]
    columns_removed: list[str]
    rows_only_in_source: int
    rows_only_in_target: int
    rows_changed: int
    rows_equal: int


def _table_difference(difference: Any) -> TableDifference:
    schema = difference.schema_diff()
    rows = difference.row_diff(skip_grain_check=True)
    return TableDifference(
        model=schema.model_name or difference.target,
        columns_added=sorted(name for name, _ in schema.added),
        columns_removed=sorted(name for name, _ in schema.removed),
        rows_only_in_source=rows.s_only_count,
        rows_only_in_target=rows.t_only_count,
        rows_changed=rows.partial_match_count,
        rows_equal=rows.full_match_count,
    )


@contextmanager
def _explained(evaluations: Evaluations) -> Iterator[None]:
    """Turn what SQLMesh and the drivers raise into one error that says what to do."""
    try:
        yield
    except SQLMeshError as error:
        # What one step of SQLMesh ran into is only the cause of its error.
        told = f"{error}: {error.__cause__}" if error.__cause__ else str(error)
        raise _failure([*evaluations.errors, told]) from error
    except OUT_OF_REACH as error:
        raise GranaryError(
            f"SQLMesh cannot use the warehouse or its own state: {str(error).strip()}.",
            "See what is wrong with: granary doctor",
        ) from error


def _failure(errors: list[str]) -> GranaryError:
    # SQLMesh underlines the wrong word for terminals.
    told = dict.fromkeys(Text.from_ansi(error).plain for error in errors if error)
    return GranaryError(
        "SQLMesh stopped:\n" + "\n".join(told),
        "Mend the model or the data that is named, then run the command again: "
        "what was built stays, what failed is built anew.",
    )


@contextmanager
def _audits_noted(console: _ProgressConsole) -> Iterator[None]:
    """Let the console know what each audit finds."""
    ask = SnapshotEvaluator._audit

    def ask_and_note(evaluator: SnapshotEvaluator, *, snapshot: Any, **given: Any) -> Any:
        checked_at, began = utc_now(), time.monotonic()
        result = ask(evaluator, snapshot=snapshot, **given)
        console.note_audit(snapshot, result, checked_at, time.monotonic() - began)
        return result

    # SQLMesh copies its evaluator for each plan, so that an instance of ours would be left out.
    SnapshotEvaluator._audit = ask_and_note  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        SnapshotEvaluator._audit = ask  # type: ignore[method-assign]


def _failed_audit(error: AuditError) -> str:
    logger.error("%s: query of audit %s: %s", error.model_name, error.audit_name, error.sql())
    return _breach(error.audit_name, error.audit_args, error.count)


def _breach(audit: str, arguments: Mapping[str, Any], count: int) -> str:
    rows = "1 row breaks" if count == 1 else f"{count} rows break"
    return f"{rows} the audit {audit}({_told(arguments)})"


def _told(arguments: Mapping[str, Any]) -> str:
    """What an audit is asked to check, as the model says it."""
    return ", ".join(f"{name} := {value.sql('duckdb')}" for name, value in arguments.items())


def _short(fqn: str) -> str:
    """Name of a model without catalog and quotes."""
    return ".".join(part.strip('"') for part in fqn.split(".")[-2:])


def _indented(text: str) -> list[str]:
    return [f"    {line}" for line in text.strip().splitlines()]
