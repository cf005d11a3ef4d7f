MODEL (
  name core.dim_denial_reason,
  kind VIEW,
  owner claims_analytics,
  grain denial_reason_code,
  description 'Claim adjustment reasons with the bucket they are reported in. Why were claims denied?',
  audits (
    not_null(columns := (
      denial_reason_code
    )),
    unique_values(columns := (
      denial_reason_code
    )),
    number_of_rows(threshold := 1)
  )
);

WITH codes AS (
  SELECT
    denial_reason_code,
    denial_reason_description,
    denial_bucket
  FROM staging.ref_aca_denial_reason
)
SELECT
  denial_reason_code::TEXT AS denial_reason_code, /* claim adjustment reason code */
  denial_reason_description::TEXT AS denial_reason_description, /* own paraphrase */
  denial_bucket::TEXT AS denial_bucket /* bucket of denials in reports */
FROM codes
