/* Made from the registry in semantic/: edit that, then run `granary metrics write`. */
MODEL (
  name semantic.aca_appeals,
  kind FULL,
  owner analytics_engineering,
  grain (tenant_id, metal_tier, state, specialty, period),
  depends_on (
    semantic.aca_metrics_monthly
  ),
  description 'Appeals by specialty of the provider, metal level, state and month. Which denials are contested, and which do not hold?',
  audits (
    not_null(columns := (tenant_id, metal_tier, state, specialty, period)),
    unique_combination_of_columns(columns := (tenant_id, metal_tier, state, specialty, period)),
    same_totals(columns := (appeals_filed, appeals_overturned, appeals_decided), other := semantic.aca_metrics_monthly)
  )
);

WITH appeal_by_decided_date AS (
  SELECT
    DATE_TRUNC('MONTH', appeal.decided_date)::DATE AS period,
    COALESCE(appeal.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(provider.specialty::TEXT, 'unknown') AS specialty,
    COUNT(CASE WHEN appeal.outcome = 'overturned' THEN 1 END) AS appeals_overturned,
    COUNT(1) AS appeals_decided
  FROM core.fct_appeal AS appeal
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = appeal.geography_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = appeal.plan_sk
  LEFT JOIN core.dim_provider AS provider
    ON provider.provider_sk = appeal.provider_sk
  WHERE
    NOT appeal.decided_date IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5
), appeal_by_filed_date AS (
  SELECT
    DATE_TRUNC('MONTH', appeal.filed_date)::DATE AS period,
    COALESCE(appeal.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(provider.specialty::TEXT, 'unknown') AS specialty,
    COUNT(1) AS appeals_filed
  FROM core.fct_appeal AS appeal
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = appeal.geography_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = appeal.plan_sk
  LEFT JOIN core.dim_provider AS provider
    ON provider.provider_sk = appeal.provider_sk
  WHERE
    NOT appeal.filed_date IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5
), keys AS (
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    specialty
  FROM appeal_by_decided_date
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    specialty
  FROM appeal_by_filed_date
)
SELECT
  keys.period::DATE AS period, /* first day of the month */
  keys.tenant_id::TEXT AS tenant_id, /* tenant whose data it is */
  keys.metal_tier::TEXT AS metal_tier, /* metal level */
  keys.state::TEXT AS state, /* state */
  keys.specialty::TEXT AS specialty, /* specialty */
  COALESCE(appeals_filed, 0)::BIGINT AS appeals_filed, /* Appeals filed, appeals */
  COALESCE(appeals_overturned, 0)::BIGINT AS appeals_overturned, /* Appeals overturned, appeals */
  COALESCE(appeals_decided, 0)::BIGINT AS appeals_decided /* Appeals decided, appeals */
FROM keys
LEFT JOIN appeal_by_decided_date
  ON appeal_by_decided_date.period = keys.period
  AND appeal_by_decided_date.tenant_id = keys.tenant_id
  AND appeal_by_decided_date.metal_tier = keys.metal_tier
  AND appeal_by_decided_date.state = keys.state
  AND appeal_by_decided_date.specialty = keys.specialty
LEFT JOIN appeal_by_filed_date
  ON appeal_by_filed_date.period = keys.period
  AND appeal_by_filed_date.tenant_id = keys.tenant_id
  AND appeal_by_filed_date.metal_tier = keys.metal_tier
  AND appeal_by_filed_date.state = keys.state
  AND appeal_by_filed_date.specialty = keys.specialty
