"""What the tests of the runtime share."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """How a command ended; answer is standard output, messages are standard error."""

    exit_code: int
    answer: str
    messages: str


# Runs a command from its arguments.
Granary = Callable[..., Outcome]
