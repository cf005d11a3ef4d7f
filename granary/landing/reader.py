"""Reading a file into text: one table of lines with their numbers, one of lines refused already.

The quick way is DuckDB's own CSV reader. It holds when the file is plain: every record on a line of
its own, valid UTF-8, no NUL byte. Otherwise the file is read again record by record, and what is
malformed is refused with its line. Both ways give the same table, and agree on what a record is:

- Blank lines hold nothing and are passed over.
- Empty cells past the last column hold nothing and are passed over.
- A quoted value may span lines; the record's number is that of its first line.
"""

import codecs
import csv
import difflib
import gzip
import hashlib
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa

from granary.landing.checks import LINES, REFUSED
from granary.landing.contract import Contract
from granary.landing.errors import ContractViolation, FileRefused
from granary.landing.files import LandingFile, unreadable
from granary.landing.tables import literal, quoted

TEXT = "landing_text"
CHUNK = 1 << 20
HEADER_LIMIT = 1 << 20
RECORD_LINE_LIMIT = 200
BATCH_RECORDS = 20_000
NOT_CSV = "is not CSV: a quote is not closed, or text follows a closing quote"
GZIP_ERRORS = (EOFError, gzip.BadGzipFile, zlib.error)
FOREIGN_ENCODINGS = {
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}

@dataclass(frozen=True)
class Physique:
    """What a file's bytes look like before anyone parses them.

    Attributes:
        header: the bytes of line 1, without its line break.
        lines: physical lines, the header among them.
        plain: whether line breaks are of one kind and no byte is NUL.
    """

    header: bytes
    lines: int
    plain: bool


@dataclass(frozen=True)
class Refusal:
    """A line that cannot be read as a record."""

    line: int
    reason: str
    error_class: str
    text: str


def digest(file: LandingFile) -> str:
    """Compute the sha256 of the file's bytes.

    Raises:
        FileUnreadable: the operating system says no.
    """
    try:
        with file.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(file.path, error) from error


def read_text(workbench: duckdb.DuckDBPyConnection, file: LandingFile, contract: Contract) -> int:
    """Read a file into the temporary tables of lines and of refused lines.

    The lines have source_line and the contract's columns as text, trimmed of surrounding spaces,
    NULL when blank.

    Returns:
        Records read, those refused included.

    Raises:
        ContractViolation: the header does not fit the contract.
        FileRefused: empty, truncated, or in an encoding other than UTF-8.
        FileUnreadable: the operating system says no.
    """
    physique = _scan(file.path)
    header = _parse_header(file.path, physique.header, contract)
    workbench.execute(
        f"CREATE OR REPLACE TEMP TABLE {REFUSED} (source_line INTEGER, column_name TEXT, "
        "reason TEXT, error_class TEXT, raw_text TEXT)"
    )
    if physique.plain and _read_quickly(workbench, file.path, header, physique.lines):
        return physique.lines - 1
    return _read_carefully(workbench, file.path, header, contract)


def _scan(path: Path) -> Physique:
    lines = carriage_returns = 0
    plain = True
    last = b"\n"
    try:
        with _open(path) as stream:
            header = stream.readline(HEADER_LIMIT)
            chunk = header
            while chunk:
                lines += chunk.count(b"\n")
                carriage_returns += chunk.count(b"\r")
                plain = plain and b"\0" not in chunk
                last = chunk[-1:]
                chunk = stream.read(CHUNK)
    except GZIP_ERRORS as error:
        raise FileRefused(
            f"{path}: the gzip data is damaged or cut off ({error}). Nothing was landed.",
            "Transfer the file again.",
        ) from error
    except OSError as error:
        raise unreadable(path, error) from error
    if not header:
        raise FileRefused(
            f"{path}: the file is empty. Nothing was landed.",
            "Transfer the file again; a file without lines still has its header.",
        )
    plain = plain and carriage_returns in (0, lines)
    return Physique(header.rstrip(b"\r\n"), lines + (last != b"\n"), plain)


