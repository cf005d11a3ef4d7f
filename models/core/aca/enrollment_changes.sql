MODEL (
  name core.enrollment_changes,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column load_date
  ),
  owner member_analytics,
  grain (tenant_id, enrollment_id, load_id, load_date),
  description 'What each extract changed about each coverage span. Which spans were ended after the fact, and when did we learn of it?',
  audits (
    not_null(columns := (tenant_id, enrollment_id, load_id, operation, extracted_at)),
    unique_combination_of_columns(columns := (tenant_id, enrollment_id, load_id, load_date)),
    accepted_values("column" := operation, is_in := ('I', 'U', 'D'))
  )
);

@snapshot_changes(
  staging.stg_aca_enrollments,
  feed := 'aca_enrollments',
  key := (tenant_id, enrollment_id),
  member := (tenant_id, member_id),
  tracked := (
    member_id,
    plan_id,
    coverage_start_date,
    coverage_end_date,
    monthly_premium,
    aptc_amount,
    rating_area,
    enrollment_source,
    termination_reason,
    selection_date
  )
)
