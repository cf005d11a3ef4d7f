MODEL (
  name core.member_coverage_years,
  kind CUSTOM (
    materialization 'recompute_touched'
  ),
  owner member_analytics,
  grain (tenant_id, member_key, plan_year),
  description 'Members by plan year of coverage, with the member, plan and county of the last covered month and the plans at the turn of the year. Who was covered in a year, for how long, and under which plan at its end?',
  audits (
    not_null(
      columns := (
        tenant_id,
        member_key,
        plan_year,
        member_months,
        last_coverage_month,
        member_sk,
        plan_sk,
        geography_sk
      )
    ),
    unique_combination_of_columns(columns := (tenant_id, member_key, plan_year)),
    accepted_range("column" := member_months, min_v := 1, max_v := 12),
    same_total("column" := member_months, other := core.fct_member_month)
  )
);

WITH touches AS (
  SELECT
    member_key,
    DATE_TRUNC('YEAR', coverage_month)::DATE AS year_start,
    DATE_TRUNC('YEAR', coverage_month - INTERVAL '1' MONTH)::DATE AS year_start_before
  FROM core.coverage_touches
  WHERE
    touched_on BETWEEN @start_ds AND @end_ds
), touched_years AS (
  /* the plan in January belongs to the year before as well */
  SELECT
    member_key,
    year_start
  FROM touches
  UNION
  SELECT
    member_key,
    year_start_before AS year_start
  FROM touches
), member_months AS (
  SELECT
    tenant_id,
    member_key,
    coverage_month,
    DATE_TRUNC('YEAR', coverage_month)::DATE AS year_start,
    member_sk,
    plan_sk,
    geography_sk,
    ROW_NUMBER() OVER (
      PARTITION BY tenant_id, member_key, DATE_TRUNC('YEAR', coverage_month)::DATE
      ORDER BY coverage_month DESC
    ) AS month_rank,
    COUNT(*) OVER (PARTITION BY tenant_id, member_key, DATE_TRUNC('YEAR', coverage_month)::DATE) AS member_months
  FROM core.fct_member_month
  WHERE
    (member_key, DATE_TRUNC('YEAR', coverage_month)::DATE) IN (
      SELECT
        member_key,
        year_start
      FROM touched_years
    )
), years AS (
  SELECT
    tenant_id,
    member_key,
    year_start,
    (
      year_start + INTERVAL '12' MONTH - INTERVAL '1' DAY
    )::DATE AS december_31,
    (
      year_start + INTERVAL '13' MONTH - INTERVAL '1' DAY
    )::DATE AS january_31,
    member_months,
    coverage_month AS last_coverage_month,
    member_sk,
    plan_sk,
    geography_sk
  FROM member_months
  WHERE
    month_rank = 1
), spans AS (
  SELECT
    tenant_id,
    enrollment_id,
    member_key,
    plan_id,
    coverage_start_date,
    coverage_end_date
  FROM core.enrollment_states
  WHERE
    is_on_record AND NOT is_cancelled
), december_spans AS (
  SELECT
    years.tenant_id,
    years.member_key,
    years.year_start,
    spans.plan_id,
    ROW_NUMBER() OVER (
      PARTITION BY years.tenant_id, years.member_key, years.year_start
      ORDER BY spans.coverage_start_date DESC, spans.enrollment_id DESC
    ) AS span_rank
  FROM years
  INNER JOIN spans
    ON spans.member_key = years.member_key
    AND years.december_31 >= spans.coverage_start_date
    AND years.december_31 < spans.coverage_end_date
), january_spans AS (
  SELECT
    years.tenant_id,
    years.member_key,
    years.year_start,
    spans.plan_id,
    ROW_NUMBER() OVER (
      PARTITION BY years.tenant_id, years.member_key, years.year_start
      ORDER BY spans.coverage_start_date DESC, spans.enrollment_id DESC
    ) AS span_rank
  FROM years
  INNER JOIN spans
    ON spans.member_key = years.member_key
    AND years.january_31 >= spans.coverage_start_date
    AND years.january_31 < spans.coverage_end_date
)
SELECT
  years.tenant_id::TEXT AS tenant_id,
  years.member_key::BIGINT AS member_key,
  EXTRACT(YEAR FROM years.year_start)::INT AS plan_year, /* calendar year of coverage */
  years.year_start::DATE AS year_start, /* 1 January of the plan year */
  years.member_sk::BIGINT AS member_sk, /* member as of the last covered month; -1 unknown */
  years.plan_sk::BIGINT AS plan_sk, /* plan as of the last covered month; -1 unknown */
  years.geography_sk::BIGINT AS geography_sk, /* county of the member as of the last covered month; -1 unknown */
  years.member_months::INT AS member_months, /* covered months of the year so far */
  years.last_coverage_month::DATE AS last_coverage_month, /* last covered month of the year so far, by its first day */
  december_spans.plan_id::TEXT AS december_plan_id, /* plan on 31 December as known today; NULL when not covered */
  january_spans.plan_id::TEXT AS january_plan_id /* plan on 31 January after the year as known today; NULL when not covered */
FROM years
LEFT JOIN december_spans
  ON december_spans.member_key = years.member_key
  AND december_spans.year_start = years.year_start
  AND december_spans.span_rank = 1
LEFT JOIN january_spans
  ON january_spans.member_key = years.member_key
  AND january_spans.year_start = years.year_start
  AND january_spans.span_rank = 1
