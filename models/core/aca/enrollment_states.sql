MODEL (
  name core.enrollment_states,
  kind CUSTOM (
    materialization 'recompute_touched'
  ),
  owner member_analytics,
  grain (tenant_id, enrollment_id),
  description 'Every coverage span as last reported, cancelled ones and ones no longer on record too. What became of each plan selection?',
  audits (
    not_null(
      columns := (
        tenant_id,
        enrollment_id,
        member_id,
        member_key,
        plan_id,
        coverage_start_date,
        coverage_end_date,
        is_cancelled,
        is_on_record
      ),
      condition := @heard_in(core.enrollment_changes, tenant_id, enrollment_id)
    ),
    unique_combination_of_columns(
      columns := (tenant_id, enrollment_id),
      condition := @heard_in(core.enrollment_changes, tenant_id, enrollment_id)
    ),
    standing_spans_in_force(condition := @heard_in(core.enrollment_changes, tenant_id, enrollment_id))
  ),
  depends_on (
    core.enrollment_spans
  )
);

WITH heard AS (
  @heard_of(core.enrollment_changes, key := (tenant_id, enrollment_id))
), touched_enrollments AS (
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
    plan_id,
    coverage_start_date,
    coverage_end_date,
    monthly_premium,
    aptc_amount,
    enrollment_source,
    termination_reason,
    selection_date,
    operation,
    load_id,
    extracted_at,
    load_timestamp,
    load_date
  FROM core.enrollment_changes AS changes
  WHERE
    (changes.tenant_id, changes.enrollment_id) IN (
      SELECT
        tenant_id,
        enrollment_id
      FROM touched_enrollments
    )
    AND NOT EXISTS(
      SELECT
        1
      FROM retractions
      WHERE
        retractions.load_id = changes.load_id
    )
), ranked AS (
  /* a late batch has its successor compared anew, on another day */
  SELECT
    tenant_id,
    enrollment_id,
    member_id,
    plan_id,
    coverage_start_date,
    coverage_end_date,
    monthly_premium,
    aptc_amount,
    enrollment_source,
    termination_reason,
    selection_date,
    operation,
    ROW_NUMBER() OVER (
      PARTITION BY tenant_id, enrollment_id
      ORDER BY extracted_at DESC, load_timestamp DESC, load_id DESC, load_date DESC
    ) AS change_rank,
    ROW_NUMBER() OVER (
      PARTITION BY tenant_id, enrollment_id, operation = 'D'
      ORDER BY extracted_at DESC, load_timestamp DESC, load_id DESC, load_date DESC
    ) AS state_rank
  FROM changes
)
SELECT
  tenant_id::TEXT AS tenant_id,
  enrollment_id::TEXT AS enrollment_id,
  member_id::TEXT AS member_id,
  (
    @bigint_key(tenant_id, member_id)
  )::BIGINT AS member_key, /* durable, pseudonymous key of the member */
  plan_id::TEXT AS plan_id,
  coverage_start_date::DATE AS coverage_start_date,
  coverage_end_date::DATE AS coverage_end_date,
  monthly_premium::DECIMAL(12, 2) AS monthly_premium,
  aptc_amount::DECIMAL(12, 2) AS aptc_amount,
  enrollment_source::TEXT AS enrollment_source,
  termination_reason::TEXT AS termination_reason,
  selection_date::DATE AS selection_date,
  (
    coverage_end_date <= coverage_start_date
  )::BOOLEAN AS is_cancelled, /* never in force */
  (
    change_rank = 1
  )::BOOLEAN AS is_on_record /* in the issuer's latest extract */
FROM ranked
WHERE
  operation <> 'D' AND state_rank = 1;

AUDIT (
  name standing_spans_in_force,
  dialect duckdb,
  defaults (
    condition = TRUE
  )
);

/* what is on record and not cancelled is what core.enrollment_spans has */
WITH ours AS (
  SELECT
    tenant_id,
    enrollment_id
  FROM @this_model
  WHERE
    is_on_record AND NOT is_cancelled AND @condition
), spans AS (
  SELECT
    tenant_id,
    enrollment_id
  FROM core.enrollment_spans
  WHERE
    @condition
)
SELECT
  ours.enrollment_id AS enrollment_id,
  spans.enrollment_id AS enrollment_id_in_force
FROM ours
FULL JOIN spans
  ON spans.tenant_id = ours.tenant_id AND spans.enrollment_id = ours.enrollment_id
WHERE
  ours.enrollment_id IS NULL OR spans.enrollment_id IS NULL
