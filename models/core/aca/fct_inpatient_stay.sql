MODEL (
  name core.fct_inpatient_stay,
  kind FULL,
  owner claims_analytics,
  grain (tenant_id, member_key, admission_date),
  depends_on (core.dim_member, core.dim_provider, core.dim_plan, core.dim_geography),
  description 'Hospital stays: paid inpatient claims merged where they overlap, or where a transfer is followed by an admission on the same or the next day. How often and how long are members in hospital, and how many come back within 30 days?',
  audits (
    not_null(
      columns := (
        tenant_id,
        member_key,
        admission_date,
        discharge_date,
        stay_days,
        is_obstetric,
        is_index,
        is_readmitted,
        allowed_amount,
        paid_amount
      )
    ),
    unique_combination_of_columns(columns := (tenant_id, member_key, admission_date)),
    accepted_range("column" := stay_days, min_v := 1),
    accepted_range("column" := claim_count, min_v := 1),
    forall(
      criteria := (admission_date <= discharge_date, is_index OR NOT is_readmitted, NOT (
          is_index AND is_obstetric
      ))
    ),
    references_dimension("column" := member_sk, dimension := core.dim_member),
    references_dimension("column" := provider_sk, dimension := core.dim_provider),
    references_dimension("column" := plan_sk, dimension := core.dim_plan),
    references_dimension("column" := geography_sk, dimension := core.dim_geography),
    stays_do_not_overlap(),
    paid_inpatient_lines_are_in_stays()
  )
);

