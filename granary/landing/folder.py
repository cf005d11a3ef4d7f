"""Landing a whole folder: in the order of extract time, and no file in the way of another."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from granary.landing.batch import LoadBatch, sighting
from granary.landing.contract import Contract, Tenants
from granary.landing.contract_versions import record_versions
from granary.landing.errors import FileProblem
from granary.landing.files import FileStamp, LandingFile, discover
from granary.landing.loader import Clock, land_prepared, utc_now
from granary.landing.store import Store

Outcome = LoadBatch | FileProblem | None
Progress = Callable[[int, int, LandingFile, Outcome], None]


@dataclass
class LandingReport:
    """What a run over the landing folder did.

    Attributes:
        landed: the batches that are new in the warehouse.
        skipped: files that had landed before.
        problems: one message per file or folder that could not land.
    """

    landed: list[LoadBatch] = field(default_factory=list)
    skipped: list[LandingFile] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 when every file landed, now or before; 1 when something could not."""
        return 1 if self.problems else 0


def land_all(
    store: Store,
    landing: Path,
    contracts: dict[str, Contract],
    tenants: Tenants,
    now: Clock = utc_now,
    progress: Progress | None = None,
) -> LandingReport:
    """Land what is new in the landing folder, taken up in the order of extract time.

    A file that cannot land is reported and does not keep the others from landing.

    Args:
        now: the clock, UTC without zone; gives load_timestamp, in the order of the files.
        progress: called after each new file with files done, new files in all, the file, and
            what became of it.

    Raises:
        GranaryError: the landing folder or the warehouse is out of reach.
    """
    found = discover(landing, contracts, tenants)
    store.prepare(contracts.values())
    drifted = record_versions(store, contracts.values(), utc_now())
    seen = store.sightings()
    outcomes: dict[str, Outcome] = {}
    waiting: list[LandingFile] = []
    for file in found.files:
        try:
            if sighting(file, FileStamp.of(file)) in seen:
                outcomes[file.source] = None
            elif file.feed in drifted:
                outcomes[file.source] = drifted[file.feed]
            else:
                waiting.append(file)
        except FileProblem as problem:
            outcomes[file.source] = problem
    outcomes |= _Work(waiting, contracts, now, progress).done_by(store)
    return _report(found.problems, found.files, outcomes)


def _report(
    problems: list[str], files: list[LandingFile], outcomes: dict[str, Outcome]
) -> LandingReport:
    report = LandingReport(problems=problems)
    for file in files:
        outcome = outcomes[file.source]
        if isinstance(outcome, LoadBatch):
            report.landed.append(outcome)
        elif outcome is None:
            report.skipped.append(file)
        elif (problem := str(outcome)) not in report.problems:
            # Of a feed whose contract drifted, every file has the same.
            report.problems.append(problem)
    return report


class _Work:
    """Files that wait to be landed, taken one by one by as many threads as there are stores."""

    def __init__(
        self,
        files: list[LandingFile],
        contracts: dict[str, Contract],
        now: Clock,
        progress: Progress | None,
    ) -> None:
        self._files = files
        self._waiting = iter(files)
        self._contracts = contracts
        self._clock = now
        self._progress = progress
        self._outcomes: dict[str, Outcome] = {}
        self._lock = threading.Lock()
        self._stopped = False

    def done_by(self, store: Store) -> dict[str, Outcome]:
        """Land all files; gives what became of each, by its source."""
        second = store.second() if len(self._files) > 1 else None
        if second is None:
            self._land_on(store)
            return self._outcomes
        with closing(second), ThreadPoolExecutor(max_workers=2) as pool:
            threads = [pool.submit(self._land_on, way) for way in (store, second)]
            try:
                for thread in threads:
                    thread.result()
            finally:
                # After an error or an interrupt the other thread ends with the file it is at.
                self._stopped = True
        return self._outcomes

    def _land_on(self, store: Store) -> None:
        while taken := self._take():
            file, started_at = taken
            contract = self._contracts[file.feed]
            try:
                outcome: Outcome = land_prepared(store, file, contract, started_at, self._now)
            except FileProblem as problem:
                outcome = problem
            except BaseException:
                self._stopped = True
                raise
            self._note(file, outcome)

    def _take(self) -> tuple[LandingFile, datetime] | None:
        with self._lock:
            file = None if self._stopped else next(self._waiting, None)
            return (file, self._clock()) if file else None

    def _now(self) -> datetime:
        with self._lock:
            return self._clock()

    def _note(self, file: LandingFile, outcome: Outcome) -> None:
        with self._lock:
            self._outcomes[file.source] = outcome
            if self._progress:
                self._progress(len(self._outcomes), len(self._files), file, outcome)
