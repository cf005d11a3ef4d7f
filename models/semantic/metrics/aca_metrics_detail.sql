/* Made from the registry in semantic/: edit that, then run `granary metrics write`. */
MODEL (
  name semantic.aca_metrics_detail,
  kind FULL,
  owner analytics_engineering,
  grain (tenant_id, metal_tier, state, age_group, gender, period),
  depends_on (
    semantic.aca_metrics_monthly
  ),
  description 'The metrics of aca that add up, by tenant, month, metal_tier, state, age_group, gender. Which part drives a number? Ratios follow from the sums.',
  audits (
    not_null(columns := (tenant_id, metal_tier, state, age_group, gender, period)),
    unique_combination_of_columns(columns := (tenant_id, metal_tier, state, age_group, gender, period)),
    same_totals(
      columns := (
        member_months,
        effectuated_enrollment,
        plan_selections,
        effectuated_selections,
        special_enrollment_selections,
        disenrollments,
        followed_member_months,
        nonpayment_terminations,
        grace_period_members,
        gross_premium,
        aptc_amount,
        net_premium_member,
        aptc_member_months,
        csr_member_months,
        premium_billed,
        premium_collected,
        claims_billed,
        claims_allowed,
        claims_paid,
        claims_paid_out,
        paid_lines,
        deductible_paid,
        member_cost_share,
        admissions,
        inpatient_days,
        discharges,
        discharged_days,
        index_discharges,
        readmissions,
        visits,
        ed_visits,
        ed_visits_all,
        ed_visits_admitted,
        ed_avoidable_visits,
        office_visits,
        specialist_visits,
        telehealth_visits,
        rx_fills,
        generic_fills,
        drug_allowed,
        specialty_drug_allowed,
        claims_received,
        claims_decided,
        lines_decided,
        lines_denied,
        claims_denied,
        billed_decided,
        billed_denied,
        lines_denied_all_reasons,
        lines_denied_as_duplicate,
        claims_with_denial,
        claims_appealed,
        appeals_filed,
        appeals_decided,
        appeals_overturned,
        clean_claims,
        claims_ever_pended,
        pended_inventory,
        days_spent_to_receipt,
        days_spent_to_decision,
        prompt_claims,
        claims_paid_count,
        claims_corrected,
        reversal_amount,
        high_cost_claimants_50k,
        high_cost_claimants,
        high_cost_claimants_250k,
        high_cost_claimants_500k,
        high_cost_claimants_1m,
        high_cost_paid,
        out_of_network_allowed,
        nonemergency_allowed,
        nonemergency_out_of_network_allowed
      ),
      other := semantic.aca_metrics_monthly
    )
  )
);

