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
import gzip
import hashlib
import io
import tempfile
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa

from granary.landing.checks import LINES, REFUSED_LINES, cast, typed
from granary.landing.contract import Contract
from granary.landing.errors import ContractViolation, FileRefused
from granary.landing.files import LandingFile, unreadable
from granary.landing.tables import literal, quoted

VALUES = "landing_values"
SMALL_FILE = 16 << 20
CHUNK = 1 << 20
HEADER_LIMIT = 1 << 20
RECORD_LINE_LIMIT = 200
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
        size: bytes, decompressed.
        lines: physical lines, the header among them.
        plain: whether line breaks are of one kind and no byte is NUL.
    """

    header: bytes
    size: int
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


def read_header(path: Path) -> list[str]:
    """Read the names of a file's columns, trimmed.

    Raises:
        ContractViolation: line 1 is no CSV.
        FileRefused: empty, truncated, or in an encoding other than UTF-8.
        FileUnreadable: the operating system says no.
    """
    return _parse_header(path, _scan(path).header)


def read_text(workbench: duckdb.DuckDBPyConnection, file: LandingFile, contract: Contract) -> int:
    """Read a file into the temporary tables of lines and of refused lines.

    Args:
        contract: as it fits the file's header.

    The lines have source_line and the contract's columns as text, trimmed of surrounding spaces,
    NULL when blank; columns of another type stand beside it in that type, NULL when they do not
    fit.

    Returns:
        Records read, those refused included.

    Raises:
        FileRefused: empty, truncated, or in an encoding other than UTF-8.
        FileUnreadable: the operating system says no.
    """
    physique = _scan(file.path)
    # One thread is the fastest for a small file: more of them cost more than they bring.
    workbench.execute("SET threads = 1" if physique.size < SMALL_FILE else "RESET threads")
    names = _parse_header(file.path, physique.header)
    header = [contract.by_header[name].name for name in names]
    workbench.execute(
        f"CREATE OR REPLACE TEMP TABLE {REFUSED_LINES} (source_line INTEGER, column_name TEXT, "
        "reason TEXT, error_class TEXT, raw_text TEXT)"
    )
    if physique.plain and _read_quickly(workbench, file.path, header, contract, physique.lines):
        return physique.lines - 1
    return _read_carefully(workbench, file.path, header, contract)


def _scan(path: Path) -> Physique:
    size = lines = carriage_returns = 0
    plain = True
    last = b"\n"
    try:
        with _open(path) as stream:
            header = stream.readline(HEADER_LIMIT)
            chunk = header
            while chunk:
                size += len(chunk)
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
    return Physique(header.rstrip(b"\r\n"), size, lines + (last != b"\n"), plain)


def _open(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return path.open("rb")


def _parse_header(path: Path, header: bytes) -> list[str]:
    """Read the column names of line 1."""
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
        return [name.strip() for name in next(csv.reader([text], strict=True), [])]
    except csv.Error as error:
        raise ContractViolation(
            f"{path}: line 1 is not a CSV header ({error}). Nothing was landed.",
            "Write the column names on line 1, separated by commas.",
        ) from error


def _read_quickly(
    workbench: duckdb.DuckDBPyConnection,
    path: Path,
    header: list[str],
    contract: Contract,
    lines: int,
) -> bool:
    """Let DuckDB read the file; False when the file turns out not to be plain."""
    compression = "gzip" if path.suffix == ".gz" else "none"
    try:
        _make_values(workbench, path, header, contract, f"compression = '{compression}'")
    except duckdb.InvalidInputException:
        return False
    # Rows stand in the file's order, so the n-th row is line n + 1 if every record has one line.
    if _count(workbench, VALUES) != lines - 1:
        return False
    workbench.execute(
        f"CREATE OR REPLACE TEMP VIEW {LINES} AS "
        f"SELECT CAST(rowid + 2 AS INTEGER) AS source_line, * FROM {VALUES}"
    )
    return True


def _read_carefully(
    workbench: duckdb.DuckDBPyConnection, path: Path, header: list[str], contract: Contract
) -> int:
    """Sort out what is malformed, then let DuckDB read the rest with its line numbers."""
    refusals: list[Refusal] = []
    records = 0
    with tempfile.NamedTemporaryFile(prefix="granary-records-", suffix=".csv") as sound:
        sound.write(b"source_line,\n")
        for item in _records(path, len(header)):
            if isinstance(item, Refusal):
                refusals.append(item)
            else:
                records += 1
                sound.write(item)
        sound.flush()
        numbered = ["source_line", *header]
        _make_values(workbench, Path(sound.name), numbered, contract, "compression = 'none'")
    if _count(workbench, VALUES) != records:
        raise FileRefused(
            f"{path}: the file cannot be read the same way twice. Nothing was landed.",
            "Write it as plain CSV: commas, double quotes, UTF-8.",
        )
    workbench.execute(
        f"CREATE OR REPLACE TEMP VIEW {LINES} AS "
        f"SELECT * REPLACE (CAST(source_line AS INTEGER) AS source_line) FROM {VALUES}"
    )
    _keep(workbench, refusals, contract)
    return records + len(refusals)


def _make_values(
    workbench: duckdb.DuckDBPyConnection,
    path: Path,
    header: list[str],
    contract: Contract,
    options: str,
) -> None:
    """Make the table of a CSV file's values: each as text, and those not text as their type too."""
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header)
    texts = ", ".join(f"NULLIF(trim({quoted(name)}), '') AS {quoted(name)}" for name in header)
    types = "".join(
        f", {cast(column)} AS {typed(column)}"
        for column in contract.columns.values()
        if column.kind != "text"
    )
    workbench.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {VALUES} AS
        SELECT *{types}
        FROM (
          SELECT {texts}
          FROM read_csv(
            {literal(str(path))}, columns = {{{columns}}}, {options}, auto_detect = false,
            header = true, delim = ',', quote = '"', escape = '"', strict_mode = true
          )
        ) AS texts
        """
    )


def _records(path: Path, width: int) -> Iterator[bytes | Refusal]:
    """Give the records after the header as CSV, each behind the number of its first line.

    A record that does not come right over several lines is refused by its first line alone and
    reading goes on with the next, so that a stray quote costs a line and not the rest of the file.
    """
    try:
        with _open(path) as stream:
            source = enumerate(stream, start=1)
            next(source)
            ahead: deque[tuple[int, bytes]] = deque()
            while line := ahead.popleft() if ahead else next(source, None):
                number, raw = line
                if _is_simple(raw, width):
                    yield b"%d,%s\n" % (number, raw.rstrip(b"\r\n"))
                elif raw.strip():
                    yield _parse_record(number, raw, ahead, source, width)
    except OSError as error:
        raise unreadable(path, error) from error


def _is_simple(raw: bytes, width: int) -> bool:
    """Say whether a line is a record that needs no parsing to be believed."""
    text = raw.rstrip(b"\r\n")
    return (
        text.isascii()
        and text.count(b",") == width - 1
        and b'"' not in text
        and b"\0" not in text
        and b"\r" not in text
        and bool(text)
    )


def _parse_record(
    number: int,
    raw: bytes,
    ahead: deque[tuple[int, bytes]],
    source: Iterator[tuple[int, bytes]],
    width: int,
) -> bytes | Refusal:
    """Parse the record that begins with a line, taking more lines while a quote is open.

    Lines that turn out not to belong to it are left ahead.
    """
    taken: list[tuple[int, bytes]] = []

    def decoded() -> Iterator[str]:
        yield _decoded(raw)
        while len(taken) < RECORD_LINE_LIMIT:
            line = ahead.popleft() if ahead else next(source, None)
            if line is None:
                return
            taken.append(line)
            yield _decoded(line[1])

    def refused(reason: str, error_class: str) -> Refusal:
        ahead.extendleft(reversed(taken))
        text = raw.rstrip(b"\r\n").decode(errors="replace")
        return Refusal(number, reason, error_class, text)

    try:
        values = next(csv.reader(decoded(), strict=True, skipinitialspace=True))
    except _BadBytes as error:
        # Only the first line is refused, so only a fault of its own may be named.
        return refused(NOT_CSV, "structure") if taken else refused(str(error), "encoding")
    except csv.Error:
        return refused(NOT_CSV, "structure")
    while len(values) > width and not values[-1]:
        values.pop()
    if len(values) != width:
        return refused(f"has {len(values)} values, the header has {width}", "structure")
    record = io.StringIO()
    csv.writer(record, lineterminator="\n").writerow([number, *values])
    return record.getvalue().encode()


class _BadBytes(ValueError):
    """A line that is no text."""


def _decoded(raw: bytes) -> str:
    if b"\0" in raw:
        raise _BadBytes("has a NUL byte")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise _BadBytes(f"is not UTF-8 (byte {error.start + 1})") from error


def _keep(
    workbench: duckdb.DuckDBPyConnection, refusals: list[Refusal], contract: Contract
) -> None:
    """Put malformed lines into the refused lines."""
    rows = pa.table(
        {
            "source_line": pa.array([refusal.line for refusal in refusals], pa.int32()),
            "column_name": pa.nulls(len(refusals), pa.string()),
            "reason": pa.array([f"line {r.line} {r.reason}" for r in refusals], pa.string()),
            "error_class": pa.array([r.error_class for r in refusals], pa.string()),
            "raw_text": pa.array([_kept_text(r.text, contract) for r in refusals], pa.string()),
        }
    )
    workbench.register("landing_malformed", rows)
    workbench.execute(f"INSERT INTO {REFUSED_LINES} SELECT * FROM landing_malformed")
    workbench.unregister("landing_malformed")


def _kept_text(text: str, contract: Contract) -> str:
    """Keep the text of a malformed line, unless protected values may stand anywhere in it."""
    if contract.has_phi:
        return f"[{len(text)} characters withheld: the line cannot be split into columns]"
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _count(workbench: duckdb.DuckDBPyConnection, table: str) -> int:
    row = workbench.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])
