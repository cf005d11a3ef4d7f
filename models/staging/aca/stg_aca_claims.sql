MODEL (
  name staging.stg_aca_claims,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column load_date
  ),
  owner claims_analytics,
  grain (tenant_id, load_id, claim_id, line_number),
  description 'Claim lines as each extract gave them. What did the issuer report about a claim line, new or changed, on the day of an extract?',
  audits (
    not_null(
      columns := (
        tenant_id,
        load_id,
        claim_id,
        line_number,
        member_id,
        provider_id,
        plan_id,
        service_date,
        claim_status
      )
    ),
    unique_combination_of_columns(columns := (tenant_id, load_id, claim_id, line_number)),
    accepted_values("column" := claim_status, is_in := ('pended', 'paid', 'denied', 'reversed')),
    accepted_range("column" := claim_amount, min_v := 0),
    forall(criteria := (service_date <= received_date, service_date <= discharge_date), blocking := FALSE),
    accepted_values("column" := discharge_status, is_in := ('home', 'transfer', 'left_against_advice', 'died')),
    accepted_values("column" := admission_type, is_in := ('emergency', 'urgent', 'elective', 'newborn')),
    staged_equals_landed(feed := 'aca_claims', raw_table := raw.aca_claims, key := (claim_id, line_number))
  )
);

WITH landed AS (
  SELECT
    *
  FROM raw.aca_claims
  WHERE
    load_timestamp >= @start_ds::DATE AND load_timestamp < @end_ds::DATE + INTERVAL '1' DAY
), standardised AS (
  SELECT
    tenant_id,
    load_id,
    @clean(claim_id) AS claim_id,
    line_number,
    @clean(member_id) AS member_id,
    @clean(provider_id) AS provider_id,
    @upper_code(plan_id) AS plan_id,
    @code(claim_type) AS claim_type,
    service_date,
    received_date,
    adjudicated_date,
    @code(claim_status) AS claim_status,
    in_network,
    @upper_code(diagnosis_code) AS diagnosis_code,
    @upper_code(procedure_code) AS procedure_code,
    units,
    @upper_code(denial_reason_code) AS denial_reason_code,
    claim_amount,
    allowed_amount,
    paid_amount,
    deductible,
    copay,
    coinsurance,
    discharge_date,
    @code(discharge_status) AS discharge_status,
    @code(admission_type) AS admission_type,
    extracted_at,
    load_timestamp,
    source_line,
    ROW_NUMBER() OVER (PARTITION BY load_id, @clean(claim_id), line_number ORDER BY source_line DESC) AS line_rank
  FROM landed
)
SELECT
  tenant_id::TEXT AS tenant_id, /* issuer */
  load_id::BIGINT AS load_id, /* batch that brought the row */
  claim_id::TEXT AS claim_id, /* the issuer's id of the claim */
  line_number::INT AS line_number, /* number of the line in the claim */
  member_id::TEXT AS member_id, /* patient */
  provider_id::TEXT AS provider_id, /* provider who rendered the service */
  plan_id::TEXT AS plan_id, /* plan the claim was filed under */
  claim_type::TEXT AS claim_type, /* professional, inpatient, outpatient or pharmacy */
  service_date::DATE AS service_date, /* day of the service */
  received_date::DATE AS received_date, /* day the issuer received the claim */
  adjudicated_date::DATE AS adjudicated_date, /* day of the decision; NULL while pended */
  claim_status::TEXT AS claim_status, /* pended, paid, denied or reversed */
  in_network::BOOLEAN AS in_network, /* whether the provider was in the plan's network */
  diagnosis_code::TEXT AS diagnosis_code, /* principal diagnosis (ICD-10-CM) */
  procedure_code::TEXT AS procedure_code, /* procedure (own PX- codes or HCPCS Level II) */
  units::INT AS units, /* units of service */
  denial_reason_code::TEXT AS denial_reason_code, /* claim adjustment reason code of a denied line */
  claim_amount::DECIMAL(14, 2) AS claim_amount, /* billed, USD */
  allowed_amount::DECIMAL(14, 2) AS allowed_amount, /* payable under the contract, USD */
  paid_amount::DECIMAL(14, 2) AS paid_amount, /* paid by the plan, USD */
  deductible::DECIMAL(14, 2) AS deductible, /* member's share that counted to the deductible, USD */
  copay::DECIMAL(14, 2) AS copay, /* member's fixed payment, USD */
  coinsurance::DECIMAL(14, 2) AS coinsurance, /* member's percentage share, USD */
  extracted_at::TIMESTAMP AS extracted_at, /* when the source was read */
  load_timestamp::TIMESTAMP AS load_timestamp, /* when the batch landed */
  load_timestamp::DATE AS load_date, /* day the batch landed: the increment */
  source_line::INT AS source_line, /* line of the source file */
  discharge_date::DATE AS discharge_date, /* day the patient left; NULL unless inpatient */
  discharge_status::TEXT AS discharge_status, /* home, transfer, left_against_advice or died; NULL unless inpatient */
  admission_type::TEXT AS admission_type /* emergency, urgent, elective or newborn; NULL unless inpatient */
FROM standardised
WHERE
  line_rank = 1
