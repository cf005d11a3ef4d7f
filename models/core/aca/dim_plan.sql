MODEL (
  name core.dim_plan,
  kind CUSTOM (
    materialization 'recompute_touched'
  ),
  owner product_analytics,
  grain plan_sk,
  description 'Every version of every plan and plan year. What did the plan cost and cover on the day of the service?',
  audits (
    not_null(
      columns := (plan_sk, tenant_id, plan_id, effective_year, validity_start_ts, validity_end_ts, current_flag),
      condition := @heard_in(core.plan_changes, tenant_id, plan_id, effective_year)
    ),
    unique_values(
      columns := (
        plan_sk
      ),
      condition := @heard_in(core.plan_changes, tenant_id, plan_id, effective_year)
    ),
    no_overlapping_versions(
      key := (tenant_id, plan_id, effective_year),
      condition := @heard_in(core.plan_changes, tenant_id, plan_id, effective_year)
    ),
    one_current_version(
      key := (tenant_id, plan_id, effective_year),
      condition := @heard_in(core.plan_changes, tenant_id, plan_id, effective_year)
    ),
    has_unknown_member("column" := plan_sk)
  )
);

@scd_type_2(core.plan_changes, surrogate_key := plan_sk, key := (tenant_id, plan_id, effective_year))
