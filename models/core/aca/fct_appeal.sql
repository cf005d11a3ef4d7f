MODEL (
  name core.fct_appeal,
  kind FULL,
  owner claims_analytics,
  grain (tenant_id, appeal_id),
  depends_on (core.dim_member, core.dim_provider, core.dim_plan, core.dim_geography),
  description 'Appeals against denials in their latest state. How many denials are appealed, how long do decisions take, and how many are overturned?',
  audits (
    not_null(columns := (tenant_id, appeal_id, claim_id, filed_date, outcome)),
    unique_combination_of_columns(columns := (tenant_id, appeal_id)),
    accepted_values("column" := outcome, is_in := ('open', 'upheld', 'overturned')),
    forall(
      criteria := (filed_date <= decided_date, (
          decided_date IS NULL
        ) = (
          outcome = 'open'
      )),
      blocking := FALSE
    ),
    unknown_share_at_most("column" := member_key, share := 0.05, blocking := FALSE),
    references_dimension("column" := member_sk, dimension := core.dim_member),
    references_dimension("column" := provider_sk, dimension := core.dim_provider),
    references_dimension("column" := plan_sk, dimension := core.dim_plan),
    references_dimension("column" := geography_sk, dimension := core.dim_geography),
    every_appeal_once()
  )
);

WITH retractions AS (
  SELECT
    load_id
  FROM ops.retraction
), states AS (
  SELECT
    appeals.tenant_id,
    appeals.appeal_id,
    appeals.claim_id,
    appeals.line_number,
    appeals.filed_date,
    appeals.decided_date,
    appeals.outcome,
    ROW_NUMBER() OVER (
      PARTITION BY appeals.tenant_id, appeals.appeal_id
      ORDER BY appeals.extracted_at DESC, appeals.load_timestamp DESC, appeals.load_id DESC
    ) AS state_rank
  FROM staging.stg_aca_appeals AS appeals
  LEFT JOIN retractions
    ON retractions.load_id = appeals.load_id
  WHERE
    retractions.load_id IS NULL
), claim_lines AS (
  SELECT
    tenant_id,
    claim_id,
    member_key,
    member_sk,
    provider_sk,
    plan_sk,
    geography_sk
  FROM core.fct_claim_line
), claims AS (
  SELECT
    claim_lines.tenant_id,
    claim_lines.claim_id,
    MAX(claim_lines.member_key) AS member_key,
    MAX(claim_lines.member_sk) AS member_sk,
    MAX(claim_lines.provider_sk) AS provider_sk,
    MAX(claim_lines.plan_sk) AS plan_sk,
    MAX(claim_lines.geography_sk) AS geography_sk
  FROM claim_lines
  WHERE
    claim_lines.claim_id IN (
      SELECT
        states.claim_id
      FROM states
    )
  GROUP BY
    claim_lines.tenant_id,
    claim_lines.claim_id
)
SELECT
  states.tenant_id::TEXT AS tenant_id, /* issuer */
  states.appeal_id::TEXT AS appeal_id, /* the issuer's id of the appeal */
  states.claim_id::TEXT AS claim_id, /* claim whose denial is appealed */
  states.line_number::INT AS line_number, /* line whose denial is appealed; NULL when the whole claim is */
  COALESCE(claims.member_key, -1)::BIGINT AS member_key, /* durable, pseudonymous key of the member; -1 when the claim is unknown */
  COALESCE(claims.member_sk, -1)::BIGINT AS member_sk, /* member as of the day of service; -1 unknown */
  COALESCE(claims.provider_sk, -1)::BIGINT AS provider_sk, /* provider as of the day of service; -1 unknown */
  COALESCE(claims.plan_sk, -1)::BIGINT AS plan_sk, /* plan as of the day of service; -1 unknown */
  COALESCE(claims.geography_sk, -1)::BIGINT AS geography_sk, /* county of the member as of the day of service; -1 unknown */
  states.filed_date::DATE AS filed_date, /* day the appeal was filed */
  states.decided_date::DATE AS decided_date, /* day of the decision; NULL while open */
  states.outcome::TEXT AS outcome /* open, upheld or overturned */
FROM states
LEFT JOIN claims
  ON claims.tenant_id = states.tenant_id AND claims.claim_id = states.claim_id
WHERE
  states.state_rank = 1;

AUDIT (
  name every_appeal_once
);

WITH ours AS (
  SELECT
    COUNT(*) AS row_count
  FROM @this_model
), appeals AS (
  SELECT DISTINCT
    tenant_id,
    appeal_id
  FROM staging.stg_aca_appeals
  WHERE
    NOT load_id IN (
      SELECT
        load_id
      FROM ops.retraction
    )
), theirs AS (
  SELECT
    COUNT(*) AS row_count
  FROM appeals
)
SELECT
  ours.row_count AS row_count,
  theirs.row_count AS other_row_count
FROM ours
CROSS JOIN theirs
WHERE
  ours.row_count <> theirs.row_count
