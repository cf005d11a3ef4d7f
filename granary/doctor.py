"""`granary doctor`: what may be wrong with the machine, the settings and the warehouse."""

import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from granary.errors import GranaryError
from granary.gateways import open_gateway
from granary.gateways.base import Gateway
from granary.landing.contract import load_contracts, load_tenants
from granary.landing.files import discover
from granary.landing.places import describe, open_places
from granary.ledger import waiting_letters
from granary.observability.channels import channels
from granary.observability.lineage import events_path, is_configured
from granary.observability.logs import log_path
from granary.observability.metrics import FILE
from granary.pipeline import PROD, Pipeline
from granary.postgres.tuning import GIB, this_machine
from granary.reporter import Reporter, counted
from granary.runs import RunLog, Unfinished
from granary.settings import CONTRACTS, Settings
from granary.superset.frontend import Frontend

LEAST_MEMORY = 2 * GIB
LEAST_DISK = 2 * GIB
WHY_REFUSED = "granary dead-letters groups --status waiting"


@dataclass(frozen=True)
class Finding:
    """What one check found; `remedy` is empty when all is well."""

    subject: str
    message: str
    is_ok: bool
    remedy: str = ""

    @property
    def line(self) -> str:
        """The finding on one line."""
        verdict = "ok" if self.is_ok else "problem"
        said = " ".join(f"{self.message} {self.remedy}".split())
        return f"{verdict:<8} {self.subject:<13} {said}"


def examine(settings: Settings) -> Iterator[Finding]:
    """Check one thing after the other; nothing is started or changed.

    Yields:
        A finding per check; those on the warehouse itself only when it is up.
    """
    gateway = open_gateway(settings)
    yield Finding("Python", platform.python_version(), is_ok=True)
    yield _check("Memory", partial(_memory, settings))
    yield _check("Disk", partial(_disk, settings))
    yield _check("Home", partial(_home, settings))
    yield _check("Landing", partial(_landing, settings))
    yield _check("Log", partial(_log, settings))
    yield _check("Metrics", partial(_metrics, settings))
    yield _check("Lineage", partial(_lineage, settings))
    yield _check("Alerts", partial(_alerts, settings))
    warehouse = _check("Warehouse", partial(_warehouse, gateway))
    yield warehouse
    if warehouse.is_ok:
        yield _check("Roles", gateway.check_roles)
        yield _check("State", gateway.check_state)
        yield _check("Prod", partial(_prod, settings))
        yield _check("Dead letters", partial(_dead_letters, gateway))
        yield _check("Tenants", partial(_tenants, settings))
        yield _check("Runs", partial(_runs, gateway))
        frontend = Frontend(settings)
        if frontend.why_none is None:
            yield _check("Superset", frontend.check)


def _check(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, look(), is_ok=True)
    except GranaryError as error:
        return Finding(subject, error.message, is_ok=False, remedy=error.remedy)


def _memory(settings: Settings) -> str:
    memory = this_machine(_existing(settings.home_path)).memory
    if memory < LEAST_MEMORY:
        raise GranaryError(
            f"{_gigabytes(memory)} in all.",
            f"Give the machine or the container at least {_gigabytes(LEAST_MEMORY)}.",
        )
    return f"{_gigabytes(memory)} in all"


def _disk(settings: Settings) -> str:
    free = this_machine(_existing(settings.home_path)).free_disk
    if free < LEAST_DISK:
        raise GranaryError(
            f"{_gigabytes(free)} free for {settings.home_path}.",
            "Free some, or set GRANARY_HOME to a folder on a larger disk.",
        )
    return f"{_gigabytes(free)} free for {settings.home_path}"


def _home(settings: Settings) -> str:
    home = settings.home_path
    try:
        with tempfile.TemporaryFile(dir=_existing(home)):
            return f"{home} can be written to"
    except OSError as error:
        raise GranaryError(
            f"{home} cannot be written to: {error.strerror}.",
            "Make it writable, or set GRANARY_HOME to a folder of your own.",
        ) from error


