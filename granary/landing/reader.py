"""Reading a file: a stream of checked rows, and the lines that do not meet the contract.

DuckDB reads, trims, casts and checks; a block of rows after the other comes out, so that a file of
any size takes the same memory and the warehouse writes one block while the next is read.

The quick way reads the file itself. It holds when the file is plain: every record on a line of its
own, valid UTF-8, no forbidden byte. Otherwise the file is read record by record (see records.py),
and what is sound is read by DuckDB behind its line numbers. Both ways give the same rows.
"""

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from granary.landing.batch import LoadBatch
from granary.landing.checks import (
    HASHES,
    KEPT_CHARACTERS,
    LINES,
    REFUSED_LINES,
    cast,
    differing_lines,
    is_faulty,
    misfits,
    record_of,
    refuse_duplicate_lines,
    refuse_faulty_lines,
    repeated_keys,
    typed,
)
from granary.landing.contract import Column, Contract
from granary.landing.errors import FileRefused, StoreError
from granary.landing.physique import Physique, compression
from granary.landing.records import RECORD_LIMIT, Line, Malformed, lone_records, records
from granary.landing.scratch import Scratch
from granary.landing.tables import literal, quoted

FIRST_LINE = 2
BLOCK_ROWS = 25_000
SAMPLE_ROWS = 20_000
# Keys with differing lines, and lines of a key, that are named.
SHOWN_KEYS = 3
SHOWN_LINES = 3
# What DuckDB's reader takes for a line by itself; more of it costs memory for every file.
USUAL_LINE = 2 << 20
LONG_LINES = f", max_line_size = {2 * RECORD_LIMIT + USUAL_LINE}, buffer_size = {4 * RECORD_LIMIT}"


class NotPlain(Exception):
    """The file turned out not to be plain; what came out of it so far does not count."""


@dataclass
class Profile:
    """What the rows of a batch look like, by column.

    Attributes:
        rows: good rows.
        nulls: blank values among them.
        distinct: different values in the first of them.
        sampled: how many those first are.
    """

    rows: int = 0
    nulls: dict[str, int] = field(default_factory=dict)
    distinct: dict[str, int] = field(default_factory=dict)
    sampled: int = 0

    def blank_share(self, name: str) -> float:
        """Blank values over rows."""
        return self.nulls[name] / self.rows

    def distinct_share(self, name: str) -> float:
        """Different values over rows, of the sample."""
        return self.distinct[name] / self.sampled

    def add(self, block: pa.Table, names: list[str]) -> None:
        """Count a block of good rows."""
        if self.rows == 0 and block.num_rows:
            sample = block.slice(0, SAMPLE_ROWS)
            self.sampled = sample.num_rows
            self.distinct = {name: pc.count_distinct(sample[name]).as_py() for name in names}
        self.rows += block.num_rows
        for name in names:
            self.nulls[name] = self.nulls.get(name, 0) + block[name].null_count


@dataclass(frozen=True)
class Differing:
    """Lines of one key that say different things; the last of them stands.

    Attributes:
        keys: keys with such lines.
        first: the numbers of the lines of the first of these keys.
    """

    keys: int = 0
    first: tuple[tuple[int, ...], ...] = ()


