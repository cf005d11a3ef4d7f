MODEL (
  name core.fct_claim_line,
  kind INCREMENTAL_BY_UNIQUE_KEY (
    unique_key (tenant_id, claim_id, line_number)
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
      )
    ),
    unique_combination_of_columns(columns := (tenant_id, claim_id, line_number)),
    references_dimension("column" := member_sk, dimension := core.dim_member),
    references_dimension("column" := provider_sk, dimension := core.dim_provider),
    references_dimension("column" := plan_sk, dimension := core.dim_plan),
    unknown_share_at_most("column" := member_sk, share := 0.05, blocking := FALSE),
    unknown_share_at_most("column" := provider_sk, share := 0.05, blocking := FALSE),
    unknown_share_at_most("column" := plan_sk, share := 0.05, blocking := FALSE),
    latest_states_complete()
  )
);

WITH states AS (
  SELECT
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
    ROW_NUMBER() OVER (
      PARTITION BY changes.tenant_id, changes.claim_id, changes.line_number
      ORDER BY changes.extracted_at DESC, changes.load_timestamp DESC, changes.load_id DESC
    ) AS state_rank,
    COUNT(*) OVER (PARTITION BY changes.tenant_id, changes.claim_id, changes.line_number) AS state_count
  FROM core.claim_line_changes AS changes
  WHERE
    EXISTS(
      SELECT
        1
      FROM core.claim_line_changes AS arrived
      WHERE
        arrived.tenant_id = changes.tenant_id
        AND arrived.claim_id = changes.claim_id
        AND arrived.line_number = changes.line_number
        AND arrived.load_date BETWEEN @start_ds AND @end_ds
    )
), latest AS (
  SELECT
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
    state_count
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
  latest.load_date::DATE AS load_date
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
  AND latest.service_date < plans.validity_end_ts;

@add_index(tenant_id, claim_id, line_number);

@add_index(service_date)