WITH appeal_by_decided_date AS (
  SELECT
    DATE_TRUNC('MONTH', appeal.decided_date)::DATE AS period,
    COALESCE(appeal.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    COUNT(1) AS appeals_decided,
    COUNT(CASE WHEN appeal.outcome = 'overturned' THEN 1 END) AS appeals_overturned
  FROM core.fct_appeal AS appeal
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = appeal.geography_sk
  LEFT JOIN core.dim_member AS member
    ON member.member_sk = appeal.member_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = appeal.plan_sk
  WHERE
    NOT appeal.decided_date IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), appeal_by_filed_date AS (
  SELECT
    DATE_TRUNC('MONTH', appeal.filed_date)::DATE AS period,
    COALESCE(appeal.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    COUNT(1) AS appeals_filed
  FROM core.fct_appeal AS appeal
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = appeal.geography_sk
  LEFT JOIN core.dim_member AS member
    ON member.member_sk = appeal.member_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = appeal.plan_sk
  WHERE
    NOT appeal.filed_date IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), claim_by_denial_date AS (
  SELECT
    DATE_TRUNC('MONTH', claim.denial_date)::DATE AS period,
    COALESCE(claim.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    COUNT(CASE WHEN claim.has_denied_line THEN 1 END) AS claims_with_denial,
    COUNT(CASE WHEN claim.has_denied_line AND claim.is_appealed THEN 1 END) AS claims_appealed
  FROM core.fct_claim_processing AS claim
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = claim.geography_sk
  LEFT JOIN core.dim_member AS member
    ON member.member_sk = claim.member_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = claim.plan_sk
  WHERE
    NOT claim.denial_date IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), claim_by_first_decided_date AS (
  SELECT
    DATE_TRUNC('MONTH', claim.first_decided_date)::DATE AS period,
    COALESCE(claim.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    COUNT(1) AS claims_decided,
    COUNT(CASE WHEN claim.is_denied THEN 1 END) AS claims_denied,
    SUM(claim.days_to_decision) AS days_spent_to_decision,
    COUNT(CASE WHEN claim.final_status IN ('paid', 'reversed') THEN 1 END) AS claims_paid_count,
    COUNT(
      CASE
        WHEN claim.final_status IN ('paid', 'reversed') AND (
          claim.is_adjusted OR claim.is_reversed
        )
        THEN 1
      END
    ) AS claims_corrected
  FROM core.fct_claim_processing AS claim
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = claim.geography_sk
  LEFT JOIN core.dim_member AS member
    ON member.member_sk = claim.member_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = claim.plan_sk
  WHERE
    NOT claim.first_decided_date IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), claim_by_received_date AS (
  SELECT
    DATE_TRUNC('MONTH', claim.received_date)::DATE AS period,
    COALESCE(claim.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    COUNT(1) AS claims_received,
    COUNT(CASE WHEN claim.is_clean THEN 1 END) AS clean_claims,
    COUNT(CASE WHEN claim.is_ever_pended THEN 1 END) AS claims_ever_pended,
    SUM(claim.days_to_receipt) AS days_spent_to_receipt,
    COUNT(CASE WHEN claim.is_prompt THEN 1 END) AS prompt_claims
  FROM core.fct_claim_processing AS claim
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = claim.geography_sk
  LEFT JOIN core.dim_member AS member
    ON member.member_sk = claim.member_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = claim.plan_sk
  WHERE
    NOT claim.received_date IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), claim_line_by_adjudicated_date AS (
  SELECT
    DATE_TRUNC('MONTH', claim_line.adjudicated_date)::DATE AS period,
    COALESCE(claim_line.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    COUNT(CASE WHEN claim_line.claim_status IN ('paid', 'denied') THEN 1 END) AS lines_decided,
    COUNT(CASE WHEN claim_line.claim_status = 'denied' THEN 1 END) AS lines_denied,
    SUM(CASE WHEN claim_line.claim_status IN ('paid', 'denied') THEN claim_line.claim_amount END) AS billed_decided,
    SUM(CASE WHEN claim_line.claim_status = 'denied' THEN claim_line.claim_amount END) AS billed_denied,
    COUNT(CASE WHEN claim_line.claim_status = 'denied' AND claim_line.denial_reason_code = '18' THEN 1 END) AS lines_denied_as_duplicate
  FROM core.fct_claim_line AS claim_line
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = claim_line.geography_sk
  LEFT JOIN core.dim_member AS member
    ON member.member_sk = claim_line.member_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = claim_line.plan_sk
  WHERE
    NOT claim_line.adjudicated_date IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), claim_line_by_service_date AS (
  SELECT
    DATE_TRUNC('MONTH', claim_line.service_date)::DATE AS period,
    COALESCE(claim_line.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    SUM(CASE WHEN claim_line.claim_status IN ('paid', 'denied') THEN claim_line.claim_amount END) AS claims_billed,
    SUM(CASE WHEN claim_line.claim_status = 'paid' THEN claim_line.allowed_amount END) AS claims_allowed,
    SUM(CASE WHEN claim_line.claim_status = 'paid' THEN claim_line.paid_amount END) AS claims_paid,
    COUNT(CASE WHEN claim_line.claim_status = 'paid' THEN 1 END) AS paid_lines,
    SUM(CASE WHEN claim_line.claim_status = 'paid' THEN claim_line.deductible END) AS deductible_paid,
    SUM(
      CASE
        WHEN claim_line.claim_status = 'paid'
        THEN claim_line.deductible + claim_line.copay + claim_line.coinsurance
      END
    ) AS member_cost_share,
    SUM(
      CASE
        WHEN claim_line.claim_status = 'paid' AND NOT procedure.drug_class IS NULL
        THEN claim_line.units
      END
    ) AS rx_fills,
    SUM(
      CASE
        WHEN claim_line.claim_status = 'paid' AND procedure.drug_class = 'generic'
        THEN claim_line.units
      END
    ) AS generic_fills,
    SUM(
      CASE
        WHEN claim_line.claim_status = 'paid' AND NOT procedure.drug_class IS NULL
        THEN claim_line.allowed_amount
      END
    ) AS drug_allowed,
    SUM(
      CASE
        WHEN claim_line.claim_status = 'paid' AND procedure.drug_class = 'specialty'
        THEN claim_line.allowed_amount
      END
    ) AS specialty_drug_allowed,
    SUM(
      CASE
        WHEN claim_line.claim_status = 'paid' AND NOT claim_line.in_network
        THEN claim_line.allowed_amount
      END
    ) AS out_of_network_allowed,
    SUM(
      CASE
        WHEN claim_line.claim_status = 'paid' AND COALESCE(procedure.procedure_category, 'unknown') <> 'emergency'
        THEN claim_line.allowed_amount
      END
    ) AS nonemergency_allowed,
    SUM(
      CASE
        WHEN claim_line.claim_status = 'paid'
        AND NOT claim_line.in_network
        AND COALESCE(procedure.procedure_category, 'unknown') <> 'emergency'
        THEN claim_line.allowed_amount
      END
    ) AS nonemergency_out_of_network_allowed
  FROM core.fct_claim_line AS claim_line
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = claim_line.geography_sk
  LEFT JOIN core.dim_member AS member
    ON member.member_sk = claim_line.member_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = claim_line.plan_sk
  LEFT JOIN core.dim_procedure AS procedure
    ON procedure.procedure_code = claim_line.procedure_code
  WHERE
    NOT claim_line.service_date IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), denied_line_total_by_adjudicated_date AS (
  SELECT
    DATE_TRUNC('MONTH', denied_line_total.adjudicated_date)::DATE AS period,
    COALESCE(denied_line_total.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    COUNT(CASE WHEN denied_line_total.claim_status = 'denied' THEN 1 END) AS lines_denied_all_reasons
  FROM core.fct_claim_line AS denied_line_total
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = denied_line_total.geography_sk
  LEFT JOIN core.dim_member AS member
    ON member.member_sk = denied_line_total.member_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = denied_line_total.plan_sk
  WHERE
    NOT denied_line_total.adjudicated_date IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), disenrollment_by_coverage_month AS (
  SELECT
    DATE_TRUNC('MONTH', disenrollment.coverage_month)::DATE AS period,
    COALESCE(disenrollment.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    COUNT(1) AS disenrollments,
    COUNT(CASE WHEN disenrollment.termination_reason = 'non_payment' THEN 1 END) AS nonpayment_terminations
  FROM core.fct_disenrollment AS disenrollment
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = disenrollment.geography_sk
  LEFT JOIN core.dim_member AS member
    ON member.member_sk = disenrollment.member_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = disenrollment.plan_sk
  WHERE
    NOT disenrollment.coverage_month IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), grace_member_last_as_of_month_instants AS (
  SELECT
    rolling_year.tenant_id,
    MAX(rolling_year.as_of_month) AS instant
  FROM core.fct_rolling_year AS rolling_year
  GROUP BY
    rolling_year.tenant_id,
    DATE_TRUNC('MONTH', rolling_year.as_of_month)::DATE
), grace_member_last_as_of_month AS (
  SELECT
    DATE_TRUNC('MONTH', grace_member.as_of_month)::DATE AS period,
    COALESCE(grace_member.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    COUNT(1) AS grace_period_members
  FROM core.fct_grace_member AS grace_member
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = grace_member.geography_sk
  LEFT JOIN core.dim_member AS member
    ON member.member_sk = grace_member.member_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = grace_member.plan_sk
  INNER JOIN grace_member_last_as_of_month_instants
    ON grace_member_last_as_of_month_instants.instant = grace_member.as_of_month
    AND grace_member_last_as_of_month_instants.tenant_id = grace_member.tenant_id
  WHERE
    NOT grace_member.as_of_month IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), high_cost_member_last_as_of_month_instants AS (
  SELECT
    rolling_year.tenant_id,
    MAX(rolling_year.as_of_month) AS instant
  FROM core.fct_rolling_year AS rolling_year
  GROUP BY
    rolling_year.tenant_id,
    DATE_TRUNC('MONTH', rolling_year.as_of_month)::DATE
), high_cost_member_last_as_of_month AS (
  SELECT
    DATE_TRUNC('MONTH', high_cost_member.as_of_month)::DATE AS period,
    COALESCE(high_cost_member.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    COUNT(CASE WHEN high_cost_member.rolling_paid_amount > 50000 THEN 1 END) AS high_cost_claimants_50k,
    COUNT(CASE WHEN high_cost_member.rolling_paid_amount > 100000 THEN 1 END) AS high_cost_claimants,
    COUNT(CASE WHEN high_cost_member.rolling_paid_amount > 250000 THEN 1 END) AS high_cost_claimants_250k,
    COUNT(CASE WHEN high_cost_member.rolling_paid_amount > 500000 THEN 1 END) AS high_cost_claimants_500k,
    COUNT(CASE WHEN high_cost_member.rolling_paid_amount > 1000000 THEN 1 END) AS high_cost_claimants_1m,
    SUM(
      CASE WHEN high_cost_member.rolling_paid_amount > 100000 THEN high_cost_member.rolling_paid_amount END
    ) AS high_cost_paid
  FROM core.fct_high_cost_member AS high_cost_member
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = high_cost_member.geography_sk
  LEFT JOIN core.dim_member AS member
    ON member.member_sk = high_cost_member.member_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = high_cost_member.plan_sk
  INNER JOIN high_cost_member_last_as_of_month_instants
    ON high_cost_member_last_as_of_month_instants.instant = high_cost_member.as_of_month
    AND high_cost_member_last_as_of_month_instants.tenant_id = high_cost_member.tenant_id
  WHERE
    NOT high_cost_member.as_of_month IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), inpatient_stay_by_admission_date AS (
  SELECT
    DATE_TRUNC('MONTH', inpatient_stay.admission_date)::DATE AS period,
    COALESCE(inpatient_stay.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
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
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    COUNT(1) AS discharges,
    SUM(inpatient_stay.stay_days) AS discharged_days,
    COUNT(CASE WHEN inpatient_stay.is_index THEN 1 END) AS index_discharges,
    COUNT(CASE WHEN inpatient_stay.is_readmitted THEN 1 END) AS readmissions
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
), member_month_by_coverage_month AS (
  SELECT
    DATE_TRUNC('MONTH', member_month.coverage_month)::DATE AS period,
    COALESCE(member_month.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    SUM(member_month.member_months) AS member_months,
    SUM(member_month.premium_amount) AS gross_premium,
    SUM(member_month.aptc_amount) AS aptc_amount,
    SUM(CASE WHEN member_month.aptc_amount > 0 THEN member_month.member_months END) AS aptc_member_months,
    SUM(CASE WHEN plan.csr_variant IN ('02', '03', '04', '05', '06') THEN member_month.member_months END) AS csr_member_months
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
    5,
    6
), member_month_last_coverage_month_instants AS (
  SELECT
    member_month.tenant_id,
    MAX(member_month.coverage_month) AS instant
  FROM core.fct_member_month AS member_month
  GROUP BY
    member_month.tenant_id,
    DATE_TRUNC('MONTH', member_month.coverage_month)::DATE
), member_month_last_coverage_month AS (
  SELECT
    DATE_TRUNC('MONTH', member_month.coverage_month)::DATE AS period,
    COALESCE(member_month.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    SUM(member_month.member_months) AS effectuated_enrollment
  FROM core.fct_member_month AS member_month
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = member_month.geography_sk
  LEFT JOIN core.dim_member AS member
    ON member.member_sk = member_month.member_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = member_month.plan_sk
  INNER JOIN member_month_last_coverage_month_instants
    ON member_month_last_coverage_month_instants.instant = member_month.coverage_month
    AND member_month_last_coverage_month_instants.tenant_id = member_month.tenant_id
  WHERE
    NOT member_month.coverage_month IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), payment_by_paid_date AS (
  SELECT
    DATE_TRUNC('MONTH', payment.paid_date)::DATE AS period,
    COALESCE(payment.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    SUM(payment.paid_change) AS claims_paid_out,
    SUM(CASE WHEN payment.event = 'reversal' THEN -payment.paid_change END) AS reversal_amount
  FROM core.fct_payment AS payment
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = payment.geography_sk
  LEFT JOIN core.dim_member AS member
    ON member.member_sk = payment.member_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = payment.plan_sk
  WHERE
    NOT payment.paid_date IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), pended_claim_last_as_of_month_instants AS (
  SELECT
    rolling_year.tenant_id,
    MAX(rolling_year.as_of_month) AS instant
  FROM core.fct_rolling_year AS rolling_year
  GROUP BY
    rolling_year.tenant_id,
    DATE_TRUNC('MONTH', rolling_year.as_of_month)::DATE
), pended_claim_last_as_of_month AS (
  SELECT
    DATE_TRUNC('MONTH', pended_claim.as_of_month)::DATE AS period,
    COALESCE(pended_claim.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    COUNT(1) AS pended_inventory
  FROM core.fct_pended_claim AS pended_claim
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = pended_claim.geography_sk
  LEFT JOIN core.dim_member AS member
    ON member.member_sk = pended_claim.member_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = pended_claim.plan_sk
  INNER JOIN pended_claim_last_as_of_month_instants
    ON pended_claim_last_as_of_month_instants.instant = pended_claim.as_of_month
    AND pended_claim_last_as_of_month_instants.tenant_id = pended_claim.tenant_id
  WHERE
    NOT pended_claim.as_of_month IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), plan_selection_by_selection_date AS (
  SELECT
    DATE_TRUNC('MONTH', plan_selection.selection_date)::DATE AS period,
    COALESCE(plan_selection.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    COUNT(1) AS plan_selections,
    COUNT(CASE WHEN plan_selection.is_effectuated THEN 1 END) AS effectuated_selections,
    COUNT(CASE WHEN plan_selection.is_special_enrollment THEN 1 END) AS special_enrollment_selections
  FROM core.fct_plan_selection AS plan_selection
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = plan_selection.geography_sk
  LEFT JOIN core.dim_member AS member
    ON member.member_sk = plan_selection.member_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = plan_selection.plan_sk
  WHERE
    NOT plan_selection.selection_date IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), premium_invoice_by_due_date AS (
  SELECT
    DATE_TRUNC('MONTH', premium_invoice.due_date)::DATE AS period,
    COALESCE(premium_invoice.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    SUM(premium_invoice.billed_amount) AS premium_billed,
    SUM(premium_invoice.collected_amount) AS premium_collected
  FROM core.fct_premium_invoice AS premium_invoice
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = premium_invoice.geography_sk
  LEFT JOIN core.dim_member AS member
    ON member.member_sk = premium_invoice.member_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = premium_invoice.plan_sk
  WHERE
    NOT premium_invoice.due_date IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), tenure_by_coverage_month AS (
  SELECT
    DATE_TRUNC('MONTH', tenure.coverage_month)::DATE AS period,
    COALESCE(tenure.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    COUNT(CASE WHEN tenure.is_next_month_known THEN 1 END) AS followed_member_months
  FROM core.fct_tenure AS tenure
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = tenure.geography_sk
  LEFT JOIN core.dim_member AS member
    ON member.member_sk = tenure.member_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = tenure.plan_sk
  WHERE
    NOT tenure.coverage_month IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5,
    6
), visit_by_service_date AS (
  SELECT
    DATE_TRUNC('MONTH', visit.service_date)::DATE AS period,
    COALESCE(visit.tenant_id::TEXT, 'unknown') AS tenant_id,
    COALESCE(plan.metal_tier::TEXT, 'unknown') AS metal_tier,
    COALESCE(geography.state::TEXT, 'unknown') AS state,
    COALESCE(member.age_group::TEXT, 'unknown') AS age_group,
    COALESCE(member.gender::TEXT, 'unknown') AS gender,
    COUNT(1) AS visits,
    COUNT(CASE WHEN visit.visit_kind = 'emergency' AND NOT visit.led_to_admission THEN 1 END) AS ed_visits,
    COUNT(CASE WHEN visit.visit_kind = 'emergency' THEN 1 END) AS ed_visits_all,
    COUNT(CASE WHEN visit.visit_kind = 'emergency' AND visit.led_to_admission THEN 1 END) AS ed_visits_admitted,
    SUM(CASE WHEN visit.visit_kind = 'emergency' THEN visit.ed_avoidable_weight END) AS ed_avoidable_visits,
    COUNT(CASE WHEN visit.visit_kind IN ('office', 'telehealth') THEN 1 END) AS office_visits,
    COUNT(CASE WHEN visit.visit_kind IN ('office', 'telehealth') AND visit.is_specialist THEN 1 END) AS specialist_visits,
    COUNT(CASE WHEN visit.visit_kind = 'telehealth' THEN 1 END) AS telehealth_visits
  FROM core.fct_visit AS visit
  LEFT JOIN core.dim_geography AS geography
    ON geography.geography_sk = visit.geography_sk
  LEFT JOIN core.dim_member AS member
    ON member.member_sk = visit.member_sk
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = visit.plan_sk
  WHERE
    NOT visit.service_date IS NULL
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
  FROM appeal_by_decided_date
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM appeal_by_filed_date
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM claim_by_denial_date
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM claim_by_first_decided_date
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM claim_by_received_date
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM claim_line_by_adjudicated_date
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM claim_line_by_service_date
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM denied_line_total_by_adjudicated_date
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM disenrollment_by_coverage_month
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM grace_member_last_as_of_month
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM high_cost_member_last_as_of_month
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM inpatient_stay_by_admission_date
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM inpatient_stay_by_discharge_date
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM member_month_by_coverage_month
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM member_month_last_coverage_month
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM payment_by_paid_date
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM pended_claim_last_as_of_month
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM plan_selection_by_selection_date
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM premium_invoice_by_due_date
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM tenure_by_coverage_month
  UNION
  SELECT
    period,
    tenant_id,
    metal_tier,
    state,
    age_group,
    gender
  FROM visit_by_service_date
)
SELECT
  keys.period::DATE AS period, /* first day of the month */
  keys.tenant_id::TEXT AS tenant_id, /* tenant whose data it is */
  keys.metal_tier::TEXT AS metal_tier, /* metal level */
  keys.state::TEXT AS state, /* state */
  keys.age_group::TEXT AS age_group, /* age group */
  keys.gender::TEXT AS gender, /* gender */
  COALESCE(member_months, 0)::DECIMAL(20, 2) AS member_months, /* Member months, months */
  COALESCE(effectuated_enrollment, 0)::BIGINT AS effectuated_enrollment, /* Members in force, members */
  COALESCE(plan_selections, 0)::BIGINT AS plan_selections, /* Plan selections, selections */
  COALESCE(effectuated_selections, 0)::BIGINT AS effectuated_selections, /* Effectuated selections, selections */
  COALESCE(special_enrollment_selections, 0)::BIGINT AS special_enrollment_selections, /* Special enrolment selections, selections */
  COALESCE(disenrollments, 0)::BIGINT AS disenrollments, /* Disenrolments, members */
  COALESCE(followed_member_months, 0)::DECIMAL(20, 2) AS followed_member_months, /* Member months with a known next month, months */
  COALESCE(nonpayment_terminations, 0)::BIGINT AS nonpayment_terminations, /* Terminations for non-payment, members */
  COALESCE(grace_period_members, 0)::BIGINT AS grace_period_members, /* Members in grace, members */
  COALESCE(gross_premium, 0)::DECIMAL(20, 2) AS gross_premium, /* Gross premium, USD */
  COALESCE(aptc_amount, 0)::DECIMAL(20, 2) AS aptc_amount, /* Advance premium tax credit, USD */
  CAST((
    COALESCE(gross_premium, 0)
  ) - (
    COALESCE(aptc_amount, 0)
  ) AS DECIMAL(20, 2)) AS net_premium_member, /* Members' premium, USD */
  COALESCE(aptc_member_months, 0)::DECIMAL(20, 2) AS aptc_member_months, /* Member months with tax credit, months */
  COALESCE(csr_member_months, 0)::DECIMAL(20, 2) AS csr_member_months, /* Member months with reduced cost sharing, months */
  COALESCE(premium_billed, 0)::DECIMAL(20, 2) AS premium_billed, /* Premium billed, USD */
  COALESCE(premium_collected, 0)::DECIMAL(20, 2) AS premium_collected, /* Premium collected, USD */
  COALESCE(claims_billed, 0)::DECIMAL(20, 2) AS claims_billed, /* Claims billed, USD */
  COALESCE(claims_allowed, 0)::DECIMAL(20, 2) AS claims_allowed, /* Claims allowed, USD */
  COALESCE(claims_paid, 0)::DECIMAL(20, 2) AS claims_paid, /* Claims paid, USD */
  COALESCE(claims_paid_out, 0)::DECIMAL(20, 2) AS claims_paid_out, /* Claims paid out, USD */
  COALESCE(paid_lines, 0)::BIGINT AS paid_lines, /* Paid lines, claim lines */
  COALESCE(deductible_paid, 0)::DECIMAL(20, 2) AS deductible_paid, /* Deductible, USD */
  COALESCE(member_cost_share, 0)::DECIMAL(20, 2) AS member_cost_share, /* Member cost share, USD */
  COALESCE(admissions, 0)::BIGINT AS admissions, /* Admissions, stays */
  COALESCE(inpatient_days, 0)::DECIMAL(20, 2) AS inpatient_days, /* Inpatient days, days */
  COALESCE(discharges, 0)::BIGINT AS discharges, /* Discharges, stays */
  COALESCE(discharged_days, 0)::DECIMAL(20, 2) AS discharged_days, /* Days of ended stays, days */
  COALESCE(index_discharges, 0)::BIGINT AS index_discharges, /* Index discharges, stays */
  COALESCE(readmissions, 0)::BIGINT AS readmissions, /* Readmissions within 30 days, stays */
  COALESCE(visits, 0)::BIGINT AS visits, /* Visits, visits */
  COALESCE(ed_visits, 0)::BIGINT AS ed_visits, /* Emergency visits without admission, visits */
  COALESCE(ed_visits_all, 0)::BIGINT AS ed_visits_all, /* Emergency visits, visits */
  COALESCE(ed_visits_admitted, 0)::BIGINT AS ed_visits_admitted, /* Emergency visits with admission, visits */
  COALESCE(ed_avoidable_visits, 0)::DECIMAL(20, 4) AS ed_avoidable_visits, /* Avoidable emergency visits, weighted visits */
  COALESCE(office_visits, 0)::BIGINT AS office_visits, /* Office and telehealth visits, visits */
  COALESCE(specialist_visits, 0)::BIGINT AS specialist_visits, /* Specialist visits, visits */
  COALESCE(telehealth_visits, 0)::BIGINT AS telehealth_visits, /* Telehealth visits, visits */
  COALESCE(rx_fills, 0)::BIGINT AS rx_fills, /* Prescription fills, fills */
  COALESCE(generic_fills, 0)::BIGINT AS generic_fills, /* Generic fills, fills */
  COALESCE(drug_allowed, 0)::DECIMAL(20, 2) AS drug_allowed, /* Drug spend, USD */
  COALESCE(specialty_drug_allowed, 0)::DECIMAL(20, 2) AS specialty_drug_allowed, /* Specialty drug spend, USD */
  COALESCE(claims_received, 0)::BIGINT AS claims_received, /* Claims received, claims */
  COALESCE(claims_decided, 0)::BIGINT AS claims_decided, /* Claims decided, claims */
  COALESCE(lines_decided, 0)::BIGINT AS lines_decided, /* Lines decided, claim lines */
  COALESCE(lines_denied, 0)::BIGINT AS lines_denied, /* Lines denied, claim lines */
  COALESCE(claims_denied, 0)::BIGINT AS claims_denied, /* Claims denied, claims */
  COALESCE(billed_decided, 0)::DECIMAL(20, 2) AS billed_decided, /* Billed on decided lines, USD */
  COALESCE(billed_denied, 0)::DECIMAL(20, 2) AS billed_denied, /* Billed on denied lines, USD */
  COALESCE(lines_denied_all_reasons, 0)::BIGINT AS lines_denied_all_reasons, /* Lines denied for any reason, claim lines */
  COALESCE(lines_denied_as_duplicate, 0)::BIGINT AS lines_denied_as_duplicate, /* Lines denied as duplicate, claim lines */
  COALESCE(claims_with_denial, 0)::BIGINT AS claims_with_denial, /* Claims with a denial, claims */
  COALESCE(claims_appealed, 0)::BIGINT AS claims_appealed, /* Claims appealed, claims */
  COALESCE(appeals_filed, 0)::BIGINT AS appeals_filed, /* Appeals filed, appeals */
  COALESCE(appeals_decided, 0)::BIGINT AS appeals_decided, /* Appeals decided, appeals */
  COALESCE(appeals_overturned, 0)::BIGINT AS appeals_overturned, /* Appeals overturned, appeals */
  COALESCE(clean_claims, 0)::BIGINT AS clean_claims, /* Clean claims, claims */
  COALESCE(claims_ever_pended, 0)::BIGINT AS claims_ever_pended, /* Claims ever pended, claims */
  COALESCE(pended_inventory, 0)::BIGINT AS pended_inventory, /* Pended inventory, claims */
  COALESCE(days_spent_to_receipt, 0)::DECIMAL(20, 2) AS days_spent_to_receipt, /* Days to receipt, added up, days */
  COALESCE(days_spent_to_decision, 0)::DECIMAL(20, 2) AS days_spent_to_decision, /* Days to decision, added up, days */
  COALESCE(prompt_claims, 0)::BIGINT AS prompt_claims, /* Clean claims within 30 days, claims */
  COALESCE(claims_paid_count, 0)::BIGINT AS claims_paid_count, /* Claims paid at some time, claims */
  COALESCE(claims_corrected, 0)::BIGINT AS claims_corrected, /* Claims adjusted or reversed, claims */
  COALESCE(reversal_amount, 0)::DECIMAL(20, 2) AS reversal_amount, /* Reversals, USD */
  COALESCE(high_cost_claimants_50k, 0)::BIGINT AS high_cost_claimants_50k, /* High-cost claimants above 50,000, members */
  COALESCE(high_cost_claimants, 0)::BIGINT AS high_cost_claimants, /* High-cost claimants above 100,000, members */
  COALESCE(high_cost_claimants_250k, 0)::BIGINT AS high_cost_claimants_250k, /* High-cost claimants above 250,000, members */
  COALESCE(high_cost_claimants_500k, 0)::BIGINT AS high_cost_claimants_500k, /* High-cost claimants above 500,000, members */
  COALESCE(high_cost_claimants_1m, 0)::BIGINT AS high_cost_claimants_1m, /* High-cost claimants above 1,000,000, members */
  COALESCE(high_cost_paid, 0)::DECIMAL(20, 2) AS high_cost_paid, /* Paid for high-cost claimants, USD */
  COALESCE(out_of_network_allowed, 0)::DECIMAL(20, 2) AS out_of_network_allowed, /* Allowed out of network, USD */
  COALESCE(nonemergency_allowed, 0)::DECIMAL(20, 2) AS nonemergency_allowed, /* Allowed outside emergencies, USD */
  COALESCE(nonemergency_out_of_network_allowed, 0)::DECIMAL(20, 2) AS nonemergency_out_of_network_allowed /* Allowed out of network outside emergencies, USD */
FROM keys
LEFT JOIN appeal_by_decided_date
  ON appeal_by_decided_date.period = keys.period
  AND appeal_by_decided_date.tenant_id = keys.tenant_id
  AND appeal_by_decided_date.metal_tier = keys.metal_tier
  AND appeal_by_decided_date.state = keys.state
  AND appeal_by_decided_date.age_group = keys.age_group
  AND appeal_by_decided_date.gender = keys.gender
LEFT JOIN appeal_by_filed_date
  ON appeal_by_filed_date.period = keys.period
  AND appeal_by_filed_date.tenant_id = keys.tenant_id
  AND appeal_by_filed_date.metal_tier = keys.metal_tier
  AND appeal_by_filed_date.state = keys.state
  AND appeal_by_filed_date.age_group = keys.age_group
  AND appeal_by_filed_date.gender = keys.gender
LEFT JOIN claim_by_denial_date
  ON claim_by_denial_date.period = keys.period
  AND claim_by_denial_date.tenant_id = keys.tenant_id
  AND claim_by_denial_date.metal_tier = keys.metal_tier
  AND claim_by_denial_date.state = keys.state
  AND claim_by_denial_date.age_group = keys.age_group
  AND claim_by_denial_date.gender = keys.gender
LEFT JOIN claim_by_first_decided_date
  ON claim_by_first_decided_date.period = keys.period
  AND claim_by_first_decided_date.tenant_id = keys.tenant_id
  AND claim_by_first_decided_date.metal_tier = keys.metal_tier
  AND claim_by_first_decided_date.state = keys.state
  AND claim_by_first_decided_date.age_group = keys.age_group
  AND claim_by_first_decided_date.gender = keys.gender
LEFT JOIN claim_by_received_date
  ON claim_by_received_date.period = keys.period
  AND claim_by_received_date.tenant_id = keys.tenant_id
  AND claim_by_received_date.metal_tier = keys.metal_tier
  AND claim_by_received_date.state = keys.state
  AND claim_by_received_date.age_group = keys.age_group
  AND claim_by_received_date.gender = keys.gender
LEFT JOIN claim_line_by_adjudicated_date
  ON claim_line_by_adjudicated_date.period = keys.period
  AND claim_line_by_adjudicated_date.tenant_id = keys.tenant_id
  AND claim_line_by_adjudicated_date.metal_tier = keys.metal_tier
  AND claim_line_by_adjudicated_date.state = keys.state
  AND claim_line_by_adjudicated_date.age_group = keys.age_group
  AND claim_line_by_adjudicated_date.gender = keys.gender
LEFT JOIN claim_line_by_service_date
  ON claim_line_by_service_date.period = keys.period
  AND claim_line_by_service_date.tenant_id = keys.tenant_id
  AND claim_line_by_service_date.metal_tier = keys.metal_tier
  AND claim_line_by_service_date.state = keys.state
  AND claim_line_by_service_date.age_group = keys.age_group
  AND claim_line_by_service_date.gender = keys.gender
LEFT JOIN denied_line_total_by_adjudicated_date
  ON denied_line_total_by_adjudicated_date.period = keys.period
  AND denied_line_total_by_adjudicated_date.tenant_id = keys.tenant_id
  AND denied_line_total_by_adjudicated_date.metal_tier = keys.metal_tier
  AND denied_line_total_by_adjudicated_date.state = keys.state
  AND denied_line_total_by_adjudicated_date.age_group = keys.age_group
  AND denied_line_total_by_adjudicated_date.gender = keys.gender
LEFT JOIN disenrollment_by_coverage_month
  ON disenrollment_by_coverage_month.period = keys.period
  AND disenrollment_by_coverage_month.tenant_id = keys.tenant_id
  AND disenrollment_by_coverage_month.metal_tier = keys.metal_tier
  AND disenrollment_by_coverage_month.state = keys.state
  AND disenrollment_by_coverage_month.age_group = keys.age_group
  AND disenrollment_by_coverage_month.gender = keys.gender
LEFT JOIN grace_member_last_as_of_month
  ON grace_member_last_as_of_month.period = keys.period
  AND grace_member_last_as_of_month.tenant_id = keys.tenant_id
  AND grace_member_last_as_of_month.metal_tier = keys.metal_tier
  AND grace_member_last_as_of_month.state = keys.state
  AND grace_member_last_as_of_month.age_group = keys.age_group
  AND grace_member_last_as_of_month.gender = keys.gender
LEFT JOIN high_cost_member_last_as_of_month
  ON high_cost_member_last_as_of_month.period = keys.period
  AND high_cost_member_last_as_of_month.tenant_id = keys.tenant_id
  AND high_cost_member_last_as_of_month.metal_tier = keys.metal_tier
  AND high_cost_member_last_as_of_month.state = keys.state
  AND high_cost_member_last_as_of_month.age_group = keys.age_group
  AND high_cost_member_last_as_of_month.gender = keys.gender
LEFT JOIN inpatient_stay_by_admission_date
  ON inpatient_stay_by_admission_date.period = keys.period
  AND inpatient_stay_by_admission_date.tenant_id = keys.tenant_id
  AND inpatient_stay_by_admission_date.metal_tier = keys.metal_tier
  AND inpatient_stay_by_admission_date.state = keys.state
  AND inpatient_stay_by_admission_date.age_group = keys.age_group
  AND inpatient_stay_by_admission_date.gender = keys.gender
LEFT JOIN inpatient_stay_by_discharge_date
  ON inpatient_stay_by_discharge_date.period = keys.period
  AND inpatient_stay_by_discharge_date.tenant_id = keys.tenant_id
  AND inpatient_stay_by_discharge_date.metal_tier = keys.metal_tier
  AND inpatient_stay_by_discharge_date.state = keys.state
  AND inpatient_stay_by_discharge_date.age_group = keys.age_group
  AND inpatient_stay_by_discharge_date.gender = keys.gender
LEFT JOIN member_month_by_coverage_month
  ON member_month_by_coverage_month.period = keys.period
  AND member_month_by_coverage_month.tenant_id = keys.tenant_id
  AND member_month_by_coverage_month.metal_tier = keys.metal_tier
  AND member_month_by_coverage_month.state = keys.state
  AND member_month_by_coverage_month.age_group = keys.age_group
  AND member_month_by_coverage_month.gender = keys.gender
LEFT JOIN member_month_last_coverage_month
  ON member_month_last_coverage_month.period = keys.period
  AND member_month_last_coverage_month.tenant_id = keys.tenant_id
  AND member_month_last_coverage_month.metal_tier = keys.metal_tier
  AND member_month_last_coverage_month.state = keys.state
  AND member_month_last_coverage_month.age_group = keys.age_group
  AND member_month_last_coverage_month.gender = keys.gender
LEFT JOIN payment_by_paid_date
  ON payment_by_paid_date.period = keys.period
  AND payment_by_paid_date.tenant_id = keys.tenant_id
  AND payment_by_paid_date.metal_tier = keys.metal_tier
  AND payment_by_paid_date.state = keys.state
  AND payment_by_paid_date.age_group = keys.age_group
  AND payment_by_paid_date.gender = keys.gender
LEFT JOIN pended_claim_last_as_of_month
  ON pended_claim_last_as_of_month.period = keys.period
  AND pended_claim_last_as_of_month.tenant_id = keys.tenant_id
  AND pended_claim_last_as_of_month.metal_tier = keys.metal_tier
  AND pended_claim_last_as_of_month.state = keys.state
  AND pended_claim_last_as_of_month.age_group = keys.age_group
  AND pended_claim_last_as_of_month.gender = keys.gender
LEFT JOIN plan_selection_by_selection_date
  ON plan_selection_by_selection_date.period = keys.period
  AND plan_selection_by_selection_date.tenant_id = keys.tenant_id
  AND plan_selection_by_selection_date.metal_tier = keys.metal_tier
  AND plan_selection_by_selection_date.state = keys.state
  AND plan_selection_by_selection_date.age_group = keys.age_group
  AND plan_selection_by_selection_date.gender = keys.gender
LEFT JOIN premium_invoice_by_due_date
  ON premium_invoice_by_due_date.period = keys.period
  AND premium_invoice_by_due_date.tenant_id = keys.tenant_id
  AND premium_invoice_by_due_date.metal_tier = keys.metal_tier
  AND premium_invoice_by_due_date.state = keys.state
  AND premium_invoice_by_due_date.age_group = keys.age_group
  AND premium_invoice_by_due_date.gender = keys.gender
LEFT JOIN tenure_by_coverage_month
  ON tenure_by_coverage_month.period = keys.period
  AND tenure_by_coverage_month.tenant_id = keys.tenant_id
  AND tenure_by_coverage_month.metal_tier = keys.metal_tier
  AND tenure_by_coverage_month.state = keys.state
  AND tenure_by_coverage_month.age_group = keys.age_group
  AND tenure_by_coverage_month.gender = keys.gender
LEFT JOIN visit_by_service_date
  ON visit_by_service_date.period = keys.period
  AND visit_by_service_date.tenant_id = keys.tenant_id
  AND visit_by_service_date.metal_tier = keys.metal_tier
  AND visit_by_service_date.state = keys.state
  AND visit_by_service_date.age_group = keys.age_group
  AND visit_by_service_date.gender = keys.gender
