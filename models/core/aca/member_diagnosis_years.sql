MODEL (
  name core.member_diagnosis_years,
  kind FULL,
  owner member_analytics,
  grain (tenant_id, member_key, service_year, diagnosis_code),
  description 'Diagnoses of each member and calendar year, from paid claim lines. Which conditions was a member seen for in a year?',
  audits (
    not_null(columns := (tenant_id, member_key, service_year, diagnosis_code, is_risk_eligible)),
    unique_combination_of_columns(columns := (tenant_id, member_key, service_year, diagnosis_code)),
    same_total("column" := claim_lines, other := core.member_service_years)
  ),
  depends_on (
    core.member_service_years
  )
);

WITH claim_lines AS (
  SELECT
    tenant_id,
    member_key,
    EXTRACT(YEAR FROM service_date) AS service_year,
    COALESCE(diagnosis_code, 'unknown') AS diagnosis_code,
    procedure_code
  FROM core.fct_claim_line
  WHERE
    claim_status = 'paid'
), procedures AS (
  SELECT
    procedure_code,
    procedure_category
  FROM staging.ref_aca_procedure
), diagnoses AS (
  SELECT
    claim_lines.tenant_id,
    claim_lines.member_key,
    claim_lines.service_year,
    claim_lines.diagnosis_code,
    COUNT(*) AS claim_lines,
    MAX(CASE WHEN procedures.procedure_category IN ('drug', 'supply', 'lab', 'imaging') THEN 0 ELSE 1 END) AS risk_eligible
  FROM claim_lines
  LEFT JOIN procedures
    ON procedures.procedure_code = claim_lines.procedure_code
  GROUP BY
    claim_lines.tenant_id,
    claim_lines.member_key,
    claim_lines.service_year,
    claim_lines.diagnosis_code
)
SELECT
  tenant_id::TEXT AS tenant_id,
  member_key::BIGINT AS member_key,
  service_year::INT AS service_year, /* calendar year of the services */
  diagnosis_code::TEXT AS diagnosis_code, /* principal diagnosis (ICD-10-CM); unknown when the line has none */
  claim_lines::INT AS claim_lines, /* paid claim lines with the diagnosis */
  (
    risk_eligible = 1
  )::BOOLEAN AS is_risk_eligible /* on a line other than a drug, supply, lab test or image: such a diagnosis counts for risk adjustment */
FROM diagnoses
