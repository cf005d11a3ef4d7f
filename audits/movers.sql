AUDIT (
  name each_dimension_has_all_cost,
  dialect duckdb
);

WITH totals AS (
  SELECT
    tenant_id,
    dimension,
    SUM(allowed_amount) AS allowed_amount,
    SUM(prior_allowed_amount) AS prior_allowed_amount
  FROM @this_model
  GROUP BY
    tenant_id,
    dimension
)
SELECT
  tenant_id
FROM totals
GROUP BY
  tenant_id
HAVING
  MIN(allowed_amount) <> MAX(allowed_amount) OR MIN(prior_allowed_amount) <> MAX(prior_allowed_amount)
