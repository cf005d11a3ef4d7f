MODEL (
  name core.fct_visit,
  kind FULL,
  owner claims_analytics,
  grain (tenant_id, member_key, provider_sk, service_date, visit_kind),
  depends_on (core.dim_member, core.dim_plan, core.dim_geography),
  description 'Visits: one per member, provider, day and kind, from the paid lines of visits. How often do members see whom, and how many emergency visits could have been avoided?',
  audits (
    not_null(
      columns := (
        tenant_id,
        member_key,
        provider_sk,
        service_date,
        visit_kind,
        is_specialist,
        in_network,
        led_to_admission,
        ed_avoidable_weight
      )
    ),
    unique_combination_of_columns(columns := (tenant_id, member_key, provider_sk, service_date, visit_kind)),
    accepted_values(
      "column" := visit_kind,
      is_in := ('office', 'telehealth', 'preventive', 'behavioral', 'emergency', 'urgent_care')
    ),
    accepted_range("column" := ed_avoidable_weight, min_v := 0, max_v := 1),
    forall(
      criteria := (
        visit_kind = 'emergency' OR (
          NOT led_to_admission AND ed_avoidable_weight = 0
        )
      )
    ),
    references_dimension("column" := member_sk, dimension := core.dim_member),
    references_dimension("column" := provider_sk, dimension := core.dim_provider),
    references_dimension("column" := plan_sk, dimension := core.dim_plan),
    references_dimension("column" := geography_sk, dimension := core.dim_geography),
    paid_visit_lines_are_in_visits()
  )
);

WITH procedures AS (
  SELECT
    procedure_code,
    visit_kind
  FROM staging.ref_aca_procedure
  WHERE
    visit_kind <> 'inpatient'
), diagnoses AS (
  SELECT
    diagnosis_code,
    ed_avoidable
  FROM staging.ref_aca_diagnosis
), specialties AS (
  SELECT
    taxonomy_code,
    provider_kind
  FROM core.dim_specialty
), providers AS (
  SELECT
    provider_sk,
    taxonomy_code
  FROM core.dim_provider
), claim_lines AS (
  SELECT
    tenant_id,
    member_key,
    provider_sk,
    service_date,
    member_sk,
    plan_sk,
    geography_sk,
    in_network,
    diagnosis_code,
    procedure_code,
    allowed_amount,
    paid_amount
  FROM core.fct_claim_line
  WHERE
    claim_status = 'paid'
), stays AS (
  SELECT
    member_key,
    admission_date
  FROM core.fct_inpatient_stay
), days_before_admission AS (
  SELECT
    member_key,
    admission_date AS visit_date
  FROM stays
  UNION
  SELECT
    member_key,
    (
      admission_date - INTERVAL '1' DAY
    )::DATE AS visit_date
  FROM stays
), visits AS (
  SELECT
    claim_lines.tenant_id,
    claim_lines.member_key,
    claim_lines.provider_sk,
    claim_lines.service_date,
    procedures.visit_kind,
    MAX(claim_lines.member_sk) AS member_sk,
    MAX(claim_lines.plan_sk) AS plan_sk,
    MAX(claim_lines.geography_sk) AS geography_sk,
    MIN(CASE WHEN claim_lines.in_network THEN 1 ELSE 0 END) AS in_network,
    MIN(diagnoses.ed_avoidable) AS ed_avoidable,
    SUM(claim_lines.allowed_amount) AS allowed_amount,
    SUM(claim_lines.paid_amount) AS paid_amount
  FROM claim_lines
  INNER JOIN procedures
    ON procedures.procedure_code = claim_lines.procedure_code
  LEFT JOIN diagnoses
    ON diagnoses.diagnosis_code = claim_lines.diagnosis_code
  GROUP BY
    claim_lines.tenant_id,
    claim_lines.member_key,
    claim_lines.provider_sk,
    claim_lines.service_date,
    procedures.visit_kind
)
SELECT
  visits.tenant_id::TEXT AS tenant_id, /* issuer */
  visits.member_key::BIGINT AS member_key, /* durable, pseudonymous key of the member */
  visits.provider_sk::BIGINT AS provider_sk, /* provider as of the day of service; -1 unknown */
  visits.service_date::DATE AS service_date, /* day of the visit */
  visits.visit_kind::TEXT AS visit_kind, /* office, telehealth, preventive, behavioral, emergency or urgent_care */
  visits.member_sk::BIGINT AS member_sk, /* member as of the day of service; -1 unknown */
  visits.plan_sk::BIGINT AS plan_sk, /* plan as of the day of service; -1 unknown */
  visits.geography_sk::BIGINT AS geography_sk, /* county of the member as of the day of service; -1 unknown */
  COALESCE(specialties.provider_kind <> 'pcp', FALSE)::BOOLEAN AS is_specialist, /* whether the provider is known and not primary care */
  (
    visits.in_network = 1
  )::BOOLEAN AS in_network, /* whether every line was in the plan's network */
  (
    visits.visit_kind = 'emergency' AND NOT days_before_admission.member_key IS NULL
  )::BOOLEAN AS led_to_admission, /* emergency visit of a member who is admitted the same or the next day */
  (
    CASE WHEN visits.visit_kind = 'emergency' THEN COALESCE(visits.ed_avoidable, 0) ELSE 0 END
  )::DECIMAL(5, 4) AS ed_avoidable_weight, /* chance that the emergency visit could have been avoided, by its least avoidable diagnosis; 0 for other visits */
  visits.allowed_amount::DECIMAL(14, 2) AS allowed_amount, /* allowed for the lines of the visit itself, USD */
  visits.paid_amount::DECIMAL(14, 2) AS paid_amount /* paid by the plan for them, USD */
FROM visits
LEFT JOIN providers
  ON providers.provider_sk = visits.provider_sk
LEFT JOIN specialties
  ON specialties.taxonomy_code = providers.taxonomy_code
LEFT JOIN days_before_admission
  ON days_before_admission.member_key = visits.member_key
  AND days_before_admission.visit_date = visits.service_date;

AUDIT (
  name paid_visit_lines_are_in_visits
);

WITH ours AS (
  SELECT
    COALESCE(SUM(allowed_amount), 0) AS total
  FROM @this_model
), theirs AS (
  SELECT
    COALESCE(SUM(allowed_amount), 0) AS total
  FROM core.fct_claim_line
  WHERE
    claim_status = 'paid'
    AND procedure_code IN (
      SELECT
        procedure_code
      FROM staging.ref_aca_procedure
      WHERE
        visit_kind <> 'inpatient'
    )
)
SELECT
  ours.total AS total,
  theirs.total AS other_total
FROM ours
CROSS JOIN theirs
WHERE
  ours.total <> theirs.total
