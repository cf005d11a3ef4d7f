"""Columns as the text that stands in a CSV file, by looking it up: formatting takes far longer.

Most amounts are small, and days and counts are few. Their texts are made once per process.
"""

from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .columns import dates, ints, money, texts
from .world import FIRST_MONTH, LAST_MONTH, Ints, first_day

# Whole numbers and amounts in cents from 0 on whose texts are kept.
COUNTS, AMOUNTS = 1 << 12, 1 << 18


def in_text(table: pa.Table) -> pa.Table:
    """The same table with text in every column."""
    # A table without rows may have no chunk to look at.
    if not table.num_rows:
        return table
    return pa.table([_text(_whole(column)) for column in table.columns], names=table.column_names)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_date32(column.type):
        return _days().take(pc.subtract(column.view(pa.int32()), _first_day()))
    if pa.types.is_decimal128(column.type):
        return _decimals(column)
    if pa.types.is_boolean(column.type):
        return _flags().take(column.cast(pa.int8()))
    if pa.types.is_int64(column.type):
        return _counts().take(column) if _within(column, COUNTS) else column.cast(pa.string())
    return column


def _decimals(column: pa.Array) -> pa.Array:
    """Amounts in cents; larger ones get texts of their own behind those that are kept."""
    if column.type.scale != 2 or column.null_count:
        return column.cast(pa.string())
    # The lower half of each decimal.
    words = np.frombuffer(column.buffers()[1], dtype=np.int64)
    cents = words[2 * column.offset : 2 * (column.offset + len(column)) : 2]
    large = np.flatnonzero((cents < 0) | (cents >= AMOUNTS))
    if not len(large):
        return _amounts().take(ints(cents))
    place = cents.copy()
    place[large] = AMOUNTS + np.arange(len(large))
    own = column.take(ints(large)).cast(pa.string())
    return pa.concat_arrays([_amounts(), own]).take(ints(place))


def _within(column: pa.Array, limit: int) -> bool:
    bounds = pc.min_max(column)
    lowest, highest = bounds["min"].as_py(), bounds["max"].as_py()
    return lowest is None or (lowest >= 0 and highest < limit)


@cache
def _amounts() -> pa.Array:
    return money(np.arange(AMOUNTS)).cast(pa.string())


@cache
def _counts() -> pa.Array:
    return ints(np.arange(COUNTS)).cast(pa.string())


@cache
def _flags() -> pa.Array:
    return texts(np.array(["false", "true"], dtype=object))


@cache
def _days() -> pa.Array:
    return dates(np.arange(*_bounds())).cast(pa.string())


@cache
def _first_day() -> pa.Scalar:
    # An element of an array, because making a scalar loads pandas.
    return dates(_bounds()).view(pa.int32())[0]


def _bounds() -> Ints:
    return first_day(np.array([FIRST_MONTH, LAST_MONTH]))
