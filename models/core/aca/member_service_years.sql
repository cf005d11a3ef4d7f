MODEL (
  name core.member_service_years,
  kind FULL,
  owner member_analytics,
  grain (tenant_id, member_key, service_year),
  description 'What members used in a calendar year, from paid claim lines: amounts, visits, screenings and tests, covered or not. Who was seen by a doctor in a year, and for what?',
  audits (
    not_null(columns := (tenant_id, member_key, service_year, claim_lines)),
    unique_combination_of_columns(columns := (tenant_id, member_key, service_year)),
    accepted_range("column" := claim_lines, min_v := 1),
    same_total("column" := allowed_amount, other := core.fct_claim_line, blocking := FALSE),
    same_total("column" := paid_amount, other := core.fct_claim_line, blocking := FALSE)
  )
);

WITH claim_lines AS (
  SELECT
    tenant_id,
    member_key,
    provider_sk,
    service_date,
    procedure_code,
    allowed_amount,
    paid_amount
  FROM core.fct_claim_line
  WHERE
    claim_status = 'paid'
), procedures AS (
  SELECT
    procedure_code,
    visit_kind
  FROM staging.ref_aca_procedure
), primary_care_providers AS (
  SELECT
    providers.provider_sk
  FROM core.dim_provider AS providers
  INNER JOIN staging.ref_aca_specialty AS specialties
    ON specialties.taxonomy_code = providers.taxonomy_code
  WHERE
    specialties.provider_kind = 'pcp'
), services AS (
  SELECT
    claim_lines.tenant_id,
    claim_lines.member_key,
    EXTRACT(YEAR FROM claim_lines.service_date) AS service_year,
    claim_lines.service_date,
    claim_lines.procedure_code,
    claim_lines.allowed_amount,
    claim_lines.paid_amount,
    COALESCE(procedures.visit_kind <> 'inpatient', FALSE) AS is_visit,
    COALESCE(procedures.visit_kind = 'preventive', FALSE) AS is_preventive_visit,
    COALESCE(procedures.visit_kind IN ('office', 'telehealth', 'preventive'), FALSE)
    AND NOT primary_care_providers.provider_sk IS NULL AS is_primary_care_visit
  FROM claim_lines
  LEFT JOIN procedures
    ON procedures.procedure_code = claim_lines.procedure_code
  LEFT JOIN primary_care_providers
    ON primary_care_providers.provider_sk = claim_lines.provider_sk
), years AS (
  SELECT
    tenant_id,
    member_key,
    service_year,
    COUNT(*) AS claim_lines,
    SUM(allowed_amount) AS allowed_amount,
    SUM(paid_amount) AS paid_amount,
    MAX(CASE WHEN is_visit THEN 1 ELSE 0 END) AS visit,
    MAX(CASE WHEN is_preventive_visit THEN 1 ELSE 0 END) AS preventive_visit,
    MAX(CASE WHEN is_primary_care_visit THEN 1 ELSE 0 END) AS primary_care_visit,
    MAX(CASE WHEN procedure_code = 'PX-SCM' THEN service_date END) AS last_mammogram_date,
    MAX(CASE WHEN procedure_code = 'PX-SCC' THEN 1 ELSE 0 END) AS colonoscopy,
    MAX(CASE WHEN procedure_code = 'PX-LBA' THEN 1 ELSE 0 END) AS a1c_test
  FROM services
  GROUP BY
    tenant_id,
    member_key,
    service_year
)
SELECT
  tenant_id::TEXT AS tenant_id,
  member_key::BIGINT AS member_key,
  service_year::INT AS service_year, /* calendar year of the services */
  claim_lines::INT AS claim_lines, /* paid claim lines */
  allowed_amount::DECIMAL(14, 2) AS allowed_amount, /* allowed on paid lines, USD */
  paid_amount::DECIMAL(14, 2) AS paid_amount, /* paid by the plan, USD */
  (
    visit = 1
  )::BOOLEAN AS has_visit, /* a visit of any kind; an inpatient stay is none */
  (
    preventive_visit = 1
  )::BOOLEAN AS has_preventive_visit, /* a preventive visit */
  (
    primary_care_visit = 1
  )::BOOLEAN AS has_primary_care_visit, /* an office, telehealth or preventive visit with a primary care provider */
  last_mammogram_date::DATE AS last_mammogram_date, /* last screening mammogram of the year */
  (
    colonoscopy = 1
  )::BOOLEAN AS has_colonoscopy, /* a screening colonoscopy */
  (
    a1c_test = 1
  )::BOOLEAN AS has_a1c_test /* a glycated haemoglobin test */
FROM years
