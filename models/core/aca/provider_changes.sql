MODEL (
  name core.provider_changes,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column load_date
  ),
  owner network_analytics,
  grain (tenant_id, provider_id, load_id, load_date),
  description 'What each extract changed about each provider. Who moved, changed specialty or left the directory?',
  audits (
    not_null(columns := (tenant_id, provider_id, load_id, operation, extracted_at)),
    unique_combination_of_columns(columns := (tenant_id, provider_id, load_id, load_date)),
    accepted_values("column" := operation, is_in := ('I', 'U', 'D'))
  )
);

@snapshot_changes(
  staging.stg_aca_providers,
  feed := 'aca_providers',
  key := (tenant_id, provider_id),
  tracked := (npi, name, specialty, taxonomy_code, street, city, state, zip, phone)
)
