MODEL (
  name core.dim_member,
  kind CUSTOM (
    materialization 'recompute_touched'
  ),
  owner member_analytics,
  grain member_sk,
  description 'Every version of every member. Which segment was a member in when the claim was incurred?',
  audits (
    not_null(
      columns := (member_sk, tenant_id, member_id, validity_start_ts, validity_end_ts, current_flag),
      condition := @heard_in(core.member_changes, tenant_id, member_id)
    ),
    unique_values(columns := (
      member_sk
    ), condition := @heard_in(core.member_changes, tenant_id, member_id)),
    no_overlapping_versions(key := (tenant_id, member_id), condition := @heard_in(core.member_changes, tenant_id, member_id)),
    one_current_version(key := (tenant_id, member_id), condition := @heard_in(core.member_changes, tenant_id, member_id)),
    has_unknown_member("column" := member_sk)
  )
);

@scd_type_2(core.member_changes, surrogate_key := member_sk, key := (tenant_id, member_id), durable_key := member_key)
