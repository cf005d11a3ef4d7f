MODEL (
  name semantic.high_cost_member_tracking,
  kind CUSTOM (
    materialization 'recompute_touched'
  ),
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

WITH states AS (
  @states_of_touched_lines()
), months AS (
  SELECT DISTINCT
    month_start
  FROM core.dim_date
), issuer_months AS (
  SELECT DISTINCT
    tenant_id,
    service_month
  FROM semantic.agg_claims_monthly
), settled AS (
  /* up to where an issuer's claims reached before the run as well as after it */
  SELECT
    issuer_months.tenant_id,
    MAX(issuer_months.service_month) AS last_month
  FROM issuer_months
  LEFT JOIN states
    ON states.tenant_id = issuer_months.tenant_id AND states.service_month = issuer_months.service_month
  WHERE
    states.tenant_id IS NULL
  GROUP BY
    issuer_months.tenant_id
), reached AS (
  SELECT
    tenant_id,
    MAX(service_month) AS last_month
  FROM states
  GROUP BY
    tenant_id
), unsettled AS (
  SELECT
    reached.tenant_id,
    months.month_start AS as_of_month
  FROM reached
  LEFT JOIN settled
    ON settled.tenant_id = reached.tenant_id
  INNER JOIN months
    ON months.month_start <= reached.last_month
    AND months.month_start > COALESCE(settled.last_month, '1900-01-01'::DATE)
), touched_months AS (
  SELECT
    states.member_key,
    months.month_start AS as_of_month
  FROM states
  INNER JOIN months
    ON months.month_start >= states.service_month
    AND months.month_start < states.service_month + INTERVAL '12' MONTH
  UNION
  /* members without news, in months that an issuer's claims may have come to, or gone from */
  SELECT
    daily.member_key,
    unsettled.as_of_month
  FROM unsettled
  INNER JOIN semantic.claims_daily_member AS daily
    ON daily.tenant_id = unsettled.tenant_id
    AND daily.service_date >= unsettled.as_of_month - INTERVAL '11' MONTH
    AND daily.service_date < unsettled.as_of_month + INTERVAL '1' MONTH
  GROUP BY
    daily.member_key,
    unsettled.as_of_month
  HAVING
    SUM(daily.paid_amount) >= 50000
), member_months AS (
  SELECT
    tenant_id,
    member_key,
    DATE_TRUNC('MONTH', service_date)::DATE AS service_month,
    SUM(paid_amount) AS paid_amount
  FROM semantic.claims_daily_member
  WHERE
    member_key IN (
      SELECT
        member_key
      FROM touched_months
    )
  GROUP BY
    tenant_id,
    member_key,
    DATE_TRUNC('MONTH', service_date)::DATE
), candidates AS (
  SELECT
    member_key
  FROM member_months
  GROUP BY
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
    ON candidates.member_key = member_months.member_key
), last_months AS (
  SELECT
    tenant_id,
    MAX(service_month) AS last_month
  FROM issuer_months
  GROUP BY
    tenant_id
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
  WHERE
    (candidate_months.member_key, months.month_start) IN (
      SELECT
        member_key,
        as_of_month
      FROM touched_months
    )
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
