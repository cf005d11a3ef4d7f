"""docker-compose.yml, as far as it can be tried without Docker.

Its form, and its entry points: the commands of its services, with their settings, against a server
of PostgreSQL that somebody else started.
"""

import os
import re
import subprocess
import sys
import time
import urllib.request
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from debian import require
from external_postgres import external_postgres

from granary.cli import app
from granary.postgres.cluster import _free_port
from granary.settings import PROJECT, Settings
from granary.superset.client import Client
from granary.superset.credentials import read_private
from granary.superset.places import Places
from seeds_gen.aca import generate

GRANARY = [sys.executable, "-c", "from granary.cli import main; main()"]
READER = Path("/usr/bin/docker-compose")
START_SECONDS = 120
COMPOSE = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("granary", "superset")


def test_docker_reads_it() -> None:
    # It needs no engine to read the file.
    require(READER, "docker-compose")
    command = [str(READER), "--file", str(PROJECT / "docker-compose.yml"), "config", "--quiet"]
    environment = {**os.environ, "GRANARY_PGPASSWORD": "secret"}
    read = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (read.returncode, read.stderr) == (0, "")


def test_nobody_starts_it_without_a_password() -> None:
    text = (PROJECT / "docker-compose.yml").read_text()
    assert len(re.findall(r"\$\{GRANARY_PGPASSWORD:\?", text)) == 2
    assert "GRANARY_PGPASSWORD" in (PROJECT / ".env.example").read_text()


def test_commands_are_verbs_and_settings_are_known() -> None:
    verbs = typer.main.get_command(app)
    known = {f"GRANARY_{name.upper()}" for name in Settings.model_fields}
    for name in OURS:
        verb, *options = SERVICES[name]["command"]
        command = verbs.commands[verb]  # type: ignore[attr-defined]
        known_options = {
            option for given in command.params for option in (*given.opts, *given.secondary_opts)
        }
        assert set(options) <= known_options
        assert SERVICES[name]["environment"].keys() <= known


def test_services_are_healthy_private_and_nobodys_root() -> None:
    for name, service in SERVICES.items():
        assert service["user"] not in ("root", "0", "0:0")
        stays = service.get("restart") == "unless-stopped"
        assert stays == ("healthcheck" in service), name
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")
        mounted = {volume.partition(":")[0] for volume in service["volumes"]}
        assert mounted <= COMPOSE["volumes"].keys()
    assert SERVICES["postgres"]["image"] == "postgres:18"


def test_the_image_is_made_of_lock_files_and_runs_as_nobody_special() -> None:
    lines = (PROJECT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    installs = [line for line in lines if "uv sync" in line]
    assert len(installs) == 3
    assert all("--frozen" in line and "--no-dev" in line for line in installs)
    copied = [word for line in lines if line.startswith("COPY") for word in line.split()[2:-1]]
    assert all((PROJECT / source).exists() for source in copied)
    assert [line for line in lines if line.startswith("USER")] == ["USER granary"]
    user = next(line for line in lines if "useradd" in line)
    assert f"--uid {SERVICES['granary']['user'].partition(':')[0]} " in user


@pytest.mark.slow
def test_the_services_work_one_after_the_other(open_folder: Path) -> None:
    folder = open_folder / "compose"
    folder.mkdir()
    with external_postgres(folder / "server") as server:
        settings = {
            **SERVICES["granary"]["environment"],
            "GRANARY_HOME": folder / "home",
            "GRANARY_LANDING": folder / "landing",
            "GRANARY_PGHOST": server.host,
            "GRANARY_PGPORT": server.port,
            "GRANARY_PGUSER": server.user,
            "GRANARY_PGPASSWORD": server.password,
            "GRANARY_PGDATABASE": "composed",
            "GRANARY_SUPERSET_PORT": _free_port(),
        }
        environment = {**os.environ, **{name: str(value) for name, value in settings.items()}}
        generate(
            folder / "landing",
            tenants=1,
            members=60,
            start=date(2025, 1, 1),
            end=date(2025, 3, 31),
            batches=None,
            seed=3,
        )
        built = subprocess.run(
            [*GRANARY, *SERVICES["granary"]["command"]],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert built.returncode == 0, built.stderr
        assert "Dashboards" not in built.stderr

        log = folder / "serve.log"
        with log.open("w") as output:
            serving = subprocess.Popen(
                [*GRANARY, *SERVICES["superset"]["command"]],
                cwd=PROJECT,
                env=environment,
                stdout=output,
                stderr=output,
            )
        try:
            port = settings["GRANARY_SUPERSET_PORT"]
            wait_until_healthy(f"http://127.0.0.1:{port}/health", serving, log)
            client = Client(f"http://127.0.0.1:{port}")
            passwords = read_private(Places(folder / "home").passwords)
            client.log_in("admin", passwords["admin"])
            found = client.get("/api/v1/dashboard/").content
            assert found["count"] >= 8
        finally:
            # As Docker ends a container.
            serving.terminate()
            assert serving.wait(30) in (0, -15), log.read_text()


def wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"no answer after {START_SECONDS} s: {log.read_text()}")
