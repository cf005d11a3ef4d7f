"""What a run has to compute anew: of what it learned something, and whom that may concern.

A run covers whole days, from @start_ds to @end_ds. It learned what landed on them and what was
retracted on them. See docs/adr/0014.
"""

from sqlglot import exp, generator
from sqlmesh import macro
from sqlmesh.core.macros import MacroEvaluator

# A MODEL block with macros, as the audits' conditions are, is written and read again when it loads.
# sqlglot keeps how to write what it knew when it first wrote something, and a process may have
# written SQL before SQLMesh taught it MODEL.
generator._DISPATCH_CACHE.clear()

START_OF_TIME = "CAST('1900-01-01' AS TIMESTAMP)"


def names_of(columns: exp.Expression) -> list[str]:
    """Give the names in `(a, b)` or `a`."""
    items = columns.expressions if isinstance(columns, exp.Tuple) else [columns.unnest()]
    return [item.name for item in items]


def columns_of(prefix: str, names: list[str]) -> str:
    """Give a table's columns as the text of a list."""
    return ", ".join(f"{prefix}.{name}" for name in names)


def _on_days_of_the_run(evaluator: MacroEvaluator, day: str) -> str:
    start, end = evaluator.locals["start_ds"], evaluator.locals["end_ds"]
    return f"{day} BETWEEN CAST('{start}' AS DATE) AND CAST('{end}' AS DATE)"


def rows_heard_of(evaluator: MacroEvaluator, log: exp.Expression, keys: list[str]) -> str:
    """Rows of a log that became known, or whose batch was retracted, on a day of the run."""
    retracted_on = "CAST(retraction.retracted_at AS DATE)"
    return f"""
SELECT {columns_of("log", keys)}, log.extracted_at, log.load_date AS touched_on
FROM {log.sql("duckdb")} AS log
WHERE {_on_days_of_the_run(evaluator, "log.load_date")}
UNION
SELECT {columns_of("log", keys)}, log.extracted_at, {retracted_on} AS touched_on
FROM {log.sql("duckdb")} AS log
INNER JOIN ops.retraction AS retraction ON retraction.load_id = log.load_id
WHERE {_on_days_of_the_run(evaluator, retracted_on)}
"""


@macro()
def heard_of(evaluator: MacroEvaluator, log: exp.Expression, key: exp.Expression) -> str:
    """Keys of a log of which a run learned something: rows became known or were retracted.

    One row per such row of the log: the key, its extract time and the day, `touched_on`.
    """
    return rows_heard_of(evaluator, log, names_of(key))


@macro()
def changed_keys(
    evaluator: MacroEvaluator,
    log: exp.Expression,
    dimension: exp.Expression,
    key: exp.Expression,
) -> str:
    """Keys of a dimension of which a run learned something anew: whom facts have to ask again.

    One row per row of the log that became known, or whose batch was retracted, on a day of the
    run: the key, that day as `touched_on`, and `reaches_from`, the first day of facts whose version
    may be another one now. A change alters what held from its extract on; only where it concerns
    the key's first version, which also serves all time before, it reaches back to the beginning.

    Args:
        log: the change log.
        dimension: its fold, as it is after the run.
        key: the natural key, tenant_id first.
    """
    keys = names_of(key)
    same_key = " AND ".join(f"versions.{name} = heard.{name}" for name in keys)
    return f"""
SELECT
  {columns_of("heard", keys)},
  heard.touched_on,
  CASE
    WHEN heard.extracted_at > versions.validity_start_ts THEN CAST(heard.extracted_at AS DATE)
    ELSE CAST({START_OF_TIME} AS DATE)
  END AS reaches_from
FROM (
  {rows_heard_of(evaluator, log, keys)}
) AS heard
LEFT JOIN {dimension.sql("duckdb")} AS versions
  ON {same_key} AND versions.join_from_ts = {START_OF_TIME}
"""


@macro()
def states_of_touched_lines(evaluator: MacroEvaluator) -> str:
    """Every state that a line touched by the run was ever in: wherever it counts or counted."""
    return f"""
SELECT
  states.tenant_id, states.claim_id, states.member_key, states.provider_id, states.service_date,
  CAST(DATE_TRUNC('MONTH', states.service_date) AS DATE) AS service_month,
  CAST(EXTRACT(YEAR FROM states.service_date) AS INT) AS service_year
FROM core.claim_line_touches AS touches
INNER JOIN core.claim_line_changes AS states ON states.claim_line_key = touches.claim_line_key
WHERE {_on_days_of_the_run(evaluator, "touches.touched_on")}
"""


@macro()
def touched_in(evaluator: MacroEvaluator, touches: exp.Expression, *key: exp.Expression) -> str:
    """Condition of an audit: the row is one that a table of touches names for the run."""
    names = ", ".join(column.name for column in key)
    days = _on_days_of_the_run(evaluator, "touched_on")
    return f"({names}) IN (SELECT {names} FROM {touches.sql('duckdb')} WHERE {days})"


@macro()
def heard_in(evaluator: MacroEvaluator, log: exp.Expression, *key: exp.Expression) -> str:
    """Condition of an audit: the row is of a key of whose log the run learned something."""
    names = [column.name for column in key]
    heard = rows_heard_of(evaluator, log, names)
    listed = ", ".join(names)
    return f"({listed}) IN (SELECT {listed} FROM ({heard}) AS heard)"


@macro()
def among_touched_states(evaluator: MacroEvaluator, *key: exp.Expression) -> str:
    """Condition of an audit: the row counts, or counted, a claim line that the run touched."""
    names = ", ".join(column.name for column in key)
    return f"({names}) IN (SELECT {names} FROM ({states_of_touched_lines(evaluator)}) AS states)"
