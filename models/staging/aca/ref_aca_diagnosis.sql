MODEL (
  name staging.ref_aca_diagnosis,
  kind SEED (
    path '../../../reference/aca/diagnosis.csv'
  ),
  owner claims_analytics,
  grain diagnosis_code,
  description 'ICD-10-CM codes in use with their HHS condition category. Which condition does a code stand for?',
  columns (
    diagnosis_code TEXT,
    diagnosis_description TEXT,
    hhs_hcc DOUBLE,
    prevalence_pct DOUBLE,
    note TEXT,
    ed_avoidable DECIMAL(3, 2)
  ),
  column_descriptions (
    diagnosis_code = 'ICD-10-CM code',
    diagnosis_description = 'short label',
    hhs_hcc = 'HHS condition category; empty when none',
    prevalence_pct = 'share of adults with the code in a year, percent, own estimate',
    note = 'remark',
    ed_avoidable = 'chance that an emergency visit for it could have been avoided, 0 to 1, own estimate'
  ),
  audits (
    not_null(columns := (
      diagnosis_code
    )),
    unique_values(columns := (
      diagnosis_code
    )),
    accepted_range("column" := ed_avoidable, min_v := 0, max_v := 1),
    number_of_rows(threshold := 1)
  )
)