def _open(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return path.open("rb")


def _parse_header(path: Path, header: bytes, contract: Contract) -> list[str]:
    """Read line 1 and hold it against the contract.

    Returns:
        The contract's column names in the file's order.
    """
    for mark, encoding in FOREIGN_ENCODINGS.items():
        if header.startswith(mark):
            raise FileRefused(
                f"{path}: the file is {encoding}, not UTF-8. Nothing was landed.",
                "Save it as UTF-8.",
            )
    try:
        text = header.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileRefused(
            f"{path}: line 1 is not UTF-8 (byte {error.start + 1}). Nothing was landed.",
            "Save the file as UTF-8.",
        ) from error
    if "\r" in text:
        raise FileRefused(
            f"{path}: lines end with CR alone. Nothing was landed.",
            "Save the file with LF or CR LF line breaks.",
        )
    try:
        names = [name.strip() for name in next(csv.reader([text], strict=True), [])]
    except csv.Error as error:
        raise ContractViolation(
            f"{path}: line 1 is not a CSV header ({error}). Nothing was landed.",
            "Write the column names on line 1, separated by commas.",
        ) from error
    difference = _difference(names, contract)
    if difference:
        raise ContractViolation(
            f"{path}: {difference}. Nothing was landed.",
            f"Correct the file, or the contract of {contract.feed}.",
        )
    return [contract.by_header[name].name for name in names]


def _difference(names: list[str], contract: Contract) -> str:
    """Say how a header differs from the contract, "" when it does not."""
    expected = list(contract.by_header)
    for mark, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(names) == 1 < len(expected) and mark in names[0]:
            return f"line 1 is separated by {word}, not by commas"
    missing = [name for name in expected if name not in names]
    extra = [name for name in dict.fromkeys(names) if name not in contract.by_header]
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    said = [_missing(name, extra) for name in missing]
    meant = {guess for name in missing for guess in _close(name, extra)}
    said += [f'column "{name[:80]}" is not in the contract' for name in extra if name not in meant]
    said += [f'column "{name[:80]}" stands more than once' for name in repeated]
    return "; ".join(said)


def _missing(name: str, extra: list[str]) -> str:
    close = _close(name, extra)
    found = f' (found "{close[0][:80]}")' if close else ""
    return f'column "{name}" is missing{found}'


def _close(name: str, extra: list[str]) -> list[str]:
    by_small = {word.lower(): word for word in extra}
    close = difflib.get_close_matches(name.lower(), by_small, n=1)
    return [by_small[word] for word in close]


def _read_quickly(
    workbench: duckdb.DuckDBPyConnection, path: Path, header: list[str], lines: int
) -> bool:
    """Let DuckDB read the file; False when the file turns out not to be plain."""
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header)
    values = ", ".join(f"NULLIF(trim({quoted(name)}), '') AS {quoted(name)}" for name in header)
    compression = "gzip" if path.suffix == ".gz" else "none"
    try:
        workbench.execute(
            f"CREATE OR REPLACE TEMP TABLE {TEXT} AS SELECT {values} FROM read_csv("
            f"{literal(str(path))}, auto_detect = false, header = true, delim = ',', "
            f"""quote = '"', escape = '"', columns = {{{columns}}}, strict_mode = true, """
            f"compression = '{compression}')"
        )
    except duckdb.InvalidInputException:
        return False
    # Rows stand in the file's order, so the n-th row is line n + 1 if every record has one line.
    if _count(workbench, TEXT) != lines - 1:
        return False
    workbench.execute(
        f"CREATE OR REPLACE TEMP VIEW {LINES} AS "
        f"SELECT CAST(rowid + 2 AS INTEGER) AS source_line, * FROM {TEXT}"
    )
    return True


def _read_carefully(
    workbench: duckdb.DuckDBPyConnection, path: Path, header: list[str], contract: Contract
) -> int:
    """Read record by record, refusing what is malformed."""
    columns = ", ".join(f"{quoted(name)} TEXT" for name in header)
    workbench.execute(f"CREATE OR REPLACE TEMP TABLE {TEXT} (source_line INTEGER, {columns})")
    workbench.execute(f"CREATE OR REPLACE TEMP VIEW {LINES} AS SELECT * FROM {TEXT}")
    csv.field_size_limit(CHUNK)
    records = refused = 0
    pending: list[tuple[int, list[str | None]]] = []
    refusals: list[Refusal] = []
    try:
        with closing(_open(path)) as stream:
            for item in _records(stream, len(header)):
                if isinstance(item, Refusal):
                    refusals.append(item)
                else:
                    pending.append(item)
                if len(pending) + len(refusals) >= BATCH_RECORDS:
                    records, refused = records + len(pending), refused + len(refusals)
                    _store(workbench, header, pending, refusals, contract)
                    pending, refusals = [], []
    except OSError as error:
        raise unreadable(path, error) from error
    _store(workbench, header, pending, refusals, contract)
    return records + refused + len(pending) + len(refusals)


