MODEL (
  name semantic.warehouse_audits,
  kind VIEW,
  owner data_platform,
  grain (run_date, run_id, model, audit_number),
  description 'What each audit of each model found in the plans and runs of the last 90 days. Which rule is broken, how often, by how many rows, and does it stop the run?',
  audits (
    not_null(columns := (run_id, model, audit, environment, run_date, rows_found)),
    unique_combination_of_columns(columns := (run_id, model, audit_number)),
    accepted_range("column" := rows_found, min_v := 0),
    forall(criteria := (audit_seconds >= 0, is_passed = (
        rows_found = 0
    )))
  )
);

WITH audit_results AS (
  SELECT
    run_id,
    model,
    audit_number,
    audit,
    arguments,
    blocking,
    rows_found,
    checked_at,
    seconds
  FROM ops.audit_result
), runs AS (
  SELECT
    run_id,
    environment,
    started_at
  FROM ops.run
)
SELECT
  audit_results.run_id::TEXT AS run_id, /* plan or run */
  audit_results.model::TEXT AS model, /* schema and name */
  audit_results.audit_number::INT AS audit_number, /* place among the audits of the model in that run */
  audit_results.audit::TEXT AS audit, /* name of the audit */
  audit_results.arguments::TEXT AS arguments, /* what it checks, as the model says it */
  runs.environment::TEXT AS environment, /* what was planned or run */
  runs.started_at::DATE AS run_date, /* day on which the run began (UTC) */
  audit_results.checked_at::TIMESTAMP AS checked_at, /* when it was asked (UTC) */
  audit_results.blocking::BOOLEAN AS is_blocking, /* whether a finding stops the run */
  (
    audit_results.rows_found = 0
  )::BOOLEAN AS is_passed, /* whether it found nothing */
  audit_results.rows_found::BIGINT AS rows_found, /* rows that break it */
  audit_results.seconds::DECIMAL(18, 3) AS audit_seconds /* time that it took */
FROM audit_results
INNER JOIN runs
  ON runs.run_id = audit_results.run_id
