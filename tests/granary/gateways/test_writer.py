"""One writer: plans and runs of other processes wait, and are told for whom."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from granary.gateways import open_gateway
from granary.gateways.base import Gateway
from granary.pipeline import Pipeline
from granary.reporter import Reporter
from granary.settings import Settings

WRITE = """
import sys
from pathlib import Path
from granary.gateways import open_gateway
from granary.settings import Settings

gateway, home, purpose = sys.argv[1:]
settings = Settings(_env_file=None, gateway=gateway, home=Path(home), pghost=None)
say = lambda message: print(message, flush=True)
with open_gateway(settings).writer(purpose, lambda holder: say(f"waits for {holder}")):
    say("works")
    sys.stdin.readline()
say("done")
"""
Start = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def start(settings: Settings) -> Iterator[Start]:
    """Starts processes that write until they are told to end."""
    processes = []

    def start(purpose: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", WRITE, settings.gateway, str(settings.home_path), purpose],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


def test_the_second_process_waits_and_is_told_for_whom(gateway: Gateway, start: Start) -> None:
    assert gateway.writer_now() is None
    first = start("plan sandbox")
    assert said(first) == "works"
    holder = gateway.writer_now()
    assert holder
    assert holder.startswith(f"granary plan sandbox (process {first.pid}")

    second = start("run prod")
    assert said(second) == f"waits for {holder}"
    end(first)
    assert said(first) == "done"
    assert said(second) == "works"
    assert f"granary run prod (process {second.pid}" in (gateway.writer_now() or "")
    end(second)
    assert said(second) == "done"
    assert gateway.writer_now() is None


def test_who_waits_is_told_the_verb_that_writes_and_what_comes_after(
    settings: Settings, gateway: Gateway, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = start("retract 3391784525146381")
    assert said(first) == "works"
    lines = []

    def hear(_: Reporter, message: str) -> None:
        lines.append(message)
        end(first)

    monkeypatch.setattr(Reporter, "line", hear)
    with Pipeline(settings, Reporter()).alone("load"):
        assert said(first) == "done"

    [line] = lines
    assert line.startswith(f"Waiting for granary retract 3391784525146381 (process {first.pid}")
    assert line.endswith("; granary load comes after it, for one command writes at a time.")


@pytest.mark.slow
def test_a_long_name_of_the_host_is_cut_and_not_what_it_stands_in(
    server_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "a" * 80)
    gateway = open_gateway(server_settings)
    with gateway.writer("run prod", pytest.fail):
        assert re.fullmatch(
            rf"granary run prod \(process {os.getpid()} on a+\), since \S+ UTC",
            gateway.writer_now() or "",
        )


def test_the_lock_goes_with_a_process_that_is_killed(gateway: Gateway, start: Start) -> None:
    first = start("plan prod")
    assert said(first) == "works"
    second = start("run prod")
    assert said(second).startswith("waits for granary plan prod")
    first.kill()
    assert said(second) == "works"
    second.kill()
    second.wait()
    with gateway.writer("run prod", pytest.fail):
        assert f"process {os.getpid()}" in (gateway.writer_now() or "")


def test_a_writer_that_fails_leaves_the_lock_to_the_next(gateway: Gateway) -> None:
    with pytest.raises(ValueError, match="broken"), gateway.writer("run prod", pytest.fail):
        raise ValueError("broken")
    with gateway.writer("run prod", pytest.fail):
        pass


@pytest.mark.slow
def test_two_warehouses_on_one_server_do_not_wait_for_each_other(
    server_settings: Settings,
) -> None:
    other = open_gateway(server_settings.model_copy(update={"pgdatabase": "other"}))
    other.start()
    with (
        open_gateway(server_settings).writer("plan prod", pytest.fail),
        other.writer("run prod", pytest.fail),
    ):
        assert re.match(r"granary run prod ", other.writer_now() or "")
    assert other.writer_now() is None
