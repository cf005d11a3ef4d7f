"""A user's session with Superset, over HTTP."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any

from granary.errors import GranaryError

REQUEST_SECONDS = 120
TOKEN = re.compile(r'id="csrf_token"[^>]*value="([^"]+)"|csrf_token&#34;: &#34;([^&]+)&#34;')


@dataclass(frozen=True)
class Answer:
    """What Superset answered; `content` is JSON, or text where that is none."""

    status: int
    content: Any


class Client:
    """Asks as one user, in a session of cookies as a browser's.

    Args:
        url: of Superset.
    """

    def __init__(self, url: str) -> None:
        """Open nothing yet."""
        self._url = url
        self._opener = urllib.request.build_opener(
            # No proxy stands between us and this machine.
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(CookieJar()),
        )
        self._token = ""

    def log_in(self, user: str, password: str) -> None:
        """Begin the session.

        Raises:
            GranaryError: Superset does not answer, or refuses the password.
        """
        try:
            self._token = self._csrf_token()
            form = {"username": user, "password": password, "csrf_token": self._token}
            answer = self._send(
                "/login/",
                urllib.parse.urlencode(form).encode(),
                {"Content-Type": "application/x-www-form-urlencoded"},
            )
            given = self.get("/api/v1/security/csrf_token/")
            is_in = answer.status == given.status == 200
            if is_in:
                self._token = given.content["result"]
        except urllib.error.URLError as error:
            raise GranaryError(
                f"Superset does not answer at {self._url}: {error.reason}.",
                "Start it with: granary up",
            ) from error
        if not is_in:
            raise GranaryError(
                f"Superset at {self._url} refuses user {user} (status {answer.status}).",
                "If the password was changed in Superset, remove its line from the passwords file "
                "and run `granary up` to set it anew; after many attempts wait a minute.",
            )

    def get(self, path: str, **query: str) -> Answer:
        """Ask for something."""
        return self._send(f"{path}?{urllib.parse.urlencode(query)}" if query else path)

    def post(self, path: str, content: Any) -> Answer:
        """Send JSON."""
        return self.send("POST", path, content)

    def send(self, method: str, path: str, content: Any = None) -> Answer:
        """Send JSON by another method."""
        headers = {"X-CSRFToken": self._token, "Referer": self._url}
        data = None
        if content is not None:
            data = json.dumps(content).encode()
            headers["Content-Type"] = "application/json"
        return self._send(path, data, headers, method)

    def _csrf_token(self) -> str:
        page = self._send("/login/").content
        found = TOKEN.search(page if isinstance(page, str) else "")
        return next(filter(None, found.groups())) if found else ""

    def _send(
        self,
        path: str,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
        method: str | None = None,
    ) -> Answer:
        request = urllib.request.Request(
            self._url + path, data=data, headers=headers or {}, method=method
        )
        try:
            with self._opener.open(request, timeout=REQUEST_SECONDS) as response:
                return _answer(response.status, response.read())
        except urllib.error.HTTPError as error:
            return _answer(error.code, error.read())


def _answer(status: int, body: bytes) -> Answer:
    try:
        return Answer(status, json.loads(body))
    except ValueError:
        return Answer(status, body.decode(errors="replace"))
