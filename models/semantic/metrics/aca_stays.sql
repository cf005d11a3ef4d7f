/* Made from the registry in semantic/: edit that, then run `granary metrics write`. */
MODEL (
  name semantic.aca_stays,
  kind FULL,
  owner analytics_engineering,
  grain (tenant_id, metal_tier, state, age_group, admission_type, period),
  depends_on (
    semantic.aca_metrics_monthly
  ),
  description 'Inpatient stays by kind of admission, month, metal level, state and age group. Who is admitted, for how long, and who comes back?',
  audits (
    not_null(columns := (tenant_id, metal_tier, state, age_group, admission_type, period)),
    unique_combination_of_columns(columns := (tenant_id, metal_tier, state, age_group, admission_type, period)),
    same_totals(
      columns := (admissions, inpatient_days, discharged_days, discharges, readmissions, index_discharges),
      other := semantic.aca_metrics_monthly
    ),
    same_totals_in_each_part(columns := (
      member_months
    ), parts := (
      admission_type
    ), other := semantic.aca_metrics_monthly)
  )
);

WITH measured AS (
  WITH inpatient_stay_by_admission_date AS (
    SELECT
      DATE_TRUNC('MONTH', inpatient_stay.admission_date)::DATE AS period,
      COALESCE(inpatient_stay.tenant_id::TEXT, 'unknown') AS tenant_id,
      COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
      COALESCE(geography.state::TEXT, 'unknown') AS state,
      COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
      COALESCE(inpatient_stay.admission_type::TEXT, 'unknown') AS admission_type,
      COUNT(1) AS admissions,
      SUM(inpatient_stay.stay_days) AS inpatient_days
    FROM core.fct_inpatient_stay AS inpatient_stay
    LEFT JOIN core.dim_geography AS geography
      ON geography.geography_sk = inpatient_stay.geography_sk
    LEFT JOIN core.dim_member AS member
      ON member.member_sk = inpatient_stay.member_sk
    LEFT JOIN core.dim_plan AS plan
      ON plan.plan_sk = inpatient_stay.plan_sk
    WHERE
      NOT inpatient_stay.admission_date IS NULL
    GROUP BY
      1,
      2,
      3,
      4,
      5,
      6
  ), inpatient_stay_by_discharge_date AS (
    SELECT
      DATE_TRUNC('MONTH', inpatient_stay.discharge_date)::DATE AS period,
      COALESCE(inpatient_stay.tenant_id::TEXT, 'unknown') AS tenant_id,
      COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
      COALESCE(geography.state::TEXT, 'unknown') AS state,
      COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
      COALESCE(inpatient_stay.admission_type::TEXT, 'unknown') AS admission_type,
      SUM(inpatient_stay.stay_days) AS discharged_days,
      COUNT(1) AS discharges,
      COUNT(CASE WHEN inpatient_stay.is_readmitted THEN 1 END) AS readmissions,
      COUNT(CASE WHEN inpatient_stay.is_index THEN 1 END) AS index_discharges
    FROM core.fct_inpatient_stay AS inpatient_stay
    LEFT JOIN core.dim_geography AS geography
      ON geography.geography_sk = inpatient_stay.geography_sk
    LEFT JOIN core.dim_member AS member
      ON member.member_sk = inpatient_stay.member_sk
    LEFT JOIN core.dim_plan AS plan
      ON plan.plan_sk = inpatient_stay.plan_sk
    WHERE
      NOT inpatient_stay.discharge_date IS NULL
    GROUP BY
      1,
      2,
      3,
      4,
      5,
      6
  ), keys AS (
    SELECT
      period,
      tenant_id,
      metal_tier,
      state,
      age_group,
      admission_type
    FROM inpatient_stay_by_admission_date
    UNION
    SELECT
      period,
      tenant_id,
      metal_tier,
      state,
      age_group,
      admission_type
    FROM inpatient_stay_by_discharge_date
  )
  SELECT
    keys.period,
    keys.tenant_id,
    keys.metal_tier,
    keys.state,
    keys.age_group,
    keys.admission_type,
    COALESCE(admissions, 0)::BIGINT AS admissions,
    COALESCE(inpatient_days, 0)::DECIMAL(20, 2) AS inpatient_days,
    COALESCE(discharged_days, 0)::DECIMAL(20, 2) AS discharged_days,
    COALESCE(discharges, 0)::BIGINT AS discharges,
    COALESCE(readmissions, 0)::BIGINT AS readmissions,
    COALESCE(index_discharges, 0)::BIGINT AS index_discharges
  FROM keys
  LEFT JOIN inpatient_stay_by_admission_date
    ON inpatient_stay_by_admission_date.period = keys.period
    AND inpatient_stay_by_admission_date.tenant_id = keys.tenant_id
    AND inpatient_stay_by_admission_date.metal_tier = keys.metal_tier
    AND inpatient_stay_by_admission_date.state = keys.state
    AND inpatient_stay_by_admission_date.age_group = keys.age_group
    AND inpatient_stay_by_admission_date.admission_type = keys.admission_type
  LEFT JOIN inpatient_stay_by_discharge_date
    ON inpatient_stay_by_discharge_date.period = keys.period
    AND inpatient_stay_by_discharge_date.tenant_id = keys.tenant_id
    AND inpatient_stay_by_discharge_date.metal_tier = keys.metal_tier
    AND inpatient_stay_by_discharge_date.state = keys.state
    AND inpatient_stay_by_discharge_date.age_group = keys.age_group
    AND inpatient_stay_by_discharge_date.admission_type = keys.admission_type
), exposed AS (
  WITH member_month_by_coverage_month AS (
    SELECT
      DATE_TRUNC('MONTH', member_month.coverage_month)::DATE AS period,
      COALESCE(member_month.tenant_id::TEXT, 'unknown') AS tenant_id,
      COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
      COALESCE(geography.state::TEXT, 'unknown') AS state,
      COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
      SUM(member_month.member_months) AS member_months
    FROM core.fct_member_month AS member_month
    LEFT JOIN core.dim_geography AS geography
      ON geography.geography_sk = member_month.geography_sk
    LEFT JOIN core.dim_member AS member
      ON member.member_sk = member_month.member_sk
    LEFT JOIN core.dim_plan AS plan
      ON plan.plan_sk = member_month.plan_sk
    WHERE
      NOT member_month.coverage_month IS NULL
    GROUP BY
      1,
      2,
      3,
      4,
      5
  )
  SELECT
    member_month_by_coverage_month.period,
    member_month_by_coverage_month.tenant_id,
    member_month_by_coverage_month.metal_tier,
    member_month_by_coverage_month.state,
    member_month_by_coverage_month.age_group,
    COALESCE(member_months, 0)::DECIMAL(20, 2) AS member_months
  FROM member_month_by_coverage_month
), cells AS (
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group
  FROM measured
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group
  FROM exposed
), parts AS (
  SELECT DISTINCT
    admission_type
  FROM measured
)
SELECT
  cells.period::DATE AS period, /* first day of the month */
  cells.tenant_id::TEXT AS tenant_id, /* tenant whose data it is */
  cells.metal_tier::TEXT AS metal_tier, /* metal level */
  cells.state::TEXT AS state, /* state */
  cells.age_group::TEXT AS age_group, /* age group */
  parts.admission_type::TEXT AS admission_type, /* admission type */
  COALESCE(measured.admissions, 0)::BIGINT AS admissions, /* Admissions, stays */
  COALESCE(exposed.member_months, 0)::DECIMAL(20, 2) AS member_months, /* Member months, months; the same for every admission type */
  COALESCE(measured.inpatient_days, 0)::DECIMAL(20, 2) AS inpatient_days, /* Inpatient days, days */
  COALESCE(measured.discharged_days, 0)::DECIMAL(20, 2) AS discharged_days, /* Days of ended stays, days */
  COALESCE(measured.discharges, 0)::BIGINT AS discharges, /* Discharges, stays */
  COALESCE(measured.readmissions, 0)::BIGINT AS readmissions, /* Readmissions within 30 days, stays */
  COALESCE(measured.index_discharges, 0)::BIGINT AS index_discharges /* Index discharges, stays */
FROM cells
CROSS JOIN parts
LEFT JOIN measured
  ON measured.period = cells.period
  AND measured.tenant_id = cells.tenant_id
  AND measured.metal_tier = cells.metal_tier
  AND measured.state = cells.state
  AND measured.age_group = cells.age_group
  AND measured.admission_type = parts.admission_type
LEFT JOIN exposed
  ON exposed.period = cells.period
  AND exposed.tenant_id = cells.tenant_id
  AND exposed.metal_tier = cells.metal_tier
  AND exposed.state = cells.state
  AND exposed.age_group = cells.age_group
