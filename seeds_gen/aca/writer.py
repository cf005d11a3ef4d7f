"""Writes feeds as files, whole or not at all.

Units write parts: the rows of all extracts of a feed, one extract after the other. A file is put
together from the pieces that the parts have for its extract.
"""

import filecmp
import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import product
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from granary.errors import GranaryError

from .text import in_text

EXTRACT_TIME = "T020000Z"
BLOCK = 1 << 20
ROWS_AT_ONCE = 1 << 14
GZIP_LEVEL = 1


class FileFormat(StrEnum):
    """How feeds are written; landing reads the first two."""

    CSV = "csv"
    GZIP = "gzip"
    PARQUET = "parquet"


SUFFIXES = {FileFormat.CSV: "csv", FileFormat.GZIP: "csv.gz", FileFormat.PARQUET: "parquet"}


@dataclass(frozen=True)
class Part:
    """What one unit has to say in one feed.

    Args:
        path: its file.
        schema: columns of the feed.
        rows: number of rows of each extract.
        ends: where the piece of each extract ends in the file; unused for Parquet, whose parts
            have a record batch per extract.
    """

    path: Path
    schema: pa.Schema
    rows: list[int]
    ends: list[int]


def write_part(path: Path, tables: Iterable[pa.Table], format: FileFormat) -> Part:
    """Write the rows of each extract, in order."""
    rows: list[int] = []
    ends: list[int] = []
    schema = pa.schema([])
    with pa.OSFile(str(path), "wb") as sink:
        stream = None
        for table in tables:
            schema = table.schema
            rows.append(table.num_rows)
            if format is FileFormat.PARQUET:
                stream = stream or pa.ipc.new_file(sink, schema)
                columns = [column.combine_chunks() for column in table.columns]
                stream.write_batch(pa.record_batch(columns, schema=schema))
            else:
                _write_csv(table, sink, format)
                ends.append(sink.tell())
        if stream:
            stream.close()
    return Part(path, schema, rows, ends)


def _write_csv(table: pa.Table, sink: pa.NativeFile, format: FileFormat) -> None:
    """Append rows without a header; no value needs quotes."""
    options = pa.csv.WriteOptions(
        include_header=False, quoting_style="none", batch_size=ROWS_AT_ONCE
    )
    if format is FileFormat.CSV:
        pa.csv.write_csv(in_text(table), sink, options)
        return
    buffer = pa.BufferOutputStream()
    pa.csv.write_csv(in_text(table), buffer, options)
    sink.write(_compressed(buffer.getvalue().to_pybytes()))


def _compressed(text: bytes) -> bytes:
    """A gzip member without a time, so that the same text gives the same bytes."""
    return gzip.compress(text, GZIP_LEVEL, mtime=0)


def put_together(
    target: Path, parts: Sequence[Part], extract: int, format: FileFormat = FileFormat.CSV
) -> None:
    """Write a file of the pieces that some parts have for an extract."""
    schema = parts[0].schema
    if format is FileFormat.PARQUET:
        with pa.parquet.ParquetWriter(target, schema, compression="zstd") as writer:
            for part in parts:
                with pa.memory_map(str(part.path)) as source:
                    batch = pa.ipc.open_file(source).get_batch(extract)
                    if batch.num_rows:
                        writer.write_batch(batch)
        return
    header = (",".join(schema.names) + "\n").encode()
    with target.open("wb") as sink:
        sink.write(_compressed(header) if format is FileFormat.GZIP else header)
        for part in parts:
            if part.rows[extract]:
                start = part.ends[extract - 1] if extract else 0
                _copy(part.path, start, part.ends[extract], sink)


def _copy(path: Path, start: int, end: int, sink: BinaryIO) -> None:
    """Append some bytes of a file."""
    block = memoryview(bytearray(min(BLOCK, end - start)))
    with path.open("rb", buffering=0) as source:
        source.seek(start)
        left = end - start
        while left:
            read = source.readinto(block[:left])
            left -= sink.write(block[:read])


def refuse_other_formats(
    folder: Path, format: FileFormat, feeds: Iterable[str], extracts: Iterable[date]
) -> None:
    """Refuse a second format beside the files of a tenant: landing takes only one for an extract.

    Raises:
        GranaryError: a feed has a file of the same extract in another format.
    """
    others = [other for other in FileFormat if other is not format]
    for extract, feed, other in product(extracts, feeds, others):
        there = folder / _name(feed, extract, other)
        if there.exists():
            raise GranaryError(
                f"{there} is the same extract in another format; nothing was written.",
                f"Give --format {other} and the arguments that made it, or choose another landing "
                "folder.",
            )


def _name(feed: str, extract: date, format: FileFormat) -> str:
    """Name of the file of a feed and an extract."""
    return f"{feed}_{extract:%Y%m%d}{EXTRACT_TIME}.{SUFFIXES[format]}"


class FeedWriter:
    """Writes the files of one tenant and never replaces one that differs.

    A file is first a draft under a hidden name and then renamed, so that landing never sees a
    part of one.
    """

    def __init__(self, folder: Path, format: FileFormat) -> None:
        """Make the folder when it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._format = format

    def target(self, entity: str, extract: date) -> Path:
        """The file of a feed and an extract."""
        return self._folder / _name(entity, extract, self._format)

    def draft(self, target: Path, parts: Sequence[Part], extract: int) -> Path:
        """Put the pieces of an extract together next to the target."""
        draft = target.with_name(f".{target.name}.part")
        put_together(draft, parts, extract, self._format)
        return draft

    def publish(self, draft: Path, target: Path) -> bool:
        """Give a draft its name, or drop it when the same file is there already.

        Returns:
            Whether the file is new.

        Raises:
            GranaryError: the file exists and says something else.
        """
        if not target.exists():
            draft.rename(target)
            return True
        same = filecmp.cmp(draft, target, shallow=False)
        draft.unlink()
        if not same:
            raise GranaryError(
                f"{target} exists with other content; it was left as it is.",
                "Repeat the arguments that made it, or choose another landing folder.",
            )
        return False
