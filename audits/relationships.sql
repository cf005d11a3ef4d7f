AUDIT (
  name references_dimension,
  dialect duckdb
);

SELECT
  facts.*
FROM @this_model AS facts
LEFT JOIN @dimension AS dimension
  ON dimension.@column = facts.@column
WHERE
  dimension.@column IS NULL;

AUDIT (
  name unknown_share_at_most,
  dialect duckdb,
  defaults (
    share = 0.05
  )
);

SELECT
  COUNT(*) AS row_count,
  SUM(CASE WHEN @column = -1 THEN 1 ELSE 0 END) AS unknown_count
FROM @this_model
HAVING
  SUM(CASE WHEN @column = -1 THEN 1 ELSE 0 END) > @share * COUNT(*)
