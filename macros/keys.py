"""Hashes and keys that are the same on every engine."""

from sqlglot import exp
from sqlmesh import macro
from sqlmesh.core.macros import MacroEvaluator

UNIT_SEPARATOR = 31
NULL_MARK = 30


@macro()
def attr_hash(evaluator: MacroEvaluator, *columns: exp.Expression) -> exp.Expression:
    """MD5 over the columns as text: two rows are equal in all of them or differ in the hash.

    NULL is distinct from every value, the empty text included.
    """
    texts = [f"COALESCE(CAST({c.sql('duckdb')} AS TEXT), CHR({NULL_MARK}))" for c in columns]
    return exp.maybe_parse(f"MD5({f' || CHR({UNIT_SEPARATOR}) || '.join(texts)})", dialect="duckdb")


@macro()
def bigint_key(evaluator: MacroEvaluator, *parts: exp.Expression) -> exp.Expression:
    """A surrogate key: the first 60 bits of the parts' hash.

    Hexadecimal digits are looked up one by one because casts of '0x…' texts differ by engine.
    """
    digest = attr_hash(evaluator, *parts).sql("duckdb")
    digits = (
        f"CAST(STRPOS('0123456789abcdef', SUBSTRING({digest}, {place}, 1)) - 1 AS BIGINT)"
        f" * {16 ** (15 - place)}"
        for place in range(1, 16)
    )
    return exp.maybe_parse(" + ".join(digits), dialect="duckdb")
