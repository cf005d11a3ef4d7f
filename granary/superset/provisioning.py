"""One Superset process that does all that needs Superset's own code."""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from granary.errors import GranaryError
from granary.postgres.failures import tail
from granary.superset.installation import interpreter
from granary.superset.places import PROVISIONING, Places
from granary.superset.runtime import process_environment


@dataclass(frozen=True)
class Request:
    """What has to be done, in this order; holds passwords.

    Attributes:
        migrate: bring Superset's own tables, permissions and roles to the installed version.
        admin: the user who makes everything.
        users: name, role, first_name, last_name, password and set_password of each.
        files: text by path of the bundle to import.
        database_passwords: by the path of the database's file.
        roles: what each role may, as in security.Access.
        rules: row-level rules.
        removed_rules: names of rules that no longer hold.
        removed: kind and uuid of assets to remove.
    """

    migrate: bool
    admin: str
    users: Sequence[Mapping[str, Any]] = field(repr=False)
    files: Mapping[str, str]
    database_passwords: Mapping[str, str] = field(repr=False)
    roles: Sequence[Mapping[str, Any]]
    rules: Sequence[Mapping[str, Any]]
    removed_rules: Sequence[str]
    removed: Sequence[Mapping[str, str]]


def provision(
    places: Places, request: Request, on_migrated: Callable[[], None] = lambda: None
) -> None:
    """Serve a request.

    Args:
        request: goes over standard input, for arguments can be seen by everybody on the machine.
        on_migrated: called once Superset's tables are there, while the rest goes on.

    Raises:
        GranaryError: Superset refuses; the message holds its reason.
    """
    places.log.parent.mkdir(parents=True, exist_ok=True)
    with places.log.open("ab") as log:
        places.log.chmod(0o600)
        process = subprocess.Popen(
            [str(interpreter()), str(PROVISIONING)],
            cwd=places.folder,
            env=process_environment(places),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdin is not None
    assert process.stdout is not None
    answer: dict[str, Any] = {}
    with process:
        try:
            process.stdin.write(json.dumps(request.__dict__))
            process.stdin.close()
            for line in process.stdout:
                answer = json.loads(line)
                if answer.get("done") == "migrated":
                    on_migrated()
        except BrokenPipeError:
            answer = {}
        except BaseException:
            process.kill()
            raise
    if answer.get("done") == "all" and process.returncode == 0:
        return
    if "error" in answer:
        raise GranaryError(answer["error"], "Mend what it names, then run the command again.")
    raise GranaryError(
        f"Superset could not be set up. The end of {places.log}:\n"
        f"{tail(places.log.read_text(encoding='utf-8', errors='replace'))}\n",
        "Mend what it names, then run the command again.",
    )