class Reading:
    """One file being read: first its good rows, block by block, then what was wrong.

    Attributes:
        notes: a connection of its own for what is kept aside, since a stream occupies one; after
            the last block it has the table of refused lines.
        rows_read: records, those refused included; right after the last block.
        malformed: lines that are no record.
        faulty: records that do not meet the contract.
        misfits: of these, by column, the filled values and those not of the column's type.
        profile: what the good rows look like.
        differing: good lines of one key that differ; after the last block.
    """

    def __init__(
        self,
        workbench: duckdb.DuckDBPyConnection,
        path: Path,
        physique: Physique,
        names: list[str],
        contract: Contract,
        batch: LoadBatch,
        lines: Sequence[Line] | None = None,
        *,
        as_text: bool = False,
    ) -> None:
        """Prepare to read.

        Args:
            names: the header, in the file's order.
            contract: as it applies to this file.
            lines: records to read, carefully, in place of the file's.
            as_text: give values as the text that was found to be right, for a warehouse that reads
                text anyway.
        """
        self._lines = lines
        self._workbench = workbench
        self._path = path
        self._physique = physique
        self._contract = contract
        self._batch = batch
        self._as_text = as_text
        # Where a line stands, and the contract's columns in the file's order.
        self._header = [contract.by_header[name].name for name in names]
        self.notes = workbench.cursor()
        self.rows_read = 0
        self.malformed = 0
        self.faulty = 0
        self.misfits: dict[str, tuple[int, int]] = {}
        self.profile = Profile()
        self.differing = Differing()

    def close(self) -> None:
        """Let go of what was kept aside."""
        self.notes.close()

    def blocks(self, *, carefully: bool) -> Iterator[pa.Table]:
        """Give the good rows in the file's order: the contract's columns and source_line.

        Raises:
            NotPlain: not carefully enough.
            FileRefused: the file cannot be read the same way twice.
            FileUnreadable: the operating system says no.
            StoreError: no memory or disk left.
        """
        self._prepare()
        try:
            with Scratch() as scratch, (scratch / "faulty.csv").open("wb") as aside:
                aside.write(b"source_line,\n")
                if carefully:
                    yield from self._careful_blocks(aside, scratch / "records.csv")
                else:
                    yield from self._quick_blocks(aside)
                aside.flush()
                self._judge(Path(aside.name))
        except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
            raise _no_room(self._path, error) from error
        except OSError as error:
            if error.errno is None:
                raise
            raise _no_room(self._path, error) from error

    def _prepare(self) -> None:
        for statement in (
            f"CREATE OR REPLACE TEMP TABLE {REFUSED_LINES} (source_line INTEGER, column_name TEXT, "
            "reason TEXT, error_class TEXT, raw_text TEXT, record TEXT)",
            f"CREATE OR REPLACE TEMP TABLE {HASHES} (source_line INTEGER, key_hash UBIGINT)",
        ):
            self.notes.execute(statement)
        self.rows_read = self.malformed = self.faulty = 0
        self.misfits = {}
        self.profile = Profile()
        self.differing = Differing()

    def _quick_blocks(self, aside: BinaryIO) -> Iterator[pa.Table]:
        # DuckDB overlooks values beyond the last column when they are blank.
        if self._physique.delimiters != (len(self._header) - 1) * self._physique.lines:
            raise NotPlain
        source = self._source(self._path, self._header, compression(self._path))
        with closing(self._numbered(source)) as blocks:
            yield from self._checked(blocks, aside)
        if self.rows_read != self._physique.lines - 1:
            raise NotPlain
        self._note_duplicates(source, "CAST(row_number() OVER () + 1 AS INTEGER)")

    def _numbered(self, source: str) -> Generator[pa.Table]:
        """Give the rows of a plain file: the n-th is the n-th line if each record has one line."""
        line = FIRST_LINE
        for rows in self._stream(self._statement(source, None)):
            lines = np.arange(line, line + rows.num_rows, dtype=np.int32)
            line += rows.num_rows
            yield rows.append_column("source_line", pa.array(lines))

    def _careful_blocks(self, aside: BinaryIO, path: Path) -> Iterator[pa.Table]:
        with path.open("wb") as sound:
            sound.write(b"source_line,\n")
            count, longest = self._sort_out(sound)
            sound.flush()
            numbered = ["source_line", *self._header]
            options = LONG_LINES if longest >= USUAL_LINE else ""
            source = self._source(path, numbered, "none", options)
            statement = self._statement(source, "source_line")
            try:
                # A query that still gives rows would keep a DuckDB file from being opened again.
                with closing(self._stream(statement)) as blocks:
                    yield from self._checked(blocks, aside)
            except NotPlain as error:
                raise _read_differently(self._path) from error
            if self.rows_read != count:
                raise _read_differently(self._path)
            self._note_duplicates(source, "CAST(source_line AS INTEGER)")
        self.rows_read += self.malformed

    def _sort_out(self, sound: BinaryIO) -> tuple[int, int]:
        """Write sound records to a file, note the others; gives records and the longest's bytes."""
        count = longest = 0
        refused: list[Malformed] = []
        width = len(self._header)
        kept = self._lines
        for item in records(self._path, width) if kept is None else lone_records(kept, width):
            if isinstance(item, Malformed):
                refused.append(item)
                if len(refused) >= BLOCK_ROWS:
                    self._note_malformed(refused)
                    refused.clear()
            else:
                count += 1
                longest = max(longest, len(item))
                sound.write(item)
        self._note_malformed(refused)
        return count, longest

    def _note_malformed(self, refused: list[Malformed]) -> None:
        """Put malformed lines into the refused lines."""
        self.malformed += len(refused)
        malformed = pa.table(
            {
                "source_line": pa.array([item.line for item in refused], pa.int32()),
                "column_name": pa.nulls(len(refused), pa.string()),
                "reason": pa.array([f"line {i.line} {i.reason}" for i in refused], pa.string()),
                "error_class": pa.array([item.error_class for item in refused], pa.string()),
                "raw_text": pa.array([self._shown(item) for item in refused], pa.string()),
                "record": pa.array([item.record.hex() for item in refused], pa.string()),
            }
        )
        self.notes.register("malformed", malformed)
        self.notes.execute(f"INSERT INTO {REFUSED_LINES} SELECT * FROM malformed")
        self.notes.unregister("malformed")

    def _shown(self, item: Malformed) -> str:
        """Give the text of a malformed line, unless protected values may stand anywhere in it."""
        text = item.record.decode(errors="replace")
        if self._contract.has_phi:
            return f"[{len(text)} characters withheld: the line cannot be split into columns]"
        return text[:KEPT_CHARACTERS].replace("\0", "\N{REPLACEMENT CHARACTER}")

    def _checked(self, blocks: Iterator[pa.Table], aside: BinaryIO) -> Iterator[pa.Table]:
        """Give the good rows, their hashes noted; faulty records go aside with their numbers."""
        names = [column.name for column in self._contract.columns.values()]
        for block in blocks:
            self.rows_read += block.num_rows
            faulty = block["record"].is_valid()
            rows = block
            if pc.any(faulty).as_py():
                self._set_aside(block.filter(faulty), aside)
                rows = block.filter(pc.invert(faulty))
            self.notes.register("block", rows.select(["source_line", "key_hash"]))
            self.notes.execute(f"INSERT INTO {HASHES} SELECT * FROM block")
            self.notes.unregister("block")
            self.profile.add(rows, names)
            yield rows.drop_columns(["record", "key_hash"])

    def _stream(self, statement: str) -> Generator[pa.Table]:
        """Run a query; one block is made in a thread of its own while the one before is used."""
        with self._readable(), ThreadPoolExecutor(1) as ahead:
            blocks = self._workbench.execute(statement).to_arrow_reader(BLOCK_ROWS)
            coming = ahead.submit(next, blocks, None)
            while (block := coming.result()) is not None:
                coming = ahead.submit(next, blocks, None)
                yield pa.Table.from_batches([block])

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Turn what DuckDB says of a file that it cannot read into NotPlain."""
        try:
            yield
        except duckdb.InvalidInputException as error:
            raise NotPlain from error
        except OSError as error:
            # What goes wrong behind a stream comes as text.
            if str(error).startswith("Invalid Input Error"):
                raise NotPlain from error
            if error.errno is None:
                raise _no_room(self._path, error) from error
            raise

    def _set_aside(self, rows: pa.Table, aside: BinaryIO) -> None:
        self.faulty += rows.num_rows
        lines, texts = rows["source_line"].to_pylist(), rows["record"].to_pylist()
        for line, text in zip(lines, texts, strict=True):
            aside.write(f"{line},{text}\n".encode())

    def _statement(self, source: str, number: str | None) -> str:
        """SQL of the checked rows: the contract's columns, the record of a faulty one, hashes."""
        contract = self._contract
        columns = contract.columns.values()
        shown = [f"{self._shown_value(column)} AS {quoted(column.name)}" for column in columns]
        line = [f"CAST({number} AS INTEGER) AS source_line"] if number else []
        faulty = is_faulty(contract, self._batch.extracted_at)
        padded = self._physique.padded
        values = _values(source, self._header, contract, number, padded=padded)
        return f"""
            SELECT
              {", ".join(shown)},
              CASE WHEN {faulty} THEN {record_of(self._header)} END AS record,
              hash({", ".join(map(quoted, contract.key))}) AS key_hash
              {"".join(f", {item}" for item in line)}
            FROM ({values}) AS read
        """

    def _shown_value(self, column: Column) -> str:
        # A timestamp may name an offset, and is stored in UTC.
        if self._as_text and column.kind != "timestamp":
            return quoted(column.name)
        return typed(column)

    def _source(self, path: Path, header: list[str], packed: str, options: str = "") -> str:
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header)
        return (
            f"read_csv({literal(str(path))}, columns = {{{columns}}}, compression = '{packed}', "
            "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', "
            f"strict_mode = true{options})"
        )

    def _note_duplicates(self, source: str, number: str) -> None:
        """Refuse lines that repeat the line of their key before them.

        Keys are known by their hashes; where one comes twice, its lines are read again.
        """
        repeated = repeated_keys()
        if not self.notes.execute(f"{repeated} LIMIT 1").fetchone():
            return
        self.notes.execute(
            f"CREATE OR REPLACE TEMP TABLE {LINES} AS SELECT * FROM "
            f"({_texts(source, self._header, number, padded=True)}) AS texts "
            f"WHERE source_line IN ({repeated})"
        )
        self.notes.execute(refuse_duplicate_lines(self._contract, self._header))
        # Ordered by the first of a key's lines.
        found = self.notes.execute(
            f"SELECT numbers[:{SHOWN_LINES}], COUNT(*) OVER () FROM "
            f"({differing_lines(self._contract)}) AS keys ORDER BY numbers LIMIT {SHOWN_KEYS}"
        ).fetchall()
        if found:
            self.differing = Differing(found[0][1], tuple(tuple(lines) for lines, _ in found))

    def _judge(self, aside: Path) -> None:
        """Say what is wrong with the records that were set aside."""
        if not self.faulty:
            return
        header = ["source_line", *self._header]
        source = self._source(aside, header, "none", LONG_LINES if self._has_long(aside) else "")
        number = "CAST(source_line AS INTEGER)"
        values = _values(source, self._header, self._contract, number, padded=True)
        self.notes.execute(f"CREATE OR REPLACE TEMP TABLE {LINES} AS {values}")
        statement = refuse_faulty_lines(self._contract, self._batch.extracted_at, self._header)
        counted = self.notes.execute(statement).fetchone()
        if not counted or counted[0] != self.faulty:
            raise _read_differently(self._path)
        for name, condition in misfits(self._contract, self._batch.extracted_at).items():
            [counts] = self.notes.execute(
                f"SELECT COUNT({quoted(name)}), COUNT(*) FILTER ({condition}) FROM {LINES}"
            ).fetchall()
            self.misfits[name] = counts

    def _has_long(self, aside: Path) -> bool:
        return aside.stat().st_size >= USUAL_LINE


