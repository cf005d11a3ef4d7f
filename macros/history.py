"""Versioned history: a change log per feed and its fold into a type 2 dimension.

The log is incremental by arrival (`load_date`); history is ordered by `extracted_at`, the clock of the
source. See docs/adr/0003.
"""

from sqlglot import exp
from sqlmesh import macro
from sqlmesh.core.macros import MacroEvaluator

from macros.keys import attr_hash, bigint_key
from macros.touches import START_OF_TIME, columns_of, names_of, rows_heard_of

LOG_COLUMNS = ("operation", "attr_hash", "load_id", "extracted_at", "load_timestamp", "load_date")
END_OF_TIME = "CAST('9999-12-31' AS TIMESTAMP)"
UNKNOWN_SK = -1


def _typed(expression: str, name: str, types: dict[str, exp.DataType]) -> str:
    kind = types.get(name)
    # While the project loads, the types of the model above may not be known yet.
    return f"CAST({expression} AS {kind.sql('duckdb')}) AS {name}" if kind else expression


def _hash_of(evaluator: MacroEvaluator, prefix: str, names: list[str]) -> str:
    return attr_hash(evaluator, *(exp.column(name, table=prefix) for name in names)).sql("duckdb")


def _member_key(evaluator: MacroEvaluator, member: exp.Expression | None, prefix: str) -> str:
    """The column member_key; NULL where the row names no member, as that of a key that is gone."""
    if member is None:
        return ""
    names = names_of(member)
    value = bigint_key(evaluator, *(exp.column(name, table=prefix) for name in names))
    return (
        f"CAST(CASE WHEN {prefix}.{names[-1]} IS NOT NULL THEN {value.sql('duckdb')} END AS BIGINT) "
        "AS member_key /* durable, pseudonymous key of the member, the same over all versions */,"
    )


