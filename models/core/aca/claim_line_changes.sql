MODEL (
  name core.claim_line_changes,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column load_date
  ),
  owner claims_analytics,
  grain (tenant_id, claim_id, line_number, load_id),
  description 'Every state of every claim line, as each extract brought it. What did we believe about a claim on a given day, and what was reversed or adjusted since?',
  audits (
    not_null(columns := (claim_line_key, tenant_id, claim_id, line_number, load_id, extracted_at, claim_status)),
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

@feed_changes(
  staging.stg_aca_claims,
  durable_key := claim_line_key,
  member := (tenant_id, member_id),
  key := (tenant_id, claim_id, line_number),
  tracked := (
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
    discharge_date,
    discharge_status,
    admission_type
  )
)
