"""The embedded PostgreSQL server: made on first use, started, stopped, and removed."""

import random
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from granary.errors import GranaryError
from granary.postgres.endpoint import Endpoint
from granary.postgres.failures import PortTaken, explain, tail
from granary.postgres.initialise import SUPERUSER, initialise
from granary.postgres.installation import (
    Account,
    bundled_installation,
    check_version,
    server_version,
)
from granary.postgres.layout import (
    Layout,
    installation_of,
    layout_of,
    make_folder,
    place,
    server_of,
    with_programs,
)
from granary.postgres.processes import (
    PID_FILE,
    end_orphans,
    process_lives,
    running_postmaster,
    wait_for_end,
)
from granary.postgres.record import (
    Record,
    home_lock,
    read_record,
    record_path,
    write_record,
)
from granary.postgres.tuning import configuration, server_settings, this_machine

HOST = "127.0.0.1"
# Below the ports that systems hand out to outgoing connections.
PORTS = range(20000, 32000)
PORT_ATTEMPTS = 5
START_SECONDS = 60
STOP_SECONDS = 60


@dataclass(frozen=True)
class ClusterStatus:
    """What the embedded server is doing; pid is None unless it runs."""

    running: bool
    pid: int | None
    port: int | None
    data_directory: Path
    version: str | None


class Cluster:
    """The PostgreSQL server that belongs to one home folder.

    Args:
        home: folder of everything that Granary writes; made when missing.
    """

    def __init__(self, home: Path) -> None:
        """Name the home folder; touches nothing yet."""
        self.home = home.resolve()

    @property
    def admin(self) -> Endpoint:
        """The superuser's endpoint.

        Raises:
            GranaryError: the server was never started.
        """
        server = read_record(self.home).server
        if server is None:
            raise GranaryError(f"There is no database in {self.home} yet.", "Run: granary up")
        return Endpoint(HOST, server.port, SUPERUSER, server.password, "postgres")

    def start(self) -> None:
        """Start the server, making it first if there is none; returns when it takes connections.

        Raises:
            GranaryError: it does not start; the message holds the end of its log.
        """
        try:
            with home_lock(self.home):
                record = read_record(self.home)
                if running_postmaster(layout_of(record).data) is None:
                    self._start(record)
                else:
                    _wait_until_ready(layout_of(record))
        except OSError as error:
            raise GranaryError(
                f"PostgreSQL could not be started: {error}.",
                "Mend that, or set GRANARY_HOME to a folder on a local disk with free space.",
            ) from error

    def stop(self) -> None:
        """Stop the server and whatever a crash left of it; open transactions are rolled back."""
        if self.home.exists():
            with home_lock(self.home):
                _stop(layout_of(read_record(self.home)))

    def status(self) -> ClusterStatus:
        """What the server is doing, from its process and files alone."""
        record = read_record(self.home)
        layout = layout_of(record)
        postmaster = running_postmaster(layout.data)
        return ClusterStatus(
            running=postmaster is not None,
            pid=postmaster.process.pid if postmaster else None,
            port=record.server.port if record.server else None,
            data_directory=layout.data,
            version=server_version(bundled_installation()) if layout.data.exists() else None,
        )

    def destroy(self) -> None:
        """Stop the server and remove its data, log and passwords."""
        if not self.home.exists():
            return
        with home_lock(self.home):
            record = read_record(self.home)
            _stop(layout_of(record))
            folders = [self.home / "postgres"]
            if record.server is not None and record.server.outside is not None:
                folders.append(record.server.outside)
            for folder in folders:
                if folder.exists():
                    shutil.rmtree(folder)
            record_path(self.home).unlink(missing_ok=True)

    def _start(self, record: Record) -> None:
        if record.server is None:
            record = place(record, port=_free_port())
        layout = layout_of(record)
        account = layout.account()
        record = with_programs(record, account)
        write_record(record)
        installation = installation_of(record, account)
        if not layout.data.exists():
            make_folder(layout.root, account)
            initialise(layout, installation, account, server_of(record).password)
        check_version(installation, layout.data)
        end_orphans(layout.data)
        (layout.data / PID_FILE).unlink(missing_ok=True)
        _launch_on_free_port(record, layout, installation, account)


def _launch_on_free_port(
    record: Record, layout: Layout, installation: Path, account: Account
) -> None:
    """Launch on the port of before, or on a new one that the record then remembers."""
    server = server_of(record)
    port = server.port if _is_free(server.port) else _free_port()
    for attempt in range(1, PORT_ATTEMPTS + 1):
        server = server.model_copy(update={"port": port})
        write_record(record.model_copy(update={"server": server}))
        try:
            _launch(layout, installation, account, port)
            return
        except PortTaken:
            # Someone was faster between our look and the server's.
            if attempt == PORT_ATTEMPTS:
                raise
            port = _free_port()


def _free_port() -> int:
    return next(port for port in random.sample(PORTS, k=len(PORTS)) if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _launch(layout: Layout, installation: Path, account: Account, port: int) -> None:
    settings = server_settings(this_machine(layout.data)) | {"port": str(port)}
    layout.configuration.write_text(configuration(settings), encoding="utf-8")
    layout.configuration.chmod(0o644)
    # The shell ends at once, so that the server is nobody's child: no one has to wait for it.
    command = ["sh", "-c", '"$@" >&2 & echo $!', "sh", str(installation / "bin/postgres")]
    with layout.log.open("wb") as log:
        launched = subprocess.run(
            [*command, "-D", str(layout.data)],
            cwd=layout.data,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            check=True,
            **account.process_options(),
        )
    _wait_until_ready(layout, launched_pid=int(launched.stdout))


def _wait_until_ready(layout: Layout, launched_pid: int | None = None) -> None:
    """Wait for a server that was just launched, or that was found running."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        postmaster = running_postmaster(layout.data)
        if postmaster is not None and postmaster.ready:
            return
        if postmaster is None and (launched_pid is None or not process_lives(launched_pid)):
            raise explain(f"PostgreSQL did not start ({layout.log})", _read_log(layout))
        time.sleep(0.02)
    raise GranaryError(
        f"PostgreSQL is not ready after {START_SECONDS} s; it may be recovering from a crash. "
        f"The end of {layout.log}:\n{tail(_read_log(layout))}\n",
        "Wait a while, then try again.",
    )


def _read_log(layout: Layout) -> str:
    return layout.log.read_text(encoding="utf-8", errors="replace") if layout.log.exists() else ""


def _stop(layout: Layout) -> None:
    postmaster = running_postmaster(layout.data)
    if postmaster is not None:
        postmaster.process.send_signal(signal.SIGINT)
        # Immediate shutdown, should it not end: the next start recovers from the log.
        for process in wait_for_end([postmaster.process], STOP_SECONDS):
            process.send_signal(signal.SIGQUIT)
            wait_for_end([process], STOP_SECONDS)
    end_orphans(layout.data)
