"""A new version of a contract, written into its YAML file with its reason."""

import io
import re
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from granary.errors import GranaryError
from granary.landing.contract import Column, Contract, load_contract
from granary.landing.contract_diff import contract_differences
from granary.landing.contract_versions import Definition, definition_of
from granary.landing.file_diff import FileDifference
from granary.landing.fit import identifier

VERSIONED_NAME = re.compile(r"_v\d+$")
LONGEST_LINE = 1 << 20


@dataclass(frozen=True)
class Acceptance:
    """A version that was accepted.

    Attributes:
        what: its differences from the version before, a clause each.
    """

    contract: Contract
    what: list[str]


def accept_file(
    folder: Path,
    contract: Contract,
    before: Definition,
    difference: FileDifference,
    reason: str,
    not_phi: Collection[str],
    today: date,
) -> Acceptance:
    """Write the contract so that a file's columns fit it.

    Raw stays append only: a column that is gone is retired, and one that changed its type is
    retired in favour of a new one, `<name>_v<version>`.

    Args:
        folder: of the contracts.
        contract: as it stands.
        before: what the version in use demands.
        not_phi: headers of new columns whose values need no protection.

    Raises:
        GranaryError: the file asks for nothing new, or lacks a column of the key.
    """
    unknown = sorted(set(not_phi) - {column.source_name for column in difference.added})
    if unknown:
        raise GranaryError(
            f"--not-phi names no new column: {', '.join(unknown)}.",
            "Give it as the header of the file spells it.",
        )
    lost = [column.source_name for column in difference.gone if column.name in contract.key]
    if lost:
        raise GranaryError(
            f"The file lacks {', '.join(lost)} of the key, so its lines cannot be told apart.",
            f"Give {contract.path} another key first, or ask the sender.",
        )
    document = _Document(folder, contract)
    for column in difference.gone:
        document.retire(column.name)
    for name, column in difference.changed.items():
        document.replace(contract.columns[name], column)
    for column in difference.added:
        document.add(column, phi=column.source_name not in not_phi, today=today)
    return document.accept(before, reason, today)


def accept_edit(
    folder: Path, contract: Contract, before: Definition, reason: str, today: date
) -> Acceptance:
    """Make what somebody wrote into a contract its next version.

    Raises:
        GranaryError: nothing differs, or a column was taken out instead of retired.
    """
    return _Document(folder, contract).accept(before, reason, today)


class _Document:
    """A contract's YAML file, whose comments and form stay."""

    def __init__(self, folder: Path, contract: Contract) -> None:
        self._path = folder / contract.domain / f"{contract.entity}.yaml"
        self._contract = contract
        self._version = contract.version + 1
        self._yaml = YAML()
        self._yaml.preserve_quotes = True
        self._yaml.width = LONGEST_LINE
        self._root: CommentedMap = self._yaml.load(self._path.read_text(encoding="utf-8"))
        self._columns: CommentedMap = self._root["columns"]

    def retire(self, name: str) -> None:
        """Say that files no longer have a column."""
        self._columns[name]["retired"] = True

    def replace(self, old: Column, new: Column) -> None:
        """Retire a column in favour of one of another type under the same header."""
        name = f"{VERSIONED_NAME.sub('', old.name)}_v{self._version}"
        self.retire(old.name)
        rules: dict[str, Any] = {"type": new.type, "header": old.source_name}
        rules |= {
            rule: value
            for rule in ("required", "optional", "phi", "unit", "description")
            if (value := getattr(old, rule))
        }
        place = list(self._columns).index(old.name) + 1
        self._columns.insert(place, name, _on_one_line(rules))
        key = self._root["key"]
        if old.name in key:
            key[key.index(old.name)] = name

    def add(self, column: Column, *, phi: bool, today: date) -> None:
        """Declare a new column, which other tenants' files and older ones lack."""
        name = identifier(column.source_name, taken=list(self._columns))
        rules: dict[str, Any] = {"type": column.type}
        if name != column.source_name:
            rules["header"] = column.source_name
        rules["optional"] = True
        if phi:
            rules["phi"] = True
        rules["description"] = f"In files since {today}; not described yet."
        self._columns[name] = _on_one_line(rules)

    def accept(self, before: Definition, reason: str, today: date) -> Acceptance:
        """Number the version, say what it changed and why, and write the file."""
        what = contract_differences(before, definition_of(self._checked()))
        removed = [name for name in before["columns"] if name not in self._columns]
        if removed:
            raise GranaryError(
                f"{self._path}: column {', '.join(removed)} was taken out, but raw keeps it.",
                "Put it back with retired: true; files then no longer need it.",
            )
        if not what:
            raise GranaryError(
                f"{self._path}: nothing differs from version {self._contract.version}.",
                "Edit the contract, or give a file that does not fit it.",
            )
        self._place("version", self._version, after="feed")
        if "changes" not in self._root:
            self._place("changes", [], after="version")
        self._root["changes"].append(
            {"version": self._version, "accepted_on": today, "reason": reason, "what": what}
        )
        contract = self._checked()
        with tempfile.NamedTemporaryFile(
            "w", dir=self._path.parent, prefix=".", suffix=".part", delete=False, encoding="utf-8"
        ) as new:
            new.write(self._text())
        Path(new.name).chmod(self._path.stat().st_mode)
        Path(new.name).replace(self._path)
        return Acceptance(contract, what)

    def _place(self, name: str, value: Any, after: str) -> None:
        if name in self._root:
            self._root[name] = value
        else:
            self._root.insert(list(self._root).index(after) + 1, name, value)

    def _text(self) -> str:
        stream = io.StringIO()
        self._yaml.dump(self._root, stream)
        return stream.getvalue()

    def _checked(self) -> Contract:
        """Read the contract as it would be written."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / self._contract.domain / f"{self._contract.entity}.yaml"
            path.parent.mkdir()
            path.write_text(self._text(), encoding="utf-8")
            return load_contract(path)


def _on_one_line(rules: dict[str, Any]) -> CommentedMap:
    line = CommentedMap(rules)
    line.fa.set_flow_style()
    return line
