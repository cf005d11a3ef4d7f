"""How values and columns are named and coloured, everywhere the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import StringConstraints

from granary.yaml_files import YamlFile
from semantic.definitions import Name, Words
from semantic.registry import Registry

Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]

_SPELLED = {"id": "ID", "npi": "NPI", "pmpm": "PMPM", "oop": "out-of-pocket"}


@dataclass(frozen=True)
class Wording:
    """Labels of columns and colours of their values.

    Attributes:
        labels: by column.
        colours: by column and value.
    """

    labels: Mapping[str, str]
    colours: Mapping[str, Mapping[str, str]]

    def label(self, column: str) -> str:
        """A column's name for people."""
        if column in self.labels:
            return self.labels[column]
        words = " ".join(_SPELLED.get(word, word) for word in column.split("_"))
        return words[:1].upper() + words[1:]


def read_wording(labels: Path, colours: Path, registry: Registry) -> Wording:
    """The wording: labels of the file go before those of the registry's dimensions.

    Raises:
        GranaryError: a file is not YAML or not in form, or gives one value two colours.
    """
    given: dict[str, str] = YamlFile(labels).read_as(dict[Name, Words])
    known: dict[str, str] = {}
    for domain in registry.domains.values():
        for reached in domain.dimensions.values():
            known |= {name: found.dimension.label for name, found in reached.items()}
    return Wording(known | given, _read_colours(colours))


def _read_colours(path: Path) -> dict[str, dict[str, str]]:
    file = YamlFile(path)
    colours: dict[str, dict[str, str]] = file.read_as(dict[Name, dict[str, Colour]])
    seen: dict[str, tuple[str, str]] = {}
    for column, values in colours.items():
        for value, colour in values.items():
            other, before = seen.setdefault(value, (column, colour))
            if before != colour:
                raise file.fault(
                    (column, value),
                    f"{value} has another colour under {other}.",
                    "A value means the same everywhere: give it one colour.",
                )
    return colours
