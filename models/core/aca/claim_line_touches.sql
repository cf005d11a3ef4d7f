MODEL (
  name core.claim_line_touches,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column touched_on
  ),
  owner claims_analytics,
  grain (touched_on, claim_line_key),
  description 'Claim lines about which something became known on a day: a state arrived or was retracted, or the history of their member, provider or plan changed so that it may reach the day of service. Which lines have to be computed anew, and how far back does a batch reach?',
  audits (
    not_null(columns := (touched_on, claim_line_key)),
    unique_combination_of_columns(columns := (touched_on, claim_line_key))
  )
);

WITH retractions AS (
  SELECT
    load_id,
    retracted_at::DATE AS retraction_date
  FROM ops.retraction
), changed_members AS (
  @changed_keys(core.member_changes, core.dim_member, key := (tenant_id, member_id))
), changed_providers AS (
  @changed_keys(core.provider_changes, core.dim_provider, key := (tenant_id, provider_id))
), changed_plans AS (
  @changed_keys(core.plan_changes, core.dim_plan, key := (tenant_id, plan_id, effective_year))
), lines_of_changed_members AS (
  SELECT
    changed_members.touched_on,
    states.claim_line_key
  FROM changed_members
  INNER JOIN core.claim_line_changes AS states
    ON states.tenant_id = changed_members.tenant_id
    AND states.member_id = changed_members.member_id
    AND states.service_date >= changed_members.reaches_from
  WHERE
    states.load_date < changed_members.touched_on AND states.load_date < @end_ds
), lines_of_changed_providers AS (
  SELECT
    changed_providers.touched_on,
    states.claim_line_key
  FROM changed_providers
  INNER JOIN core.claim_line_changes AS states
    ON states.tenant_id = changed_providers.tenant_id
    AND states.provider_id = changed_providers.provider_id
    AND states.service_date >= changed_providers.reaches_from
  WHERE
    states.load_date < changed_providers.touched_on AND states.load_date < @end_ds
), lines_of_changed_plans AS (
  SELECT
    changed_plans.touched_on,
    states.claim_line_key
  FROM changed_plans
  INNER JOIN core.claim_line_changes AS states
    ON states.tenant_id = changed_plans.tenant_id
    AND states.plan_id = changed_plans.plan_id
    AND states.service_date >= changed_plans.reaches_from
    AND EXTRACT(YEAR FROM states.service_date) = changed_plans.effective_year
  WHERE
    states.load_date < changed_plans.touched_on AND states.load_date < @end_ds
), touches AS (
  SELECT
    load_date AS touched_on,
    claim_line_key
  FROM core.claim_line_changes
  WHERE
    load_date BETWEEN @start_ds AND @end_ds
  UNION
  SELECT
    retractions.retraction_date AS touched_on,
    states.claim_line_key
  FROM retractions
  INNER JOIN core.claim_line_changes AS states
    ON states.load_id = retractions.load_id
  WHERE
    retractions.retraction_date BETWEEN @start_ds AND @end_ds
  UNION
  SELECT
    touched_on,
    claim_line_key
  FROM lines_of_changed_members
  UNION
  SELECT
    touched_on,
    claim_line_key
  FROM lines_of_changed_providers
  UNION
  SELECT
    touched_on,
    claim_line_key
  FROM lines_of_changed_plans
)
SELECT
  touched_on::DATE AS touched_on, /* day on which it became known */
  claim_line_key::BIGINT AS claim_line_key /* the claim line */
FROM touches
