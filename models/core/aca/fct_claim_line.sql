MODEL (
  name core.fct_claim_line,
  kind CUSTOM (
    materialization 'recompute_touched'
  ),
  owner claims_analytics,
  grain (tenant_id, claim_id, line_number),
  description 'Claim lines in their latest state, with the member, provider and plan as of the day of service. What was billed, allowed and paid, for whom, by whom and under which plan?',
  audits (
    not_null(
      columns := (
        tenant_id,
        claim_id,
        line_number,
        date_key,
        member_sk,
        provider_sk,
        plan_sk,
        geography_sk,
        claim_status
      ),
      condition := @touched_in(core.claim_line_touches, claim_line_key)
    ),
    unique_values(columns := (
      claim_line_key
    ), condition := @touched_in(core.claim_line_touches, claim_line_key)),
    latest_states_complete(),
    references_dimension(
      "column" := member_sk,
      dimension := core.dim_member,
      condition := @touched_in(core.claim_line_touches, claim_line_key)
    ),
    references_dimension(
      "column" := provider_sk,
      dimension := core.dim_provider,
      condition := @touched_in(core.claim_line_touches, claim_line_key)
    ),
    references_dimension(
      "column" := plan_sk,
      dimension := core.dim_plan,
      condition := @touched_in(core.claim_line_touches, claim_line_key)
    ),
    unknown_share_at_most(
      "column" := member_sk,
      share := 0.05,
      condition := @touched_in(core.claim_line_touches, claim_line_key),
      blocking := FALSE
    ),
    unknown_share_at_most(
      "column" := provider_sk,
      share := 0.05,
      condition := @touched_in(core.claim_line_touches, claim_line_key),
      blocking := FALSE
    ),
    unknown_share_at_most(
      "column" := plan_sk,
      share := 0.05,
      condition := @touched_in(core.claim_line_touches, claim_line_key),
      blocking := FALSE
    )
  )
);

