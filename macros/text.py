"""Standard forms of text and dates."""

from sqlglot import exp
from sqlmesh import macro
from sqlmesh.core.macros import MacroEvaluator


@macro()
def clean(evaluator: MacroEvaluator, column: exp.Expression) -> exp.Expression:
    """Text without spaces around it; blank becomes NULL."""
    return exp.maybe_parse(f"NULLIF(TRIM({column.sql('duckdb')}), '')", dialect="duckdb")


@macro()
def code(evaluator: MacroEvaluator, column: exp.Expression) -> exp.Expression:
    """A code of our own lists: clean and in lower case."""
    return exp.maybe_parse(f"LOWER(NULLIF(TRIM({column.sql('duckdb')}), ''))", dialect="duckdb")


@macro()
def upper_code(evaluator: MacroEvaluator, column: exp.Expression) -> exp.Expression:
    """A code that its publisher writes in upper case: clean and in upper case."""
    return exp.maybe_parse(f"UPPER(NULLIF(TRIM({column.sql('duckdb')}), ''))", dialect="duckdb")


@macro()
def money(evaluator: MacroEvaluator, column: exp.Expression) -> exp.Expression:
    """An amount written as "$1,234.50"; NULL when the text is not an amount."""
    text = f"TRIM({column.sql('duckdb')})"
    return exp.maybe_parse(
        f"CASE WHEN REGEXP_LIKE({text}, '^[$]?[0-9][0-9,]*([.][0-9]+)?$') "
        f"THEN CAST(REPLACE(REPLACE({text}, '$', ''), ',', '') AS DECIMAL(14, 2)) END",
        dialect="duckdb",
    )


@macro()
def age_in_years(
    evaluator: MacroEvaluator, born: exp.Expression, at: exp.Expression
) -> exp.Expression:
    """Completed years from `born` to `at`."""

    def day_number(day: str) -> str:
        return (
            f"(EXTRACT(YEAR FROM {day}) * 10000 + EXTRACT(MONTH FROM {day}) * 100"
            f" + EXTRACT(DAY FROM {day}))"
        )

    difference = f"{day_number(at.sql('duckdb'))} - {day_number(born.sql('duckdb'))}"
    return exp.maybe_parse(f"CAST(FLOOR(({difference}) / 10000.0) AS INTEGER)", dialect="duckdb")


@macro()
def age_group(evaluator: MacroEvaluator, age: exp.Expression) -> exp.Expression:
    """Age bands in which marketplace enrollment is published."""
    case = exp.Case()
    for below, label in (
        (18, "0-17"),
        (26, "18-25"),
        (35, "26-34"),
        (45, "35-44"),
        (55, "45-54"),
        (65, "55-64"),
    ):
        case = case.when(
            exp.LT(this=age.copy(), expression=exp.Literal.number(below)), f"'{label}'"
        )
    return case.else_("'65+'")
