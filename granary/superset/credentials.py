"""Secrets and first passwords: made up once, kept in files that only their owner can read."""

import json
from collections.abc import Iterable
from pathlib import Path

from granary.errors import GranaryError
from granary.postgres.record import new_password, write_private
from granary.superset.places import Places

SECRETS = ("secret_key", "guest_token_secret", "async_queries_secret")
PRIVATE = 0o600


def secrets_of(places: Places) -> dict[str, str]:
    """Superset's keys by name; with another `secret_key` stored passwords cannot be read."""
    return _kept(places, places.secrets, SECRETS)


def passwords_of(places: Places, users: Iterable[str]) -> dict[str, str]:
    """The first passwords of users, by name."""
    return _kept(places, places.passwords, users)


def read_private(path: Path) -> dict[str, str]:
    """Read one of these files.

    Raises:
        GranaryError: it cannot be read, or it is damaged.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise GranaryError(
            f"{path} cannot be read: {error.strerror}.",
            "Run this as the user who ran it first, or make it anew with: granary up",
        ) from error
    except ValueError:
        # The cause would quote the content.
        content = None
    if not isinstance(content, dict):
        raise GranaryError(
            f"{path} is damaged.", "Restore it from a copy, or start afresh with: granary reset"
        )
    return content


def open_to_others(places: Places) -> list[Path]:
    """Those of the files that more than their owner can read."""
    files = (places.secrets, places.passwords, places.runtime)
    return [path for path in files if path.exists() and path.stat().st_mode & 0o077]


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


def _kept(places: Places, path: Path, names: Iterable[str]) -> dict[str, str]:
    make_private_folder(places.folder)
    known = read_private(path) if path.exists() else {}
    asked = {name: known.get(name) or new_password() for name in names}
    if any(name not in known for name in asked):
        write_private(path, json.dumps({**known, **asked}, indent=2) + "\n")
    path.chmod(PRIVATE)
    return asked
