MODEL (
  name staging.stg_aca_enrollments,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column load_date
  ),
  owner member_analytics,
  grain (tenant_id, load_id, enrollment_id),
  description 'Coverage spans of every extract as half-open intervals. Who was covered by which plan, from when to when, as known on the day of an extract?',
  audits (
    not_null(
      columns := (tenant_id, load_id, enrollment_id, member_id, plan_id, coverage_start_date, coverage_end_date)
    ),
    unique_combination_of_columns(columns := (tenant_id, load_id, enrollment_id)),
    accepted_values("column" := enrollment_source, is_in := ('open_enrollment', 'special_enrollment', 'auto_renewal')),
    accepted_range("column" := aptc_amount, min_v := 0),
    forall(criteria := (
      selection_date < coverage_start_date
    ), blocking := FALSE),
    staged_equals_landed(feed := 'aca_enrollments', raw_table := raw.aca_enrollments, key := (
      enrollment_id
    ))
  )
);

WITH landed AS (
  SELECT
    *
  FROM raw.aca_enrollments
  WHERE
    load_timestamp >= @start_ds::DATE AND load_timestamp < @end_ds::DATE + INTERVAL '1' DAY
), standardised AS (
  SELECT
    tenant_id,
    load_id,
    @clean(enrollment_id) AS enrollment_id,
    @clean(member_id) AS member_id,
    @upper_code(plan_id) AS plan_id,
    coverage_start_date,
    coverage_end_date,
    monthly_premium,
    aptc_amount,
    rating_area,
    @code(enrollment_source) AS enrollment_source,
    @code(termination_reason) AS termination_reason,
    selection_date,
    extracted_at,
    load_timestamp,
    source_line,
    ROW_NUMBER() OVER (PARTITION BY load_id, @clean(enrollment_id) ORDER BY source_line DESC) AS line_rank
  FROM landed
)
SELECT
  tenant_id::TEXT AS tenant_id, /* issuer */
  load_id::BIGINT AS load_id, /* batch that brought the row */
  enrollment_id::TEXT AS enrollment_id, /* the issuer's id of the coverage span */
  member_id::TEXT AS member_id, /* member covered */
  plan_id::TEXT AS plan_id, /* HIOS plan id with variant */
  coverage_start_date::DATE AS coverage_start_date, /* first covered day */
  (
    coverage_end_date + INTERVAL '1' DAY
  )::DATE AS coverage_end_date, /* first day no longer covered; not after the start when cancelled */
  monthly_premium::DECIMAL(12, 2) AS monthly_premium, /* gross premium, USD per month */
  aptc_amount::DECIMAL(12, 2) AS aptc_amount, /* advance premium tax credit, USD per month */
  rating_area::INT AS rating_area, /* rating area of the state */
  enrollment_source::TEXT AS enrollment_source, /* how the span came to be */
  termination_reason::TEXT AS termination_reason, /* why it ended early; NULL when it did not */
  extracted_at::TIMESTAMP AS extracted_at, /* when the source was read */
  load_timestamp::TIMESTAMP AS load_timestamp, /* when the batch landed */
  load_timestamp::DATE AS load_date, /* day the batch landed: the increment */
  source_line::INT AS source_line, /* line of the source file */
  selection_date::DATE AS selection_date /* day the plan was chosen or renewed; NULL when not on record */
FROM standardised
WHERE
  line_rank = 1
