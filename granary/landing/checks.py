"""A contract's checks as DuckDB SQL over the text of a file.

Every value is text with surrounding spaces trimmed, NULL when blank. The rules:

- Codes and booleans compare without case; what lands is the file's own spelling.
- Booleans are true, false, t, f, yes, no, y, n, 1 or 0.
- Integers are digits with an optional sign: 5.0 and 1e3 are refused.
- Decimals are plain numbers; digits beyond the scale are refused unless they are zeros: nothing is
  rounded.
- Dates are YYYY-MM-DD, timestamps YYYY-MM-DD hh:mm:ss with an optional T, fraction and offset (UTC
  when there is none).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from granary.landing.contract import Column, Contract
from granary.landing.tables import literal, quoted

LINES = "landing_lines"
REFUSED_LINES = "landing_refused"
HASHES = "landing_hashes"
MASK = "***"
FORGOTTEN = "forgotten"
WHOSE_LINE = " belongs to a person who was forgotten"
TYPE_MISMATCH = "type_mismatch"
SHOWN_CHARACTERS = 80
KEPT_CHARACTERS = 10_000
FAST_DIGITS = 18
TRUE_WORDS = ("true", "t", "yes", "y", "1")
FALSE_WORDS = ("false", "f", "no", "n", "0")
DAY_LENGTH = len("2025-01-31")
SECOND_LENGTH = len("2025-01-31 23:59:59")
INTEGER_FORM = "[+-]?[0-9]+"
DATE_FORM = r"\d{4}-\d{2}-\d{2}"
TIMESTAMP_FORM = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}(:\d{2})?)?"


@dataclass(frozen=True)
class Fault:
    """One way in which a value can be wrong.

    Attributes:
        condition: SQL that is true for a faulty line.
        message: SQL that says what is wrong with the value.
    """

    condition: str
    message: str
    error_class: str


def cast(column: Column) -> str:
    """SQL that turns the column's text into its type, NULL when it cannot."""
    value = quoted(column.name)
    if column.kind == "boolean":
        return f"lower({value}) IN {_tuple(TRUE_WORDS)}"
    if column.kind == "timestamp":
        return f"TRY_CAST({value} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"
    whole = f"TRY_CAST({value} AS {column.sql_type})"
    if column.kind == "decimal" and column.precision > FAST_DIGITS >= column.scale:
        # Decimals of up to 18 digits are read eighty times faster than longer ones.
        return f"COALESCE(TRY_CAST({value} AS DECIMAL({FAST_DIGITS}, {column.scale})), {whole})"
    return whole


def typed(column: Column) -> str:
    """Name, among the lines, of the column's value in its type."""
    return quoted(column.name if column.kind == "text" else f"{column.name} typed")


def faults(column: Column, extracted_at: datetime) -> Iterator[Fault]:
    """List what can be wrong with a column's value, the first that holds being the reason."""
    value = quoted(column.name)
    if column.required:
        yield Fault(f"{value} IS NULL", "'is blank but required'", "required_missing")
    if column.kind != "text":
        yield Fault(
            f"{value} IS NOT NULL AND ({_misfit(column)})",
            _about(column, f"is not {column.noun}"),
            TYPE_MISMATCH,
        )
    if column.pattern is not None:
        yield Fault(
            f"NOT regexp_full_match({value}, {literal(column.pattern)})",
            _about(column, f"does not match {column.pattern}"),
            "pattern_mismatch",
        )
    if column.codes is not None:
        yield Fault(
            f"CASE WHEN {value} IN {_tuple(column.codes)} THEN FALSE ELSE "
            f"lower({value}) NOT IN {_tuple(tuple(code.lower() for code in column.codes))} END",
            _about(column, f"is not one of {', '.join(column.codes)}"),
            "unknown_code",
        )
    if column.min is not None:
        yield Fault(
            f"{typed(column)} < {_bound(column, column.min)}",
            _about(column, f"is less than {column.min}"),
            "out_of_range",
        )
    if column.max is not None:
        yield Fault(
            f"{typed(column)} > {_bound(column, column.max)}",
            _about(column, f"is more than {column.max}"),
            "out_of_range",
        )
    if column.check == "npi":
        yield Fault(
            f"NOT ({_npi_holds(value)})",
            _about(column, "fails the NPI check digit"),
            "check_digit",
        )
    if column.not_after_extract:
        day = extracted_at.date().isoformat()
        yield Fault(
            f"{typed(column)} > DATE '{day}'",
            _about(column, f"is after the extract of {day}"),
            "after_extract",
        )


