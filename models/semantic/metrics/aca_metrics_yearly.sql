/* Made from the registry in semantic/: edit that, then run `granary metrics write`. */
MODEL (
  name semantic.aca_metrics_yearly,
  kind FULL,
  owner analytics_engineering,
  grain (tenant_id, period),
  description 'The metrics of aca that are known by year only, by tenant and year. How did a year end?',
  audits (
    not_null(columns := (tenant_id, period)),
    unique_combination_of_columns(columns := (tenant_id, period))
  )
);

WITH member_condition_by_year_start AS (
  SELECT
    DATE_TRUNC('YEAR', member_condition.year_start)::DATE AS period,
    COALESCE(member_condition.tenant_id::TEXT, 'unknown') AS tenant_id,
    COUNT(DISTINCT member_condition.member_key || '-' || member_condition.year_start) AS members_with_condition,
    COUNT(CASE WHEN member_condition.is_chronic AND NOT member_condition.is_seen_next_year IS NULL THEN 1 END) AS conditions_up_for_recapture,
    COUNT(CASE WHEN member_condition.is_chronic AND member_condition.is_seen_next_year THEN 1 END) AS conditions_recaptured
  FROM core.fct_member_condition AS member_condition
  WHERE
    NOT member_condition.year_start IS NULL
  GROUP BY
    1,
    2
), member_year_by_year_start AS (
  SELECT
    DATE_TRUNC('YEAR', member_year.year_start)::DATE AS period,
    COALESCE(member_year.tenant_id::TEXT, 'unknown') AS tenant_id,
    COUNT(CASE WHEN member_year.is_new THEN 1 END) AS new_members,
    COUNT(CASE WHEN NOT member_year.is_new IS NULL THEN 1 END) AS members_with_history,
    COUNT(CASE WHEN member_year.is_active_at_year_end AND NOT member_year.is_retained IS NULL THEN 1 END) AS renewable_members,
    COUNT(CASE WHEN member_year.is_retained THEN 1 END) AS retained_members,
    COUNT(CASE WHEN member_year.is_switched THEN 1 END) AS switched_members,
    COUNT(CASE WHEN member_year.is_full_year THEN 1 END) AS fully_covered_members,
    COUNT(CASE WHEN member_year.is_full_year AND NOT member_year.has_claim THEN 1 END) AS zero_claim_members,
    COUNT(CASE WHEN member_year.member_months > 0 THEN 1 END) AS covered_members,
    SUM(CASE WHEN member_year.member_months > 0 THEN member_year.allowed_amount END) AS yearly_allowed,
    SUM(CASE WHEN member_year.is_top_1_percent THEN member_year.allowed_amount END) AS top_1_percent_allowed,
    SUM(CASE WHEN member_year.is_top_5_percent THEN member_year.allowed_amount END) AS top_5_percent_allowed,
    SUM(CASE WHEN member_year.is_top_10_percent THEN member_year.allowed_amount END) AS top_10_percent_allowed,
    SUM(CASE WHEN member_year.is_bottom_50_percent THEN member_year.allowed_amount END) AS bottom_50_percent_allowed,
    COUNT(
      CASE
        WHEN member_year.is_top_5_percent AND NOT member_year.is_top_5_percent_next_year IS NULL
        THEN 1
      END
    ) AS top_5_percent_followed,
    COUNT(CASE WHEN member_year.is_top_5_percent AND member_year.is_top_5_percent_next_year THEN 1 END) AS top_5_percent_again,
    COUNT(CASE WHEN member_year.has_visit THEN 1 END) AS members_with_visit,
    COUNT(CASE WHEN member_year.is_attributed THEN 1 END) AS attributed_members,
    COUNT(CASE WHEN member_year.member_months >= 11 THEN 1 END) AS preventive_eligible_members,
    COUNT(CASE WHEN member_year.member_months >= 11 AND member_year.has_preventive_visit THEN 1 END) AS preventive_members,
    COUNT(CASE WHEN member_year.is_breast_screening_due THEN 1 END) AS breast_screening_due,
    COUNT(CASE WHEN member_year.is_breast_screening_due AND NOT member_year.has_breast_screening THEN 1 END) AS breast_screening_missing,
    COUNT(CASE WHEN member_year.is_colorectal_screening_due THEN 1 END) AS colorectal_screening_due,
    COUNT(
      CASE
        WHEN member_year.is_colorectal_screening_due AND NOT member_year.has_colorectal_screening
        THEN 1
      END
    ) AS colorectal_screening_missing,
    COUNT(CASE WHEN member_year.has_diabetes THEN 1 END) AS diabetic_members,
    COUNT(CASE WHEN member_year.has_diabetes AND NOT member_year.has_a1c_test THEN 1 END) AS diabetic_members_without_a1c
  FROM core.fct_member_year AS member_year
  WHERE
    NOT member_year.year_start IS NULL
  GROUP BY
    1,
    2
), risk_score_by_year_start AS (
  SELECT
    DATE_TRUNC('YEAR', risk_score.year_start)::DATE AS period,
    COALESCE(risk_score.tenant_id::TEXT, 'unknown') AS tenant_id,
    SUM(risk_score.risk_score * risk_score.member_months) AS risk_weighted_member_months,
    SUM(risk_score.member_months) AS adult_member_months
  FROM core.fct_risk_score AS risk_score
  WHERE
    NOT risk_score.year_start IS NULL
  GROUP BY
    1,
    2
), keys AS (
  SELECT
    period,
    tenant_id
  FROM member_condition_by_year_start
  UNION
  SELECT
    period,
    tenant_id
  FROM member_year_by_year_start
  UNION
  SELECT
    period,
    tenant_id
  FROM risk_score_by_year_start
)
SELECT
  keys.period::DATE AS period, /* first day of the year */
  keys.tenant_id::TEXT AS tenant_id, /* tenant whose data it is */
  COALESCE(new_members, 0)::BIGINT AS new_members, /* New members, members */
  COALESCE(members_with_history, 0)::BIGINT AS members_with_history, /* Members of years with a year before, members */
  CAST(COALESCE(new_members, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(members_with_history, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS new_member_rate, /* New member rate, share */
  COALESCE(renewable_members, 0)::BIGINT AS renewable_members, /* Members up for renewal, members */
  COALESCE(retained_members, 0)::BIGINT AS retained_members, /* Retained members, members */
  CAST(COALESCE(retained_members, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(renewable_members, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS retention_rate, /* Retention rate, share */
  COALESCE(switched_members, 0)::BIGINT AS switched_members, /* Members who switched plan, members */
  CAST(COALESCE(switched_members, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(retained_members, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS plan_switch_rate, /* Plan switch rate, share */
  COALESCE(fully_covered_members, 0)::BIGINT AS fully_covered_members, /* Members covered all year, members */
  COALESCE(zero_claim_members, 0)::BIGINT AS zero_claim_members, /* Members without a claim, members */
  CAST(COALESCE(zero_claim_members, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(fully_covered_members, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS zero_claim_members_share, /* Share without a claim, share */
  COALESCE(members_with_condition, 0)::BIGINT AS members_with_condition, /* Members with a condition category, members */
  COALESCE(covered_members, 0)::BIGINT AS covered_members, /* Members of the year, members */
  CAST(COALESCE(members_with_condition, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(covered_members, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS hcc_prevalence, /* Condition prevalence, share */
  COALESCE(conditions_up_for_recapture, 0)::BIGINT AS conditions_up_for_recapture, /* Conditions that could be seen again, conditions */
  COALESCE(conditions_recaptured, 0)::BIGINT AS conditions_recaptured, /* Conditions seen again, conditions */
  CAST(COALESCE(conditions_recaptured, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(conditions_up_for_recapture, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS hcc_recapture_rate, /* Condition recapture rate, share */
  COALESCE(risk_weighted_member_months, 0)::DECIMAL(20, 6) AS risk_weighted_member_months, /* Risk-weighted member months, score */
  COALESCE(adult_member_months, 0)::DECIMAL(20, 2) AS adult_member_months, /* Adults' member months, months */
  CAST(COALESCE(risk_weighted_member_months, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(adult_member_months, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS risk_score_plan_liability, /* Plan liability risk score, score */
  COALESCE(yearly_allowed, 0)::DECIMAL(20, 2) AS yearly_allowed, /* Allowed of the year's members, USD */
  COALESCE(top_1_percent_allowed, 0)::DECIMAL(20, 2) AS top_1_percent_allowed, /* Allowed of the top 1%, USD */
  CAST(COALESCE(top_1_percent_allowed, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(yearly_allowed, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS spend_top_1_percent_share, /* Spend share of the top 1%, share */
  COALESCE(top_5_percent_allowed, 0)::DECIMAL(20, 2) AS top_5_percent_allowed, /* Allowed of the top 5%, USD */
  CAST(COALESCE(top_5_percent_allowed, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(yearly_allowed, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS spend_top_5_percent_share, /* Spend share of the top 5%, share */
  COALESCE(top_10_percent_allowed, 0)::DECIMAL(20, 2) AS top_10_percent_allowed, /* Allowed of the top 10%, USD */
  CAST(COALESCE(top_10_percent_allowed, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(yearly_allowed, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS spend_top_decile_share, /* Spend share of the top 10%, share */
  COALESCE(bottom_50_percent_allowed, 0)::DECIMAL(20, 2) AS bottom_50_percent_allowed, /* Allowed of the bottom 50%, USD */
  CAST(COALESCE(bottom_50_percent_allowed, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(yearly_allowed, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS spend_bottom_50_percent_share, /* Spend share of the bottom 50%, share */
  COALESCE(top_5_percent_followed, 0)::BIGINT AS top_5_percent_followed, /* Top 5% with a next year, members */
  COALESCE(top_5_percent_again, 0)::BIGINT AS top_5_percent_again, /* Top 5% again, members */
  CAST(COALESCE(top_5_percent_again, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(top_5_percent_followed, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS high_cost_persistence, /* High-cost persistence, share */
  COALESCE(members_with_visit, 0)::BIGINT AS members_with_visit, /* Members with a visit, members */
  COALESCE(attributed_members, 0)::BIGINT AS attributed_members, /* Members with a primary care provider, members */
  CAST(COALESCE(attributed_members, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(members_with_visit, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS attribution_rate, /* Attribution rate, share */
  COALESCE(preventive_eligible_members, 0)::BIGINT AS preventive_eligible_members, /* Members covered eleven months or more, members */
  COALESCE(preventive_members, 0)::BIGINT AS preventive_members, /* Members with a preventive visit, members */
  CAST(COALESCE(preventive_members, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(preventive_eligible_members, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS preventive_visit_rate, /* Preventive visit rate, share */
  COALESCE(breast_screening_due, 0)::BIGINT AS breast_screening_due, /* Due for breast cancer screening, members */
  COALESCE(breast_screening_missing, 0)::BIGINT AS breast_screening_missing, /* Without breast cancer screening, members */
  CAST(COALESCE(breast_screening_missing, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(breast_screening_due, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS gap_breast_cancer_screening, /* Gap in breast cancer screening, share */
  COALESCE(colorectal_screening_due, 0)::BIGINT AS colorectal_screening_due, /* Due for colorectal cancer screening, members */
  COALESCE(colorectal_screening_missing, 0)::BIGINT AS colorectal_screening_missing, /* Without colorectal cancer screening, members */
  CAST(COALESCE(colorectal_screening_missing, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(colorectal_screening_due, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS gap_colorectal_screening, /* Gap in colorectal cancer screening, share */
  COALESCE(diabetic_members, 0)::BIGINT AS diabetic_members, /* Members with diabetes, members */
  COALESCE(diabetic_members_without_a1c, 0)::BIGINT AS diabetic_members_without_a1c, /* Diabetes without A1c test, members */
  CAST(COALESCE(diabetic_members_without_a1c, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(diabetic_members, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS gap_diabetes_a1c /* Gap in A1c testing, share */
FROM keys
LEFT JOIN member_condition_by_year_start
  ON member_condition_by_year_start.period = keys.period
  AND member_condition_by_year_start.tenant_id = keys.tenant_id
LEFT JOIN member_year_by_year_start
  ON member_year_by_year_start.period = keys.period
  AND member_year_by_year_start.tenant_id = keys.tenant_id
LEFT JOIN risk_score_by_year_start
  ON risk_score_by_year_start.period = keys.period AND risk_score_by_year_start.tenant_id = keys.tenant_id
