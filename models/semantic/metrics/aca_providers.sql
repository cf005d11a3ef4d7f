/* Made from the registry in semantic/: edit that, then run `granary metrics write`. */
MODEL (
  name semantic.aca_providers,
  kind FULL,
  owner analytics_engineering,
  grain (tenant_id, state, specialty, provider_id, provider_name, network_status, period),
  depends_on (
    semantic.aca_metrics_monthly
  ),
  description 'What each provider did, month by month, inside and outside the network. Who treats members at what cost, and whose claims are denied?',
  audits (
    not_null(columns := (tenant_id, state, specialty, provider_id, provider_name, network_status, period)),
    unique_combination_of_columns(columns := (tenant_id, state, specialty, provider_id, provider_name, network_status, period)),
    same_totals(
      columns := (
        claims_billed,
        claims_paid,
        claims_allowed,
        paid_lines,
        out_of_network_allowed,
        nonemergency_out_of_network_allowed,
        nonemergency_allowed,
        lines_denied,
        lines_decided,
        billed_denied,
        billed_decided
      ),
      other := semantic.aca_metrics_monthly
    )
  )
);

WITH claim_line_by_adjudicated_date AS (
  SELECT
    DATE_TRUNC('MONTH', claim_line.adjudicated_date)::DATE AS period,
    COALESCE(claim_line.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(provider.specialty::TEXT, 'unknown') AS specialty,
    COALESCE(provider.provider_id::TEXT, 'unknown') AS provider_id,
    COALESCE(provider.name::TEXT, 'unknown') AS provider_name,
    COALESCE(CASE WHEN claim_line.in_network THEN 'in network' ELSE 'out of network' END::TEXT, 'unknown') AS network_status,
    COUNT(CASE WHEN claim_line.claim_status = 'denied' THEN 1 END) AS lines_denied,
    COUNT(CASE WHEN claim_line.claim_status IN ('paid', 'denied') THEN 1 END) AS lines_decided,
    SUM(CASE WHEN claim_line.claim_status = 'denied' THEN claim_line.claim_amount END) AS billed_denied,
    SUM(CASE WHEN claim_line.claim_status IN ('paid', 'denied') THEN claim_line.claim_amount END) AS billed_decided
  FROM core.fct_claim_line AS claim_line
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = claim_line.geography_sk
  LEFT JOIN core.dim_provider AS provider
    ON provider.provider_sk = claim_line.provider_sk
  WHERE
    NOT claim_line.adjudicated_date IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6,
    7
), claim_line_by_service_date AS (
  SELECT
    DATE_TRUNC('MONTH', claim_line.service_date)::DATE AS period,
    COALESCE(claim_line.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(provider.specialty::TEXT, 'unknown') AS specialty,
    COALESCE(provider.provider_id::TEXT, 'unknown') AS provider_id,
    COALESCE(provider.name::TEXT, 'unknown') AS provider_name,
    COALESCE(CASE WHEN claim_line.in_network THEN 'in network' ELSE 'out of network' END::TEXT, 'unknown') AS network_status,
    SUM(CASE WHEN claim_line.claim_status IN ('paid', 'denied') THEN claim_line.claim_amount END) AS claims_billed,
    SUM(CASE WHEN claim_line.claim_status = 'paid' THEN claim_line.paid_amount END) AS claims_paid,
    SUM(CASE WHEN claim_line.claim_status = 'paid' THEN claim_line.allowed_amount END) AS claims_allowed,
    COUNT(CASE WHEN claim_line.claim_status = 'paid' THEN 1 END) AS paid_lines,
    SUM(
      CASE
        WHEN claim_line.claim_status = 'paid' AND NOT claim_line.in_network
        THEN claim_line.allowed_amount
      END
    ) AS out_of_network_allowed,
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
  LEFT JOIN core.dim_procedure AS procedure
    ON procedure.procedure_code = claim_line.procedure_code
  LEFT JOIN core.dim_provider AS provider
    ON provider.provider_sk = claim_line.provider_sk
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
), keys AS (
  SELECT
    period,
    tenant_id,
    state,
    specialty,
    provider_id,
    provider_name,
    network_status
  FROM claim_line_by_adjudicated_date
  UNION
  SELECT
    period,
    tenant_id,
    state,
    specialty,
    provider_id,
    provider_name,
    network_status
  FROM claim_line_by_service_date
)
SELECT
  keys.period::DATE AS period, /* first day of the month */
  keys.tenant_id::TEXT AS tenant_id, /* tenant whose data it is */
  keys.state::TEXT AS state, /* state */
  keys.specialty::TEXT AS specialty, /* specialty */
  keys.provider_id::TEXT AS provider_id, /* provider */
  keys.provider_name::TEXT AS provider_name, /* provider name */
  keys.network_status::TEXT AS network_status, /* network status */
  COALESCE(claims_billed, 0)::DECIMAL(20, 2) AS claims_billed, /* Claims billed, USD */
  COALESCE(claims_paid, 0)::DECIMAL(20, 2) AS claims_paid, /* Claims paid, USD */
  COALESCE(claims_allowed, 0)::DECIMAL(20, 2) AS claims_allowed, /* Claims allowed, USD */
  COALESCE(paid_lines, 0)::BIGINT AS paid_lines, /* Paid lines, claim lines */
  COALESCE(out_of_network_allowed, 0)::DECIMAL(20, 2) AS out_of_network_allowed, /* Allowed out of network, USD */
  COALESCE(nonemergency_out_of_network_allowed, 0)::DECIMAL(20, 2) AS nonemergency_out_of_network_allowed, /* Allowed out of network outside emergencies, USD */
  COALESCE(nonemergency_allowed, 0)::DECIMAL(20, 2) AS nonemergency_allowed, /* Allowed outside emergencies, USD */
  COALESCE(lines_denied, 0)::BIGINT AS lines_denied, /* Lines denied, claim lines */
  COALESCE(lines_decided, 0)::BIGINT AS lines_decided, /* Lines decided, claim lines */
  COALESCE(billed_denied, 0)::DECIMAL(20, 2) AS billed_denied, /* Billed on denied lines, USD */
  COALESCE(billed_decided, 0)::DECIMAL(20, 2) AS billed_decided /* Billed on decided lines, USD */
FROM keys
LEFT JOIN claim_line_by_adjudicated_date
  ON claim_line_by_adjudicated_date.period = keys.period
  AND claim_line_by_adjudicated_date.tenant_id = keys.tenant_id
  AND claim_line_by_adjudicated_date.state = keys.state
  AND claim_line_by_adjudicated_date.specialty = keys.specialty
  AND claim_line_by_adjudicated_date.provider_id = keys.provider_id
  AND claim_line_by_adjudicated_date.provider_name = keys.provider_name
  AND claim_line_by_adjudicated_date.network_status = keys.network_status
LEFT JOIN claim_line_by_service_date
  ON claim_line_by_service_date.period = keys.period
  AND claim_line_by_service_date.tenant_id = keys.tenant_id
  AND claim_line_by_service_date.state = keys.state
  AND claim_line_by_service_date.specialty = keys.specialty
  AND claim_line_by_service_date.provider_id = keys.provider_id
  AND claim_line_by_service_date.provider_name = keys.provider_name
  AND claim_line_by_service_date.network_status = keys.network_status
