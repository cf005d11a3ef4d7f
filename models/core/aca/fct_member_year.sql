MODEL (
  name core.fct_member_year,
  kind FULL,
  owner member_analytics,
  grain (tenant_id, member_key, plan_year),
  description 'Members by plan year, with what they used, how they rank by cost, which screenings they are due for, and whether they stayed. Claims count by day of service; screening flags are a proxy of our own. Plan ids are compared as they are: no crosswalk is on record. Did we keep our members, who drives cost, and who has a gap in care?',
  audits (
    not_null(
      columns := (
        tenant_id,
        member_key,
        plan_year,
        member_sk,
        plan_sk,
        geography_sk,
        member_months,
        is_full_year,
        allowed_amount,
        is_top_5_percent,
        has_diabetes
      )
    ),
    unique_combination_of_columns(columns := (tenant_id, member_key, plan_year)),
    forall(
      criteria := (
        is_top_5_percent OR NOT is_top_1_percent,
        is_top_10_percent OR NOT is_top_5_percent,
        is_active_at_year_end OR NOT is_retained,
        is_retained OR NOT is_switched,
        has_claim OR allowed_amount = 0
      )
    ),
    same_total("column" := member_months, other := core.fct_member_month),
    claims_of_covered_years(),
    references_dimension("column" := member_sk, dimension := core.dim_member),
    references_dimension("column" := plan_sk, dimension := core.dim_plan)
  ),
  depends_on (core.fct_claim_line, core.fct_member_month, core.dim_plan)
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
    december_plan_id,
    january_plan_id,
    LAG(plan_year) OVER (PARTITION BY tenant_id, member_key ORDER BY plan_year) AS covered_before
  FROM core.member_coverage_years
), years AS (
  SELECT
    tenant_id,
    plan_year,
    known_months,
    is_first_year,
    is_year_end_known,
    is_next_january_known
  FROM core.plan_years
), services AS (
  SELECT
    member_key,
    service_year,
    claim_lines,
    allowed_amount,
    paid_amount,
    has_visit,
    has_preventive_visit,
    has_primary_care_visit,
    last_mammogram_date,
    has_colonoscopy,
    has_a1c_test
  FROM core.member_service_years
), screenings AS (
  SELECT
    coverage.member_key,
    coverage.plan_year,
    MAX(services.last_mammogram_date) AS last_mammogram_date,
    MAX(CASE WHEN services.has_colonoscopy THEN 1 ELSE 0 END) AS colonoscopy
  FROM coverage
  INNER JOIN services
    ON services.member_key = coverage.member_key AND services.service_year <= coverage.plan_year
  GROUP BY
    coverage.member_key,
    coverage.plan_year
), diabetics AS (
  SELECT DISTINCT
    coverage.member_key,
    coverage.plan_year
  FROM coverage
  INNER JOIN core.member_diagnosis_years AS diagnoses
    ON diagnoses.member_key = coverage.member_key
    AND diagnoses.service_year BETWEEN coverage.plan_year - 1 AND coverage.plan_year
  WHERE
    diagnoses.diagnosis_code LIKE 'E10%' OR diagnoses.diagnosis_code LIKE 'E11%'
), members AS (
  SELECT
    member_sk,
    dob,
    gender
  FROM core.dim_member
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
    years.known_months,
    coverage.member_months = years.known_months AND coverage.member_months >= 11 AS is_full_year,
    CASE
      WHEN NOT years.is_first_year
      THEN coverage.covered_before IS DISTINCT FROM coverage.plan_year - 1
    END AS is_new,
    CASE WHEN years.is_year_end_known THEN NOT coverage.december_plan_id IS NULL END AS is_active_at_year_end,
    CASE
      WHEN years.is_next_january_known
      THEN NOT coverage.december_plan_id IS NULL AND NOT coverage.january_plan_id IS NULL
    END AS is_retained,
    SUBSTRING(coverage.december_plan_id, 1, 14) <> SUBSTRING(coverage.january_plan_id, 1, 14) AS is_plan_changed,
    COALESCE(services.claim_lines, 0) AS claim_lines,
    COALESCE(services.allowed_amount, 0) AS allowed_amount,
    COALESCE(services.paid_amount, 0) AS paid_amount,
    COALESCE(services.has_visit, FALSE) AS has_visit,
    COALESCE(services.has_preventive_visit, FALSE) AS has_preventive_visit,
    COALESCE(services.has_primary_care_visit, FALSE) AS is_attributed,
    COALESCE(services.has_a1c_test, FALSE) AS has_a1c_test,
    members.gender,
    @age_in_years(members.dob, (
      coverage.year_start + INTERVAL '12' MONTH - INTERVAL '1' DAY
    )) AS age,
    COALESCE(screenings.last_mammogram_date >= coverage.year_start - INTERVAL '15' MONTH, FALSE) AS has_breast_screening,
    COALESCE(screenings.colonoscopy = 1, FALSE) AS has_colorectal_screening,
    NOT diabetics.member_key IS NULL AS is_diabetic,
    ROW_NUMBER() OVER (
      PARTITION BY coverage.tenant_id, coverage.plan_year
      ORDER BY COALESCE(services.allowed_amount, 0) DESC, coverage.member_key
    ) AS cost_rank,
    COUNT(*) OVER (PARTITION BY coverage.tenant_id, coverage.plan_year) AS member_count
  FROM coverage
  INNER JOIN years
    ON years.tenant_id = coverage.tenant_id AND years.plan_year = coverage.plan_year
  LEFT JOIN services
    ON services.member_key = coverage.member_key AND services.service_year = coverage.plan_year
  LEFT JOIN screenings
    ON screenings.member_key = coverage.member_key AND screenings.plan_year = coverage.plan_year
  LEFT JOIN diabetics
    ON diabetics.member_key = coverage.member_key AND diabetics.plan_year = coverage.plan_year
  LEFT JOIN members
    ON members.member_sk = coverage.member_sk
), top_spenders AS (
  SELECT
    member_key,
    plan_year,
    known_months,
    (
      cost_rank - 1
    ) * 100 < member_count * 5 AS is_top_5_percent
  FROM member_years
)
SELECT
  member_years.tenant_id::TEXT AS tenant_id,
  member_years.member_key::BIGINT AS member_key,
  member_years.plan_year::INT AS plan_year,
  member_years.year_start::DATE AS year_start,
  member_years.member_sk::BIGINT AS member_sk,
  member_years.plan_sk::BIGINT AS plan_sk,
  member_years.geography_sk::BIGINT AS geography_sk,
  member_years.member_months::INT AS member_months,
  member_years.is_full_year::BOOLEAN AS is_full_year, /* covered in every month of the year that is known, and in 11 or more */
  member_years.is_new::BOOLEAN AS is_new, /* not covered in the year before; NULL in the issuer's first year */
  member_years.is_active_at_year_end::BOOLEAN AS is_active_at_year_end, /* covered on 31 December; NULL while unknown */
  member_years.is_retained::BOOLEAN AS is_retained, /* covered on 31 December and on 31 January next; NULL while unknown */
  (
    member_years.is_retained AND COALESCE(member_years.is_plan_changed, FALSE)
  )::BOOLEAN AS is_switched, /* retained in a plan of another 14-character id; NULL while unknown */
  member_years.claim_lines::INT AS claim_lines, /* paid claim lines of the year */
  member_years.allowed_amount::DECIMAL(14, 2) AS allowed_amount, /* allowed on paid lines of the year, USD */
  member_years.paid_amount::DECIMAL(14, 2) AS paid_amount, /* paid by the plan for services of the year, USD */
  (
    member_years.claim_lines > 0
  )::BOOLEAN AS has_claim, /* a paid claim line */
  member_years.has_visit::BOOLEAN AS has_visit,
  member_years.has_preventive_visit::BOOLEAN AS has_preventive_visit,
  member_years.is_attributed::BOOLEAN AS is_attributed, /* seen by a primary care provider in an office, telehealth or preventive visit, so that one of them has the most such visits */
  (
    (
      member_years.cost_rank - 1
    ) * 100 < member_years.member_count
  )::BOOLEAN AS is_top_1_percent, /* among the costliest 1% of the issuer's members of the year by allowed amount, rounded up to a member; ties by key */
  (
    (
      member_years.cost_rank - 1
    ) * 100 < member_years.member_count * 5
  )::BOOLEAN AS is_top_5_percent, /* among the costliest 5% */
  (
    (
      member_years.cost_rank - 1
    ) * 100 < member_years.member_count * 10
  )::BOOLEAN AS is_top_10_percent, /* among the costliest 10% */
  (
    (
      member_years.member_count - member_years.cost_rank + 1
    ) * 2 <= member_years.member_count
  )::BOOLEAN AS is_bottom_50_percent, /* among the cheapest half, rounded down to a member */
  (
    CASE WHEN next_years.known_months = 12 THEN next_years.is_top_5_percent END
  )::BOOLEAN AS is_top_5_percent_next_year, /* among the costliest 5% of the year after; NULL when not covered then or that year is not complete */
  COALESCE(member_years.is_full_year AND member_years.gender = 'F' AND member_years.age BETWEEN 50 AND 74, FALSE)::BOOLEAN AS is_breast_screening_due, /* woman of 50 to 74 on 31 December, full year */
  member_years.has_breast_screening::BOOLEAN AS has_breast_screening, /* screening mammogram in the 27 months to the end of the year */
  COALESCE(member_years.is_full_year AND member_years.age BETWEEN 45 AND 75, FALSE)::BOOLEAN AS is_colorectal_screening_due, /* aged 45 to 75 on 31 December, full year */
  member_years.has_colorectal_screening::BOOLEAN AS has_colorectal_screening, /* screening colonoscopy in the data up to the end of the year */
  (
    member_years.is_full_year AND member_years.is_diabetic
  )::BOOLEAN AS has_diabetes, /* full year, and a paid line with diabetes (E10, E11) in it or the year before */
  member_years.has_a1c_test::BOOLEAN AS has_a1c_test /* a glycated haemoglobin test in the year */
FROM member_years
LEFT JOIN top_spenders AS next_years
  ON next_years.member_key = member_years.member_key AND next_years.plan_year = member_years.plan_year + 1;

AUDIT (
  name claims_of_covered_years,
  dialect duckdb
);

/* the allowed amount of members and years with coverage, counted from the claim lines */
WITH ours AS (
  SELECT
    COALESCE(SUM(allowed_amount), 0) AS total
  FROM @this_model
), theirs AS (
  SELECT
    COALESCE(SUM(claim_lines.allowed_amount), 0) AS total
  FROM core.fct_claim_line AS claim_lines
  INNER JOIN @this_model AS member_years
    ON member_years.member_key = claim_lines.member_key
    AND member_years.plan_year = EXTRACT(YEAR FROM claim_lines.service_date)
  WHERE
    claim_lines.claim_status = 'paid'
)
SELECT
  ours.total AS total,
  theirs.total AS claimed_total
FROM ours
CROSS JOIN theirs
WHERE
  ours.total <> theirs.total
