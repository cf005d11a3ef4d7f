MODEL (
  name staging.ref_aca_denial_reason,
  kind SEED (
    path '../../../reference/aca/denial_reason.csv'
  ),
  owner claims_analytics,
  grain denial_reason_code,
  description 'Claim adjustment reason codes, paraphrased, with their bucket. Why is a line denied?',
  columns (
    denial_reason_code TEXT,
    denial_reason_description TEXT,
    denial_bucket TEXT,
    group_hint TEXT
  ),
  column_descriptions (
    denial_reason_code = 'claim adjustment reason code',
    denial_reason_description = 'own paraphrase',
    denial_bucket = 'bucket in reports',
    group_hint = 'usual adjustment group'
  ),
  audits (
    not_null(columns := (
      denial_reason_code
    )),
    unique_values(columns := (
      denial_reason_code
    )),
    number_of_rows(threshold := 1)
  )
)
