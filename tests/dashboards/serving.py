"""A Superset with all dashboards, on a small warehouse of its own."""

import json
import socket
from dataclasses import dataclass
from functools import cache

from end_to_end.sandbox import Sandbox

from granary.superset.client import Client
from granary.superset.frontend import Frontend

TENANTS = ("issuer_1", "issuer_2")


@dataclass(frozen=True)
class Dashboards:
    """What is served.

    Attributes:
        sandbox: the checkout and warehouse behind it.
        port: where Superset listens.
    """

    sandbox: Sandbox
    port: int

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def frontend(self) -> Frontend:
        """For looking at it without a command."""
        return Frontend(self.sandbox.settings)

    def password(self, user: str) -> str:
        """The password that a person would look up."""
        passwords: dict[str, str] = json.loads(self.frontend.places.passwords.read_text())
        return passwords[user]

    @cache  # noqa: B019 - as many sessions as there are users, for as long as the tests run
    def client(self, user: str) -> Client:
        """A user's session."""
        client = Client(self.url)
        client.log_in(user, self.password(user))
        return client


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
