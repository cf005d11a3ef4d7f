MODEL (
  name core.fct_rolling_year,
  kind FULL,
  owner claims_analytics,
  grain (tenant_id, as_of_month),
  description 'The 12 months that end with each month, per issuer. What did a year of coverage cost against its premium, and against the year before?',
  audits (
    not_null(
      columns := (
        tenant_id,
        as_of_month,
        paid_amount,
        paid_to_date,
        allowed_amount,
        premium_amount,
        member_months,
        ibnr_amount,
        months
      )
    ),
    unique_combination_of_columns(columns := (tenant_id, as_of_month)),
    accepted_range("column" := months, min_v := 0, max_v := 12),
    forall(criteria := (
      (
        prior_allowed_amount IS NULL
      ) = (
        prior_member_months IS NULL
      )
    )),
    twelve_months_add_up()
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
), claim_lines AS (
  SELECT
    tenant_id,
    DATE_TRUNC('MONTH', service_date)::DATE AS service_month,
    allowed_amount,
    paid_amount
  FROM core.fct_claim_line
), claim_months AS (
  SELECT
    tenant_id,
    service_month,
    SUM(allowed_amount) AS allowed_amount,
    SUM(paid_amount) AS paid_amount
  FROM claim_lines
  GROUP BY
    tenant_id,
    service_month
), coverage AS (
  SELECT
    tenant_id,
    coverage_month,
    SUM(member_months) AS member_months,
    SUM(premium_amount) AS premium_amount
  FROM core.fct_member_month
  GROUP BY
    tenant_id,
    coverage_month
), reserves AS (
  SELECT
    tenant_id,
    as_of_month,
    SUM(paid_to_date) AS paid_to_date,
    SUM(ibnr_amount) AS ibnr_amount
  FROM core.fct_claim_reserve
  WHERE
    lag_month < 12
  GROUP BY
    tenant_id,
    as_of_month
), months AS (
  SELECT DISTINCT
    month_start
  FROM core.dim_date
), active_months AS (
  SELECT
    tenant_id,
    service_month AS month_start
  FROM claim_months
  UNION
  SELECT
    tenant_id,
    coverage_month AS month_start
  FROM coverage
), bounds AS (
  SELECT
    active_months.tenant_id,
    MIN(active_months.month_start) AS first_month,
    MAX(extracts.last_extract_date) AS last_extract_date
  FROM active_months
  INNER JOIN extracts
    ON extracts.tenant_id = active_months.tenant_id
  GROUP BY
    active_months.tenant_id
), monthly AS (
  SELECT
    bounds.tenant_id,
    months.month_start,
    COALESCE(claim_months.allowed_amount, 0) AS allowed_amount,
    COALESCE(claim_months.paid_amount, 0) AS paid_amount,
    COALESCE(coverage.member_months, 0) AS member_months,
    COALESCE(coverage.premium_amount, 0) AS premium_amount,
    CASE WHEN claim_months.tenant_id IS NULL AND coverage.tenant_id IS NULL THEN 0 ELSE 1 END AS holds_data
  FROM bounds
  INNER JOIN months
    ON months.month_start >= bounds.first_month
    AND months.month_start + INTERVAL '1' MONTH <= bounds.last_extract_date
  LEFT JOIN claim_months
    ON claim_months.tenant_id = bounds.tenant_id AND claim_months.service_month = months.month_start
  LEFT JOIN coverage
    ON coverage.tenant_id = bounds.tenant_id AND coverage.coverage_month = months.month_start
), rolling AS (
  SELECT
    tenant_id,
    month_start AS as_of_month,
    SUM(allowed_amount) OVER (PARTITION BY tenant_id ORDER BY month_start ROWS BETWEEN 11 PRECEDING AND CURRENT ROW) AS allowed_amount,
    SUM(paid_amount) OVER (PARTITION BY tenant_id ORDER BY month_start ROWS BETWEEN 11 PRECEDING AND CURRENT ROW) AS paid_amount,
    SUM(member_months) OVER (PARTITION BY tenant_id ORDER BY month_start ROWS BETWEEN 11 PRECEDING AND CURRENT ROW) AS member_months,
    SUM(premium_amount) OVER (PARTITION BY tenant_id ORDER BY month_start ROWS BETWEEN 11 PRECEDING AND CURRENT ROW) AS premium_amount,
    SUM(holds_data) OVER (PARTITION BY tenant_id ORDER BY month_start ROWS BETWEEN 11 PRECEDING AND CURRENT ROW) AS holds_data
  FROM monthly
), compared AS (
  SELECT
    tenant_id,
    as_of_month,
    allowed_amount,
    paid_amount,
    member_months,
    premium_amount,
    holds_data,
    LAG(allowed_amount, 12) OVER (PARTITION BY tenant_id ORDER BY as_of_month) AS allowed_a_year_before,
    LAG(member_months, 12) OVER (PARTITION BY tenant_id ORDER BY as_of_month) AS member_months_a_year_before,
    LAG(holds_data, 12) OVER (PARTITION BY tenant_id ORDER BY as_of_month) AS months_a_year_before
  FROM rolling
)
SELECT
  compared.tenant_id::TEXT AS tenant_id, /* issuer */
  compared.as_of_month::DATE AS as_of_month, /* last of the 12 months, by its first day */
  compared.paid_amount::DECIMAL(14, 2) AS paid_amount, /* paid for services of the 12 months, as known today, USD */
  COALESCE(reserves.paid_to_date, 0)::DECIMAL(14, 2) AS paid_to_date, /* of that, paid by the end of the as-of month; what ibnr_amount is to be added to, USD */
  compared.allowed_amount::DECIMAL(14, 2) AS allowed_amount, /* allowed for services of the 12 months, as known today, USD */
  compared.premium_amount::DECIMAL(14, 2) AS premium_amount, /* gross premium of the 12 months, USD */
  compared.member_months::INT AS member_months, /* member months of the 12 months */
  COALESCE(reserves.ibnr_amount, 0)::DECIMAL(14, 2) AS ibnr_amount, /* estimate, at the end of the as-of month, of what was still to be paid for services of the 12 months, USD */
  (
    CASE WHEN compared.months_a_year_before = 12 THEN compared.allowed_a_year_before END
  )::DECIMAL(14, 2) AS prior_allowed_amount, /* allowed for services of the 12 months before these, USD; NULL unless all hold data */
  (
    CASE WHEN compared.months_a_year_before = 12 THEN compared.member_months_a_year_before END
  )::INT AS prior_member_months, /* member months of the 12 months before these; NULL unless all hold data */
  compared.holds_data::INT AS months /* how many of the 12 months hold claims or coverage */
FROM compared
LEFT JOIN reserves
  ON reserves.tenant_id = compared.tenant_id AND reserves.as_of_month = compared.as_of_month;

AUDIT (
  name twelve_months_add_up
);

WITH coverage AS (
  SELECT
    ours.tenant_id,
    ours.as_of_month,
    SUM(covered.member_months) AS member_months,
    SUM(covered.premium_amount) AS premium_amount
  FROM @this_model AS ours
  INNER JOIN core.fct_member_month AS covered
    ON covered.tenant_id = ours.tenant_id
    AND covered.coverage_month <= ours.as_of_month
    AND covered.coverage_month > ours.as_of_month - INTERVAL '12' MONTH
  GROUP BY
    ours.tenant_id,
    ours.as_of_month
), claims AS (
  SELECT
    ours.tenant_id,
    ours.as_of_month,
    SUM(claim_lines.paid_amount) AS paid_amount
  FROM @this_model AS ours
  INNER JOIN core.fct_claim_line AS claim_lines
    ON claim_lines.tenant_id = ours.tenant_id
    AND claim_lines.service_date < ours.as_of_month + INTERVAL '1' MONTH
    AND claim_lines.service_date >= ours.as_of_month - INTERVAL '11' MONTH
  GROUP BY
    ours.tenant_id,
    ours.as_of_month
)
SELECT
  ours.tenant_id,
  ours.as_of_month
FROM @this_model AS ours
LEFT JOIN coverage
  ON coverage.tenant_id = ours.tenant_id AND coverage.as_of_month = ours.as_of_month
LEFT JOIN claims
  ON claims.tenant_id = ours.tenant_id AND claims.as_of_month = ours.as_of_month
WHERE
  ours.member_months <> COALESCE(coverage.member_months, 0)
  OR ours.premium_amount <> COALESCE(coverage.premium_amount, 0)
  OR ours.paid_amount <> COALESCE(claims.paid_amount, 0)
