MODEL (
  name core.dim_date,
  kind FULL,
  owner platform,
  grain date_key,
  description 'Every day from 2010 to 2035 with its calendar and its place in the marketplace year. Was the service in open enrollment, and in which quarter?',
  audits (
    not_null(columns := (date_key, date_actual, plan_year)),
    unique_values(columns := (date_key, date_actual)),
    number_of_rows(threshold := 9000),
    accepted_range("column" := day_of_week, min_v := 1, max_v := 7)
  )
);

WITH RECURSIVE days AS (
  SELECT
    '2010-01-01'::DATE AS date_actual
  UNION ALL
  SELECT
    (
      date_actual + INTERVAL '1' DAY
    )::DATE AS date_actual
  FROM days
  WHERE
    days.date_actual < '2035-12-31'::DATE
), calendar AS (
  SELECT
    date_actual,
    EXTRACT(YEAR FROM date_actual) AS year,
    EXTRACT(MONTH FROM date_actual) AS month,
    EXTRACT(DAY FROM date_actual) AS day_of_month
  FROM days
)
SELECT
  (
    year * 10000 + month * 100 + day_of_month
  )::INT AS date_key, /* the day as YYYYMMDD */
  date_actual::DATE AS date_actual, /* the day */
  year::INT AS year, /* calendar year */
  EXTRACT(QUARTER FROM date_actual)::INT AS quarter, /* quarter, 1 to 4 */
  month::INT AS month, /* month, 1 to 12 */
  day_of_month::INT AS day_of_month, /* day of the month */
  EXTRACT(ISODOW FROM date_actual)::INT AS day_of_week, /* ISO day of the week, Monday is 1 */
  DATE_TRUNC('MONTH', date_actual)::DATE AS month_start, /* first day of the month */
  (
    EXTRACT(ISODOW FROM date_actual) >= 6
  )::BOOLEAN AS is_weekend, /* Saturday or Sunday */
  year::INT AS plan_year, /* marketplace plan year of coverage on this day */
  (
    month >= 11 OR (
      month = 1 AND day_of_month <= 15
    )
  )::BOOLEAN AS is_open_enrollment, /* 1 November to 15 January, as on HealthCare.gov for plan years 2022 to 2026 */
  (
    CASE WHEN month >= 11 THEN year + 1 WHEN month = 1 AND day_of_month <= 15 THEN year END
  )::INT AS open_enrollment_plan_year /* plan year that the open enrollment is for; NULL outside it */
FROM calendar
