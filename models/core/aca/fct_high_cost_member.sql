MODEL (
  name core.fct_high_cost_member,
  kind FULL,
  owner member_analytics,
  grain (tenant_id, member_key, as_of_month),
  depends_on (
    core.dim_plan
  ),
  description 'Members whose paid claims of the last 12 months reach 50,000 USD, month by month. Who is or becomes a high-cost member?',
  audits (
    not_null(
      columns := (tenant_id, member_key, as_of_month, member_sk, plan_sk, geography_sk, rolling_paid_amount)
    ),
    unique_combination_of_columns(columns := (tenant_id, member_key, as_of_month)),
    accepted_range("column" := rolling_paid_amount, min_v := 50000),
    accepted_values("column" := cost_band, is_in := ('50k to 100k', '100k to 250k', '250k to 500k', '500k and more')),
    references_dimension("column" := member_sk, dimension := core.dim_member),
    references_dimension("column" := plan_sk, dimension := core.dim_plan),
    references_dimension("column" := geography_sk, dimension := core.dim_geography),
    last_year_is_complete()
  )
);

WITH claim_lines AS (
  SELECT
    tenant_id,
    member_key,
    DATE_TRUNC('MONTH', service_date)::DATE AS service_month,
    paid_amount
  FROM core.fct_claim_line
), member_months AS (
  SELECT
    tenant_id,
    member_key,
    service_month,
    SUM(paid_amount) AS paid_amount
  FROM claim_lines
  GROUP BY
    tenant_id,
    member_key,
    service_month
), candidates AS (
  SELECT
    member_key
  FROM member_months
  GROUP BY
    member_key
  HAVING
    SUM(GREATEST(paid_amount, 0)) >= 50000
), candidate_months AS (
  SELECT
    tenant_id,
    member_key,
    service_month,
    paid_amount
  FROM member_months
  WHERE
    member_months.member_key IN (
      SELECT
        candidates.member_key
      FROM candidates
    )
), last_months AS (
  SELECT
    tenant_id,
    MAX(service_month) AS last_month
  FROM member_months
  GROUP BY
    tenant_id
), months AS (
  SELECT DISTINCT
    month_start
  FROM core.dim_date
), rolling AS (
  SELECT
    candidate_months.tenant_id,
    candidate_months.member_key,
    months.month_start AS as_of_month,
    SUM(candidate_months.paid_amount) AS rolling_paid_amount
  FROM candidate_months
  INNER JOIN last_months
    ON last_months.tenant_id = candidate_months.tenant_id
  INNER JOIN months
    ON months.month_start >= candidate_months.service_month
    AND months.month_start < candidate_months.service_month + INTERVAL '12' MONTH
    AND months.month_start <= last_months.last_month
  GROUP BY
    candidate_months.tenant_id,
    candidate_months.member_key,
    months.month_start
), member_versions AS (
  SELECT
    @bigint_key(tenant_id, member_id) AS member_key,
    member_sk,
    county_fips,
    ROW_NUMBER() OVER (PARTITION BY tenant_id, member_id ORDER BY validity_start_ts DESC) AS version_rank
  FROM core.dim_member
), geographies AS (
  SELECT
    geography_sk,
    county_fips
  FROM core.dim_geography
), covered_months AS (
  SELECT
    member_key,
    plan_sk,
    ROW_NUMBER() OVER (PARTITION BY member_key ORDER BY coverage_month DESC) AS month_rank
  FROM core.fct_member_month
)
SELECT
  rolling.tenant_id::TEXT AS tenant_id, /* issuer */
  rolling.member_key::BIGINT AS member_key, /* durable, pseudonymous key of the member */
  rolling.as_of_month::DATE AS as_of_month, /* last of the 12 months, by its first day */
  COALESCE(member_versions.member_sk, -1)::BIGINT AS member_sk, /* member as last reported; -1 unknown */
  COALESCE(covered_months.plan_sk, -1)::BIGINT AS plan_sk, /* plan of the member's last covered month; -1 unknown */
  COALESCE(geographies.geography_sk, -1)::BIGINT AS geography_sk, /* county of the member as last reported; -1 unknown */
  rolling.rolling_paid_amount::DECIMAL(14, 2) AS rolling_paid_amount, /* paid for services of the 12 months that end with the month, as known today, USD */
  (
    CASE
      WHEN rolling.rolling_paid_amount >= 500000
      THEN '500k and more'
      WHEN rolling.rolling_paid_amount >= 250000
      THEN '250k to 500k'
      WHEN rolling.rolling_paid_amount >= 100000
      THEN '100k to 250k'
      ELSE '50k to 100k'
    END
  )::TEXT AS cost_band /* band of the rolling amount, lower bound included */
FROM rolling
LEFT JOIN member_versions
  ON member_versions.member_key = rolling.member_key AND member_versions.version_rank = 1
LEFT JOIN geographies
  ON geographies.county_fips = member_versions.county_fips
LEFT JOIN covered_months
  ON covered_months.member_key = rolling.member_key AND covered_months.month_rank = 1
WHERE
  rolling.rolling_paid_amount >= 50000;

AUDIT (
  name last_year_is_complete
);

WITH last_days AS (
  SELECT
    tenant_id,
    DATE_TRUNC('MONTH', MAX(service_date))::DATE AS as_of_month
  FROM core.fct_claim_line
  GROUP BY
    tenant_id
), expected AS (
  SELECT
    claim_lines.tenant_id,
    claim_lines.member_key,
    last_days.as_of_month,
    SUM(claim_lines.paid_amount) AS paid_amount
  FROM core.fct_claim_line AS claim_lines
  INNER JOIN last_days
    ON last_days.tenant_id = claim_lines.tenant_id
    AND claim_lines.service_date >= last_days.as_of_month - INTERVAL '11' MONTH
  GROUP BY
    claim_lines.tenant_id,
    claim_lines.member_key,
    last_days.as_of_month
  HAVING
    SUM(claim_lines.paid_amount) >= 50000
), ours AS (
  SELECT
    high_cost.tenant_id,
    high_cost.member_key,
    high_cost.rolling_paid_amount
  FROM @this_model AS high_cost
  INNER JOIN last_days
    ON last_days.tenant_id = high_cost.tenant_id AND last_days.as_of_month = high_cost.as_of_month
)
SELECT
  expected.tenant_id,
  expected.member_key,
  expected.paid_amount,
  ours.rolling_paid_amount
FROM expected
FULL JOIN ours
  ON ours.tenant_id = expected.tenant_id AND ours.member_key = expected.member_key
WHERE
  expected.paid_amount IS DISTINCT FROM ours.rolling_paid_amount
