/* Made from the registry in semantic/: edit that, then run `granary metrics write`. */
MODEL (
  name semantic.aca_terminations,
  kind FULL,
  owner analytics_engineering,
  grain (tenant_id, metal_tier, state, termination_reason, period),
  depends_on (
    semantic.aca_metrics_monthly
  ),
  description 'Members who leave, by reason, month, metal level and state. Why do members leave?',
  audits (
    not_null(columns := (tenant_id, metal_tier, state, termination_reason, period)),
    unique_combination_of_columns(columns := (tenant_id, metal_tier, state, termination_reason, period)),
    same_totals(columns := (
      disenrollments
    ), other := semantic.aca_metrics_monthly),
    same_totals_in_each_part(
      columns := (
        followed_member_months
      ),
      parts := (
        termination_reason
      ),
      other := semantic.aca_metrics_monthly
    )
  )
);

WITH measured AS (
  WITH disenrollment_by_coverage_month AS (
    SELECT
      DATE_TRUNC('MONTH', disenrollment.coverage_month)::DATE AS period,
      COALESCE(disenrollment.tenant_id::TEXT, 'unknown') AS tenant_id,
      COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
      COALESCE(geography.state::TEXT, 'unknown') AS state,
      COALESCE(disenrollment.termination_reason::TEXT, 'unknown') AS termination_reason,
      COUNT(1) AS disenrollments
    FROM core.fct_disenrollment AS disenrollment
    LEFT JOIN core.dim_geography AS geography
      ON geography.geography_sk = disenrollment.geography_sk
    LEFT JOIN core.dim_plan AS plan
      ON plan.plan_sk = disenrollment.plan_sk
    WHERE
      NOT disenrollment.coverage_month IS NULL
    GROUP BY
      1,
      2,
      3,
      4,
      5
  )
  SELECT
    disenrollment_by_coverage_month.period,
    disenrollment_by_coverage_month.tenant_id,
    disenrollment_by_coverage_month.metal_tier,
    disenrollment_by_coverage_month.state,
    disenrollment_by_coverage_month.termination_reason,
    COALESCE(disenrollments, 0)::BIGINT AS disenrollments
  FROM disenrollment_by_coverage_month
), exposed AS (
  WITH tenure_by_coverage_month AS (
    SELECT
      DATE_TRUNC('MONTH', tenure.coverage_month)::DATE AS period,
      COALESCE(tenure.tenant_id::TEXT, 'unknown') AS tenant_id,
      COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
      COALESCE(geography.state::TEXT, 'unknown') AS state,
      COUNT(CASE WHEN tenure.is_next_month_known THEN 1 END) AS followed_member_months
    FROM core.fct_tenure AS tenure
    LEFT JOIN core.dim_geography AS geography
      ON geography.geography_sk = tenure.geography_sk
    LEFT JOIN core.dim_plan AS plan
      ON plan.plan_sk = tenure.plan_sk
    WHERE
      NOT tenure.coverage_month IS NULL
    GROUP BY
      1,
      2,
      3,
      4
  )
  SELECT
    tenure_by_coverage_month.period,
    tenure_by_coverage_month.tenant_id,
    tenure_by_coverage_month.metal_tier,
    tenure_by_coverage_month.state,
    COALESCE(followed_member_months, 0)::DECIMAL(20, 2) AS followed_member_months
  FROM tenure_by_coverage_month
), cells AS (
  SELECT
    period,
    tenant_id,
    metal_tier,
    state
  FROM measured
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state
  FROM exposed
), parts AS (
  SELECT DISTINCT
    termination_reason
  FROM measured
)
SELECT
  cells.period::DATE AS period, /* first day of the month */
  cells.tenant_id::TEXT AS tenant_id, /* tenant whose data it is */
  cells.metal_tier::TEXT AS metal_tier, /* metal level */
  cells.state::TEXT AS state, /* state */
  parts.termination_reason::TEXT AS termination_reason, /* termination reason */
  COALESCE(measured.disenrollments, 0)::BIGINT AS disenrollments, /* Disenrolments, members */
  COALESCE(exposed.followed_member_months, 0)::DECIMAL(20, 2) AS followed_member_months /* Member months with a known next month, months; the same for every termination reason */
FROM cells
CROSS JOIN parts
LEFT JOIN measured
  ON measured.period = cells.period
  AND measured.tenant_id = cells.tenant_id
  AND measured.metal_tier = cells.metal_tier
  AND measured.state = cells.state
  AND measured.termination_reason = parts.termination_reason
LEFT JOIN exposed
  ON exposed.period = cells.period
  AND exposed.tenant_id = cells.tenant_id
  AND exposed.metal_tier = cells.metal_tier
  AND exposed.state = cells.state
