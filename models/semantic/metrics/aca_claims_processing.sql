/* Made from the registry in semantic/: edit that, then run `granary metrics write`. */
MODEL (
  name semantic.aca_claims_processing,
  kind FULL,
  owner analytics_engineering,
  grain (tenant_id, metal_tier, state, claim_type, network_status, period),
  depends_on (
    semantic.aca_metrics_monthly
  ),
  description 'How claims go through the house, by claim type, network, metal level and state, each by the month of its own event. Are claims decided promptly, and right the first time?',
  audits (
    not_null(columns := (tenant_id, metal_tier, state, claim_type, network_status, period)),
    unique_combination_of_columns(columns := (tenant_id, metal_tier, state, claim_type, network_status, period)),
    same_totals(
      columns := (
        claims_denied,
        claims_decided,
        clean_claims,
        claims_received,
        claims_ever_pended,
        prompt_claims,
        claims_corrected,
        claims_paid_count,
        claims_appealed,
        claims_with_denial,
        days_spent_to_receipt,
        days_spent_to_decision
      ),
      other := semantic.aca_metrics_monthly
    )
  )
);

WITH claim_by_denial_date AS (
  SELECT
    DATE_TRUNC('MONTH', claim.denial_date)::DATE AS period,
    COALESCE(claim.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(claim.claim_type::TEXT, 'unknown') AS claim_type,
    COALESCE(CASE WHEN claim.in_network THEN 'in network' ELSE 'out of network' END::TEXT, 'unknown') AS network_status,
    COUNT(CASE WHEN claim.has_denied_line AND claim.is_appealed THEN 1 END) AS claims_appealed,
    COUNT(CASE WHEN claim.has_denied_line THEN 1 END) AS claims_with_denial
  FROM core.fct_claim_processing AS claim
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = claim.geography_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = claim.plan_sk
  WHERE
    NOT claim.denial_date IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), claim_by_first_decided_date AS (
  SELECT
    DATE_TRUNC('MONTH', claim.first_decided_date)::DATE AS period,
    COALESCE(claim.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(claim.claim_type::TEXT, 'unknown') AS claim_type,
    COALESCE(CASE WHEN claim.in_network THEN 'in network' ELSE 'out of network' END::TEXT, 'unknown') AS network_status,
    COUNT(CASE WHEN claim.is_denied THEN 1 END) AS claims_denied,
    COUNT(1) AS claims_decided,
    COUNT(
      CASE
        WHEN claim.final_status IN ('paid', 'reversed') AND (
          claim.is_adjusted OR claim.is_reversed
        )
        THEN 1
      END
    ) AS claims_corrected,
    COUNT(CASE WHEN claim.final_status IN ('paid', 'reversed') THEN 1 END) AS claims_paid_count,
    SUM(claim.days_to_decision) AS days_spent_to_decision
  FROM core.fct_claim_processing AS claim
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = claim.geography_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = claim.plan_sk
  WHERE
    NOT claim.first_decided_date IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), claim_by_received_date AS (
  SELECT
    DATE_TRUNC('MONTH', claim.received_date)::DATE AS period,
    COALESCE(claim.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(claim.claim_type::TEXT, 'unknown') AS claim_type,
    COALESCE(CASE WHEN claim.in_network THEN 'in network' ELSE 'out of network' END::TEXT, 'unknown') AS network_status,
    COUNT(CASE WHEN claim.is_clean THEN 1 END) AS clean_claims,
    COUNT(1) AS claims_received,
    COUNT(CASE WHEN claim.is_ever_pended THEN 1 END) AS claims_ever_pended,
    COUNT(CASE WHEN claim.is_prompt THEN 1 END) AS prompt_claims,
    SUM(claim.days_to_receipt) AS days_spent_to_receipt
  FROM core.fct_claim_processing AS claim
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = claim.geography_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = claim.plan_sk
  WHERE
    NOT claim.received_date IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), keys AS (
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    claim_type,
    network_status
  FROM claim_by_denial_date
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    claim_type,
    network_status
  FROM claim_by_first_decided_date
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    claim_type,
    network_status
  FROM claim_by_received_date
)
SELECT
  keys.period::DATE AS period, /* first day of the month */
  keys.tenant_id::TEXT AS tenant_id, /* tenant whose data it is */
  keys.metal_tier::TEXT AS metal_tier, /* metal level */
  keys.state::TEXT AS state, /* state */
  keys.claim_type::TEXT AS claim_type, /* claim type */
  keys.network_status::TEXT AS network_status, /* network status */
  COALESCE(claims_denied, 0)::BIGINT AS claims_denied, /* Claims denied, claims */
  COALESCE(claims_decided, 0)::BIGINT AS claims_decided, /* Claims decided, claims */
  COALESCE(clean_claims, 0)::BIGINT AS clean_claims, /* Clean claims, claims */
  COALESCE(claims_received, 0)::BIGINT AS claims_received, /* Claims received, claims */
  COALESCE(claims_ever_pended, 0)::BIGINT AS claims_ever_pended, /* Claims ever pended, claims */
  COALESCE(prompt_claims, 0)::BIGINT AS prompt_claims, /* Clean claims within 30 days, claims */
  COALESCE(claims_corrected, 0)::BIGINT AS claims_corrected, /* Claims adjusted or reversed, claims */
  COALESCE(claims_paid_count, 0)::BIGINT AS claims_paid_count, /* Claims paid at some time, claims */
  COALESCE(claims_appealed, 0)::BIGINT AS claims_appealed, /* Claims appealed, claims */
  COALESCE(claims_with_denial, 0)::BIGINT AS claims_with_denial, /* Claims with a denial, claims */
  COALESCE(days_spent_to_receipt, 0)::DECIMAL(20, 2) AS days_spent_to_receipt, /* Days to receipt, added up, days */
  COALESCE(days_spent_to_decision, 0)::DECIMAL(20, 2) AS days_spent_to_decision /* Days to decision, added up, days */
FROM keys
LEFT JOIN claim_by_denial_date
  ON claim_by_denial_date.period = keys.period
  AND claim_by_denial_date.tenant_id = keys.tenant_id
  AND claim_by_denial_date.metal_tier = keys.metal_tier
  AND claim_by_denial_date.state = keys.state
  AND claim_by_denial_date.claim_type = keys.claim_type
  AND claim_by_denial_date.network_status = keys.network_status
LEFT JOIN claim_by_first_decided_date
  ON claim_by_first_decided_date.period = keys.period
  AND claim_by_first_decided_date.tenant_id = keys.tenant_id
  AND claim_by_first_decided_date.metal_tier = keys.metal_tier
  AND claim_by_first_decided_date.state = keys.state
  AND claim_by_first_decided_date.claim_type = keys.claim_type
  AND claim_by_first_decided_date.network_status = keys.network_status
LEFT JOIN claim_by_received_date
  ON claim_by_received_date.period = keys.period
  AND claim_by_received_date.tenant_id = keys.tenant_id
  AND claim_by_received_date.metal_tier = keys.metal_tier
  AND claim_by_received_date.state = keys.state
  AND claim_by_received_date.claim_type = keys.claim_type
  AND claim_by_received_date.network_status = keys.network_status
