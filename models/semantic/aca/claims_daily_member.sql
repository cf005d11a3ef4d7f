MODEL (
  name semantic.claims_daily_member,
  kind FULL,
  owner claims_analytics,
  grain (tenant_id, service_date, member_key),
  depends_on (
    core.fct_claim_line
  ),
  description 'Claim lines by day of service and member, under a pseudonymous key. On which days does a member use care?',
  audits (
    not_null(columns := (tenant_id, service_date, member_key)),
    unique_combination_of_columns(columns := (tenant_id, service_date, member_key)),
    accepted_range("column" := claim_lines, min_v := 1),
    same_total("column" := allowed_amount, other := core.fct_claim_line)
  )
);

WITH claim_lines AS (
  SELECT
    tenant_id,
    claim_id,
    service_date,
    member_key,
    claim_amount,
    allowed_amount,
    paid_amount,
    deductible,
    copay,
    coinsurance
  FROM core.fct_claim_line
)
SELECT
  tenant_id::TEXT AS tenant_id, /* issuer */
  service_date::DATE AS service_date, /* day of service */
  member_key::BIGINT AS member_key, /* durable, pseudonymous key of the member */
  COUNT(DISTINCT claim_id)::BIGINT AS claims, /* claims */
  COUNT(*)::BIGINT AS claim_lines, /* claim lines */
  SUM(claim_amount)::DECIMAL(18, 2) AS claim_amount, /* billed, USD */
  SUM(allowed_amount)::DECIMAL(18, 2) AS allowed_amount, /* allowed, USD */
  SUM(paid_amount)::DECIMAL(18, 2) AS paid_amount, /* paid by the plan, USD */
  SUM(deductible + copay + coinsurance)::DECIMAL(18, 2) AS member_cost_share /* deductible, copay and coinsurance, USD */
FROM claim_lines
GROUP BY
  tenant_id,
  service_date,
  member_key
