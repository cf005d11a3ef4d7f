MODEL (
  name staging.ref_aca_diagnosis_use,
  kind SEED (
    path '../../../reference/aca/diagnosis_use.csv'
  ),
  owner member_analytics,
  grain diagnosis_code,
  description 'ICD-10-CM codes with the kind of condition they stand for, and whom it befalls. Does a diagnosis last?',
  columns (
    diagnosis_code TEXT,
    condition_kind TEXT,
    gender TEXT,
    min_age INT,
    max_age INT
  ),
  column_descriptions (
    diagnosis_code = 'ICD-10-CM code',
    condition_kind = 'preventive, acute, chronic, behavioral, pregnancy or newborn',
    gender = 'F when of women only',
    min_age = 'youngest age',
    max_age = 'oldest age'
  ),
  audits (
    not_null(columns := (diagnosis_code, condition_kind)),
    unique_values(columns := (
      diagnosis_code
    )),
    accepted_values(
      "column" := condition_kind,
      is_in := ('preventive', 'acute', 'chronic', 'behavioral', 'pregnancy', 'newborn')
    ),
    number_of_rows(threshold := 1)
  )
)
