MODEL (
  name staging.ref_aca_hhs_hcc_hierarchy,
  kind SEED (
    path '../../../reference/aca/hhs_hcc_hierarchy.csv'
  ),
  owner member_analytics,
  grain (hhs_hcc, dropped_hhs_hcc),
  description 'Which condition category makes which other one count no more in the adult subset of HHS-HCC; groups of equal coefficients are written the same way. Which of a member''s conditions add to the score?',
  columns (
    hhs_hcc INT,
    dropped_hhs_hcc INT
  ),
  column_descriptions (
    hhs_hcc = 'condition category that counts',
    dropped_hhs_hcc = 'condition category that does not count beside it'
  ),
  audits (
    not_null(columns := (hhs_hcc, dropped_hhs_hcc)),
    unique_combination_of_columns(columns := (hhs_hcc, dropped_hhs_hcc)),
    forall(criteria := (
      hhs_hcc <> dropped_hhs_hcc
    )),
    number_of_rows(threshold := 1)
  )
)