def misfits(contract: Contract, extracted_at: datetime) -> dict[str, str]:
    """SQL, by column, that is true for a line whose value is not of the column's type."""
    return {
        column.name: fault.condition
        for column, fault in _all_faults(contract, extracted_at)
        if fault.error_class == TYPE_MISMATCH
    }


def is_faulty(contract: Contract, extracted_at: datetime) -> str:
    """SQL that is true for a line with a fault."""
    conditions = [f"({fault.condition})" for _, fault in _all_faults(contract, extracted_at)]
    return f"COALESCE({' OR '.join(conditions)}, FALSE)" if conditions else "FALSE"


def refuse_faulty_lines(contract: Contract, extracted_at: datetime, header: list[str]) -> str:
    """SQL that puts the lines, all of them faulty, into the refused lines, all reasons joined.

    Args:
        header: the columns in the file's order.
    """
    found = _all_faults(contract, extracted_at)
    columns = [f"WHEN {fault.condition} THEN {literal(column.name)}" for column, fault in found]
    classes = [f"WHEN {fault.condition} THEN {literal(fault.error_class)}" for _, fault in found]
    reasons = [_reason(column, extracted_at) for column in contract.columns.values()]
    barred = f"COALESCE({contract.barred}, FALSE)" if contract.barred else "FALSE"
    return f"""
        INSERT INTO {REFUSED_LINES}
        SELECT
          source_line,
          CASE {" ".join(columns)} END,
          'line ' || source_line || CASE
            WHEN {barred} THEN {literal(WHOSE_LINE)}
            ELSE ', ' || concat_ws('; ', {", ".join(reasons)})
          END,
          CASE {" ".join(classes)} END,
          CASE WHEN NOT {barred} THEN {raw_text(contract, header)} END,
          CASE WHEN NOT {barred} THEN hex(encode({record_of(header)})) END
        FROM {LINES}
        WHERE {is_faulty(contract, extracted_at)}
    """


def repeated_keys() -> str:
    """SQL of the lines whose key has the hash of another line's."""
    return f"""
        SELECT source_line FROM {HASHES} WHERE key_hash IN (
          SELECT key_hash FROM {HASHES} GROUP BY key_hash HAVING COUNT(*) > 1
        )
    """


def refuse_duplicate_lines(contract: Contract, header: list[str]) -> str:
    """SQL that refuses the lines that are equal in all columns to the line of their key before.

    Of lines A, B, A with one key all three land: the last one stands, so it has to be there.
    """
    same = " AND ".join(
        f"line.{quoted(name)} IS NOT DISTINCT FROM earlier.{quoted(name)}"
        for name in contract.columns
    )
    return f"""
        INSERT INTO {REFUSED_LINES}
        WITH numbered AS (
          SELECT
            *,
            LAG(source_line) OVER (
              PARTITION BY {", ".join(map(quoted, contract.key))} ORDER BY source_line
            ) AS line_before
          FROM {LINES}
        )
        SELECT
          line.source_line,
          NULL,
          'line ' || line.source_line || ' is equal to line ' || earlier.source_line,
          'duplicate',
          {raw_text(contract, header, "line")},
          NULL
        FROM numbered AS line
        INNER JOIN {LINES} AS earlier ON earlier.source_line = line.line_before
        WHERE {same}
    """


def differing_lines(contract: Contract) -> str:
    """SQL of the keys that several lines have which differ, with the numbers of these lines."""
    return f"""
        SELECT list(source_line ORDER BY source_line) AS numbers
        FROM {LINES}
        WHERE source_line NOT IN (
          SELECT source_line FROM {REFUSED_LINES} WHERE error_class = 'duplicate'
        )
        GROUP BY {", ".join(map(quoted, contract.key))}
        HAVING COUNT(*) > 1
    """


def _all_faults(contract: Contract, extracted_at: datetime) -> list[tuple[Column, Fault]]:
    found = [
        (column, fault)
        for column in contract.columns.values()
        for fault in faults(column, extracted_at)
    ]
    if contract.barred and contract.subject:
        # First: whatever else is wrong with the line, nothing of it may be kept.
        barred = Fault(contract.barred, "NULL", FORGOTTEN)
        found.insert(0, (contract.columns[contract.subject], barred))
    return found


