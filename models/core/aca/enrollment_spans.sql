MODEL (
  name core.enrollment_spans,
  kind CUSTOM (
    materialization 'recompute_touched'
  ),
  owner member_analytics,
  grain (tenant_id, enrollment_id),
  description 'Coverage spans in force as last reported: present in the issuer''s latest extract and not cancelled. Which spans stand today?',
  audits (
    not_null(
      columns := (tenant_id, enrollment_id, member_id, member_key, plan_id, coverage_start_date, coverage_end_date),
      condition := @heard_in(core.enrollment_changes, tenant_id, enrollment_id)
    ),
    unique_combination_of_columns(
      columns := (tenant_id, enrollment_id),
      condition := @heard_in(core.enrollment_changes, tenant_id, enrollment_id)
    ),
    forall(
      criteria := (
        coverage_start_date < coverage_end_date
      ),
      condition := @heard_in(core.enrollment_changes, tenant_id, enrollment_id)
    )
  )
);

WITH heard AS (
  @heard_of(core.enrollment_changes, key := (tenant_id, enrollment_id))
), touched_spans AS (
  SELECT DISTINCT
    tenant_id,
    enrollment_id
  FROM heard
), retractions AS (
  SELECT
    load_id
  FROM ops.retraction
), changes AS (
  SELECT
    tenant_id,
    enrollment_id,
    member_id,
    member_key,
    plan_id,
    coverage_start_date,
    coverage_end_date,
    monthly_premium,
    aptc_amount,
    rating_area,
    enrollment_source,
    termination_reason,
    selection_date,
    operation,
    load_id,
    extracted_at,
    load_timestamp
  FROM core.enrollment_changes AS changes
  WHERE
    (changes.tenant_id, changes.enrollment_id) IN (
      SELECT
        tenant_id,
        enrollment_id
      FROM touched_spans
    )
    AND NOT EXISTS(
      SELECT
        1
      FROM retractions
      WHERE
        retractions.load_id = changes.load_id
    )
), ranked AS (
  SELECT
    tenant_id,
    enrollment_id,
    member_id,
    member_key,
    plan_id,
    coverage_start_date,
    coverage_end_date,
    monthly_premium,
    aptc_amount,
    rating_area,
    enrollment_source,
    termination_reason,
    selection_date,
    operation,
    ROW_NUMBER() OVER (PARTITION BY tenant_id, enrollment_id ORDER BY extracted_at DESC, load_timestamp DESC, load_id DESC) AS state_rank
  FROM changes
)
SELECT
  tenant_id::TEXT AS tenant_id,
  enrollment_id::TEXT AS enrollment_id,
  member_id::TEXT AS member_id,
  member_key::BIGINT AS member_key,
  plan_id::TEXT AS plan_id,
  coverage_start_date::DATE AS coverage_start_date,
  coverage_end_date::DATE AS coverage_end_date,
  monthly_premium::DECIMAL(12, 2) AS monthly_premium,
  aptc_amount::DECIMAL(12, 2) AS aptc_amount,
  rating_area::INT AS rating_area,
  enrollment_source::TEXT AS enrollment_source,
  termination_reason::TEXT AS termination_reason,
  selection_date::DATE AS selection_date
FROM ranked
WHERE
  state_rank = 1 AND operation <> 'D' AND coverage_start_date < coverage_end_date
