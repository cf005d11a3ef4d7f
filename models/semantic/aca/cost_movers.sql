MODEL (
  name semantic.cost_movers,
  kind FULL,
  owner executive_reporting,
  grain (tenant_id, dimension, part),
  description 'Allowed cost of the latest months against the same months of the year before, by part of each of several dimensions. The two newest months are left out, whose claims are still coming in. What changed most?',
  audits (
    not_null(
      columns := (
        tenant_id,
        dimension,
        part,
        first_month,
        last_month,
        allowed_amount,
        prior_allowed_amount,
        member_months,
        prior_member_months
      )
    ),
    unique_combination_of_columns(columns := (tenant_id, dimension, part)),
    accepted_values(
      "column" := dimension,
      is_in := ('metal level', 'state', 'age group', 'service category', 'network status')
    ),
    forall(criteria := (
      first_month <= last_month
    )),
    each_dimension_has_all_cost()
  )
);

WITH services AS (
  SELECT
    tenant_id,
    period,
    service_category,
    network_status,
    claims_allowed
  FROM semantic.aca_cost_by_service
), members AS (
  SELECT
    tenant_id,
    period,
    metal_tier,
    state,
    age_group,
    claims_allowed,
    member_months
  FROM semantic.aca_metrics_detail
), coverage AS (
  SELECT
    tenant_id,
    period,
    SUM(member_months) AS member_months
  FROM members
  GROUP BY
    tenant_id,
    period
  HAVING
    SUM(member_months) > 0
), last_months AS (
  SELECT
    tenant_id,
    MAX(period) AS last_month
  FROM coverage
  GROUP BY
    tenant_id
), compared_months AS (
  SELECT
    latest.tenant_id,
    latest.period,
    earlier.period AS prior_period
  FROM coverage AS latest
  INNER JOIN last_months
    ON last_months.tenant_id = latest.tenant_id
    AND latest.period > last_months.last_month - INTERVAL '14' MONTH
    AND latest.period <= last_months.last_month - INTERVAL '2' MONTH
  INNER JOIN coverage AS earlier
    ON earlier.tenant_id = latest.tenant_id AND earlier.period = latest.period - INTERVAL '12' MONTH
), month_roles AS (
  SELECT
    tenant_id,
    period,
    FALSE AS is_prior
  FROM compared_months
  UNION ALL
  SELECT
    tenant_id,
    prior_period AS period,
    TRUE AS is_prior
  FROM compared_months
), part_months AS (
  SELECT
    tenant_id,
    period,
    'metal level' AS dimension,
    metal_tier AS part,
    claims_allowed,
    member_months
  FROM members
  UNION ALL
  SELECT
    tenant_id,
    period,
    'state' AS dimension,
    state AS part,
    claims_allowed,
    member_months
  FROM members
  UNION ALL
  SELECT
    tenant_id,
    period,
    'age group' AS dimension,
    age_group AS part,
    claims_allowed,
    member_months
  FROM members
  UNION ALL
  SELECT
    tenant_id,
    period,
    'service category' AS dimension,
    service_category AS part,
    claims_allowed,
    0 AS member_months
  FROM services
  UNION ALL
  SELECT
    tenant_id,
    period,
    'network status' AS dimension,
    network_status AS part,
    claims_allowed,
    0 AS member_months
  FROM services
), part_totals AS (
  SELECT
    part_months.tenant_id,
    part_months.dimension,
    part_months.part,
    SUM(CASE WHEN month_roles.is_prior THEN 0 ELSE part_months.claims_allowed END) AS allowed_amount,
    SUM(CASE WHEN month_roles.is_prior THEN part_months.claims_allowed ELSE 0 END) AS prior_allowed_amount,
    SUM(CASE WHEN month_roles.is_prior THEN 0 ELSE part_months.member_months END) AS member_months,
    SUM(CASE WHEN month_roles.is_prior THEN part_months.member_months ELSE 0 END) AS prior_member_months
  FROM part_months
  INNER JOIN month_roles
    ON month_roles.tenant_id = part_months.tenant_id AND month_roles.period = part_months.period
  GROUP BY
    part_months.tenant_id,
    part_months.dimension,
    part_months.part
), issuer_totals AS (
  SELECT
    month_roles.tenant_id,
    MIN(CASE WHEN NOT month_roles.is_prior THEN month_roles.period END) AS first_month,
    MAX(CASE WHEN NOT month_roles.is_prior THEN month_roles.period END) AS last_month,
    SUM(CASE WHEN month_roles.is_prior THEN 0 ELSE coverage.member_months END) AS member_months,
    SUM(CASE WHEN month_roles.is_prior THEN coverage.member_months ELSE 0 END) AS prior_member_months
  FROM month_roles
  INNER JOIN coverage
    ON coverage.tenant_id = month_roles.tenant_id AND coverage.period = month_roles.period
  GROUP BY
    month_roles.tenant_id
)
SELECT
  part_totals.tenant_id::TEXT AS tenant_id, /* issuer */
  part_totals.dimension::TEXT AS dimension, /* what the cost is split by: metal level, state, age group, service category or network status */
  part_totals.part::TEXT AS part, /* value of that dimension */
  issuer_totals.first_month::DATE AS first_month, /* first of the months compared */
  issuer_totals.last_month::DATE AS last_month, /* last of the months compared */
  part_totals.allowed_amount::DECIMAL(18, 2) AS allowed_amount, /* allowed in these months, USD */
  part_totals.prior_allowed_amount::DECIMAL(18, 2) AS prior_allowed_amount, /* allowed in the same months of the year before, USD */
  CASE
    WHEN part_totals.dimension IN ('service category', 'network status')
    THEN issuer_totals.member_months
    ELSE part_totals.member_months
  END::BIGINT AS member_months, /* member months of the part; of the issuer where members have no such part */
  CASE
    WHEN part_totals.dimension IN ('service category', 'network status')
    THEN issuer_totals.prior_member_months
    ELSE part_totals.prior_member_months
  END::BIGINT AS prior_member_months /* the same in the year before */
FROM part_totals
INNER JOIN issuer_totals
  ON issuer_totals.tenant_id = part_totals.tenant_id
WHERE
  part_totals.allowed_amount <> 0
  OR part_totals.prior_allowed_amount <> 0
  OR part_totals.member_months <> 0
  OR part_totals.prior_member_months <> 0
