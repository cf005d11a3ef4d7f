MODEL (
  name core.fct_premium_invoice,
  kind CUSTOM (
    materialization 'recompute_touched'
  ),
  owner member_analytics,
  grain (tenant_id, invoice_id),
  description 'Invoices of the member''s premium in their latest state, with the member, plan and county of the month billed. Months that cost the member nothing have none. How much of what members owed was collected?',
  audits (
    not_null(
      columns := (
        tenant_id,
        invoice_id,
        enrollment_id,
        member_key,
        member_sk,
        plan_sk,
        geography_sk,
        coverage_month,
        due_date,
        has_aptc
      ),
      condition := @heard_in(staging.stg_aca_premium_payments, tenant_id, invoice_id)
    ),
    unique_combination_of_columns(
      columns := (tenant_id, invoice_id),
      condition := @heard_in(staging.stg_aca_premium_payments, tenant_id, invoice_id)
    ),
    accepted_values(
      "column" := invoice_status,
      is_in := ('open', 'paid', 'void'),
      condition := @heard_in(staging.stg_aca_premium_payments, tenant_id, invoice_id)
    ),
    forall(
      criteria := (
        collected_amount BETWEEN 0 AND billed_amount
      ),
      condition := @heard_in(staging.stg_aca_premium_payments, tenant_id, invoice_id),
      blocking := FALSE
    ),
    every_standing_invoice(condition := @heard_in(staging.stg_aca_premium_payments, tenant_id, invoice_id)),
    references_dimension("column" := member_sk, dimension := core.dim_member),
    references_dimension("column" := plan_sk, dimension := core.dim_plan),
    references_dimension(
      "column" := geography_sk,
      dimension := core.dim_geography,
      condition := @heard_in(staging.stg_aca_premium_payments, tenant_id, invoice_id)
    ),
    unknown_share_at_most(
      "column" := member_sk,
      share := 0.05,
      condition := @heard_in(staging.stg_aca_premium_payments, tenant_id, invoice_id),
      blocking := FALSE
    ),
    unknown_share_at_most(
      "column" := plan_sk,
      share := 0.05,
      condition := @heard_in(staging.stg_aca_premium_payments, tenant_id, invoice_id),
      blocking := FALSE
    )
  )
);

