MODEL (
  name core.dim_provider,
  kind CUSTOM (
    materialization 'recompute_touched'
  ),
  owner network_analytics,
  grain provider_sk,
  description 'Every version of every provider. Where and in which specialty did the provider work on the day of the service?',
  audits (
    not_null(
      columns := (provider_sk, tenant_id, provider_id, validity_start_ts, validity_end_ts, current_flag),
      condition := @heard_in(core.provider_changes, tenant_id, provider_id)
    ),
    unique_values(columns := (
      provider_sk
    ), condition := @heard_in(core.provider_changes, tenant_id, provider_id)),
    no_overlapping_versions(key := (tenant_id, provider_id), condition := @heard_in(core.provider_changes, tenant_id, provider_id)),
    one_current_version(key := (tenant_id, provider_id), condition := @heard_in(core.provider_changes, tenant_id, provider_id)),
    has_unknown_member("column" := provider_sk)
  )
);

@scd_type_2(core.provider_changes, surrogate_key := provider_sk, key := (tenant_id, provider_id))
