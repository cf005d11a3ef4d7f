"""Where a database is and who connects to it."""

from dataclasses import dataclass, field, replace
from typing import Self

from psycopg.conninfo import make_conninfo


@dataclass(frozen=True)
class Endpoint:
    """A user's way into one database; its repr never shows the password."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str

    def conninfo(self) -> str:
        """Connection string for psycopg and libpq; holds the password."""
        return make_conninfo(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            dbname=self.database,
        )

    def for_database(self, name: str) -> Self:
        """The same user on another database of the same server."""
        return replace(self, database=name)
