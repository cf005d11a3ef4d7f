"""A Superset with all dashboards, on a small warehouse of its own."""

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from end_to_end.sandbox import Sandbox

from granary.superset.client import Client
from granary.superset.frontend import Frontend
from seeds_gen.aca import generate

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


@pytest.fixture(scope="session")
def dashboards(reachable_folder: Path) -> Iterator[Dashboards]:
    """All that `granary up` makes of two years of two small issuers, refused lines included."""
    port = free_port()
    sandbox = Sandbox(reachable_folder / "served", "postgres", superset_port=port)
    generate(
        sandbox.landing,
        tenants=len(TENANTS),
        members=1200,
        start=date(2024, 1, 1),
        end=date(2025, 12, 31),
        batches=None,
        seed=3,
        faults=True,
    )
    outcome = sandbox.granary("up")
    try:
        assert f"Dashboards are at http://127.0.0.1:{port}" in outcome.messages, outcome.messages
        yield Dashboards(sandbox, port)
    finally:
        Frontend(sandbox.settings).destroy()
        sandbox.gateway.destroy()


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
