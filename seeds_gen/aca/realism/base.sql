-- What the files say, as far as several measures ask for it. Feeds are views over the files, with
-- the columns tenant_id and extracted_on added.

-- The latest state of each claim line, with what the reference tables know of it.
CREATE TABLE lines AS
WITH latest AS (
  SELECT *
  FROM claims
  QUALIFY row_number() OVER (
    PARTITION BY tenant_id, claim_id, line_number ORDER BY extracted_on DESC
  ) = 1
)
SELECT
  latest.*,
  procedures.procedure_category,
  procedures.drug_class,
  procedures.visit_kind,
  diagnoses.hhs_hcc
FROM latest
LEFT JOIN procedures USING (procedure_code)
LEFT JOIN diagnoses USING (diagnosis_code);

-- The latest state of each coverage span that was ever on record.
CREATE TABLE spans AS
SELECT
  enrollments.*,
  right(plan_id, 2) AS variant,
  year(coverage_start_date) AS plan_year,
  coverage_end_date < coverage_start_date AS is_cancelled
FROM enrollments
QUALIFY row_number() OVER (
  PARTITION BY tenant_id, enrollment_id ORDER BY extracted_on DESC
) = 1;

CREATE TABLE people AS
SELECT * FROM members
QUALIFY row_number() OVER (PARTITION BY tenant_id, member_id ORDER BY extracted_on DESC) = 1;

-- Income as the first extract of each year tells it.
CREATE TABLE incomes AS
SELECT
  tenant_id,
  member_id,
  year(extracted_on) AS plan_year,
  arg_min(coalesce(fpl_ratio, -1), extracted_on) AS fpl_ratio
FROM members
GROUP BY ALL;

CREATE TABLE metals AS
SELECT tenant_id, plan_id, effective_year, any_value(metal_tier) AS metal_tier,
  arg_max(deductible, extracted_on) AS deductible, arg_max(oop_max, extracted_on) AS oop_max,
  arg_max(monthly_premium, extracted_on) AS monthly_premium
FROM plans
GROUP BY ALL;

-- Selections of open enrollment on the exchange, cancelled ones too.
CREATE TABLE selections AS
SELECT
  spans.*,
  metals.metal_tier,
  incomes.fpl_ratio,
  spans.monthly_premium_net,
  date_sub('year', people.dob, make_date(spans.plan_year, 1, 1)) AS age,
  people.gender,
  EXISTS (
    SELECT 1 FROM spans AS earlier
    WHERE earlier.tenant_id = spans.tenant_id AND earlier.member_id = spans.member_id
      AND earlier.plan_year < spans.plan_year AND NOT earlier.is_cancelled
  ) AS is_known
FROM (
  SELECT *, monthly_premium - aptc_amount AS monthly_premium_net FROM spans
) AS spans
JOIN metals
  ON metals.tenant_id = spans.tenant_id AND metals.plan_id = spans.plan_id
  AND metals.effective_year = spans.plan_year
JOIN people
  ON people.tenant_id = spans.tenant_id AND people.member_id = spans.member_id
LEFT JOIN incomes
  ON incomes.tenant_id = spans.tenant_id AND incomes.member_id = spans.member_id
  AND incomes.plan_year = spans.plan_year
WHERE enrollment_source IN ('open_enrollment', 'auto_renewal')
  AND month(coverage_start_date) <= 2 AND variant <> '00';

-- Covered months: a month counts when its 15th is covered.
CREATE TABLE months AS
SELECT
  spans.tenant_id,
  spans.member_id,
  CAST(month AS DATE) AS month,
  any_value(spans.plan_id) AS plan_id,
  any_value(spans.variant) AS variant,
  any_value(metals.metal_tier) AS metal_tier,
  any_value(spans.monthly_premium) AS premium,
  any_value(spans.aptc_amount) AS aptc,
  any_value(date_sub('year', people.dob, CAST(month AS DATE))) AS age
FROM spans
CROSS JOIN unnest(generate_series(
  date_trunc('month', coverage_start_date),
  least(coverage_end_date, getvariable('last_day')),
  INTERVAL 1 MONTH
)) AS calendar (month)
JOIN metals
  ON metals.tenant_id = spans.tenant_id AND metals.plan_id = spans.plan_id
  AND metals.effective_year = spans.plan_year
JOIN people
  ON people.tenant_id = spans.tenant_id AND people.member_id = spans.member_id
WHERE NOT spans.is_cancelled
GROUP BY spans.tenant_id, spans.member_id, month;

-- A year of each member: months covered, and what the services of the year cost.
CREATE TABLE member_years AS
WITH covered AS (
  SELECT tenant_id, member_id, year(month) AS year, count(*) AS months, max(age) AS age
  FROM months GROUP BY ALL
), spent AS (
  SELECT tenant_id, member_id, year(service_date) AS year,
    sum(allowed_amount) AS allowed, sum(paid_amount) AS paid,
    sum(allowed_amount - paid_amount) AS own_share,
    bool_or(hhs_hcc IS NOT NULL AND claim_status = 'paid') AS has_hcc,
    bool_or(diagnosis_code = 'I10') AS has_hypertension
  FROM lines GROUP BY ALL
)
SELECT covered.*, coalesce(allowed, 0) AS allowed, coalesce(paid, 0) AS paid,
  coalesce(own_share, 0) AS own_share, coalesce(has_hcc, FALSE) AS has_hcc,
  coalesce(has_hypertension, FALSE) AS has_hypertension
FROM covered LEFT JOIN spent USING (tenant_id, member_id, year);

CREATE TABLE full_years AS SELECT * FROM member_years WHERE months = 12;

CREATE TABLE stays AS
SELECT tenant_id, claim_id, member_id,
  min(service_date) AS admitted, max(discharge_date) AS discharged,
  any_value(discharge_status) AS ending, any_value(admission_type) AS admission_type,
  bool_or(procedure_code = 'PX-IPB') AND any_value(admission_type) <> 'newborn' AS is_birth,
  any_value(admission_type) = 'newborn' AS is_newborn
FROM lines WHERE claim_type = 'inpatient'
GROUP BY tenant_id, claim_id, member_id;