WITH touched_lines AS (
  SELECT
    claim_line_key
  FROM core.claim_line_touches
  WHERE
    touched_on BETWEEN @start_ds AND @end_ds
), retractions AS (
  SELECT
    load_id
  FROM ops.retraction
), states AS (
  SELECT
    changes.claim_line_key,
    changes.tenant_id,
    changes.claim_id,
    changes.line_number,
    changes.member_key,
    changes.provider_id,
    changes.plan_id,
    changes.claim_type,
    changes.service_date,
    changes.received_date,
    changes.adjudicated_date,
    changes.claim_status,
    changes.in_network,
    changes.diagnosis_code,
    changes.procedure_code,
    changes.units,
    changes.denial_reason_code,
    changes.claim_amount,
    changes.allowed_amount,
    changes.paid_amount,
    changes.deductible,
    changes.copay,
    changes.coinsurance,
    changes.discharge_date,
    changes.discharge_status,
    changes.admission_type,
    changes.extracted_at,
    changes.load_id,
    changes.load_date,
    ROW_NUMBER() OVER (
      PARTITION BY changes.claim_line_key
      ORDER BY changes.extracted_at DESC, changes.load_timestamp DESC, changes.load_id DESC
    ) AS state_rank,
    COUNT(*) OVER (PARTITION BY changes.claim_line_key) AS state_count
  FROM core.claim_line_changes AS changes
  WHERE
    changes.claim_line_key IN (
      SELECT
        claim_line_key
      FROM touched_lines
    )
    AND NOT EXISTS(
      SELECT
        1
      FROM retractions
      WHERE
        retractions.load_id = changes.load_id
    )
), latest AS (
  SELECT
    claim_line_key,
    tenant_id,
    claim_id,
    line_number,
    member_key,
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
    admission_type,
    extracted_at,
    load_id,
    load_date,
    state_count
  FROM states
  WHERE
    state_rank = 1
), members AS (
  SELECT
    member_versions.member_sk,
    member_versions.member_key,
    member_versions.join_from_ts,
    member_versions.validity_end_ts,
    geographies.geography_sk
  FROM core.dim_member AS member_versions
  LEFT JOIN core.dim_geography AS geographies
    ON geographies.county_fips = member_versions.county_fips
), providers AS (
  SELECT
    provider_sk,
    tenant_id,
    provider_id,
    join_from_ts,
    validity_end_ts
  FROM core.dim_provider
), plans AS (
  SELECT
    plan_sk,
    tenant_id,
    plan_id,
    effective_year,
    join_from_ts,
    validity_end_ts
  FROM core.dim_plan
)
SELECT
  latest.claim_line_key::BIGINT AS claim_line_key,
  latest.tenant_id::TEXT AS tenant_id,
  latest.claim_id::TEXT AS claim_id,
  latest.line_number::INT AS line_number,
  (
    EXTRACT(YEAR FROM latest.service_date) * 10000 + EXTRACT(MONTH FROM latest.service_date) * 100 + EXTRACT(DAY FROM latest.service_date)
  )::INT AS date_key, /* day of service as YYYYMMDD */
  latest.service_date::DATE AS service_date,
  DATE_TRUNC('MONTH', latest.service_date)::DATE AS service_month, /* first day of the month of service */
  latest.received_date::DATE AS received_date,
  latest.adjudicated_date::DATE AS adjudicated_date,
  latest.member_key::BIGINT AS member_key,
  COALESCE(members.member_sk, -1)::BIGINT AS member_sk, /* member as of the day of service; -1 unknown */
  COALESCE(providers.provider_sk, -1)::BIGINT AS provider_sk, /* provider as of the day of service; -1 unknown */
  COALESCE(plans.plan_sk, -1)::BIGINT AS plan_sk, /* plan as of the day of service; -1 unknown */
  COALESCE(members.geography_sk, -1)::BIGINT AS geography_sk, /* county of the member as of the day of service; -1 unknown */
  latest.claim_type::TEXT AS claim_type,
  latest.claim_status::TEXT AS claim_status,
  latest.in_network::BOOLEAN AS in_network,
  latest.diagnosis_code::TEXT AS diagnosis_code,
  latest.procedure_code::TEXT AS procedure_code,
  latest.units::INT AS units,
  latest.denial_reason_code::TEXT AS denial_reason_code,
  latest.claim_amount::DECIMAL(14, 2) AS claim_amount,
  latest.allowed_amount::DECIMAL(14, 2) AS allowed_amount,
  latest.paid_amount::DECIMAL(14, 2) AS paid_amount,
  latest.deductible::DECIMAL(14, 2) AS deductible,
  latest.copay::DECIMAL(14, 2) AS copay,
  latest.coinsurance::DECIMAL(14, 2) AS coinsurance,
  latest.discharge_date::DATE AS discharge_date,
  latest.discharge_status::TEXT AS discharge_status,
  latest.admission_type::TEXT AS admission_type,
  latest.state_count::INT AS state_count, /* number of batches that brought a state of the line; see claim_line_changes; a corrected file counts, and a replay counts as the first state of a line that had been refused, or once more for a line that it repeats */
  latest.extracted_at::TIMESTAMP AS extracted_at,
  latest.load_id::BIGINT AS load_id,
  latest.load_date::DATE AS load_date
FROM latest
LEFT JOIN members
  ON members.member_key = latest.member_key
  AND latest.service_date >= members.join_from_ts
  AND latest.service_date < members.validity_end_ts
LEFT JOIN providers
  ON providers.tenant_id = latest.tenant_id
  AND providers.provider_id = latest.provider_id
  AND latest.service_date >= providers.join_from_ts
  AND latest.service_date < providers.validity_end_ts
LEFT JOIN plans
  ON plans.tenant_id = latest.tenant_id
  AND plans.plan_id = latest.plan_id
  AND plans.effective_year = EXTRACT(YEAR FROM latest.service_date)
  AND latest.service_date >= plans.join_from_ts
  AND latest.service_date < plans.validity_end_ts