WITH heard_invoices AS (
  @heard_of(staging.stg_aca_premium_payments, key := (tenant_id, invoice_id))
), changed_members AS (
  @changed_keys(core.member_changes, core.dim_member, key := (tenant_id, member_id))
), changed_plans AS (
  @changed_keys(core.plan_changes, core.dim_plan, key := (tenant_id, plan_id, effective_year))
), changed_enrollments AS (
  @heard_of(core.enrollment_changes, key := (tenant_id, enrollment_id))
), touched_invoices AS (
  SELECT
    tenant_id,
    invoice_id
  FROM heard_invoices
  UNION
  SELECT
    billed.tenant_id,
    billed.invoice_id
  FROM changed_members
  INNER JOIN staging.stg_aca_premium_payments AS billed
    ON billed.tenant_id = changed_members.tenant_id AND billed.member_id = changed_members.member_id
  WHERE
    billed.coverage_month + INTERVAL '14' DAY >= changed_members.reaches_from
  UNION
  SELECT
    billed.tenant_id,
    billed.invoice_id
  FROM changed_plans
  INNER JOIN core.enrollment_states AS spans
    ON spans.tenant_id = changed_plans.tenant_id AND spans.plan_id = changed_plans.plan_id
  INNER JOIN staging.stg_aca_premium_payments AS billed
    ON billed.tenant_id = spans.tenant_id AND billed.enrollment_id = spans.enrollment_id
  WHERE
    billed.coverage_month + INTERVAL '14' DAY >= changed_plans.reaches_from
    AND EXTRACT(YEAR FROM billed.coverage_month) = changed_plans.effective_year
  UNION
  SELECT
    billed.tenant_id,
    billed.invoice_id
  FROM changed_enrollments
  INNER JOIN staging.stg_aca_premium_payments AS billed
    ON billed.tenant_id = changed_enrollments.tenant_id
    AND billed.enrollment_id = changed_enrollments.enrollment_id
), retractions AS (
  SELECT
    load_id
  FROM ops.retraction
), staged AS (
  SELECT
    tenant_id,
    invoice_id,
    enrollment_id,
    member_id,
    coverage_month,
    due_date,
    billed_amount,
    collected_amount,
    paid_date,
    invoice_status,
    ROW_NUMBER() OVER (PARTITION BY tenant_id, invoice_id ORDER BY extracted_at DESC, load_timestamp DESC, load_id DESC) AS state_rank
  FROM staging.stg_aca_premium_payments AS staged
  WHERE
    (staged.tenant_id, staged.invoice_id) IN (
      SELECT
        tenant_id,
        invoice_id
      FROM touched_invoices
    )
    AND NOT EXISTS(
      SELECT
        1
      FROM retractions
      WHERE
        retractions.load_id = staged.load_id
    )
), invoices AS (
  SELECT
    tenant_id,
    invoice_id,
    enrollment_id,
    member_id,
    coverage_month,
    (
      coverage_month + INTERVAL '14' DAY
    )::DATE AS mid_month,
    due_date,
    billed_amount,
    collected_amount,
    paid_date,
    invoice_status
  FROM staged
  WHERE
    state_rank = 1
), spans AS (
  SELECT
    tenant_id,
    enrollment_id,
    plan_id,
    aptc_amount
  FROM core.enrollment_states
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
  invoices.tenant_id::TEXT AS tenant_id,
  invoices.invoice_id::TEXT AS invoice_id,
  invoices.enrollment_id::TEXT AS enrollment_id,
  (
    @bigint_key(invoices.tenant_id, invoices.member_id)
  )::BIGINT AS member_key, /* durable, pseudonymous key of the member */
  COALESCE(members.member_sk, -1)::BIGINT AS member_sk, /* member as of the 15th of the coverage month; -1 unknown */
  COALESCE(plans.plan_sk, -1)::BIGINT AS plan_sk, /* plan of the span as of the 15th of the coverage month; -1 unknown */
  COALESCE(members.geography_sk, -1)::BIGINT AS geography_sk, /* county of the member as of the 15th of the coverage month; -1 unknown */
  invoices.coverage_month::DATE AS coverage_month,
  invoices.due_date::DATE AS due_date,
  invoices.billed_amount::DECIMAL(14, 2) AS billed_amount,
  invoices.collected_amount::DECIMAL(14, 2) AS collected_amount,
  invoices.paid_date::DATE AS paid_date,
  invoices.invoice_status::TEXT AS invoice_status,
  COALESCE(spans.aptc_amount > 0, FALSE)::BOOLEAN AS has_aptc /* whether the span has a tax credit; false when the span is not known */
FROM invoices
LEFT JOIN spans
  ON spans.tenant_id = invoices.tenant_id AND spans.enrollment_id = invoices.enrollment_id
LEFT JOIN members
  ON members.tenant_id = invoices.tenant_id
  AND members.member_id = invoices.member_id
  AND invoices.mid_month >= members.join_from_ts
  AND invoices.mid_month < members.validity_end_ts
LEFT JOIN plans
  ON plans.tenant_id = invoices.tenant_id
  AND plans.plan_id = spans.plan_id
  AND plans.effective_year = EXTRACT(YEAR FROM invoices.mid_month)
  AND invoices.mid_month >= plans.join_from_ts
  AND invoices.mid_month < plans.validity_end_ts;

AUDIT (
  name every_standing_invoice,
  dialect duckdb,
  defaults (
    condition = TRUE
  )
);

/* one row per invoice of which a batch that stands tells */
WITH expected AS (
  /* not a join: when many batches were retracted, PostgreSQL expects no row of it to be left */
  SELECT DISTINCT
    tenant_id,
    invoice_id
  FROM staging.stg_aca_premium_payments
  WHERE
    NOT load_id IN (
      SELECT
        load_id
      FROM ops.retraction
    )
), standing AS (
  SELECT
    tenant_id,
    invoice_id
  FROM expected
  WHERE
    @condition
), ours AS (
  SELECT
    tenant_id,
    invoice_id
  FROM @this_model
  WHERE
    @condition
)
SELECT
  standing.invoice_id AS expected_invoice_id,
  ours.invoice_id AS invoice_id
FROM standing
FULL JOIN ours
  ON ours.tenant_id = standing.tenant_id AND ours.invoice_id = standing.invoice_id
WHERE
  standing.invoice_id IS NULL OR ours.invoice_id IS NULL
