MODEL (
  name core.fct_disenrollment,
  kind FULL,
  owner member_analytics,
  grain (tenant_id, member_key, coverage_month),
  description 'Members covered in a month and not in the next, once the next is known. Who left, in which month, and why?',
  audits (
    not_null(
      columns := (tenant_id, member_key, coverage_month, member_sk, plan_sk, geography_sk, termination_reason)
    ),
    unique_combination_of_columns(columns := (tenant_id, member_key, coverage_month)),
    accepted_values(
      "column" := termination_reason,
      is_in := ('not_renewed', 'plan_change', 'non_payment', 'voluntary', 'moved', 'death', 'other_coverage')
    ),
    members_move_in_balance()
  ),
  depends_on (
    core.fct_tenure
  )
);

WITH extracts AS (
  SELECT
    batches.tenant_id,
    MAX(batches.extracted_at) AS last_extracted_at
  FROM ops.load_batch AS batches
  LEFT JOIN ops.retraction AS retractions
    ON retractions.load_id = batches.load_id
  WHERE
    batches.feed = 'aca_enrollments' AND batches.status = 'loaded' AND retractions.load_id IS NULL
  GROUP BY
    batches.tenant_id
), member_months AS (
  SELECT
    tenant_id,
    member_key,
    coverage_month,
    member_sk,
    plan_sk,
    geography_sk,
    enrollment_id,
    (
      coverage_month + INTERVAL '1' MONTH
    )::DATE AS next_month,
    LEAD(coverage_month) OVER (PARTITION BY tenant_id, member_key ORDER BY coverage_month) AS next_covered_month
  FROM core.fct_member_month
), leavers AS (
  SELECT
    member_months.tenant_id,
    member_months.member_key,
    member_months.coverage_month,
    member_months.member_sk,
    member_months.plan_sk,
    member_months.geography_sk,
    member_months.enrollment_id
  FROM member_months
  INNER JOIN extracts
    ON extracts.tenant_id = member_months.tenant_id
    AND member_months.next_month + INTERVAL '14' DAY < extracts.last_extracted_at
  WHERE
    member_months.next_covered_month IS DISTINCT FROM member_months.next_month
), spans AS (
  SELECT
    tenant_id,
    enrollment_id,
    termination_reason
  FROM core.enrollment_spans
)
SELECT
  leavers.tenant_id::TEXT AS tenant_id,
  leavers.member_key::BIGINT AS member_key,
  leavers.coverage_month::DATE AS coverage_month, /* last covered month, by its first day */
  leavers.member_sk::BIGINT AS member_sk,
  leavers.plan_sk::BIGINT AS plan_sk,
  leavers.geography_sk::BIGINT AS geography_sk,
  COALESCE(spans.termination_reason, 'not_renewed')::TEXT AS termination_reason /* why the coverage ended; not_renewed when it ran to its end */
FROM leavers
LEFT JOIN spans
  ON spans.tenant_id = leavers.tenant_id AND spans.enrollment_id = leavers.enrollment_id;

AUDIT (
  name members_move_in_balance,
  dialect duckdb
);

/* members of a month + those who start the next - those who left = members of the next */
WITH member_counts AS (
  SELECT
    tenant_id,
    coverage_month,
    COUNT(*) AS member_count,
    SUM(CASE WHEN tenure_months = 1 THEN 1 ELSE 0 END) AS starter_count
  FROM core.fct_tenure
  GROUP BY
    tenant_id,
    coverage_month
), leaver_counts AS (
  SELECT
    tenant_id,
    coverage_month,
    COUNT(*) AS leaver_count
  FROM @this_model
  GROUP BY
    tenant_id,
    coverage_month
)
SELECT
  months.tenant_id AS tenant_id,
  months.coverage_month AS coverage_month,
  months.member_count AS member_count,
  next_months.starter_count AS starter_count,
  COALESCE(leaver_counts.leaver_count, 0) AS leaver_count,
  next_months.member_count AS next_member_count
FROM member_counts AS months
INNER JOIN member_counts AS next_months
  ON next_months.tenant_id = months.tenant_id
  AND next_months.coverage_month = months.coverage_month + INTERVAL '1' MONTH
LEFT JOIN leaver_counts
  ON leaver_counts.tenant_id = months.tenant_id AND leaver_counts.coverage_month = months.coverage_month
WHERE
  months.member_count + next_months.starter_count - COALESCE(leaver_counts.leaver_count, 0) <> next_months.member_count
