MODEL (
  name core.fct_plan_selection,
  kind FULL,
  owner member_analytics,
  grain (tenant_id, enrollment_id),
  description 'Plan selections on record in the issuer''s latest extract, cancelled ones too, with the member, plan and county as of the first covered day. How many plans were chosen, when and how, and how many of them took effect?',
  audits (
    not_null(
      columns := (
        tenant_id,
        enrollment_id,
        member_key,
        member_sk,
        plan_sk,
        geography_sk,
        coverage_start_date,
        plan_year,
        is_cancelled,
        is_effectuated,
        is_special_enrollment
      )
    ),
    unique_combination_of_columns(columns := (tenant_id, enrollment_id)),
    accepted_values("column" := enrollment_source, is_in := ('open_enrollment', 'special_enrollment', 'auto_renewal')),
    forall(criteria := (
      NOT (
        is_cancelled AND is_effectuated
      )
    )),
    selections_in_force(),
    references_dimension("column" := member_sk, dimension := core.dim_member),
    references_dimension("column" := plan_sk, dimension := core.dim_plan),
    references_dimension("column" := geography_sk, dimension := core.dim_geography),
    unknown_share_at_most("column" := member_sk, share := 0.05, blocking := FALSE),
    unknown_share_at_most("column" := plan_sk, share := 0.05, blocking := FALSE)
  ),
  depends_on (
    core.enrollment_spans
  )
);

WITH selections AS (
  SELECT
    tenant_id,
    enrollment_id,
    member_id,
    member_key,
    plan_id,
    selection_date,
    enrollment_source,
    coverage_start_date,
    coverage_end_date,
    termination_reason,
    is_cancelled,
    monthly_premium <= aptc_amount AS is_free
  FROM core.enrollment_states
  WHERE
    is_on_record
), invoices AS (
  SELECT
    tenant_id,
    enrollment_id,
    invoice_status,
    ROW_NUMBER() OVER (PARTITION BY tenant_id, enrollment_id ORDER BY coverage_month, invoice_id) AS invoice_rank
  FROM core.fct_premium_invoice
), first_invoices AS (
  SELECT
    tenant_id,
    enrollment_id,
    invoice_status
  FROM invoices
  WHERE
    invoice_rank = 1
), members AS (
  SELECT
    member_versions.member_sk,
    member_versions.tenant_id,
    member_versions.member_id,
    member_versions.join_from_ts,
    member_versions.validity_end_ts,
    geographies.geography_sk
  FROM core.dim_member AS member_versions
  LEFT JOIN core.dim_geography AS geographies
    ON geographies.county_fips = member_versions.county_fips
), plans AS (
  SELECT
    plan_sk,
    tenant_id,
    plan_id,
    effective_year,
    join_from_ts,
    validity_end_ts
  FROM core.dim_plan
)
SELECT
  selections.tenant_id::TEXT AS tenant_id,
  selections.enrollment_id::TEXT AS enrollment_id,
  selections.member_key::BIGINT AS member_key,
  COALESCE(members.member_sk, -1)::BIGINT AS member_sk, /* member as of the first covered day; -1 unknown */
  COALESCE(plans.plan_sk, -1)::BIGINT AS plan_sk, /* plan as of the first covered day; -1 unknown */
  COALESCE(members.geography_sk, -1)::BIGINT AS geography_sk, /* county of the member as of the first covered day; -1 unknown */
  selections.selection_date::DATE AS selection_date,
  selections.enrollment_source::TEXT AS enrollment_source,
  (
    selections.enrollment_source = 'special_enrollment'
  )::BOOLEAN AS is_special_enrollment, /* chosen outside open enrollment */
  selections.coverage_start_date::DATE AS coverage_start_date,
  selections.coverage_end_date::DATE AS coverage_end_date,
  EXTRACT(YEAR FROM selections.coverage_start_date)::INT AS plan_year, /* plan year of the coverage */
  selections.termination_reason::TEXT AS termination_reason,
  selections.is_cancelled::BOOLEAN AS is_cancelled,
  (
    NOT selections.is_cancelled
    AND COALESCE(first_invoices.invoice_status = 'paid', selections.is_free, FALSE)
  )::BOOLEAN AS is_effectuated /* not cancelled, and the first invoice is paid or, with the premium covered by the tax credit, none was due */
FROM selections
LEFT JOIN first_invoices
  ON first_invoices.tenant_id = selections.tenant_id
  AND first_invoices.enrollment_id = selections.enrollment_id
LEFT JOIN members
  ON members.tenant_id = selections.tenant_id
  AND members.member_id = selections.member_id
  AND selections.coverage_start_date >= members.join_from_ts
  AND selections.coverage_start_date < members.validity_end_ts
LEFT JOIN plans
  ON plans.tenant_id = selections.tenant_id
  AND plans.plan_id = selections.plan_id
  AND plans.effective_year = EXTRACT(YEAR FROM selections.coverage_start_date)
  AND selections.coverage_start_date >= plans.join_from_ts
  AND selections.coverage_start_date < plans.validity_end_ts;

AUDIT (
  name selections_in_force,
  dialect duckdb
);

/* as many selections that were not cancelled as spans in force */
WITH ours AS (
  SELECT
    COUNT(*) AS row_count
  FROM @this_model
  WHERE
    NOT is_cancelled
), theirs AS (
  SELECT
    COUNT(*) AS row_count
  FROM core.enrollment_spans
)
SELECT
  ours.row_count AS row_count,
  theirs.row_count AS other_row_count
FROM ours
CROSS JOIN theirs
WHERE
  ours.row_count <> theirs.row_count
