"""The block in the .env file that lets a plain `sqlmesh plan` find the server."""

import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values

from granary.postgres.endpoint import Endpoint
from granary.postgres.environment import environment_variables, write_dotenv
from granary.postgres.warehouse import Warehouse
from granary.settings import Settings


def test_variables_are_the_transformers(tmp_path: Path) -> None:
    def endpoint(user: str, database: str = "granary") -> Endpoint:
        return Endpoint("127.0.0.1", 20001, user, f"secret of {user}", database)

    warehouse = Warehouse(
        loader=endpoint("loader"),
        transformer=endpoint("transformer"),
        reader=endpoint("reader"),
        admin=endpoint("admin", "postgres"),
        state=endpoint("transformer", "granary_state"),
        superset=endpoint("superset", "granary_superset"),
    )
    assert environment_variables(warehouse, Settings(home=tmp_path)) == {
        "GRANARY_SQLMESH_HOME": str(tmp_path),
        "GRANARY_SQLMESH_HOST": "127.0.0.1",
        "GRANARY_SQLMESH_PORT": "20001",
        "GRANARY_SQLMESH_USER": "transformer",
        "GRANARY_SQLMESH_PASSWORD": "secret of transformer",
        "GRANARY_SQLMESH_DATABASE": "granary",
        "GRANARY_SQLMESH_STATE_DATABASE": "granary_state",
    }


@pytest.mark.parametrize(
    "own_lines",
    ["", "# mine\nGRANARY_SUPERSET_PORT=9000\n", "A=1\r\nB='two words'\r\n", "NO_NEWLINE=yes"],
    ids=["empty", "a comment", "carriage returns", "no last newline"],
)
def test_own_lines_stay_and_the_block_is_replaced(tmp_path: Path, own_lines: str) -> None:
    path = tmp_path / ".env"
    path.write_bytes(own_lines.encode())
    path.chmod(0o644)
    own_values = dotenv_values(path)

    write_dotenv(path, {"PORT": "1", "OLD": "x"})
    assert dotenv_values(path) == own_values | {"PORT": "1", "OLD": "x"}
    with path.open("a") as file:
        file.write("LATER=added below\n")
    write_dotenv(path, {"PORT": "2"})
    assert dotenv_values(path) == own_values | {"PORT": "2", "LATER": "added below"}
    assert path.read_bytes().startswith(own_lines.encode())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_is_written_when_nothing_changed(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    write_dotenv(path, {"PORT": "1"})
    before = path.stat()
    write_dotenv(path, {"PORT": "1"})
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    path.chmod(0o644)
    write_dotenv(path, {"PORT": "1"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_odd_values_come_back_as_they_were(tmp_path: Path) -> None:
    odd = {"NAME": 'it\'s a \\ "$HOME" #1', "HOME_FOLDER": "/home/ä b/\\1"}
    path = tmp_path / ".env"
    write_dotenv(path, odd)
    write_dotenv(path, odd | {"PORT": "1"})
    assert dotenv_values(path) == odd | {"PORT": "1"}


def test_link_to_an_env_file_stays_a_link(tmp_path: Path) -> None:
    target = tmp_path / "shared.env"
    target.write_text("MINE=1\n")
    link = tmp_path / ".env"
    link.symlink_to(target)
    write_dotenv(link, {"PORT": "1"})
    assert link.is_symlink()
    assert dotenv_values(target) == {"MINE": "1", "PORT": "1"}
