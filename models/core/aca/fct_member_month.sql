MODEL (
  name core.fct_member_month,
  kind CUSTOM (
    materialization 'recompute_touched'
  ),
  owner member_analytics,
  grain (tenant_id, member_id, coverage_month),
  description 'One row per member and month of coverage: the denominator of every per-member figure. A month counts when its 15th is covered. How many members were covered, in which plans, and for which premium?',
  audits (
    not_null(
      columns := (tenant_id, member_id, coverage_month, member_sk, plan_sk, geography_sk, member_months),
      condition := @touched_in(core.coverage_touches, member_key, coverage_month)
    ),
    unique_combination_of_columns(
      columns := (tenant_id, member_id, coverage_month),
      condition := @touched_in(core.coverage_touches, member_key, coverage_month)
    ),
    accepted_range(
      "column" := member_months,
      min_v := 1,
      max_v := 1,
      condition := @touched_in(core.coverage_touches, member_key, coverage_month)
    ),
    references_dimension(
      "column" := member_sk,
      dimension := core.dim_member,
      condition := @touched_in(core.coverage_touches, member_key, coverage_month)
    ),
    references_dimension(
      "column" := plan_sk,
      dimension := core.dim_plan,
      condition := @touched_in(core.coverage_touches, member_key, coverage_month)
    ),
    unknown_share_at_most(
      "column" := member_sk,
      share := 0.05,
      condition := @touched_in(core.coverage_touches, member_key, coverage_month),
      blocking := FALSE
    ),
    unknown_share_at_most(
      "column" := plan_sk,
      share := 0.05,
      condition := @touched_in(core.coverage_touches, member_key, coverage_month),
      blocking := FALSE
    )
  )
);

WITH touched_months AS (
  SELECT
    member_key,
    coverage_month
  FROM core.coverage_touches
  WHERE
    touched_on BETWEEN @start_ds AND @end_ds
), spans AS (
  SELECT
    tenant_id,
    enrollment_id,
    member_id,
    member_key,
    plan_id,
    coverage_start_date,
    coverage_end_date,
    monthly_premium,
    aptc_amount
  FROM core.enrollment_spans
  WHERE
    member_key IN (
      SELECT
        member_key
      FROM touched_months
    )
), extracts AS (
  SELECT
    batches.tenant_id,
    MAX(batches.extracted_at) AS last_extracted_at
  FROM ops.load_batch AS batches
  LEFT JOIN ops.retraction AS retractions
    ON retractions.load_id = batches.load_id
  WHERE
    batches.feed = 'aca_enrollments' AND batches.status = 'loaded' AND retractions.load_id IS NULL
  GROUP BY
    batches.tenant_id
), mid_months AS (
  SELECT
    date_actual,
    month_start
  FROM core.dim_date
  WHERE
    day_of_month = 15
), covered AS (
  SELECT
    spans.tenant_id,
    spans.member_id,
    spans.member_key,
    spans.enrollment_id,
    spans.plan_id,
    spans.monthly_premium,
    spans.aptc_amount,
    mid_months.date_actual AS mid_month,
    mid_months.month_start,
    ROW_NUMBER() OVER (
      PARTITION BY spans.member_key, mid_months.month_start
      ORDER BY spans.coverage_start_date DESC, spans.enrollment_id DESC
    ) AS span_rank
  FROM spans
  INNER JOIN extracts
    ON extracts.tenant_id = spans.tenant_id
  INNER JOIN mid_months
    ON mid_months.date_actual >= spans.coverage_start_date
    AND mid_months.date_actual < spans.coverage_end_date
    AND mid_months.date_actual < extracts.last_extracted_at
  WHERE
    (spans.member_key, mid_months.month_start) IN (
      SELECT
        member_key,
        coverage_month
      FROM touched_months
    )
), months AS (
  SELECT
    tenant_id,
    member_id,
    member_key,
    enrollment_id,
    plan_id,
    monthly_premium,
    aptc_amount,
    mid_month,
    month_start
  FROM covered
  WHERE
    span_rank = 1
), members AS (
  SELECT
    member_versions.member_sk,
    member_versions.member_key,
    member_versions.join_from_ts,
    member_versions.validity_end_ts,
    geographies.geography_sk
  FROM core.dim_member AS member_versions
  LEFT JOIN core.dim_geography AS geographies
    ON geographies.county_fips = member_versions.county_fips
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
  months.tenant_id::TEXT AS tenant_id,
  months.member_id::TEXT AS member_id,
  months.month_start::DATE AS coverage_month, /* first day of the month */
  months.member_key::BIGINT AS member_key,
  COALESCE(members.member_sk, -1)::BIGINT AS member_sk, /* member as of the 15th; -1 unknown */
  COALESCE(plans.plan_sk, -1)::BIGINT AS plan_sk, /* plan as of the 15th; -1 unknown */
  COALESCE(members.geography_sk, -1)::BIGINT AS geography_sk, /* county of the member as of the 15th; -1 unknown */
  months.enrollment_id::TEXT AS enrollment_id, /* span in force on the 15th; of overlapping spans the one that began last */
  1::INT AS member_months, /* always 1: additive over members and months */
  months.monthly_premium::DECIMAL(12, 2) AS premium_amount, /* gross premium of the month, USD */
  months.aptc_amount::DECIMAL(12, 2) AS aptc_amount /* advance premium tax credit of the month, USD */
FROM months
LEFT JOIN members
  ON members.member_key = months.member_key
  AND months.mid_month >= members.join_from_ts
  AND months.mid_month < members.validity_end_ts
LEFT JOIN plans
  ON plans.tenant_id = months.tenant_id
  AND plans.plan_id = months.plan_id
  AND plans.effective_year = EXTRACT(YEAR FROM months.mid_month)
  AND months.mid_month >= plans.join_from_ts
  AND months.mid_month < plans.validity_end_ts
