MODEL (
  name semantic.warehouse_models,
  kind VIEW,
  owner data_platform,
  grain (run_date, run_id, model),
  description 'What each plan and run did to each model. Which model takes the time, which audit fails, which table grows?',
  audits (
    not_null(columns := (run_id, model, layer, environment, run_date)),
    unique_combination_of_columns(columns := (run_id, model)),
    accepted_range("column" := audits_failed, min_v := 0)
  )
);

WITH model_runs AS (
  SELECT
    run_id,
    model,
    seconds,
    audits_passed,
    audits_failed,
    table_rows
  FROM ops.model_run
), runs AS (
  SELECT
    run_id,
    environment,
    status,
    started_at
  FROM ops.run
), ranked AS (
  SELECT
    model_runs.run_id,
    model_runs.model,
    model_runs.seconds,
    model_runs.audits_passed,
    model_runs.audits_failed,
    model_runs.table_rows,
    runs.environment,
    runs.status,
    runs.started_at,
    ROW_NUMBER() OVER (PARTITION BY model_runs.model, runs.environment ORDER BY runs.started_at DESC, model_runs.run_id) AS recency
  FROM model_runs
  INNER JOIN runs
    ON runs.run_id = model_runs.run_id
)
SELECT
  run_id::TEXT AS run_id, /* plan or run */
  model::TEXT AS model, /* schema and name */
  SPLIT_PART(model, '.', 1)::TEXT AS layer, /* staging, core or semantic */
  environment::TEXT AS environment, /* what was planned or run */
  status::TEXT AS run_status, /* how that run ended: running, done or failed */
  started_at::DATE AS run_date, /* day on which the run began (UTC) */
  started_at::TIMESTAMP AS started_at, /* when the run began (UTC) */
  (
    recency = 1
  )::BOOLEAN AS is_latest, /* whether it is the model's last one in its environment */
  seconds::DECIMAL(18, 3) AS model_seconds, /* time that the model took, audits included */
  audits_passed::BIGINT AS audits_passed, /* audits that found nothing */
  audits_failed::BIGINT AS audits_failed, /* audits that found rows */
  table_rows::BIGINT AS table_rows /* about how many rows its table then had; NULL for a view */
FROM ranked
