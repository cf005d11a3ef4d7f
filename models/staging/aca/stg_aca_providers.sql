MODEL (
  name staging.stg_aca_providers,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column load_date
  ),
  owner network_analytics,
  grain (tenant_id, load_id, provider_id),
  description 'Providers of every extract in standard form. Who was in the issuer''s directory on the day of an extract, where and with which specialty?',
  audits (
    not_null(columns := (tenant_id, load_id, provider_id, npi, specialty, taxonomy_code, state)),
    unique_combination_of_columns(columns := (tenant_id, load_id, provider_id)),
    match_regex_pattern_list("column" := npi, patterns := (
      '^[12][0-9]{9}$'
    )),
    staged_equals_landed(feed := 'aca_providers', raw_table := raw.aca_providers, key := (
      provider_id
    ))
  )
);

WITH landed AS (
  SELECT
    *
  FROM raw.aca_providers
  WHERE
    load_timestamp >= @start_ds::DATE AND load_timestamp < @end_ds::DATE + INTERVAL '1' DAY
), standardised AS (
  SELECT
    tenant_id,
    load_id,
    @clean(provider_id) AS provider_id,
    @clean(npi) AS npi,
    @clean(name) AS name,
    @clean(specialty) AS specialty,
    @upper_code(taxonomy_code) AS taxonomy_code,
    @clean(street) AS street,
    @clean(city) AS city,
    @upper_code(state) AS state,
    @clean(zip) AS zip,
    @clean(phone) AS phone,
    extracted_at,
    load_timestamp,
    source_line,
    ROW_NUMBER() OVER (PARTITION BY load_id, @clean(provider_id) ORDER BY source_line DESC) AS line_rank
  FROM landed
)
SELECT
  tenant_id::TEXT AS tenant_id, /* issuer */
  load_id::BIGINT AS load_id, /* batch that brought the row */
  provider_id::TEXT AS provider_id, /* the issuer's id of the provider */
  npi::TEXT AS npi, /* National Provider Identifier */
  name::TEXT AS name, /* name of the person or facility */
  specialty::TEXT AS specialty, /* short label of the specialty */
  taxonomy_code::TEXT AS taxonomy_code, /* NUCC taxonomy code */
  street::TEXT AS street, /* street of the practice */
  city::TEXT AS city, /* city of the practice */
  state::TEXT AS state, /* state of the practice */
  zip::TEXT AS zip, /* ZIP code of the practice */
  phone::TEXT AS phone, /* telephone of the practice */
  extracted_at::TIMESTAMP AS extracted_at, /* when the source was read */
  load_timestamp::TIMESTAMP AS load_timestamp, /* when the batch landed */
  load_timestamp::DATE AS load_date, /* day the batch landed: the increment */
  source_line::INT AS source_line /* line of the source file */
FROM standardised
WHERE
  line_rank = 1
