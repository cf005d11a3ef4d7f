MODEL (
  name semantic.agg_claims_monthly,
  kind CUSTOM (
    materialization 'recompute_touched'
  ),
  owner claims_analytics,
  grain (tenant_id, service_month, claim_type, claim_status),
  description 'Claims by month of service, type and state. How do claims and their cost develop, and how much was denied?',
  audits (
    not_null(columns := (tenant_id, service_month, claim_type, claim_status)),
    unique_combination_of_columns(columns := (tenant_id, service_month, claim_type, claim_status)),
    accepted_range("column" := claim_lines, min_v := 1),
    same_total(
      "column" := paid_amount,
      other := core.fct_claim_line,
      condition := @among_touched_states(tenant_id, service_month),
      other_condition := @among_touched_states(tenant_id, service_month)
    ),
    same_total(
      "column" := claim_amount,
      other := core.fct_claim_line,
      condition := @among_touched_states(tenant_id, service_month),
      other_condition := @among_touched_states(tenant_id, service_month)
    )
  )
);

WITH states AS (
  @states_of_touched_lines()
), touched_months AS (
  SELECT DISTINCT
    tenant_id,
    service_month
  FROM states
), claim_lines AS (
  SELECT
    tenant_id,
    service_month,
    claim_type,
    claim_status,
    claim_id,
    member_key,
    claim_amount,
    allowed_amount,
    paid_amount,
    deductible,
    copay,
    coinsurance
  FROM core.fct_claim_line
  WHERE
    (tenant_id, service_month) IN (
      SELECT
        tenant_id,
        service_month
      FROM touched_months
    )
)
SELECT
  tenant_id::TEXT AS tenant_id, /* issuer */
  service_month::DATE AS service_month, /* first day of the month of service */
  claim_type::TEXT AS claim_type, /* professional, inpatient, outpatient or pharmacy */
  claim_status::TEXT AS claim_status, /* latest state of the lines */
  COUNT(DISTINCT claim_id)::BIGINT AS claims, /* claims with a line here; not additive over states */
  COUNT(*)::BIGINT AS claim_lines, /* claim lines */
  COUNT(DISTINCT member_key)::BIGINT AS members, /* members with a line here; not additive */
  SUM(claim_amount)::DECIMAL(18, 2) AS claim_amount, /* billed, USD */
  SUM(allowed_amount)::DECIMAL(18, 2) AS allowed_amount, /* allowed, USD */
  SUM(paid_amount)::DECIMAL(18, 2) AS paid_amount, /* paid by the plan, USD */
  SUM(deductible + copay + coinsurance)::DECIMAL(18, 2) AS member_cost_share /* deductible, copay and coinsurance, USD */
FROM claim_lines
GROUP BY
  tenant_id,
  service_month,
  claim_type,
  claim_status
