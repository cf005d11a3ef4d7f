MODEL (
  name core.fct_tenure,
  kind VIEW,
  owner member_analytics,
  grain (tenant_id, member_key, coverage_month),
  description 'For every month of coverage, how many months in a row the member has been covered up to and including it; a month without coverage starts the count anew. How long have our members been with us?',
  audits (
    not_null(columns := (tenant_id, member_key, coverage_month)),
    unique_combination_of_columns(columns := (tenant_id, member_key, coverage_month)),
    accepted_range("column" := tenure_months, min_v := 1),
    one_per_member_month()
  )
);

WITH member_months AS (
  SELECT
    tenant_id,
    member_key,
    coverage_month,
    member_sk,
    plan_sk,
    geography_sk,
    EXTRACT(YEAR FROM coverage_month) * 12 + EXTRACT(MONTH FROM coverage_month) AS month_number,
    ROW_NUMBER() OVER (PARTITION BY tenant_id, member_key ORDER BY coverage_month) AS month_rank,
    MAX(coverage_month) OVER (PARTITION BY tenant_id) AS last_month
  FROM core.fct_member_month
), stretches AS (
  SELECT
    tenant_id,
    member_key,
    coverage_month,
    member_sk,
    plan_sk,
    geography_sk,
    last_month,
    month_number - month_rank AS stretch
  FROM member_months
), counted AS (
  SELECT
    tenant_id,
    member_key,
    coverage_month,
    member_sk,
    plan_sk,
    geography_sk,
    last_month,
    ROW_NUMBER() OVER (PARTITION BY tenant_id, member_key, stretch ORDER BY coverage_month) AS tenure_months
  FROM stretches
)
SELECT
  tenant_id::TEXT AS tenant_id,
  member_key::BIGINT AS member_key,
  coverage_month::DATE AS coverage_month,
  member_sk::BIGINT AS member_sk,
  plan_sk::BIGINT AS plan_sk,
  geography_sk::BIGINT AS geography_sk,
  tenure_months::INT AS tenure_months, /* covered months in a row, this one included */
  (
    coverage_month < last_month
  )::BOOLEAN AS is_next_month_known /* whether the next month is on record, so that leaving shows */
FROM counted;

AUDIT (
  name one_per_member_month,
  dialect duckdb
);

WITH ours AS (
  SELECT
    COUNT(*) AS row_count
  FROM @this_model
), theirs AS (
  SELECT
    COUNT(*) AS row_count
  FROM core.fct_member_month
)
SELECT
  ours.row_count AS row_count,
  theirs.row_count AS other_row_count
FROM ours
CROSS JOIN theirs
WHERE
  ours.row_count <> theirs.row_count
