MODEL (
  name core.claim_line_changes,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column load_date
  ),
  owner claims_analytics,
  grain (tenant_id, claim_id, line_number, load_id),
  description 'Every state of every claim line, as each extract brought it. What did we believe about a claim on a given day, and what was reversed or adjusted since?',
  audits (
    not_null(columns := (tenant_id, claim_id, line_number, load_id, extracted_at, claim_status)),
    unique_combination_of_columns(columns := (tenant_id, claim_id, line_number, load_id)),
    forall(
      criteria := (
        claim_status <> 'paid' OR allowed_amount = paid_amount + deductible + copay + coinsurance
      ),
      blocking := FALSE
    ),
    forall(criteria := (
      claim_status = 'paid' OR paid_amount = 0
    ), blocking := FALSE),
    same_row_count(other := staging.stg_aca_claims)
  )
);

WITH claims AS (
  SELECT
    tenant_id,
    load_id,
    claim_id,
    line_number,
    member_id,
    provider_id,
    plan_id,
    claim_type,
    service_date,
    received_date,
    adjudicated_date,
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
    extracted_at,
    load_timestamp,
    load_date
  FROM staging.stg_aca_claims
  WHERE
    load_date BETWEEN @start_ds AND @end_ds
)
SELECT
  tenant_id::TEXT AS tenant_id,
  claim_id::TEXT AS claim_id,
  line_number::INT AS line_number,
  load_id::BIGINT AS load_id,
  member_id::TEXT AS member_id,
  provider_id::TEXT AS provider_id,
  plan_id::TEXT AS plan_id,
  claim_type::TEXT AS claim_type,
  service_date::DATE AS service_date,
  received_date::DATE AS received_date,
  adjudicated_date::DATE AS adjudicated_date,
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
  extracted_at::TIMESTAMP AS extracted_at,
  load_timestamp::TIMESTAMP AS load_timestamp,
  load_date::DATE AS load_date
FROM claims;

@add_index(tenant_id, claim_id, line_number)
