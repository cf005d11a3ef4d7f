MODEL (
  name core.fct_grace_member,
  kind FULL,
  owner member_analytics,
  grain (tenant_id, member_key, as_of_month),
  description 'Members with a tax credit in their grace period at the end of each month: the oldest unpaid premium of a coverage span is 1 to 90 days past due. A void invoice is not owed; a debt of another span does not count. Coverage may since have been ended back to the first unpaid month. How many members are about to lose coverage for non-payment?',
  audits (
    not_null(columns := (tenant_id, member_key, as_of_month, member_sk, plan_sk, geography_sk)),
    unique_combination_of_columns(columns := (tenant_id, member_key, as_of_month)),
    accepted_range("column" := days_past_due, min_v := 1, max_v := 90),
    debts_are_invoices(),
    references_dimension("column" := member_sk, dimension := core.dim_member),
    references_dimension("column" := plan_sk, dimension := core.dim_plan)
  ),
  depends_on (core.dim_member, core.dim_plan)
);

WITH extracts AS (
  SELECT
    batches.tenant_id,
    MAX(batches.extracted_at) AS last_extracted_at
  FROM ops.load_batch AS batches
  LEFT JOIN ops.retraction AS retractions
    ON retractions.load_id = batches.load_id
  WHERE
    batches.feed = 'aca_premium_payments' AND batches.status = 'loaded' AND retractions.load_id IS NULL
  GROUP BY
    batches.tenant_id
), months AS (
  SELECT
    month_start,
    (
      month_start + INTERVAL '1' MONTH - INTERVAL '1' DAY
    )::DATE AS month_end
  FROM core.dim_date
  WHERE
    day_of_month = 1
), late_invoices AS (
  SELECT
    tenant_id,
    invoice_id,
    enrollment_id,
    member_key,
    member_sk,
    plan_sk,
    geography_sk,
    due_date,
    paid_date
  FROM core.fct_premium_invoice
  WHERE
    has_aptc
    AND invoice_status <> 'void'
    AND (
      paid_date IS NULL
      OR paid_date > (
        DATE_TRUNC('MONTH', due_date) + INTERVAL '1' MONTH - INTERVAL '1' DAY
      )::DATE
    )
), unpaid AS (
  SELECT
    invoices.tenant_id,
    invoices.enrollment_id,
    invoices.member_key,
    invoices.member_sk,
    invoices.plan_sk,
    invoices.geography_sk,
    months.month_start,
    (
      months.month_end - invoices.due_date
    )::INT AS days_past_due,
    ROW_NUMBER() OVER (
      PARTITION BY invoices.tenant_id, invoices.enrollment_id, months.month_start
      ORDER BY invoices.due_date, invoices.invoice_id
    ) AS debt_rank
  FROM late_invoices AS invoices
  INNER JOIN extracts
    ON extracts.tenant_id = invoices.tenant_id
  INNER JOIN months
    ON months.month_end > invoices.due_date
    AND (
      invoices.paid_date IS NULL OR invoices.paid_date > months.month_end
    )
    AND months.month_end < extracts.last_extracted_at
), spans_in_grace AS (
  SELECT
    tenant_id,
    member_key,
    member_sk,
    plan_sk,
    geography_sk,
    month_start,
    days_past_due,
    ROW_NUMBER() OVER (PARTITION BY tenant_id, member_key, month_start ORDER BY days_past_due DESC, enrollment_id) AS span_rank
  FROM unpaid
  WHERE
    debt_rank = 1 AND days_past_due <= 90
)
SELECT
  tenant_id::TEXT AS tenant_id,
  member_key::BIGINT AS member_key,
  month_start::DATE AS as_of_month, /* month at whose end it held, by its first day */
  member_sk::BIGINT AS member_sk, /* member as of the oldest unpaid month; -1 unknown */
  plan_sk::BIGINT AS plan_sk, /* plan as of the oldest unpaid month; -1 unknown */
  geography_sk::BIGINT AS geography_sk, /* county of the member as of the oldest unpaid month; -1 unknown */
  days_past_due::INT AS days_past_due /* days from the due date of the oldest unpaid premium to the end of the month */
FROM spans_in_grace
WHERE
  span_rank = 1;

AUDIT (
  name debts_are_invoices,
  dialect duckdb
);

/* on the day that the debt is counted from, the member has an invoice unpaid at the month's end */
SELECT
  grace_members.*
FROM @this_model AS grace_members
LEFT JOIN core.fct_premium_invoice AS invoices
  ON invoices.member_key = grace_members.member_key
  AND invoices.invoice_status <> 'void'
  AND (
    grace_members.as_of_month + INTERVAL '1' MONTH
  )::DATE - invoices.due_date = grace_members.days_past_due + 1
  AND (
    invoices.paid_date IS NULL OR invoices.paid_date >= grace_members.as_of_month + INTERVAL '1' MONTH
  )
WHERE
  invoices.invoice_id IS NULL
