-- Premiums and tax credits, reckoned again from plans, people and reference tables. What the feeds
-- do not say, an issuer's factor of a rating area, its surcharge for tobacco and the benchmark, is
-- taken from one payer each, and everybody else must fit.
CREATE OR REPLACE TEMP TABLE rated AS
SELECT
  spans.*,
  people.household_id,
  people.state,
  people.tobacco_use,
  metals.metal_tier,
  metals.monthly_premium AS plan_premium,
  date_sub('year', people.dob, coverage_start_date) AS age,
  CAST(curve.premium_ratio AS DECIMAL(5, 3)) AS age_ratio,
  coverage_start_date = date_trunc('month', people.dob) AS is_born
FROM spans
JOIN people ON people.tenant_id = spans.tenant_id AND people.member_id = spans.member_id
JOIN metals ON metals.tenant_id = spans.tenant_id AND metals.plan_id = spans.plan_id
  AND metals.effective_year = spans.plan_year
JOIN age_curve AS curve
  ON curve.age = least(65, date_sub('year', people.dob, spans.coverage_start_date));

CREATE OR REPLACE TEMP TABLE area_factors AS
SELECT tenant_id, state, plan_year, rating_area,
  CAST(round(arg_max(monthly_premium / (plan_premium * age_ratio), monthly_premium), 3)
    AS DECIMAL(5, 3)) AS area_factor
FROM rated WHERE NOT tobacco_use GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE priced AS
WITH without_tobacco AS (
  SELECT rated.*, area_factor, plan_premium * area_factor * age_ratio AS exact
  FROM rated JOIN area_factors USING (tenant_id, state, plan_year, rating_area)
), surcharges AS (
  SELECT tenant_id, age,
    CAST(round(arg_max(monthly_premium / exact, monthly_premium), 3) AS DECIMAL(5, 3)) AS surcharge
  FROM without_tobacco WHERE tobacco_use AND age >= 21 GROUP BY ALL
)
SELECT without_tobacco.*, round(exact, 2) AS covered,
  round(exact * if(tobacco_use, coalesce(surcharge, 1), 1), 2) AS reckoned
FROM without_tobacco LEFT JOIN surcharges USING (tenant_id, age);

-- What is expected a month of households without a child born into coverage, whose credit has
-- rules of its own. Income is told by the extract of the first covered day.
CREATE OR REPLACE TEMP TABLE credits AS
WITH homes AS (
  SELECT tenant_id, household_id, count(*) AS people
  FROM people ANTI JOIN (FROM rated WHERE is_born) AS births USING (tenant_id, household_id)
  GROUP BY ALL
), told AS (
  SELECT tenant_id, household_id, extracted_on, any_value(fpl_ratio) AS fpl_ratio
  FROM members GROUP BY ALL
)
SELECT
  priced.*,
  people,
  (percentage_start + coalesce(
      (100 * fpl_ratio - fpl_low_pct) * (percentage_end - percentage_start)
      / (fpl_high_pct - fpl_low_pct), 0))
    * fpl_ratio * (first_person_amount + additional_person_amount * (people - 1)) / 12 AS expected
FROM priced
JOIN homes USING (tenant_id, household_id)
JOIN told ON told.tenant_id = priced.tenant_id AND told.household_id = priced.household_id
  AND told.extracted_on = priced.coverage_start_date
JOIN poverty_lines ON poverty_lines.coverage_year = priced.plan_year
JOIN contributions ON contributions.coverage_year = priced.plan_year
  AND 100 * fpl_ratio >= greatest(fpl_low_pct, 100)
  AND 100 * fpl_ratio < coalesce(fpl_high_pct, 1e9);

WITH alone AS (
  -- The benchmark at age 21 that a credit below the premium implies.
  SELECT *, (aptc_amount + expected) / age_ratio AS implied
  FROM credits WHERE people = 1 AND aptc_amount > 0 AND aptc_amount < covered
), benchmarks AS (
  -- From those whose cents tell it to the cent.
  SELECT state, plan_year, rating_area,
    CAST(round(arg_max(implied, age_ratio), 2) AS DECIMAL(12, 2)) AS benchmark
  FROM alone WHERE age_ratio > 2.01 GROUP BY ALL
), of_households AS (
  -- Those of which everybody is covered: of others, somebody may be lost to the files.
  SELECT credits.*, round(benchmark * age_ratio, 2) AS own,
    sum(round(benchmark * age_ratio, 2)) OVER home AS together
  FROM credits JOIN benchmarks USING (state, plan_year, rating_area)
  WHERE people > 1
  WINDOW home AS (PARTITION BY tenant_id, household_id, coverage_start_date)
  QUALIFY count(*) OVER home = people
), silver AS (
  SELECT state, plan_year, rating_area,
    list_sort(list(round(metals.monthly_premium * area_factor, 2)))[2] AS second_lowest
  FROM area_factors JOIN metals ON metals.tenant_id = area_factors.tenant_id
    AND metals.effective_year = area_factors.plan_year
  WHERE metal_tier = 'silver' AND right(plan_id, 2) = '01' GROUP BY ALL
), of_issuers AS (
  SELECT max(area_factor) / min(area_factor) AS width
  FROM area_factors GROUP BY tenant_id, plan_year
), of_states AS (
  SELECT max(benchmark) / min(benchmark) AS width FROM benchmarks GROUP BY state, plan_year
)
SELECT 'R01' AS id,
  (SELECT max(abs(monthly_premium / (plan_premium * area_factor) - age_ratio))
    FROM priced WHERE NOT tobacco_use) AS measured
UNION ALL SELECT 'R14', max(abs(monthly_premium - reckoned)) FROM priced
UNION ALL SELECT 'R15', 100 * avg((abs(implied - benchmark) < 0.03)::INT)
  FROM alone JOIN benchmarks USING (state, plan_year, rating_area)
UNION ALL SELECT 'R16',
  100 * avg((abs(aptc_amount - least(
    greatest(together - expected, 0) * own / together, covered)) < 0.011)::INT)
  FROM of_households WHERE aptc_amount > 0
UNION ALL SELECT 'R17', max(benchmark - second_lowest)
  FROM benchmarks JOIN silver USING (state, plan_year, rating_area)
UNION ALL SELECT 'R18', avg(width) FROM of_issuers
UNION ALL SELECT 'R19', avg(width) FROM of_states
