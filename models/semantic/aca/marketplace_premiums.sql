MODEL (
  name semantic.marketplace_premiums,
  kind CUSTOM (
    materialization 'recompute_touched'
  ),
  owner product_analytics,
  grain (tenant_id, plan_year, state, rating_area, metal_tier),
  description 'Premiums of marketplace plans by state, rating area and metal level, from the latest QHP Landscape file of each plan year. What does coverage cost where, and what is the benchmark plan''s price?',
  audits (
    not_null(columns := (tenant_id, plan_year, state, rating_area, metal_tier, plans)),
    unique_combination_of_columns(columns := (tenant_id, plan_year, state, rating_area, metal_tier)),
    forall(
      criteria := (lowest_premium_age_40 <= average_premium_age_40, average_premium_age_40 <= highest_premium_age_40)
    ),
    accepted_range("column" := plan_county_offers, min_v := 1)
  )
);

WITH touched_years AS (
  SELECT
    tenant_id,
    plan_year
  FROM staging.stg_aca_qhp_landscape
  WHERE
    load_date BETWEEN @start_ds AND @end_ds
  UNION
  SELECT
    staged.tenant_id,
    staged.plan_year
  FROM ops.retraction AS retractions
  INNER JOIN staging.stg_aca_qhp_landscape AS staged
    ON staged.load_id = retractions.load_id
  WHERE
    retractions.retracted_at::DATE BETWEEN @start_ds AND @end_ds
), landscape AS (
  SELECT
    tenant_id,
    load_id,
    plan_year,
    state,
    county,
    rating_area,
    metal_tier,
    hios_issuer_id,
    standard_component_id,
    premium_age_21,
    premium_age_40,
    medical_deductible,
    medical_oop_max,
    extracted_at,
    load_timestamp
  FROM staging.stg_aca_qhp_landscape AS staged
  WHERE
    (tenant_id, plan_year) IN (
      SELECT
        tenant_id,
        plan_year
      FROM touched_years
    )
    AND NOT EXISTS(
      SELECT
        1
      FROM ops.retraction AS retractions
      WHERE
        retractions.load_id = staged.load_id
    )
), latest_loads AS (
  SELECT
    tenant_id,
    plan_year,
    load_id,
    ROW_NUMBER() OVER (
      PARTITION BY tenant_id, plan_year
      ORDER BY MAX(extracted_at) DESC, MAX(load_timestamp) DESC, load_id DESC
    ) AS load_rank
  FROM landscape
  GROUP BY
    tenant_id,
    plan_year,
    load_id
), area_plans AS (
  SELECT
    landscape.tenant_id,
    landscape.plan_year,
    landscape.state,
    landscape.rating_area,
    landscape.metal_tier,
    landscape.hios_issuer_id,
    landscape.standard_component_id,
    COUNT(*) AS plan_county_offers,
    MAX(landscape.premium_age_21) AS premium_age_21,
    MAX(landscape.premium_age_40) AS premium_age_40,
    MAX(landscape.medical_deductible) AS medical_deductible,
    MAX(landscape.medical_oop_max) AS medical_oop_max
  FROM landscape
  INNER JOIN latest_loads
    ON latest_loads.load_id = landscape.load_id AND latest_loads.load_rank = 1
  GROUP BY
    landscape.tenant_id,
    landscape.plan_year,
    landscape.state,
    landscape.rating_area,
    landscape.metal_tier,
    landscape.hios_issuer_id,
    landscape.standard_component_id
), ranked AS (
  SELECT
    tenant_id,
    plan_year,
    state,
    rating_area,
    metal_tier,
    hios_issuer_id,
    plan_county_offers,
    premium_age_21,
    premium_age_40,
    medical_deductible,
    medical_oop_max,
    ROW_NUMBER() OVER (
      PARTITION BY tenant_id, plan_year, state, rating_area, metal_tier
      ORDER BY CASE WHEN premium_age_40 IS NULL THEN 1 ELSE 0 END, premium_age_40, standard_component_id
    ) AS price_rank
  FROM area_plans
)
SELECT
  tenant_id::TEXT AS tenant_id, /* publisher */
  plan_year::INT AS plan_year, /* plan year */
  state::TEXT AS state, /* state */
  rating_area::INT AS rating_area, /* rating area of the state */
  metal_tier::TEXT AS metal_tier, /* metal level */
  COUNT(*)::BIGINT AS plans, /* plans sold in the rating area */
  COUNT(DISTINCT hios_issuer_id)::BIGINT AS issuers, /* issuers with a plan here; not additive */
  SUM(plan_county_offers)::BIGINT AS plan_county_offers, /* rows of the file: a plan in a county */
  AVG(premium_age_21)::DECIMAL(14, 2) AS average_premium_age_21, /* mean over plans of the premium of one adult aged 21, USD per month */
  MIN(premium_age_40)::DECIMAL(14, 2) AS lowest_premium_age_40, /* lowest premium of one adult aged 40, USD per month */
  MAX(CASE WHEN price_rank = 2 THEN premium_age_40 END)::DECIMAL(14, 2) AS second_lowest_premium_age_40, /* second-lowest; of silver plans the benchmark; NULL with one plan only */
  AVG(premium_age_40)::DECIMAL(14, 2) AS average_premium_age_40, /* mean over plans of the premium of one adult aged 40, USD per month */
  MAX(premium_age_40)::DECIMAL(14, 2) AS highest_premium_age_40, /* highest premium of one adult aged 40, USD per month */
  AVG(medical_deductible)::DECIMAL(14, 2) AS average_medical_deductible, /* mean over plans of the individual medical deductible, USD */
  AVG(medical_oop_max)::DECIMAL(14, 2) AS average_medical_oop_max /* mean over plans of the individual out-of-pocket maximum, USD */
FROM ranked
GROUP BY
  tenant_id,
  plan_year,
  state,
  rating_area,
  metal_tier
