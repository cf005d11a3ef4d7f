MODEL (
  name core.dim_diagnosis,
  kind VIEW,
  owner claims_analytics,
  grain diagnosis_code,
  description 'Diagnoses (ICD-10-CM) in use. Which conditions drive cost?',
  audits (
    not_null(columns := (
      diagnosis_code
    )),
    unique_values(columns := (
      diagnosis_code
    )),
    number_of_rows(threshold := 1)
  )
);

WITH codes AS (
  SELECT
    diagnosis_code,
    diagnosis_description,
    hhs_hcc
  FROM staging.ref_aca_diagnosis
)
SELECT
  diagnosis_code::TEXT AS diagnosis_code, /* ICD-10-CM code */
  diagnosis_description::TEXT AS diagnosis_description, /* short label */
  hhs_hcc::INT AS hhs_hcc /* HHS condition category it maps to; NULL when none */
FROM codes