@macro()
def snapshot_changes(
    evaluator: MacroEvaluator,
    staged: exp.Expression,
    feed: exp.Expression,
    key: exp.Expression,
    tracked: exp.Expression,
    member: exp.Expression | None = None,
) -> str:
    """What each full snapshot changed against the snapshot before it.

    One row per key and batch where an attribute differs: operation I (the key was not in the batch
    before), U (an attribute differs) or D (the key is gone; its attributes are NULL).

    Rows are written when two batches become neighbours in the order of extract: when the later of
    them lands, or when what lay between them is retracted. A late batch so adds its own changes and
    those of its successor under the day it landed, and nothing written before has to change: a row
    only says what the key looked like in its batch, and the fold ignores rows that change nothing.

    Args:
        staged: the staging table of the feed, one row per key and load_id.
        feed: the feed's name in ops.load_batch.
        key: the natural key, tenant_id first.
        tracked: the attributes whose change makes a version.
        member: the columns that name the member whom a row is about, where it is about one.
    """
    keys, attributes = names_of(key), names_of(tracked)
    member_key = _member_key(evaluator, member, "compared")
    types = evaluator.columns_to_types(staged)
    start, end = evaluator.locals["start_ds"], evaluator.locals["end_ds"]
    same_key = " AND ".join(f"current_rows.{name} = previous_rows.{name}" for name in keys)
    current_hash = _hash_of(evaluator, "staged", attributes)
    return f"""
WITH ledger AS (
  SELECT
    batches.load_id, batches.tenant_id, batches.extracted_at, batches.load_timestamp,
    retractions.retracted_at,
    SUM(CASE WHEN retractions.load_id IS NULL THEN 1 ELSE 0 END) OVER (
      PARTITION BY batches.tenant_id
      ORDER BY batches.extracted_at, batches.load_timestamp, batches.load_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS place
  FROM ops.load_batch AS batches
  LEFT JOIN ops.retraction AS retractions ON retractions.load_id = batches.load_id
  WHERE batches.feed = {feed.sql("duckdb")} AND batches.status = 'loaded'
), standing AS (
  SELECT
    load_id, tenant_id, extracted_at, load_timestamp, place,
    LAG(load_id) OVER (PARTITION BY tenant_id ORDER BY place) AS previous_load_id,
    LAG(load_timestamp) OVER (PARTITION BY tenant_id ORDER BY place) AS previous_load_timestamp
  FROM ledger
  WHERE retracted_at IS NULL
), removals AS (
  SELECT tenant_id, place, MAX(retracted_at) AS retracted_at
  FROM ledger
  WHERE retracted_at IS NOT NULL
  GROUP BY tenant_id, place
), neighbours AS (
  SELECT
    standing.load_id, standing.previous_load_id, standing.extracted_at, standing.load_timestamp,
    GREATEST(
      standing.load_timestamp,
      COALESCE(standing.previous_load_timestamp, standing.load_timestamp),
      COALESCE(removals.retracted_at, standing.load_timestamp)
    ) AS known_at
  FROM standing
  LEFT JOIN removals
    ON removals.tenant_id = standing.tenant_id AND removals.place = standing.place - 1
), undone AS (
  SELECT
    ledger.load_id, standing.load_id AS previous_load_id, ledger.extracted_at, ledger.load_timestamp,
    GREATEST(ledger.retracted_at, COALESCE(standing.load_timestamp, ledger.retracted_at)) AS known_at
  FROM ledger
  LEFT JOIN standing ON standing.tenant_id = ledger.tenant_id AND standing.place = ledger.place
  WHERE ledger.retracted_at IS NOT NULL
), compared_batches AS (
  SELECT load_id, previous_load_id, extracted_at, load_timestamp, known_at FROM neighbours
  UNION ALL
  SELECT load_id, previous_load_id, extracted_at, load_timestamp, known_at FROM undone
), arrived AS (
  SELECT load_id, previous_load_id, extracted_at, load_timestamp, CAST(known_at AS DATE) AS load_date
  FROM compared_batches
  WHERE CAST(known_at AS DATE) BETWEEN CAST('{start}' AS DATE) AND CAST('{end}' AS DATE)
), current_rows AS (
  SELECT arrived.load_id, {columns_of("staged", keys + attributes)}, {current_hash} AS attr_hash
  FROM arrived
  INNER JOIN {staged.sql("duckdb")} AS staged ON staged.load_id = arrived.load_id
), previous_rows AS (
  SELECT arrived.load_id, {columns_of("staged", keys)}, {current_hash} AS attr_hash
  FROM arrived
  INNER JOIN {staged.sql("duckdb")} AS staged ON staged.load_id = arrived.previous_load_id
), compared AS (
  SELECT
    COALESCE(current_rows.load_id, previous_rows.load_id) AS load_id,
    {", ".join(f"COALESCE(current_rows.{name}, previous_rows.{name}) AS {name}" for name in keys)},
    {columns_of("current_rows", attributes)},
    current_rows.attr_hash,
    CASE
      WHEN previous_rows.load_id IS NULL THEN 'I'
      WHEN current_rows.load_id IS NULL THEN 'D'
      WHEN current_rows.attr_hash <> previous_rows.attr_hash THEN 'U'
    END AS operation
  FROM current_rows
  FULL JOIN previous_rows ON current_rows.load_id = previous_rows.load_id AND {same_key}
)
SELECT
  {member_key}
  {", ".join(_typed(f"compared.{name}", name, types) for name in keys + attributes)},
  CAST(compared.operation AS TEXT) AS operation /* I: new key, U: changed, D: gone */,
  CAST(compared.attr_hash AS TEXT) AS attr_hash /* hash of all tracked attributes; NULL when gone */,
  CAST(compared.load_id AS BIGINT) AS load_id /* batch that brought the change */,
  CAST(arrived.extracted_at AS TIMESTAMP) AS extracted_at /* when the source was read: the clock of history */,
  CAST(arrived.load_timestamp AS TIMESTAMP) AS load_timestamp /* when the batch landed */,
  CAST(arrived.load_date AS DATE) AS load_date /* day the change became known: the batch landed, its neighbour did, or what lay between was retracted */
FROM compared
INNER JOIN arrived ON arrived.load_id = compared.load_id
WHERE compared.operation IS NOT NULL
"""


