"""A checkout of its own, with a warehouse of its own, driven the way a user drives it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from granary.gateways import open_gateway
from granary.gateways.base import Gateway
from granary.settings import PROJECT, Settings

GRANARY = "from granary.cli import main; main()"
SQLMESH = "from sqlmesh.cli.main import cli; cli()"
# One unit test of the models is enough to see that `plan` runs them; all would take long.
UNIT_TEST = Path("tests/models/core/test_dim_geography.yaml")
NEVER_COPIED = shutil.ignore_patterns(".*", "__pycache__")
# Without the folder superset there are no dashboards, which have tests of their own.
LEFT_OUT = {"data", "docs", "logs", "superset", "benchmarks", "tests"}
PATIENCE = 600


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Attributes:
        answer: what it wrote to standard output.
        messages: what it wrote to standard error.
    """

    exit_code: int
    answer: str
    messages: str
    seconds: float


class Sandbox:
    """Runs commands in a copy of the checkout, so that the checkout itself is never touched."""

    def __init__(self, folder: Path, gateway: Literal["postgres", "duckdb"]) -> None:
        """Copy the checkout, without its environment, its data and its settings."""
        self.checkout = folder / "checkout"
        shutil.copytree(PROJECT, self.checkout, ignore=_left_out)
        # What SQLMesh worked out about a model's query holds in every checkout.
        with (self.checkout / "config.yaml").open("a") as config:
            config.write(f"\ncache_dir: {PROJECT / '.cache'}\n")
        (self.checkout / UNIT_TEST).parent.mkdir(parents=True)
        shutil.copy2(PROJECT / UNIT_TEST, self.checkout / UNIT_TEST)
        self.landing = self.checkout / "data" / "landing"
        self.landing.mkdir(parents=True)
        self.settings = Settings(
            _env_file=None,
            gateway=gateway,
            home=self.checkout / ".local",
            landing=self.landing,
            pghost=None,
        )
        foreign = [name for name in os.environ if name.startswith("GRANARY_")]
        self._environment = {
            **{name: value for name, value in os.environ.items() if name not in foreign},
            "GRANARY_GATEWAY": gateway,
            "PYTHONPATH": str(self.checkout),
        }

    @cached_property
    def gateway(self) -> Gateway:
        """The warehouse, for looking into it without a command."""
        return open_gateway(self.settings)

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The answer to a query, a dict per row."""
        answer = self.gateway.query(query)
        return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]

    def value(self, query: str) -> Any:
        """The one value that a query answers with."""
        return self.gateway.query(query).rows[0][0]

    def drop(self, files: Iterable[Path], source: Path) -> None:
        """Put files into the landing folder, each where it lies in another one."""
        for file in files:
            target = self.landing / file.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)

    def granary(self, *arguments: str, **environment: str) -> Outcome:
        """Run `granary VERB …` to its end, with some environment variables set otherwise."""
        return finish(self._start(GRANARY, *arguments, **environment))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `granary VERB …`."""
        return self._start(GRANARY, *arguments)

    def start_sqlmesh(self, *arguments: str) -> subprocess.Popen[str]:
        """Start plain `sqlmesh …`."""
        return self._start(SQLMESH, *arguments)

    def _start(self, program: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            cwd=self.checkout,
            env={**self._environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def _left_out(folder: str, names: list[str]) -> set[str]:
    at_the_top = LEFT_OUT if Path(folder) == PROJECT else set()
    return NEVER_COPIED(folder, names) | at_the_top.intersection(names)


def finish(process: subprocess.Popen[str]) -> Outcome:
    """Wait for a command's end."""
    began = time.monotonic()
    try:
        answer, messages = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Outcome(process.returncode, answer, messages, time.monotonic() - began)
