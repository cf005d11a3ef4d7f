MODEL (
  name core.dim_procedure,
  kind VIEW,
  owner claims_analytics,
  grain procedure_code,
  description 'Procedures in use: own PX- codes and HCPCS Level II. Which kinds of service are used?',
  audits (
    not_null(columns := (
      procedure_code
    )),
    unique_values(columns := (
      procedure_code
    )),
    number_of_rows(threshold := 1)
  )
);

WITH codes AS (
  SELECT
    procedure_code,
    procedure_description,
    procedure_category,
    code_system,
    drug_class
  FROM staging.ref_aca_procedure
)
SELECT
  procedure_code::TEXT AS procedure_code, /* own PX- code or HCPCS Level II */
  procedure_description::TEXT AS procedure_description, /* short label */
  procedure_category::TEXT AS procedure_category, /* service category */
  code_system::TEXT AS code_system, /* own or HCPCS */
  drug_class::TEXT AS drug_class /* generic, brand or specialty of a 30-day fill; NULL unless a fill */
FROM codes
