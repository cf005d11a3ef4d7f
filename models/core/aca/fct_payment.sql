MODEL (
  name core.fct_payment,
  kind FULL,
  owner claims_analytics,
  grain (claim_line_key, load_id),
  depends_on (core.dim_member, core.dim_provider, core.dim_plan, core.dim_geography),
  description 'Every change of what was paid for a claim line, as the extracts showed it. How much money went out or came back in a month, and was it a payment, an adjustment or a reversal?',
  audits (
    not_null(columns := (claim_line_key, load_id, tenant_id, claim_id, paid_date, event, paid_change)),
    unique_combination_of_columns(columns := (claim_line_key, load_id)),
    accepted_values("column" := event, is_in := ('payment', 'adjustment', 'reversal')),
    forall(
      criteria := (paid_change <> 0, event <> 'reversal' OR paid_change < 0, event <> 'payment' OR paid_change > 0)
    ),
    forall(criteria := (
      paid_date >= service_date
    ), blocking := FALSE),
    references_dimension("column" := member_sk, dimension := core.dim_member),
    references_dimension("column" := provider_sk, dimension := core.dim_provider),
    references_dimension("column" := plan_sk, dimension := core.dim_plan),
    references_dimension("column" := geography_sk, dimension := core.dim_geography),
    changes_add_up_to_what_is_paid()
  )
);

WITH retractions AS (
  SELECT
    load_id
  FROM ops.retraction
), claim_lines AS (
  SELECT
    claim_line_key,
    member_key,
    member_sk,
    provider_sk,
    plan_sk,
    geography_sk,
    claim_type,
    service_date
  FROM core.fct_claim_line
), standing AS (
  SELECT
    changes.claim_line_key,
    changes.load_id,
    changes.tenant_id,
    changes.claim_id,
    changes.claim_status,
    changes.paid_amount,
    changes.adjudicated_date,
    changes.extracted_at,
    ROW_NUMBER() OVER (
      PARTITION BY changes.claim_line_key, changes.extracted_at
      ORDER BY changes.load_timestamp DESC, changes.load_id DESC
    ) AS correction_rank /* of one extract, what landed last counts: a corrected file is no event */
  FROM core.claim_line_changes AS changes
  LEFT JOIN retractions
    ON retractions.load_id = changes.load_id
  WHERE
    retractions.load_id IS NULL
), states AS (
  SELECT
    claim_line_key,
    load_id,
    tenant_id,
    claim_id,
    claim_status,
    paid_amount,
    COALESCE(adjudicated_date, extracted_at::DATE) AS paid_date,
    LAG(claim_status) OVER (PARTITION BY claim_line_key ORDER BY extracted_at) AS claim_status_before,
    COALESCE(LAG(paid_amount) OVER (PARTITION BY claim_line_key ORDER BY extracted_at), 0) AS paid_before
  FROM standing
  WHERE
    correction_rank = 1
)
SELECT
  states.claim_line_key::BIGINT AS claim_line_key, /* claim line */
  states.load_id::BIGINT AS load_id, /* batch that brought the change */
  states.tenant_id::TEXT AS tenant_id, /* issuer */
  states.claim_id::TEXT AS claim_id, /* the issuer's id of the claim */
  claim_lines.member_key::BIGINT AS member_key, /* durable, pseudonymous key of the member */
  claim_lines.member_sk::BIGINT AS member_sk, /* member as of the day of service; -1 unknown */
  claim_lines.provider_sk::BIGINT AS provider_sk, /* provider as of the day of service; -1 unknown */
  claim_lines.plan_sk::BIGINT AS plan_sk, /* plan as of the day of service; -1 unknown */
  claim_lines.geography_sk::BIGINT AS geography_sk, /* county of the member as of the day of service; -1 unknown */
  claim_lines.claim_type::TEXT AS claim_type, /* professional, inpatient, outpatient or pharmacy */
  claim_lines.service_date::DATE AS service_date, /* day of the service */
  states.paid_date::DATE AS paid_date, /* day of the decision that changed the amount */
  (
    CASE
      WHEN states.claim_status <> 'paid'
      THEN 'reversal'
      WHEN states.claim_status_before = 'paid'
      THEN 'adjustment'
      ELSE 'payment'
    END
  )::TEXT AS event, /* payment: the line becomes paid; adjustment: another amount is paid; reversal: it is paid no longer */
  (
    states.paid_amount - states.paid_before
  )::DECIMAL(14, 2) AS paid_change /* paid amount less that of the state before, USD; never 0 */
FROM states
INNER JOIN claim_lines
  ON claim_lines.claim_line_key = states.claim_line_key
WHERE
  states.paid_amount <> states.paid_before;

AUDIT (
  name changes_add_up_to_what_is_paid
);

WITH ours AS (
  SELECT
    COALESCE(SUM(paid_change), 0) AS total
  FROM @this_model
), theirs AS (
  SELECT
    COALESCE(SUM(paid_amount), 0) AS total
  FROM core.fct_claim_line
)
SELECT
  ours.total AS total,
  theirs.total AS other_total
FROM ours
CROSS JOIN theirs
WHERE
  ours.total <> theirs.total
