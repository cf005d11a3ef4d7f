"""The careful way to read a file: record by record, so that a bad line costs itself alone.

It gives the same table as the quick way, and both agree on what a record is:

- Blank lines hold nothing and are passed over.
- A record has as many values as the header, blank ones counted: one more may have pushed others
  into the wrong columns.
- A quoted value may span lines; the record's number is that of its first line.
"""

import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from granary.landing.files import unreadable
from granary.landing.physique import FORBIDDEN, FORBIDDEN_BYTES, open_content

RECORD_LINE_LIMIT = 200
# Characters of a line, and of a value. A line that is longer is refused by its beginning.
RECORD_LIMIT = 16 << 20
NOT_CSV = "is not CSV: a quote is not closed, or text follows a closing quote"
NOT_ONE = "is blank, or more than one record"
TOO_LONG = f"is longer than {RECORD_LIMIT >> 20} MB; its beginning was kept"

csv.field_size_limit(RECORD_LIMIT)


@dataclass(frozen=True)
class Malformed:
    """A line that cannot be read as a record.

    Attributes:
        record: the sender's bytes.
    """

    line: int
    reason: str
    error_class: str
    record: bytes


Line = tuple[int, bytes]


def records(path: Path, width: int) -> Iterator[bytes | Malformed]:
    """Give the records after the header as CSV, each behind the number of its first line.

    A record that does not come right over several lines is refused by its first line alone and
    reading goes on with the next, so that a stray quote costs a line and not the rest of the file.

    Args:
        width: columns of the header.

    Raises:
        FileUnreadable: the operating system says no.
    """
    try:
        with open_content(path) as stream:
            source = _lines(stream)
            next(source)
            yield from _sorted_out(source, width)
    except OSError as error:
        raise unreadable(path, error) from error


def lone_records(lines: Iterable[Line], width: int) -> Iterator[bytes | Malformed]:
    """Give records that were kept one by one as CSV, each behind its number.

    Args:
        lines: number and bytes of each; a quoted value may span lines.
        width: columns of the header.
    """
    for number, record in lines:
        parts = iter([(number, part) for part in record.splitlines(keepends=True)])
        found = list(_sorted_out(parts, width))
        if len(found) == 1:
            yield found[0]
        else:
            yield Malformed(number, NOT_ONE, "structure", record)


def _sorted_out(source: Iterator[Line], width: int) -> Iterator[bytes | Malformed]:
    ahead: deque[Line] = deque()
    while line := ahead.popleft() if ahead else next(source, None):
        number, raw = line
        if _is_simple(raw, width):
            yield b"%d,%s\n" % (number, raw.rstrip(b"\r\n"))
        elif raw.strip():
            yield _parse(number, raw, ahead, source, width)


def _lines(stream: BinaryIO) -> Iterator[Line]:
    """Give the physical lines by number; of one beyond the limit, its beginning."""
    number = 0
    while raw := stream.readline(RECORD_LIMIT + 1):
        number += 1
        yield number, raw
        rest = raw
        while len(rest) > RECORD_LIMIT and not rest.endswith(b"\n"):
            rest = stream.readline(RECORD_LIMIT + 1)


def _is_simple(raw: bytes, width: int) -> bool:
    """Say whether a line is a record that needs no parsing to be believed."""
    text = raw.rstrip(b"\r\n")
    return (
        text.isascii()
        and text.count(b",") == width - 1
        and b'"' not in text
        and not any(byte in text for byte in FORBIDDEN_BYTES)
        and b"\r" not in text
        and 0 < len(raw) <= RECORD_LIMIT
        and bool(text.strip())
    )


def _parse(
    number: int, raw: bytes, ahead: deque[Line], source: Iterator[Line], width: int
) -> bytes | Malformed:
    """Parse the record that begins with a line, taking more lines while a quote is open.

    Lines that turn out not to belong to it are left ahead.
    """
    taken: list[Line] = []

    def decoded() -> Iterator[str]:
        yield _decoded(raw)
        length = len(raw)
        while len(taken) < RECORD_LINE_LIMIT and length <= RECORD_LIMIT:
            line = ahead.popleft() if ahead else next(source, None)
            if line is None:
                return
            taken.append(line)
            length += len(line[1])
            yield _decoded(line[1])

    def refused(reason: str, error_class: str) -> Malformed:
        ahead.extendleft(reversed(taken))
        return Malformed(number, reason, error_class, raw.rstrip(b"\r\n"))

    try:
        values = next(csv.reader(decoded(), strict=True, skipinitialspace=True))
    except _BadLine as error:
        # Only the first line is refused, so only a fault of its own may be named.
        return refused(NOT_CSV, "structure") if taken else refused(str(error), error.error_class)
    except csv.Error:
        return refused(NOT_CSV, "structure")
    if len(values) != width:
        return refused(f"has {len(values)} values, the header has {width}", "structure")
    record = io.StringIO()
    csv.writer(record, lineterminator="\n").writerow([number, *values])
    return record.getvalue().encode()


class _BadLine(ValueError):
    """A line that is no text, or too much of it."""

    def __init__(self, reason: str, error_class: str) -> None:
        super().__init__(reason)
        self.error_class = error_class


def _decoded(raw: bytes) -> str:
    if len(raw) > RECORD_LIMIT:
        raise _BadLine(TOO_LONG, "too_long")
    for code, name in FORBIDDEN.items():
        if code in raw:
            raise _BadLine(f"has {name}", "encoding")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise _BadLine(f"is not UTF-8 (byte {error.start + 1})", "encoding") from error


def csv_record(values: Sequence[str]) -> str:
    """Write one CSV record, without a line break at its end."""
    record = io.StringIO()
    csv.writer(record, lineterminator="").writerow(values)
    return record.getvalue()


def parse_csv_record(text: str) -> list[str]:
    """Read one CSV record."""
    return next(csv.reader(io.StringIO(text, newline="")), [])
