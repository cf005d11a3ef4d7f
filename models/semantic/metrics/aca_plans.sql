/* Made from the registry in semantic/: edit that, then run `granary metrics write`. */
MODEL (
  name semantic.aca_plans,
  kind FULL,
  owner analytics_engineering,
  grain (tenant_id, state, metal_tier, network_type, csr_variant, plan_id, plan_name, period),
  depends_on (
    semantic.aca_metrics_monthly
  ),
  description 'Coverage, premium and cost of each plan by month. Which plans grow, and which cost more than they earn?',
  audits (
    not_null(columns := (tenant_id, state, metal_tier, network_type, csr_variant, plan_id, plan_name, period)),
    unique_combination_of_columns(columns := (tenant_id, state, metal_tier, network_type, csr_variant, plan_id, plan_name, period)),
    same_totals(
      columns := (
        effectuated_enrollment,
        gross_premium,
        member_months,
        aptc_member_months,
        csr_member_months,
        aptc_amount,
        claims_allowed,
        claims_paid,
        member_cost_share,
        premium_collected,
        premium_billed
      ),
      other := semantic.aca_metrics_monthly
    )
  )
);

WITH claim_line_by_service_date AS (
  SELECT
    DATE_TRUNC('MONTH', claim_line.service_date)::DATE AS period,
    COALESCE(claim_line.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(plan.network_type::TEXT, 'unknown') AS network_type,
    COALESCE(plan.csr_variant::TEXT, 'unknown') AS csr_variant,
    COALESCE(plan.plan_id::TEXT, 'unknown') AS plan_id,
    COALESCE(plan.plan_name::TEXT, 'unknown') AS plan_name,
    SUM(CASE WHEN claim_line.claim_status = 'paid' THEN claim_line.allowed_amount END) AS claims_allowed,
    SUM(CASE WHEN claim_line.claim_status = 'paid' THEN claim_line.paid_amount END) AS claims_paid,
    SUM(
      CASE
        WHEN claim_line.claim_status = 'paid'
        THEN claim_line.deductible + claim_line.copay + claim_line.coinsurance
      END
    ) AS member_cost_share
  FROM core.fct_claim_line AS claim_line
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = claim_line.geography_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = claim_line.plan_sk
  WHERE
    NOT claim_line.service_date IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8
), member_month_by_coverage_month AS (
  SELECT
    DATE_TRUNC('MONTH', member_month.coverage_month)::DATE AS period,
    COALESCE(member_month.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(plan.network_type::TEXT, 'unknown') AS network_type,
    COALESCE(plan.csr_variant::TEXT, 'unknown') AS csr_variant,
    COALESCE(plan.plan_id::TEXT, 'unknown') AS plan_id,
    COALESCE(plan.plan_name::TEXT, 'unknown') AS plan_name,
    SUM(member_month.premium_amount) AS gross_premium,
    SUM(member_month.member_months) AS member_months,
    SUM(CASE WHEN member_month.aptc_amount > 0 THEN member_month.member_months END) AS aptc_member_months,
    SUM(CASE WHEN plan.csr_variant IN ('02', '03', '04', '05', '06') THEN member_month.member_months END) AS csr_member_months,
    SUM(member_month.aptc_amount) AS aptc_amount
  FROM core.fct_member_month AS member_month
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = member_month.geography_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = member_month.plan_sk
  WHERE
    NOT member_month.coverage_month IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8
), member_month_last_coverage_month_instants AS (
  SELECT
    member_month.tenant_id,
    MAX(member_month.coverage_month) AS instant
  FROM core.fct_member_month AS member_month
  GROUP BY
    member_month.tenant_id,
    DATE_TRUNC('MONTH', member_month.coverage_month)::DATE
), member_month_last_coverage_month AS (
  SELECT
    DATE_TRUNC('MONTH', member_month.coverage_month)::DATE AS period,
    COALESCE(member_month.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(plan.network_type::TEXT, 'unknown') AS network_type,
    COALESCE(plan.csr_variant::TEXT, 'unknown') AS csr_variant,
    COALESCE(plan.plan_id::TEXT, 'unknown') AS plan_id,
    COALESCE(plan.plan_name::TEXT, 'unknown') AS plan_name,
    SUM(member_month.member_months) AS effectuated_enrollment
  FROM core.fct_member_month AS member_month
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = member_month.geography_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = member_month.plan_sk
  INNER JOIN member_month_last_coverage_month_instants
    ON member_month_last_coverage_month_instants.instant = member_month.coverage_month
    AND member_month_last_coverage_month_instants.tenant_id = member_month.tenant_id
  WHERE
    NOT member_month.coverage_month IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8
), premium_invoice_by_due_date AS (
  SELECT
    DATE_TRUNC('MONTH', premium_invoice.due_date)::DATE AS period,
    COALESCE(premium_invoice.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(plan.network_type::TEXT, 'unknown') AS network_type,
    COALESCE(plan.csr_variant::TEXT, 'unknown') AS csr_variant,
    COALESCE(plan.plan_id::TEXT, 'unknown') AS plan_id,
    COALESCE(plan.plan_name::TEXT, 'unknown') AS plan_name,
    SUM(premium_invoice.collected_amount) AS premium_collected,
    SUM(premium_invoice.billed_amount) AS premium_billed
  FROM core.fct_premium_invoice AS premium_invoice
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = premium_invoice.geography_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = premium_invoice.plan_sk
  WHERE
    NOT premium_invoice.due_date IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8
), keys AS (
  SELECT
    period,
    tenant_id,
    state,
    metal_tier,
    network_type,
    csr_variant,
    plan_id,
    plan_name
  FROM claim_line_by_service_date
  UNION
  SELECT
    period,
    tenant_id,
    state,
    metal_tier,
    network_type,
    csr_variant,
    plan_id,
    plan_name
  FROM member_month_by_coverage_month
  UNION
  SELECT
    period,
    tenant_id,
    state,
    metal_tier,
    network_type,
    csr_variant,
    plan_id,
    plan_name
  FROM member_month_last_coverage_month
  UNION
  SELECT
    period,
    tenant_id,
    state,
    metal_tier,
    network_type,
    csr_variant,
    plan_id,
    plan_name
  FROM premium_invoice_by_due_date
)
SELECT
  keys.period::DATE AS period, /* first day of the month */
  keys.tenant_id::TEXT AS tenant_id, /* tenant whose data it is */
  keys.state::TEXT AS state, /* state */
  keys.metal_tier::TEXT AS metal_tier, /* metal level */
  keys.network_type::TEXT AS network_type, /* network type */
  keys.csr_variant::TEXT AS csr_variant, /* cost-sharing variant */
  keys.plan_id::TEXT AS plan_id, /* plan */
  keys.plan_name::TEXT AS plan_name, /* plan name */
  COALESCE(effectuated_enrollment, 0)::BIGINT AS effectuated_enrollment, /* Members in force, members */
  COALESCE(gross_premium, 0)::DECIMAL(20, 2) AS gross_premium, /* Gross premium, USD */
  COALESCE(member_months, 0)::DECIMAL(20, 2) AS member_months, /* Member months, months */
  COALESCE(aptc_member_months, 0)::DECIMAL(20, 2) AS aptc_member_months, /* Member months with tax credit, months */
  COALESCE(csr_member_months, 0)::DECIMAL(20, 2) AS csr_member_months, /* Member months with reduced cost sharing, months */
  COALESCE(aptc_amount, 0)::DECIMAL(20, 2) AS aptc_amount, /* Advance premium tax credit, USD */
  COALESCE(claims_allowed, 0)::DECIMAL(20, 2) AS claims_allowed, /* Claims allowed, USD */
  COALESCE(claims_paid, 0)::DECIMAL(20, 2) AS claims_paid, /* Claims paid, USD */
  COALESCE(member_cost_share, 0)::DECIMAL(20, 2) AS member_cost_share, /* Member cost share, USD */
  COALESCE(premium_collected, 0)::DECIMAL(20, 2) AS premium_collected, /* Premium collected, USD */
  COALESCE(premium_billed, 0)::DECIMAL(20, 2) AS premium_billed /* Premium billed, USD */
FROM keys
LEFT JOIN claim_line_by_service_date
  ON claim_line_by_service_date.period = keys.period
  AND claim_line_by_service_date.tenant_id = keys.tenant_id
  AND claim_line_by_service_date.state = keys.state
  AND claim_line_by_service_date.metal_tier = keys.metal_tier
  AND claim_line_by_service_date.network_type = keys.network_type
  AND claim_line_by_service_date.csr_variant = keys.csr_variant
  AND claim_line_by_service_date.plan_id = keys.plan_id
  AND claim_line_by_service_date.plan_name = keys.plan_name
LEFT JOIN member_month_by_coverage_month
  ON member_month_by_coverage_month.period = keys.period
  AND member_month_by_coverage_month.tenant_id = keys.tenant_id
  AND member_month_by_coverage_month.state = keys.state
  AND member_month_by_coverage_month.metal_tier = keys.metal_tier
  AND member_month_by_coverage_month.network_type = keys.network_type
  AND member_month_by_coverage_month.csr_variant = keys.csr_variant
  AND member_month_by_coverage_month.plan_id = keys.plan_id
  AND member_month_by_coverage_month.plan_name = keys.plan_name
LEFT JOIN member_month_last_coverage_month
  ON member_month_last_coverage_month.period = keys.period
  AND member_month_last_coverage_month.tenant_id = keys.tenant_id
  AND member_month_last_coverage_month.state = keys.state
  AND member_month_last_coverage_month.metal_tier = keys.metal_tier
  AND member_month_last_coverage_month.network_type = keys.network_type
  AND member_month_last_coverage_month.csr_variant = keys.csr_variant
  AND member_month_last_coverage_month.plan_id = keys.plan_id
  AND member_month_last_coverage_month.plan_name = keys.plan_name
LEFT JOIN premium_invoice_by_due_date
  ON premium_invoice_by_due_date.period = keys.period
  AND premium_invoice_by_due_date.tenant_id = keys.tenant_id
  AND premium_invoice_by_due_date.state = keys.state
  AND premium_invoice_by_due_date.metal_tier = keys.metal_tier
  AND premium_invoice_by_due_date.network_type = keys.network_type
  AND premium_invoice_by_due_date.csr_variant = keys.csr_variant
  AND premium_invoice_by_due_date.plan_id = keys.plan_id
  AND premium_invoice_by_due_date.plan_name = keys.plan_name
