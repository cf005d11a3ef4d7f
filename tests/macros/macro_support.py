"""What the tests of macros share."""

from collections.abc import Callable
from typing import Any

# Rows of the answer to a query in the dialect of the project.
Answers = Callable[[str], list[tuple[Any, ...]]]
