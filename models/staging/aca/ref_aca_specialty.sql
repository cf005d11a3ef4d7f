MODEL (
  name staging.ref_aca_specialty,
  kind SEED (
    path '../../../reference/aca/specialty.csv'
  ),
  owner network_analytics,
  grain taxonomy_code,
  description 'Provider taxonomy codes in use with specialty and kind of provider. Which specialty does a code stand for, and is it primary care?',
  columns (
    taxonomy_code TEXT,
    specialty TEXT,
    provider_kind TEXT,
    weight_pct DOUBLE
  ),
  column_descriptions (
    taxonomy_code = 'NUCC taxonomy code',
    specialty = 'short label of the specialty',
    provider_kind = 'pcp, specialist, behavioral, ancillary, hospital_based or facility',
    weight_pct = 'share of the directory, percent, own estimate'
  ),
  audits (
    not_null(columns := (taxonomy_code, specialty, provider_kind)),
    unique_values(columns := (
      taxonomy_code
    )),
    accepted_values(
      "column" := provider_kind,
      is_in := ('pcp', 'specialist', 'behavioral', 'ancillary', 'hospital_based', 'facility')
    ),
    number_of_rows(threshold := 1)
  )
)
