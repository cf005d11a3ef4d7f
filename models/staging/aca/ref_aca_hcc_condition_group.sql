MODEL (
  name staging.ref_aca_hcc_condition_group,
  kind SEED (
    path '../../../reference/aca/hcc_condition_group.csv'
  ),
  owner member_analytics,
  grain hhs_hcc,
  description 'HHS condition categories with the condition group that a member is reported under. Which group does a condition belong to?',
  columns (
    hhs_hcc INT,
    condition_group TEXT,
    hierarchy_rank INT
  ),
  column_descriptions (
    hhs_hcc = 'HHS condition category',
    condition_group = 'condition group in reports',
    hierarchy_rank = 'order of the groups of one member; 1 goes first'
  ),
  audits (
    not_null(columns := (hhs_hcc, condition_group)),
    unique_values(columns := (
      hhs_hcc
    )),
    number_of_rows(threshold := 1)
  )
)
