MODEL (
  name core.plan_years,
  kind FULL,
  owner member_analytics,
  grain (tenant_id, plan_year),
  description 'Plan years of each issuer, with how much of them its latest extract of coverage has seen. Is a year complete, and is the turn to the next one known?',
  audits (
    not_null(
      columns := (tenant_id, plan_year, known_months, is_first_year, is_year_end_known, is_next_january_known)
    ),
    unique_combination_of_columns(columns := (tenant_id, plan_year)),
    accepted_range("column" := known_months, min_v := 1, max_v := 12)
  )
);

WITH extracts AS (
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
), covered_years AS (
  SELECT
    tenant_id,
    MIN(coverage_month) AS first_coverage_month
  FROM core.fct_member_month
  GROUP BY
    tenant_id
), mid_months AS (
  SELECT
    date_actual,
    DATE_TRUNC('YEAR', date_actual)::DATE AS year_start
  FROM core.dim_date
  WHERE
    day_of_month = 15
), years AS (
  SELECT
    extracts.tenant_id,
    extracts.last_extracted_at,
    DATE_TRUNC('YEAR', covered_years.first_coverage_month)::DATE AS first_year_start,
    mid_months.year_start,
    COUNT(*) AS known_months
  FROM extracts
  INNER JOIN covered_years
    ON covered_years.tenant_id = extracts.tenant_id
  INNER JOIN mid_months
    ON mid_months.date_actual < extracts.last_extracted_at
    AND mid_months.year_start >= DATE_TRUNC('YEAR', covered_years.first_coverage_month)::DATE
  GROUP BY
    extracts.tenant_id,
    extracts.last_extracted_at,
    DATE_TRUNC('YEAR', covered_years.first_coverage_month)::DATE,
    mid_months.year_start
)
SELECT
  tenant_id::TEXT AS tenant_id,
  EXTRACT(YEAR FROM year_start)::INT AS plan_year, /* calendar year of coverage */
  known_months::INT AS known_months, /* months of the year whose 15th lies before the latest extract */
  (
    year_start = first_year_start
  )::BOOLEAN AS is_first_year, /* no coverage of the issuer is known of the year before */
  (
    year_start + INTERVAL '12' MONTH - INTERVAL '1' DAY < last_extracted_at
  )::BOOLEAN AS is_year_end_known, /* 31 December lies before the latest extract */
  (
    year_start + INTERVAL '13' MONTH - INTERVAL '1' DAY < last_extracted_at
  )::BOOLEAN AS is_next_january_known /* 31 January after the year lies before the latest extract */
FROM years
