"""Sets: files of one tenant and one extract that land together or not at all."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from granary.errors import GranaryError
from granary.landing.batch import Sighting
from granary.landing.contract import Contract
from granary.landing.files import LandingFile
from granary.yaml_files import YamlFile

Extract = tuple[str, str, datetime]


@dataclass(frozen=True)
class FileSet:
    """Feeds whose files belong together."""

    name: str
    feeds: frozenset[str]


Sets = dict[str, FileSet]
NO_SETS: Sets = {}


def load_sets(path: Path, contracts: dict[str, Contract]) -> Sets:
    """Read which feeds belong together: domain, name of the set, its entities.

    Returns:
        The set of each feed that is in one.

    Raises:
        GranaryError: the file is not such a list, or it names an entity that has no contract or is
            in two sets.
    """
    if not path.exists():
        return {}
    file = YamlFile(path)
    listed: dict[str, dict[str, list[str]]] = file.read_as(dict[str, dict[str, list[str]]])
    sets: Sets = {}
    for domain, named in listed.items():
        for name, entities in named.items():
            feeds = frozenset(f"{domain}_{entity}" for entity in entities)
            for feed in sorted(feeds):
                if feed not in contracts:
                    raise file.fault(
                        (domain, name),
                        f"{domain} has no feed {feed.removeprefix(f'{domain}_')}.",
                        "Name entities that have a contract.",
                    )
                if feed in sets:
                    raise file.fault(
                        (domain, name),
                        f"{feed} is in {sets[feed].name} already.",
                        "Put all that belongs together into one set.",
                    )
                sets[feed] = FileSet(name, feeds)
    return sets


@dataclass(frozen=True)
class Arrangement:
    """What can be landed, and what has to wait for the rest of its set.

    Attributes:
        bundles: files in the order to be taken up; those of one bundle land together.
        waiting: a message per set that is not complete, with its files.
        overdue: the same for sets that a later one of their tenant has overtaken.
    """

    bundles: list[list[LandingFile]]
    waiting: list[tuple[str, list[LandingFile]]]
    overdue: list[tuple[str, list[LandingFile]]]

    def of(self, sources: Collection[str]) -> "Arrangement":
        """Leave out what has nothing to do with these files."""

        def has_one(files: list[LandingFile]) -> bool:
            return any(file.source in sources for file in files)

        return Arrangement(
            [files for files in self.bundles if has_one(files)],
            [(message, files) for message, files in self.waiting if has_one(files)],
            [(message, files) for message, files in self.overdue if has_one(files)],
        )


def arrange(new: Sequence[LandingFile], seen: Iterable[Sighting], sets: Sets) -> Arrangement:
    """Put the files of a set together.

    A file of a set that landed whole is a correction and lands alone.

    Args:
        new: files that have not landed, in order.
        seen: what has landed.
    """
    landed: set[Extract] = {(feed, tenant, at) for _, feed, tenant, at, _, _ in seen}
    there = landed | {_extract(file) for file in new}
    bundles: list[list[LandingFile]] = []
    waiting: list[tuple[str, list[LandingFile]]] = []
    overdue: list[tuple[str, list[LandingFile]]] = []
    placed: dict[tuple[str, str, datetime], list[LandingFile]] = {}
    for file in new:
        of = sets.get(file.feed)
        if of is None or all(_other(file, feed) in landed for feed in of.feeds):
            bundles.append([file])
            continue
        key = (min(of.feeds), file.tenant_id, file.extracted_at)
        if key in placed:
            placed[key].append(file)
            continue
        files = placed[key] = [file]
        missing = sorted(feed for feed in of.feeds if _other(file, feed) not in there)
        if not missing:
            bundles.append(files)
            continue
        message = (
            f"{file.tenant_id} {file.extracted_at:%Y-%m-%d %H:%M}: {of.name} lacks "
            f"{', '.join(missing)}"
        )
        (overdue if _is_overtaken(file, of, there) else waiting).append((message, files))
    return Arrangement(bundles, waiting, overdue)


def expect_partners(file: LandingFile, seen: Iterable[Sighting], sets: Sets) -> None:
    """See that a file that comes alone does not come without the rest of its set.

    Raises:
        GranaryError: the others of its extract have not landed.
    """
    of = sets.get(file.feed)
    landed = {(feed, tenant, at) for _, feed, tenant, at, _, _ in seen}
    missing = sorted(
        feed
        for feed in (of.feeds if of else ())
        if feed != file.feed and _other(file, feed) not in landed
    )
    if missing:
        raise GranaryError(
            f"{file.shown}: {file.feed} lands together with {', '.join(missing)}, of which nothing "
            f"landed for {file.tenant_id} at {file.extracted_at:%Y-%m-%d %H:%M}.",
            "Put the files of that extract into the landing folder, then run: granary load",
        )


def _is_overtaken(file: LandingFile, of: FileSet, there: set[Extract]) -> bool:
    """Whether a later set of the tenant is complete."""
    later = {at for _, tenant, at in there if tenant == file.tenant_id and at > file.extracted_at}
    return any(all((feed, file.tenant_id, at) in there for feed in of.feeds) for at in later)


def _extract(file: LandingFile) -> Extract:
    return file.feed, file.tenant_id, file.extracted_at


def _other(file: LandingFile, feed: str) -> Extract:
    return feed, file.tenant_id, file.extracted_at
