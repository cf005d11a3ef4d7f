"""The web server: one gunicorn with one process of eight threads, found again by its pid file."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from typing import NoReturn

import psutil

from granary.errors import GranaryError
from granary.postgres.failures import tail
from granary.postgres.processes import is_alive, process_lives, wait_for_end
from granary.superset.installation import interpreter
from granary.superset.places import Places
from granary.superset.runtime import configuration_hash, process_environment

THREADS = 8
START_SECONDS = 120
GRACE_SECONDS = 3
STOP_SECONDS = 15
ANSWER_SECONDS = 5
REQUEST_SECONDS = 120
LOG_BYTES = 5_000_000
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True)
class Record:
    """The content of server.json; `started_at` tells the process from a later one of its number."""

    pid: int
    started_at: float
    host: str
    port: int
    configuration: str


class Server:
    """The server of one home.

    Args:
        host: the address that it listens on.
        port: its port.
    """

    def __init__(self, places: Places, host: str, port: int) -> None:
        """Remember where it is; touches nothing yet."""
        self._places = places
        self.host = host
        self.port = port

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        host = EVERYWHERE.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def is_up(self) -> bool:
        """Whether our process lives and answers."""
        return self._process() is not None and self._answers()

    def is_current(self) -> bool:
        """Whether it is up, where and how the settings say."""
        record = self._record()
        return (
            record is not None
            and (record.host, record.port) == (self.host, self.port)
            and record.configuration == configuration_hash(self._places)
            and self.is_up()
        )

    def check_port(self) -> None:
        """Make sure that the port is ours or free.

        Raises:
            GranaryError: another program listens there.
        """
        if not _is_free(self.host, self.port) and not self._own_processes():
            raise GranaryError(
                f"Superset's port {self.port} on {self.host} is in use by {_listener(self.port)}.",
                "Set GRANARY_SUPERSET_PORT in .env to a port that is free, or end that program.",
            )

    def launch(self) -> None:
        """Start the process; an older one of ours is ended first.

        Raises:
            GranaryError: the port is in use.
        """
        self.stop()
        self.check_port()
        log = self._places.log
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        # The shell ends at once, so that the server is nobody's child: no one has to wait for it.
        command = ["sh", "-c", '"$@" >&2 & echo $!', "sh", *self._command()]
        with log.open("ab") as output:
            launched = subprocess.run(
                command,
                cwd=self._places.folder,
                env=process_environment(self._places),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                start_new_session=True,
                check=True,
            )
        log.chmod(0o600)
        try:
            self._remember(psutil.Process(int(launched.stdout)))
        except psutil.NoSuchProcess:
            raise self._failure("did not start") from None

    def become(self) -> NoReturn:
        """Serve in the place of this process, for containers and service managers.

        Raises:
            GranaryError: the port is in use.
        """
        self.stop()
        self.check_port()
        self._remember(psutil.Process())
        command = self._command()
        os.chdir(self._places.folder)
        os.execve(command[0], command, process_environment(self._places))

    def _remember(self, process: psutil.Process) -> None:
        record = Record(
            process.pid,
            process.create_time(),
            self.host,
            self.port,
            configuration_hash(self._places),
        )
        self._places.server.write_text(json.dumps(asdict(record)) + "\n")

    def wait(self) -> None:
        """Return when the launched server answers.

        Raises:
            GranaryError: it ended, or it does not answer in time; tells the end of its log.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._answers():
                return
            record = self._record()
            if record is None or not process_lives(record.pid):
                raise self._failure("ended while it started")
            time.sleep(0.1)
        raise self._failure(f"does not answer after {START_SECONDS} s")

    def stop(self) -> bool:
        """End our processes, those that a crash left included; False when there was none."""
        process = self._process()
        processes = self._own_processes()
        if process is not None:
            process.send_signal(signal.SIGTERM)
            wait_for_end([process], STOP_SECONDS)
        for left in [one for one in processes if is_alive(one)]:
            left.kill()
        wait_for_end(processes, STOP_SECONDS)
        self._places.server.unlink(missing_ok=True)
        return bool(processes)

    def _command(self) -> list[str]:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return [
            str(interpreter()),
            "-m",
            "gunicorn",
            f"--bind={host}:{self.port}",
            "--workers=1",
            "--worker-class=gthread",
            f"--threads={THREADS}",
            f"--timeout={REQUEST_SECONDS}",
            "--keep-alive=5",
            f"--graceful-timeout={GRACE_SECONDS}",
            "--limit-request-line=0",
            "--limit-request-field_size=0",
            "--access-logfile=/dev/null",
            "--error-logfile=-",
            "--log-level=warning",
            "--no-control-socket",
            "superset.app:create_app()",
        ]

    def _record(self) -> Record | None:
        try:
            return Record(**json.loads(self._places.server.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def _process(self) -> psutil.Process | None:
        """Our server; after a crash its number may belong to anyone."""
        record = self._record()
        if record is None:
            return None
        try:
            process = psutil.Process(record.pid)
            same = abs(process.create_time() - record.started_at) < 1 and is_alive(process)
        except psutil.Error:
            return None
        return process if same else None

    def _own_processes(self) -> list[psutil.Process]:
        """Every process that serves this home, whoever started it."""
        return [process for process in psutil.process_iter() if self._serves(process)]

    def _serves(self, process: psutil.Process) -> bool:
        try:
            return (
                "gunicorn" in process.cmdline()
                and process.environ().get("GRANARY_SUPERSET_RUNTIME") == str(self._places.runtime)
                and is_alive(process)
            )
        except (psutil.Error, OSError):
            return False

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=ANSWER_SECONDS) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _failure(self, what: str) -> GranaryError:
        log = self._places.log
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        return GranaryError(
            f"Superset {what}. The end of {log}:\n{tail(text)}\n",
            "Mend what it names, then run: granary up",
        )


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _listener(port: int) -> str:
    """Name who listens, as far as this user may know."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.Error:
        connections = []
    for connection in connections:
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,)
        if listens and connection.pid is not None:
            try:
                process = psutil.Process(connection.pid)
                return f"{process.name()} (process {process.pid} in {process.cwd()})"
            except psutil.Error:
                return f"process {connection.pid}"
    return "another program"
