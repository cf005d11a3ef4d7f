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
  @OR(@EACH(@columns, c -> ours.@{c} <> theirs.@{c}));

AUDIT (
  name same_totals_in_each_part,
  dialect duckdb
);

/* exposures repeat: in each part several columns add up to the same as in another table */
WITH ours AS (
  SELECT
    @EACH(@parts, p -> p),
    @EACH(@columns, c -> COALESCE(SUM(c), 0) AS @{c})
  FROM @this_model
  GROUP BY
    @EACH(@parts, p -> p)
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
  @OR(@EACH(@columns, c -> ours.@{c} <> theirs.@{c}));

AUDIT (
  name months_add_up_to_date,
  dialect duckdb
);

SELECT
  tenant_id,
  incurred_month
FROM @this_model
GROUP BY
  tenant_id,
  incurred_month
HAVING
  SUM(paid_in_month) <> COALESCE(MAX(CASE WHEN is_latest THEN paid_to_date END), 0)
