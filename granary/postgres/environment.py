"""Handing the warehouse's endpoints to programs that read environment variables."""

import re
import stat
from collections.abc import Mapping
from pathlib import Path

from granary.postgres.record import write_private
from granary.postgres.warehouse import Warehouse
from granary.settings import Settings

FIRST_LINE = "# >>> kept up to date by granary: changes between these lines are lost >>>"
LAST_LINE = "# <<< kept up to date by granary <<<"
BLOCK = re.compile(
    rf"^{re.escape(FIRST_LINE)}\r?\n.*?^{re.escape(LAST_LINE)}(?:\r?\n|\Z)",
    re.DOTALL | re.MULTILINE,
)


def environment_variables(warehouse: Warehouse, settings: Settings) -> dict[str, str]:
    """The variables that SQLMesh's config.yaml reads, by name; they hold a password."""
    transformer = warehouse.transformer
    return {
        "GRANARY_SQLMESH_HOME": str(settings.home_path),
        "GRANARY_SQLMESH_HOST": transformer.host,
        "GRANARY_SQLMESH_PORT": str(transformer.port),
        "GRANARY_SQLMESH_USER": transformer.user,
        "GRANARY_SQLMESH_PASSWORD": transformer.password,
        "GRANARY_SQLMESH_DATABASE": transformer.database,
        "GRANARY_SQLMESH_STATE_DATABASE": warehouse.state.database,
    }


def write_dotenv(path: Path, variables: Mapping[str, str]) -> None:
    """Write variables into a marked block of an .env file, so that a plain `sqlmesh plan` works.

    The lines around the block stay as they are. The file's mode becomes 0600, for it holds a
    password. Nothing is written when nothing changed.

    Args:
        path: the .env file; made when missing.
        variables: the whole content of the block.
    """
    target = path.resolve()
    before = target.read_bytes().decode() if target.exists() else ""
    block = "\n".join([FIRST_LINE, *map(_assignment, variables.items()), LAST_LINE, ""])
    if BLOCK.search(before):
        after = BLOCK.sub(lambda _: block, before, count=1)
    else:
        after = before + ("\n" if before and not before.endswith("\n") else "") + block
    private = target.exists() and stat.S_IMODE(target.stat().st_mode) == 0o600
    if after != before or not private:
        write_private(target, after)


def _assignment(item: tuple[str, str]) -> str:
    name, value = item
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{name}='{escaped}'"
