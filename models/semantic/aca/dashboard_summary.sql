MODEL (
  name semantic.dashboard_summary,
  kind FULL,
  owner executive_reporting,
  grain (tenant_id, service_month),
  description 'Each issuer''s month on one line. How many members, how much premium and cost, and which share of the premium was paid out?',
  audits (
    not_null(columns := (tenant_id, service_month)),
    unique_combination_of_columns(columns := (tenant_id, service_month)),
    accepted_range("column" := denial_rate, min_v := 0, max_v := 1),
    same_total("column" := paid_amount, other := semantic.agg_claims_monthly),
    same_total("column" := premium_amount, other := semantic.claims_by_plan_metal_month)
  )
);

WITH metal_months AS (
  SELECT
    tenant_id,
    service_month,
    SUM(member_months) AS member_months,
    SUM(premium_amount) AS premium_amount,
    SUM(claim_lines) AS claim_lines,
    SUM(allowed_amount) AS allowed_amount,
    SUM(paid_amount) AS paid_amount
  FROM semantic.claims_by_plan_metal_month
  GROUP BY
    tenant_id,
    service_month
), decisions AS (
  SELECT
    tenant_id,
    service_month,
    SUM(CASE WHEN claim_status IN ('paid', 'denied') THEN claim_lines ELSE 0 END) AS decided_lines,
    SUM(CASE WHEN claim_status = 'denied' THEN claim_lines ELSE 0 END) AS denied_lines,
    SUM(CASE WHEN claim_status = 'pended' THEN claim_lines ELSE 0 END) AS pended_lines
  FROM semantic.agg_claims_monthly
  GROUP BY
    tenant_id,
    service_month
)
SELECT
  metal_months.tenant_id::TEXT AS tenant_id, /* issuer */
  metal_months.service_month::DATE AS service_month, /* first day of the month of service and coverage */
  metal_months.member_months::BIGINT AS members, /* members covered on the 15th; additive over issuers, not over months */
  metal_months.premium_amount::DECIMAL(18, 2) AS premium_amount, /* gross premium, USD */
  metal_months.claim_lines::BIGINT AS claim_lines, /* claim lines */
  metal_months.allowed_amount::DECIMAL(18, 2) AS allowed_amount, /* allowed, USD */
  metal_months.paid_amount::DECIMAL(18, 2) AS paid_amount, /* paid by the plan, USD */
  COALESCE(decisions.decided_lines, 0)::BIGINT AS decided_lines, /* lines paid or denied */
  COALESCE(decisions.denied_lines, 0)::BIGINT AS denied_lines, /* lines denied */
  COALESCE(decisions.pended_lines, 0)::BIGINT AS pended_lines, /* lines waiting for a decision */
  @quotient(metal_months.paid_amount, metal_months.premium_amount)::DECIMAL(12, 6) AS paid_loss_ratio, /* paid over gross premium, without reserve for claims not yet reported */
  @quotient(metal_months.paid_amount, metal_months.member_months)::DECIMAL(18, 2) AS paid_pmpm, /* paid per member month, USD */
  @quotient(decisions.denied_lines, decisions.decided_lines)::DECIMAL(9, 6) AS denial_rate /* denied lines over decided lines */
FROM metal_months
LEFT JOIN decisions
  ON decisions.tenant_id = metal_months.tenant_id AND decisions.service_month = metal_months.service_month
