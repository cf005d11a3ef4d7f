/* Made from the registry in semantic/: edit that, then run `granary metrics write`. */
MODEL (
  name semantic.aca_members_yearly,
  kind FULL,
  owner analytics_engineering,
  grain (tenant_id, metal_tier, state, age_group, gender, period),
  depends_on (
    semantic.aca_metrics_yearly
  ),
  description 'Members of each plan year by metal level, state, age group and gender: who is new, who stays, who is costly, who is seen. What kind of members do we have?',
  audits (
    not_null(columns := (tenant_id, metal_tier, state, age_group, gender, period)),
    unique_combination_of_columns(columns := (tenant_id, metal_tier, state, age_group, gender, period)),
    same_totals(
      columns := (
        covered_members,
        new_members,
        members_with_history,
        retained_members,
        renewable_members,
        switched_members,
        zero_claim_members,
        fully_covered_members,
        top_1_percent_allowed,
        yearly_allowed,
        top_5_percent_allowed,
        top_10_percent_allowed,
        bottom_50_percent_allowed,
        top_5_percent_again,
        top_5_percent_followed,
        risk_weighted_member_months,
        adult_member_months,
        attributed_members,
        members_with_visit,
        preventive_members,
        preventive_eligible_members,
        breast_screening_missing,
        breast_screening_due,
        colorectal_screening_missing,
        colorectal_screening_due,
        diabetic_members_without_a1c,
        diabetic_members
      ),
      other := semantic.aca_metrics_yearly
    )
  )
);

