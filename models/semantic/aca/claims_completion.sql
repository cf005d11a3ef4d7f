MODEL (
  name semantic.claims_completion,
  kind FULL,
  owner claims_analytics,
  grain (tenant_id, incurred_month, lag_month),
  description 'The run-out triangle of claims, as of today''s estimate of each month''s ultimate cost. How fast are the claims of a month paid, and does that change?',
  audits (
    not_null(
      columns := (
        tenant_id,
        incurred_month,
        lag_month,
        as_of_month,
        paid_to_date,
        paid_in_month,
        ultimate_paid,
        is_latest
      )
    ),
    unique_combination_of_columns(columns := (tenant_id, incurred_month, lag_month)),
    accepted_range("column" := lag_month, min_v := 0),
    same_total("column" := paid_to_date, other := core.fct_claim_reserve),
    months_add_up_to_date()
  )
);

WITH reserves AS (
  SELECT
    tenant_id,
    as_of_month,
    incurred_month,
    lag_month,
    paid_to_date,
    ibnr_amount,
    is_current
  FROM core.fct_claim_reserve
), ultimates AS (
  SELECT
    tenant_id,
    incurred_month,
    paid_to_date + ibnr_amount AS ultimate_paid
  FROM reserves
  WHERE
    is_current
), developments AS (
  SELECT
    reserves.tenant_id,
    reserves.incurred_month,
    reserves.lag_month,
    reserves.as_of_month,
    reserves.paid_to_date,
    reserves.paid_to_date - COALESCE(
      LAG(reserves.paid_to_date) OVER (PARTITION BY reserves.tenant_id, reserves.incurred_month ORDER BY reserves.lag_month),
      0
    ) AS paid_in_month,
    ultimates.ultimate_paid,
    reserves.is_current
  FROM reserves
  INNER JOIN ultimates
    ON ultimates.tenant_id = reserves.tenant_id AND ultimates.incurred_month = reserves.incurred_month
)
SELECT
  tenant_id::TEXT AS tenant_id, /* issuer */
  incurred_month::DATE AS incurred_month, /* first day of the month of service */
  lag_month::INT AS lag_month, /* months from service to valuation */
  as_of_month::DATE AS as_of_month, /* month at whose end it was paid to date, by its first day */
  paid_to_date::DECIMAL(14, 2) AS paid_to_date, /* paid for the month of service by then, USD */
  paid_in_month::DECIMAL(14, 2) AS paid_in_month, /* paid within the month, less what came back, USD */
  ultimate_paid::DECIMAL(14, 2) AS ultimate_paid, /* paid so far and reserve by the latest estimate, USD; the same for every lag */
  @quotient(paid_to_date, ultimate_paid)::DECIMAL(12, 6) AS completion_share, /* paid to date over ultimate; NULL without cost, above 1 where money came back later */
  is_current::BOOLEAN AS is_latest /* whether it is the latest valuation of the month of service */
FROM developments
