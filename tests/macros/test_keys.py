"""Hashes and keys: what Python computes, on every engine."""

import hashlib
from datetime import date, datetime
from decimal import Decimal

from macro_support import Answers

SEPARATOR = "\x1f"
NULL = "\x1e"
PAIRS: list[tuple[str | None, str | None]] = [
    ("t1", "m1"),
    ("t1m1", ""),
    ("", "t1m1"),
    (None, None),
    (None, ""),
    ("", None),
    ("", ""),
    (" ", ""),
    ("NULL", None),
    ("a|b", "c"),
    ("a", "b|c"),
    ("a,b", ""),
    ("a", "b"),
    ("A", "b"),
    ("Zoë O'Brien", "\n\t\\"),
    ("王小明 🏥", "-1"),
]


def digest(*values: str | None) -> str:
    texts = [NULL if value is None else value for value in values]
    return hashlib.md5(SEPARATOR.join(texts).encode()).hexdigest()


def literal(text: str | None) -> str:
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


def pairs() -> str:
    rows = ", ".join(f"({place}, {literal(a)}, {literal(b)})" for place, (a, b) in enumerate(PAIRS))
    return f"(VALUES {rows}) AS pairs(place, a, b)"


def test_attr_hash_is_what_python_computes(engine: Answers) -> None:
    rows = engine(f"SELECT place, @attr_hash(a, b) AS attr_hash FROM {pairs()} ORDER BY place")
    assert rows == [(place, digest(*pair)) for place, pair in enumerate(PAIRS)]


def test_attr_hash_tells_null_empty_and_shifted_texts_apart(engine: Answers) -> None:
    rows = engine(f"SELECT DISTINCT @attr_hash(a, b) AS attr_hash FROM {pairs()}")
    assert len(rows) == len(PAIRS)


def test_attr_hash_writes_numbers_dates_and_booleans_alike_everywhere(engine: Answers) -> None:
    values = [20250131, Decimal("1234.50"), Decimal("-0.10"), date(2024, 2, 29), True]
    at = datetime(2025, 1, 31, 6, 30)
    [(found,)] = engine(
        "SELECT @attr_hash(a, b, c, d, e, f, g) AS attr_hash FROM (SELECT 20250131::BIGINT AS a, "
        "1234.5::DECIMAL(14, 2) AS b, -0.1::DECIMAL(14, 2) AS c, '2024-02-29'::DATE AS d, "
        "TRUE AS e, '2025-01-31 06:30:00'::TIMESTAMP AS f, NULL::INT AS g) AS typed"
    )
    assert found == digest(*(str(value).replace("True", "true") for value in values), str(at), None)


def test_bigint_key_is_the_first_60_bits_of_the_hash(engine: Answers) -> None:
    rows = engine(f"SELECT place, @bigint_key(a, b) AS sk FROM {pairs()} ORDER BY place")
    assert rows == [(place, int(digest(*pair)[:15], 16)) for place, pair in enumerate(PAIRS)]
    # The unknown member has -1, so no key may be negative.
    assert all(0 <= sk < 2**60 for _, sk in rows)


def test_bigint_key_of_a_number_is_that_of_its_text(engine: Answers) -> None:
    [(number, text)] = engine(
        "SELECT @bigint_key(42::BIGINT) AS number_sk, @bigint_key('42') AS text_sk"
    )
    assert number == text == int(digest("42")[:15], 16)