def _texts(source: str, header: list[str], number: str | None, *, padded: bool) -> str:
    """SQL of a CSV file's values as text: trimmed, NULL when blank.

    Args:
        padded: there may be something to trim; the reader itself gives NULL for an empty value.
    """
    line = [f"{number} AS source_line"] if number else []
    trimmed = "NULLIF(trim({0}), '') AS {0}" if padded else "{0}"
    texts = [trimmed.format(quoted(name)) for name in header]
    return f"SELECT {', '.join(line + texts)} FROM {source} AS lines"


def _values(
    source: str, header: list[str], contract: Contract, number: str | None, *, padded: bool
) -> str:
    """SQL of a CSV file's values: each as text, and those that are not text as their type too."""
    types = "".join(
        f", {cast(column)} AS {typed(column)}"
        for column in contract.columns.values()
        if column.kind != "text"
    )
    return f"SELECT *{types} FROM ({_texts(source, header, number, padded=padded)}) AS texts"


def _read_differently(path: Path) -> FileRefused:
    return FileRefused(
        f"{path}: the file cannot be read the same way twice. Nothing was landed.",
        "Write it as plain CSV: commas, double quotes, UTF-8.",
    )


def _no_room(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"{path}: no memory or disk left to read it with: {error}.",
        "Free memory and space for temporary files, then run again.",
    )
