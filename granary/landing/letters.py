"""Dead letters: which there are, and the waiting lines to be corrected outside."""

import csv
import io
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from granary.errors import GranaryError, WrongUsage
from granary.gateways.base import Rows
from granary.landing.checks import FORGOTTEN, TYPE_MISMATCH
from granary.landing.contract import Tenants
from granary.landing.files import unreadable
from granary.landing.records import csv_record, parse_csv_record
from granary.landing.store import UNUSUAL, WHOLE_FILE, Store

WAITING = "waiting"
LISTED = [
    *("feed", "tenant_id", "source", "load_id", "source_line", "status", "attempts"),
    *("error_class", "column_name", "reason", "raw_text", "created_at", "closed_reason"),
]
# Of lines by their values, of lines that are no records, of lines that nobody has to mend, and of
# whole files.
ERROR_CLASSES = (
    *("required_missing", TYPE_MISMATCH, "pattern_mismatch", "unknown_code", "out_of_range"),
    *("check_digit", "after_extract", "structure", "encoding", "too_long"),
    *("duplicate", FORGOTTEN),
    *("header", "file", UNUSUAL),
)
MEND_VALUES = "Take the file that `granary dead-letters export` wrote, and correct values only."
# Columns of an export that are not the file's.
SOURCE, LOAD_ID, LINE, REASON, RECORD = "_source", "_load_id", "_line", "_reason", "_record"


@dataclass(frozen=True)
class Wanted:
    """Which dead letters are meant; what is None does not matter."""

    feed: str | None = None
    tenant_id: str | None = None
    load_id: int | None = None
    error_class: str | None = None
    status: str | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether anything matters."""
        return any(value is not None for value in vars(self).values())

    def condition(self) -> tuple[str, list[Any]]:
        """SQL that is true for these letters, and its parameters from $1 on."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        terms = [f"letters.{name} = ${place}" for place, name in enumerate(given, 1)]
        return " AND ".join(terms) or "TRUE", list(given.values())


@dataclass(frozen=True)
class Letter:
    """A line that waits.

    Attributes:
        source: its file, as the ledger calls it.
        header: names of its file's columns, in the file's order.
        record: the line as it came.
    """

    feed: str
    source: str
    load_id: int
    source_line: int
    reason: str
    header: list[str]
    record: bytes

    @property
    def values(self) -> list[str] | None:
        """Its values by the header; None when it cannot be split into them."""
        try:
            found = list(csv.reader(io.StringIO(self.record.decode(), newline=""), strict=True))
        except (UnicodeDecodeError, csv.Error):
            return None
        fits = len(found) == 1 and len(found[0]) == len(self.header)
        return found[0] if fits else None


@dataclass(frozen=True)
class Closed:
    """What was given up.

    Attributes:
        lines: how many lines.
        files: files that had been refused as a whole, as the ledger calls them.
    """

    lines: int
    files: list[str]


def expect_known(store: Store, wanted: Wanted, feeds: Collection[str], tenants: Tenants) -> None:
    """See that only such names are wanted as there can be.

    Args:
        feeds: those that have a contract.

    Raises:
        WrongUsage: a name is unknown; tells those that dead letters have.
    """
    if wanted.load_id is not None and not store.rows(
        "SELECT 1 FROM ops.load_batch WHERE load_id = $1", [wanted.load_id]
    ):
        raise WrongUsage(
            f"There is no batch {wanted.load_id}.",
            "Those with dead letters are in the column load_id of: granary dead-letters list",
        )
    listed = {tenant for of_domain in tenants.values() for tenant in of_domain}
    for column, noun, known in (
        ("feed", "feed", feeds),
        ("tenant_id", "tenant", listed),
        ("error_class", "error class", ERROR_CLASSES),
    ):
        name = getattr(wanted, column)
        if name is None or name in known:
            continue
        rows = store.rows(f"SELECT DISTINCT {column} FROM ops.dead_letter ORDER BY 1")
        there = [row[0] for row in rows]
        if name not in there:
            raise WrongUsage(
                f'No {noun} is called "{name}".',
                f"There are dead letters of: {', '.join(there)}."
                if there
                else "There are no dead letters at all.",
            )