WITH member_year_by_year_start AS (
  SELECT
    DATE_TRUNC('YEAR', member_year.year_start)::DATE AS period,
    COALESCE(member_year.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    COUNT(CASE WHEN member_year.member_months > 0 THEN 1 END) AS covered_members,
    COUNT(CASE WHEN member_year.is_new THEN 1 END) AS new_members,
    COUNT(CASE WHEN NOT member_year.is_new IS NULL THEN 1 END) AS members_with_history,
    COUNT(CASE WHEN member_year.is_retained THEN 1 END) AS retained_members,
    COUNT(CASE WHEN member_year.is_active_at_year_end AND NOT member_year.is_retained IS NULL THEN 1 END) AS renewable_members,
    COUNT(CASE WHEN member_year.is_switched THEN 1 END) AS switched_members,
    COUNT(CASE WHEN member_year.is_full_year AND NOT member_year.has_claim THEN 1 END) AS zero_claim_members,
    COUNT(CASE WHEN member_year.is_full_year THEN 1 END) AS fully_covered_members,
    SUM(CASE WHEN member_year.is_top_1_percent THEN member_year.allowed_amount END) AS top_1_percent_allowed,
    SUM(CASE WHEN member_year.member_months > 0 THEN member_year.allowed_amount END) AS yearly_allowed,
    SUM(CASE WHEN member_year.is_top_5_percent THEN member_year.allowed_amount END) AS top_5_percent_allowed,
    SUM(CASE WHEN member_year.is_top_10_percent THEN member_year.allowed_amount END) AS top_10_percent_allowed,
    SUM(CASE WHEN member_year.is_bottom_50_percent THEN member_year.allowed_amount END) AS bottom_50_percent_allowed,
    COUNT(CASE WHEN member_year.is_top_5_percent AND member_year.is_top_5_percent_next_year THEN 1 END) AS top_5_percent_again,
    COUNT(
      CASE
        WHEN member_year.is_top_5_percent AND NOT member_year.is_top_5_percent_next_year IS NULL
        THEN 1
      END
    ) AS top_5_percent_followed,
    COUNT(CASE WHEN member_year.is_attributed THEN 1 END) AS attributed_members,
    COUNT(CASE WHEN member_year.has_visit THEN 1 END) AS members_with_visit,
    COUNT(CASE WHEN member_year.member_months >= 11 AND member_year.has_preventive_visit THEN 1 END) AS preventive_members,
    COUNT(CASE WHEN member_year.member_months >= 11 THEN 1 END) AS preventive_eligible_members,
    COUNT(CASE WHEN member_year.is_breast_screening_due AND NOT member_year.has_breast_screening THEN 1 END) AS breast_screening_missing,
    COUNT(CASE WHEN member_year.is_breast_screening_due THEN 1 END) AS breast_screening_due,
    COUNT(
      CASE
        WHEN member_year.is_colorectal_screening_due AND NOT member_year.has_colorectal_screening
        THEN 1
      END
    ) AS colorectal_screening_missing,
    COUNT(CASE WHEN member_year.is_colorectal_screening_due THEN 1 END) AS colorectal_screening_due,
    COUNT(CASE WHEN member_year.has_diabetes AND NOT member_year.has_a1c_test THEN 1 END) AS diabetic_members_without_a1c,
    COUNT(CASE WHEN member_year.has_diabetes THEN 1 END) AS diabetic_members
  FROM core.fct_member_year AS member_year
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = member_year.geography_sk
  LEFT JOIN core.dim_member AS member
    ON member.member_sk = member_year.member_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = member_year.plan_sk
  WHERE
    NOT member_year.year_start IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), risk_score_by_year_start AS (
  SELECT
    DATE_TRUNC('YEAR', risk_score.year_start)::DATE AS period,
    COALESCE(risk_score.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    SUM(risk_score.risk_score * risk_score.member_months) AS risk_weighted_member_months,
    SUM(risk_score.member_months) AS adult_member_months
  FROM core.fct_risk_score AS risk_score
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = risk_score.geography_sk
  LEFT JOIN core.dim_member AS member
    ON member.member_sk = risk_score.member_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = risk_score.plan_sk
  WHERE
    NOT risk_score.year_start IS NULL
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
    gender
  FROM member_year_by_year_start
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM risk_score_by_year_start
)
SELECT
  keys.period::DATE AS period, /* first day of the year */
  keys.tenant_id::TEXT AS tenant_id, /* tenant whose data it is */
  keys.metal_tier::TEXT AS metal_tier, /* metal level */
  keys.state::TEXT AS state, /* state */
  keys.age_group::TEXT AS age_group, /* age group */
  keys.gender::TEXT AS gender, /* gender */
  COALESCE(covered_members, 0)::BIGINT AS covered_members, /* Members of the year, members */
  COALESCE(new_members, 0)::BIGINT AS new_members, /* New members, members */
  COALESCE(members_with_history, 0)::BIGINT AS members_with_history, /* Members of years with a year before, members */
  COALESCE(retained_members, 0)::BIGINT AS retained_members, /* Retained members, members */
  COALESCE(renewable_members, 0)::BIGINT AS renewable_members, /* Members up for renewal, members */
  COALESCE(switched_members, 0)::BIGINT AS switched_members, /* Members who switched plan, members */
  COALESCE(zero_claim_members, 0)::BIGINT AS zero_claim_members, /* Members without a claim, members */
  COALESCE(fully_covered_members, 0)::BIGINT AS fully_covered_members, /* Members covered all year, members */
  COALESCE(top_1_percent_allowed, 0)::DECIMAL(20, 2) AS top_1_percent_allowed, /* Allowed of the top 1%, USD */
  COALESCE(yearly_allowed, 0)::DECIMAL(20, 2) AS yearly_allowed, /* Allowed of the year's members, USD */
  COALESCE(top_5_percent_allowed, 0)::DECIMAL(20, 2) AS top_5_percent_allowed, /* Allowed of the top 5%, USD */
  COALESCE(top_10_percent_allowed, 0)::DECIMAL(20, 2) AS top_10_percent_allowed, /* Allowed of the top 10%, USD */
  COALESCE(bottom_50_percent_allowed, 0)::DECIMAL(20, 2) AS bottom_50_percent_allowed, /* Allowed of the bottom 50%, USD */
  COALESCE(top_5_percent_again, 0)::BIGINT AS top_5_percent_again, /* Top 5% again, members */
  COALESCE(top_5_percent_followed, 0)::BIGINT AS top_5_percent_followed, /* Top 5% with a next year, members */
  COALESCE(risk_weighted_member_months, 0)::DECIMAL(20, 6) AS risk_weighted_member_months, /* Risk-weighted member months, score */
  COALESCE(adult_member_months, 0)::DECIMAL(20, 2) AS adult_member_months, /* Adults' member months, months */
  COALESCE(attributed_members, 0)::BIGINT AS attributed_members, /* Members with a primary care provider, members */
  COALESCE(members_with_visit, 0)::BIGINT AS members_with_visit, /* Members with a visit, members */
  COALESCE(preventive_members, 0)::BIGINT AS preventive_members, /* Members with a preventive visit, members */
  COALESCE(preventive_eligible_members, 0)::BIGINT AS preventive_eligible_members, /* Members covered eleven months or more, members */
  COALESCE(breast_screening_missing, 0)::BIGINT AS breast_screening_missing, /* Without breast cancer screening, members */
  COALESCE(breast_screening_due, 0)::BIGINT AS breast_screening_due, /* Due for breast cancer screening, members */
  COALESCE(colorectal_screening_missing, 0)::BIGINT AS colorectal_screening_missing, /* Without colorectal cancer screening, members */
  COALESCE(colorectal_screening_due, 0)::BIGINT AS colorectal_screening_due, /* Due for colorectal cancer screening, members */
  COALESCE(diabetic_members_without_a1c, 0)::BIGINT AS diabetic_members_without_a1c, /* Diabetes without A1c test, members */
  COALESCE(diabetic_members, 0)::BIGINT AS diabetic_members /* Members with diabetes, members */
FROM keys
LEFT JOIN member_year_by_year_start
  ON member_year_by_year_start.period = keys.period
  AND member_year_by_year_start.tenant_id = keys.tenant_id
  AND member_year_by_year_start.metal_tier = keys.metal_tier
  AND member_year_by_year_start.state = keys.state
  AND member_year_by_year_start.age_group = keys.age_group
  AND member_year_by_year_start.gender = keys.gender
LEFT JOIN risk_score_by_year_start
  ON risk_score_by_year_start.period = keys.period
  AND risk_score_by_year_start.tenant_id = keys.tenant_id
  AND risk_score_by_year_start.metal_tier = keys.metal_tier
  AND risk_score_by_year_start.state = keys.state
  AND risk_score_by_year_start.age_group = keys.age_group
  AND risk_score_by_year_start.gender = keys.gender
