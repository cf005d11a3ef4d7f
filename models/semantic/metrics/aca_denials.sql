/* Made from the registry in semantic/: edit that, then run `granary metrics write`. */
MODEL (
  name semantic.aca_denials,
  kind FULL,
  owner analytics_engineering,
  grain (tenant_id, state, claim_type, network_status, denial_bucket, denial_reason_code, period),
  depends_on (
    semantic.aca_metrics_monthly
  ),
  description 'Lines decided and denied by reason, claim type and network, by month of decision. What are claims denied for?',
  audits (
    not_null(columns := (tenant_id, state, claim_type, network_status, denial_bucket, denial_reason_code, period)),
    unique_combination_of_columns(columns := (tenant_id, state, claim_type, network_status, denial_bucket, denial_reason_code, period)),
    same_totals(
      columns := (lines_denied, lines_decided, billed_denied, billed_decided),
      other := semantic.aca_metrics_monthly
    ),
    same_totals_in_each_part(
      columns := (
        lines_denied_all_reasons
      ),
      parts := (denial_bucket, denial_reason_code),
      other := semantic.aca_metrics_monthly
    )
  )
);

WITH measured AS (
  WITH claim_line_by_adjudicated_date AS (
    SELECT
      DATE_TRUNC('MONTH', claim_line.adjudicated_date)::DATE AS period,
      COALESCE(claim_line.tenant_id::TEXT, 'unknown') AS tenant_id,
      COALESCE(geography.state::TEXT, 'unknown') AS state,
      COALESCE(claim_line.claim_type::TEXT, 'unknown') AS claim_type,
      COALESCE(CASE WHEN claim_line.in_network THEN 'in network' ELSE 'out of network' END::TEXT, 'unknown') AS network_status,
      COALESCE(denial_reason.denial_bucket::TEXT, 'unknown') AS denial_bucket,
      COALESCE(denial_reason.denial_reason_code::TEXT, 'unknown') AS denial_reason_code,
      COUNT(CASE WHEN claim_line.claim_status = 'denied' THEN 1 END) AS lines_denied,
      COUNT(CASE WHEN claim_line.claim_status IN ('paid', 'denied') THEN 1 END) AS lines_decided,
      SUM(CASE WHEN claim_line.claim_status = 'denied' THEN claim_line.claim_amount END) AS billed_denied,
      SUM(CASE WHEN claim_line.claim_status IN ('paid', 'denied') THEN claim_line.claim_amount END) AS billed_decided
    FROM core.fct_claim_line AS claim_line
    LEFT JOIN core.dim_denial_reason AS denial_reason
      ON denial_reason.denial_reason_code = claim_line.denial_reason_code
    LEFT JOIN core.dim_geography AS geography
      ON geography.geography_sk = claim_line.geography_sk
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
  )
  SELECT
    claim_line_by_adjudicated_date.period,
    claim_line_by_adjudicated_date.tenant_id,
    claim_line_by_adjudicated_date.state,
    claim_line_by_adjudicated_date.claim_type,
    claim_line_by_adjudicated_date.network_status,
    claim_line_by_adjudicated_date.denial_bucket,
    claim_line_by_adjudicated_date.denial_reason_code,
    COALESCE(lines_denied, 0)::BIGINT AS lines_denied,
    COALESCE(lines_decided, 0)::BIGINT AS lines_decided,
    COALESCE(billed_denied, 0)::DECIMAL(20, 2) AS billed_denied,
    COALESCE(billed_decided, 0)::DECIMAL(20, 2) AS billed_decided
  FROM claim_line_by_adjudicated_date
), exposed AS (
  WITH denied_line_total_by_adjudicated_date AS (
    SELECT
      DATE_TRUNC('MONTH', denied_line_total.adjudicated_date)::DATE AS period,
      COALESCE(denied_line_total.tenant_id::TEXT, 'unknown') AS tenant_id,
      COALESCE(geography.state::TEXT, 'unknown') AS state,
      COALESCE(denied_line_total.claim_type::TEXT, 'unknown') AS claim_type,
      COALESCE(CASE WHEN denied_line_total.in_network THEN 'in network' ELSE 'out of network' END::TEXT, 'unknown') AS network_status,
      COUNT(CASE WHEN denied_line_total.claim_status = 'denied' THEN 1 END) AS lines_denied_all_reasons
    FROM core.fct_claim_line AS denied_line_total
    LEFT JOIN core.dim_geography AS geography
      ON geography.geography_sk = denied_line_total.geography_sk
    WHERE
      NOT denied_line_total.adjudicated_date IS NULL
    GROUP BY
      1,
      2,
      3,
      4,
      5
  )
  SELECT
    denied_line_total_by_adjudicated_date.period,
    denied_line_total_by_adjudicated_date.tenant_id,
    denied_line_total_by_adjudicated_date.state,
    denied_line_total_by_adjudicated_date.claim_type,
    denied_line_total_by_adjudicated_date.network_status,
    COALESCE(lines_denied_all_reasons, 0)::BIGINT AS lines_denied_all_reasons
  FROM denied_line_total_by_adjudicated_date
), cells AS (
  SELECT
    period,
    tenant_id,
    state,
    claim_type,
    network_status
  FROM measured
  UNION
  SELECT
    period,
    tenant_id,
    state,
    claim_type,
    network_status
  FROM exposed
), parts AS (
  SELECT DISTINCT
    denial_bucket,
    denial_reason_code
  FROM measured
)
SELECT
  cells.period::DATE AS period, /* first day of the month */
  cells.tenant_id::TEXT AS tenant_id, /* tenant whose data it is */
  cells.state::TEXT AS state, /* state */
  cells.claim_type::TEXT AS claim_type, /* claim type */
  cells.network_status::TEXT AS network_status, /* network status */
  parts.denial_bucket::TEXT AS denial_bucket, /* denial bucket */
  parts.denial_reason_code::TEXT AS denial_reason_code, /* denial reason */
  COALESCE(measured.lines_denied, 0)::BIGINT AS lines_denied, /* Lines denied, claim lines */
  COALESCE(measured.lines_decided, 0)::BIGINT AS lines_decided, /* Lines decided, claim lines */
  COALESCE(measured.billed_denied, 0)::DECIMAL(20, 2) AS billed_denied, /* Billed on denied lines, USD */
  COALESCE(measured.billed_decided, 0)::DECIMAL(20, 2) AS billed_decided, /* Billed on decided lines, USD */
  COALESCE(exposed.lines_denied_all_reasons, 0)::BIGINT AS lines_denied_all_reasons /* Lines denied for any reason, claim lines; the same for every denial bucket and denial reason */
FROM cells
CROSS JOIN parts
LEFT JOIN measured
  ON measured.period = cells.period
  AND measured.tenant_id = cells.tenant_id
  AND measured.state = cells.state
  AND measured.claim_type = cells.claim_type
  AND measured.network_status = cells.network_status
  AND measured.denial_bucket = parts.denial_bucket
  AND measured.denial_reason_code = parts.denial_reason_code
LEFT JOIN exposed
  ON exposed.period = cells.period
  AND exposed.tenant_id = cells.tenant_id
  AND exposed.state = cells.state
  AND exposed.claim_type = cells.claim_type
  AND exposed.network_status = cells.network_status
