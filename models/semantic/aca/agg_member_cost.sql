MODEL (
  name semantic.agg_member_cost,
  kind CUSTOM (
    materialization 'recompute_touched'
  ),
  owner member_analytics,
  grain (tenant_id, member_key, plan_year),
  depends_on (semantic.agg_claims_monthly, semantic.claims_by_plan_metal_month),
  description 'Cost of each member per plan year, under a pseudonymous key. Which kinds of members cost what?',
  audits (
    not_null(columns := (tenant_id, member_key, plan_year)),
    unique_combination_of_columns(columns := (tenant_id, member_key, plan_year)),
    accepted_range("column" := member_months, min_v := 0, max_v := 12),
    same_total("column" := paid_amount, other := semantic.agg_claims_monthly),
    same_total("column" := member_months, other := semantic.claims_by_plan_metal_month)
  )
);

WITH states AS (
  @states_of_touched_lines()
), changed_members AS (
  @changed_keys(core.member_changes, core.dim_member, key := (tenant_id, member_id))
), years AS (
  SELECT DISTINCT
    year
  FROM core.dim_date
), touched_years AS (
  SELECT
    member_key,
    service_year AS plan_year
  FROM states
  UNION
  SELECT
    member_key,
    EXTRACT(YEAR FROM coverage_month)::INT AS plan_year
  FROM core.coverage_touches
  WHERE
    touched_on BETWEEN @start_ds AND @end_ds
  UNION
  /* attributes as last reported stand in every year */
  SELECT
    @bigint_key(changed_members.tenant_id, changed_members.member_id) AS member_key,
    years.year AS plan_year
  FROM changed_members
  CROSS JOIN years
), member_years AS (
  SELECT
    tenant_id,
    member_key,
    EXTRACT(YEAR FROM coverage_month) AS plan_year,
    SUM(member_months) AS member_months,
    SUM(premium_amount) AS premium_amount
  FROM core.fct_member_month
  WHERE
    (member_key, EXTRACT(YEAR FROM coverage_month)::INT) IN (
      SELECT
        member_key,
        plan_year
      FROM touched_years
    )
  GROUP BY
    tenant_id,
    member_key,
    EXTRACT(YEAR FROM coverage_month)
), claim_years AS (
  SELECT
    tenant_id,
    member_key,
    EXTRACT(YEAR FROM service_date) AS plan_year,
    COUNT(*) AS claim_lines,
    SUM(allowed_amount) AS allowed_amount,
    SUM(paid_amount) AS paid_amount,
    SUM(deductible + copay + coinsurance) AS member_cost_share
  FROM core.fct_claim_line
  WHERE
    (member_key, EXTRACT(YEAR FROM service_date)::INT) IN (
      SELECT
        member_key,
        plan_year
      FROM touched_years
    )
  GROUP BY
    tenant_id,
    member_key,
    EXTRACT(YEAR FROM service_date)
), members AS (
  SELECT
    member_key,
    gender,
    age_group,
    region,
    geographic_reporting,
    clinical_segment,
    mutually_exclusive_hcc_condition,
    plan_metal,
    ROW_NUMBER() OVER (PARTITION BY member_key ORDER BY validity_start_ts DESC) AS version_rank
  FROM core.dim_member
  WHERE
    member_key IN (
      SELECT
        member_key
      FROM touched_years
    )
), combined AS (
  SELECT
    COALESCE(member_years.tenant_id, claim_years.tenant_id) AS tenant_id,
    COALESCE(member_years.member_key, claim_years.member_key) AS member_key,
    COALESCE(member_years.plan_year, claim_years.plan_year) AS plan_year,
    COALESCE(member_years.member_months, 0) AS member_months,
    COALESCE(member_years.premium_amount, 0) AS premium_amount,
    COALESCE(claim_years.claim_lines, 0) AS claim_lines,
    COALESCE(claim_years.allowed_amount, 0) AS allowed_amount,
    COALESCE(claim_years.paid_amount, 0) AS paid_amount,
    COALESCE(claim_years.member_cost_share, 0) AS member_cost_share
  FROM member_years
  FULL JOIN claim_years
    ON claim_years.tenant_id = member_years.tenant_id
    AND claim_years.member_key = member_years.member_key
    AND claim_years.plan_year = member_years.plan_year
)
SELECT
  combined.tenant_id::TEXT AS tenant_id, /* issuer */
  combined.member_key::BIGINT AS member_key, /* durable, pseudonymous key of the member */
  combined.plan_year::INT AS plan_year, /* year of coverage and of service */
  members.gender::TEXT AS gender, /* gender as last reported */
  members.age_group::TEXT AS age_group, /* age band as last reported */
  members.region::TEXT AS region, /* Census region as last reported */
  members.geographic_reporting::TEXT AS geographic_reporting, /* metro, micro or rural, as last reported */
  members.clinical_segment::TEXT AS clinical_segment, /* clinical segment as last reported */
  members.mutually_exclusive_hcc_condition::TEXT AS mutually_exclusive_hcc_condition, /* condition group as last reported */
  members.plan_metal::TEXT AS plan_metal, /* metal level as last reported */
  combined.member_months::INT AS member_months, /* months whose 15th was covered */
  combined.claim_lines::BIGINT AS claim_lines, /* claim lines */
  combined.premium_amount::DECIMAL(18, 2) AS premium_amount, /* gross premium, USD */
  combined.allowed_amount::DECIMAL(18, 2) AS allowed_amount, /* allowed, USD */
  combined.paid_amount::DECIMAL(18, 2) AS paid_amount, /* paid by the plan, USD */
  combined.member_cost_share::DECIMAL(18, 2) AS member_cost_share, /* deductible, copay and coinsurance, USD */
  @quotient(combined.paid_amount, combined.member_months)::DECIMAL(18, 2) AS paid_pmpm /* paid per member month, USD; NULL without coverage */
FROM combined
LEFT JOIN members
  ON members.member_key = combined.member_key AND members.version_rank = 1
