MODEL (
  name staging.ref_aca_hhs_hcc_adult,
  kind SEED (
    path '../../../reference/aca/hhs_hcc_adult.csv'
  ),
  owner member_analytics,
  grain variable,
  description 'Terms of the HHS-HCC adult model of 2026 with their coefficient per metal level; a subset of the conditions, not for a filing. How much does a term add to the risk score?',
  columns (
    variable TEXT,
    variable_description TEXT,
    term_kind TEXT,
    gender TEXT,
    min_age INT,
    max_age INT,
    hhs_hcc INT,
    enrolled_months INT,
    platinum DECIMAL(9, 3),
    gold DECIMAL(9, 3),
    silver DECIMAL(9, 3),
    bronze DECIMAL(9, 3),
    catastrophic DECIMAL(9, 3)
  ),
  column_descriptions (
    variable = 'name of the term',
    variable_description = 'short label',
    term_kind = 'age_sex, condition, severity, duration or affiliated_cost',
    gender = 'F or M of an age and sex term',
    min_age = 'youngest age of an age and sex term',
    max_age = 'oldest age of an age and sex term',
    hhs_hcc = 'HHS condition category of a condition term',
    enrolled_months = 'months of coverage of a duration term',
    platinum = 'coefficient in a platinum plan',
    gold = 'coefficient in a gold plan',
    silver = 'coefficient in a silver plan',
    bronze = 'coefficient in a bronze plan',
    catastrophic = 'coefficient in a catastrophic plan'
  ),
  audits (
    not_null(columns := (variable, term_kind, platinum, gold, silver, bronze, catastrophic)),
    unique_values(columns := (
      variable
    )),
    accepted_values(
      "column" := term_kind,
      is_in := ('age_sex', 'condition', 'severity', 'duration', 'affiliated_cost')
    ),
    forall(
      criteria := (
        term_kind <> 'age_sex' OR min_age <= max_age,
        term_kind <> 'condition' OR NOT hhs_hcc IS NULL,
        term_kind <> 'duration' OR NOT enrolled_months IS NULL
      )
    ),
    number_of_rows(threshold := 50)
  )
)
