MODEL (
  name core.fct_enrollment,
  kind FULL,
  owner member_analytics,
  grain (tenant_id, member_id, plan_id, enrollment_start_date),
  description 'Continuous coverage of a member under one plan in one plan year. How long were members covered, and what was paid for it?',
  audits (
    not_null(
      columns := (tenant_id, member_id, plan_id, member_sk, plan_sk, enrollment_start_date_key, coverage_days)
    ),
    unique_combination_of_columns(columns := (tenant_id, member_id, plan_id, enrollment_start_date)),
    accepted_range("column" := coverage_days, min_v := 1, max_v := 366),
    references_dimension("column" := member_sk, dimension := core.dim_member),
    references_dimension("column" := plan_sk, dimension := core.dim_plan),
    unknown_share_at_most("column" := member_sk, share := 0.05, blocking := FALSE),
    unknown_share_at_most("column" := plan_sk, share := 0.05, blocking := FALSE)
  )
);

WITH span_months AS (
  SELECT
    tenant_id,
    enrollment_id,
    SUM(premium_amount) AS premium_paid,
    SUM(aptc_amount) AS aptc_paid
  FROM core.fct_member_month
  GROUP BY
    tenant_id,
    enrollment_id
), spans AS (
  SELECT
    spans.tenant_id,
    spans.enrollment_id,
    spans.member_id,
    spans.plan_id,
    spans.coverage_start_date,
    spans.coverage_end_date,
    COALESCE(span_months.premium_paid, 0) AS premium_paid,
    COALESCE(span_months.aptc_paid, 0) AS aptc_paid
  FROM core.enrollment_spans AS spans
  LEFT JOIN span_months
    ON span_months.tenant_id = spans.tenant_id AND span_months.enrollment_id = spans.enrollment_id
), compared AS (
  SELECT
    tenant_id,
    member_id,
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
    plan_id,
    island
), members AS (
  SELECT
    member_sk,
    tenant_id,
    member_id,
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
  (
    @bigint_key(islands.tenant_id, islands.member_id)
  )::BIGINT AS member_key, /* durable, pseudonymous key of the member */
  COALESCE(members.member_sk, -1)::BIGINT AS member_sk, /* member as of the first covered day; -1 unknown */
  COALESCE(plans.plan_sk, -1)::BIGINT AS plan_sk, /* plan as of the first covered day; -1 unknown */
  (
    EXTRACT(YEAR FROM islands.enrollment_start_date) * 10000 + EXTRACT(MONTH FROM islands.enrollment_start_date) * 100 + EXTRACT(DAY FROM islands.enrollment_start_date)
  )::INT AS enrollment_start_date_key, /* first covered day as YYYYMMDD */
  islands.enrollment_start_date::DATE AS enrollment_start_date, /* first covered day */
  islands.enrollment_end_date::DATE AS enrollment_end_date, /* first day no longer covered */
  (
    islands.enrollment_end_date - islands.enrollment_start_date
  )::INT AS coverage_days, /* covered days */
  islands.span_count::INT AS span_count, /* coverage spans joined into this one */
  islands.premium_paid::DECIMAL(14, 2) AS premium_paid, /* gross premium of the member months so far, USD */
  islands.aptc_paid::DECIMAL(14, 2) AS aptc_paid /* advance premium tax credit of those months, USD */
FROM islands
LEFT JOIN members
  ON members.tenant_id = islands.tenant_id
  AND members.member_id = islands.member_id
  AND islands.enrollment_start_date >= members.join_from_ts
  AND islands.enrollment_start_date < members.validity_end_ts
LEFT JOIN plans
  ON plans.tenant_id = islands.tenant_id
  AND plans.plan_id = islands.plan_id
  AND plans.effective_year = EXTRACT(YEAR FROM islands.enrollment_start_date)
  AND islands.enrollment_start_date >= plans.join_from_ts
  AND islands.enrollment_start_date < plans.validity_end_ts