@macro()
def feed_changes(
    evaluator: MacroEvaluator,
    staged: exp.Expression,
    durable_key: exp.Expression,
    member: exp.Expression,
    key: exp.Expression,
    tracked: exp.Expression,
) -> str:
    """What each batch of a change feed reported: the source says itself what is new or changed.

    The same columns as `snapshot_changes`, with operation U for every row, so the same fold applies.

    Args:
        staged: the staging table of the feed, one row per key and load_id.
        durable_key: name of a single-column key made of `key`, for joins and lookups.
        member: the columns that name the member whom the state is about.
        key: the natural key, tenant_id first.
        tracked: the attributes of a state.
    """
    keys, attributes = names_of(key), names_of(tracked)
    types = evaluator.columns_to_types(staged)
    start, end = evaluator.locals["start_ds"], evaluator.locals["end_ds"]
    key_columns = [exp.column(name, table="staged") for name in keys]
    durable = bigint_key(evaluator, *key_columns).sql("duckdb")
    member_key = _member_key(evaluator, member, "staged")
    return f"""
WITH staged AS (
  SELECT {", ".join(keys + attributes)}, load_id, extracted_at, load_timestamp, load_date
  FROM {staged.sql("duckdb")}
  WHERE load_date BETWEEN CAST('{start}' AS DATE) AND CAST('{end}' AS DATE)
)
SELECT
  CAST({durable} AS BIGINT) AS {durable_key.name} /* the natural key in one number */,
  {member_key}
  {", ".join(_typed(f"staged.{name}", name, types) for name in keys + attributes)},
  CAST('U' AS TEXT) AS operation /* always U: the feed reports states */,
  CAST({_hash_of(evaluator, "staged", attributes)} AS TEXT) AS attr_hash /* hash of all tracked attributes */,
  CAST(staged.load_id AS BIGINT) AS load_id /* batch that brought the state */,
  CAST(staged.extracted_at AS TIMESTAMP) AS extracted_at /* when the source was read: the clock of history */,
  CAST(staged.load_timestamp AS TIMESTAMP) AS load_timestamp /* when the batch landed */,
  CAST(staged.load_date AS DATE) AS load_date /* day the batch landed: the increment */
FROM staged
"""