def raw_text(contract: Contract, header: list[str], table: str = LINES) -> str:
    """SQL that writes a line as CSV again, protected values masked."""
    cells = [_masked(contract.columns[name], f"{table}.{quoted(name)}") for name in header]
    return f"left(concat_ws(',', {', '.join(cells)}), {KEPT_CHARACTERS})"


def record_of(header: list[str]) -> str:
    """SQL that writes a line as CSV again, as it is."""
    return f"concat_ws(',', {', '.join(_cell(quoted(name)) for name in header)})"


def _masked(column: Column, value: str) -> str:
    if column.phi:
        return f"CASE WHEN {value} IS NULL THEN '' ELSE '{MASK}' END"
    return _cell(value)


def _cell(value: str) -> str:
    return (
        f"""CASE WHEN regexp_matches({value}, '[",\\n\\r]') """
        f"""THEN '"' || replace({value}, '"', '""') || '"' ELSE coalesce({value}, '') END"""
    )


def _reason(column: Column, extracted_at: datetime) -> str:
    """SQL of what is wrong with a column's value, NULL when nothing is."""
    branches = [
        f"WHEN {fault.condition} THEN {fault.message}" for fault in faults(column, extracted_at)
    ]
    if not branches:
        return "NULL"
    prefix = literal(f'column "{column.source_name}": ')
    return f"{prefix} || CASE {' '.join(branches)} END"


def _about(column: Column, text: str) -> str:
    if column.phi:
        return literal(f'"{MASK}" {text}')
    return f"""'"' || left({quoted(column.name)}, {SHOWN_CHARACTERS}) || {literal(f'" {text}')}"""


def _misfit(column: Column) -> str:
    """SQL that is true when a value that is not NULL is not of the column's type."""
    value = quoted(column.name)
    # The cast alone is too kind: it takes 5.0, 1e3 and 1_000 for integers, 2025/1/5 for a date.
    forms = {
        "integer": INTEGER_FORM,
        "decimal": _decimal_form(column.scale),
        "date": DATE_FORM,
        "timestamp": TIMESTAMP_FORM,
    }
    if column.kind == "boolean":
        return f"lower({value}) NOT IN {_tuple(TRUE_WORDS + FALSE_WORDS)}"
    form = literal(forms[column.kind])
    # Most values are spelled as their type writes them, and need no regular expression. Of dates
    # the type also writes infinity and years of five digits.
    usual = f"CAST({typed(column)} AS VARCHAR) = {value}"
    if column.kind in ("date", "timestamp"):
        usual += f" AND length({value}) = {DAY_LENGTH if column.kind == 'date' else SECOND_LENGTH}"
    return (
        f"CASE WHEN {typed(column)} IS NULL THEN TRUE WHEN {usual} THEN FALSE "
        f"ELSE NOT regexp_full_match({value}, {form}) END"
    )


def _decimal_form(scale: int) -> str:
    """A plain number whose digits beyond the scale are zeros."""
    if scale == 0:
        return r"[+-]?[0-9]+(\.0*)?"
    return rf"[+-]?([0-9]+(\.[0-9]{{0,{scale}}}0*)?|\.[0-9]{{1,{scale}}}0*)"


def _bound(column: Column, bound: str) -> str:
    return f"CAST({literal(bound)} AS {column.sql_type})"


def _npi_holds(value: str) -> str:
    """Luhn over 80840 and ten digits: the prefix counts 24, every other digit from the first
    counts double, and the sum ends in 0."""
    digits = [f"CAST(substr({value}, {place}, 1) AS INTEGER)" for place in range(1, 11)]
    doubled = [f"(2 * {digit} - 9 * CAST({digit} > 4 AS INTEGER))" for digit in digits[::2]]
    total = " + ".join(["24", *doubled, *digits[1::2]])
    is_npi = f"regexp_full_match({value}, '[0-9]{{10}}')"
    return f"CASE WHEN {is_npi} THEN ({total}) % 10 = 0 WHEN {value} IS NOT NULL THEN FALSE END"


def _tuple(words: tuple[str, ...]) -> str:
    return f"({', '.join(map(literal, words))})"
