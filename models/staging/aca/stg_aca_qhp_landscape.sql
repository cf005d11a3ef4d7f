MODEL (
  name staging.stg_aca_qhp_landscape,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column load_date
  ),
  owner product_analytics,
  grain (tenant_id, load_id, state, county, standard_component_id),
  description 'Marketplace plans by county from the QHP Landscape file, with amounts as numbers. Which plans are sold in a county, at which premium and cost sharing?',
  audits (
    not_null(
      columns := (tenant_id, load_id, plan_year, state, county, rating_area, metal_tier, standard_component_id)
    ),
    unique_combination_of_columns(columns := (tenant_id, load_id, state, county, standard_component_id)),
    accepted_values("column" := metal_tier, is_in := ('catastrophic', 'bronze', 'silver', 'gold', 'platinum')),
    accepted_range("column" := premium_age_40, min_v := 0),
    staged_equals_landed(
      feed := 'aca_qhp_landscape',
      raw_table := raw.aca_qhp_landscape,
      key := (state, county, UPPER(plan_id_standard_component))
    )
  )
);

WITH landed AS (
  SELECT
    tenant_id,
    load_id,
    state,
    county,
    metal_level,
    issuer_name,
    plan_id_standard_component,
    plan_marketing_name,
    plan_type,
    rating_area,
    premium_child,
    premium_adult_individual_age_21,
    premium_adult_individual_age_27,
    premium_adult_individual_age_30,
    premium_adult_individual_age_40,
    premium_adult_individual_age_50,
    premium_adult_individual_age_60,
    medical_deductible_individual_standard,
    drug_deductible_individual_standard,
    medical_maximum_out_of_pocket_individual_standard,
    medical_deductible_individual_73_percent,
    medical_maximum_out_of_pocket_individual_73_percent,
    medical_deductible_individual_87_percent,
    medical_maximum_out_of_pocket_individual_87_percent,
    medical_deductible_individual_94_percent,
    medical_maximum_out_of_pocket_individual_94_percent,
    extracted_at,
    load_timestamp,
    source_line
  FROM raw.aca_qhp_landscape
  WHERE
    load_timestamp >= @start_ds::DATE AND load_timestamp < @end_ds::DATE + INTERVAL '1' DAY
), standardised AS (
  SELECT
    tenant_id,
    load_id,
    @upper_code(state) AS state,
    @clean(county) AS county,
    @code(metal_level) AS metal_tier,
    @clean(issuer_name) AS issuer_name,
    @upper_code(plan_id_standard_component) AS standard_component_id,
    @clean(plan_marketing_name) AS plan_name,
    @upper_code(plan_type) AS network_type,
    REPLACE(rating_area, 'Rating Area ', '') AS rating_area,
    premium_child AS premium_child,
    premium_adult_individual_age_21 AS premium_age_21,
    premium_adult_individual_age_27 AS premium_age_27,
    premium_adult_individual_age_30 AS premium_age_30,
    premium_adult_individual_age_40 AS premium_age_40,
    premium_adult_individual_age_50 AS premium_age_50,
    premium_adult_individual_age_60 AS premium_age_60,
    @money(medical_deductible_individual_standard) AS medical_deductible,
    @money(drug_deductible_individual_standard) AS drug_deductible,
    @money(medical_maximum_out_of_pocket_individual_standard) AS medical_oop_max,
    @money(medical_deductible_individual_73_percent) AS medical_deductible_csr_73,
    @money(medical_maximum_out_of_pocket_individual_73_percent) AS medical_oop_max_csr_73,
    @money(medical_deductible_individual_87_percent) AS medical_deductible_csr_87,
    @money(medical_maximum_out_of_pocket_individual_87_percent) AS medical_oop_max_csr_87,
    @money(medical_deductible_individual_94_percent) AS medical_deductible_csr_94,
    @money(medical_maximum_out_of_pocket_individual_94_percent) AS medical_oop_max_csr_94,
    @clean(drug_deductible_individual_standard) = 'Included in Medical' AS drug_deductible_included,
    extracted_at,
    load_timestamp,
    source_line,
    ROW_NUMBER() OVER (
      PARTITION BY load_id, @clean(state), @clean(county), @upper_code(plan_id_standard_component)
      ORDER BY source_line DESC
    ) AS line_rank
  FROM landed
)
SELECT
  tenant_id::TEXT AS tenant_id, /* publisher */
  load_id::BIGINT AS load_id, /* batch that brought the row */
  (
    EXTRACT(YEAR FROM extracted_at) + CASE WHEN EXTRACT(MONTH FROM extracted_at) >= 7 THEN 1 ELSE 0 END
  )::INT AS plan_year, /* plan year: files of July and later are of the year after */
  state::TEXT AS state, /* state in which the plan is offered */
  county::TEXT AS county, /* county in which the plan is offered */
  rating_area::INT AS rating_area, /* rating area of the county */
  metal_tier::TEXT AS metal_tier, /* metal level */
  issuer_name::TEXT AS issuer_name, /* name of the issuer */
  standard_component_id::TEXT AS standard_component_id, /* HIOS plan id without variant */
  SUBSTRING(standard_component_id, 1, 5)::TEXT AS hios_issuer_id, /* HIOS: issuer */
  SUBSTRING(standard_component_id, 1, 10)::TEXT AS hios_product_id, /* HIOS: issuer, state and product */
  plan_name::TEXT AS plan_name, /* name that the plan is sold under */
  network_type::TEXT AS network_type, /* kind of network access */
  premium_child::DECIMAL(12, 2) AS premium_child, /* premium of a child, USD per month */
  premium_age_21::DECIMAL(12, 2) AS premium_age_21, /* premium of one adult aged 21, USD per month */
  premium_age_27::DECIMAL(12, 2) AS premium_age_27, /* premium of one adult aged 27, USD per month */
  premium_age_30::DECIMAL(12, 2) AS premium_age_30, /* premium of one adult aged 30, USD per month */
  premium_age_40::DECIMAL(12, 2) AS premium_age_40, /* premium of one adult aged 40, USD per month */
  premium_age_50::DECIMAL(12, 2) AS premium_age_50, /* premium of one adult aged 50, USD per month */
  premium_age_60::DECIMAL(12, 2) AS premium_age_60, /* premium of one adult aged 60, USD per month */
  medical_deductible::DECIMAL(14, 2) AS medical_deductible, /* individual medical deductible, USD */
  drug_deductible::DECIMAL(14, 2) AS drug_deductible, /* individual drug deductible; NULL when included in the medical one, USD */
  medical_oop_max::DECIMAL(14, 2) AS medical_oop_max, /* individual out-of-pocket maximum, USD */
  medical_deductible_csr_73::DECIMAL(14, 2) AS medical_deductible_csr_73, /* individual medical deductible of the silver variant of 73% actuarial value, USD */
  medical_oop_max_csr_73::DECIMAL(14, 2) AS medical_oop_max_csr_73, /* individual out-of-pocket maximum of the silver variant of 73% actuarial value, USD */
  medical_deductible_csr_87::DECIMAL(14, 2) AS medical_deductible_csr_87, /* individual medical deductible of the silver variant of 87% actuarial value, USD */
  medical_oop_max_csr_87::DECIMAL(14, 2) AS medical_oop_max_csr_87, /* individual out-of-pocket maximum of the silver variant of 87% actuarial value, USD */
  medical_deductible_csr_94::DECIMAL(14, 2) AS medical_deductible_csr_94, /* individual medical deductible of the silver variant of 94% actuarial value, USD */
  medical_oop_max_csr_94::DECIMAL(14, 2) AS medical_oop_max_csr_94, /* individual out-of-pocket maximum of the silver variant of 94% actuarial value, USD */
  drug_deductible_included::BOOLEAN AS drug_deductible_included, /* whether the medical deductible covers drugs */
  extracted_at::TIMESTAMP AS extracted_at, /* when the source was read */
  load_timestamp::TIMESTAMP AS load_timestamp, /* when the batch landed */
  load_timestamp::DATE AS load_date, /* day the batch landed: the increment */
  source_line::INT AS source_line /* line of the source file */
FROM standardised
WHERE
  line_rank = 1
