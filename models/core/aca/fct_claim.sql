MODEL (
  name core.fct_claim,
  kind CUSTOM (
    materialization 'recompute_touched'
  ),
  owner claims_analytics,
  grain (tenant_id, claim_id),
  description 'Claims as the roll-up of their lines. How many claims were there, and which were denied as a whole?',
  audits (
    not_null(
      columns := (tenant_id, claim_id, member_sk, claim_status),
      condition := @among_touched_states(tenant_id, claim_id)
    ),
    unique_combination_of_columns(columns := (tenant_id, claim_id), condition := @among_touched_states(tenant_id, claim_id)),
    same_total(
      "column" := paid_amount,
      other := core.fct_claim_line,
      condition := @among_touched_states(tenant_id, claim_id),
      other_condition := @among_touched_states(tenant_id, claim_id)
    )
  )
);

WITH states AS (
  @states_of_touched_lines()
), touched_claims AS (
  SELECT DISTINCT
    tenant_id,
    claim_id
  FROM states
), claim_lines AS (
  SELECT
    tenant_id,
    claim_id,
    date_key,
    service_date,
    received_date,
    adjudicated_date,
    member_key,
    member_sk,
    provider_sk,
    plan_sk,
    geography_sk,
    claim_type,
    claim_status,
    claim_amount,
    allowed_amount,
    paid_amount,
    deductible,
    copay,
    coinsurance
  FROM core.fct_claim_line
  WHERE
    (tenant_id, claim_id) IN (
      SELECT
        tenant_id,
        claim_id
      FROM touched_claims
    )
), claims AS (
  SELECT
    tenant_id,
    claim_id,
    MIN(date_key) AS date_key,
    MIN(service_date) AS service_date,
    MIN(received_date) AS received_date,
    MAX(adjudicated_date) AS adjudicated_date,
    MAX(member_key) AS member_key,
    MAX(member_sk) AS member_sk,
    MAX(provider_sk) AS provider_sk,
    MAX(plan_sk) AS plan_sk,
    MAX(geography_sk) AS geography_sk,
    MAX(claim_type) AS claim_type,
    COUNT(*) AS line_count,
    SUM(CASE WHEN claim_status = 'pended' THEN 1 ELSE 0 END) AS pended_line_count,
    SUM(CASE WHEN claim_status = 'paid' THEN 1 ELSE 0 END) AS paid_line_count,
    SUM(CASE WHEN claim_status = 'denied' THEN 1 ELSE 0 END) AS denied_line_count,
    SUM(claim_amount) AS claim_amount,
    SUM(allowed_amount) AS allowed_amount,
    SUM(paid_amount) AS paid_amount,
    SUM(deductible) AS deductible,
    SUM(copay) AS copay,
    SUM(coinsurance) AS coinsurance
  FROM claim_lines
  GROUP BY
    tenant_id,
    claim_id
)
SELECT
  tenant_id::TEXT AS tenant_id,
  claim_id::TEXT AS claim_id,
  date_key::INT AS date_key, /* first day of service as YYYYMMDD */
  service_date::DATE AS service_date, /* first day of service */
  received_date::DATE AS received_date,
  adjudicated_date::DATE AS adjudicated_date, /* last decision on any line */
  member_key::BIGINT AS member_key,
  member_sk::BIGINT AS member_sk,
  provider_sk::BIGINT AS provider_sk,
  plan_sk::BIGINT AS plan_sk,
  geography_sk::BIGINT AS geography_sk,
  claim_type::TEXT AS claim_type,
  (
    CASE
      WHEN pended_line_count > 0
      THEN 'pended'
      WHEN paid_line_count > 0
      THEN 'paid'
      WHEN denied_line_count > 0
      THEN 'denied'
      ELSE 'reversed'
    END
  )::TEXT AS claim_status, /* pended while a line is; else paid if a line is; denied only when no line is paid; reversed when all are */
  line_count::INT AS line_count, /* number of lines */
  denied_line_count::INT AS denied_line_count, /* number of denied lines */
  claim_amount::DECIMAL(14, 2) AS claim_amount,
  allowed_amount::DECIMAL(14, 2) AS allowed_amount,
  paid_amount::DECIMAL(14, 2) AS paid_amount,
  deductible::DECIMAL(14, 2) AS deductible,
  copay::DECIMAL(14, 2) AS copay,
  coinsurance::DECIMAL(14, 2) AS coinsurance
FROM claims
