"""Names that people type, looked up with a hint."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from granary.errors import GranaryError

T = TypeVar("T")


def known(name: str, names: Mapping[str, T], kind: str, where: Path) -> T:
    """Look up a name.

    Args:
        kind: what it names, such as feed.
        where: the file or folder that lists the known ones.

    Raises:
        GranaryError: it is unknown; suggests the closest one.
    """
    if name not in names:
        close = get_close_matches(name, names, n=1)
        raise GranaryError(
            f'There is no {kind} "{name}".',
            f"Did you mean {close[0]}?" if close else f"{where} lists: {', '.join(sorted(names))}.",
        )
    return names[name]
