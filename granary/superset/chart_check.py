"""Every chart that a user may see, asked for its rows."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from granary.errors import GranaryError
from granary.superset.client import Client
from granary.superset.credentials import read_private
from granary.superset.frontend import Frontend

SLOWEST = 10
PERCENTILE = 0.95
PAGE = 100


@dataclass(frozen=True)
class ChartAnswer:
    """How one chart answered.

    Attributes:
        milliseconds: from asking to the last byte.
        rows: how many came, over all queries of the chart.
        error: what went wrong; empty when nothing did.
    """

    title: str
    milliseconds: float
    rows: int
    error: str


@dataclass(frozen=True)
class Report:
    """How all charts answered, for one user."""

    user: str
    answers: list[ChartAnswer]

    @property
    def is_well(self) -> bool:
        """Whether every chart has rows, and there is a chart."""
        return bool(self.answers) and not any(answer.error for answer in self.answers)

    @property
    def percentile(self) -> float:
        """Milliseconds within which 95 of 100 charts answer."""
        times = sorted(answer.milliseconds for answer in self.answers)
        return times[math.ceil(PERCENTILE * len(times)) - 1] if times else 0.0

    @property
    def lines(self) -> list[str]:
        """Failures, the slowest charts, and a summary."""
        failed = [answer for answer in self.answers if answer.error]
        slowest = sorted(self.answers, key=lambda answer: -answer.milliseconds)[:SLOWEST]
        return [
            *(f"failed   {answer.title}: {answer.error}" for answer in failed),
            *(f"{answer.milliseconds:5.0f} ms {answer.title}" for answer in slowest),
            f"{len(self.answers)} charts as {self.user}, {len(failed)} failed, "
            f"95 of 100 within {self.percentile:.0f} ms.",
        ]


def check_charts(frontend: Frontend, user: str | None = None) -> Report:
    """Ask every shipped chart that a user may see for its rows, past all caches.

    Args:
        user: one of the passwords file; the administrator when None.

    Raises:
        GranaryError: Superset is down, or the user is unknown.
    """
    frontend.require()
    if not frontend.server.is_up():
        raise GranaryError(
            f"Superset is down at {frontend.server.url}.", "Start it with: granary up"
        )
    passwords = read_private(frontend.places.passwords)
    user = user or frontend.admin
    if user not in passwords:
        raise GranaryError(
            f"There is no user {user} in {frontend.places.passwords}.",
            f"It holds: {', '.join(sorted(passwords))}.",
        )
    client = Client(frontend.server.url)
    client.log_in(user, passwords[user])
    shipped = frontend.shipped_charts()
    answers = [_ask(client, chart) for chart in _charts(client) if chart["uuid"] in shipped]
    return Report(user, answers)


def _charts(client: Client) -> Iterator[dict[str, Any]]:
    page = 0
    while True:
        query = (
            f"(columns:!(id,uuid,slice_name),order_column:slice_name,order_direction:asc,"
            f"page:{page},page_size:{PAGE})"
        )
        answer = client.get("/api/v1/chart/", q=query)
        if answer.status != 200:
            raise GranaryError(
                f"Superset does not list its charts (status {answer.status}).",
                "Look into its log: logs/superset.log in Granary's home.",
            )
        yield from answer.content["result"]
        page += 1
        if page * PAGE >= answer.content["count"]:
            return


def _ask(client: Client, chart: dict[str, Any]) -> ChartAnswer:
    began = time.monotonic()
    answer = client.get(f"/api/v1/chart/{chart['id']}/data/", force="true")
    milliseconds = (time.monotonic() - began) * 1000
    rows, error = 0, ""
    if answer.status != 200:
        error = f"status {answer.status}: {str(answer.content)[:300]}"
    else:
        queries = answer.content["result"]
        rows = sum(query["rowcount"] for query in queries)
        said = [str(query["error"]) for query in queries if query.get("error")]
        error = "; ".join(said) or ("" if all(query["rowcount"] for query in queries) else "no row")
    return ChartAnswer(chart["slice_name"], milliseconds, rows, error)
