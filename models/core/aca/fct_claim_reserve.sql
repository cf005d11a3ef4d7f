MODEL (
  name core.fct_claim_reserve,
  kind FULL,
  owner claims_analytics,
  grain (tenant_id, as_of_month, incurred_month),
  description 'Claims incurred but not yet paid (IBNR) at the end of each month, by chain ladder on the run-out triangle as it stood then. How much do we still owe for services already rendered, and how wrong were we before?',
  audits (
    not_null(
      columns := (
        tenant_id,
        as_of_month,
        incurred_month,
        lag_month,
        paid_to_date,
        completion_factor,
        method,
        member_months,
        ibnr_amount,
        is_current
      )
    ),
    unique_combination_of_columns(columns := (tenant_id, as_of_month, incurred_month)),
    accepted_range("column" := lag_month, min_v := 0),
    accepted_range("column" := completion_factor, min_v := 0),
    accepted_values("column" := method, is_in := ('completion', 'pmpm')),
    forall(criteria := (method = 'completion' OR lag_month <= 1, method = 'completion' OR ibnr_amount >= 0)),
    paid_to_date_is_the_triangle()
  )
);

WITH extracts AS (
  SELECT
    batches.tenant_id,
    MAX(batches.extracted_at)::DATE AS last_extract_date
  FROM ops.load_batch AS batches
  LEFT JOIN ops.retraction AS retractions
    ON retractions.load_id = batches.load_id
  WHERE
    batches.feed = 'aca_claims' AND batches.status = 'loaded' AND retractions.load_id IS NULL
  GROUP BY
    batches.tenant_id
), run_out AS (
  SELECT
    tenant_id,
    incurred_month,
    paid_month,
    paid_change
  FROM core.fct_claim_run_out
), months AS (
  SELECT DISTINCT
    month_start
  FROM core.dim_date
), coverage AS (
  SELECT
    tenant_id,
    coverage_month,
    SUM(member_months) AS member_months
  FROM core.fct_member_month
  GROUP BY
    tenant_id,
    coverage_month
), bounds AS (
  SELECT
    run_out.tenant_id,
    MIN(run_out.incurred_month) AS first_month,
    MAX(extracts.last_extract_date) AS last_extract_date
  FROM run_out
  INNER JOIN extracts
    ON extracts.tenant_id = run_out.tenant_id
  GROUP BY
    run_out.tenant_id
), calendar AS (
  SELECT
    bounds.tenant_id,
    months.month_start
  FROM bounds
  INNER JOIN months
    ON months.month_start >= bounds.first_month
    AND months.month_start + INTERVAL '1' MONTH <= bounds.last_extract_date
), cells AS (
  SELECT
    as_of.tenant_id,
    as_of.month_start AS as_of_month,
    incurred.month_start AS incurred_month,
    (
      EXTRACT(YEAR FROM as_of.month_start) - EXTRACT(YEAR FROM incurred.month_start)
    ) * 12 + EXTRACT(MONTH FROM as_of.month_start) - EXTRACT(MONTH FROM incurred.month_start) AS lag_month
  FROM calendar AS as_of
  INNER JOIN calendar AS incurred
    ON incurred.tenant_id = as_of.tenant_id AND incurred.month_start <= as_of.month_start
), payments AS (
  SELECT
    tenant_id,
    incurred_month,
    GREATEST(paid_month, incurred_month) AS as_of_month,
    SUM(paid_change) AS paid_change
  FROM run_out
  GROUP BY
    tenant_id,
    incurred_month,
    GREATEST(paid_month, incurred_month)
), triangle AS (
  SELECT
    cells.tenant_id,
    cells.as_of_month,
    cells.incurred_month,
    cells.lag_month,
    SUM(COALESCE(payments.paid_change, 0)) OVER (
      PARTITION BY cells.tenant_id, cells.incurred_month
      ORDER BY cells.as_of_month
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS paid_to_date
  FROM cells
  LEFT JOIN payments
    ON payments.tenant_id = cells.tenant_id
    AND payments.incurred_month = cells.incurred_month
    AND payments.as_of_month = cells.as_of_month
), developments AS (
  SELECT
    tenant_id,
    as_of_month,
    incurred_month,
    lag_month,
    paid_to_date,
    LAG(paid_to_date) OVER (PARTITION BY tenant_id, incurred_month ORDER BY as_of_month) AS paid_a_month_before,
    LEAD(paid_to_date, 12) OVER (PARTITION BY tenant_id, incurred_month ORDER BY as_of_month) AS paid_a_year_later
  FROM triangle
), known_developments AS (
  SELECT
    tenant_id,
    as_of_month,
    incurred_month,
    lag_month,
    paid_to_date,
    paid_a_year_later - paid_to_date AS actual_run_out_12,
    SUM(paid_to_date) OVER (
      PARTITION BY tenant_id, lag_month
      ORDER BY as_of_month
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS known_at_lag,
    SUM(paid_a_month_before) OVER (
      PARTITION BY tenant_id, lag_month
      ORDER BY as_of_month
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS known_a_lag_before
  FROM developments
), age_to_age AS (
  SELECT
    tenant_id,
    as_of_month,
    incurred_month,
    lag_month,
    paid_to_date,
    actual_run_out_12,
    LN(
      CASE
        WHEN known_at_lag > 0 AND known_a_lag_before > 0
        THEN known_at_lag::DOUBLE / known_a_lag_before::DOUBLE
        ELSE 1
      END
    ) AS log_factor
  FROM known_developments
), completion AS (
  SELECT
    tenant_id,
    as_of_month,
    incurred_month,
    lag_month,
    paid_to_date,
    actual_run_out_12,
    EXP(
      -COALESCE(
        SUM(log_factor) OVER (
          PARTITION BY tenant_id, as_of_month
          ORDER BY lag_month DESC
          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ),
        0
      )
    ) AS completion_factor
  FROM age_to_age
), exposed AS (
  SELECT
    completion.tenant_id,
    completion.as_of_month,
    completion.incurred_month,
    completion.lag_month,
    completion.paid_to_date,
    completion.actual_run_out_12,
    completion.completion_factor,
    completion.paid_to_date / completion.completion_factor AS completed_paid,
    COALESCE(coverage.member_months, 0) AS member_months
  FROM completion
  LEFT JOIN coverage
    ON coverage.tenant_id = completion.tenant_id AND coverage.coverage_month = completion.incurred_month
), mature AS (
  SELECT
    tenant_id,
    as_of_month,
    incurred_month,
    lag_month,
    paid_to_date,
    actual_run_out_12,
    completion_factor,
    completed_paid,
    member_months,
    MAX(as_of_month) OVER (PARTITION BY tenant_id) AS last_month,
    SUM(CASE WHEN lag_month BETWEEN 2 AND 13 THEN completed_paid END) OVER (PARTITION BY tenant_id, as_of_month) AS mature_paid,
    SUM(CASE WHEN lag_month BETWEEN 2 AND 13 THEN member_months END) OVER (PARTITION BY tenant_id, as_of_month) AS mature_member_months
  FROM exposed
)
SELECT
  tenant_id::TEXT AS tenant_id, /* issuer */
  as_of_month::DATE AS as_of_month, /* month at whose end the estimate is made, by its first day */
  incurred_month::DATE AS incurred_month, /* first day of the month of service */
  lag_month::INT AS lag_month, /* months from service to estimate */
  paid_to_date::DECIMAL(14, 2) AS paid_to_date, /* paid for the month of service by the end of the as-of month, USD */
  completion_factor::DECIMAL(18, 9) AS completion_factor, /* share of the ultimate paid through this lag, by volume-weighted age-to-age factors of the months known then; 1 at the longest lag */
  (
    CASE WHEN lag_month <= 1 AND mature_member_months > 0 THEN 'pmpm' ELSE 'completion' END
  )::TEXT AS method, /* pmpm for lags 0 and 1, once older months are there; otherwise completion */
  member_months::INT AS member_months, /* members covered on the 15th of the month of service */
  (
    CASE
      WHEN lag_month <= 1 AND mature_member_months > 0
      THEN GREATEST(mature_paid / mature_member_months * member_months - paid_to_date, 0)
      ELSE completed_paid - paid_to_date
    END
  )::DECIMAL(14, 2) AS ibnr_amount, /* estimate of what is still to be paid, USD; completion: paid_to_date * (1 / completion_factor - 1); pmpm: completed paid per member month of lags 2 to 13 times member_months, less paid_to_date, not below 0 */
  actual_run_out_12::DECIMAL(14, 2) AS actual_run_out_12, /* paid in the 12 months after the as-of month, USD; NULL while unknown */
  (
    as_of_month = last_month
  )::BOOLEAN AS is_current /* whether the estimate is the issuer's latest */
FROM mature;

AUDIT (
  name paid_to_date_is_the_triangle
);

WITH ours AS (
  SELECT
    tenant_id,
    as_of_month,
    SUM(paid_to_date) AS total
  FROM @this_model
  GROUP BY
    tenant_id,
    as_of_month
), theirs AS (
  SELECT
    ours.tenant_id,
    ours.as_of_month,
    SUM(run_out.paid_change) AS total
  FROM ours
  INNER JOIN core.fct_claim_run_out AS run_out
    ON run_out.tenant_id = ours.tenant_id
    AND run_out.paid_month <= ours.as_of_month
    AND run_out.incurred_month <= ours.as_of_month
  GROUP BY
    ours.tenant_id,
    ours.as_of_month
)
SELECT
  ours.tenant_id,
  ours.as_of_month,
  ours.total AS total,
  theirs.total AS other_total
FROM ours
LEFT JOIN theirs
  ON theirs.tenant_id = ours.tenant_id AND theirs.as_of_month = ours.as_of_month
WHERE
  ours.total <> COALESCE(theirs.total, 0)
