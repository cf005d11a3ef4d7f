"""Errors that a user can act on."""


class GranaryError(Exception):
    """Something the user can mend.

    Args:
        message: what was wrong and where (file, line and column when there is one).
        remedy: what to do about it, as a sentence or a command.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class WrongUsage(GranaryError):
    """What was asked for cannot be meant, such as an option that names nothing there is."""
