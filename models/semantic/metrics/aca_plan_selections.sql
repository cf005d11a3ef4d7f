/* Made from the registry in semantic/: edit that, then run `granary metrics write`. */
MODEL (
  name semantic.aca_plan_selections,
  kind FULL,
  owner analytics_engineering,
  grain (tenant_id, metal_tier, state, enrollment_source, period),
  depends_on (
    semantic.aca_metrics_monthly
  ),
  description 'Plans chosen by way of enrolment, month of choice, metal level and state. How does business come in?',
  audits (
    not_null(columns := (tenant_id, metal_tier, state, enrollment_source, period)),
    unique_combination_of_columns(columns := (tenant_id, metal_tier, state, enrollment_source, period)),
    same_totals(
      columns := (effectuated_selections, plan_selections, special_enrollment_selections),
      other := semantic.aca_metrics_monthly
    )
  )
);

WITH plan_selection_by_selection_date AS (
  SELECT
    DATE_TRUNC('MONTH', plan_selection.selection_date)::DATE AS period,
    COALESCE(plan_selection.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(plan_selection.enrollment_source::TEXT, 'unknown') AS enrollment_source,
    COUNT(CASE WHEN plan_selection.is_effectuated THEN 1 END) AS effectuated_selections,
    COUNT(1) AS plan_selections,
    COUNT(CASE WHEN plan_selection.is_special_enrollment THEN 1 END) AS special_enrollment_selections
  FROM core.fct_plan_selection AS plan_selection
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = plan_selection.geography_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = plan_selection.plan_sk
  WHERE
    NOT plan_selection.selection_date IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5
)
SELECT
  plan_selection_by_selection_date.period::DATE AS period, /* first day of the month */
  plan_selection_by_selection_date.tenant_id::TEXT AS tenant_id, /* tenant whose data it is */
  plan_selection_by_selection_date.metal_tier::TEXT AS metal_tier, /* metal level */
  plan_selection_by_selection_date.state::TEXT AS state, /* state */
  plan_selection_by_selection_date.enrollment_source::TEXT AS enrollment_source, /* enrolment source */
  COALESCE(effectuated_selections, 0)::BIGINT AS effectuated_selections, /* Effectuated selections, selections */
  COALESCE(plan_selections, 0)::BIGINT AS plan_selections, /* Plan selections, selections */
  COALESCE(special_enrollment_selections, 0)::BIGINT AS special_enrollment_selections /* Special enrolment selections, selections */
FROM plan_selection_by_selection_date
