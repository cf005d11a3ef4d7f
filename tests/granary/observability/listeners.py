"""Servers of this machine that keep what is sent to them."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Listener:
    """A web server; `status` is what it answers."""

    port: int
    status: int = 200
    received: list[Any] = field(default_factory=list)


@contextmanager
def web_listener() -> Iterator[Listener]:
    """A web server that takes JSON."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            listener.received.append(json.loads(body))
            self.send_response(listener.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    listener = Listener(server.server_port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def mail_listener() -> Iterator[Listener]:
    """A mail server."""

    class Handler:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
            listener.received.append(envelope.content.decode())
            return "250 OK"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listener = Listener(free.getsockname()[1])
    controller = Controller(Handler(), hostname="127.0.0.1", port=listener.port)
    controller.start()
    try:
        yield listener
    finally:
        controller.stop()


def json_lines(path: Path) -> list[Any]:
    """The lines of a log."""
    return [json.loads(line) for line in path.read_text().splitlines()]
