MODEL (
  name core.fct_enrollment,
  kind CUSTOM (
    materialization 'recompute_touched'
  ),
  owner member_analytics,
  grain (tenant_id, member_id, plan_id, enrollment_start_date),
  description 'Continuous coverage of a member under one plan in one plan year. How long were members covered, and what was paid for it?',
  audits (
    not_null(
      columns := (tenant_id, member_id, plan_id, member_sk, plan_sk, enrollment_start_date_key, coverage_days),
      condition := @touched_in(core.coverage_touches, member_key)
    ),
    unique_combination_of_columns(
      columns := (tenant_id, member_id, plan_id, enrollment_start_date),
      condition := @touched_in(core.coverage_touches, member_key)
    ),
    accepted_range(
      "column" := coverage_days,
      min_v := 1,
      max_v := 366,
      condition := @touched_in(core.coverage_touches, member_key)
    ),
    references_dimension(
      "column" := member_sk,
      dimension := core.dim_member,
      condition := @touched_in(core.coverage_touches, member_key)
    ),
    references_dimension(
      "column" := plan_sk,
      dimension := core.dim_plan,
      condition := @touched_in(core.coverage_touches, member_key)
    ),
    unknown_share_at_most(
      "column" := member_sk,
      share := 0.05,
      condition := @touched_in(core.coverage_touches, member_key),
      blocking := FALSE
    ),
    unknown_share_at_most(
      "column" := plan_sk,
      share := 0.05,
      condition := @touched_in(core.coverage_touches, member_key),
      blocking := FALSE
    )
  )
);

WITH touches AS (
  SELECT DISTINCT
    member_key,
    EXTRACT(YEAR FROM coverage_month)::INT AS plan_year
  FROM core.coverage_touches
  WHERE
    touched_on BETWEEN @start_ds AND @end_ds
), years AS (
  SELECT DISTINCT
    year
  FROM core.dim_date
), touched_years AS (
  SELECT
    member_key,
    plan_year
  FROM touches
  UNION
  /* where a span crosses the turn of a year, what begins in one may depend on the other */
  SELECT
    spans.member_key,
    years.year AS plan_year
  FROM core.enrollment_spans AS spans
  CROSS JOIN years
  WHERE
    EXTRACT(YEAR FROM spans.coverage_start_date) <> EXTRACT(YEAR FROM spans.coverage_end_date - INTERVAL '1' DAY)
    AND spans.member_key IN (
      SELECT
        member_key
      FROM touches
    )
), span_months AS (
  SELECT
    tenant_id,
    enrollment_id,
    SUM(premium_amount) AS premium_paid,
    SUM(aptc_amount) AS aptc_paid
  FROM core.fct_member_month
  WHERE
    (member_key, EXTRACT(YEAR FROM coverage_month)::INT) IN (
      SELECT
        member_key,
        plan_year
      FROM touched_years
    )
  GROUP BY
    tenant_id,
    enrollment_id
), spans AS (
  SELECT
    spans.tenant_id,
    spans.enrollment_id,
    spans.member_id,
    spans.member_key,
    spans.plan_id,
    spans.coverage_start_date,
    spans.coverage_end_date,
    COALESCE(span_months.premium_paid, 0) AS premium_paid,
    COALESCE(span_months.aptc_paid, 0) AS aptc_paid
  FROM core.enrollment_spans AS spans
  LEFT JOIN span_months
    ON span_months.tenant_id = spans.tenant_id AND span_months.enrollment_id = spans.enrollment_id
  WHERE
    (spans.member_key, EXTRACT(YEAR FROM spans.coverage_start_date)::INT) IN (
      SELECT
        member_key,
        plan_year
      FROM touched_years
    )
), compared AS (
  SELECT
    tenant_id,
    member_id,
    member_key,
    plan_id,
    enrollment_id,
    coverage_start_date,
    coverage_end_date,
    premium_paid,
    aptc_paid,
    MAX(coverage_end_date) OVER (
      PARTITION BY tenant_id, member_id, plan_id
      ORDER BY coverage_start_date, enrollment_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS covered_until
  FROM spans
), numbered AS (
  SELECT
    tenant_id,
    member_id,
    member_key,
    plan_id,
    coverage_start_date,
    coverage_end_date,
    premium_paid,
    aptc_paid,
    SUM(
      CASE
        WHEN covered_until >= coverage_start_date
        AND EXTRACT(MONTH FROM coverage_start_date) * 100 + EXTRACT(DAY FROM coverage_start_date) <> 101
        THEN 0
        ELSE 1
      END
    ) OVER (
      PARTITION BY tenant_id, member_id, plan_id
      ORDER BY coverage_start_date, enrollment_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS island
  FROM compared
), islands AS (
  SELECT
    tenant_id,
    member_id,
    member_key,
    plan_id,
    island,
    MIN(coverage_start_date) AS enrollment_start_date,
    MAX(coverage_end_date) AS enrollment_end_date,
    COUNT(*) AS span_count,
    SUM(premium_paid) AS premium_paid,
    SUM(aptc_paid) AS aptc_paid
  FROM numbered
  GROUP BY
    tenant_id,
    member_id,
    member_key,
    plan_id,
    island
), members AS (
  SELECT
    member_sk,
    member_key,
    join_from_ts,
    validity_end_ts
  FROM core.dim_member
), plans AS (
  SELECT
    plan_sk,
    tenant_id,
    plan_id,
    effective_year,
    join_from_ts,
    validity_end_ts
  FROM core.dim_plan
)
SELECT
  islands.tenant_id::TEXT AS tenant_id,
  islands.member_id::TEXT AS member_id,
  islands.plan_id::TEXT AS plan_id,
  islands.member_key::BIGINT AS member_key,
  COALESCE(members.member_sk, -1)::BIGINT AS member_sk, /* member as of the first covered day; -1 unknown */
  COALESCE(plans.plan_sk, -1)::BIGINT AS plan_sk, /* plan as of the first covered day; -1 unknown */
  (
    EXTRACT(YEAR FROM islands.enrollment_start_date) * 10000 + EXTRACT(MONTH FROM islands.enrollment_start_date) * 100 + EXTRACT(DAY FROM islands.enrollment_start_date)
  )::INT AS enrollment_start_date_key, /* first covered day as YYYYMMDD */
  islands.enrollment_start_date::DATE AS enrollment_start_date, /* first covered day */
  EXTRACT(YEAR FROM islands.enrollment_start_date)::INT AS plan_year, /* year of the first covered day */
  islands.enrollment_end_date::DATE AS enrollment_end_date, /* first day no longer covered */
  (
    islands.enrollment_end_date - islands.enrollment_start_date
  )::INT AS coverage_days, /* covered days */
  islands.span_count::INT AS span_count, /* coverage spans joined into this one */
  islands.premium_paid::DECIMAL(14, 2) AS premium_paid, /* gross premium of the member months so far, USD */
  islands.aptc_paid::DECIMAL(14, 2) AS aptc_paid /* advance premium tax credit of those months, USD */
FROM islands
LEFT JOIN members
  ON members.member_key = islands.member_key
  AND islands.enrollment_start_date >= members.join_from_ts
  AND islands.enrollment_start_date < members.validity_end_ts
LEFT JOIN plans
  ON plans.tenant_id = islands.tenant_id
  AND plans.plan_id = islands.plan_id
  AND plans.effective_year = EXTRACT(YEAR FROM islands.enrollment_start_date)
  AND islands.enrollment_start_date >= plans.join_from_ts
  AND islands.enrollment_start_date < plans.validity_end_ts
