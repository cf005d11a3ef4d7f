"""One writer: plain `sqlmesh plan` and `sqlmesh run` take the lock that `granary` takes.

See docs/adr/0002. SQLMesh keeps these statements and macros with each environment, so whether this
process has the lock is asked when they run, not when the project loads.
"""

import os
import socket

from sqlglot import exp
from sqlmesh import macro
from sqlmesh.core.macros import MacroEvaluator

from granary.writer import WRITER_PROCESS

APPLICATION_NAME_LIMIT = 63


@macro()
def take_writer_lock(evaluator: MacroEvaluator) -> list[str]:
    """Before every plan and run: be the one writer, or fail before anything is written."""
    if os.environ.get(WRITER_PROCESS) == str(os.getpid()):
        return []
    who = f"sqlmesh (process {os.getpid()} on {socket.gethostname()})"[:APPLICATION_NAME_LIMIT]
    return [f"SELECT ops.take_writer_lock({exp.Literal.string(who).sql('duckdb')})"]


@macro()
def release_writer_lock(evaluator: MacroEvaluator) -> list[str]:
    """After every plan and run: the session of `sqlmesh ui` lasts longer than they do."""
    if os.environ.get(WRITER_PROCESS) == str(os.getpid()):
        return []
    return ["SELECT ops.release_writer_lock()"]
