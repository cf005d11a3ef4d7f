MODEL (
  name semantic.agg_provider_performance,
  kind CUSTOM (
    materialization 'recompute_touched'
  ),
  owner network_analytics,
  grain (tenant_id, provider_id, service_year),
  depends_on (
    semantic.agg_claims_monthly
  ),
  description 'Providers by year of service. Who treats whom at what cost, and whose claims are denied?',
  audits (
    not_null(columns := (tenant_id, provider_id, service_year)),
    unique_combination_of_columns(columns := (tenant_id, provider_id, service_year)),
    accepted_range("column" := denial_rate, min_v := 0, max_v := 1),
    same_total("column" := paid_amount, other := semantic.agg_claims_monthly)
  )
);

WITH states AS (
  @states_of_touched_lines()
), changed_providers AS (
  @changed_keys(core.provider_changes, core.dim_provider, key := (tenant_id, provider_id))
), years AS (
  SELECT DISTINCT
    year
  FROM core.dim_date
), touched_years AS (
  SELECT
    tenant_id,
    provider_id,
    service_year
  FROM states
  UNION
  /* a line may have been, or may now be, without a known provider */
  SELECT
    tenant_id,
    'unknown' AS provider_id,
    service_year
  FROM states
  UNION
  /* attributes as last reported stand in every year */
  SELECT
    changed_providers.tenant_id,
    changed_providers.provider_id,
    years.year AS service_year
  FROM changed_providers
  CROSS JOIN years
), claim_lines AS (
  SELECT
    tenant_id,
    claim_id,
    service_date,
    member_key,
    provider_sk,
    claim_status,
    claim_amount,
    allowed_amount,
    paid_amount
  FROM core.fct_claim_line
), providers AS (
  SELECT
    provider_sk,
    tenant_id,
    provider_id,
    npi,
    name,
    specialty,
    state
  FROM core.dim_provider
  WHERE
    provider_id IN (
      SELECT
        provider_id
      FROM touched_years
    )
), latest_providers AS (
  SELECT
    tenant_id,
    provider_id,
    npi,
    name,
    specialty,
    state,
    ROW_NUMBER() OVER (PARTITION BY tenant_id, provider_id ORDER BY validity_start_ts DESC) AS version_rank
  FROM core.dim_provider
  WHERE
    provider_id IN (
      SELECT
        provider_id
      FROM touched_years
    )
), provider_years AS (
  SELECT
    claim_lines.tenant_id,
    providers.provider_id,
    EXTRACT(YEAR FROM claim_lines.service_date) AS service_year,
    COUNT(DISTINCT claim_lines.claim_id) AS claims,
    COUNT(*) AS claim_lines,
    COUNT(DISTINCT claim_lines.member_key) AS members,
    SUM(CASE WHEN claim_lines.claim_status IN ('paid', 'denied') THEN 1 ELSE 0 END) AS decided_lines,
    SUM(CASE WHEN claim_lines.claim_status = 'denied' THEN 1 ELSE 0 END) AS denied_lines,
    SUM(claim_lines.claim_amount) AS claim_amount,
    SUM(claim_lines.allowed_amount) AS allowed_amount,
    SUM(claim_lines.paid_amount) AS paid_amount
  FROM claim_lines
  INNER JOIN providers
    ON providers.provider_sk = claim_lines.provider_sk
  WHERE
    (claim_lines.tenant_id, providers.provider_id, EXTRACT(YEAR FROM claim_lines.service_date)::INT) IN (
      SELECT
        tenant_id,
        provider_id,
        service_year
      FROM touched_years
    )
  GROUP BY
    claim_lines.tenant_id,
    providers.provider_id,
    EXTRACT(YEAR FROM claim_lines.service_date)
)
SELECT
  provider_years.tenant_id::TEXT AS tenant_id, /* issuer */
  provider_years.provider_id::TEXT AS provider_id, /* the issuers id of the provider; unknown when not in the directory */
  provider_years.service_year::INT AS service_year, /* calendar year of service */
  latest_providers.npi::TEXT AS npi, /* National Provider Identifier as last reported */
  latest_providers.name::TEXT AS provider_name, /* name as last reported */
  latest_providers.specialty::TEXT AS specialty, /* specialty as last reported */
  latest_providers.state::TEXT AS state, /* state of the practice as last reported */
  provider_years.claims::BIGINT AS claims, /* claims */
  provider_years.claim_lines::BIGINT AS claim_lines, /* claim lines */
  provider_years.members::BIGINT AS members, /* members treated; not additive */
  provider_years.decided_lines::BIGINT AS decided_lines, /* lines paid or denied */
  provider_years.denied_lines::BIGINT AS denied_lines, /* lines denied */
  provider_years.claim_amount::DECIMAL(18, 2) AS claim_amount, /* billed, USD */
  provider_years.allowed_amount::DECIMAL(18, 2) AS allowed_amount, /* allowed, USD */
  provider_years.paid_amount::DECIMAL(18, 2) AS paid_amount, /* paid by the plan, USD */
  @quotient(provider_years.denied_lines, provider_years.decided_lines)::DECIMAL(9, 6) AS denial_rate, /* denied lines over decided lines */
  @quotient(provider_years.allowed_amount, provider_years.members)::DECIMAL(18, 2) AS allowed_per_member /* allowed per member treated, USD */
FROM provider_years
LEFT JOIN latest_providers
  ON latest_providers.tenant_id = provider_years.tenant_id
  AND latest_providers.provider_id = provider_years.provider_id
  AND latest_providers.version_rank = 1
