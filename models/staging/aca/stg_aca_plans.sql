MODEL (
  name staging.stg_aca_plans,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column load_date
  ),
  owner product_analytics,
  grain (tenant_id, load_id, plan_id, effective_year),
  description 'Plans of every extract with the parts of their HIOS id. What did the issuer sell, at which price and cost sharing, on the day of an extract?',
  audits (
    not_null(columns := (tenant_id, load_id, plan_id, effective_year, metal_tier, monthly_premium)),
    unique_combination_of_columns(columns := (tenant_id, load_id, plan_id, effective_year)),
    accepted_values("column" := metal_tier, is_in := ('catastrophic', 'bronze', 'silver', 'gold', 'platinum')),
    accepted_values("column" := network_type, is_in := ('HMO', 'EPO', 'PPO', 'POS')),
    accepted_range("column" := coinsurance_rate, min_v := 0, max_v := 1),
    staged_equals_landed(feed := 'aca_plans', raw_table := raw.aca_plans, key := (plan_id, effective_year))
  )
);

WITH landed AS (
  SELECT
    *
  FROM raw.aca_plans
  WHERE
    load_timestamp >= @start_ds::DATE AND load_timestamp < @end_ds::DATE + INTERVAL '1' DAY
), standardised AS (
  SELECT
    tenant_id,
    load_id,
    @upper_code(plan_id) AS plan_id,
    effective_year,
    @clean(plan_name) AS plan_name,
    @code(metal_tier) AS metal_tier,
    @upper_code(network_type) AS network_type,
    monthly_premium,
    deductible,
    oop_max,
    coinsurance_rate,
    pcp_copay,
    @upper_code(crosswalk_plan_id) AS crosswalk_plan_id,
    extracted_at,
    load_timestamp,
    source_line,
    ROW_NUMBER() OVER (PARTITION BY load_id, @upper_code(plan_id), effective_year ORDER BY source_line DESC) AS line_rank
  FROM landed
)
SELECT
  tenant_id::TEXT AS tenant_id, /* issuer */
  load_id::BIGINT AS load_id, /* batch that brought the row */
  plan_id::TEXT AS plan_id, /* HIOS plan id with variant */
  effective_year::INT AS effective_year, /* plan year */
  plan_name::TEXT AS plan_name, /* marketing name */
  metal_tier::TEXT AS metal_tier, /* metal level */
  network_type::TEXT AS network_type, /* kind of network access */
  monthly_premium::DECIMAL(12, 2) AS monthly_premium, /* base premium: that of a 21-year-old non-smoker where the factor of the rating area is 1, USD per month */
  deductible::DECIMAL(12, 2) AS deductible, /* individual deductible, USD per plan year */
  oop_max::DECIMAL(12, 2) AS oop_max, /* individual out-of-pocket maximum, USD per plan year */
  coinsurance_rate::DECIMAL(5, 4) AS coinsurance_rate, /* member's share after the deductible */
  pcp_copay::DECIMAL(12, 2) AS pcp_copay, /* copay of a primary care visit, USD */
  crosswalk_plan_id::TEXT AS crosswalk_plan_id, /* plan that takes its members over next year */
  SUBSTRING(plan_id, 1, 5)::TEXT AS hios_issuer_id, /* HIOS: issuer */
  SUBSTRING(plan_id, 6, 2)::TEXT AS state, /* HIOS: state */
  SUBSTRING(plan_id, 1, 10)::TEXT AS hios_product_id, /* HIOS: issuer, state and product */
  SUBSTRING(plan_id, 1, 14)::TEXT AS standard_component_id, /* HIOS: plan without variant */
  SUBSTRING(plan_id, 16, 2)::TEXT AS csr_variant, /* HIOS: cost-sharing variant */
  extracted_at::TIMESTAMP AS extracted_at, /* when the source was read */
  load_timestamp::TIMESTAMP AS load_timestamp, /* when the batch landed */
  load_timestamp::DATE AS load_date, /* day the batch landed: the increment */
  source_line::INT AS source_line /* line of the source file */
FROM standardised
WHERE
  line_rank = 1
