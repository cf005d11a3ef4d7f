MODEL (
  name core.fct_claim_line,
  kind VIEW,
  owner claims_analytics,
  grain (tenant_id, claim_id, line_number),
  description 'Claim lines in their latest state, with the member, provider and plan as of the day of service. What was billed, allowed and paid, for whom, by whom and under which plan?',
  audits (
    not_null(columns := (tenant_id, claim_id, line_number, member_sk, provider_sk, plan_sk)),
    unique_values(columns := (
      claim_line_key
    )),
    references_dimension("column" := member_sk, dimension := core.dim_member),
    references_dimension("column" := provider_sk, dimension := core.dim_provider),
    references_dimension("column" := plan_sk, dimension := core.dim_plan),
    unknown_share_at_most("column" := member_sk, share := 0.05, blocking := FALSE),
    unknown_share_at_most("column" := provider_sk, share := 0.05, blocking := FALSE),
    unknown_share_at_most("column" := plan_sk, share := 0.05, blocking := FALSE)
  ),
  depends_on (core.dim_member, core.dim_provider, core.dim_plan)
);

WITH latest AS (
  SELECT
    claim_line_key,
    tenant_id,
    claim_id,
    line_number,
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
    in_network,
    diagnosis_code,
    procedure_code,
    units,
    denial_reason_code,
    claim_amount,
    allowed_amount,
    paid_amount,
    deductible,
    copay,
    coinsurance,
    state_count,
    extracted_at,
    load_id,
    load_date,
    is_retracted
  FROM core.latest_claim_lines
)
SELECT
  claim_line_key::BIGINT AS claim_line_key,
  tenant_id::TEXT AS tenant_id,
  claim_id::TEXT AS claim_id,
  line_number::INT AS line_number,
  date_key::INT AS date_key,
  service_date::DATE AS service_date,
  received_date::DATE AS received_date,
  adjudicated_date::DATE AS adjudicated_date,
  member_key::BIGINT AS member_key,
  member_sk::BIGINT AS member_sk,
  provider_sk::BIGINT AS provider_sk,
  plan_sk::BIGINT AS plan_sk,
  geography_sk::BIGINT AS geography_sk,
  claim_type::TEXT AS claim_type,
  claim_status::TEXT AS claim_status,
  in_network::BOOLEAN AS in_network,
  diagnosis_code::TEXT AS diagnosis_code,
  procedure_code::TEXT AS procedure_code,
  units::INT AS units,
  denial_reason_code::TEXT AS denial_reason_code,
  claim_amount::DECIMAL(14, 2) AS claim_amount,
  allowed_amount::DECIMAL(14, 2) AS allowed_amount,
  paid_amount::DECIMAL(14, 2) AS paid_amount,
  deductible::DECIMAL(14, 2) AS deductible,
  copay::DECIMAL(14, 2) AS copay,
  coinsurance::DECIMAL(14, 2) AS coinsurance,
  state_count::INT AS state_count,
  extracted_at::TIMESTAMP AS extracted_at,
  load_id::BIGINT AS load_id,
  load_date::DATE AS load_date
FROM latest
WHERE
  NOT is_retracted
