"""The one clock: UTC without zone, as every timestamp is stored."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Now, UTC without zone."""
    return datetime.now(UTC).replace(tzinfo=None)
