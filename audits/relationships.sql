AUDIT (
  name references_dimension,
  dialect duckdb,
  defaults (
    condition = TRUE
  )
);

WITH facts AS (
  SELECT
    *
  FROM @this_model
  WHERE
    @condition
)
SELECT
  facts.*
FROM facts
LEFT JOIN @dimension AS dimension
  ON dimension.@column = facts.@column
WHERE
  dimension.@column IS NULL;

AUDIT (
  name unknown_share_at_most,
  dialect duckdb,
  defaults (share = 0.05, rows_at_least = 20, condition = TRUE)
);

/* of a handful of rows any one is a large share */
SELECT
  COUNT(*) AS row_count,
  SUM(CASE WHEN @column = -1 THEN 1 ELSE 0 END) AS unknown_count
FROM @this_model
WHERE
  @condition
HAVING
  SUM(CASE WHEN @column = -1 THEN 1 ELSE 0 END) > @share * COUNT(*) AND COUNT(*) >= @rows_at_least;

AUDIT (
  name appeals_follow_denials,
  dialect duckdb
);

/* of a denial that was overturned before the next extract, no extract has a trace */
SELECT
  claims.*
FROM @this_model AS claims
INNER JOIN @appeals AS appeals
  ON appeals.tenant_id = claims.tenant_id AND appeals.claim_id = claims.claim_id
WHERE
  NOT claims.has_denied_line AND appeals.outcome <> 'overturned'
