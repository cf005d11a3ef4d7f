MODEL (
  name semantic.warehouse_dead_letters,
  kind VIEW,
  owner data_platform,
  grain (refused_date, load_id, error_class, column_name, dead_letter_status),
  description 'Refused lines, counted by file, fault and column. Which fault of which sender costs us most lines, and how long have they waited?',
  audits (
    not_null(columns := (load_id, tenant_id, feed, refused_date, error_class, column_name, dead_letter_status)),
    unique_combination_of_columns(columns := (load_id, error_class, column_name, dead_letter_status)),
    accepted_range("column" := refused_lines, min_v := 1)
  )
);

WITH dead_letters AS (
  SELECT
    load_id,
    tenant_id,
    feed,
    error_class,
    column_name,
    status,
    created_at
  FROM ops.dead_letter
)
SELECT
  load_id::BIGINT AS load_id, /* batch that the lines came with */
  tenant_id::TEXT AS tenant_id, /* who sent the file */
  feed::TEXT AS feed, /* feed of the file */
  MIN(created_at)::DATE AS refused_date, /* day of refusal (UTC) */
  error_class::TEXT AS error_class, /* kind of the first fault of a line */
  COALESCE(column_name, 'whole line or file')::TEXT AS column_name, /* first column at fault */
  status::TEXT AS dead_letter_status, /* waiting, or closed when there is nothing to mend */
  COUNT(*)::BIGINT AS refused_lines /* lines; a file refused as a whole counts as one */
FROM dead_letters
GROUP BY
  load_id,
  tenant_id,
  feed,
  error_class,
  COALESCE(column_name, 'whole line or file'),
  status
