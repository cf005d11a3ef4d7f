"""Landing all there is: in the order of extract time, and no file in the way of another."""

import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path

from granary.clock import Clock, utc_now
from granary.landing.batch import LoadBatch, sighting
from granary.landing.contract import Contract, Tenants
from granary.landing.contract_versions import record_versions
from granary.landing.errors import FileProblem, FileRefused
from granary.landing.files import LandingFile, Place, discover
from granary.landing.loader import land_prepared, record_refusal
from granary.landing.places import Folder
from granary.landing.sets import NO_SETS, Sets, arrange
from granary.landing.store import Store


class Waiting:
    """Nothing became of a file because of another one of its set, which is told once for all."""


Outcome = LoadBatch | FileProblem | Waiting | None
Progress = Callable[[int, int, LandingFile, Outcome], None]


@dataclass
class LandingReport:
    """What a run over the landing places did.

    Attributes:
        landed: the batches that are new in the warehouse.
        skipped: files that had landed before.
        problems: one message per file or folder that could not land.
        waiting: one message per set of files that is not complete yet.
    """

    landed: list[LoadBatch] = field(default_factory=list)
    skipped: list[LandingFile] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 when every file landed, now or before; 1 when something could not."""
        return 1 if self.problems else 0


def land_all(
    store: Store,
    landing: Path | Sequence[Place],
    contracts: dict[str, Contract],
    tenants: Tenants,
    now: Clock = utc_now,
    progress: Progress | None = None,
    sets: Sets = NO_SETS,
    only: Collection[str] | None = None,
) -> LandingReport:
    """Land what is new in the landing places, taken up in the order of extract time.

    A file that cannot land is reported and does not keep the others from landing, nor does a place
    that cannot be listed.

    Args:
        landing: one folder, or several places.
        now: the clock, UTC without zone; gives load_timestamp, in the order of the files.
        progress: called after each new file with files done, new files in all, the file, and
            what became of it.
        sets: files that land together or not at all.
        only: sources of the files to take up, with the others of their sets; all when None.

    Raises:
        GranaryError: the warehouse is out of reach.
    """
    places = [Folder(landing)] if isinstance(landing, Path) else landing
    found = discover(places, contracts, tenants)
    store.prepare(contracts.values())
    drifted = record_versions(store, contracts.values(), utc_now())
    seen = store.sightings()
    outcomes: dict[str, Outcome] = {}
    new: list[LandingFile] = []
    for file in found.files:
        try:
            if sighting(file, file.stamp()) in seen:
                outcomes[file.source] = None
            elif file.feed in drifted:
                outcomes[file.source] = drifted[file.feed]
            else:
                new.append(file)
        except FileProblem as problem:
            outcomes[file.source] = problem
    arranged = arrange(new, seen, sets)
    if only is not None:
        found.problems.clear()
        outcomes = {source: became for source, became in outcomes.items() if source in only}
        arranged = arranged.of(only)
    held = chain.from_iterable(files for _, files in [*arranged.waiting, *arranged.overdue])
    outcomes |= {file.source: Waiting() for file in held}
    outcomes |= _Work(arranged.bundles, contracts, now, progress).done_by(store)
    report = _report(found.problems, found.files, outcomes)
    report.waiting += [f"{message}; waits for it." for message, _ in arranged.waiting]
    report.problems += [
        f"{message}, and a later extract has come whole. Ask the sender for what is missing, or "
        "remove the files that wait for it."
        for message, _ in arranged.overdue
    ]
    return report


def _report(
    problems: list[str], files: list[LandingFile], outcomes: dict[str, Outcome]
) -> LandingReport:
    report = LandingReport(problems=problems)
    for file in files:
        if file.source not in outcomes:
            continue
        outcome = outcomes[file.source]
        if isinstance(outcome, LoadBatch):
            report.landed.append(outcome)
        elif outcome is None:
            report.skipped.append(file)
        elif isinstance(outcome, Waiting):
            continue
        elif (problem := str(outcome)) not in report.problems:
            # Of a feed whose contract drifted, every file has the same.
            report.problems.append(problem)
    return report


class _Work:
    """Bundles of files, taken one by one by as many threads as there are stores."""

    def __init__(
        self,
        bundles: list[list[LandingFile]],
        contracts: dict[str, Contract],
        now: Clock,
        progress: Progress | None,
    ) -> None:
        self._total = sum(map(len, bundles))
        self._several = len(bundles) > 1
        self._waiting = iter(bundles)
        self._contracts = contracts
        self._clock = now
        self._progress = progress
        self._outcomes: dict[str, Outcome] = {}
        self._lock = threading.Lock()
        self._stopped = False

    def done_by(self, store: Store) -> dict[str, Outcome]:
        """Land all files; gives what became of each, by its source."""
        second = store.second() if self._several else None
        if second is None:
            self._land_on(store)
            return self._outcomes
        with closing(second), ThreadPoolExecutor(max_workers=2) as pool:
            threads = [pool.submit(self._land_on, way) for way in (store, second)]
            try:
                for thread in threads:
                    thread.result()
            finally:
                # After an error or an interrupt the other thread ends with the bundle it is at.
                self._stopped = True
        return self._outcomes

    def _land_on(self, store: Store) -> None:
        while taken := self._take():
            bundle, times = taken
            try:
                if len(bundle) == 1:
                    outcomes = [self._land_alone(store, bundle[0], times[0])]
                else:
                    outcomes = self._land_together(store, bundle, times)
            except BaseException:
                self._stopped = True
                raise
            for file, outcome in zip(bundle, outcomes, strict=True):
                self._note(file, outcome)

    def _land_alone(self, store: Store, file: LandingFile, started_at: datetime) -> Outcome:
        try:
            return self._land(store, file, started_at)
        except FileProblem as problem:
            return problem

    def _land_together(
        self, store: Store, bundle: list[LandingFile], times: list[datetime]
    ) -> list[Outcome]:
        """Land all of a set in one transaction; one file that cannot keeps the others out."""
        outcomes: list[Outcome] = []
        try:
            with store.together():
                for file, started_at in zip(bundle, times, strict=True):
                    outcomes.append(self._land(store, file, started_at))
        except FileProblem as problem:
            if isinstance(problem, FileRefused):
                # What was written of it went with the set.
                record_refusal(store, problem)
            culprit = len(outcomes)
            others = ", ".join(f.source for f in bundle if f is not bundle[culprit])
            problem.message += f" So nothing of its set landed: {others}."
            return [problem if place == culprit else Waiting() for place in range(len(bundle))]
        return outcomes

    def _land(self, store: Store, file: LandingFile, started_at: datetime) -> LoadBatch | None:
        with file.fetched() as local:
            return land_prepared(store, local, self._contracts[file.feed], started_at, self._now)

    def _take(self) -> tuple[list[LandingFile], list[datetime]] | None:
        with self._lock:
            bundle = None if self._stopped else next(self._waiting, None)
            return (bundle, [self._clock() for _ in bundle]) if bundle else None

    def _now(self) -> datetime:
        with self._lock:
            return self._clock()

    def _note(self, file: LandingFile, outcome: Outcome) -> None:
        with self._lock:
            self._outcomes[file.source] = outcome
            if self._progress:
                self._progress(len(self._outcomes), self._total, file, outcome)
