MODEL (
  name core.member_changes,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column load_date
  ),
  owner member_analytics,
  grain (tenant_id, member_id, load_id, load_date),
  description 'What each extract changed about each member. Which members changed segment last month, and from what?',
  audits (
    not_null(columns := (tenant_id, member_id, load_id, operation, extracted_at)),
    unique_combination_of_columns(columns := (tenant_id, member_id, load_id, load_date)),
    accepted_values("column" := operation, is_in := ('I', 'U', 'D'))
  )
);

@snapshot_changes(
  staging.stg_aca_members,
  feed := 'aca_members',
  key := (tenant_id, member_id),
  tracked := (
    name,
    dob,
    gender,
    age_group,
    state,
    county_fips,
    zip,
    region,
    geographic_reporting,
    fpl_ratio,
    clinical_segment,
    broker_id,
    broker_name,
    general_agency_id,
    general_agency_name,
    portal_registered,
    wellness_enrolled,
    care_management_enrolled,
    high_cost_member,
    mutually_exclusive_hcc_condition,
    plan_metal,
    plan_network_access_type,
    year,
    household_id,
    tobacco_use
  )
)
