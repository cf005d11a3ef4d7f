MODEL (
  name staging.ref_aca_claim_status,
  kind SEED (
    path '../../../reference/aca/claim_status.csv'
  ),
  owner claims_analytics,
  grain claim_status,
  description 'States of a claim line. What does a state mean?',
  columns (
    claim_status TEXT,
    claim_status_description TEXT,
    is_final BOOLEAN,
    is_payable BOOLEAN
  ),
  column_descriptions (
    claim_status = 'state of the line',
    claim_status_description = 'what it means',
    is_final = 'whether a decision was made',
    is_payable = 'whether money is owed'
  ),
  audits (
    not_null(columns := (
      claim_status
    )),
    unique_values(columns := (
      claim_status
    )),
    number_of_rows(threshold := 3)
  )
)