def list_letters(store: Store, wanted: Wanted, limit: int) -> Rows:
    """List dead letters, the newest first; protected values show as ***."""
    condition, parameters = wanted.condition()
    shown = [f"{'batches' if name == 'source' else 'letters'}.{name}" for name in LISTED]
    rows = store.rows(
        f"SELECT {', '.join(shown)} FROM ops.dead_letter AS letters "
        "INNER JOIN ops.load_batch AS batches ON batches.load_id = letters.load_id "
        f"WHERE {condition} "
        f"ORDER BY letters.created_at DESC, letters.load_id, letters.source_line LIMIT {limit}",
        parameters,
    )
    return Rows(LISTED, rows)


def group_letters(store: Store, wanted: Wanted) -> Rows:
    """Count dead letters by sender, fault and status, the most first."""
    condition, parameters = wanted.condition()
    by = ["feed", "tenant_id", "error_class", "column_name", "status"]
    grouped = ", ".join(by)
    rows = store.rows(
        f"SELECT {grouped}, COUNT(*) AS counted, MIN(created_at), MAX(created_at) "
        f"FROM ops.dead_letter AS letters WHERE {condition} "
        f"GROUP BY {grouped} ORDER BY counted DESC, {grouped}",
        parameters,
    )
    return Rows([*by, "letters", "oldest", "newest"], rows)


def waiting_lines(store: Store, wanted: Wanted) -> list[Letter]:
    """Read the lines that wait, in the order of their files' extracts."""
    condition, parameters = wanted.condition()
    rows = store.rows(
        "SELECT letters.feed, batches.source, letters.load_id, letters.source_line, "
        "letters.reason, batches.header, lines.line FROM ops.dead_letter AS letters "
        "INNER JOIN ops.load_batch AS batches ON batches.load_id = letters.load_id "
        "INNER JOIN raw.refused_line AS lines "
        "ON lines.load_id = letters.load_id AND lines.source_line = letters.source_line "
        f"WHERE letters.status = '{WAITING}' AND batches.header IS NOT NULL AND {condition} "
        "ORDER BY batches.extracted_at, letters.load_id, letters.source_line",
        parameters,
    )
    return [
        Letter(feed, source, load_id, line, reason, parse_csv_record(header), bytes(record))
        for feed, source, load_id, line, reason, header, record in rows
    ]


def waiting_files(store: Store, wanted: Wanted) -> list[str]:
    """Name the files that were refused as a whole and wait, as the ledger calls them."""
    condition, parameters = wanted.condition()
    rows = store.rows(
        "SELECT batches.source FROM ops.dead_letter AS letters "
        "INNER JOIN ops.load_batch AS batches ON batches.load_id = letters.load_id "
        f"WHERE letters.status = '{WAITING}' AND letters.source_line = {WHOLE_FILE} "
        f"AND {condition} ORDER BY batches.extracted_at, batches.source",
        parameters,
    )
    return list(dict.fromkeys(source for (source,) in rows))


def close_letters(store: Store, wanted: Wanted, reason: str, now: datetime) -> Closed:
    """Give up what waits: nobody will repair it, so its lines as they came are let go of.

    Args:
        reason: why, for those who ask later.
        now: UTC without zone.
    """
    condition, parameters = wanted.condition()
    meant = f"letters.status = '{WAITING}' AND {condition}"
    with store.together():
        files = waiting_files(store, wanted)
        [(lines,)] = store.rows(
            "SELECT COUNT(*) FROM ops.dead_letter AS letters "
            f"WHERE {meant} AND letters.source_line <> {WHOLE_FILE}",
            parameters,
        )
        store.rows(
            "DELETE FROM raw.refused_line WHERE EXISTS (SELECT 1 FROM ops.dead_letter AS letters "
            "WHERE letters.load_id = refused_line.load_id "
            f"AND letters.source_line = refused_line.source_line AND {meant})",
            parameters,
        )
        place = len(parameters)
        store.rows(
            "UPDATE ops.dead_letter AS letters SET status = 'closed', "
            f"closed_reason = ${place + 1}, closed_at = ${place + 2} WHERE {meant}",
            [*parameters, reason, now],
        )
    return Closed(lines, files)


