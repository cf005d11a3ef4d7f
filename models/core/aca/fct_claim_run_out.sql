MODEL (
  name core.fct_claim_run_out,
  kind FULL,
  owner claims_analytics,
  grain (tenant_id, incurred_month, paid_month),
  description 'The run-out triangle: what was paid in a month for the services of a month. How long after the service are claims paid?',
  audits (
    not_null(columns := (tenant_id, incurred_month, paid_month, lag_month, paid_change)),
    unique_combination_of_columns(columns := (tenant_id, incurred_month, paid_month)),
    accepted_range("column" := lag_month, min_v := 0, blocking := FALSE),
    same_total("column" := paid_change, other := core.fct_payment)
  )
);

WITH payments AS (
  SELECT
    tenant_id,
    DATE_TRUNC('MONTH', service_date)::DATE AS incurred_month,
    DATE_TRUNC('MONTH', paid_date)::DATE AS paid_month,
    paid_change
  FROM core.fct_payment
), cells AS (
  SELECT
    tenant_id,
    incurred_month,
    paid_month,
    SUM(paid_change) AS paid_change
  FROM payments
  GROUP BY
    tenant_id,
    incurred_month,
    paid_month
)
SELECT
  tenant_id::TEXT AS tenant_id, /* issuer */
  incurred_month::DATE AS incurred_month, /* first day of the month of service */
  paid_month::DATE AS paid_month, /* first day of the month of payment */
  (
    (
      EXTRACT(YEAR FROM paid_month) - EXTRACT(YEAR FROM incurred_month)
    ) * 12 + EXTRACT(MONTH FROM paid_month) - EXTRACT(MONTH FROM incurred_month)
  )::INT AS lag_month, /* months from service to payment */
  paid_change::DECIMAL(14, 2) AS paid_change /* paid in the one for the other, less what came back, USD */
FROM cells
