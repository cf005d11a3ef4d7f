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
    typical_units INT,
    typical_stay_days DECIMAL(5, 1),
    drug_class TEXT,
    visit_kind TEXT
  ),
  column_descriptions (
    procedure_code = 'own PX- code or HCPCS Level II',
    procedure_description = 'short label',
    procedure_category = 'service category',
    code_system = 'own or HCPCS',
    typical_allowed_amount = 'typical allowed amount of one unit, USD',
    typical_units = 'typical units',
    typical_stay_days = 'mean days of an inpatient stay, own estimate; NULL unless a stay',
    drug_class = 'generic, brand or specialty of a 30-day fill; NULL unless a fill',
    visit_kind = 'office, telehealth, preventive, behavioral, emergency, urgent_care or inpatient; NULL unless a visit or stay'
  ),
  audits (
    not_null(columns := (
      procedure_code
    )),
    unique_values(columns := (
      procedure_code
    )),
    accepted_values("column" := drug_class, is_in := ('generic', 'brand', 'specialty')),
    accepted_values(
      "column" := visit_kind,
      is_in := (
        'office',
        'telehealth',
        'preventive',
        'behavioral',
        'emergency',
        'urgent_care',
        'inpatient'
      )
    ),
    number_of_rows(threshold := 1)
  )
)
