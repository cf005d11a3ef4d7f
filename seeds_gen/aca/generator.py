"""Generates the landing files of synthetic health insurers."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from granary.errors import GranaryError

from .faults import FaultPlanter
from .units import LABELS, Issuer, write_directory, write_unit
from .world import MAX_MEMBERS, load_tenants, make_horizon, make_streams, make_units
from .writer import FeedWriter, FileFormat, Part, put_together, refuse_other_formats

DOMAIN = "aca"
FEEDS = (
    "plans", "providers", "members", "enrollments", "claims", "premium_payments", "appeals",
)  # fmt: skip
# Below so many member months, starting other processes takes longer than the work.
WORTH_PROCESSES = 150_000
Progress = Callable[[int, int, str], None]


@dataclass
class GenerationSummary:
    """What a generation wrote.

    Args:
        faults: folder with the labels of what was planted, None when nothing was.
        rows: rows by feed, over all tenants and files.
        files: every file of the sets, in the order of writing.
        unchanged: how many of them were there already with the same content.
    """

    faults: Path | None
    rows: dict[str, int] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    unchanged: int = 0


def generate(
    landing: Path,
    *,
    tenants: int,
    members: int,
    start: date,
    end: date,
    batches: int | None,
    seed: int,
    faults: bool = False,
    anomalies: bool = False,
    format: FileFormat = FileFormat.CSV,
    processes: int | None = None,
    progress: Progress | None = None,
) -> GenerationSummary:
    """Write the seed sets of the seven ACA feeds for some issuers.

    The same arguments give the same bytes, whatever the number of processes. Monthly sets continue:
    a later `end` repeats the sets of an earlier one and adds to them.

    Args:
        landing: the landing folder; files go to <landing>/aca/issuer_<n>/.
        tenants: number of issuers, 1 to 6.
        members: number of people, all issuers together: four fifths of them are covered when the
            world begins, about as many as the rest come in each year.
        start: first day that something happens.
        end: last day that is extracted.
        batches: number of extracts, evenly spaced; None for one on the first of each month.
        seed: seed of the world, 0 or more.
        faults: plant labelled faults into lines; the labels go to <landing>/../faults/.
        anomalies: plant labelled anomalies of billing; their labels go there too.
        format: of the files.
        processes: how many work at a time; None for one per CPU.
        progress: called with units done, units in all, and a line of text.

    Raises:
        GranaryError: an argument is out of range, a file exists with other content or in another
            format, or cannot be written.
    """
    if seed < 0:
        raise GranaryError(f"The seed {seed} is negative.", "Give --seed 0 or more.")
    issuers = load_tenants(tenants)
    if members < tenants:
        raise GranaryError(
            f"{members} members are too few for {tenants} tenants.",
            "Give at least one member per tenant.",
        )
    if members > MAX_MEMBERS:
        raise GranaryError(
            f"{members:,} members are more than the ids have room for.",
            f"Give --members up to {MAX_MEMBERS:,}.",
        )
    if (faults or anomalies) and format is not FileFormat.CSV:
        raise GranaryError(
            f"Faults and anomalies are planted into csv files, not into {format} files.",
            "Leave out --format, or --faults and --anomalies.",
        )
    horizon = make_horizon(start, end, batches)
    for tenant in issuers:
        folder = landing / DOMAIN / tenant.tenant_id
        with _writing_to(folder):
            refuse_other_formats(folder, format, FEEDS, horizon.extracts)
    labels = landing.parent / "faults" if faults or anomalies else None
    summary = GenerationSummary(faults=labels)
    work = []
    for tenant in issuers:
        share = members // tenants + (tenant.number <= members % tenants)
        issuer = Issuer(seed, tenant, horizon, share, anomalies)
        work.append((issuer, make_units(tenant, share, horizon)))
    total = sum(len(units) for _, units in work)
    if processes is None:
        processes = _cpus() if members * horizon.months >= WORTH_PROCESSES else 1
    done = 0
    with ExitStack() as stack:
        begin = stack.enter_context(_workers(min(processes, total)))
        tasks = []
        for issuer, units in work:
            folder = landing / DOMAIN / issuer.tenant.tenant_id
            with _writing_to(folder):
                writer = FeedWriter(folder, format)
                place = TemporaryDirectory(prefix=".parts_", dir=folder)
            parts_folder = Path(stack.enter_context(place))
            results = [begin(write_unit, issuer, unit, parts_folder, format) for unit in units]
            tasks.append((issuer, writer, folder, place, results))
        for issuer, writer, folder, place, results in tasks:
            tenant_id = issuer.tenant.tenant_id
            with _writing_to(folder):
                parts = _Parts(write_directory(issuer, Path(place.name), format))
                for result in results:
                    parts.add(result())
                    done += 1
                    if progress:
                        progress(done, total, f"{tenant_id}, cohort {done} of {total}")
                planter = _planter(landing, issuer, labels) if faults and labels else None
                _publish(issuer, writer, parts, planter, summary)
                if anomalies and labels:
                    _write_labels(labels / f"anomalies_{tenant_id}.csv", parts.labels)
                place.cleanup()
    return summary


class _Parts:
    """The parts of each feed, in the order of the units."""

    def __init__(self, first: dict[str, Part]) -> None:
        self.of_feed = {feed: [first[feed]] if feed in first else [] for feed in FEEDS}
        self.labels: list[Part] = []

    def add(self, parts: dict[str, Part]) -> None:
        for feed, part in parts.items():
            (self.labels if feed == LABELS else self.of_feed[feed]).append(part)


def _planter(landing: Path, issuer: Issuer, folder: Path) -> FaultPlanter:
    labels = folder / f"faults_{issuer.tenant.tenant_id}.csv"
    return FaultPlanter(make_streams(issuer.seed, issuer.tenant), landing, labels)


def _write_labels(target: Path, parts: list[Part]) -> None:
    """Write the labels of an issuer's anomalies."""
    target.parent.mkdir(parents=True, exist_ok=True)
    put_together(target, parts, 0)


def _publish(
    issuer: Issuer,
    writer: FeedWriter,
    parts: _Parts,
    planter: FaultPlanter | None,
    summary: GenerationSummary,
) -> None:
    """Put the files of one issuer together and add them to the summary."""
    for batch, extract in enumerate(issuer.horizon.extracts):
        for feed, pieces in parts.of_feed.items():
            target = writer.target(feed, extract)
            draft = writer.draft(target, pieces, batch)
            rows = sum(piece.rows[batch] for piece in pieces)
            if planter:
                rows = planter.plant(draft, target, feed, extract, rows)
            summary.unchanged += not writer.publish(draft, target)
            summary.rows[feed] = summary.rows.get(feed, 0) + rows
            summary.files.append(target)
    if planter:
        planter.close()


@contextmanager
def _writing_to(folder: Path) -> Iterator[None]:
    """Name the folder when it cannot be written to."""
    try:
        yield
    except OSError as error:
        raise GranaryError(
            f"{folder} cannot be written to: {error}.",
            "Free disk space or permit writing there, then repeat the command.",
        ) from error


@contextmanager
def _workers(count: int) -> Iterator[Callable[..., Callable[[], Any]]]:
    """Yield a function that begins a task and returns how to get its result.

    A single worker is this process, which does each task when its result is asked for.
    """
    if count == 1:
        yield partial
        return
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:

        def begin(task: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
            return pool.submit(task, *arguments).result

        try:
            yield begin
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _cpus() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
