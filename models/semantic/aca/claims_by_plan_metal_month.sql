MODEL (
  name semantic.claims_by_plan_metal_month,
  kind CUSTOM (
    materialization 'recompute_touched'
  ),
  owner product_analytics,
  grain (tenant_id, service_month, metal_tier),
  depends_on (
    semantic.agg_claims_monthly
  ),
  description 'Claims and coverage by metal level and month. What did a month of coverage cost in each metal level?',
  audits (
    not_null(columns := (tenant_id, service_month, metal_tier)),
    unique_combination_of_columns(columns := (tenant_id, service_month, metal_tier)),
    accepted_values("column" := metal_tier, is_in := ('catastrophic', 'bronze', 'silver', 'gold', 'platinum', 'unknown')),
    same_total("column" := paid_amount, other := semantic.agg_claims_monthly),
    same_total(
      "column" := member_months,
      other := core.fct_member_month,
      condition := (tenant_id, service_month) IN (
        SELECT
          tenant_id,
          coverage_month
        FROM core.coverage_touches
        WHERE
          touched_on BETWEEN @start_ds AND @end_ds
      ),
      other_condition := @touched_in(core.coverage_touches, tenant_id, coverage_month)
    )
  )
);

WITH states AS (
  @states_of_touched_lines()
), touched_months AS (
  SELECT
    tenant_id,
    service_month
  FROM states
  UNION
  SELECT
    tenant_id,
    coverage_month AS service_month
  FROM core.coverage_touches
  WHERE
    touched_on BETWEEN @start_ds AND @end_ds
), plans AS (
  SELECT
    plan_sk,
    COALESCE(metal_tier, 'unknown') AS metal_tier
  FROM core.dim_plan
), claim_months AS (
  SELECT
    claim_lines.tenant_id,
    claim_lines.service_month,
    plans.metal_tier,
    COUNT(*) AS claim_lines,
    SUM(claim_lines.allowed_amount) AS allowed_amount,
    SUM(claim_lines.paid_amount) AS paid_amount,
    SUM(claim_lines.deductible + claim_lines.copay + claim_lines.coinsurance) AS member_cost_share
  FROM core.fct_claim_line AS claim_lines
  INNER JOIN plans
    ON plans.plan_sk = claim_lines.plan_sk
  WHERE
    (claim_lines.tenant_id, claim_lines.service_month) IN (
      SELECT
        tenant_id,
        service_month
      FROM touched_months
    )
  GROUP BY
    claim_lines.tenant_id,
    claim_lines.service_month,
    plans.metal_tier
), coverage_months AS (
  SELECT
    member_months.tenant_id,
    member_months.coverage_month,
    plans.metal_tier,
    SUM(member_months.member_months) AS member_months,
    SUM(member_months.premium_amount) AS premium_amount
  FROM core.fct_member_month AS member_months
  INNER JOIN plans
    ON plans.plan_sk = member_months.plan_sk
  WHERE
    (member_months.tenant_id, member_months.coverage_month) IN (
      SELECT
        tenant_id,
        service_month
      FROM touched_months
    )
  GROUP BY
    member_months.tenant_id,
    member_months.coverage_month,
    plans.metal_tier
), combined AS (
  SELECT
    COALESCE(coverage_months.tenant_id, claim_months.tenant_id) AS tenant_id,
    COALESCE(coverage_months.coverage_month, claim_months.service_month) AS service_month,
    COALESCE(coverage_months.metal_tier, claim_months.metal_tier) AS metal_tier,
    COALESCE(coverage_months.member_months, 0) AS member_months,
    COALESCE(coverage_months.premium_amount, 0) AS premium_amount,
    COALESCE(claim_months.claim_lines, 0) AS claim_lines,
    COALESCE(claim_months.allowed_amount, 0) AS allowed_amount,
    COALESCE(claim_months.paid_amount, 0) AS paid_amount,
    COALESCE(claim_months.member_cost_share, 0) AS member_cost_share
  FROM coverage_months
  FULL JOIN claim_months
    ON claim_months.tenant_id = coverage_months.tenant_id
    AND claim_months.service_month = coverage_months.coverage_month
    AND claim_months.metal_tier = coverage_months.metal_tier
)
SELECT
  tenant_id::TEXT AS tenant_id, /* issuer */
  service_month::DATE AS service_month, /* first day of the month of service and coverage */
  metal_tier::TEXT AS metal_tier, /* metal level of the plan as of the service; unknown when the plan is */
  member_months::BIGINT AS member_months, /* members covered on the 15th */
  claim_lines::BIGINT AS claim_lines, /* claim lines */
  premium_amount::DECIMAL(18, 2) AS premium_amount, /* gross premium, USD */
  allowed_amount::DECIMAL(18, 2) AS allowed_amount, /* allowed, USD */
  paid_amount::DECIMAL(18, 2) AS paid_amount, /* paid by the plan, USD */
  member_cost_share::DECIMAL(18, 2) AS member_cost_share, /* deductible, copay and coinsurance, USD */
  @quotient(allowed_amount, member_months)::DECIMAL(18, 2) AS allowed_pmpm, /* allowed per member month, USD; NULL without coverage */
  @quotient(paid_amount, member_months)::DECIMAL(18, 2) AS paid_pmpm /* paid per member month, USD; NULL without coverage */
FROM combined
