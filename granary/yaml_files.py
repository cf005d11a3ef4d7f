"""YAML files that people write: read strictly, faults told with their lines."""

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from granary.errors import GranaryError

Shape = TypeVar("Shape")
Location = Sequence[int | str]


class _UniqueKeyLoader(yaml.SafeLoader):
    """Refuses a key that stands twice, which YAML would settle silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        repeated = sorted({key for key in keys if keys.count(key) > 1})
        if repeated:
            raise yaml.constructor.ConstructorError(
                None, None, f"{', '.join(repeated)} stands twice", node.start_mark
            )
        return super().construct_mapping(node, deep)


class YamlFile:
    """A file that was read, with the line of each of its parts.

    Attributes:
        path: the file.
        data: what it says, as plain Python values.
    """

    def __init__(self, path: Path) -> None:
        """Read a file.

        Raises:
            GranaryError: it cannot be read or is not valid YAML.
        """
        self.path = path
        try:
            with path.open(encoding="utf-8") as stream:
                # The loader is a SafeLoader: plain data only.
                loader = _UniqueKeyLoader(stream)
                self._root = loader.get_single_node()
                self.data = loader.construct_document(self._root) if self._root else None
        except OSError as error:
            raise GranaryError(f"{path}: {error.strerror}.", "Restore the file.") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise GranaryError(f"{path}: not valid YAML: {error}", "Correct the file.") from error

    def line(self, location: Location) -> int:
        """The line, from 1, of the innermost part on the way to a location that exists."""
        node, line = self._root, 1
        for step in location:
            line, node = _child(node, step, line)
        return line

    def fault(self, location: Location, message: str, remedy: str) -> GranaryError:
        """An error about one part of the file."""
        return GranaryError(f"{self.path}:{self.line(location)}: {message}", remedy)

    def read_as(self, shape: type[Shape] | Any, data: Any = None) -> Any:
        """Check the data (or other data made from them) against a pydantic type.

        Raises:
            GranaryError: it does not fit; names line, key and fault of each misfit.
        """
        try:
            return TypeAdapter(shape).validate_python(self.data if data is None else data)
        except ValidationError as error:
            faults = [
                f"line {self.line(fault['loc'])}: "
                f"{'.'.join(map(str, fault['loc'])) or 'the whole file'}: "
                f"{fault['msg'].removeprefix('Value error, ')}"
                for fault in error.errors()
            ]
            raise GranaryError(
                f"{self.path}: {'; '.join(faults)}.",
                "Correct these keys; values that YAML reads as yes/no or numbers need quotes.",
            ) from error


def _child(node: yaml.Node | None, step: int | str, line: int) -> tuple[int, yaml.Node | None]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line + 1, node.value[step]
    return line, None if not isinstance(node, yaml.Node) else node
