"""Everything that needs Superset's own code, in one process: it starts slowly.

Reads one JSON request from standard input and writes one JSON answer per line to standard output:
{"done": "migrated"}, for others wait for that, and {"done": "all"} or {"error": REASON} at last.
"""

import json
import sys
from typing import Any, TextIO


def main() -> int:
    """Serve the request."""
    answers = sys.stdout
    # Whatever else Superset prints goes to the log.
    sys.stdout = sys.stderr
    request: dict[str, Any] = json.load(sys.stdin)
    try:
        _serve(request, answers)
    except _refused() as error:
        _answer(answers, {"error": str(error)})
        return 1
    return 0


def _serve(request: dict[str, Any], answers: TextIO) -> None:
    import metadata
    from superset.app import create_app

    app = create_app()
    with app.app_context():
        if request["migrate"]:
            metadata.migrate()
        _answer(answers, {"done": "migrated"})
        if request["migrate"]:
            metadata.initialise()
        # These import models, which need an application.
        import access
        import assets

        access.apply_users(request["users"])
        with assets.acting_as(request["admin"]):
            assets.import_bundle(request["files"], request["database_passwords"])
            access.apply_roles(request["roles"])
            access.apply_rules(request["rules"], request["removed_rules"])
            assets.remove(request["removed"])
        _answer(answers, {"done": "all"})


def _refused() -> type[Exception]:
    from refusal import Refusal

    return Refusal


def _answer(answers: TextIO, content: dict[str, Any]) -> None:
    answers.write(json.dumps(content) + "\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
