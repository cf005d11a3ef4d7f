"""What differs between what Superset should hold and what it holds."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal

import yaml

from granary.dashboards.bundle import Bundle
from granary.superset.metadata import Asset
from granary.superset.security import Dataset

Mark = Literal["+", "~", "!", "-"]
MARKS: dict[Mark, str] = {"+": "new", "~": "changed", "!": "edited in Superset", "-": "removed"}
KINDS = {
    "databases": "database",
    "datasets": "dataset",
    "charts": "chart",
    "dashboards": "dashboard",
}
TITLES = {
    "database": "database_name",
    "dataset": "table_name",
    "chart": "slice_name",
    "dashboard": "dashboard_title",
}
# Files of several hundred KB take seconds in plain Python.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Wanted:
    """An asset as a bundle has it; `fingerprint` is the hash of its file."""

    uuid: str
    kind: str
    title: str
    fingerprint: str
    content: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def columns(self) -> frozenset[str]:
        """Columns of a dataset's table; what Superset calculates is none."""
        return frozenset(
            column["column_name"]
            for column in self.content["columns"]
            if not column.get("expression")
        )


@dataclass(frozen=True)
class Difference:
    """Something that is new (+), changed (~), edited in Superset (!) or to be removed (-)."""

    mark: Mark
    what: str


@dataclass(frozen=True)
class Changes:
    """How Superset has to change.

    Attributes:
        differences: one per asset, and per other thing such as roles and rules.
        removed: assets that Granary made and that are no longer shipped.
        kept: those of them that stay, because somebody's own work needs them.
    """

    differences: list[Difference]
    removed: list[Asset]
    kept: list[Asset]

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.differences)

    @property
    def lines(self) -> list[str]:
        """A line per difference, as a plan shows them."""
        return [f"{one.mark} {one.what} ({MARKS[one.mark]})" for one in self.differences]

    @property
    def summary(self) -> str:
        """How many differ in which way."""
        counts = Counter(one.mark for one in self.differences)
        return ", ".join(f"{counts[mark]} {how}" for mark, how in MARKS.items() if counts[mark])


def wanted_assets(files: Mapping[str, str]) -> list[Wanted]:
    """The assets of a bundle, read from its files."""
    found = []
    for path, text in files.items():
        kind = KINDS.get(PurePosixPath(path).parts[0])
        if kind is not None:
            content = yaml.load(text, Loader=LOADER)
            title = content[TITLES[kind]]
            found.append(Wanted(content["uuid"], kind, title, hash_of(text), content))
    return found


def datasets_of(bundle: Bundle, wanted: Iterable[Wanted]) -> list[Dataset]:
    """The datasets of a bundle."""
    return [
        Dataset(one.uuid, one.title, bundle.environment, one.columns)
        for one in wanted
        if one.kind == "dataset"
    ]


def gone_assets(environment: str, wanted: Iterable[Wanted], made: Iterable[Asset]) -> list[Asset]:
    """What Granary made for an environment and no longer ships."""
    shipped = {one.uuid for one in wanted}
    return [one for one in made if one.environment == environment and one.uuid not in shipped]


def compare_assets(
    wanted: Iterable[Wanted], made: Mapping[str, Asset], stored: Mapping[str, str]
) -> list[Difference]:
    """Compare what is shipped with what Granary made and with what Superset holds.

    Args:
        wanted: what is shipped.
        made: what Granary made, by uuid.
        stored: hashes of what Superset holds, by uuid.
    """
    found: list[Difference] = []
    for one in sorted(wanted, key=_place):
        known = made.get(one.uuid)
        if known is None:
            found.append(Difference("+", _name(one)))
        elif stored.get(one.uuid) != known.stored:
            found.append(Difference("!", _name(one)))
        elif known.fingerprint != one.fingerprint:
            found.append(Difference("~", _name(one)))
    return found


def removals(gone: Iterable[Asset]) -> list[Difference]:
    """What goes, as differences."""
    return [Difference("-", _name(one)) for one in sorted(gone, key=_place)]


def hash_of(content: Any) -> str:
    """A hash of a text, or of plain data."""
    text = content if isinstance(content, str) else json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _name(asset: Wanted | Asset) -> str:
    return f"{asset.kind} {asset.title}"


def _place(asset: Wanted | Asset) -> tuple[int, str]:
    return list(TITLES).index(asset.kind), asset.title
