"""`granary dead-letters`: what was refused, to be corrected, tried again or given up."""

import csv
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from granary.errors import GranaryError, WrongUsage
from granary.gateways.base import Rows
from granary.reporter import Reporter, counted
from granary.settings import CONTRACTS, Settings
from granary.tables import Format, write_rows

if TYPE_CHECKING:
    from granary.landing.letters import Wanted
    from granary.landing.store import Store

SHOWN_FILES = 5

letters_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


class Status(StrEnum):
    """What became of a dead letter."""

    WAITING = "waiting"
    REPLAYED = "replayed"
    CLOSED = "closed"


Feed = Annotated[str | None, typer.Option(help="Only this feed, such as aca_claims.")]
Tenant = Annotated[str | None, typer.Option(help="Only this tenant.")]
Load = Annotated[int | None, typer.Option(help="Only this batch, as in ops.load_batch.")]
ErrorClass = Annotated[
    str | None,
    typer.Option("--error-class", "--reason", help="Only this class of error, as unknown_code."),
]
# Where --reason says why.
ErrorClassAlone = Annotated[
    str | None, typer.Option("--error-class", help="Only this class of error, as unknown_code.")
]
OfStatus = Annotated[Status | None, typer.Option(help="Only these.")]
Formatted = Annotated[Format, typer.Option("--format", help="How to write the answer.")]


@letters_app.command("list")
def list_letters(
    feed: Feed = None,
    tenant: Tenant = None,
    load: Load = None,
    error_class: ErrorClass = None,
    status: OfStatus = None,
    limit: Annotated[int, typer.Option(min=1, help="Most rows to give.")] = 50,
    format: Formatted = Format.TABLE,
) -> None:
    """List refused lines and files with their reasons, the newest first."""
    from granary.landing import letters

    chosen = wanted(feed, tenant, load, error_class, status)
    with _store(chosen) as store:
        rows = letters.list_letters(store, chosen, limit)
    write_rows(rows, format.value)


@letters_app.command()
def groups(
    feed: Feed = None,
    tenant: Tenant = None,
    load: Load = None,
    error_class: ErrorClass = None,
    status: OfStatus = None,
    format: Formatted = Format.TABLE,
) -> None:
    """Count refused lines by sender, fault, column and status."""
    from granary.landing import letters

    chosen = wanted(feed, tenant, load, error_class, status)
    with _store(chosen) as store:
        rows = letters.group_letters(store, chosen)
    write_rows(rows, format.value)


@letters_app.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where to write; protected values are in it.")],
    feed: Feed = None,
    tenant: Tenant = None,
    load: Load = None,
    error_class: ErrorClass = None,
) -> None:
    """Write the waiting lines of one feed to a CSV file, to be corrected and tried again."""
    from granary.landing import letters

    _expect_new(file)
    chosen = wanted(feed, tenant, load, error_class)
    with _store(chosen) as store:
        waiting = letters.waiting_lines(store, chosen)
        files = letters.waiting_files(store, chosen)
    feeds = sorted({letter.feed for letter in waiting})
    if len(feeds) > 1:
        raise GranaryError(f"Lines of {', '.join(feeds)} wait.", "Name one feed with --feed.")
    if not feeds:
        remedy = _about_files(files) if files else "Look at: granary dead-letters groups"
        raise GranaryError("No line waits.", remedy)
    rows = letters.export(waiting)
    _write(rows, file)
    typer.echo(
        f"Wrote {counted(len(rows.rows), 'line')} of {feeds[0]} to {file}; protected values show."
    )
    typer.echo(f"Correct them, then: granary retry --mended {file}")
    if files:
        typer.echo(_about_files(files))


@letters_app.command()
def close(
    reason: Annotated[str, typer.Option(help="Why nobody will repair them; it is kept.")],
    feed: Feed = None,
    tenant: Tenant = None,
    load: Load = None,
    error_class: ErrorClassAlone = None,
) -> None:
    """Give up what waits: lines that nobody will repair, files that will not come again."""
    from granary.cli import observer
    from granary.landing.letters import ERROR_CLASSES
    from granary.pipeline import Pipeline

    chosen = wanted(feed, tenant, load, error_class)
    if not chosen.is_narrowed:
        raise WrongUsage(
            "All that waits would be closed, and its lines as they came would be gone.",
            "Say which is meant: --feed, --tenant, --load or --error-class.",
        )
    if reason.strip() in ("", *ERROR_CLASSES):
        raise WrongUsage(
            f'"{reason}" is no reason, and the reason is kept.',
            "Say why nobody will repair them; a class of errors is chosen by --error-class.",
        )
    pipeline = Pipeline(Settings(), Reporter(), observer)
    pipeline.start()
    pipeline.close_letters(chosen, reason)


def wanted(
    feed: str | None,
    tenant: str | None,
    load: int | None,
    error_class: str | None,
    status: Status | None = None,
) -> "Wanted":
    """Put the options that choose dead letters together."""
    from granary.landing.letters import Wanted

    return Wanted(feed, tenant, load, error_class, status.value if status else None)


def _expect_new(file: Path) -> None:
    """See that no export is there yet: somebody may have corrected lines in it by hand."""
    if os.path.lexists(file):
        raise GranaryError(
            f"{file}: there is such a file already, and it was left as it is.",
            f"Try its corrected lines first (granary retry --mended {file}), or move it away, or "
            "name another file.",
        )


def _write(rows: Rows, file: Path) -> None:
    """Write an export: whole or not at all, and for its owner only, also while it is written."""
    try:
        descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream, lineterminator="\n")
                writer.writerow(rows.columns)
                writer.writerows(rows.rows)
            _expect_new(file)
            Path(draft).replace(file)
        finally:
            Path(draft).unlink(missing_ok=True)
    except OSError as error:
        raise GranaryError(
            f"{file}: cannot be written: {error.strerror}.", "Name another place."
        ) from error


def _about_files(files: list[str]) -> str:
    """Say what to do about files that were refused as a whole, of which no line is kept."""
    shown = ", ".join(files[:SHOWN_FILES])
    more = f" and {len(files) - SHOWN_FILES} more" if len(files) > SHOWN_FILES else ""
    stand, them = ("waits", "it") if len(files) == 1 else ("wait", "them")
    return (
        f"{counted(len(files), 'file')} refused as a whole {stand}, and no export holds {them}: "
        f"{shown}{more}. Mend {them}, or the contract, then: granary retry. Give {them} up with: "
        "granary dead-letters close --load … --reason …"
    )


@contextmanager
def _store(chosen: "Wanted") -> Iterator["Store"]:
    """Open the warehouse for those letters, which are such as there can be."""
    from granary.gateways import open_gateway
    from granary.landing.contract import load_contracts, load_tenants
    from granary.landing.letters import expect_known

    with open_gateway(Settings()).store() as store:
        store.prepare([])
        tenants = load_tenants(CONTRACTS / "tenants.yaml")
        expect_known(store, chosen, load_contracts(CONTRACTS), tenants)
        yield store
