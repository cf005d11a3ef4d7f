"""Where the pipeline tells what happened; logs, metrics, alerts and lineage hear it from here."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from granary.clock import utc_now
from granary.errors import GranaryError
from granary.observability.alerts import Alert, Level
from granary.reporter import Reporter
from granary.settings import Settings

if TYPE_CHECKING:
    from openlineage.client import OpenLineageClient
    from openlineage.client.event_v2 import RunEvent
    from structlog import BoundLogger

    from granary.gateways.base import Gateway
    from granary.landing.batch import LoadBatch
    from granary.landing.errors import FileProblem
    from granary.landing.files import LandingFile
    from granary.landing.folder import LandingReport
    from granary.landing.letters import Closed
    from granary.ledger import Retraction, Unusual
    from granary.runs import FinishedRun

# Verbs that somebody waits for who is not at the terminal.
WATCHED = ("up", "load", "plan", "run", "promote")
# What these say of an error may quote what was asked for.
PRIVATE = ("sql",)
UNFORESEEN = "something went wrong that Granary did not foresee"


class Observer:
    """Hears what a command does; what fails here never fails the command."""

    def __init__(self, settings: Callable[[], Settings], reporter: Reporter) -> None:
        """Open nothing yet, for not every command does something worth telling.

        Args:
            settings: gives the settings, once they are needed.
        """
        self._make_settings = settings
        self._reporter = reporter
        # Files land on two threads.
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self.verb = ""
        self._alerts: list[Alert] = []
        self._told_problems: set[str] = set()
        self._client: OpenLineageClient | None = None
        self._lineage_is_off = False
        self.__dict__.pop("_settings", None)
        self.__dict__.pop("_log", None)

    @cached_property
    def _settings(self) -> Settings:
        return self._make_settings()

    @cached_property
    def _log(self) -> "BoundLogger":
        from granary.observability.logs import open_log

        log: BoundLogger = open_log(self._settings.home_path).bind(command=self.verb)
        return log

    @contextmanager
    def command(self) -> Iterator[None]:
        """Begin anew; tell how a command failed, if it does, and send its alerts at its end."""
        self._begin()
        try:
            yield
        except ValidationError:
            # Without settings there is no place to tell it.
            raise
        except GranaryError as error:
            told = "" if self.verb in PRIVATE else error.message
            self._failed(error, told, error.remedy)
            raise
        except Exception as error:
            self._failed(error, UNFORESEEN, "Read the newest error_*.log of the log folder.")
            raise
        finally:
            self._send_alerts()

    def file(self, file: "LandingFile", outcome: "LoadBatch | FileProblem | None") -> None:
        """A file landed or could not land; those that had landed before are told at the end."""
        from granary.landing.batch import LoadBatch

        log = self._log.bind(feed=file.feed, tenant_id=file.tenant_id, source=file.source)
        if isinstance(outcome, LoadBatch):
            log.info("file_landed", **_landed(outcome))
            self._emit(lambda lineage: lineage.landed_events(self._settings, file, outcome))
        elif outcome is not None:
            log.error("file_refused", error_class=type(outcome).__name__, error=outcome.message)
            self._told_problems.add(str(outcome))
            self._alert(Level.ERROR, outcome.message, outcome.remedy)
            self._emit(
                lambda lineage: lineage.refused_events(
                    self._settings, file, outcome.message, utc_now()
                )
            )

    def landing_done(
        self, report: "LandingReport", unusual: Iterable["Unusual"], gateway: "Gateway"
    ) -> None:
        """All that landed or was refused has been told of; now what is left.

        Args:
            unusual: what was unusual about batches that landed.
        """
        for file in report.skipped:
            self._log.debug(
                "file_skipped", feed=file.feed, tenant_id=file.tenant_id, source=file.source
            )
        for message in report.waiting:
            self._log.info("files_wait", message=message)
        for problem in report.problems:
            if problem not in self._told_problems:
                self._log.error("landing_problem", error=problem)
                self._alert(Level.ERROR, problem)
        for one in unusual:
            self._log.warning("file_unusual", **asdict(one))
            self._alert(
                Level.WARNING,
                f"{one.source}: {one.message}.",
                f"Ask the sender. If it is wrong: granary retract {one.load_id} --reason …",
            )
        self._measure(gateway)

    def run_began(self, run_id: str, environment: str) -> None:
        """A plan, run or promotion begins."""
        self._log.info("run_began", run_id=run_id, environment=environment)

    def run_ended(self, run: "FinishedRun", warnings: Iterable[str], gateway: "Gateway") -> None:
        """A plan, run or promotion has ended, well or not; its error is told by the command."""
        from granary.observability.logs import without_values

        log = self._log.bind(run_id=run.run_id, environment=run.environment)
        for name, model in run.models.items():
            told: dict[str, Any] = {
                "model": name,
                "seconds": round(model.seconds, 3),
                "audits_passed": model.audits_passed,
                "audits_failed": model.audits_failed,
            }
            if model.error is None:
                log.info("model_built", **told)
            else:
                log.error("model_failed", **told, error=without_values(model.error))
        for warning in warnings:
            log.warning("run_warned", warning=without_values(warning))
            self._alert(Level.WARNING, without_values(warning))
        seconds = round((run.ended_at - run.began_at).total_seconds(), 3)
        if run.error is None:
            log.info("run_done", seconds=seconds, models=len(run.models))
        else:
            log.error("run_failed", seconds=seconds, error=without_values(run.error))
        self._emit(lambda lineage: lineage.run_events(self._settings, run))
        self._measure(gateway)

    def retracted(self, retraction: "Retraction") -> None:
        """A batch was taken out of history."""
        self._log.info(
            "batch_retracted",
            load_id=retraction.load_id,
            feed=retraction.feed,
            tenant_id=retraction.tenant_id,
            source=retraction.source,
        )

    def letters_closed(self, closed: "Closed", gateway: "Gateway") -> None:
        """What waited was given up."""
        self._log.info("letters_closed", lines=closed.lines, files=closed.files)
        self._measure(gateway)

    def _measure(self, gateway: "Gateway") -> None:
        """Write the metrics of the warehouse as it is now."""
        from granary.observability.metrics import count_waiting, write_metrics

        try:
            with gateway.operations() as connection:
                write_metrics(connection, self._settings.metrics_path)
                waiting = count_waiting(connection)
        except Exception as error:
            # Whatever it is, the command itself has done its work.
            self._warn("metrics_failed", "The metrics could not be written", error)
            return
        if waiting > self._settings.alert_dead_letters:
            self._alert(
                Level.WARNING,
                f"{waiting:,} refused lines wait, more than {self._settings.alert_dead_letters:,}.",
                "See them with: granary dead-letters groups. Once they or the contract are mended: "
                "granary retry",
            )

    def _failed(self, error: Exception, message: str, remedy: str) -> None:
        from granary.observability.logs import without_values

        said = without_values(message)
        self._log.error("command_failed", error_class=type(error).__name__, error=said)
        if self.verb in WATCHED:
            self._alert(Level.ERROR, f"{said} ({type(error).__name__})", remedy)

    def _alert(self, level: Level, message: str, remedy: str = "") -> None:
        self._alerts.append(Alert(level, message, remedy))

    def _send_alerts(self) -> None:
        if not self._alerts or not self._settings.alert_urls.get_secret_value():
            return
        # Only who sends pays for the library.
        from granary.observability.channels import send_alerts

        for failure in send_alerts(self._settings, f"granary {self.verb}", self._alerts):
            self._log.warning("alert_failed", error=failure)
            self._reporter.warn(failure)

    def _emit(self, make: Callable[[Any], Iterable["RunEvent"]]) -> None:
        """Send events of lineage; after a failure none until the command ends."""
        if self._lineage_is_off:
            return
        from granary.observability import lineage

        try:
            with self._lock:
                self._client = self._client or lineage.open_client(self._settings)
                for event in make(lineage):
                    self._client.emit(event)
        except Exception as error:
            # Whatever the client or the server does not like, the data has landed.
            self._lineage_is_off = True
            self._warn("lineage_failed", "Events of lineage could not be sent", error)

    def _warn(self, event: str, message: str, error: Exception) -> None:
        # Never the error's own words: they may hold an address with a password.
        self._log.warning(event, error_class=type(error).__name__)
        self._reporter.warn(f"{message} ({type(error).__name__}); the command's own work is done.")


def _landed(batch: "LoadBatch") -> dict[str, Any]:
    return {
        "load_id": batch.load_id,
        "extracted_at": batch.extracted_at.isoformat(),
        "rows_read": batch.rows_read,
        "rows_loaded": batch.rows_loaded,
        "rows_rejected": batch.rows_rejected,
        "rows_duplicate": batch.rows_duplicate,
        "bytes": batch.bytes,
        "seconds": round((batch.finished_at - batch.started_at).total_seconds(), 3),
    }
