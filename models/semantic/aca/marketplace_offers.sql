MODEL (
  name semantic.marketplace_offers,
  kind FULL,
  owner product_analytics,
  grain (plan_year, state, rating_area, metal_tier, plan_type),
  description 'Marketplace plans by rating area, metal level and plan type: public data of CMS, from the latest QHP Landscape file of each plan year that landed, else from the reference table. What is on offer where, at which premium and cost sharing?',
  audits (
    not_null(columns := (plan_year, state, region, rating_area, metal_tier, plan_type, plans, source)),
    unique_combination_of_columns(columns := (plan_year, state, rating_area, metal_tier, plan_type)),
    accepted_values("column" := metal_tier, is_in := ('catastrophic', 'bronze', 'silver', 'gold', 'platinum')),
    accepted_values("column" := plan_type, is_in := ('HMO', 'PPO', 'EPO', 'POS')),
    forall(
      criteria := (
        lowest_premium_age_40 <= average_premium_age_40,
        average_premium_age_40 <= highest_premium_age_40,
        issuers <= plans
      )
    ),
    accepted_range("column" := counties, min_v := 1)
  )
);

WITH landscape AS (
  SELECT
    tenant_id,
    load_id,
    plan_year,
    state,
    county,
    rating_area,
    metal_tier,
    network_type AS plan_type,
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
    NOT EXISTS(
      SELECT
        1
      FROM ops.retraction AS retractions
      WHERE
        retractions.load_id = staged.load_id
    )
), reference_offers AS (
  SELECT
    2014 AS plan_year,
    state,
    rating_area,
    metal_tier,
    plan_type,
    issuers,
    plans,
    counties,
    average_premium_age_21,
    lowest_premium_age_40,
    second_lowest_premium_age_40,
    average_premium_age_40,
    highest_premium_age_40,
    average_medical_deductible,
    average_medical_oop_max
  FROM staging.ref_aca_marketplace_2014
), regions AS (
  SELECT
    state,
    MIN(region) AS region
  FROM staging.ref_aca_county
  GROUP BY
    state
), latest_loads AS (
  SELECT
    load_id,
    ROW_NUMBER() OVER (PARTITION BY plan_year ORDER BY MAX(extracted_at) DESC, MAX(load_timestamp) DESC, load_id DESC) AS load_rank
  FROM landscape
  GROUP BY
    plan_year,
    load_id
), latest AS (
  SELECT
    landscape.plan_year,
    landscape.state,
    landscape.county,
    landscape.rating_area,
    landscape.metal_tier,
    landscape.plan_type,
    landscape.hios_issuer_id,
    landscape.standard_component_id,
    landscape.premium_age_21,
    landscape.premium_age_40,
    landscape.medical_deductible,
    landscape.medical_oop_max
  FROM landscape
  INNER JOIN latest_loads
    ON latest_loads.load_id = landscape.load_id AND latest_loads.load_rank = 1
), area_plans AS (
  SELECT
    plan_year,
    state,
    rating_area,
    metal_tier,
    plan_type,
    hios_issuer_id,
    standard_component_id,
    MAX(premium_age_21) AS premium_age_21,
    MAX(premium_age_40) AS premium_age_40,
    MAX(medical_deductible) AS medical_deductible,
    MAX(medical_oop_max) AS medical_oop_max
  FROM latest
  GROUP BY
    plan_year,
    state,
    rating_area,
    metal_tier,
    plan_type,
    hios_issuer_id,
    standard_component_id
), priced AS (
  SELECT
    plan_year,
    state,
    rating_area,
    metal_tier,
    premium_age_40,
    ROW_NUMBER() OVER (PARTITION BY plan_year, state, rating_area, metal_tier ORDER BY premium_age_40, standard_component_id) AS price_rank
  FROM area_plans
  WHERE
    NOT premium_age_40 IS NULL
), second_lowest AS (
  SELECT
    plan_year,
    state,
    rating_area,
    metal_tier,
    premium_age_40
  FROM priced
  WHERE
    price_rank = 2
), area_counties AS (
  SELECT
    plan_year,
    state,
    rating_area,
    metal_tier,
    plan_type,
    COUNT(DISTINCT county) AS counties
  FROM latest
  GROUP BY
    plan_year,
    state,
    rating_area,
    metal_tier,
    plan_type
), area_totals AS (
  SELECT
    plan_year,
    state,
    rating_area,
    metal_tier,
    plan_type,
    COUNT(DISTINCT hios_issuer_id) AS issuers,
    COUNT(*) AS plans,
    AVG(premium_age_21) AS average_premium_age_21,
    MIN(premium_age_40) AS lowest_premium_age_40,
    AVG(premium_age_40) AS average_premium_age_40,
    MAX(premium_age_40) AS highest_premium_age_40,
    AVG(medical_deductible) AS average_medical_deductible,
    AVG(medical_oop_max) AS average_medical_oop_max
  FROM area_plans
  GROUP BY
    plan_year,
    state,
    rating_area,
    metal_tier,
    plan_type
), offers AS (
  SELECT
    area_totals.plan_year,
    area_totals.state,
    area_totals.rating_area,
    area_totals.metal_tier,
    area_totals.plan_type,
    area_totals.issuers,
    area_totals.plans,
    area_counties.counties,
    area_totals.average_premium_age_21,
    area_totals.lowest_premium_age_40,
    second_lowest.premium_age_40 AS second_lowest_premium_age_40,
    area_totals.average_premium_age_40,
    area_totals.highest_premium_age_40,
    area_totals.average_medical_deductible,
    area_totals.average_medical_oop_max,
    'landed' AS source
  FROM area_totals
  INNER JOIN area_counties
    ON area_counties.plan_year = area_totals.plan_year
    AND area_counties.state = area_totals.state
    AND area_counties.rating_area = area_totals.rating_area
    AND area_counties.metal_tier = area_totals.metal_tier
    AND area_counties.plan_type = area_totals.plan_type
  LEFT JOIN second_lowest
    ON second_lowest.plan_year = area_totals.plan_year
    AND second_lowest.state = area_totals.state
    AND second_lowest.rating_area = area_totals.rating_area
    AND second_lowest.metal_tier = area_totals.metal_tier
  UNION ALL
  SELECT
    plan_year,
    state,
    rating_area,
    metal_tier,
    plan_type,
    issuers,
    plans,
    counties,
    average_premium_age_21,
    lowest_premium_age_40,
    second_lowest_premium_age_40,
    average_premium_age_40,
    highest_premium_age_40,
    average_medical_deductible,
    average_medical_oop_max,
    'reference' AS source
  FROM reference_offers
  WHERE
    NOT plan_year IN (
      SELECT
        plan_year
      FROM latest
    )
)
SELECT
  offers.plan_year::INT AS plan_year, /* plan year */
  offers.state::TEXT AS state, /* state */
  COALESCE(regions.region, 'unknown')::TEXT AS region, /* Census region of the state */
  offers.rating_area::INT AS rating_area, /* rating area of the state */
  offers.metal_tier::TEXT AS metal_tier, /* metal level */
  offers.plan_type::TEXT AS plan_type, /* kind of network access: HMO, PPO, EPO or POS */
  offers.issuers::BIGINT AS issuers, /* issuers with such a plan; not additive */
  offers.plans::BIGINT AS plans, /* plans sold in the rating area; one sold in several areas counts in each */
  offers.counties::BIGINT AS counties, /* counties where one of them is offered; not additive over metal levels and types */
  offers.average_premium_age_21::DECIMAL(14, 2) AS average_premium_age_21, /* mean over plans of the premium of one adult aged 21, USD per month */
  offers.lowest_premium_age_40::DECIMAL(14, 2) AS lowest_premium_age_40, /* lowest premium of one adult aged 40, USD per month */
  offers.second_lowest_premium_age_40::DECIMAL(14, 2) AS second_lowest_premium_age_40, /* second-lowest premium of the metal level in the rating area, whatever the plan type: of silver the benchmark; NULL with one plan only */
  offers.average_premium_age_40::DECIMAL(14, 2) AS average_premium_age_40, /* mean over plans of the premium of one adult aged 40, USD per month */
  offers.highest_premium_age_40::DECIMAL(14, 2) AS highest_premium_age_40, /* highest premium of one adult aged 40, USD per month */
  offers.average_medical_deductible::DECIMAL(14, 2) AS average_medical_deductible, /* mean over plans of the individual medical deductible, USD */
  offers.average_medical_oop_max::DECIMAL(14, 2) AS average_medical_oop_max, /* mean over plans of the individual out-of-pocket maximum, USD */
  offers.source::TEXT AS source /* landed or reference */
FROM offers
LEFT JOIN regions
  ON regions.state = offers.state
