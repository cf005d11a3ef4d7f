AUDIT (
  name no_overlapping_versions,
  dialect duckdb,
  defaults (
    condition = TRUE
  )
);

WITH bounded AS (
  SELECT
    *,
    LEAD(validity_start_ts) OVER (PARTITION BY @EACH(@key, k -> k) ORDER BY validity_start_ts) AS next_start_ts
  FROM @this_model
  WHERE
    @condition
)
SELECT
  *
FROM bounded
WHERE
  validity_start_ts >= validity_end_ts OR next_start_ts < validity_end_ts;

AUDIT (
  name one_current_version,
  dialect duckdb,
  defaults (
    condition = TRUE
  )
);

SELECT
  @EACH(@key, k -> k),
  COUNT(*) AS current_versions
FROM @this_model
WHERE
  current_flag AND @condition
GROUP BY
  @EACH(@key, k -> k)
HAVING
  COUNT(*) > 1;

AUDIT (
  name has_unknown_member,
  dialect duckdb
);

SELECT
  COUNT(*) AS unknown_members
FROM @this_model
WHERE
  @column = -1
HAVING
  COUNT(*) <> 1
