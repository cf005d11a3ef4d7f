"""`granary dead-letters` and `granary retry`: what was refused, and another try."""

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from granary.errors import GranaryError
from granary.settings import Settings
from granary.tables import Format, write_rows

if TYPE_CHECKING:
    from granary.landing.letters import Wanted
    from granary.landing.store import Store

letters_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


class Status(StrEnum):
    """What became of a dead letter."""

    WAITING = "waiting"
    REPLAYED = "replayed"
    CLOSED = "closed"


Feed = Annotated[str | None, typer.Option(help="Only this feed, such as aca_claims.")]
Tenant = Annotated[str | None, typer.Option(help="Only this tenant.")]
Load = Annotated[int | None, typer.Option(help="Only this batch, as in ops.load_batch.")]
Reason = Annotated[str | None, typer.Option(help="Only this class of error, as unknown_code.")]
OfStatus = Annotated[Status | None, typer.Option(help="Only these.")]
Formatted = Annotated[Format, typer.Option("--format", help="How to write the answer.")]


@letters_app.command("list")
def list_letters(
    feed: Feed = None,
    tenant: Tenant = None,
    load: Load = None,
    reason: Reason = None,
    status: OfStatus = None,
    limit: Annotated[int, typer.Option(min=1, help="Most rows to give.")] = 50,
    format: Formatted = Format.TABLE,
) -> None:
    """List refused lines and files with their reasons, the newest first."""
    from granary.landing import letters

    with _store() as store:
        rows = letters.list_letters(store, wanted(feed, tenant, load, reason, status), limit)
    write_rows(rows, format.value)


@letters_app.command()
def groups(
    feed: Feed = None,
    tenant: Tenant = None,
    load: Load = None,
    reason: Reason = None,
    status: OfStatus = None,
    format: Formatted = Format.TABLE,
) -> None:
    """Count refused lines by sender, fault, column and status."""
    from granary.landing import letters

    with _store() as store:
        rows = letters.group_letters(store, wanted(feed, tenant, load, reason, status))
    write_rows(rows, format.value)


@letters_app.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where to write; protected values are in it.")],
    feed: Feed = None,
    tenant: Tenant = None,
    load: Load = None,
    reason: Reason = None,
) -> None:
    """Write the waiting lines of one feed to a CSV file, to be corrected and tried again."""
    from granary.landing import letters

    with _store() as store:
        waiting = letters.waiting_lines(store, wanted(feed, tenant, load, reason))
    feeds = sorted({letter.feed for letter in waiting})
    if len(feeds) > 1:
        raise GranaryError(f"Lines of {', '.join(feeds)} wait.", "Name one feed with --feed.")
    if not feeds:
        raise GranaryError("No line waits.", "Look at: granary dead-letters groups")
    rows = letters.export(waiting)
    try:
        # Nobody else may read protected values, also while the file is written.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise GranaryError(
            f"{file}: cannot be written: {error.strerror}.", "Name another place."
        ) from error
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
        os.fchmod(descriptor, 0o600)
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(rows.columns)
        writer.writerows(rows.rows)
    typer.echo(f"Wrote {len(rows.rows):,} lines of {feeds[0]} to {file}; protected values show.")
    typer.echo(f"Correct them, then: granary retry --mended {file}")


def wanted(
    feed: str | None,
    tenant: str | None,
    load: int | None,
    reason: str | None,
    status: Status | None = None,
) -> "Wanted":
    """Put the options that choose dead letters together."""
    from granary.landing.letters import Wanted

    return Wanted(feed, tenant, load, reason, status.value if status else None)


@contextmanager
def _store() -> Iterator["Store"]:
    from granary.gateways import open_gateway

    with open_gateway(Settings()).store() as store:
        store.prepare([])
        yield store
