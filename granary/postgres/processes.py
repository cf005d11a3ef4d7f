"""The processes of one data folder, told apart from all others on the machine."""

import contextlib
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

PROGRAM = "postgres"
PID_FILE = "postmaster.pid"


@dataclass(frozen=True)
class Postmaster:
    """A running server: its process, port, and whether it accepts connections yet."""

    process: psutil.Process
    port: int
    ready: bool


def running_postmaster(data_directory: Path) -> Postmaster | None:
    """The server of a data folder, or None.

    The pid file alone proves nothing: after a crash its number may belong to anyone.
    """
    try:
        lines = (data_directory / PID_FILE).read_text().splitlines()
    except FileNotFoundError:
        return None
    try:
        process = psutil.Process(int(lines[0]))
    except (psutil.NoSuchProcess, ValueError, IndexError):
        return None
    if not _works_in(process, data_directory):
        return None
    # Lines: pid, data folder, start time, port, socket folder, address, memory key, state.
    port = int(lines[3]) if len(lines) > 3 else 0
    return Postmaster(process, port, ready=len(lines) > 7 and lines[7].strip() == "ready")


def process_lives(pid: int) -> bool:
    """Whether a process of this number still runs."""
    try:
        return is_alive(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


def end_orphans(data_directory: Path, patience: float = 5) -> None:
    """End server processes that outlived their postmaster; the log recovers what they did.

    Args:
        data_directory: the folder whose postmaster is gone.
        patience: seconds they get to end by themselves.
    """
    orphans = [process for process in psutil.process_iter() if _works_in(process, data_directory)]
    _signal(orphans, signal.SIGTERM)
    stubborn = wait_for_end(orphans, patience)
    _signal(stubborn, signal.SIGKILL)
    wait_for_end(stubborn, patience)


def wait_for_end(processes: list[psutil.Process], patience: float) -> list[psutil.Process]:
    """Wait at most `patience` seconds for processes to end; returns those that still live."""
    deadline = time.monotonic() + patience
    living = [process for process in processes if is_alive(process)]
    while living and time.monotonic() < deadline:
        time.sleep(0.01)
        living = [process for process in living if is_alive(process)]
    return living


def is_alive(process: psutil.Process) -> bool:
    """Whether a process still runs; one that ended but was not reaped by its parent does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _works_in(process: psutil.Process, data_directory: Path) -> bool:
    """Whether a process is a live PostgreSQL one of a data folder, where all of them work."""
    try:
        return (
            process.name() == PROGRAM
            and is_alive(process)
            and Path(process.cwd()) == data_directory.resolve()
        )
    except psutil.Error:
        return False
