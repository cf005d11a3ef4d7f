MODEL (
  name core.fct_claim_processing,
  kind FULL,
  owner claims_analytics,
  grain (tenant_id, claim_id),
  depends_on (
    core.dim_member,
    core.dim_provider,
    core.dim_plan,
    core.dim_geography,
    core.fct_claim,
    core.fct_appeal
  ),
  description 'How each claim went through the house, from the states its lines were in. How fast are claims decided, and how many are pended, denied, adjusted, reversed or appealed?',
  audits (
    not_null(
      columns := (
        tenant_id,
        claim_id,
        final_status,
        is_ever_pended,
        is_adjusted,
        is_reversed,
        is_clean,
        is_denied,
        has_denied_line,
        is_prompt,
        is_appealed
      )
    ),
    unique_combination_of_columns(columns := (tenant_id, claim_id)),
    accepted_values("column" := final_status, is_in := ('pended', 'paid', 'denied', 'reversed')),
    accepted_range("column" := line_count, min_v := 1),
    forall(
      criteria := (
        is_clean OR NOT is_prompt,
        has_denied_line OR NOT is_denied,
        has_denied_line = (
          NOT denial_date IS NULL
        ),
        NOT first_decided_date IS NULL OR NOT is_clean
      )
    ),
    forall(criteria := (days_to_receipt >= 0, days_to_decision >= 0), blocking := FALSE),
    appeals_follow_denials(appeals := core.fct_appeal, blocking := FALSE),
    references_dimension("column" := member_sk, dimension := core.dim_member),
    references_dimension("column" := provider_sk, dimension := core.dim_provider),
    references_dimension("column" := plan_sk, dimension := core.dim_plan),
    references_dimension("column" := geography_sk, dimension := core.dim_geography),
    same_total("column" := line_count, other := core.fct_claim),
    same_total("column" := claim_amount, other := core.fct_claim_line),
    status_is_that_of_the_claim()
  )
);