@macro()
def scd_type_2(
    evaluator: MacroEvaluator,
    log: exp.Expression,
    surrogate_key: exp.Expression,
    key: exp.Expression,
    durable_key: exp.Expression | None = None,
) -> str:
    """Every version of every key, folded from a change log; one row -1 stands for the unknown.

    For models of kind recompute_touched: a run folds the keys of which it learned something anew.

    Versions are [validity_start_ts, validity_end_ts). Of several states at one instant the one that
    landed last counts, so a corrected extract replaces the wrong one; equal neighbours are one version;
    a D closes a version and opens a gap; retracted batches do not count. `join_from_ts` is when facts may begin to use the version: a
    key's first version also serves the time before it was first seen.

    Args:
        log: the change log.
        surrogate_key: name of the key of a version.
        key: the natural key, tenant_id first.
        durable_key: name of a single-column key made of `key`, the same for all versions.
    """
    keys, surrogate = names_of(key), surrogate_key.name
    types = evaluator.columns_to_types(log)
    attributes = [name for name in types if name not in (*keys, *LOG_COLUMNS)]
    by_key = ", ".join(keys)
    key_parts = [exp.column(name, table="bounded") for name in (*keys, "load_id")]
    sk = bigint_key(evaluator, *key_parts).sql("duckdb")

    def unknown(name: str) -> str:
        if name not in keys:
            return _typed("NULL", name, types)
        is_text = name in types and types[name].is_type(*exp.DataType.TEXT_TYPES)
        return _typed("'unknown'" if is_text else str(UNKNOWN_SK), name, types)

    durable, durable_unknown = "", ""
    if durable_key:
        parts = [exp.column(name, table="bounded") for name in keys]
        value = bigint_key(evaluator, *parts).sql("duckdb")
        durable = (
            f"CAST({value} AS BIGINT) AS {durable_key.name} "
            "/* durable, pseudonymous key, the same over all versions */,"
        )
        durable_unknown = f"CAST({UNKNOWN_SK} AS BIGINT) AS {durable_key.name},"
    business = [*keys, *attributes]
    return f"""
WITH heard AS (
  {rows_heard_of(evaluator, log, keys)}
), touched_keys AS (
  SELECT DISTINCT {columns_of("heard", keys)}
  FROM heard
  UNION ALL
  SELECT {", ".join(unknown(name) for name in keys)}
), retractions AS (
  SELECT load_id
  FROM ops.retraction
), changes AS (
  SELECT {columns_of("log", business)}, log.attr_hash, log.load_id, log.extracted_at, log.load_timestamp
  FROM {log.sql("duckdb")} AS log
  WHERE
    ({columns_of("log", keys)}) IN (SELECT {", ".join(keys)} FROM touched_keys)
    AND NOT EXISTS (SELECT 1 FROM retractions WHERE retractions.load_id = log.load_id)
), said AS (
  SELECT
    {columns_of("changes", business)}, changes.attr_hash, changes.load_id, changes.extracted_at,
    changes.load_timestamp,
    LAG(changes.attr_hash) OVER (
      PARTITION BY {by_key} ORDER BY extracted_at, load_timestamp, load_id
    ) AS said_before
  FROM changes
), ranked AS (
  SELECT
    {columns_of("said", business)}, said.attr_hash, said.load_id, said.extracted_at,
    said.load_timestamp,
    ROW_NUMBER() OVER (
      PARTITION BY {by_key}, extracted_at ORDER BY load_timestamp DESC, load_id DESC
    ) AS state_rank
  FROM said
  WHERE said.attr_hash IS DISTINCT FROM said.said_before
), states AS (
  SELECT
    {columns_of("ranked", business)}, ranked.attr_hash, ranked.load_id, ranked.extracted_at,
    ranked.load_timestamp,
    LAG(ranked.attr_hash) OVER (PARTITION BY {by_key} ORDER BY extracted_at) AS previous_attr_hash
  FROM ranked
  WHERE ranked.state_rank = 1
), bounded AS (
  SELECT
    {columns_of("states", business)}, states.attr_hash, states.load_id, states.extracted_at,
    states.load_timestamp,
    LEAD(extracted_at) OVER (PARTITION BY {by_key} ORDER BY extracted_at) AS next_extracted_at,
    ROW_NUMBER() OVER (PARTITION BY {by_key} ORDER BY extracted_at) AS version_number
  FROM states
  WHERE states.attr_hash IS DISTINCT FROM states.previous_attr_hash
)
SELECT
  CAST({sk} AS BIGINT) AS {surrogate} /* surrogate key of the version; -1 is the unknown */,
  {durable}
  {", ".join(_typed(f"bounded.{name}", name, types) for name in business)},
  CAST(bounded.extracted_at AS TIMESTAMP) AS validity_start_ts /* first instant at which the version holds */,
  CAST(COALESCE(bounded.next_extracted_at, {END_OF_TIME}) AS TIMESTAMP) AS validity_end_ts /* first instant at which it no longer holds; 9999-12-31 when current */,
  CAST(CASE WHEN bounded.version_number = 1 THEN {START_OF_TIME} ELSE bounded.extracted_at END AS TIMESTAMP) AS join_from_ts /* from when facts may use the version: 1900-01-01 for a key's first */,
  CAST(bounded.next_extracted_at IS NULL AS BOOLEAN) AS current_flag /* whether it is the key's present version */,
  CAST(bounded.attr_hash AS TEXT) AS attr_hash /* hash of all tracked attributes */,
  CAST(bounded.load_id AS BIGINT) AS load_id /* batch that brought the version */,
  CAST(bounded.load_timestamp AS TIMESTAMP) AS created_at /* when that batch landed */
FROM bounded
WHERE bounded.attr_hash IS NOT NULL
UNION ALL
SELECT
  CAST({UNKNOWN_SK} AS BIGINT) AS {surrogate},
  {durable_unknown}
  {", ".join(unknown(name) for name in business)},
  {START_OF_TIME} AS validity_start_ts,
  {END_OF_TIME} AS validity_end_ts,
  {START_OF_TIME} AS join_from_ts,
  TRUE AS current_flag,
  'unknown' AS attr_hash,
  CAST({UNKNOWN_SK} AS BIGINT) AS load_id,
  {START_OF_TIME} AS created_at
"""
