"""What went wrong when a PostgreSQL program failed, told from the end of its log."""

from granary.errors import GranaryError

LOG_LINES = 15


class PortTaken(GranaryError):
    """Another process listens on the server's port."""


def tail(log: str) -> str:
    """The last lines of a log."""
    return "\n".join(log.strip().splitlines()[-LOG_LINES:])


def explain(what: str, log: str) -> GranaryError:
    """The error that a user can act on.

    Args:
        what: what failed, as the start of a sentence.
        log: everything the program wrote.
    """
    if "No space left on device" in log:
        return GranaryError(
            f"{what}, because the disk is full:\n{tail(log)}\n",
            "Free some disk space, or set GRANARY_HOME to a folder on a larger disk.",
        )
    if "Address already in use" in log:
        return PortTaken(
            f"{what}, because another process took its port:\n{tail(log)}\n",
            "Try the command again.",
        )
    return GranaryError(
        f"{what}. The end of its log:\n{tail(log)}\n",
        "Mend what the log names; `granary reset` starts afresh with an empty database.",
    )
