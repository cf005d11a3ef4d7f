"""Arrow columns from numpy arrays, made from their buffers: fast, and without pandas."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .world import Bools, Ints, Objects


def ints(values: Ints, blank: Bools | None = None) -> pa.Array:
    """Whole numbers."""
    return _fixed(pa.int64(), np.ascontiguousarray(values, dtype=np.int64), blank)


def flags(values: Bools) -> pa.Array:
    """Booleans."""
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, _bits(values)])


def texts(values: Objects) -> pa.Array:
    """Texts as they are."""
    encoded = [str(value).encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return _text(b"".join(encoded), ends)


def decimals(scaled: Ints, digits: int, scale: int, blank: Bools | None = None) -> pa.Array:
    """Decimals from whole numbers of the last place: cents for a scale of 2."""
    words = np.zeros((len(scaled), 2), dtype=np.int64)
    words[:, 0] = scaled
    words[scaled < 0, 1] = -1
    return _fixed(pa.decimal128(digits, scale), words, blank)


def money(cents: Ints) -> pa.Array:
    """USD from cents."""
    return decimals(cents, 14, 2)


def dates(days: Ints, blank: Bools | None = None) -> pa.Array:
    """Dates from days since 1970-01-01."""
    return _fixed(pa.date32(), days.astype(np.int32), blank)


def picked(values: Objects, positions: Ints, blank: Bools | None = None) -> pa.Array:
    """Texts by position in a list of values."""
    return texts(values).take(ints(positions, blank))


def blanked(values: pa.Array, blank: Bools) -> pa.Array:
    """Some of the values, and nothing where they are blank."""
    return pc.if_else(flags(~blank), values, pa.nulls(len(values), values.type))


def identifiers(prefix: str, numbers: Ints, digits: int, blank: Bools | None = None) -> pa.Array:
    """Ids of a prefix and a zero-padded number."""
    width = len(prefix) + digits
    letters = np.empty((len(numbers), width), dtype=np.uint8)
    letters[:, : len(prefix)] = np.frombuffer(prefix.encode(), dtype=np.uint8)
    left = numbers.astype(np.uint32)
    for place in range(width - 1, len(prefix) - 1, -1):
        rest = left // 10
        letters[:, place] = left - rest * 10 + ord("0")
        left = rest
    ends = np.arange(len(numbers) + 1, dtype=np.int32) * np.int32(width)
    return _text(letters, ends, blank)


def joined(parts: Sequence[pa.Array], separator: str) -> pa.Array:
    """Texts of several columns in one, with a separator between."""
    # An element of an array, because making a scalar loads pandas.
    return pc.binary_join_element_wise(*parts, texts(np.array([separator], dtype=object))[0])


def _fixed(kind: pa.DataType, values: np.ndarray, blank: Bools | None) -> pa.Array:
    valid = None if blank is None else _bits(~blank)
    return pa.Array.from_buffers(kind, len(values), [valid, pa.py_buffer(values)])


def _text(letters: bytes | np.ndarray, ends: np.ndarray, blank: Bools | None = None) -> pa.Array:
    valid = None if blank is None else _bits(~blank)
    buffers = [valid, pa.py_buffer(ends), pa.py_buffer(letters)]
    return pa.Array.from_buffers(pa.string(), len(ends) - 1, buffers)


def _bits(values: Bools) -> pa.Buffer:
    return pa.py_buffer(np.packbits(values, bitorder="little"))
