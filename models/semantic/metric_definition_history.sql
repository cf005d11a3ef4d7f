MODEL (
  name semantic.metric_definition_history,
  kind SCD_TYPE_2_BY_COLUMN (
    unique_key metric,
    columns *,
    execution_time_as_valid_from TRUE,
    invalidate_hard_deletes TRUE
  ),
  owner analytics_engineering,
  grain (metric, valid_from),
  description 'Every definition that a metric had in prod, from when to when. Which formula was behind the number of last year''s report?',
  column_descriptions (
    metric = 'name of the metric',
    domain = 'domain of the registry',
    label = 'name for people',
    question = 'business question that it answers',
    description = 'what it means, and which choices were made',
    formula = 'how it is computed, inputs included',
    unit = 'what the number counts',
    additivity = 'how parts combine to the whole',
    direction = 'up, down or neutral: when more is better',
    owner = 'who answers for it',
    valid_from = 'when prod first used the definition (UTC)',
    valid_to = 'when it no longer did (UTC); NULL while in force'
  ),
  audits (
    not_null(columns := (metric, formula, valid_from)),
    unique_combination_of_columns(columns := (metric, valid_from)),
    forall(criteria := (
      valid_to IS NULL OR valid_from < valid_to
    )),
    number_of_rows(threshold := 1)
  )
);

WITH definitions AS (
  SELECT
    metric,
    domain,
    label,
    question,
    description,
    formula,
    unit,
    additivity,
    direction,
    owner
  FROM ops.metric_definition
)
SELECT
  metric::TEXT AS metric,
  domain::TEXT AS domain,
  label::TEXT AS label,
  question::TEXT AS question,
  description::TEXT AS description,
  formula::TEXT AS formula,
  unit::TEXT AS unit,
  additivity::TEXT AS additivity,
  direction::TEXT AS direction,
  owner::TEXT AS owner
FROM definitions
