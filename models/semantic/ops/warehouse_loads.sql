MODEL (
  name semantic.warehouse_loads,
  kind VIEW,
  owner data_platform,
  grain load_id,
  description 'Files that landed or were refused, with what became of their lines. What came in, how much of it, and was anything turned away?',
  audits (
    not_null(columns := (load_id, tenant_id, feed, load_date)),
    unique_values(columns := (
      load_id
    )),
    forall(criteria := (
      rows_read = rows_loaded + rows_rejected + rows_duplicate
    ))
  )
);

WITH batches AS (
  SELECT
    load_id,
    tenant_id,
    domain,
    feed,
    source,
    status,
    bytes,
    rows_read,
    rows_loaded,
    rows_rejected,
    rows_duplicate,
    extracted_at,
    load_timestamp,
    started_at,
    finished_at
  FROM ops.load_batch
), retractions AS (
  SELECT
    load_id
  FROM ops.retraction
)
SELECT
  batches.load_id::BIGINT AS load_id, /* batch */
  batches.tenant_id::TEXT AS tenant_id, /* who sent the file */
  batches.domain::TEXT AS domain, /* domain of the feed */
  batches.feed::TEXT AS feed, /* feed, and name of the raw table */
  batches.source::TEXT AS source, /* path inside the landing folder */
  (
    CASE WHEN NOT retractions.load_id IS NULL THEN 'retracted' ELSE batches.status END
  )::TEXT AS load_status, /* loaded, refused, or retracted later */
  batches.load_timestamp::DATE AS load_date, /* day of landing (UTC) */
  batches.load_timestamp::TIMESTAMP AS load_timestamp, /* when it landed (UTC) */
  batches.extracted_at::TIMESTAMP AS extracted_at, /* when the source wrote it (UTC) */
  batches.bytes::BIGINT AS bytes, /* size of the file */
  batches.rows_read::BIGINT AS rows_read, /* lines after the header */
  batches.rows_loaded::BIGINT AS rows_loaded, /* lines in the raw table */
  batches.rows_rejected::BIGINT AS rows_rejected, /* lines that do not meet the contract */
  batches.rows_duplicate::BIGINT AS rows_duplicate, /* lines equal to an earlier line */
  EXTRACT(EPOCH FROM (
    batches.finished_at - batches.started_at
  ))::DECIMAL(18, 3) AS load_seconds /* time from the first line read to the last written */
FROM batches
LEFT JOIN retractions
  ON retractions.load_id = batches.load_id
