"""One Superset over a warehouse of three small tables, which all tests of it share."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from superset_support import TABLES, World, small_bundle, superset_settings

from granary.gateways.postgres import PostgresGateway
from granary.postgres.cluster import _free_port
from granary.settings import Settings
from granary.superset.changes import Changes
from granary.superset.client import Client
from granary.superset.credentials import read_private
from granary.superset.frontend import Frontend
from granary.superset.installation import install


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the shell's variables nor the checkout's own .env reach a test."""
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    for name in [name for name in os.environ if name.startswith("GRANARY_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def world(reachable_folder: Path) -> Iterator[World]:
    """Superset as the first `granary up` leaves it; who changes it brings it back."""
    settings = superset_settings(reachable_folder / "superset", _free_port())
    gateway, frontend = PostgresGateway(settings), Frontend(settings)
    gateway.start()
    try:
        world = World(settings, frontend, gateway, Changes([], [], []))
        world.execute(TABLES.format(schema="semantic"))
        install()
        set_up = frontend.synchronise(small_bundle(), serve=True)
        yield World(settings, frontend, gateway, set_up)
    finally:
        frontend.destroy()
        gateway.destroy()


@pytest.fixture(scope="session")
def log_in(world: World) -> Callable[[str], Client]:
    """Gives the session of a user, one for all tests: logins are limited."""
    clients: dict[str, Client] = {}

    def session(user: str) -> Client:
        if user not in clients:
            client = Client(world.frontend.server.url)
            client.log_in(user, read_private(world.frontend.places.passwords)[user])
            clients[user] = client
        return clients[user]

    return session
