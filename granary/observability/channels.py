"""Messages to people: one per command, with all that went wrong and what to do about it.

The addresses are secrets, as they hold tokens and passwords: nothing here ever shows one.
"""

import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import apprise

from granary.errors import GranaryError
from granary.observability.alerts import Alert, Level
from granary.settings import Settings

MOST_TOLD = 20


@dataclass(frozen=True)
class Channel:
    """One address of GRANARY_ALERT_URLS.

    Attributes:
        place: its place among them, from 1, which is all that may be said of it.
    """

    place: int
    address: str

    def send(self, title: str, body: str, level: Level) -> None:
        """Send a message.

        Raises:
            GranaryError: the address is none, or nobody answers there.
        """
        _keep_quiet()
        sender = apprise.Apprise()
        if not sender.add(self.address):
            raise GranaryError(
                f"Address {self.place} of GRANARY_ALERT_URLS is none that can be sent to.",
                "Write it as https://appriseit.com/services describes.",
            )
        kind = {Level.WARNING: apprise.NotifyType.WARNING, Level.ERROR: apprise.NotifyType.FAILURE}
        if not sender.notify(title=title, body=body, notify_type=kind[level]):
            raise GranaryError(
                f"Address {self.place} of GRANARY_ALERT_URLS did not take the message.",
                "Try it with: granary alert --test",
            )


def channels(settings: Settings) -> list[Channel]:
    """The addresses that alerts go to, none when alerts are off."""
    written = settings.alert_urls.get_secret_value().split()
    return [Channel(place, address) for place, address in enumerate(written, start=1)]


def send_alerts(settings: Settings, command: str, alerts: Sequence[Alert]) -> list[str]:
    """Send what is bad enough as one message to every address.

    Returns:
        What went wrong with the sending, a sentence each; never with an address in it.
    """
    told = [alert for alert in dict.fromkeys(alerts) if _counts(alert, settings)]
    if not told:
        return []
    worst = Level.ERROR if any(a.level == Level.ERROR for a in told) else Level.WARNING
    title = f"Granary on {socket.gethostname()}: {command} tells of {_count(told)}"
    lines = [alert.text for alert in told[:MOST_TOLD]]
    if len(told) > MOST_TOLD:
        lines.append(f"... and {len(told) - MOST_TOLD} more; see: granary doctor")
    failures = []
    for channel in channels(settings):
        try:
            channel.send(title, "\n\n".join(lines), worst)
        except GranaryError as error:
            failures.append(str(error))
    return failures


def _counts(alert: Alert, settings: Settings) -> bool:
    return alert.level == Level.ERROR or settings.alert_level == "warning"


def _count(alerts: list[Alert]) -> str:
    return "1 problem" if len(alerts) == 1 else f"{len(alerts)} problems"


def _keep_quiet() -> None:
    # What the library logs names the address.
    logger = logging.getLogger("apprise")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
