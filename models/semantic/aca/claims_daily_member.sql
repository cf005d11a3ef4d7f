MODEL (
  name semantic.claims_daily_member,
  kind CUSTOM (
    materialization 'recompute_touched'
  ),
  owner claims_analytics,
  grain (tenant_id, service_date, member_key),
  description 'Claim lines by day of service and member, under a pseudonymous key. On which days does a member use care?',
  audits (
    not_null(
      columns := (tenant_id, service_date, member_key),
      condition := @among_touched_states(member_key, service_date)
    ),
    unique_combination_of_columns(
      columns := (tenant_id, service_date, member_key),
      condition := @among_touched_states(member_key, service_date)
    ),
    same_total(
      "column" := allowed_amount,
      other := core.fct_claim_line,
      condition := @among_touched_states(member_key, service_date),
      other_condition := @among_touched_states(member_key, service_date)
    )
  )
);

WITH states AS (
  @states_of_touched_lines()
), touched_days AS (
  SELECT DISTINCT
    member_key,
    service_date
  FROM states
), claim_lines AS (
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
  WHERE
    (member_key, service_date) IN (
      SELECT
        member_key,
        service_date
      FROM touched_days
    )
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
