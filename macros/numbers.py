"""Arithmetic that gives the same digits on every engine."""

from sqlglot import exp
from sqlmesh import macro
from sqlmesh.core.macros import MacroEvaluator


@macro()
def quotient(
    evaluator: MacroEvaluator, above: exp.Expression, below: exp.Expression
) -> exp.Expression:
    """A division that has no value over zero, to ten digits; what metrics compile to as well.

    DuckDB divides in binary, where a tie such as 685.725 is a little less: cast at once to two
    digits it would be rounded down, and on PostgreSQL up.
    """
    return exp.maybe_parse(
        f"CAST(CAST({above.sql('duckdb')} AS DECIMAL(38, 6)) / NULLIF({below.sql('duckdb')}, 0)"
        " AS DECIMAL(28, 10))",
        dialect="duckdb",
    )
