"""What somebody should know, and how bad it is."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Alert:
    """One thing that somebody should know.

    Attributes:
        remedy: what to do, as a sentence or a command.
    """

    level: Level
    message: str
    remedy: str = ""

    @property
    def text(self) -> str:
        """What the message says of it."""
        return "\n".join(filter(None, [f"{self.level}: {self.message}", f"  -> {self.remedy}"]))
