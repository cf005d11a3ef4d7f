/* Made from the registry in semantic/: edit that, then run `granary metrics write`. */
MODEL (
  name semantic.aca_cost_by_service,
  kind FULL,
  owner analytics_engineering,
  grain (tenant_id, metal_tier, state, service_category, claim_type, network_status, period),
  depends_on (
    semantic.aca_metrics_monthly
  ),
  description 'Cost and use by service category, claim type and network, month of service, metal level and state. Which services drive the cost of a member''s month?',
  audits (
    not_null(columns := (tenant_id, metal_tier, state, service_category, claim_type, network_status, period)),
    unique_combination_of_columns(columns := (tenant_id, metal_tier, state, service_category, claim_type, network_status, period)),
    same_totals(
      columns := (
        claims_billed,
        claims_allowed,
        claims_paid,
        paid_lines,
        member_cost_share,
        deductible_paid,
        generic_fills,
        rx_fills,
        specialty_drug_allowed,
        drug_allowed,
        nonemergency_out_of_network_allowed,
        nonemergency_allowed
      ),
      other := semantic.aca_metrics_monthly
    ),
    same_totals_in_each_part(
      columns := (
        member_months
      ),
      parts := (service_category, claim_type, network_status),
      other := semantic.aca_metrics_monthly
    )
  )
);

