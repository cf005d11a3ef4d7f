"""A tiny insurance world: every core table that the ACA registry reads, small enough for the head.

Two issuers and the 14 months from January 2024 to February 2025. Ann and Dan stay, Ben leaves in
June without having paid, Cat never sees a doctor and does not renew, Eve comes in 2025 on a plan
(9) that no dimension knows. Every fact is written by hand; only stretches of coverage are counted
out in months.
"""

DIMENSIONS = """
CREATE SCHEMA core;
CREATE TABLE core.dim_member (
  member_sk BIGINT, age_group TEXT, gender TEXT, clinical_segment TEXT, geographic_reporting TEXT
);
INSERT INTO core.dim_member VALUES
  (-1, 'unknown', 'unknown', 'unknown', 'unknown'),
  (1, '50 to 64', 'F', 'chronic', 'metro'),      -- Ann
  (2, '18 to 34', 'M', 'healthy', NULL),         -- Ben
  (3, '50 to 64', 'F', 'healthy', 'rural'),      -- Cat
  (4, '35 to 49', 'M', 'chronic', 'metro'),      -- Dan
  (5, '35 to 49', 'F', NULL, 'micro');           -- Eve
CREATE TABLE core.dim_plan (
  plan_sk BIGINT, metal_tier TEXT, network_type TEXT, csr_variant TEXT, plan_id TEXT, plan_name TEXT
);
INSERT INTO core.dim_plan VALUES
  (-1, 'unknown', 'unknown', 'unknown', 'unknown', 'unknown'),
  (1, 'silver', 'HMO', '04', '11111TX0010001-04', 'North Silver'),
  (2, 'bronze', 'EPO', '01', '11111TX0010002-01', 'North Bronze'),
  (3, 'gold', 'PPO', '01', '22222OH0010001-01', 'South Gold');
CREATE TABLE core.dim_geography (geography_sk BIGINT, state TEXT, region TEXT, county TEXT);
INSERT INTO core.dim_geography VALUES
  (-1, 'unknown', 'unknown', 'unknown'), (1, 'TX', 'South', 'Harris'), (2, 'OH', 'Midwest', 'Lake');
CREATE TABLE core.dim_provider (
  provider_sk BIGINT, specialty TEXT, provider_id TEXT, name TEXT
);
INSERT INTO core.dim_provider VALUES
  (-1, 'unknown', 'unknown', 'unknown'),
  (1, 'family medicine', 'p1', 'Dr Pine'), (2, 'cardiology', 'p2', 'Dr Oak'),
  (3, 'hospital', 'p3', 'Lake Hospital'), (4, 'pharmacy', 'p4', 'Main Pharmacy');
CREATE TABLE core.dim_procedure (procedure_code TEXT, procedure_category TEXT, drug_class TEXT);
INSERT INTO core.dim_procedure VALUES
  ('PX-OV3', 'office_visit', NULL), ('PX-ED3', 'emergency', NULL), ('PX-IPM', 'inpatient', NULL),
  ('PX-RXG', 'drug', 'generic'), ('PX-RXS', 'drug', 'specialty'), ('J1745', 'drug', NULL);
CREATE TABLE core.dim_diagnosis (diagnosis_code TEXT);
INSERT INTO core.dim_diagnosis VALUES ('J06.9'), ('I50.9'), ('E11.9');
CREATE TABLE core.dim_denial_reason (denial_reason_code TEXT, denial_bucket TEXT);
INSERT INTO core.dim_denial_reason VALUES
  ('18', 'duplicate'), ('197', 'authorization'), ('29', 'timeliness');
"""

