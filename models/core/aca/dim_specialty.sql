MODEL (
  name core.dim_specialty,
  kind VIEW,
  owner network_analytics,
  grain taxonomy_code,
  description 'Specialties of providers by taxonomy code. Is the provider primary care, a specialist or a facility?',
  audits (
    not_null(columns := (taxonomy_code, specialty, provider_kind)),
    unique_values(columns := (
      taxonomy_code
    )),
    number_of_rows(threshold := 1)
  )
);

WITH codes AS (
  SELECT
    taxonomy_code,
    specialty,
    provider_kind
  FROM staging.ref_aca_specialty
)
SELECT
  taxonomy_code::TEXT AS taxonomy_code, /* NUCC taxonomy code */
  specialty::TEXT AS specialty, /* short label of the specialty */
  provider_kind::TEXT AS provider_kind /* pcp, specialist, behavioral, ancillary, hospital_based or facility */
FROM codes
