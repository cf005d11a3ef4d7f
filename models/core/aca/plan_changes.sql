MODEL (
  name core.plan_changes,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column load_date
  ),
  owner product_analytics,
  grain (tenant_id, plan_id, effective_year, load_id, load_date),
  description 'What each extract changed about each plan. Which plans were repriced, and when did we learn of it?',
  audits (
    not_null(columns := (tenant_id, plan_id, effective_year, load_id, operation, extracted_at)),
    unique_combination_of_columns(columns := (tenant_id, plan_id, effective_year, load_id, load_date)),
    accepted_values("column" := operation, is_in := ('I', 'U', 'D'))
  )
);

@snapshot_changes(
  staging.stg_aca_plans,
  feed := 'aca_plans',
  key := (tenant_id, plan_id, effective_year),
  tracked := (
    plan_name,
    metal_tier,
    network_type,
    monthly_premium,
    deductible,
    oop_max,
    coinsurance_rate,
    pcp_copay,
    crosswalk_plan_id,
    hios_issuer_id,
    state,
    hios_product_id,
    standard_component_id,
    csr_variant
  )
)
