MODEL (
  name staging.stg_aca_appeals,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column load_date
  ),
  owner claims_analytics,
  grain (tenant_id, load_id, appeal_id),
  description 'Appeals against denials as each extract gave them. Which denials were appealed, and which appeals were decided, and how, by the day of an extract?',
  audits (
    not_null(columns := (tenant_id, load_id, appeal_id, claim_id, filed_date, outcome)),
    unique_combination_of_columns(columns := (tenant_id, load_id, appeal_id)),
    accepted_values("column" := outcome, is_in := ('open', 'upheld', 'overturned')),
    accepted_range("column" := line_number, min_v := 1),
    forall(
      criteria := (filed_date <= decided_date, (
          decided_date IS NULL
        ) = (
          outcome = 'open'
      )),
      blocking := FALSE
    ),
    staged_equals_landed(feed := 'aca_appeals', raw_table := raw.aca_appeals, key := (
      appeal_id
    ))
  )
);

WITH landed AS (
  SELECT
    *
  FROM raw.aca_appeals
  WHERE
    load_timestamp >= @start_ds::DATE AND load_timestamp < @end_ds::DATE + INTERVAL '1' DAY
), standardised AS (
  SELECT
    tenant_id,
    load_id,
    @clean(appeal_id) AS appeal_id,
    @clean(claim_id) AS claim_id,
    line_number,
    filed_date,
    decided_date,
    @code(outcome) AS outcome,
    extracted_at,
    load_timestamp,
    source_line,
    ROW_NUMBER() OVER (PARTITION BY load_id, @clean(appeal_id) ORDER BY source_line DESC) AS line_rank
  FROM landed
)
SELECT
  tenant_id::TEXT AS tenant_id, /* issuer */
  load_id::BIGINT AS load_id, /* batch that brought the row */
  appeal_id::TEXT AS appeal_id, /* the issuer's id of the appeal */
  claim_id::TEXT AS claim_id, /* claim whose denial is appealed */
  line_number::INT AS line_number, /* line whose denial is appealed; NULL when the whole claim is */
  filed_date::DATE AS filed_date, /* day the appeal was filed */
  decided_date::DATE AS decided_date, /* day of the decision; NULL while open */
  outcome::TEXT AS outcome, /* open, upheld or overturned */
  extracted_at::TIMESTAMP AS extracted_at, /* when the source was read */
  load_timestamp::TIMESTAMP AS load_timestamp, /* when the batch landed */
  load_timestamp::DATE AS load_date, /* day the batch landed: the increment */
  source_line::INT AS source_line /* line of the source file */
FROM standardised
WHERE
  line_rank = 1
