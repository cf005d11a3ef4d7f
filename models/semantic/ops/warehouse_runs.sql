MODEL (
  name semantic.warehouse_runs,
  kind VIEW,
  owner data_platform,
  grain (run_date, run_id),
  description 'Plans, runs and promotions of every environment. Did last night''s run end well, and how long did it take?',
  audits (
    not_null(columns := (run_id, verb, environment, run_status, run_date)),
    unique_values(columns := (
      run_id
    )),
    accepted_values("column" := run_status, is_in := ('running', 'done', 'failed')),
    forall(criteria := (run_seconds >= 0, run_status <> 'done' OR NOT run_seconds IS NULL))
  )
);

WITH runs AS (
  SELECT
    run_id,
    verb,
    environment,
    status,
    started_at,
    finished_at,
    error
  FROM ops.run
), model_runs AS (
  SELECT
    run_id,
    COUNT(*) AS models,
    COUNT(CASE WHEN audits_passed + audits_failed > 0 THEN 1 END) AS audited_models,
    SUM(audits_passed) AS audits_passed,
    SUM(audits_failed) AS audits_failed
  FROM ops.model_run
  GROUP BY
    run_id
)
SELECT
  runs.run_id::TEXT AS run_id, /* plan, run or promotion */
  runs.verb::TEXT AS verb, /* plan, run or promote */
  runs.environment::TEXT AS environment, /* what it was done to */
  runs.status::TEXT AS run_status, /* running, done or failed */
  runs.started_at::DATE AS run_date, /* day on which it began (UTC) */
  runs.started_at::TIMESTAMP AS started_at, /* when it began (UTC) */
  EXTRACT(EPOCH FROM (
    runs.finished_at - runs.started_at
  ))::DECIMAL(18, 3) AS run_seconds, /* how long it took; NULL while it runs */
  COALESCE(model_runs.models, 0)::BIGINT AS models, /* models that it evaluated */
  COALESCE(model_runs.audited_models, 0)::BIGINT AS audited_models, /* of them, with audits */
  COALESCE(model_runs.audits_passed, 0)::BIGINT AS audits_passed, /* audits that found nothing */
  COALESCE(model_runs.audits_failed, 0)::BIGINT AS audits_failed, /* audits that found rows */
  runs.error::TEXT AS error /* why it failed */
FROM runs
LEFT JOIN model_runs
  ON model_runs.run_id = runs.run_id
