"""Arrow columns from numpy arrays."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .world import Bools, Ints, Objects


def decimals(scaled: Ints, digits: int, scale: int, blank: Bools | None = None) -> pa.Array:
    """Decimals from whole numbers of the last place: cents for a scale of 2."""
    words = np.empty((len(scaled), 2), dtype=np.int64)
    words[:, 0] = scaled
    words[:, 1] = scaled >> 63
    kind = pa.decimal128(digits, scale)
    column = pa.Array.from_buffers(kind, len(scaled), [None, pa.py_buffer(words)])
    return column if blank is None else pc.if_else(pa.array(~blank), column, pa.scalar(None, kind))


def money(cents: Ints) -> pa.Array:
    """USD from cents."""
    return decimals(cents, 14, 2)


def dates(days: Ints, blank: Bools | None = None) -> pa.Array:
    """Dates from days since 1970-01-01."""
    return pa.array(days.astype(np.int32), mask=blank).cast(pa.date32())


def picked(values: Objects, positions: Ints, blank: Bools | None = None) -> pa.Array:
    """Texts by position in a list of values."""
    kept = pa.array(positions, mask=blank)
    return pa.array(values, type=pa.string()).take(kept)


def identifiers(prefix: str, numbers: Ints, digits: int) -> pa.Array:
    """Ids of a prefix and a zero-padded number."""
    padded = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width=digits, padding="0")
    return pc.binary_join_element_wise(prefix, padded, "")


def joined(parts: Sequence[pa.Array], separator: str) -> pa.Array:
    """Texts of several columns in one, with a separator between."""
    return pc.binary_join_element_wise(*parts, separator)
