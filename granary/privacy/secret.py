"""Knowing somebody again without knowing who: digests under a secret that the database lacks."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path

from granary.errors import GranaryError
from granary.landing.tables import literal
from granary.postgres.record import write_private

BLOCK = 64  # bytes of SHA-256
INNER, OUTER = 0x36, 0x5C  # as RFC 2104 has them
FILE_NAME = "forgotten.key"


@dataclass(frozen=True)
class Secret:
    """The secret of a home folder.

    Ids can be guessed one after the other, so a plain hash of one would be as good as the id.
    """

    key: bytes

    @property
    def secret_id(self) -> str:
        """A name for it, which tells nothing of it."""
        return hashlib.sha256(b"granary secret|" + self.key).hexdigest()[:16]

    def digest(self, domain: str, tenant_id: str, column: str, value: str) -> str:
        """HMAC-SHA256 of a value, another one in every domain, tenant and column."""
        said = _context(domain, tenant_id, column) + value
        return hmac.digest(self.key, said.encode(), "sha256").hex()

    def digest_sql(self, domain: str, tenant_id: str, column: str, value: str) -> str:
        """The same as DuckDB SQL.

        Args:
            value: SQL of the text.
        """
        padded = self.key.ljust(BLOCK, b"\0")
        inner = bytes(byte ^ INNER for byte in padded).hex()
        outer = bytes(byte ^ OUTER for byte in padded).hex()
        said = f"encode({literal(_context(domain, tenant_id, column))} || {value})"
        return f"sha256(unhex('{outer}') || unhex(sha256(unhex('{inner}') || {said})))"


def _context(domain: str, tenant_id: str, column: str) -> str:
    return f"{domain}|{tenant_id}|{column}|"


def read_secret(home: Path) -> Secret | None:
    """Read a home folder's secret; None when nobody was ever forgotten there.

    Raises:
        GranaryError: the file cannot be read.
    """
    path = home / FILE_NAME
    try:
        return Secret(bytes.fromhex(path.read_text().strip()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        # The cause would show what the file holds.
        raise GranaryError(
            f"{path} cannot be read; it holds the secret by which forgotten people are known.",
            "Restore it from a copy.",
        ) from None


def make_secret(home: Path) -> Secret:
    """Read the secret, or make one that only this user can read."""
    found = read_secret(home)
    if found is None:
        found = Secret(secrets.token_bytes(BLOCK // 2))
        home.mkdir(parents=True, exist_ok=True)
        write_private(home / FILE_NAME, found.key.hex() + "\n")
    return found
