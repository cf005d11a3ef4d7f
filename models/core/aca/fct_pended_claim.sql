MODEL (
  name core.fct_pended_claim,
  kind FULL,
  owner claims_analytics,
  grain (tenant_id, claim_id, as_of_month),
  depends_on (core.dim_member, core.dim_provider, core.dim_plan, core.dim_geography),
  description 'Claims in pend at the end of each month up to the last extract. How many claims wait for a decision, since when, and what was billed on them?',
  audits (
    not_null(columns := (tenant_id, claim_id, as_of_month, age_days, age_band)),
    unique_combination_of_columns(columns := (tenant_id, claim_id, as_of_month)),
    accepted_range("column" := age_days, min_v := 0),
    accepted_values("column" := age_band, is_in := ('0 to 15 days', '16 to 30 days', '31 to 60 days', 'over 60 days')),
    references_dimension("column" := member_sk, dimension := core.dim_member),
    references_dimension("column" := provider_sk, dimension := core.dim_provider),
    references_dimension("column" := plan_sk, dimension := core.dim_plan),
    references_dimension("column" := geography_sk, dimension := core.dim_geography),
    claims_still_pended_are_in_the_last_month()
  )
);

WITH extracts AS (
  SELECT
    batches.tenant_id,
    MAX(batches.extracted_at)::DATE AS last_extract_date
  FROM ops.load_batch AS batches
  LEFT JOIN ops.retraction AS retractions
    ON retractions.load_id = batches.load_id
  WHERE
    batches.feed = 'aca_claims' AND batches.status = 'loaded' AND retractions.load_id IS NULL
  GROUP BY
    batches.tenant_id
), claims AS (
  SELECT
    tenant_id,
    claim_id,
    member_key,
    member_sk,
    provider_sk,
    plan_sk,
    geography_sk,
    claim_type,
    received_date,
    first_decided_date,
    claim_amount
  FROM core.fct_claim_processing
  WHERE
    is_ever_pended
), months AS (
  SELECT DISTINCT
    month_start,
    (
      month_start + INTERVAL '1' MONTH - INTERVAL '1' DAY
    )::DATE AS month_end
  FROM core.dim_date
), waiting AS (
  SELECT
    claims.tenant_id,
    claims.claim_id,
    months.month_start AS as_of_month,
    claims.member_key,
    claims.member_sk,
    claims.provider_sk,
    claims.plan_sk,
    claims.geography_sk,
    claims.claim_type,
    claims.claim_amount,
    (
      months.month_end - claims.received_date
    )::INT AS age_days
  FROM claims
  INNER JOIN extracts
    ON extracts.tenant_id = claims.tenant_id
  INNER JOIN months
    ON months.month_end >= claims.received_date
    AND months.month_end < COALESCE(claims.first_decided_date, extracts.last_extract_date)
    AND months.month_end < extracts.last_extract_date
)
SELECT
  tenant_id::TEXT AS tenant_id, /* issuer */
  claim_id::TEXT AS claim_id, /* the issuer's id of the claim */
  as_of_month::DATE AS as_of_month, /* month at whose end the claim waits, by its first day */
  member_key::BIGINT AS member_key, /* durable, pseudonymous key of the member */
  member_sk::BIGINT AS member_sk, /* member as of the day of service; -1 unknown */
  provider_sk::BIGINT AS provider_sk, /* provider as of the day of service; -1 unknown */
  plan_sk::BIGINT AS plan_sk, /* plan as of the day of service; -1 unknown */
  geography_sk::BIGINT AS geography_sk, /* county of the member as of the day of service; -1 unknown */
  claim_type::TEXT AS claim_type, /* professional, inpatient, outpatient or pharmacy */
  age_days::INT AS age_days, /* days from receipt to the last day of the month */
  (
    CASE
      WHEN age_days <= 15
      THEN '0 to 15 days'
      WHEN age_days <= 30
      THEN '16 to 30 days'
      WHEN age_days <= 60
      THEN '31 to 60 days'
      ELSE 'over 60 days'
    END
  )::TEXT AS age_band, /* band of age_days */
  claim_amount::DECIMAL(14, 2) AS claim_amount /* billed, USD */
FROM waiting;

AUDIT (
  name claims_still_pended_are_in_the_last_month
);

WITH extracts AS (
  SELECT
    batches.tenant_id,
    DATE_TRUNC('MONTH', MAX(batches.extracted_at))::DATE AS current_month
  FROM ops.load_batch AS batches
  LEFT JOIN ops.retraction AS retractions
    ON retractions.load_id = batches.load_id
  WHERE
    batches.feed = 'aca_claims' AND batches.status = 'loaded' AND retractions.load_id IS NULL
  GROUP BY
    batches.tenant_id
), expected AS (
  SELECT
    claims.tenant_id,
    claims.claim_id,
    (
      extracts.current_month - INTERVAL '1' MONTH
    )::DATE AS as_of_month
  FROM core.fct_claim_processing AS claims
  INNER JOIN extracts
    ON extracts.tenant_id = claims.tenant_id
  WHERE
    claims.is_ever_pended
    AND claims.first_decided_date IS NULL
    AND claims.received_date < extracts.current_month
)
SELECT
  expected.tenant_id,
  expected.claim_id
FROM expected
LEFT JOIN @this_model AS ours
  ON ours.tenant_id = expected.tenant_id
  AND ours.claim_id = expected.claim_id
  AND ours.as_of_month = expected.as_of_month
WHERE
  ours.claim_id IS NULL