def accept_file(store: Store, load_id: int, reason: str) -> None:
    """Let a file in that its feed's policy stopped: these bytes of this extract, and no other.

    Args:
        reason: why, for those who ask later; it is kept in the ledger.

    Raises:
        GranaryError: it does not wait because it was unusual, or the reason is blank.
    """
    if not reason.strip():
        raise GranaryError("The reason is blank, and it is kept.", "Say why the file is right.")
    if not waiting_files(store, Wanted(load_id=load_id, error_class=UNUSUAL)):
        raise GranaryError(
            f"No file of batch {load_id} waits because it is unusual.",
            f"List those that do: granary dead-letters list --error-class {UNUSUAL} "
            f"--status {WAITING}",
        )
    store.accept(load_id, reason)


def export(letters: Iterable[Letter]) -> Rows:
    """Lay lines out as a table: where each came from, why it waits, and its values.

    Lines that cannot be split into values are whole in the last column.
    """
    listed = list(letters)
    names = list(dict.fromkeys(name for letter in listed for name in letter.header))
    rows: list[tuple[Any, ...]] = []
    for letter in listed:
        values = letter.values
        cells = dict(zip(letter.header, values or (), strict=False))
        about = (letter.source, letter.load_id, letter.source_line, letter.reason)
        whole = "" if values else letter.record.decode(errors="replace")
        rows.append((*about, *(cells.get(name, "") for name in names), whole))
    return Rows([SOURCE, LOAD_ID, LINE, REASON, *names, RECORD], rows)


def read_mended(path: Path) -> dict[tuple[int, int], dict[str, str]]:
    """Read an export that somebody corrected.

    Returns:
        Its rows by batch and line.

    Raises:
        GranaryError: it cannot be read, or is not an export.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            rows = list(reader)
    except OSError as error:
        raise unreadable(path, error) from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise GranaryError(f"{path}: it is not CSV in UTF-8.", MEND_VALUES) from error
    missing = [name for name in (LOAD_ID, LINE, RECORD) if name not in (reader.fieldnames or ())]
    if missing:
        raise GranaryError(f"{path}: column {', '.join(missing)} is missing.", MEND_VALUES)
    uneven = [place for place, row in enumerate(rows, 1) if None in row or None in row.values()]
    if uneven:
        raise GranaryError(f"{path}: row {uneven[0]} is not as wide as the header.", MEND_VALUES)
    try:
        return {(int(row[LOAD_ID]), int(row[LINE])): row for row in rows}
    except ValueError as error:
        raise GranaryError(f"{path}: {LOAD_ID} or {LINE} is not a number.", MEND_VALUES) from error


def mend(
    letters: Iterable[Letter], rows: Mapping[tuple[int, int], dict[str, str]], path: Path
) -> list[Letter]:
    """Give the letters that an export holds, with what was corrected in it.

    Args:
        rows: by batch and line, as read_mended gives them.
        path: the export, for messages.

    Raises:
        GranaryError: a column of these letters was taken out of the export.
    """
    meant = [
        (letter, rows[letter.load_id, letter.source_line])
        for letter in letters
        if (letter.load_id, letter.source_line) in rows
    ]
    gone = dict.fromkeys(name for letter, row in meant for name in letter.header if name not in row)
    if gone:
        raise GranaryError(
            f"{path}, line 1: column {', '.join(gone)} is missing, so its values would be lost. "
            "Nothing was tried.",
            MEND_VALUES,
        )
    return [replace(letter, record=_mended(letter, row)) for letter, row in meant]


def _mended(letter: Letter, row: dict[str, str]) -> bytes:
    if row[RECORD].strip():
        return row[RECORD].encode()
    return csv_record([row[name] for name in letter.header]).encode()
