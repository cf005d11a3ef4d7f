MODEL (
  name core.fct_member_condition,
  kind FULL,
  owner member_analytics,
  grain (tenant_id, member_key, plan_year, hhs_hcc),
  description 'HHS condition categories that covered members were seen for in a plan year, from the diagnoses of paid claim lines. How common is a condition, and are lasting ones recorded again the year after?',
  audits (
    not_null(
      columns := (
        tenant_id,
        member_key,
        plan_year,
        hhs_hcc,
        condition_group,
        is_chronic,
        member_sk,
        plan_sk,
        geography_sk
      )
    ),
    unique_combination_of_columns(columns := (tenant_id, member_key, plan_year, hhs_hcc)),
    conditions_of_covered_members()
  ),
  depends_on (
    core.fct_claim_line
  )
);

WITH diagnoses AS (
  SELECT
    diagnoses.diagnosis_code,
    diagnoses.hhs_hcc,
    condition_groups.condition_group,
    diagnosis_uses.condition_kind
  FROM core.dim_diagnosis AS diagnoses
  LEFT JOIN staging.ref_aca_hcc_condition_group AS condition_groups
    ON condition_groups.hhs_hcc = diagnoses.hhs_hcc
  LEFT JOIN staging.ref_aca_diagnosis_use AS diagnosis_uses
    ON diagnosis_uses.diagnosis_code = diagnoses.diagnosis_code
  WHERE
    NOT diagnoses.hhs_hcc IS NULL
), conditions AS (
  SELECT
    member_diagnoses.member_key,
    member_diagnoses.service_year,
    diagnoses.hhs_hcc,
    MAX(diagnoses.condition_group) AS condition_group,
    MAX(CASE WHEN diagnoses.condition_kind IN ('chronic', 'behavioral') THEN 1 ELSE 0 END) AS chronic
  FROM core.member_diagnosis_years AS member_diagnoses
  INNER JOIN diagnoses
    ON diagnoses.diagnosis_code = member_diagnoses.diagnosis_code
  GROUP BY
    member_diagnoses.member_key,
    member_diagnoses.service_year,
    diagnoses.hhs_hcc
), coverage AS (
  SELECT
    tenant_id,
    member_key,
    plan_year,
    year_start,
    member_sk,
    plan_sk,
    geography_sk
  FROM core.member_coverage_years
), years AS (
  SELECT
    tenant_id,
    plan_year,
    known_months,
    is_first_year
  FROM core.plan_years
), covered_years AS (
  SELECT
    coverage.tenant_id,
    coverage.member_key,
    coverage.plan_year,
    coverage.year_start,
    coverage.member_sk,
    coverage.plan_sk,
    coverage.geography_sk,
    years.is_first_year,
    years.known_months = 12 AS is_year_known
  FROM coverage
  INNER JOIN years
    ON years.tenant_id = coverage.tenant_id AND years.plan_year = coverage.plan_year
)
SELECT
  covered_years.tenant_id::TEXT AS tenant_id,
  covered_years.member_key::BIGINT AS member_key,
  covered_years.plan_year::INT AS plan_year,
  covered_years.year_start::DATE AS year_start,
  conditions.hhs_hcc::INT AS hhs_hcc,
  COALESCE(conditions.condition_group, 'other')::TEXT AS condition_group,
  (
    conditions.chronic = 1
  )::BOOLEAN AS is_chronic, /* a chronic or behavioral condition: one that lasts */
  (
    CASE WHEN NOT covered_years.is_first_year THEN NOT previous_conditions.member_key IS NULL END
  )::BOOLEAN AS was_seen_last_year, /* seen for it in the year before too, covered or not; NULL in the issuer's first year */
  (
    CASE WHEN next_years.is_year_known THEN NOT next_conditions.member_key IS NULL END
  )::BOOLEAN AS is_seen_next_year, /* seen for it in the year after too; NULL when not covered then or that year is not complete */
  covered_years.member_sk::BIGINT AS member_sk,
  covered_years.plan_sk::BIGINT AS plan_sk,
  covered_years.geography_sk::BIGINT AS geography_sk
FROM conditions
INNER JOIN covered_years
  ON covered_years.member_key = conditions.member_key
  AND covered_years.plan_year = conditions.service_year
LEFT JOIN conditions AS previous_conditions
  ON previous_conditions.member_key = conditions.member_key
  AND previous_conditions.service_year = conditions.service_year - 1
  AND previous_conditions.hhs_hcc = conditions.hhs_hcc
LEFT JOIN covered_years AS next_years
  ON next_years.member_key = conditions.member_key AND next_years.plan_year = conditions.service_year + 1
LEFT JOIN conditions AS next_conditions
  ON next_conditions.member_key = conditions.member_key
  AND next_conditions.service_year = conditions.service_year + 1
  AND next_conditions.hhs_hcc = conditions.hhs_hcc;

AUDIT (
  name conditions_of_covered_members,
  dialect duckdb
);

/* as many members with a condition per year as the paid claim lines of covered members tell */
WITH ours AS (
  SELECT
    tenant_id,
    plan_year,
    hhs_hcc,
    COUNT(*) AS member_count
  FROM @this_model
  GROUP BY
    tenant_id,
    plan_year,
    hhs_hcc
), theirs AS (
  SELECT
    claim_lines.tenant_id,
    coverage.plan_year,
    diagnoses.hhs_hcc,
    COUNT(DISTINCT claim_lines.member_key) AS member_count
  FROM core.fct_claim_line AS claim_lines
  INNER JOIN core.dim_diagnosis AS diagnoses
    ON diagnoses.diagnosis_code = claim_lines.diagnosis_code
  INNER JOIN core.member_coverage_years AS coverage
    ON coverage.member_key = claim_lines.member_key
    AND coverage.plan_year = EXTRACT(YEAR FROM claim_lines.service_date)
  WHERE
    claim_lines.claim_status = 'paid' AND NOT diagnoses.hhs_hcc IS NULL
  GROUP BY
    claim_lines.tenant_id,
    coverage.plan_year,
    diagnoses.hhs_hcc
)
SELECT
  ours.member_count AS member_count,
  theirs.member_count AS other_member_count
FROM ours
FULL JOIN theirs
  ON theirs.tenant_id = ours.tenant_id
  AND theirs.plan_year = ours.plan_year
  AND theirs.hhs_hcc = ours.hhs_hcc
WHERE
  ours.member_count IS DISTINCT FROM theirs.member_count
