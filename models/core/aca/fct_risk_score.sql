MODEL (
  name core.fct_risk_score,
  kind FULL,
  owner member_analytics,
  grain (tenant_id, member_key, plan_year),
  description 'Risk score of members of 21 and over by the HHS-HCC adult model of 2026, for every plan year alike: subset; not a filing. Age and sex, conditions after hierarchies, enrollment duration and cost-sharing factor count; drugs, transplants and severe illnesses do not, since no condition of the subset is one. How sick are the members of a plan compared with the market?',
  audits (
    not_null(
      columns := (
        tenant_id,
        member_key,
        plan_year,
        risk_score,
        csr_factor,
        member_months,
        member_sk,
        plan_sk,
        geography_sk
      )
    ),
    unique_combination_of_columns(columns := (tenant_id, member_key, plan_year)),
    accepted_values("column" := csr_factor, is_in := (1, 1.07, 1.12, 1.15)),
    accepted_range("column" := risk_score, min_v := 0.05),
    every_adult_scored()
  )
);

WITH coverage AS (
  SELECT
    tenant_id,
    member_key,
    plan_year,
    year_start,
    member_sk,
    plan_sk,
    geography_sk,
    member_months,
    (
      last_coverage_month + INTERVAL '1' MONTH - INTERVAL '1' DAY
    )::DATE AS last_covered_date
  FROM core.member_coverage_years
), members AS (
  SELECT
    member_sk,
    dob,
    gender
  FROM core.dim_member
), plans AS (
  SELECT
    plan_sk,
    metal_tier,
    csr_variant
  FROM core.dim_plan
  WHERE
    metal_tier IN ('platinum', 'gold', 'silver', 'bronze', 'catastrophic')
), member_years AS (
  SELECT
    coverage.tenant_id,
    coverage.member_key,
    coverage.plan_year,
    coverage.year_start,
    coverage.member_sk,
    coverage.plan_sk,
    coverage.geography_sk,
    coverage.member_months,
    members.gender,
    @age_in_years(members.dob, coverage.last_covered_date) AS age,
    plans.metal_tier,
    CASE
      WHEN plans.csr_variant IN ('05', '06')
      THEN 1.12
      WHEN plans.csr_variant IN ('02', '03') AND plans.metal_tier = 'bronze'
      THEN 1.15
      WHEN plans.csr_variant IN ('02', '03') AND plans.metal_tier = 'silver'
      THEN 1.12
      WHEN plans.csr_variant IN ('02', '03') AND plans.metal_tier = 'gold'
      THEN 1.07
      ELSE 1
    END AS csr_factor
  FROM coverage
  INNER JOIN members
    ON members.member_sk = coverage.member_sk
  INNER JOIN plans
    ON plans.plan_sk = coverage.plan_sk
), adults AS (
  SELECT
    tenant_id,
    member_key,
    plan_year,
    year_start,
    member_sk,
    plan_sk,
    geography_sk,
    member_months,
    gender,
    age,
    metal_tier,
    csr_factor
  FROM member_years
  WHERE
    age >= 21
), terms AS (
  SELECT
    variable,
    term_kind,
    gender,
    min_age,
    max_age,
    hhs_hcc,
    enrolled_months,
    platinum,
    gold,
    silver,
    bronze,
    catastrophic
  FROM staging.ref_aca_hhs_hcc_adult
), diagnoses AS (
  SELECT
    adults.member_key,
    adults.plan_year,
    adults.age,
    member_diagnoses.diagnosis_code,
    diagnosis_codes.hhs_hcc
  FROM core.member_diagnosis_years AS member_diagnoses
  INNER JOIN adults
    ON adults.member_key = member_diagnoses.member_key AND adults.plan_year = member_diagnoses.service_year
  INNER JOIN core.dim_diagnosis AS diagnosis_codes
    ON diagnosis_codes.diagnosis_code = member_diagnoses.diagnosis_code
  WHERE
    member_diagnoses.is_risk_eligible
), conditions AS (
  SELECT
    member_key,
    plan_year,
    CASE WHEN diagnosis_code LIKE 'C50%' AND age >= 50 THEN 12 ELSE hhs_hcc END AS hhs_hcc /* breast cancer at 50 and over is a category of its own */
  FROM diagnoses
  UNION
  /* type 1 diabetes counts beside the category of diabetes */
  SELECT
    member_key,
    plan_year,
    22 AS hhs_hcc
  FROM diagnoses
  WHERE
    diagnosis_code LIKE 'E10%'
), dropped_conditions AS (
  SELECT DISTINCT
    conditions.member_key,
    conditions.plan_year,
    hierarchy.dropped_hhs_hcc AS hhs_hcc
  FROM conditions
  INNER JOIN staging.ref_aca_hhs_hcc_hierarchy AS hierarchy
    ON hierarchy.hhs_hcc = conditions.hhs_hcc
), condition_terms AS (
  SELECT
    conditions.member_key,
    conditions.plan_year,
    terms.variable
  FROM conditions
  INNER JOIN terms
    ON terms.term_kind = 'condition' AND terms.hhs_hcc = conditions.hhs_hcc
  LEFT JOIN dropped_conditions
    ON dropped_conditions.member_key = conditions.member_key
    AND dropped_conditions.plan_year = conditions.plan_year
    AND dropped_conditions.hhs_hcc = conditions.hhs_hcc
  WHERE
    dropped_conditions.member_key IS NULL
), condition_counts AS (
  SELECT
    member_key,
    plan_year,
    COUNT(*) AS condition_count
  FROM condition_terms
  GROUP BY
    member_key,
    plan_year
), applied_terms AS (
  SELECT
    adults.member_key,
    adults.plan_year,
    terms.variable,
    CASE WHEN adults.gender = terms.gender THEN 1 ELSE 0.5 END AS weight /* who is neither gets the mean of both sexes */
  FROM adults
  INNER JOIN terms
    ON terms.term_kind = 'age_sex'
    AND adults.age BETWEEN terms.min_age AND terms.max_age
    AND (
      terms.gender = adults.gender OR adults.gender = 'X'
    )
  UNION ALL
  SELECT
    member_key,
    plan_year,
    variable,
    1 AS weight
  FROM condition_terms
  UNION ALL
  SELECT
    adults.member_key,
    adults.plan_year,
    terms.variable,
    1 AS weight
  FROM adults
  INNER JOIN condition_counts
    ON condition_counts.member_key = adults.member_key AND condition_counts.plan_year = adults.plan_year
  INNER JOIN terms
    ON terms.term_kind = 'duration' AND terms.enrolled_months = adults.member_months
), scores AS (
  SELECT
    adults.member_key,
    adults.plan_year,
    SUM(
      applied_terms.weight * CASE adults.metal_tier
        WHEN 'platinum'
        THEN terms.platinum
        WHEN 'gold'
        THEN terms.gold
        WHEN 'silver'
        THEN terms.silver
        WHEN 'bronze'
        THEN terms.bronze
        ELSE terms.catastrophic
      END
    ) AS score
  FROM adults
  INNER JOIN applied_terms
    ON applied_terms.member_key = adults.member_key AND applied_terms.plan_year = adults.plan_year
  INNER JOIN terms
    ON terms.variable = applied_terms.variable
  GROUP BY
    adults.member_key,
    adults.plan_year
)
SELECT
  adults.tenant_id::TEXT AS tenant_id,
  adults.member_key::BIGINT AS member_key,
  adults.plan_year::INT AS plan_year,
  adults.year_start::DATE AS year_start,
  adults.member_sk::BIGINT AS member_sk,
  adults.plan_sk::BIGINT AS plan_sk,
  adults.geography_sk::BIGINT AS geography_sk,
  adults.member_months::INT AS member_months,
  COALESCE(condition_counts.condition_count, 0)::INT AS condition_count, /* condition categories that count, after hierarchies */
  adults.csr_factor::DECIMAL(4, 2) AS csr_factor, /* factor for the use that lower cost sharing induces */
  (
    scores.score * adults.csr_factor
  )::DECIMAL(12, 6) AS risk_score /* score at the metal level of the last plan, cost-sharing factor included */
FROM adults
INNER JOIN scores
  ON scores.member_key = adults.member_key AND scores.plan_year = adults.plan_year
LEFT JOIN condition_counts
  ON condition_counts.member_key = adults.member_key AND condition_counts.plan_year = adults.plan_year;

AUDIT (
  name every_adult_scored,
  dialect duckdb
);

/* member months of scored years = those of everybody who was 21 in the last covered month under a known plan */
WITH expected AS (
  SELECT
    COALESCE(SUM(coverage.member_months), 0) AS member_months
  FROM core.member_coverage_years AS coverage
  INNER JOIN core.dim_member AS members
    ON members.member_sk = coverage.member_sk
  WHERE
    coverage.plan_sk <> -1 AND members.dob < (
      coverage.last_coverage_month - INTERVAL '251' MONTH
    )
), ours AS (
  SELECT
    COALESCE(SUM(member_months), 0) AS member_months
  FROM @this_model
)
SELECT
  ours.member_months AS member_months,
  expected.member_months AS expected_member_months
FROM ours
CROSS JOIN expected
WHERE
  ours.member_months <> expected.member_months