WITH measured AS (
  WITH claim_line_by_service_date AS (
    SELECT
      DATE_TRUNC('MONTH', claim_line.service_date)::DATE AS period,
      COALESCE(claim_line.tenant_id::TEXT, 'unknown') AS tenant_id,
      COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
      COALESCE(geography.state::TEXT, 'unknown') AS state,
      COALESCE(procedure.procedure_category::TEXT, 'unknown') AS service_category,
      COALESCE(claim_line.claim_type::TEXT, 'unknown') AS claim_type,
      COALESCE(CASE WHEN claim_line.in_network THEN 'in network' ELSE 'out of network' END::TEXT, 'unknown') AS network_status,
      SUM(CASE WHEN claim_line.claim_status IN ('paid', 'denied') THEN claim_line.claim_amount END) AS claims_billed,
      SUM(CASE WHEN claim_line.claim_status = 'paid' THEN claim_line.allowed_amount END) AS claims_allowed,
      SUM(CASE WHEN claim_line.claim_status = 'paid' THEN claim_line.paid_amount END) AS claims_paid,
      COUNT(CASE WHEN claim_line.claim_status = 'paid' THEN 1 END) AS paid_lines,
      SUM(
        CASE
          WHEN claim_line.claim_status = 'paid'
          THEN claim_line.deductible + claim_line.copay + claim_line.coinsurance
        END
      ) AS member_cost_share,
      SUM(CASE WHEN claim_line.claim_status = 'paid' THEN claim_line.deductible END) AS deductible_paid,
      SUM(
        CASE
          WHEN claim_line.claim_status = 'paid' AND procedure.drug_class = 'generic'
          THEN claim_line.units
        END
      ) AS generic_fills,
      SUM(
        CASE
          WHEN claim_line.claim_status = 'paid' AND NOT procedure.drug_class IS NULL
          THEN claim_line.units
        END
      ) AS rx_fills,
      SUM(
        CASE
          WHEN claim_line.claim_status = 'paid' AND procedure.drug_class = 'specialty'
          THEN claim_line.allowed_amount
        END
      ) AS specialty_drug_allowed,
      SUM(
        CASE
          WHEN claim_line.claim_status = 'paid' AND NOT procedure.drug_class IS NULL
          THEN claim_line.allowed_amount
        END
      ) AS drug_allowed,
      SUM(
        CASE
          WHEN claim_line.claim_status = 'paid'
          AND NOT claim_line.in_network
          AND COALESCE(procedure.procedure_category, 'unknown') <> 'emergency'
          THEN claim_line.allowed_amount
        END
      ) AS nonemergency_out_of_network_allowed,
      SUM(
        CASE
          WHEN claim_line.claim_status = 'paid' AND COALESCE(procedure.procedure_category, 'unknown') <> 'emergency'
          THEN claim_line.allowed_amount
        END
      ) AS nonemergency_allowed
    FROM core.fct_claim_line AS claim_line
    LEFT JOIN core.dim_geography AS geography
      ON geography.geography_sk = claim_line.geography_sk
    LEFT JOIN core.dim_plan AS plan
      ON plan.plan_sk = claim_line.plan_sk
    LEFT JOIN core.dim_procedure AS procedure
      ON procedure.procedure_code = claim_line.procedure_code
    WHERE
      NOT claim_line.service_date IS NULL
    GROUP BY
      1,
      2,
      3,
      4,
      5,
      6,
      7
  )
  SELECT
    claim_line_by_service_date.period,
    claim_line_by_service_date.tenant_id,
    claim_line_by_service_date.metal_tier,
    claim_line_by_service_date.state,
    claim_line_by_service_date.service_category,
    claim_line_by_service_date.claim_type,
    claim_line_by_service_date.network_status,
    COALESCE(claims_billed, 0)::DECIMAL(20, 2) AS claims_billed,
    COALESCE(claims_allowed, 0)::DECIMAL(20, 2) AS claims_allowed,
    COALESCE(claims_paid, 0)::DECIMAL(20, 2) AS claims_paid,
    COALESCE(paid_lines, 0)::BIGINT AS paid_lines,
    COALESCE(member_cost_share, 0)::DECIMAL(20, 2) AS member_cost_share,
    COALESCE(deductible_paid, 0)::DECIMAL(20, 2) AS deductible_paid,
    COALESCE(generic_fills, 0)::BIGINT AS generic_fills,
    COALESCE(rx_fills, 0)::BIGINT AS rx_fills,
    COALESCE(specialty_drug_allowed, 0)::DECIMAL(20, 2) AS specialty_drug_allowed,
    COALESCE(drug_allowed, 0)::DECIMAL(20, 2) AS drug_allowed,
    COALESCE(nonemergency_out_of_network_allowed, 0)::DECIMAL(20, 2) AS nonemergency_out_of_network_allowed,
    COALESCE(nonemergency_allowed, 0)::DECIMAL(20, 2) AS nonemergency_allowed
  FROM claim_line_by_service_date
), exposed AS (
  WITH member_month_by_coverage_month AS (
    SELECT
      DATE_TRUNC('MONTH', member_month.coverage_month)::DATE AS period,
      COALESCE(member_month.tenant_id::TEXT, 'unknown') AS tenant_id,
      COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
      COALESCE(geography.state::TEXT, 'unknown') AS state,
      SUM(member_month.member_months) AS member_months
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
      4
  )
  SELECT
    member_month_by_coverage_month.period,
    member_month_by_coverage_month.tenant_id,
    member_month_by_coverage_month.metal_tier,
    member_month_by_coverage_month.state,
    COALESCE(member_months, 0)::DECIMAL(20, 2) AS member_months
  FROM member_month_by_coverage_month
), cells AS (
  SELECT
    period,
    tenant_id,
    metal_tier,
    state
  FROM measured
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state
  FROM exposed
), parts AS (
  SELECT DISTINCT
    service_category,
    claim_type,
    network_status
  FROM measured
)
SELECT
  cells.period::DATE AS period, /* first day of the month */
  cells.tenant_id::TEXT AS tenant_id, /* tenant whose data it is */
  cells.metal_tier::TEXT AS metal_tier, /* metal level */
  cells.state::TEXT AS state, /* state */
  parts.service_category::TEXT AS service_category, /* service category */
  parts.claim_type::TEXT AS claim_type, /* claim type */
  parts.network_status::TEXT AS network_status, /* network status */
  COALESCE(measured.claims_billed, 0)::DECIMAL(20, 2) AS claims_billed, /* Claims billed, USD */
  COALESCE(measured.claims_allowed, 0)::DECIMAL(20, 2) AS claims_allowed, /* Claims allowed, USD */
  COALESCE(exposed.member_months, 0)::DECIMAL(20, 2) AS member_months, /* Member months, months; the same for every service category and claim type and network status */
  COALESCE(measured.claims_paid, 0)::DECIMAL(20, 2) AS claims_paid, /* Claims paid, USD */
  COALESCE(measured.paid_lines, 0)::BIGINT AS paid_lines, /* Paid lines, claim lines */
  COALESCE(measured.member_cost_share, 0)::DECIMAL(20, 2) AS member_cost_share, /* Member cost share, USD */
  COALESCE(measured.deductible_paid, 0)::DECIMAL(20, 2) AS deductible_paid, /* Deductible, USD */
  COALESCE(measured.generic_fills, 0)::BIGINT AS generic_fills, /* Generic fills, fills */
  COALESCE(measured.rx_fills, 0)::BIGINT AS rx_fills, /* Prescription fills, fills */
  COALESCE(measured.specialty_drug_allowed, 0)::DECIMAL(20, 2) AS specialty_drug_allowed, /* Specialty drug spend, USD */
  COALESCE(measured.drug_allowed, 0)::DECIMAL(20, 2) AS drug_allowed, /* Drug spend, USD */
  COALESCE(measured.nonemergency_out_of_network_allowed, 0)::DECIMAL(20, 2) AS nonemergency_out_of_network_allowed, /* Allowed out of network outside emergencies, USD */
  COALESCE(measured.nonemergency_allowed, 0)::DECIMAL(20, 2) AS nonemergency_allowed /* Allowed outside emergencies, USD */
FROM cells
CROSS JOIN parts
LEFT JOIN measured
  ON measured.period = cells.period
  AND measured.tenant_id = cells.tenant_id
  AND measured.metal_tier = cells.metal_tier
  AND measured.state = cells.state
  AND measured.service_category = parts.service_category
  AND measured.claim_type = parts.claim_type
  AND measured.network_status = parts.network_status
LEFT JOIN exposed
  ON exposed.period = cells.period
  AND exposed.tenant_id = cells.tenant_id
  AND exposed.metal_tier = cells.metal_tier
  AND exposed.state = cells.state