def _landing(settings: Settings) -> str:
    places = open_places(settings)
    found = discover(
        places,
        load_contracts(CONTRACTS),
        load_tenants(CONTRACTS / "tenants.yaml"),
    )
    if found.problems:
        raise GranaryError(
            f"{len(found.problems)} files or folders cannot land, the first is {found.problems[0]}",
            "All of them are listed by: granary load",
        )
    return f"{len(found.files)} files in {describe(places)}, all with proper names"


def _log(settings: Settings) -> str:
    return f"{_writable(log_path(settings.home_path))}, a line of JSON per event"


def _metrics(settings: Settings) -> str:
    return f"{_writable(settings.metrics_path / FILE)}, for Prometheus"


def _lineage(settings: Settings) -> str:
    if is_configured():
        return "goes where the OPENLINEAGE_ variables say"
    return f"{_writable(events_path(settings.home_path))}, OpenLineage events"


def _alerts(settings: Settings) -> str:
    count = len(channels(settings))
    if not count:
        return "nobody is told of problems; GRANARY_ALERT_URLS names who should be"
    addresses = "1 address is" if count == 1 else f"{count} addresses are"
    return f"{addresses} told of problems; try it with: granary alert --test"


def _writable(path: Path) -> Path:
    if not os.access(_existing(path), os.W_OK):
        raise GranaryError(f"{path} cannot be written to.", "Make it writable.")
    return path


def _warehouse(gateway: Gateway) -> str:
    if not gateway.is_up():
        raise GranaryError("is down.", "Start it with: granary up")
    version = gateway.query("SELECT VERSION()").rows[0][0]
    return f"{gateway.describe()}, answers as {version.split(' on ')[0]}"


def _prod(settings: Settings) -> str:
    freshness = Pipeline(settings, Reporter()).freshness()
    if not freshness.is_built:
        raise GranaryError("was never built.", "Build it with: granary up")
    if freshness.batches_waiting:
        raise GranaryError(
            f"lacks {counted(freshness.batches_waiting, 'batch')} that landed.", "Run: granary run"
        )
    if not freshness.is_current_project:
        return f"has all that landed; the checkout's models differ, see: granary plan {PROD}"
    return "has all that landed"


def _dead_letters(gateway: Gateway) -> str:
    with gateway.operations() as connection:
        waiting = waiting_letters(connection)
    if waiting:
        raise GranaryError(
            f"{waiting}.",
            f"See why with: {WHY_REFUSED}; mend contract or lines, then run: granary retry",
        )
    return "none waits"


def _tenants(settings: Settings) -> str:
    counts, mismatches = Pipeline(settings, Reporter()).count_tenants(all_batches=False)
    if mismatches:
        raise GranaryError(
            f"{len(mismatches)} batches are not what the ledger says, the first: {mismatches[0]}.",
            "See all with: granary status --tenants; somebody wrote to raw or ops by hand.",
        )
    batches = sum(row[2] for row in counts.rows)
    return f"{batches} batches of the last week hold what the ledger says"


def _runs(gateway: Gateway) -> str:
    writer = gateway.writer_now()
    with gateway.operations() as connection:
        unfinished = RunLog(connection).unfinished()
    # Only one process at a time can be at work, and it began last.
    cut_off = unfinished[1:] if writer else unfinished
    if cut_off:
        last = cut_off[0]
        raise GranaryError(
            f"the {last.verb} of {last.environment} begun at {last.started_at:%Y-%m-%d %H:%M} UTC "
            f"was cut off{f' (and {len(cut_off) - 1} before it)' if cut_off[1:] else ''}.",
            f"Nothing is lost; do it again: {_command(last)}",
        )
    return f"at work: {writer}" if writer else "none was cut off"


def _command(run: Unfinished) -> str:
    commands = {"plan": f"granary plan {run.environment}", "promote": "granary promote ENV"}
    return commands.get(run.verb, f"granary {run.verb}")


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _gigabytes(size: int) -> str:
    return f"{size / GIB:.1f} GB"