# Money and reason on the reversed line (c9) are left standing, to show that the status decides what
# counts. c10 has a procedure that no list knows, the amounts of c11 are not known yet.
CLAIMS = """
CREATE TABLE core.fct_claim_line (
  claim TEXT, tenant_id TEXT, member_sk BIGINT, plan_sk BIGINT, geography_sk BIGINT,
  provider_sk BIGINT, procedure_code TEXT, diagnosis_code TEXT, denial_reason_code TEXT,
  claim_type TEXT, in_network BOOLEAN, claim_status TEXT,
  service_date DATE, received_date DATE, adjudicated_date DATE, units INTEGER,
  claim_amount DECIMAL(14, 2), allowed_amount DECIMAL(14, 2), paid_amount DECIMAL(14, 2),
  deductible DECIMAL(14, 2), copay DECIMAL(14, 2), coinsurance DECIMAL(14, 2)
);
INSERT INTO core.fct_claim_line VALUES
  ('c1', 'north', 1, 1, 1, 1, 'PX-OV3', 'J06.9', NULL, 'professional', TRUE, 'paid',
    '2024-01-10', '2024-01-15', '2024-01-20', 1, 150, 100, 60, 0, 40, 0),
  ('c2', 'north', 1, 1, 1, 3, 'PX-IPM', 'I50.9', NULL, 'inpatient', TRUE, 'paid',
    '2024-02-03', '2024-02-10', '2024-03-01', 1, 30000, 20000, 17000, 1000, 0, 2000),
  ('c3', 'north', 1, 1, 1, 2, 'PX-OV3', 'I50.9', '197', 'professional', FALSE, 'denied',
    '2024-03-05', '2024-03-10', '2024-03-20', 1, 300, 0, 0, 0, 0, 0),
  ('c4', 'north', 2, 1, 1, 1, 'PX-ED3', NULL, NULL, 'outpatient', FALSE, 'paid',
    '2024-04-01', '2024-04-05', '2024-04-15', 1, 2500, 1500, 900, 600, 0, 0),
  ('c5', 'north', 2, 1, 1, 4, 'PX-RXG', NULL, NULL, 'pharmacy', TRUE, 'paid',
    '2024-05-02', '2024-05-02', '2024-05-02', 3, 80, 60, 45, 0, 15, 0),
  ('c6', 'north', 1, 1, 1, 4, 'PX-RXS', NULL, NULL, 'pharmacy', TRUE, 'paid',
    '2024-05-10', '2024-05-10', '2024-05-10', 1, 6000, 5600, 5000, 0, 600, 0),
  ('c7', 'north', 1, 1, 1, 1, 'PX-OV3', 'J06.9', '18', 'professional', TRUE, 'denied',
    '2024-01-10', '2024-01-25', '2024-02-01', 1, 150, 0, 0, 0, 0, 0),
  ('c8', 'south', 4, 3, 2, 2, 'PX-OV3', 'E11.9', NULL, 'professional', FALSE, 'paid',
    '2024-10-01', '2024-10-05', '2024-11-05', 1, 400, 300, 200, 50, 0, 50),
  ('c9', 'south', 4, 3, 2, 3, 'PX-RXS', 'E11.9', '18', 'outpatient', FALSE, 'reversed',
    '2024-11-10', '2024-11-20', '2025-01-15', 2, 500, 350, 280, 70, 0, 0),
  ('c10', 'south', 5, 9, -1, -1, 'PX-OLD', 'Z99.9', NULL, 'outpatient', TRUE, 'paid',
    '2025-01-20', '2025-01-25', '2025-02-02', 1, 1000, 800, 791, 0, 0, 9),
  ('c11', 'south', 4, 3, 2, 4, 'PX-RXG', 'E11.9', NULL, 'pharmacy', TRUE, 'pended',
    '2025-02-10', '2025-02-12', NULL, 1, 700, NULL, NULL, NULL, NULL, NULL),
  ('c12', 'south', 5, 9, -1, 2, 'J1745', 'E11.9', NULL, 'professional', TRUE, 'paid',
    '2025-02-11', '2025-02-13', '2025-02-20', 40, 2000, 1700, 1500, 0, 0, 200);
CREATE TABLE core.fct_payment (
  claim TEXT, tenant_id TEXT, member_sk BIGINT, plan_sk BIGINT, geography_sk BIGINT,
  provider_sk BIGINT, claim_type TEXT, service_date DATE, paid_date DATE, event TEXT,
  paid_change DECIMAL(14, 2)
);
INSERT INTO core.fct_payment VALUES
  ('c1', 'north', 1, 1, 1, 1, 'professional', '2024-01-10', '2024-01-20', 'payment', 60),
  ('c2', 'north', 1, 1, 1, 3, 'inpatient', '2024-02-03', '2024-03-01', 'payment', 16000),
  ('c2', 'north', 1, 1, 1, 3, 'inpatient', '2024-02-03', '2024-04-10', 'adjustment', 1000),
  ('c4', 'north', 2, 1, 1, 1, 'outpatient', '2024-04-01', '2024-04-15', 'payment', 900),
  ('c5', 'north', 2, 1, 1, 4, 'pharmacy', '2024-05-02', '2024-05-02', 'payment', 45),
  ('c6', 'north', 1, 1, 1, 4, 'pharmacy', '2024-05-10', '2024-05-10', 'payment', 5000),
  ('c8', 'south', 4, 3, 2, 2, 'professional', '2024-10-01', '2024-11-05', 'payment', 200),
  ('c9', 'south', 4, 3, 2, 3, 'outpatient', '2024-11-10', '2024-12-01', 'payment', 280),
  ('c9', 'south', 4, 3, 2, 3, 'outpatient', '2024-11-10', '2025-01-15', 'reversal', -280),
  ('c10', 'south', 5, 9, -1, -1, 'outpatient', '2025-01-20', '2025-02-02', 'payment', 791),
  ('c12', 'south', 5, 9, -1, 2, 'professional', '2025-02-11', '2025-02-20', 'payment', 1500);
-- c8 is clean but took 31 days; c12 was denied first and paid after an appeal.
CREATE TABLE core.fct_claim_processing (
  claim TEXT, tenant_id TEXT, member_sk BIGINT, plan_sk BIGINT, geography_sk BIGINT,
  provider_sk BIGINT, claim_type TEXT, in_network BOOLEAN,
  received_date DATE, first_decided_date DATE, denial_date DATE, final_status TEXT,
  is_ever_pended BOOLEAN, is_adjusted BOOLEAN, is_reversed BOOLEAN, is_clean BOOLEAN,
  is_denied BOOLEAN, has_denied_line BOOLEAN, is_prompt BOOLEAN, is_appealed BOOLEAN,
  days_to_receipt INTEGER, days_to_decision INTEGER
);
INSERT INTO core.fct_claim_processing VALUES
  ('c1', 'north', 1, 1, 1, 1, 'professional', TRUE, '2024-01-15', '2024-01-20', NULL, 'paid',
    FALSE, FALSE, FALSE, TRUE, FALSE, FALSE, TRUE, FALSE, 5, 5),
  ('c2', 'north', 1, 1, 1, 3, 'inpatient', TRUE, '2024-02-10', '2024-03-01', NULL, 'paid',
    FALSE, TRUE, FALSE, FALSE, FALSE, FALSE, FALSE, FALSE, 7, 20),
  ('c3', 'north', 1, 1, 1, 2, 'professional', FALSE, '2024-03-10', '2024-03-20', '2024-03-20',
    'denied', FALSE, FALSE, FALSE, TRUE, TRUE, TRUE, TRUE, TRUE, 5, 10),
  ('c4', 'north', 2, 1, 1, 1, 'outpatient', FALSE, '2024-04-05', '2024-04-15', NULL, 'paid',
    FALSE, FALSE, FALSE, TRUE, FALSE, FALSE, TRUE, FALSE, 4, 10),
  ('c5', 'north', 2, 1, 1, 4, 'pharmacy', TRUE, '2024-05-02', '2024-05-02', NULL, 'paid',
    FALSE, FALSE, FALSE, TRUE, FALSE, FALSE, TRUE, FALSE, 0, 0),
  ('c6', 'north', 1, 1, 1, 4, 'pharmacy', TRUE, '2024-05-10', '2024-05-10', NULL, 'paid',
    FALSE, FALSE, FALSE, TRUE, FALSE, FALSE, TRUE, FALSE, 0, 0),
  ('c7', 'north', 1, 1, 1, 1, 'professional', TRUE, '2024-01-25', '2024-02-01', '2024-02-01',
    'denied', FALSE, FALSE, FALSE, TRUE, TRUE, TRUE, TRUE, FALSE, 15, 7),
  ('c8', 'south', 4, 3, 2, 2, 'professional', FALSE, '2024-10-05', '2024-11-05', NULL, 'paid',
    FALSE, FALSE, FALSE, TRUE, FALSE, FALSE, FALSE, FALSE, 4, 31),
  ('c9', 'south', 4, 3, 2, 3, 'outpatient', FALSE, '2024-11-20', '2024-12-01', NULL, 'reversed',
    FALSE, FALSE, TRUE, FALSE, FALSE, FALSE, FALSE, FALSE, 10, 11),
  ('c10', 'south', 5, 9, -1, -1, 'outpatient', TRUE, '2025-01-25', '2025-02-02', NULL, 'paid',
    TRUE, FALSE, FALSE, FALSE, FALSE, FALSE, FALSE, FALSE, 5, 8),
  ('c11', 'south', 4, 3, 2, 4, 'pharmacy', TRUE, '2025-02-12', NULL, NULL, 'pended',
    TRUE, FALSE, FALSE, FALSE, FALSE, FALSE, FALSE, FALSE, 2, NULL),
  ('c12', 'south', 5, 9, -1, 2, 'professional', TRUE, '2025-02-13', '2025-02-15', '2025-02-15',
    'paid', FALSE, TRUE, FALSE, FALSE, FALSE, TRUE, FALSE, TRUE, 2, 2);
CREATE TABLE core.fct_appeal (
  tenant_id TEXT, member_sk BIGINT, plan_sk BIGINT, geography_sk BIGINT, provider_sk BIGINT,
  filed_date DATE, decided_date DATE, outcome TEXT
);
INSERT INTO core.fct_appeal VALUES
  ('north', 1, 1, 1, 2, '2024-04-01', '2024-05-01', 'upheld'),
  ('north', -1, -1, -1, -1, '2024-06-01', NULL, 'open'),
  ('south', 5, 9, -1, 2, '2025-02-16', '2025-02-18', 'overturned');
CREATE TABLE core.fct_pended_claim (
  claim TEXT, tenant_id TEXT, member_sk BIGINT, plan_sk BIGINT, geography_sk BIGINT,
  provider_sk BIGINT, claim_type TEXT, as_of_month DATE, age_band TEXT
);
INSERT INTO core.fct_pended_claim VALUES
  ('c10', 'south', 5, 9, -1, -1, 'outpatient', '2025-01-01', '0 to 15 days'),
  ('c11', 'south', 4, 3, 2, 4, 'pharmacy', '2025-02-01', '16 to 30 days');
CREATE TABLE core.fct_visit (
  tenant_id TEXT, member_sk BIGINT, plan_sk BIGINT, geography_sk BIGINT, provider_sk BIGINT,
  service_date DATE, visit_kind TEXT, is_specialist BOOLEAN, in_network BOOLEAN,
  led_to_admission BOOLEAN, ed_avoidable_weight DECIMAL(5, 4)
);
INSERT INTO core.fct_visit VALUES
  ('north', 1, 1, 1, 1, '2024-01-10', 'office', FALSE, TRUE, FALSE, 0),
  ('north', 1, 1, 1, 3, '2024-02-02', 'emergency', FALSE, TRUE, TRUE, 0.1),
  ('north', 2, 1, 1, 3, '2024-04-01', 'emergency', FALSE, FALSE, FALSE, 0.6),
  ('north', 1, 1, 1, 2, '2024-06-01', 'telehealth', TRUE, TRUE, FALSE, 0),
  ('south', 4, 3, 2, 2, '2024-10-01', 'office', TRUE, FALSE, FALSE, 0),
  ('south', 5, 9, -1, -1, '2025-01-20', 'preventive', FALSE, TRUE, FALSE, 0),
  ('south', 5, 9, -1, 3, '2025-02-01', 'urgent_care', TRUE, TRUE, FALSE, 0),
  ('south', 4, 3, 2, 3, '2025-02-03', 'emergency', FALSE, TRUE, FALSE, 0.25);
CREATE TABLE core.fct_inpatient_stay (
  tenant_id TEXT, member_sk BIGINT, plan_sk BIGINT, geography_sk BIGINT, provider_sk BIGINT,
  admission_date DATE, discharge_date DATE, stay_days INTEGER, admission_type TEXT,
  is_index BOOLEAN, is_readmitted BOOLEAN
);
INSERT INTO core.fct_inpatient_stay VALUES
  ('north', 1, 1, 1, 3, '2024-02-03', '2024-02-08', 5, 'emergency', TRUE, TRUE),
  ('north', 1, 1, 1, 3, '2024-02-20', '2024-03-02', 11, 'urgent', TRUE, FALSE),
  ('south', 4, 3, 2, 3, '2024-12-30', '2025-01-02', 3, 'elective', FALSE, FALSE),
  ('south', 5, 9, -1, -1, '2025-02-10', '2025-02-11', 1, NULL, FALSE, FALSE);
CREATE TABLE core.fct_claim_reserve (
  tenant_id TEXT, as_of_month DATE, incurred_month DATE, lag_month INTEGER,
  paid_to_date DECIMAL(14, 2), completion_factor DECIMAL(18, 9), ibnr_amount DECIMAL(14, 2),
  actual_run_out_12 DECIMAL(14, 2), is_current BOOLEAN
);
INSERT INTO core.fct_claim_reserve VALUES
  ('north', '2024-01-01', '2024-01-01', 0, 60, 0.5, 80, 100, FALSE),
  ('north', '2024-02-01', '2024-01-01', 1, 60, 0.6, 45, 50, FALSE),
  ('north', '2025-01-01', '2024-12-01', 1, 900, 0.9, 150, NULL, FALSE),
  ('north', '2025-02-01', '2025-01-01', 1, 400, 0.8, 100, NULL, TRUE),
  ('north', '2025-02-01', '2025-02-01', 0, 100, 0.4, 200, NULL, TRUE),
  ('south', '2025-02-01', '2025-02-01', 0, 2291, 0.5, 500, NULL, TRUE);
-- paid_amount: as known today; paid_to_date: by the end of the month, when the reserve was made.
CREATE TABLE core.fct_rolling_year (
  tenant_id TEXT, as_of_month DATE, paid_amount DECIMAL(14, 2), paid_to_date DECIMAL(14, 2),
  allowed_amount DECIMAL(14, 2), premium_amount DECIMAL(14, 2), member_months INTEGER,
  ibnr_amount DECIMAL(14, 2), prior_allowed_amount DECIMAL(14, 2), prior_member_months INTEGER
);
INSERT INTO core.fct_rolling_year
  SELECT 'north', month, 580000, 570000, 700000, 600000, 240, 1000, NULL, NULL
  FROM GENERATE_SERIES(DATE '2024-01-01', DATE '2024-12-01', INTERVAL '1' MONTH) AS months(month);
INSERT INTO core.fct_rolling_year
  SELECT 'south', month, 1000, 900, 1500, 3000, 5, 50, NULL, NULL
  FROM GENERATE_SERIES(DATE '2024-09-01', DATE '2025-01-01', INTERVAL '1' MONTH) AS months(month);
INSERT INTO core.fct_rolling_year VALUES
  ('north', '2025-01-01', 390000, 380000, 470000, 590000, 290, 2900, 290000, 190),
  ('north', '2025-02-01', 400000, 400000, 480000, 600000, 300, 3000, 300000, 200),
  ('south', '2025-02-01', 800000, 800000, 900000, 900000, 80, 5000, NULL, NULL);
CREATE TABLE core.fct_high_cost_member (
  tenant_id TEXT, member_sk BIGINT, plan_sk BIGINT, geography_sk BIGINT, as_of_month DATE,
  rolling_paid_amount DECIMAL(14, 2), cost_band TEXT
);
INSERT INTO core.fct_high_cost_member VALUES
  ('north', 1, 1, 1, '2024-11-01', 510000, '500k and more'),
  ('north', 1, 1, 1, '2024-12-01', 520000, '500k and more'),
  ('north', 2, 1, 1, '2024-12-01', 50000, '50k to 100k'),
  ('north', 1, 1, 1, '2025-02-01', 110000, '100k to 250k'),
  ('north', 2, 1, 1, '2025-02-01', 100000, '100k to 250k'),
  ('south', 5, 9, -1, '2025-01-01', 260000, '250k to 500k'),
  ('south', 4, 3, 2, '2025-02-01', 500000, '500k and more'),
  ('south', 5, 9, -1, '2025-02-01', 250000, '250k to 500k');
"""

