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
from granary.superset.installation import install

GRANARY = "from granary.cli import main; main()"
SQLMESH = "from sqlmesh.cli.main import cli; cli()"
# One unit test of the models is enough to see that `plan` runs them; all would take long.
UNIT_TEST = Path("tests/models/core/test_dim_geography.yaml")
LEFT_OUT = shutil.ignore_patterns(
    ".*", "__pycache__", "data", "docs", "logs", "benchmarks", "tests"
)
SUPERSET = PROJECT / "superset"
PATIENCE = 600


def left_out(folder: str, names: list[str]) -> set[str]:
    """What a sandbox does not copy; Superset's folder only where somebody asks for it."""
    own = {SUPERSET.name} if Path(folder) == PROJECT else set()
    return LEFT_OUT(folder, names) | own


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

    def __init__(
        self,
        folder: Path,
        gateway: Literal["postgres", "duckdb"],
        superset_port: int | None = None,
    ) -> None:
        """Copy the checkout, without its environment, its data and its settings.

        Args:
            superset_port: where to serve dashboards; without it there are none.
        """
        self.checkout = folder / "checkout"
        shutil.copytree(PROJECT, self.checkout, ignore=left_out)
        if superset_port:
            self._lend_superset()
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
            **({"superset_port": superset_port} if superset_port else {}),
        )
        foreign = [name for name in os.environ if name.startswith("GRANARY_")]
        self._environment = {
            **{name: value for name, value in os.environ.items() if name not in foreign},
            "GRANARY_GATEWAY": gateway,
            "GRANARY_SUPERSET_PORT": str(self.settings.superset_port),
            "PYTHONPATH": str(self.checkout),
        }

    def _lend_superset(self) -> None:
        """Copy what configures Superset, and share the 600 MB that it is installed in."""
        install()
        own = self.checkout / SUPERSET.name
        shutil.copytree(SUPERSET, own, ignore=LEFT_OUT)
        (own / ".venv").symlink_to(SUPERSET / ".venv")

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
