MODEL (
  name semantic.warehouse_loads,
  kind VIEW,
  owner data_platform,
  grain (load_date, load_id),
  description 'Files that landed or were refused, with what became of their lines. What came in, how much of it, and was anything turned away?',
  audits (
    not_null(columns := (load_id, tenant_id, feed, load_date)),
    unique_values(columns := (
      load_id
    )),
    forall(criteria := (load_seconds >= 0, load_status <> 'refused' OR rows_loaded = 0))
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
), standing AS (
  SELECT
    batches.load_id,
    batches.tenant_id,
    batches.domain,
    batches.feed,
    batches.source,
    CASE WHEN NOT retractions.load_id IS NULL THEN 'retracted' ELSE batches.status END AS load_status,
    batches.bytes,
    batches.rows_read,
    batches.rows_loaded,
    batches.rows_rejected,
    batches.rows_duplicate,
    batches.extracted_at,
    batches.load_timestamp,
    batches.started_at,
    batches.finished_at
  FROM batches
  LEFT JOIN retractions
    ON retractions.load_id = batches.load_id
), ranked AS (
  SELECT
    load_id,
    tenant_id,
    domain,
    feed,
    source,
    load_status,
    bytes,
    rows_read,
    rows_loaded,
    rows_rejected,
    rows_duplicate,
    extracted_at,
    load_timestamp,
    started_at,
    finished_at,
    ROW_NUMBER() OVER (PARTITION BY tenant_id, feed, load_status ORDER BY extracted_at DESC, load_timestamp DESC, load_id) AS recency
  FROM standing
)
SELECT
  load_id::BIGINT AS load_id, /* batch */
  tenant_id::TEXT AS tenant_id, /* who sent the file */
  domain::TEXT AS domain, /* domain of the feed */
  feed::TEXT AS feed, /* feed, and name of the raw table */
  source::TEXT AS source, /* path inside the landing folder */
  load_status::TEXT AS load_status, /* loaded, refused, or retracted later */
  (
    recency = 1 AND load_status = 'loaded'
  )::BOOLEAN AS is_latest, /* whether it is the newest extract of its feed and tenant that counts */
  load_timestamp::DATE AS load_date, /* day of landing (UTC) */
  load_timestamp::TIMESTAMP AS load_timestamp, /* when it landed (UTC) */
  extracted_at::TIMESTAMP AS extracted_at, /* when the source wrote it (UTC) */
  bytes::BIGINT AS bytes, /* size of the file */
  rows_read::BIGINT AS rows_read, /* lines after the header */
  rows_loaded::BIGINT AS rows_loaded, /* lines in the raw table */
  rows_rejected::BIGINT AS rows_rejected, /* lines that do not meet the contract */
  rows_duplicate::BIGINT AS rows_duplicate, /* lines equal to an earlier line */
  EXTRACT(EPOCH FROM (
    finished_at - started_at
  ))::DECIMAL(18, 3) AS load_seconds /* time from the first line read to the last written */
FROM ranked