WITH extracts AS (
  SELECT
    batches.tenant_id,
    MAX(batches.extracted_at)::DATE AS last_extract_date
  FROM ops.load_batch AS batches
  LEFT JOIN ops.retraction AS retractions
    ON retractions.load_id = batches.load_id
  WHERE
    batches.feed = 'aca_claims' AND batches.status = 'loaded' AND retractions.load_id IS NULL
  GROUP BY
    batches.tenant_id
), claim_lines AS (
  SELECT
    tenant_id,
    member_key,
    claim_id,
    service_date,
    discharge_date,
    discharge_status,
    admission_type,
    member_sk,
    provider_sk,
    plan_sk,
    geography_sk,
    diagnosis_code,
    procedure_code,
    allowed_amount,
    paid_amount
  FROM core.fct_claim_line
  WHERE
    claim_type = 'inpatient' AND claim_status = 'paid'
), member_months AS (
  SELECT
    member_key,
    coverage_month
  FROM core.fct_member_month
), claims AS (
  SELECT
    tenant_id,
    member_key,
    claim_id,
    MIN(service_date) AS admission_date,
    COALESCE(MAX(discharge_date), MIN(service_date)) AS discharge_date,
    (
      MIN(service_date) + INTERVAL '1' DAY
    )::DATE AS day_after_admission,
    MAX(discharge_status) AS discharge_status,
    MAX(admission_type) AS admission_type,
    MAX(member_sk) AS member_sk,
    MAX(provider_sk) AS provider_sk,
    MAX(plan_sk) AS plan_sk,
    MAX(geography_sk) AS geography_sk,
    MIN(diagnosis_code) AS diagnosis_code,
    MAX(
      CASE
        WHEN procedure_code = 'PX-IPB' OR diagnosis_code LIKE 'O%' OR admission_type = 'newborn'
        THEN 1
        ELSE 0
      END
    ) AS obstetric,
    SUM(allowed_amount) AS allowed_amount,
    SUM(paid_amount) AS paid_amount
  FROM claim_lines
  GROUP BY
    tenant_id,
    member_key,
    claim_id
), preceded AS (
  SELECT
    tenant_id,
    member_key,
    claim_id,
    admission_date,
    discharge_date,
    discharge_status,
    admission_type,
    member_sk,
    provider_sk,
    plan_sk,
    geography_sk,
    diagnosis_code,
    obstetric,
    allowed_amount,
    paid_amount,
    MAX(GREATEST(discharge_date, day_after_admission)) OVER (
      PARTITION BY member_key
      ORDER BY admission_date, discharge_date, claim_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS occupied_until,
    MAX(CASE WHEN discharge_status = 'transfer' THEN (
      discharge_date + INTERVAL '1' DAY
    )::DATE END) OVER (
      PARTITION BY member_key
      ORDER BY admission_date, discharge_date, claim_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS transferred_until
  FROM claims
), numbered AS (
  SELECT
    tenant_id,
    member_key,
    claim_id,
    admission_date,
    discharge_date,
    discharge_status,
    admission_type,
    member_sk,
    provider_sk,
    plan_sk,
    geography_sk,
    diagnosis_code,
    obstetric,
    allowed_amount,
    paid_amount,
    SUM(CASE WHEN admission_date < occupied_until OR admission_date <= transferred_until THEN 0 ELSE 1 END) OVER (
      PARTITION BY member_key
      ORDER BY admission_date, discharge_date, claim_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS stay_number
  FROM preceded
), ranked AS (
  SELECT
    tenant_id,
    member_key,
    stay_number,
    admission_date,
    discharge_date,
    discharge_status,
    admission_type,
    member_sk,
    provider_sk,
    plan_sk,
    geography_sk,
    diagnosis_code,
    obstetric,
    allowed_amount,
    paid_amount,
    ROW_NUMBER() OVER (PARTITION BY member_key, stay_number ORDER BY admission_date, discharge_date, claim_id) AS rank_from_first,
    ROW_NUMBER() OVER (PARTITION BY member_key, stay_number ORDER BY discharge_date DESC, admission_date DESC, claim_id DESC) AS rank_from_last
  FROM numbered
), stays AS (
  SELECT
    tenant_id,
    member_key,
    MIN(admission_date) AS admission_date,
    MAX(discharge_date) AS discharge_date,
    (
      MAX(discharge_date) + INTERVAL '30' DAY
    )::DATE AS follow_up_date,
    MAX(CASE WHEN rank_from_first = 1 THEN member_sk END) AS member_sk,
    MAX(CASE WHEN rank_from_first = 1 THEN provider_sk END) AS provider_sk,
    MAX(CASE WHEN rank_from_first = 1 THEN plan_sk END) AS plan_sk,
    MAX(CASE WHEN rank_from_first = 1 THEN geography_sk END) AS geography_sk,
    MAX(CASE WHEN rank_from_first = 1 THEN admission_type END) AS admission_type,
    MAX(CASE WHEN rank_from_first = 1 THEN diagnosis_code END) AS diagnosis_code,
    MAX(CASE WHEN rank_from_last = 1 THEN discharge_status END) AS discharge_status,
    MAX(obstetric) AS obstetric,
    COUNT(*) AS claim_count,
    SUM(allowed_amount) AS allowed_amount,
    SUM(paid_amount) AS paid_amount
  FROM ranked
  GROUP BY
    tenant_id,
    member_key,
    stay_number
), followed_up AS (
  SELECT
    stays.member_key,
    stays.admission_date
  FROM stays
  INNER JOIN extracts
    ON extracts.tenant_id = stays.tenant_id AND stays.follow_up_date < extracts.last_extract_date
  INNER JOIN member_months
    ON member_months.member_key = stays.member_key
    AND member_months.coverage_month >= DATE_TRUNC('MONTH', stays.discharge_date)
    AND member_months.coverage_month <= stays.follow_up_date
  GROUP BY
    stays.member_key,
    stays.admission_date,
    stays.discharge_date,
    stays.follow_up_date
  HAVING
    COUNT(*) = (
      EXTRACT(YEAR FROM stays.follow_up_date) - EXTRACT(YEAR FROM stays.discharge_date)
    ) * 12 + EXTRACT(MONTH FROM stays.follow_up_date) - EXTRACT(MONTH FROM stays.discharge_date) + 1
), readmitted AS (
  SELECT DISTINCT
    stays.member_key,
    stays.admission_date
  FROM stays
  INNER JOIN stays AS later_stays
    ON later_stays.member_key = stays.member_key
    AND later_stays.admission_date > stays.admission_date
    AND later_stays.admission_date >= stays.discharge_date
    AND later_stays.admission_date <= stays.follow_up_date
  WHERE
    later_stays.admission_type <> 'elective' AND later_stays.obstetric = 0
), judged AS (
  SELECT
    stays.tenant_id,
    stays.member_key,
    stays.admission_date,
    stays.discharge_date,
    stays.member_sk,
    stays.provider_sk,
    stays.plan_sk,
    stays.geography_sk,
    stays.admission_type,
    stays.discharge_status,
    stays.diagnosis_code,
    stays.obstetric = 1 AS is_obstetric,
    stays.discharge_status = 'home' AND stays.obstetric = 0 AND NOT followed_up.member_key IS NULL AS is_index,
    NOT readmitted.member_key IS NULL AS comes_back,
    stays.claim_count,
    stays.allowed_amount,
    stays.paid_amount
  FROM stays
  LEFT JOIN followed_up
    ON followed_up.member_key = stays.member_key AND followed_up.admission_date = stays.admission_date
  LEFT JOIN readmitted
    ON readmitted.member_key = stays.member_key AND readmitted.admission_date = stays.admission_date
)
SELECT
  tenant_id::TEXT AS tenant_id, /* issuer */
  member_key::BIGINT AS member_key, /* durable, pseudonymous key of the member */
  admission_date::DATE AS admission_date, /* first day of the stay */
  discharge_date::DATE AS discharge_date, /* day the patient left; the day of admission when not reported */
  member_sk::BIGINT AS member_sk, /* member as of the admission; -1 unknown */
  provider_sk::BIGINT AS provider_sk, /* hospital of the first claim; -1 unknown */
  plan_sk::BIGINT AS plan_sk, /* plan as of the admission; -1 unknown */
  geography_sk::BIGINT AS geography_sk, /* county of the member as of the admission; -1 unknown */
  GREATEST((
    discharge_date - admission_date
  )::INT, 1)::INT AS stay_days, /* nights in hospital, at least 1 */
  admission_type::TEXT AS admission_type, /* emergency, urgent, elective or newborn, of the first claim */
  discharge_status::TEXT AS discharge_status, /* home, transfer, left_against_advice or died, of the last claim */
  diagnosis_code::TEXT AS diagnosis_code, /* principal diagnosis of the first claim (ICD-10-CM) */
  is_obstetric::BOOLEAN AS is_obstetric, /* birth, a diagnosis of pregnancy (ICD-10-CM chapter O) or a newborn */
  COALESCE(is_index, FALSE)::BOOLEAN AS is_index, /* discharge that a readmission can follow: home, not obstetric, covered in every month of the 30 days after it, which lie before the last extract */
  COALESCE(is_index AND comes_back, FALSE)::BOOLEAN AS is_readmitted, /* index discharge followed within 30 days by an admission that is neither elective nor obstetric */
  claim_count::INT AS claim_count, /* claims merged into the stay */
  allowed_amount::DECIMAL(14, 2) AS allowed_amount, /* allowed, USD */
  paid_amount::DECIMAL(14, 2) AS paid_amount /* paid by the plan, USD */
FROM judged;

AUDIT (
  name stays_do_not_overlap
);

WITH bounded AS (
  SELECT
    tenant_id,
    member_key,
    admission_date,
    discharge_date,
    LEAD(admission_date) OVER (PARTITION BY tenant_id, member_key ORDER BY admission_date) AS next_admission_date
  FROM @this_model
)
SELECT
  *
FROM bounded
WHERE
  next_admission_date < discharge_date;

AUDIT (
  name paid_inpatient_lines_are_in_stays
);

WITH ours AS (
  SELECT
    COALESCE(SUM(paid_amount), 0) AS total,
    COALESCE(SUM(allowed_amount), 0) AS allowed_total
  FROM @this_model
), theirs AS (
  SELECT
    COALESCE(SUM(paid_amount), 0) AS total,
    COALESCE(SUM(allowed_amount), 0) AS allowed_total
  FROM core.fct_claim_line
  WHERE
    claim_type = 'inpatient' AND claim_status = 'paid'
)
SELECT
  ours.total AS total,
  theirs.total AS other_total
FROM ours
CROSS JOIN theirs
WHERE
  ours.total <> theirs.total OR ours.allowed_total <> theirs.allowed_total