# A line per stretch of coverage: tenant, member, plan, county, first and last month, premium, aptc.
COVERAGE = """
CREATE TABLE core.stretches (
  tenant_id TEXT, member_key BIGINT, plan_sk BIGINT, geography_sk BIGINT, first_month DATE,
  last_month DATE, premium_amount DECIMAL(12, 2), aptc_amount DECIMAL(12, 2)
);
INSERT INTO core.stretches VALUES
  ('north', 1, 1, 1, '2024-01-01', '2025-02-01', 500, 300),   -- Ann, 14 months
  ('north', 2, 1, 1, '2024-01-01', '2024-06-01', 400, 0),     -- Ben, 6
  ('north', 3, 2, 1, '2024-01-01', '2024-12-01', 300, 100),   -- Cat, 12
  ('south', 4, 3, 2, '2024-09-01', '2025-02-01', 600, 0),     -- Dan, 6
  ('south', 5, 9, -1, '2025-01-01', '2025-02-01', 450, NULL); -- Eve, 2
CREATE TABLE core.fct_member_month AS
SELECT
  tenant_id, member_key, member_key AS member_sk, plan_sk, geography_sk,
  UNNEST(GENERATE_SERIES(first_month, last_month, INTERVAL '1' MONTH))::DATE AS coverage_month,
  1 AS member_months, premium_amount, aptc_amount
FROM core.stretches;
CREATE TABLE core.fct_tenure AS
SELECT
  tenant_id, member_key AS member_sk, plan_sk, geography_sk, coverage_month,
  ROW_NUMBER() OVER (PARTITION BY member_key ORDER BY coverage_month) AS tenure_months,
  coverage_month < DATE '2025-02-01' AS is_next_month_known
FROM core.fct_member_month;
CREATE TABLE core.fct_disenrollment (
  tenant_id TEXT, member_sk BIGINT, plan_sk BIGINT, geography_sk BIGINT, coverage_month DATE,
  termination_reason TEXT
);
INSERT INTO core.fct_disenrollment VALUES
  ('north', 2, 1, 1, '2024-06-01', 'non_payment'), ('north', 3, 2, 1, '2024-12-01', 'not_renewed');
-- One selection was cancelled, one has no date.
CREATE TABLE core.fct_plan_selection (
  tenant_id TEXT, member_sk BIGINT, plan_sk BIGINT, geography_sk BIGINT, selection_date DATE,
  coverage_start_date DATE, enrollment_source TEXT, is_effectuated BOOLEAN,
  is_special_enrollment BOOLEAN
);
INSERT INTO core.fct_plan_selection VALUES
  ('north', 1, 1, 1, '2023-12-01', '2024-01-01', 'open_enrollment', TRUE, FALSE),
  ('north', 2, 1, 1, '2023-12-10', '2024-01-01', 'open_enrollment', TRUE, FALSE),
  ('north', 3, 2, 1, '2023-12-15', '2024-01-01', 'auto_renewal', TRUE, FALSE),
  ('south', 4, 3, 2, '2024-08-20', '2024-09-01', 'special_enrollment', TRUE, TRUE),
  ('south', 5, 9, -1, '2024-12-15', '2025-01-01', 'open_enrollment', TRUE, FALSE),
  ('south', -1, -1, -1, '2024-12-20', '2025-01-01', 'open_enrollment', FALSE, FALSE),
  ('south', 4, 3, 2, NULL, '2025-01-01', 'special_enrollment', TRUE, TRUE);
-- Ann is billed twice for June; Cat's invoice is void; what Eve paid is not known.
CREATE TABLE core.fct_premium_invoice (
  tenant_id TEXT, member_key BIGINT, member_sk BIGINT, plan_sk BIGINT, geography_sk BIGINT,
  coverage_month DATE, due_date DATE, billed_amount DECIMAL(14, 2), collected_amount DECIMAL(14, 2)
);
INSERT INTO core.fct_premium_invoice VALUES
  ('north', 2, 2, 1, 1, '2024-05-01', '2024-05-01', 400, 400),
  ('north', 2, 2, 1, 1, '2024-06-01', '2024-06-01', 400, 0),
  ('north', 1, 1, 1, 1, '2024-06-01', '2024-06-01', 200, 200),
  ('north', 1, 1, 1, 1, '2024-06-01', '2024-06-15', 50, 25),
  ('north', 3, 3, 2, 1, '2024-06-01', '2024-06-01', 0, 0),
  ('south', 4, 4, 3, 2, '2025-01-01', '2024-12-20', 600, 600),
  ('south', 5, 5, 9, -1, '2025-01-01', '2025-01-01', 450, NULL);
CREATE TABLE core.fct_grace_member (
  tenant_id TEXT, member_sk BIGINT, plan_sk BIGINT, geography_sk BIGINT, as_of_month DATE
);
INSERT INTO core.fct_grace_member VALUES
  ('north', 1, 1, 1, '2024-06-01'), ('north', 3, 2, 1, '2024-06-01'),
  ('north', 3, 2, 1, '2024-07-01'), ('south', 5, 9, -1, '2025-02-01');
"""

