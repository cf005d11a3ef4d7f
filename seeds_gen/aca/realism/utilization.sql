-- Services per member year, drugs, stays and what follows them.
WITH exposure AS (
  SELECT count(*) / 12 AS years FROM months WHERE year(month) = getvariable('mature')
), own AS (
  SELECT * FROM lines WHERE year(service_date) = getvariable('mature')
), emergencies AS (
  SELECT count(DISTINCT (tenant_id, member_id, service_date)) AS visits
  FROM own WHERE visit_kind = 'emergency'
), offices AS (
  SELECT count(DISTINCT (tenant_id, member_id, provider_id, service_date)) AS visits
  FROM own WHERE visit_kind IN ('office', 'preventive') OR procedure_code = 'PX-TVP'
), prior AS (
  SELECT *, lag(ending) OVER member AS before_ending, lag(discharged) OVER member AS before_day
  FROM stays WINDOW member AS (PARTITION BY tenant_id, member_id ORDER BY admitted)
), admissions AS (
  SELECT *, coalesce(before_ending = 'transfer' AND admitted - before_day <= 1, FALSE) AS is_received
  FROM prior WHERE NOT is_newborn
), admitted AS (
  SELECT count(*) FILTER (NOT is_received) AS stays, avg(discharged - admitted) AS days,
    count(*) FILTER (is_birth) AS births,
    100 * avg((admission_type = 'emergency')::INT) FILTER (NOT is_birth AND NOT is_received) AS urgent
  FROM admissions WHERE year(admitted) = getvariable('mature')
), returns AS (
  SELECT a.is_birth, a.tenant_id, a.claim_id, year(a.discharged) AS year,
    bool_or(b.claim_id IS NOT NULL) AS returned
  FROM admissions AS a LEFT JOIN admissions AS b
    ON b.tenant_id = a.tenant_id AND b.member_id = a.member_id AND NOT b.is_received
    AND b.admitted - a.discharged BETWEEN 1 AND 30
  WHERE a.ending = 'home' AND a.discharged <= getvariable('last_day') - 120
  GROUP BY ALL
), followed AS (
  SELECT is_birth, 100 * avg(returned::INT) AS rate FROM returns GROUP BY ALL
), stationary AS (
  SELECT avg(returned::INT) FILTER (year = getvariable('mature') + 1)
    / avg(returned::INT) FILTER (year = getvariable('mature')) AS ratio
  FROM returns WHERE NOT is_birth
), transfers AS (
  SELECT 100 * avg((EXISTS (SELECT 1 FROM admissions AS b WHERE b.tenant_id = a.tenant_id
    AND b.member_id = a.member_id AND b.is_received AND b.before_day = a.discharged))::INT) AS share
  FROM admissions AS a WHERE ending = 'transfer' AND year(admitted) = getvariable('mature')
), newborns AS (
  SELECT count(*) AS stays FROM stays WHERE is_newborn AND year(admitted) = getvariable('mature')
), through_emergency AS (
  SELECT 100 * avg((EXISTS (SELECT 1 FROM own WHERE own.tenant_id = a.tenant_id
    AND own.member_id = a.member_id AND own.visit_kind = 'emergency'
    AND a.admitted - own.service_date BETWEEN 0 AND 1))::INT) AS share
  FROM admissions AS a WHERE admission_type = 'emergency' AND year(admitted) = getvariable('mature')
), scripts AS (
  SELECT sum(units) AS fills, sum(units) FILTER (drug_class = 'generic') AS generic,
    sum(allowed_amount) AS spent, sum(allowed_amount) FILTER (drug_class = 'generic') AS spent_generic
  FROM own WHERE drug_class IS NOT NULL
), outside AS (
  SELECT 100 * sum(paid_amount) FILTER (NOT in_network) / sum(paid_amount) AS share FROM own
), costly AS (
  SELECT tenant_id, member_id FROM full_years WHERE year = getvariable('mature')
  QUALIFY percent_rank() OVER (ORDER BY allowed) >= .95
), split AS (
  SELECT 100 * sum(allowed_amount) FILTER (claim_type = 'inpatient') / sum(allowed_amount) AS inpatient,
    100 * sum(allowed_amount) FILTER (claim_type <> 'inpatient' AND procedure_category = 'drug')
      / sum(allowed_amount) AS drugs,
    100 * sum(allowed_amount) FILTER (claim_type <> 'inpatient' AND procedure_category <> 'drug')
      / sum(allowed_amount) AS ambulatory
  FROM own JOIN costly USING (tenant_id, member_id)
), standard AS (
  SELECT metal_tier, avg(deductible) AS deductible FROM metals
  WHERE right(plan_id, 2) = '01' AND effective_year = 2024 GROUP BY ALL
), limits AS (
  SELECT max(oop_max - individual_limit) AS above
  FROM metals JOIN oop_limits ON plan_year = effective_year AND scope = 'all'
)
SELECT 'E01' AS id, 1000 * visits / years AS measured FROM emergencies, exposure
UNION ALL SELECT 'E02', 1000 * stays / years FROM admitted, exposure
UNION ALL SELECT 'E03', days FROM admitted
UNION ALL SELECT 'E04', rate FROM followed WHERE NOT is_birth
UNION ALL SELECT 'E05', rate FROM followed WHERE is_birth
UNION ALL SELECT 'E06', visits / years FROM offices, exposure
UNION ALL SELECT 'E07', fills / years FROM scripts, exposure
UNION ALL SELECT 'E08', 100 * generic / fills FROM scripts
UNION ALL SELECT 'E09', 100 * spent_generic / spent FROM scripts
UNION ALL SELECT 'E10', share FROM outside
UNION ALL SELECT 'E11', 1000 * births / years FROM admitted, exposure
UNION ALL SELECT 'E12', 100 * avg(has_hcc::INT) FROM full_years
  WHERE year = getvariable('mature') AND age >= 21
UNION ALL SELECT 'E13.ambulatory', ambulatory FROM split
UNION ALL SELECT 'E13.inpatient', inpatient FROM split
UNION ALL SELECT 'E13.drugs', drugs FROM split
UNION ALL SELECT 'F04.' || metal_tier, deductible FROM standard
  WHERE metal_tier IN ('bronze', 'silver', 'gold')
UNION ALL SELECT 'F05', 100 * avg(has_hypertension::INT) FROM full_years
  WHERE year = getvariable('mature') AND age BETWEEN 55 AND 64
UNION ALL SELECT 'R09', ratio FROM stationary
UNION ALL SELECT 'R10', share FROM transfers
UNION ALL SELECT 'R11', 100.0 * newborns.stays / nullif(births, 0) FROM newborns, admitted
UNION ALL SELECT 'R12', share FROM through_emergency
UNION ALL SELECT 'R13', above FROM limits