WITH retractions AS (
  SELECT
    load_id
  FROM ops.retraction
), claim_lines AS (
  SELECT
    claim_line_key,
    tenant_id,
    claim_id,
    service_date,
    received_date,
    member_key,
    member_sk,
    provider_sk,
    plan_sk,
    geography_sk,
    claim_type,
    claim_status,
    in_network,
    claim_amount
  FROM core.fct_claim_line
), appealed AS (
  SELECT DISTINCT
    tenant_id,
    claim_id
  FROM core.fct_appeal
), standing AS (
  SELECT
    changes.claim_line_key,
    changes.claim_status,
    changes.adjudicated_date,
    changes.paid_amount,
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
    claim_status,
    adjudicated_date,
    paid_amount,
    ROW_NUMBER() OVER (PARTITION BY claim_line_key ORDER BY extracted_at) AS state_number
  FROM standing
  WHERE
    correction_rank = 1
), line_histories AS (
  SELECT
    claim_line_key,
    MIN(CASE WHEN claim_status <> 'pended' THEN adjudicated_date END) AS first_decided_date,
    MIN(CASE WHEN claim_status = 'denied' THEN adjudicated_date END) AS denial_date,
    MAX(CASE WHEN claim_status = 'pended' THEN 1 ELSE 0 END) AS pended,
    MAX(CASE WHEN claim_status = 'reversed' THEN 1 ELSE 0 END) AS reversed,
    MAX(CASE WHEN claim_status = 'denied' THEN 1 ELSE 0 END) AS denied,
    MIN(CASE WHEN claim_status = 'denied' THEN state_number END) AS first_denied,
    MAX(CASE WHEN claim_status = 'paid' THEN state_number END) AS last_paid,
    MIN(CASE WHEN claim_status = 'paid' THEN paid_amount END) AS least_paid,
    MAX(CASE WHEN claim_status = 'paid' THEN paid_amount END) AS most_paid
  FROM states
  GROUP BY
    claim_line_key
), claims AS (
  SELECT
    claim_lines.tenant_id,
    claim_lines.claim_id,
    MIN(claim_lines.service_date) AS service_date,
    MIN(claim_lines.received_date) AS received_date,
    MAX(claim_lines.member_key) AS member_key,
    MAX(claim_lines.member_sk) AS member_sk,
    MAX(claim_lines.provider_sk) AS provider_sk,
    MAX(claim_lines.plan_sk) AS plan_sk,
    MAX(claim_lines.geography_sk) AS geography_sk,
    MAX(claim_lines.claim_type) AS claim_type,
    MIN(CASE WHEN claim_lines.in_network THEN 1 ELSE 0 END) AS in_network,
    COUNT(*) AS line_count,
    SUM(CASE WHEN claim_lines.claim_status = 'pended' THEN 1 ELSE 0 END) AS pended_line_count,
    SUM(CASE WHEN claim_lines.claim_status = 'paid' THEN 1 ELSE 0 END) AS paid_line_count,
    SUM(CASE WHEN claim_lines.claim_status = 'denied' THEN 1 ELSE 0 END) AS denied_line_count,
    SUM(claim_lines.claim_amount) AS claim_amount,
    COUNT(line_histories.first_decided_date) AS decided_line_count,
    MAX(line_histories.first_decided_date) AS last_first_decided_date,
    MIN(line_histories.denial_date) AS denial_date,
    MAX(line_histories.pended) AS pended,
    MAX(line_histories.reversed) AS reversed,
    MAX(line_histories.denied) AS denied,
    MAX(
      CASE
        WHEN line_histories.last_paid > line_histories.first_denied
        OR line_histories.most_paid > line_histories.least_paid
        THEN 1
        ELSE 0
      END
    ) AS adjusted
  FROM claim_lines
  INNER JOIN line_histories
    ON line_histories.claim_line_key = claim_lines.claim_line_key
  GROUP BY
    claim_lines.tenant_id,
    claim_lines.claim_id
), judged AS (
  SELECT
    claims.tenant_id,
    claims.claim_id,
    claims.member_key,
    claims.member_sk,
    claims.provider_sk,
    claims.plan_sk,
    claims.geography_sk,
    claims.claim_type,
    claims.in_network = 1 AS in_network,
    claims.service_date,
    claims.received_date,
    CASE WHEN claims.decided_line_count = claims.line_count THEN claims.last_first_decided_date END AS first_decided_date,
    CASE
      WHEN claims.pended_line_count > 0
      THEN 'pended'
      WHEN claims.paid_line_count > 0
      THEN 'paid'
      WHEN claims.denied_line_count > 0
      THEN 'denied'
      ELSE 'reversed'
    END AS final_status,
    claims.line_count,
    claims.claim_amount,
    claims.pended = 1 AS is_ever_pended,
    claims.adjusted = 1 AS is_adjusted,
    claims.reversed = 1 AS is_reversed,
    claims.decided_line_count = claims.line_count
    AND claims.pended = 0
    AND claims.adjusted = 0
    AND claims.reversed = 0 AS is_clean,
    claims.denied_line_count = claims.line_count AS is_denied,
    claims.denied = 1 AS has_denied_line,
    NOT appealed.claim_id IS NULL AS is_appealed,
    claims.denial_date
  FROM claims
  LEFT JOIN appealed
    ON appealed.tenant_id = claims.tenant_id AND appealed.claim_id = claims.claim_id
)
SELECT
  tenant_id::TEXT AS tenant_id, /* issuer */
  claim_id::TEXT AS claim_id, /* the issuer's id of the claim */
  member_key::BIGINT AS member_key, /* durable, pseudonymous key of the member */
  member_sk::BIGINT AS member_sk, /* member as of the day of service; -1 unknown */
  provider_sk::BIGINT AS provider_sk, /* provider as of the day of service; -1 unknown */
  plan_sk::BIGINT AS plan_sk, /* plan as of the day of service; -1 unknown */
  geography_sk::BIGINT AS geography_sk, /* county of the member as of the day of service; -1 unknown */
  claim_type::TEXT AS claim_type, /* professional, inpatient, outpatient or pharmacy */
  in_network::BOOLEAN AS in_network, /* whether every line was in the plan's network */
  service_date::DATE AS service_date, /* first day of service */
  received_date::DATE AS received_date, /* day the issuer received the claim */
  first_decided_date::DATE AS first_decided_date, /* first decision on the line that was decided last; NULL while a line is undecided */
  final_status::TEXT AS final_status, /* pended while a line is; else paid if a line is; denied only when no line is paid; reversed when all are */
  line_count::INT AS line_count, /* number of lines */
  claim_amount::DECIMAL(14, 2) AS claim_amount, /* billed, USD */
  is_ever_pended::BOOLEAN AS is_ever_pended, /* whether an extract showed a line in pend */
  is_adjusted::BOOLEAN AS is_adjusted, /* whether a later extract has another paid amount for a paid line, or a denied one as paid; a corrected file of the same extract adjusts nothing */
  is_reversed::BOOLEAN AS is_reversed, /* whether a line was reversed */
  is_clean::BOOLEAN AS is_clean, /* decided, never pended, neither adjusted nor reversed */
  is_denied::BOOLEAN AS is_denied, /* whether every line is denied in its latest state */
  has_denied_line::BOOLEAN AS has_denied_line, /* whether an extract shows a line denied; a denial that was overturned before the next extract is in none */
  (
    received_date - service_date
  )::INT AS days_to_receipt, /* days from the first day of service to receipt */
  (
    first_decided_date - received_date
  )::INT AS days_to_decision, /* days from receipt to first_decided_date; NULL while undecided */
  COALESCE(is_clean AND (
    first_decided_date - received_date
  )::INT <= 30, FALSE)::BOOLEAN AS is_prompt, /* clean and decided within 30 days of receipt */
  is_appealed::BOOLEAN AS is_appealed, /* whether an appeal was filed, also against a denial that no extract shows */
  denial_date::DATE AS denial_date /* first denial of a line; NULL when none was denied */
FROM judged;

AUDIT (
  name status_is_that_of_the_claim
);

SELECT
  processing.tenant_id,
  processing.claim_id,
  processing.final_status,
  claims.claim_status
FROM @this_model AS processing
FULL JOIN core.fct_claim AS claims
  ON claims.tenant_id = processing.tenant_id AND claims.claim_id = processing.claim_id
WHERE
  processing.final_status IS DISTINCT FROM claims.claim_status
