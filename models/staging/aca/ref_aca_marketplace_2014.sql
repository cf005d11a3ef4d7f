MODEL (
  name staging.ref_aca_marketplace_2014,
  kind SEED (
    path '../../../reference/aca/marketplace_2014.csv'
  ),
  owner product_analytics,
  grain (state, rating_area, metal_tier, plan_type),
  description 'Marketplace plans of plan year 2014 by rating area, metal level and plan type, summed up from the QHP Landscape file of CMS. What was on the market before anything landed?',
  columns (
    state TEXT,
    rating_area INT,
    metal_tier TEXT,
    plan_type TEXT,
    issuers INT,
    plans INT,
    counties INT,
    average_premium_age_21 DECIMAL(14, 2),
    lowest_premium_age_40 DECIMAL(14, 2),
    second_lowest_premium_age_40 DECIMAL(14, 2),
    average_premium_age_40 DECIMAL(14, 2),
    highest_premium_age_40 DECIMAL(14, 2),
    average_medical_deductible DECIMAL(14, 2),
    average_medical_oop_max DECIMAL(14, 2)
  ),
  column_descriptions (
    state = 'USPS code',
    rating_area = 'rating area of the state',
    metal_tier = 'metal level',
    plan_type = 'kind of network access: HMO, PPO, EPO or POS',
    issuers = 'issuers with such a plan',
    plans = 'plans',
    counties = 'counties where one of them is offered',
    average_premium_age_21 = 'mean over plans of the premium of one adult aged 21, USD a month, to the dollar',
    lowest_premium_age_40 = 'lowest premium of one adult aged 40, USD a month, to the dollar',
    second_lowest_premium_age_40 = 'second-lowest premium of the metal level in the rating area, whatever the plan type, USD a month, to the dollar',
    average_premium_age_40 = 'mean over plans of the premium of one adult aged 40, USD a month, to the dollar',
    highest_premium_age_40 = 'highest premium of one adult aged 40, USD a month, to the dollar',
    average_medical_deductible = 'mean over plans of the individual medical deductible, USD to the dollar',
    average_medical_oop_max = 'mean over plans of the individual out-of-pocket maximum, USD to the dollar'
  ),
  audits (
    not_null(columns := (state, rating_area, metal_tier, plan_type, plans)),
    unique_combination_of_columns(columns := (state, rating_area, metal_tier, plan_type)),
    accepted_values(
      "column" := metal_tier,
      is_in := ('catastrophic', 'bronze', 'silver', 'gold', 'platinum')
    ),
    number_of_rows(threshold := 3000)
  )
)
