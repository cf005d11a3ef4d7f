MODEL (
  name semantic.utilization_by_specialty,
  kind CUSTOM (
    materialization 'recompute_touched'
  ),
  owner network_analytics,
  grain (tenant_id, service_month, specialty),
  depends_on (
    semantic.agg_claims_monthly
  ),
  description 'Use of care by specialty and month of service. Which specialties are used how often, and at what cost?',
  audits (
    not_null(columns := (tenant_id, service_month, specialty)),
    unique_combination_of_columns(columns := (tenant_id, service_month, specialty)),
    accepted_range("column" := visits, min_v := 1),
    same_total("column" := allowed_amount, other := semantic.agg_claims_monthly)
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
), providers AS (
  SELECT
    provider_sk,
    COALESCE(specialty, 'unknown') AS specialty
  FROM core.dim_provider
), visits AS (
  SELECT
    claim_lines.tenant_id,
    claim_lines.service_month,
    providers.specialty,
    claim_lines.member_key,
    claim_lines.provider_sk,
    claim_lines.service_date,
    COUNT(*) AS claim_lines,
    SUM(claim_lines.units) AS units,
    SUM(claim_lines.allowed_amount) AS allowed_amount,
    SUM(claim_lines.paid_amount) AS paid_amount
  FROM core.fct_claim_line AS claim_lines
  INNER JOIN providers
    ON providers.provider_sk = claim_lines.provider_sk
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
    providers.specialty,
    claim_lines.member_key,
    claim_lines.provider_sk,
    claim_lines.service_date
), specialty_months AS (
  SELECT
    tenant_id,
    service_month,
    specialty,
    COUNT(*) AS visits,
    COUNT(DISTINCT member_key) AS members,
    SUM(claim_lines) AS claim_lines,
    SUM(units) AS units,
    SUM(allowed_amount) AS allowed_amount,
    SUM(paid_amount) AS paid_amount
  FROM visits
  GROUP BY
    tenant_id,
    service_month,
    specialty
), coverage AS (
  SELECT
    tenant_id,
    coverage_month,
    SUM(member_months) AS member_months
  FROM core.fct_member_month
  WHERE
    (tenant_id, coverage_month) IN (
      SELECT
        tenant_id,
        service_month
      FROM touched_months
    )
  GROUP BY
    tenant_id,
    coverage_month
)
SELECT
  specialty_months.tenant_id::TEXT AS tenant_id, /* issuer */
  specialty_months.service_month::DATE AS service_month, /* first day of the month of service */
  specialty_months.specialty::TEXT AS specialty, /* specialty of the provider on the day of service; unknown when the provider is */
  specialty_months.visits::BIGINT AS visits, /* days on which a member saw a provider */
  specialty_months.members::BIGINT AS members, /* members with a visit; not additive */
  specialty_months.claim_lines::BIGINT AS claim_lines, /* claim lines */
  specialty_months.units::BIGINT AS units, /* units of service */
  specialty_months.allowed_amount::DECIMAL(18, 2) AS allowed_amount, /* allowed, USD */
  specialty_months.paid_amount::DECIMAL(18, 2) AS paid_amount, /* paid by the plan, USD */
  COALESCE(coverage.member_months, 0)::BIGINT AS member_months, /* members of the issuer covered on the 15th; the same for every specialty of the month */
  @quotient(specialty_months.visits * 12000.0, coverage.member_months)::DECIMAL(18, 2) AS visits_per_1000 /* visits per 1,000 members and year */
FROM specialty_months
LEFT JOIN coverage
  ON coverage.tenant_id = specialty_months.tenant_id
  AND coverage.coverage_month = specialty_months.service_month
