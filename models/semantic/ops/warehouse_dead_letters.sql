MODEL (
  name semantic.warehouse_dead_letters,
  kind VIEW,
  owner data_platform,
  grain (refused_date, tenant_id, feed, error_class, column_name, dead_letter_status),
  description 'Refused lines, counted by day, sender, fault and column; a feed of which nothing was ever refused says so with 0. Which fault of which sender costs us most lines, and how long have they waited?',
  audits (
    not_null(
      columns := (
        refused_date,
        tenant_id,
        feed,
        error_class,
        column_name,
        dead_letter_status,
        refused_lines,
        days_waiting,
        waiting_band
      )
    ),
    accepted_values("column" := dead_letter_status, is_in := ('waiting', 'replayed', 'closed', 'none')),
    unique_combination_of_columns(columns := (refused_date, tenant_id, feed, error_class, column_name, dead_letter_status)),
    forall(criteria := ((
        refused_lines = 0
      ) = (
        error_class = 'none'
    ), refused_lines >= 0, days_waiting >= 0, dead_letter_status = 'waiting' OR days_waiting = 0))
  )
);

WITH dead_letters AS (
  SELECT
    tenant_id,
    feed,
    created_at::DATE AS refused_date,
    error_class,
    COALESCE(column_name, 'whole line or file') AS column_name,
    status
  FROM ops.dead_letter
), batches AS (
  SELECT
    tenant_id,
    feed,
    load_timestamp
  FROM ops.load_batch
), counted AS (
  SELECT
    tenant_id,
    feed,
    refused_date,
    error_class,
    column_name,
    status,
    COUNT(*) AS refused_lines
  FROM dead_letters
  GROUP BY
    tenant_id,
    feed,
    refused_date,
    error_class,
    column_name,
    status
), spotless AS (
  SELECT
    batches.tenant_id,
    batches.feed,
    MAX(batches.load_timestamp)::DATE AS refused_date
  FROM batches
  WHERE
    NOT EXISTS(
      SELECT
        1
      FROM dead_letters
      WHERE
        dead_letters.tenant_id = batches.tenant_id AND dead_letters.feed = batches.feed
    )
  GROUP BY
    batches.tenant_id,
    batches.feed
), every AS (
  SELECT
    tenant_id,
    feed,
    refused_date,
    error_class,
    column_name,
    status,
    refused_lines
  FROM counted
  UNION ALL
  SELECT
    tenant_id,
    feed,
    refused_date,
    'none' AS error_class,
    'none' AS column_name,
    'none' AS status,
    0 AS refused_lines
  FROM spotless
), aged AS (
  SELECT
    tenant_id,
    feed,
    refused_date,
    error_class,
    column_name,
    status,
    refused_lines,
    CASE WHEN status = 'waiting' THEN CURRENT_DATE - refused_date ELSE 0 END AS days_waiting
  FROM every
)
SELECT
  tenant_id::TEXT AS tenant_id, /* who sent the file */
  feed::TEXT AS feed, /* feed of the file */
  refused_date::DATE AS refused_date, /* day of refusal (UTC); of the last landing where nothing was refused */
  error_class::TEXT AS error_class, /* kind of the first fault of a line; none where nothing was refused */
  column_name::TEXT AS column_name, /* first column at fault */
  status::TEXT AS dead_letter_status, /* waiting, replayed, or closed when there is nothing to mend */
  refused_lines::BIGINT AS refused_lines, /* lines; a file refused as a whole counts as one */
  days_waiting::INT AS days_waiting, /* days since refusal of what still waits; 0 of everything else */
  CASE
    WHEN status <> 'waiting'
    THEN 'not waiting'
    WHEN days_waiting <= 1
    THEN 'up to 1 day'
    WHEN days_waiting <= 7
    THEN '2 to 7 days'
    WHEN days_waiting <= 30
    THEN '8 to 30 days'
    ELSE 'over 30 days'
  END::TEXT AS waiting_band /* how long it has waited */
FROM aged
