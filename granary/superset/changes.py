"""What differs between what Superset should hold and what it holds."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import yaml

from granary.dashboards.bundle import Bundle
from granary.dashboards.identity import DATABASE_UUID
from granary.superset.metadata import Asset
from granary.superset.security import Dataset

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
ORDER = list(TITLES)
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


@dataclass(frozen=True)
class Changes:
    """How Superset has to change, a list of assets per way.

    Attributes:
        created: shipped, and not there.
        changed: shipped otherwise than they were imported.
        drifted: somebody edited or removed them in Superset.
        removed: made by Granary, and no longer shipped.
        other: lines about what is no asset, such as roles and rules.
    """

    created: list[Wanted]
    changed: list[Wanted]
    drifted: list[Wanted]
    removed: list[Asset]
    other: list[str]

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.created or self.changed or self.drifted or self.removed or self.other)

    @property
    def lines(self) -> list[str]:
        """A line per difference, as a plan shows them."""
        return [
            *(f"+ {one.kind} {one.title} (new)" for one in _sorted(self.created)),
            *(f"~ {one.kind} {one.title} (changed)" for one in _sorted(self.changed)),
            *(f"! {one.kind} {one.title} (edited in Superset)" for one in _sorted(self.drifted)),
            *(f"- {one.kind} {one.title} (removed)" for one in _sorted(self.removed)),
            *self.other,
        ]

    @property
    def summary(self) -> str:
        """The numbers in one sentence part."""
        counts = {
            "new": len(self.created),
            "changed": len(self.changed),
            "edited in Superset": len(self.drifted),
            "removed": len(self.removed),
        }
        said = [f"{count} {how}" for how, count in counts.items() if count]
        return ", ".join([*said, *(line.strip("~! ") for line in self.other)])


def wanted_assets(bundle: Bundle) -> list[Wanted]:
    """The assets of a bundle, read from its files."""
    found = []
    for path, text in bundle.files.items():
        kind = KINDS.get(PurePosixPath(path).parts[0])
        if kind is not None:
            content = yaml.load(text, Loader=LOADER)
            found.append(
                Wanted(content["uuid"], kind, content[TITLES[kind]], hash_of(text), content)
            )
    return found


def datasets_of(bundle: Bundle, wanted: list[Wanted]) -> list[Dataset]:
    """The datasets of a bundle."""
    return [
        Dataset(
            one.uuid,
            one.title,
            bundle.environment,
            frozenset(column["column_name"] for column in one.content["columns"]),
        )
        for one in wanted
        if one.kind == "dataset"
    ]


def compare(
    environment: str,
    wanted: list[Wanted],
    made: Mapping[str, Asset],
    stored: Mapping[str, str],
    other: list[str],
) -> Changes:
    """Compare a bundle with what Granary made and with what Superset holds.

    Args:
        wanted: the assets of the bundle.
        made: what Granary made, by uuid.
        stored: hashes of what Superset holds, by uuid.
        other: lines about other differences.
    """
    shipped = {one.uuid for one in wanted}
    created, changed, drifted = [], [], []
    for one in wanted:
        known = made.get(one.uuid)
        if known is None:
            created.append(one)
        elif stored.get(one.uuid) != known.stored:
            drifted.append(one)
        elif known.fingerprint != one.fingerprint:
            changed.append(one)
    removed = [
        one
        for one in made.values()
        if one.environment == environment
        and one.uuid not in shipped
        and one.uuid != str(DATABASE_UUID)
    ]
    return Changes(created, changed, drifted, removed, other)


def hash_of(content: Any) -> str:
    """A hash of a text, or of plain data."""
    text = content if isinstance(content, str) else json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _sorted(assets: Any) -> Any:
    return sorted(assets, key=lambda one: (ORDER.index(one.kind), one.title))
