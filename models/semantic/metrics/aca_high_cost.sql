/* Made from the registry in semantic/: edit that, then run `granary metrics write`. */
MODEL (
  name semantic.aca_high_cost,
  kind FULL,
  owner analytics_engineering,
  grain (tenant_id, metal_tier, cost_band, period),
  depends_on (
    semantic.aca_metrics_monthly
  ),
  description 'High-cost claimants of twelve months by band and metal level, as of each month. How many are there, and which share of cost is theirs?',
  audits (
    not_null(columns := (tenant_id, metal_tier, cost_band, period)),
    unique_combination_of_columns(columns := (tenant_id, metal_tier, cost_band, period)),
    same_totals(
      columns := (
        high_cost_claimants_50k,
        high_cost_claimants,
        high_cost_claimants_250k,
        high_cost_claimants_500k,
        high_cost_claimants_1m,
        high_cost_paid
      ),
      other := semantic.aca_metrics_monthly
    ),
    same_totals_in_each_part(columns := (
      rolling_paid
    ), parts := (metal_tier, cost_band), other := semantic.aca_metrics_monthly)
  )
);

WITH measured AS (
  WITH high_cost_member_last_as_of_month_instants AS (
    SELECT
      rolling_year.tenant_id,
      MAX(rolling_year.as_of_month) AS instant
    FROM core.fct_rolling_year AS rolling_year
    GROUP BY
      rolling_year.tenant_id,
      DATE_TRUNC('MONTH', rolling_year.as_of_month)::DATE
  ), high_cost_member_last_as_of_month AS (
    SELECT
      DATE_TRUNC('MONTH', high_cost_member.as_of_month)::DATE AS period,
      COALESCE(high_cost_member.tenant_id::TEXT, 'unknown') AS tenant_id,
      COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
      COALESCE(high_cost_member.cost_band::TEXT, 'unknown') AS cost_band,
      COUNT(CASE WHEN high_cost_member.rolling_paid_amount > 50000 THEN 1 END) AS high_cost_claimants_50k,
      COUNT(CASE WHEN high_cost_member.rolling_paid_amount > 100000 THEN 1 END) AS high_cost_claimants,
      COUNT(CASE WHEN high_cost_member.rolling_paid_amount > 250000 THEN 1 END) AS high_cost_claimants_250k,
      COUNT(CASE WHEN high_cost_member.rolling_paid_amount > 500000 THEN 1 END) AS high_cost_claimants_500k,
      COUNT(CASE WHEN high_cost_member.rolling_paid_amount > 1000000 THEN 1 END) AS high_cost_claimants_1m,
      SUM(
        CASE WHEN high_cost_member.rolling_paid_amount > 100000 THEN high_cost_member.rolling_paid_amount END
      ) AS high_cost_paid
    FROM core.fct_high_cost_member AS high_cost_member
    LEFT JOIN core.dim_plan AS plan
      ON plan.plan_sk = high_cost_member.plan_sk
    INNER JOIN high_cost_member_last_as_of_month_instants
      ON high_cost_member_last_as_of_month_instants.instant = high_cost_member.as_of_month
      AND high_cost_member_last_as_of_month_instants.tenant_id = high_cost_member.tenant_id
    WHERE
      NOT high_cost_member.as_of_month IS NULL
    GROUP BY
      1,
      2,
      3,
      4
  )
  SELECT
    high_cost_member_last_as_of_month.period,
    high_cost_member_last_as_of_month.tenant_id,
    high_cost_member_last_as_of_month.metal_tier,
    high_cost_member_last_as_of_month.cost_band,
    COALESCE(high_cost_claimants_50k, 0)::BIGINT AS high_cost_claimants_50k,
    COALESCE(high_cost_claimants, 0)::BIGINT AS high_cost_claimants,
    COALESCE(high_cost_claimants_250k, 0)::BIGINT AS high_cost_claimants_250k,
    COALESCE(high_cost_claimants_500k, 0)::BIGINT AS high_cost_claimants_500k,
    COALESCE(high_cost_claimants_1m, 0)::BIGINT AS high_cost_claimants_1m,
    COALESCE(high_cost_paid, 0)::DECIMAL(20, 2) AS high_cost_paid
  FROM high_cost_member_last_as_of_month
), exposed AS (
  WITH rolling_year_last_as_of_month_instants AS (
    SELECT
      rolling_year.tenant_id,
      MAX(rolling_year.as_of_month) AS instant
    FROM core.fct_rolling_year AS rolling_year
    GROUP BY
      rolling_year.tenant_id,
      DATE_TRUNC('MONTH', rolling_year.as_of_month)::DATE
  ), rolling_year_last_as_of_month AS (
    SELECT
      DATE_TRUNC('MONTH', rolling_year.as_of_month)::DATE AS period,
      COALESCE(rolling_year.tenant_id::TEXT, 'unknown') AS tenant_id,
      SUM(rolling_year.paid_amount) AS rolling_paid
    FROM core.fct_rolling_year AS rolling_year
    INNER JOIN rolling_year_last_as_of_month_instants
      ON rolling_year_last_as_of_month_instants.instant = rolling_year.as_of_month
      AND rolling_year_last_as_of_month_instants.tenant_id = rolling_year.tenant_id
    WHERE
      NOT rolling_year.as_of_month IS NULL
    GROUP BY
      1,
      2
  )
  SELECT
    rolling_year_last_as_of_month.period,
    rolling_year_last_as_of_month.tenant_id,
    COALESCE(rolling_paid, 0)::DECIMAL(20, 2) AS rolling_paid
  FROM rolling_year_last_as_of_month
), cells AS (
  SELECT
    period,
    tenant_id
  FROM measured
  UNION
  SELECT
    period,
    tenant_id
  FROM exposed
), parts AS (
  SELECT DISTINCT
    metal_tier,
    cost_band
  FROM measured
)
SELECT
  cells.period::DATE AS period, /* first day of the month */
  cells.tenant_id::TEXT AS tenant_id, /* tenant whose data it is */
  parts.metal_tier::TEXT AS metal_tier, /* metal level */
  parts.cost_band::TEXT AS cost_band, /* cost band */
  COALESCE(measured.high_cost_claimants_50k, 0)::BIGINT AS high_cost_claimants_50k, /* High-cost claimants above 50,000, members */
  COALESCE(measured.high_cost_claimants, 0)::BIGINT AS high_cost_claimants, /* High-cost claimants above 100,000, members */
  COALESCE(measured.high_cost_claimants_250k, 0)::BIGINT AS high_cost_claimants_250k, /* High-cost claimants above 250,000, members */
  COALESCE(measured.high_cost_claimants_500k, 0)::BIGINT AS high_cost_claimants_500k, /* High-cost claimants above 500,000, members */
  COALESCE(measured.high_cost_claimants_1m, 0)::BIGINT AS high_cost_claimants_1m, /* High-cost claimants above 1,000,000, members */
  COALESCE(measured.high_cost_paid, 0)::DECIMAL(20, 2) AS high_cost_paid, /* Paid for high-cost claimants, USD */
  COALESCE(exposed.rolling_paid, 0)::DECIMAL(20, 2) AS rolling_paid /* Claims paid, twelve months, USD; the same for every metal level and cost band */
FROM cells
CROSS JOIN parts
LEFT JOIN measured
  ON measured.period = cells.period
  AND measured.tenant_id = cells.tenant_id
  AND measured.metal_tier = parts.metal_tier
  AND measured.cost_band = parts.cost_band
LEFT JOIN exposed
  ON exposed.period = cells.period AND exposed.tenant_id = cells.tenant_id
