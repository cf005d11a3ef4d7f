MODEL (
  name core.coverage_touches,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column touched_on
  ),
  owner member_analytics,
  grain (touched_on, member_key, coverage_month),
  description 'Months of members about whose coverage something became known on a day: a span changed or was retracted, the history of the member or plan changed so that it may reach the month, or the first extract after the month''s 15th came. Which member months have to be computed anew, and how far back does a batch reach?',
  audits (
    not_null(columns := (touched_on, tenant_id, member_key, coverage_month)),
    unique_combination_of_columns(columns := (touched_on, member_key, coverage_month))
  )
);

WITH retractions AS (
  SELECT
    load_id,
    retracted_at::DATE AS retraction_date
  FROM ops.retraction
), changed_members AS (
  @changed_keys(core.member_changes, core.dim_member, key := (tenant_id, member_id))
), changed_plans AS (
  @changed_keys(core.plan_changes, core.dim_plan, key := (tenant_id, plan_id, effective_year))
), changed_spans AS (
  @heard_of(core.enrollment_changes, key := (tenant_id, enrollment_id))
), extracts AS (
  SELECT
    batches.tenant_id,
    batches.extracted_at,
    batches.load_timestamp::DATE AS load_date,
    retractions.retraction_date
  FROM ops.load_batch AS batches
  LEFT JOIN retractions
    ON retractions.load_id = batches.load_id
  WHERE
    batches.feed = 'aca_enrollments' AND batches.status = 'loaded'
), days AS (
  SELECT
    tenant_id,
    load_date AS touched_on
  FROM extracts
  WHERE
    load_date BETWEEN @start_ds AND @end_ds
  UNION
  SELECT
    tenant_id,
    retraction_date AS touched_on
  FROM extracts
  WHERE
    retraction_date BETWEEN @start_ds AND @end_ds
), reaches AS (
  /* up to where coverage was counted throughout the day, and at most at some time of it */
  SELECT
    days.tenant_id,
    days.touched_on,
    MAX(
      CASE
        WHEN extracts.load_date < days.touched_on AND extracts.retraction_date IS NULL
        THEN extracts.extracted_at
        ELSE '1900-01-01'::TIMESTAMP
      END
    ) AS settled_until,
    MAX(extracts.extracted_at) AS reached_until
  FROM days
  INNER JOIN extracts
    ON extracts.tenant_id = days.tenant_id
    AND extracts.load_date <= days.touched_on
    AND (
      extracts.retraction_date IS NULL OR extracts.retraction_date >= days.touched_on
    )
  GROUP BY
    days.tenant_id,
    days.touched_on
), months AS (
  SELECT
    date_actual AS month_start,
    (
      date_actual + INTERVAL '14' DAY
    )::DATE AS mid_month,
    (
      date_actual + INTERVAL '1' MONTH
    )::DATE AS next_month,
    year
  FROM core.dim_date
  WHERE
    day_of_month = 1
), touches AS (
  SELECT
    changed_spans.touched_on,
    states.tenant_id,
    states.member_key,
    months.month_start
  FROM changed_spans
  INNER JOIN core.enrollment_changes AS states
    ON states.tenant_id = changed_spans.tenant_id AND states.enrollment_id = changed_spans.enrollment_id
  INNER JOIN months
    ON months.next_month > states.coverage_start_date AND months.month_start < states.coverage_end_date
  UNION
  SELECT
    changed_members.touched_on,
    states.tenant_id,
    states.member_key,
    months.month_start
  FROM changed_members
  INNER JOIN core.enrollment_changes AS states
    ON states.tenant_id = changed_members.tenant_id AND states.member_id = changed_members.member_id
  INNER JOIN months
    ON months.next_month > states.coverage_start_date
    AND months.month_start < states.coverage_end_date
    AND months.next_month > changed_members.reaches_from
  WHERE
    states.load_date < changed_members.touched_on AND states.load_date < @end_ds
  UNION
  SELECT
    changed_plans.touched_on,
    states.tenant_id,
    states.member_key,
    months.month_start
  FROM changed_plans
  INNER JOIN core.enrollment_changes AS states
    ON states.tenant_id = changed_plans.tenant_id AND states.plan_id = changed_plans.plan_id
  INNER JOIN months
    ON months.next_month > states.coverage_start_date
    AND months.month_start < states.coverage_end_date
    AND months.next_month > changed_plans.reaches_from
    AND months.year = changed_plans.effective_year
  WHERE
    states.load_date < changed_plans.touched_on AND states.load_date < @end_ds
  UNION
  SELECT
    reaches.touched_on,
    states.tenant_id,
    states.member_key,
    months.month_start
  FROM reaches
  INNER JOIN months
    ON months.mid_month >= reaches.settled_until AND months.mid_month < reaches.reached_until
  INNER JOIN core.enrollment_changes AS states
    ON states.tenant_id = reaches.tenant_id
    AND states.coverage_start_date <= months.mid_month
    AND states.coverage_end_date > months.mid_month
  WHERE
    states.load_date < reaches.touched_on AND states.load_date < @end_ds
)
SELECT
  touched_on::DATE AS touched_on, /* day on which it became known */
  tenant_id::TEXT AS tenant_id, /* issuer */
  member_key::BIGINT AS member_key, /* the member */
  month_start::DATE AS coverage_month /* first day of the month */
FROM touches