# Flags are spread so that each metric has a value of its own, which so few members would not give
# by themselves. Ben's 2025 has claims after he left, and no coverage; Cat's diabetes is known from
# the year before; Dan's 2025 is known to last until December, not beyond.
MEMBER_YEARS = """
CREATE TABLE core.fct_member_year (
  tenant_id TEXT, member_sk BIGINT, plan_sk BIGINT, geography_sk BIGINT, year_start DATE,
  member_months INTEGER, is_full_year BOOLEAN,
  is_new BOOLEAN, is_active_at_year_end BOOLEAN, is_retained BOOLEAN, is_switched BOOLEAN,
  allowed_amount DECIMAL(14, 2), has_claim BOOLEAN, has_visit BOOLEAN,
  has_preventive_visit BOOLEAN, is_attributed BOOLEAN,
  is_top_1_percent BOOLEAN, is_top_5_percent BOOLEAN, is_top_10_percent BOOLEAN,
  is_bottom_50_percent BOOLEAN, is_top_5_percent_next_year BOOLEAN,
  is_breast_screening_due BOOLEAN, has_breast_screening BOOLEAN,
  is_colorectal_screening_due BOOLEAN, has_colorectal_screening BOOLEAN,
  has_diabetes BOOLEAN, has_a1c_test BOOLEAN
);
INSERT INTO core.fct_member_year VALUES
  ('north', 1, 1, 1, '2024-01-01', 12, TRUE, NULL, TRUE, TRUE, FALSE,           -- Ann
    120000, TRUE, TRUE, TRUE, TRUE, TRUE, TRUE, TRUE, FALSE, TRUE,
    TRUE, TRUE, TRUE, FALSE, TRUE, TRUE),
  ('north', 2, 1, 1, '2024-01-01', 6, FALSE, NULL, FALSE, FALSE, FALSE,         -- Ben
    3000, TRUE, TRUE, FALSE, FALSE, FALSE, FALSE, TRUE, FALSE, FALSE,
    FALSE, FALSE, FALSE, FALSE, FALSE, FALSE),
  ('north', 3, 2, 1, '2024-01-01', 11, TRUE, NULL, TRUE, FALSE, FALSE,          -- Cat
    0, FALSE, FALSE, FALSE, FALSE, FALSE, FALSE, FALSE, TRUE, NULL,
    TRUE, FALSE, TRUE, TRUE, TRUE, FALSE),
  ('south', 4, 3, 2, '2024-01-01', 4, FALSE, NULL, TRUE, TRUE, TRUE,            -- Dan
    9000, TRUE, TRUE, FALSE, TRUE, FALSE, TRUE, TRUE, FALSE, FALSE,
    FALSE, FALSE, FALSE, FALSE, FALSE, TRUE),
  ('north', 1, 1, 1, '2025-01-01', 2, FALSE, FALSE, NULL, NULL, NULL,           -- Ann
    1000, TRUE, TRUE, TRUE, TRUE, FALSE, FALSE, FALSE, TRUE, NULL,
    FALSE, TRUE, FALSE, FALSE, FALSE, FALSE),
  ('north', 2, 1, 1, '2025-01-01', 0, FALSE, NULL, NULL, NULL, NULL,            -- Ben
    700, TRUE, FALSE, FALSE, FALSE, FALSE, FALSE, FALSE, FALSE, NULL,
    FALSE, FALSE, FALSE, FALSE, FALSE, FALSE),
  ('south', 4, 3, 2, '2025-01-01', 2, FALSE, FALSE, TRUE, NULL, NULL,           -- Dan
    0, FALSE, FALSE, FALSE, FALSE, FALSE, FALSE, FALSE, TRUE, NULL,
    FALSE, FALSE, FALSE, FALSE, FALSE, FALSE),
  ('south', 5, 9, -1, '2025-01-01', 2, FALSE, TRUE, NULL, NULL, NULL,           -- Eve
    2000, TRUE, TRUE, TRUE, FALSE, FALSE, TRUE, TRUE, FALSE, NULL,
    FALSE, FALSE, FALSE, FALSE, FALSE, FALSE);
CREATE TABLE core.fct_member_condition (
  tenant_id TEXT, member_key BIGINT, member_sk BIGINT, plan_sk BIGINT, geography_sk BIGINT,
  year_start DATE, hhs_hcc INTEGER, condition_group TEXT, is_chronic BOOLEAN,
  is_seen_next_year BOOLEAN
);
INSERT INTO core.fct_member_condition VALUES
  ('north', 1, 1, 1, 1, '2024-01-01', 20, 'diabetes', TRUE, TRUE),
  ('north', 1, 1, 1, 1, '2024-01-01', 130, 'heart', TRUE, FALSE),
  ('north', 2, 2, 1, 1, '2024-01-01', 20, 'diabetes', TRUE, NULL),
  ('south', 4, 4, 3, 2, '2024-01-01', 130, 'heart', TRUE, TRUE),
  ('north', 1, 1, 1, 1, '2025-01-01', 20, 'diabetes', TRUE, NULL),
  ('south', 5, 5, 9, -1, '2025-01-01', 20, 'diabetes', TRUE, NULL);
CREATE TABLE core.fct_risk_score (
  tenant_id TEXT, member_sk BIGINT, plan_sk BIGINT, geography_sk BIGINT, year_start DATE,
  risk_score DECIMAL(12, 6), member_months INTEGER
);
INSERT INTO core.fct_risk_score VALUES
  ('north', 1, 1, 1, '2024-01-01', 2.0, 12),
  ('south', 4, 3, 2, '2024-01-01', 1.5, 4),
  ('south', 5, 9, -1, '2025-01-01', 0.5, 2);
"""

WORLD = DIMENSIONS + CLAIMS + COVERAGE + MEMBER_YEARS
