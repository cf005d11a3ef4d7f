MODEL (
  name staging.ref_aca_procedure,
  kind SEED (
    path '../../../reference/aca/procedure.csv'
  ),
  owner claims_analytics,
  grain procedure_code,
  description 'Procedure codes in use: own PX- codes and HCPCS Level II. Which service does a code stand for?',
  columns (
    procedure_code TEXT,
    procedure_description TEXT,
    procedure_category TEXT,
    code_system TEXT,
    typical_allowed_amount DECIMAL(12, 2),
    typical_units INT
  ),
  column_descriptions (
    procedure_code = 'own PX- code or HCPCS Level II',
    procedure_description = 'short label',
    procedure_category = 'service category',
    code_system = 'own or HCPCS',
    typical_allowed_amount = 'typical allowed amount of one unit, USD',
    typical_units = 'typical units'
  ),
  audits (
    not_null(columns := (
      procedure_code
    )),
    unique_values(columns := (
      procedure_code
    )),
    number_of_rows(threshold := 1)
  )
)
