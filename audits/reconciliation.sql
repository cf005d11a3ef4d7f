AUDIT (
  name staged_equals_landed,
  dialect duckdb
);

/* per load: read = loaded + rejected + duplicate, raw = loaded, staged = distinct keys of raw */
WITH loads AS (
  SELECT
    load_id,
    rows_read,
    rows_loaded,
    rows_rejected,
    rows_duplicate
  FROM ops.load_batch
  WHERE
    feed = @feed
    AND status = 'loaded'
    AND load_timestamp >= @start_ds::DATE
    AND load_timestamp < @end_ds::DATE + INTERVAL '1' DAY
), raw_rows AS (
  SELECT
    load_id,
    COUNT(*) AS raw_count
  FROM @raw_table
  WHERE
    load_timestamp >= @start_ds::DATE AND load_timestamp < @end_ds::DATE + INTERVAL '1' DAY
  GROUP BY
    load_id
), raw_keys AS (
  SELECT DISTINCT
    load_id,
    @EACH(@key, k -> TRIM(k::TEXT))
  FROM @raw_table
  WHERE
    load_timestamp >= @start_ds::DATE AND load_timestamp < @end_ds::DATE + INTERVAL '1' DAY
), raw_key_counts AS (
  SELECT
    load_id,
    COUNT(*) AS key_count
  FROM raw_keys
  GROUP BY
    load_id
), staged AS (
  SELECT
    load_id,
    COUNT(*) AS staged_count
  FROM @this_model
  GROUP BY
    load_id
)
SELECT
  loads.load_id,
  loads.rows_loaded,
  raw_rows.raw_count,
  raw_key_counts.key_count,
  staged.staged_count
FROM loads
LEFT JOIN raw_rows
  ON raw_rows.load_id = loads.load_id
LEFT JOIN raw_key_counts
  ON raw_key_counts.load_id = loads.load_id
LEFT JOIN staged
  ON staged.load_id = loads.load_id
WHERE
  loads.rows_read <> loads.rows_loaded + loads.rows_rejected + loads.rows_duplicate
  OR COALESCE(raw_rows.raw_count, 0) <> loads.rows_loaded
  OR COALESCE(staged.staged_count, 0) <> COALESCE(raw_key_counts.key_count, 0);

AUDIT (
  name same_row_count,
  dialect duckdb
);

/* the increment holds as many rows as the table that it is made from */
WITH ours AS (
  SELECT
    COUNT(*) AS row_count
  FROM @this_model
), theirs AS (
  SELECT
    COUNT(*) AS row_count
  FROM @other
  WHERE
    load_date BETWEEN @start_ds AND @end_ds
)
SELECT
  ours.row_count AS row_count,
  theirs.row_count AS other_row_count
FROM ours
CROSS JOIN theirs
WHERE
  ours.row_count <> theirs.row_count;

AUDIT (
  name same_total,
  dialect duckdb,
  defaults (condition = TRUE, other_condition = TRUE)
);

WITH ours AS (
  SELECT
    COALESCE(SUM(@column), 0) AS total
  FROM @this_model
  WHERE
    @condition
), theirs AS (
  SELECT
    COALESCE(SUM(@column), 0) AS total
  FROM @other
  WHERE
    @other_condition
)
SELECT
  ours.total AS total,
  theirs.total AS other_total
FROM ours
CROSS JOIN theirs
WHERE
  ours.total <> theirs.total;

AUDIT (
  name latest_states_complete,
  dialect duckdb
);

/* of the lines that the run touched: one per key of the change log, and the paid amount of the latest states */
WITH touched AS (
  SELECT
    claim_line_key
  FROM core.claim_line_touches
  WHERE
    touched_on BETWEEN @start_ds AND @end_ds
), ranked AS (
  SELECT
    changes.paid_amount,
    ROW_NUMBER() OVER (
      PARTITION BY changes.claim_line_key
      ORDER BY changes.extracted_at DESC, changes.load_timestamp DESC, changes.load_id DESC
    ) AS state_rank
  FROM core.claim_line_changes AS changes
  LEFT JOIN ops.retraction AS retractions
    ON retractions.load_id = changes.load_id
  WHERE
    retractions.load_id IS NULL
    AND changes.claim_line_key IN (
      SELECT
        claim_line_key
      FROM touched
    )
), expected AS (
  SELECT
    COUNT(*) AS row_count,
    COALESCE(SUM(paid_amount), 0) AS total
  FROM ranked
  WHERE
    state_rank = 1
), ours AS (
  SELECT
    COUNT(*) AS row_count,
    COALESCE(SUM(paid_amount), 0) AS total
  FROM @this_model
  WHERE
    claim_line_key IN (
      SELECT
        claim_line_key
      FROM touched
    )
)
SELECT
  ours.row_count AS row_count,
  ours.total AS total,
  expected.row_count AS expected_row_count,
  expected.total AS expected_total
FROM ours
CROSS JOIN expected
WHERE
  ours.row_count <> expected.row_count OR ours.total <> expected.total
