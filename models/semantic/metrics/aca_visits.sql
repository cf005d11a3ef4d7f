/* Made from the registry in semantic/: edit that, then run `granary metrics write`. */
MODEL (
  name semantic.aca_visits,
  kind FULL,
  owner analytics_engineering,
  grain (tenant_id, state, visit_kind, specialty, network_status, period),
  depends_on (
    semantic.aca_metrics_monthly
  ),
  description 'Visits by kind, specialty and network, month and state. Where do members go for care, and how often?',
  audits (
    not_null(columns := (tenant_id, state, visit_kind, specialty, network_status, period)),
    unique_combination_of_columns(columns := (tenant_id, state, visit_kind, specialty, network_status, period)),
    same_totals(
      columns := (
        visits,
        ed_visits,
        ed_avoidable_visits,
        ed_visits_all,
        office_visits,
        specialist_visits,
        telehealth_visits
      ),
      other := semantic.aca_metrics_monthly
    ),
    same_totals_in_each_part(
      columns := (
        member_months
      ),
      parts := (visit_kind, specialty, network_status),
      other := semantic.aca_metrics_monthly
    )
  )
);

WITH measured AS (
  WITH visit_by_service_date AS (
    SELECT
      DATE_TRUNC('MONTH', visit.service_date)::DATE AS period,
      COALESCE(visit.tenant_id::TEXT, 'unknown') AS tenant_id,
      COALESCE(geography.state::TEXT, 'unknown') AS state,
      COALESCE(visit.visit_kind::TEXT, 'unknown') AS visit_kind,
      COALESCE(provider.specialty::TEXT, 'unknown') AS specialty,
      COALESCE(CASE WHEN visit.in_network THEN 'in network' ELSE 'out of network' END::TEXT, 'unknown') AS network_status,
      COUNT(1) AS visits,
      COUNT(CASE WHEN visit.visit_kind = 'emergency' AND NOT visit.led_to_admission THEN 1 END) AS ed_visits,
      SUM(CASE WHEN visit.visit_kind = 'emergency' THEN visit.ed_avoidable_weight END) AS ed_avoidable_visits,
      COUNT(CASE WHEN visit.visit_kind = 'emergency' THEN 1 END) AS ed_visits_all,
      COUNT(CASE WHEN visit.visit_kind IN ('office', 'telehealth') THEN 1 END) AS office_visits,
      COUNT(CASE WHEN visit.visit_kind IN ('office', 'telehealth') AND visit.is_specialist THEN 1 END) AS specialist_visits,
      COUNT(CASE WHEN visit.visit_kind = 'telehealth' THEN 1 END) AS telehealth_visits
    FROM core.fct_visit AS visit
    LEFT JOIN core.dim_geography AS geography
      ON geography.geography_sk = visit.geography_sk
    LEFT JOIN core.dim_provider AS provider
      ON provider.provider_sk = visit.provider_sk
    WHERE
      NOT visit.service_date IS NULL
    GROUP BY
      1,
      2,
      3,
      4,
      5,
      6
  )
  SELECT
    visit_by_service_date.period,
    visit_by_service_date.tenant_id,
    visit_by_service_date.state,
    visit_by_service_date.visit_kind,
    visit_by_service_date.specialty,
    visit_by_service_date.network_status,
    COALESCE(visits, 0)::BIGINT AS visits,
    COALESCE(ed_visits, 0)::BIGINT AS ed_visits,
    COALESCE(ed_avoidable_visits, 0)::DECIMAL(20, 4) AS ed_avoidable_visits,
    COALESCE(ed_visits_all, 0)::BIGINT AS ed_visits_all,
    COALESCE(office_visits, 0)::BIGINT AS office_visits,
    COALESCE(specialist_visits, 0)::BIGINT AS specialist_visits,
    COALESCE(telehealth_visits, 0)::BIGINT AS telehealth_visits
  FROM visit_by_service_date
), exposed AS (
  WITH member_month_by_coverage_month AS (
    SELECT
      DATE_TRUNC('MONTH', member_month.coverage_month)::DATE AS period,
      COALESCE(member_month.tenant_id::TEXT, 'unknown') AS tenant_id,
      COALESCE(geography.state::TEXT, 'unknown') AS state,
      SUM(member_month.member_months) AS member_months
    FROM core.fct_member_month AS member_month
    LEFT JOIN core.dim_geography AS geography
      ON geography.geography_sk = member_month.geography_sk
    WHERE
      NOT member_month.coverage_month IS NULL
    GROUP BY
      1,
      2,
      3
  )
  SELECT
    member_month_by_coverage_month.period,
    member_month_by_coverage_month.tenant_id,
    member_month_by_coverage_month.state,
    COALESCE(member_months, 0)::DECIMAL(20, 2) AS member_months
  FROM member_month_by_coverage_month
), cells AS (
  SELECT
    period,
    tenant_id,
    state
  FROM measured
  UNION
  SELECT
    period,
    tenant_id,
    state
  FROM exposed
), parts AS (
  SELECT DISTINCT
    visit_kind,
    specialty,
    network_status
  FROM measured
)
SELECT
  cells.period::DATE AS period, /* first day of the month */
  cells.tenant_id::TEXT AS tenant_id, /* tenant whose data it is */
  cells.state::TEXT AS state, /* state */
  parts.visit_kind::TEXT AS visit_kind, /* kind of visit */
  parts.specialty::TEXT AS specialty, /* specialty */
  parts.network_status::TEXT AS network_status, /* network status */
  COALESCE(measured.visits, 0)::BIGINT AS visits, /* Visits, visits */
  COALESCE(exposed.member_months, 0)::DECIMAL(20, 2) AS member_months, /* Member months, months; the same for every kind of visit and specialty and network status */
  COALESCE(measured.ed_visits, 0)::BIGINT AS ed_visits, /* Emergency visits without admission, visits */
  COALESCE(measured.ed_avoidable_visits, 0)::DECIMAL(20, 4) AS ed_avoidable_visits, /* Avoidable emergency visits, weighted visits */
  COALESCE(measured.ed_visits_all, 0)::BIGINT AS ed_visits_all, /* Emergency visits, visits */
  COALESCE(measured.office_visits, 0)::BIGINT AS office_visits, /* Office and telehealth visits, visits */
  COALESCE(measured.specialist_visits, 0)::BIGINT AS specialist_visits, /* Specialist visits, visits */
  COALESCE(measured.telehealth_visits, 0)::BIGINT AS telehealth_visits /* Telehealth visits, visits */
FROM cells
CROSS JOIN parts
LEFT JOIN measured
  ON measured.period = cells.period
  AND measured.tenant_id = cells.tenant_id
  AND measured.state = cells.state
  AND measured.visit_kind = parts.visit_kind
  AND measured.specialty = parts.specialty
  AND measured.network_status = parts.network_status
LEFT JOIN exposed
  ON exposed.period = cells.period AND exposed.tenant_id = cells.tenant_id AND exposed.state = cells.state
