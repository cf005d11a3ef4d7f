AUDIT (
  name same_totals,
  dialect duckdb
);

/* several columns add up to the same as in another table; NULL counts as zero */
WITH ours AS (
  SELECT
    @EACH(@columns, c -> COALESCE(SUM(c), 0) AS @{c})
  FROM @this_model
), theirs AS (
  SELECT
    @EACH(@columns, c -> COALESCE(SUM(c), 0) AS @{c})
  FROM @other
)
SELECT
  ours.*
FROM ours
CROSS JOIN theirs
WHERE
  @OR(@EACH(@columns, c -> ours.@{c} <> theirs.@{c}))
