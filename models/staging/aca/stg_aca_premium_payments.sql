MODEL (
  name staging.stg_aca_premium_payments,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column load_date
  ),
  owner member_analytics,
  grain (tenant_id, load_id, invoice_id),
  description 'Invoices of the member''s premium as each extract gave them. Which months of coverage were billed to the member, and which of them were paid by the day of an extract?',
  audits (
    not_null(
      columns := (
        tenant_id,
        load_id,
        invoice_id,
        enrollment_id,
        member_id,
        coverage_month,
        due_date,
        billed_amount,
        collected_amount,
        invoice_status
      )
    ),
    unique_combination_of_columns(columns := (tenant_id, load_id, invoice_id)),
    accepted_values("column" := invoice_status, is_in := ('open', 'paid', 'void')),
    accepted_range("column" := billed_amount, min_v := 0),
    forall(
      criteria := (
        collected_amount <= billed_amount,
        coverage_month = DATE_TRUNC('MONTH', coverage_month),
        (
          paid_date IS NULL
        ) = (
          invoice_status <> 'paid'
        ),
        invoice_status = 'paid' OR collected_amount = 0,
        invoice_status <> 'void' OR billed_amount = 0
      ),
      blocking := FALSE
    ),
    staged_equals_landed(feed := 'aca_premium_payments', raw_table := raw.aca_premium_payments, key := (
      invoice_id
    ))
  )
);

WITH landed AS (
  SELECT
    *
  FROM raw.aca_premium_payments
  WHERE
    load_timestamp >= @start_ds::DATE AND load_timestamp < @end_ds::DATE + INTERVAL '1' DAY
), standardised AS (
  SELECT
    tenant_id,
    load_id,
    @clean(invoice_id) AS invoice_id,
    @clean(enrollment_id) AS enrollment_id,
    @clean(member_id) AS member_id,
    coverage_month,
    due_date,
    billed_amount,
    collected_amount,
    paid_date,
    @code(invoice_status) AS invoice_status,
    extracted_at,
    load_timestamp,
    source_line,
    ROW_NUMBER() OVER (PARTITION BY load_id, @clean(invoice_id) ORDER BY source_line DESC) AS line_rank
  FROM landed
)
SELECT
  tenant_id::TEXT AS tenant_id, /* issuer */
  load_id::BIGINT AS load_id, /* batch that brought the row */
  invoice_id::TEXT AS invoice_id, /* the issuer's id of the invoice, one per coverage span and month */
  enrollment_id::TEXT AS enrollment_id, /* coverage span that the month belongs to */
  member_id::TEXT AS member_id, /* member covered */
  coverage_month::DATE AS coverage_month, /* first day of the month billed */
  due_date::DATE AS due_date, /* day by which it is to be paid */
  billed_amount::DECIMAL(12, 2) AS billed_amount, /* gross premium less tax credit, USD; 0 once void */
  collected_amount::DECIMAL(12, 2) AS collected_amount, /* amount received, USD; 0 unless paid */
  paid_date::DATE AS paid_date, /* day the payment was received; NULL unless paid */
  invoice_status::TEXT AS invoice_status, /* open, paid or void */
  extracted_at::TIMESTAMP AS extracted_at, /* when the source was read */
  load_timestamp::TIMESTAMP AS load_timestamp, /* when the batch landed */
  load_timestamp::DATE AS load_date, /* day the batch landed: the increment */
  source_line::INT AS source_line /* line of the source file */
FROM standardised
WHERE
  line_rank = 1
