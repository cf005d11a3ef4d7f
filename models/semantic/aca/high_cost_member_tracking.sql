MODEL (
  name semantic.high_cost_member_tracking,
  kind FULL,
  owner member_analytics,
  grain (tenant_id, member_key, as_of_month),
  description 'Members whose paid claims of the last 12 months reach 50,000 USD, month by month, under a pseudonymous key. Who is or becomes a high-cost member?',
  audits (
    not_null(columns := (tenant_id, member_key, as_of_month)),
    unique_combination_of_columns(columns := (tenant_id, member_key, as_of_month)),
    accepted_range("column" := rolling_paid_amount, min_v := 50000),
    accepted_values("column" := cost_band, is_in := ('50k to 100k', '100k to 250k', '250k to 500k', '500k and more'))
  )
);

WITH member_months AS (
  SELECT
    tenant_id,
    member_key,
    DATE_TRUNC('MONTH', service_date)::DATE AS service_month,
    SUM(paid_amount) AS paid_amount
  FROM semantic.claims_daily_member
  GROUP BY
    tenant_id,
    member_key,
    DATE_TRUNC('MONTH', service_date)::DATE
), candidates AS (
  SELECT
    tenant_id,
    member_key
  FROM member_months
  GROUP BY
    tenant_id,
    member_key
  HAVING
    SUM(paid_amount) >= 50000
), candidate_months AS (
  SELECT
    member_months.tenant_id,
    member_months.member_key,
    member_months.service_month,
    member_months.paid_amount
  FROM member_months
  INNER JOIN candidates
    ON candidates.tenant_id = member_months.tenant_id AND candidates.member_key = member_months.member_key
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
)
SELECT
  tenant_id::TEXT AS tenant_id, /* issuer */
  member_key::BIGINT AS member_key, /* durable, pseudonymous key of the member */
  as_of_month::DATE AS as_of_month, /* last of the 12 months, by its first day */
  rolling_paid_amount::DECIMAL(18, 2) AS rolling_paid_amount, /* paid for services of the 12 months that end with the month, USD */
  (
    CASE
      WHEN rolling_paid_amount >= 500000
      THEN '500k and more'
      WHEN rolling_paid_amount >= 250000
      THEN '250k to 500k'
      WHEN rolling_paid_amount >= 100000
      THEN '100k to 250k'
      ELSE '50k to 100k'
    END
  )::TEXT AS cost_band, /* band of the rolling amount, lower bound included */
  (
    rolling_paid_amount > 100000
  )::BOOLEAN AS is_high_cost_claimant /* above 100,000 USD */
FROM rolling
WHERE
  rolling_paid_amount >= 50000