def _records(stream: BinaryIO, width: int) -> Iterator[tuple[int, list[str | None]] | Refusal]:
    """Give the records after the header, each with the number of its first line.

    A record that does not come right over several lines is refused by its first line alone and
    reading goes on with the next, so that a stray quote costs a line and not the rest of the file.
    """
    source = enumerate(stream, start=1)
    next(source)
    ahead: deque[tuple[int, bytes]] = deque()
    while True:
        if not ahead:
            line = next(source, None)
            if line is None:
                return
            ahead.append(line)
        number, raw = ahead[0]
        if not raw.strip():
            ahead.popleft()
            continue
        used, outcome = _parse_record(ahead, source, width)
        for _ in range(used):
            ahead.popleft()
        if isinstance(outcome, list):
            yield number, outcome
        else:
            reason, error_class = outcome
            yield Refusal(number, reason, error_class, raw.rstrip(b"\r\n").decode(errors="replace"))


def _parse_record(
    ahead: deque[tuple[int, bytes]], source: Iterator[tuple[int, bytes]], width: int
) -> tuple[int, list[str | None] | tuple[str, str]]:
    """Parse the record that begins with the first line ahead.

    Returns:
        How many lines it takes, and its values or (reason, error class).
    """
    used = 0

    def decoded() -> Iterator[str]:
        nonlocal used
        while used < RECORD_LINE_LIMIT:
            if used == len(ahead):
                line = next(source, None)
                if line is None:
                    return
                ahead.append(line)
            raw = ahead[used][1]
            used += 1
            if b"\0" in raw:
                raise ValueError("has a NUL byte")
            yield raw.decode()

    try:
        values = next(csv.reader(decoded(), strict=True, skipinitialspace=True))
    except (ValueError, csv.Error) as error:
        # Only the first line is refused, so only a fault of its own may be named.
        if used > 1 or isinstance(error, csv.Error):
            return 1, (NOT_CSV, "structure")
        if isinstance(error, UnicodeDecodeError):
            return 1, (f"is not UTF-8 (byte {error.start + 1})", "encoding")
        return 1, (str(error), "encoding")
    while len(values) > width and not values[-1]:
        values.pop()
    if len(values) != width:
        return 1, (f"has {len(values)} values, the header has {width}", "structure")
    return used, [value.strip(" ") or None for value in values]


def _store(
    workbench: duckdb.DuckDBPyConnection,
    header: list[str],
    records: list[tuple[int, list[str | None]]],
    refusals: list[Refusal],
    contract: Contract,
) -> None:
    if records:
        columns = [pa.array([number for number, _ in records], pa.int32())]
        columns += [pa.array(values, pa.string()) for values in zip(*(r for _, r in records))]
        _insert(workbench, TEXT, pa.table(columns, names=["source_line", *header]))
    if refusals:
        table = pa.table(
            {
                "source_line": pa.array([refusal.line for refusal in refusals], pa.int32()),
                "column_name": pa.nulls(len(refusals), pa.string()),
                "reason": [f"line {r.line} {r.reason}" for r in refusals],
                "error_class": [refusal.error_class for refusal in refusals],
                "raw_text": [_kept_text(refusal.text, contract) for refusal in refusals],
            }
        )
        _insert(workbench, REFUSED, table)


def _insert(workbench: duckdb.DuckDBPyConnection, target: str, rows: pa.Table) -> None:
    workbench.register("landing_rows", rows)
    workbench.execute(f"INSERT INTO {target} SELECT * FROM landing_rows")
    workbench.unregister("landing_rows")


def _kept_text(text: str, contract: Contract) -> str:
    """Keep the text of a malformed line, unless protected values may stand anywhere in it."""
    if contract.has_phi:
        return f"[{len(text)} characters withheld: the line cannot be split into columns]"
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _count(workbench: duckdb.DuckDBPyConnection, table: str) -> int:
    row = workbench.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])
