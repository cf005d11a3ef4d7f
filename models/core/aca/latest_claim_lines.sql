MODEL (
  name core.latest_claim_lines,
  kind INCREMENTAL_BY_UNIQUE_KEY (
    unique_key claim_line_key
  ),
  owner claims_analytics,
  grain (tenant_id, claim_id, line_number),
  description 'The latest state of every claim line that ever arrived, with the member, provider and plan as of the day of service; lines of retracted batches are marked. Which state of a line stands?',
  audits (
    not_null(
      columns := (
        claim_line_key,
        tenant_id,
        claim_id,
        line_number,
        date_key,
        member_sk,
        provider_sk,
        plan_sk,
        geography_sk,
        claim_status,
        is_retracted
      )
    ),
    unique_values(columns := (
      claim_line_key
    )),
    unique_combination_of_columns(columns := (tenant_id, claim_id, line_number)),
    latest_states_complete()
  )
);

WITH retractions AS (
  SELECT
    load_id,
    retracted_at::DATE AS retraction_date
  FROM ops.retraction
), arrived_lines AS (
  SELECT
    claim_line_key
  FROM core.claim_line_changes
  WHERE
    load_date BETWEEN @start_ds AND @end_ds
), retracted_lines AS (
  SELECT
    claim_lines.claim_line_key
  FROM core.claim_line_changes AS claim_lines
  INNER JOIN retractions
    ON retractions.load_id = claim_lines.load_id
  WHERE
    retractions.retraction_date BETWEEN @start_ds AND @end_ds
), lines_of_changed_members AS (
  SELECT
    claim_lines.claim_line_key
  FROM core.member_changes AS changes
  LEFT JOIN retractions
    ON retractions.load_id = changes.load_id
  INNER JOIN core.claim_line_changes AS claim_lines
    ON claim_lines.tenant_id = changes.tenant_id AND claim_lines.member_id = changes.member_id
  WHERE
    (
      changes.load_date BETWEEN @start_ds AND @end_ds
      OR retractions.retraction_date BETWEEN @start_ds AND @end_ds
    )
    AND claim_lines.load_date < @start_ds
), lines_of_changed_providers AS (
  SELECT
    claim_lines.claim_line_key
  FROM core.provider_changes AS changes
  LEFT JOIN retractions
    ON retractions.load_id = changes.load_id
  INNER JOIN core.claim_line_changes AS claim_lines
    ON claim_lines.tenant_id = changes.tenant_id AND claim_lines.provider_id = changes.provider_id
  WHERE
    (
      changes.load_date BETWEEN @start_ds AND @end_ds
      OR retractions.retraction_date BETWEEN @start_ds AND @end_ds
    )
    AND claim_lines.load_date < @start_ds
), lines_of_changed_plans AS (
  SELECT
    claim_lines.claim_line_key
  FROM core.plan_changes AS changes
  LEFT JOIN retractions
    ON retractions.load_id = changes.load_id
  INNER JOIN core.claim_line_changes AS claim_lines
    ON claim_lines.tenant_id = changes.tenant_id
    AND claim_lines.plan_id = changes.plan_id
    AND EXTRACT(YEAR FROM claim_lines.service_date) = changes.effective_year
  WHERE
    (
      changes.load_date BETWEEN @start_ds AND @end_ds
      OR retractions.retraction_date BETWEEN @start_ds AND @end_ds
    )
    AND claim_lines.load_date < @start_ds
), touched_lines AS (
  SELECT
    claim_line_key
  FROM arrived_lines
  UNION
  SELECT
    claim_line_key
  FROM retracted_lines
  UNION
  SELECT
    claim_line_key
  FROM lines_of_changed_members
  UNION
  SELECT
    claim_line_key
  FROM lines_of_changed_providers
  UNION
  SELECT
    claim_line_key
  FROM lines_of_changed_plans
), states AS (
  SELECT
    changes.claim_line_key,
    changes.tenant_id,
    changes.claim_id,
    changes.line_number,
    changes.member_id,
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
    changes.extracted_at,
    changes.load_id,
    changes.load_date,
    NOT retractions.load_id IS NULL AS is_retracted,
    ROW_NUMBER() OVER (
      PARTITION BY changes.claim_line_key
      ORDER BY CASE WHEN retractions.load_id IS NULL THEN 0 ELSE 1 END, changes.extracted_at DESC, changes.load_timestamp DESC, changes.load_id DESC
    ) AS state_rank,
    SUM(CASE WHEN retractions.load_id IS NULL THEN 1 ELSE 0 END) OVER (PARTITION BY changes.claim_line_key) AS state_count
  FROM core.claim_line_changes AS changes
  LEFT JOIN retractions
    ON retractions.load_id = changes.load_id
  WHERE
    changes.claim_line_key IN (
      SELECT
        claim_line_key
      FROM touched_lines
    )
), latest AS (
  SELECT
    claim_line_key,
    tenant_id,
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
    load_id,
    load_date,
    state_count,
    is_retracted
  FROM states
  WHERE
    state_rank = 1
), members AS (
  SELECT
    member_versions.member_sk,
    member_versions.tenant_id,
    member_versions.member_id,
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
  latest.received_date::DATE AS received_date,
  latest.adjudicated_date::DATE AS adjudicated_date,
  (
    @bigint_key(latest.tenant_id, latest.member_id)
  )::BIGINT AS member_key, /* durable, pseudonymous key of the member, the same over all versions */
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
  latest.state_count::INT AS state_count, /* number of states the line has been in; see claim_line_changes */
  latest.extracted_at::TIMESTAMP AS extracted_at,
  latest.load_id::BIGINT AS load_id,
  latest.load_date::DATE AS load_date,
  latest.is_retracted::BOOLEAN AS is_retracted /* whether every state of the line was retracted */
FROM latest
LEFT JOIN members
  ON members.tenant_id = latest.tenant_id
  AND members.member_id = latest.member_id
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
