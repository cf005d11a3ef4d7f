MODEL (
  name core.dim_claim_status,
  kind VIEW,
  owner claims_analytics,
  grain claim_status,
  description 'States of a claim line. Is the decision final?',
  audits (
    not_null(columns := (
      claim_status
    )),
    unique_values(columns := (
      claim_status
    )),
    number_of_rows(threshold := 1)
  )
);

WITH codes AS (
  SELECT
    claim_status,
    claim_status_description,
    is_final,
    is_payable
  FROM staging.ref_aca_claim_status
)
SELECT
  claim_status::TEXT AS claim_status, /* state of the line */
  claim_status_description::TEXT AS claim_status_description, /* what it means */
  is_final::BOOLEAN AS is_final, /* whether a decision was made */
  is_payable::BOOLEAN AS is_payable /* whether money is owed */
FROM codes
