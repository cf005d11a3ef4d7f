"""The log: what commands did and what went wrong, one JSON object per line.

It holds names, counts and times, and messages of ours, which mask protected values. It never holds
rows, parameters of statements or passwords.
"""

import logging
import re
from pathlib import Path

import structlog

from granary.observability.private_files import PrivateLog

FOLDER = "logs"
FILE = "granary.jsonl"
BYTES = 5_000_000
KEPT = 4
# What servers add to an error, and where they quote the row that broke a rule.
DETAILS = re.compile(r"^\s*(DETAIL|CONTEXT|LINE \d+|HINT|\^).*$", re.MULTILINE)
QUOTED_VALUE = re.compile(
    r"((?:invalid|could not convert|conversion|out of range|duplicate key (?=[\"']))[^\n\"']*)"
    r"([\"']).*?\2",
    re.IGNORECASE,
)


def log_path(home: Path) -> Path:
    """Where the log of a home is."""
    return home / FOLDER / FILE


def open_log(home: Path) -> structlog.BoundLogger:
    """Open the log of a home; its file is made by the first line."""
    target = logging.Logger("granary", logging.DEBUG)
    target.addHandler(
        PrivateLog(log_path(home), maxBytes=BYTES, backupCount=KEPT, delay=True, encoding="utf-8")
    )
    log: structlog.BoundLogger = structlog.wrap_logger(
        target,
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
        ],
        wrapper_class=structlog.BoundLogger,
    )
    return log


def without_values(message: str) -> str:
    """An error's message without the data that a database quotes in it."""
    kept = DETAILS.sub("", message)
    kept = QUOTED_VALUE.sub(r"\1\2***\2", kept)
    return "\n".join(line for line in kept.splitlines() if line.strip())
