/* Made from the registry in semantic/: edit that, then run `granary metrics write`. */
MODEL (
  name semantic.aca_pends,
  kind FULL,
  owner analytics_engineering,
  grain (tenant_id, state, claim_type, age_band, period),
  depends_on (
    semantic.aca_metrics_monthly
  ),
  description 'Claims that wait for a decision at the end of each month, by age and claim type. How old is the pile?',
  audits (
    not_null(columns := (tenant_id, state, claim_type, age_band, period)),
    unique_combination_of_columns(columns := (tenant_id, state, claim_type, age_band, period)),
    same_totals(columns := (
      pended_inventory
    ), other := semantic.aca_metrics_monthly)
  )
);

WITH pended_claim_last_as_of_month_instants AS (
  SELECT
    rolling_year.tenant_id,
    MAX(rolling_year.as_of_month) AS instant
  FROM core.fct_rolling_year AS rolling_year
  GROUP BY
    rolling_year.tenant_id,
    DATE_TRUNC('MONTH', rolling_year.as_of_month)::DATE
), pended_claim_last_as_of_month AS (
  SELECT
    DATE_TRUNC('MONTH', pended_claim.as_of_month)::DATE AS period,
    COALESCE(pended_claim.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(pended_claim.claim_type::TEXT, 'unknown') AS claim_type,
    COALESCE(pended_claim.age_band::TEXT, 'unknown') AS age_band,
    COUNT(1) AS pended_inventory
  FROM core.fct_pended_claim AS pended_claim
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = pended_claim.geography_sk
  INNER JOIN pended_claim_last_as_of_month_instants
    ON pended_claim_last_as_of_month_instants.instant = pended_claim.as_of_month
    AND pended_claim_last_as_of_month_instants.tenant_id = pended_claim.tenant_id
  WHERE
    NOT pended_claim.as_of_month IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5
)
SELECT
  pended_claim_last_as_of_month.period::DATE AS period, /* first day of the month */
  pended_claim_last_as_of_month.tenant_id::TEXT AS tenant_id, /* tenant whose data it is */
  pended_claim_last_as_of_month.state::TEXT AS state, /* state */
  pended_claim_last_as_of_month.claim_type::TEXT AS claim_type, /* claim type */
  pended_claim_last_as_of_month.age_band::TEXT AS age_band, /* age of the pend */
  COALESCE(pended_inventory, 0)::BIGINT AS pended_inventory /* Pended inventory, claims */
FROM pended_claim_last_as_of_month
