/* Made from the registry in semantic/: edit that, then run `granary metrics write`. */
MODEL (
  name semantic.aca_metrics_monthly,
  kind FULL,
  owner analytics_engineering,
  grain (tenant_id, period),
  description 'Every metric of aca that has a monthly value, by tenant and month. How do all numbers of a tenant develop? Only sums add up over months: see the registry.',
  audits (
    not_null(columns := (tenant_id, period)),
    unique_combination_of_columns(columns := (tenant_id, period))
  )
);

WITH appeal_by_decided_date AS (
  SELECT
    DATE_TRUNC('MONTH', appeal.decided_date)::DATE AS period,
    COALESCE(appeal.tenant_id::TEXT, 'unknown') AS tenant_id,
    COUNT(1) AS appeals_decided,
    COUNT(CASE WHEN appeal.outcome = 'overturned' THEN 1 END) AS appeals_overturned
  FROM core.fct_appeal AS appeal
  WHERE
    NOT appeal.decided_date IS NULL
  GROUP BY
    1,
    2
), appeal_by_filed_date AS (
  SELECT
    DATE_TRUNC('MONTH', appeal.filed_date)::DATE AS period,
    COALESCE(appeal.tenant_id::TEXT, 'unknown') AS tenant_id,
    COUNT(1) AS appeals_filed
  FROM core.fct_appeal AS appeal
  WHERE
    NOT appeal.filed_date IS NULL
  GROUP BY
    1,
    2
), claim_by_denial_date AS (
  SELECT
    DATE_TRUNC('MONTH', claim.denial_date)::DATE AS period,
    COALESCE(claim.tenant_id::TEXT, 'unknown') AS tenant_id,
    COUNT(CASE WHEN claim.has_denied_line THEN 1 END) AS claims_with_denial,
    COUNT(CASE WHEN claim.has_denied_line AND claim.is_appealed THEN 1 END) AS claims_appealed
  FROM core.fct_claim_processing AS claim
  WHERE
    NOT claim.denial_date IS NULL
  GROUP BY
    1,
    2
), claim_by_first_decided_date AS (
  SELECT
    DATE_TRUNC('MONTH', claim.first_decided_date)::DATE AS period,
    COALESCE(claim.tenant_id::TEXT, 'unknown') AS tenant_id,
    COUNT(1) AS claims_decided,
    COUNT(CASE WHEN claim.is_denied THEN 1 END) AS claims_denied,
    SUM(claim.days_to_decision) AS days_spent_to_decision,
    MEDIAN(CASE WHEN claim.is_clean AND claim.final_status = 'paid' THEN claim.days_to_decision END) AS days_receipt_to_paid,
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
  WHERE
    NOT claim.first_decided_date IS NULL
  GROUP BY
    1,
    2
), claim_by_received_date AS (
  SELECT
    DATE_TRUNC('MONTH', claim.received_date)::DATE AS period,
    COALESCE(claim.tenant_id::TEXT, 'unknown') AS tenant_id,
    COUNT(1) AS claims_received,
    COUNT(CASE WHEN claim.is_clean THEN 1 END) AS clean_claims,
    COUNT(CASE WHEN claim.is_ever_pended THEN 1 END) AS claims_ever_pended,
    MEDIAN(claim.days_to_receipt) AS days_service_to_receipt,
    SUM(claim.days_to_receipt) AS days_spent_to_receipt,
    COUNT(CASE WHEN claim.is_prompt THEN 1 END) AS prompt_claims
  FROM core.fct_claim_processing AS claim
  WHERE
    NOT claim.received_date IS NULL
  GROUP BY
    1,
    2
), claim_line_by_adjudicated_date AS (
  SELECT
    DATE_TRUNC('MONTH', claim_line.adjudicated_date)::DATE AS period,
    COALESCE(claim_line.tenant_id::TEXT, 'unknown') AS tenant_id,
    COUNT(CASE WHEN claim_line.claim_status IN ('paid', 'denied') THEN 1 END) AS lines_decided,
    COUNT(CASE WHEN claim_line.claim_status = 'denied' THEN 1 END) AS lines_denied,
    SUM(CASE WHEN claim_line.claim_status IN ('paid', 'denied') THEN claim_line.claim_amount END) AS billed_decided,
    SUM(CASE WHEN claim_line.claim_status = 'denied' THEN claim_line.claim_amount END) AS billed_denied,
    COUNT(CASE WHEN claim_line.claim_status = 'denied' AND claim_line.denial_reason_code = '18' THEN 1 END) AS lines_denied_as_duplicate
  FROM core.fct_claim_line AS claim_line
  WHERE
    NOT claim_line.adjudicated_date IS NULL
  GROUP BY
    1,
    2
), claim_line_by_service_date AS (
  SELECT
    DATE_TRUNC('MONTH', claim_line.service_date)::DATE AS period,
    COALESCE(claim_line.tenant_id::TEXT, 'unknown') AS tenant_id,
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
    ) AS nonemergency_out_of_network_allowed,
    COUNT(
      DISTINCT CASE
        WHEN claim_line.claim_status = 'paid' AND claim_line.provider_sk <> -1
        THEN claim_line.tenant_id || ':' || provider.provider_id
      END
    ) AS active_providers
  FROM core.fct_claim_line AS claim_line
  LEFT JOIN core.dim_procedure AS procedure
    ON procedure.procedure_code = claim_line.procedure_code
  LEFT JOIN core.dim_provider AS provider
    ON provider.provider_sk = claim_line.provider_sk
  WHERE
    NOT claim_line.service_date IS NULL
  GROUP BY
    1,
    2
), claim_reserve_last_as_of_month_instants AS (
  SELECT
    claim_reserve.tenant_id,
    MAX(claim_reserve.as_of_month) AS instant
  FROM core.fct_claim_reserve AS claim_reserve
  GROUP BY
    claim_reserve.tenant_id,
    DATE_TRUNC('MONTH', claim_reserve.as_of_month)::DATE
), claim_reserve_last_as_of_month AS (
  SELECT
    DATE_TRUNC('MONTH', claim_reserve.as_of_month)::DATE AS period,
    COALESCE(claim_reserve.tenant_id::TEXT, 'unknown') AS tenant_id,
    SUM(claim_reserve.ibnr_amount) AS reserve_ibnr,
    SUM(
      CASE
        WHEN NOT claim_reserve.actual_run_out_12 IS NULL
        THEN claim_reserve.ibnr_amount - claim_reserve.actual_run_out_12
      END
    ) AS ibnr_error_amount,
    SUM(claim_reserve.actual_run_out_12) AS actual_run_out
  FROM core.fct_claim_reserve AS claim_reserve
  INNER JOIN claim_reserve_last_as_of_month_instants
    ON claim_reserve_last_as_of_month_instants.instant = claim_reserve.as_of_month
    AND claim_reserve_last_as_of_month_instants.tenant_id = claim_reserve.tenant_id
  WHERE
    NOT claim_reserve.as_of_month IS NULL
  GROUP BY
    1,
    2
), claim_reserve_by_incurred_month AS (
  SELECT
    DATE_TRUNC('MONTH', claim_reserve.incurred_month)::DATE AS period,
    COALESCE(claim_reserve.tenant_id::TEXT, 'unknown') AS tenant_id,
    SUM(CASE WHEN claim_reserve.is_current THEN claim_reserve.ibnr_amount END) AS incurred_but_not_paid,
    SUM(CASE WHEN claim_reserve.is_current THEN claim_reserve.paid_to_date END) AS paid_to_date,
    SUM(
      CASE
        WHEN claim_reserve.is_current
        THEN claim_reserve.paid_to_date / claim_reserve.completion_factor
      END
    ) AS ultimate_paid
  FROM core.fct_claim_reserve AS claim_reserve
  WHERE
    NOT claim_reserve.incurred_month IS NULL
  GROUP BY
    1,
    2
), denied_line_total_by_adjudicated_date AS (
  SELECT
    DATE_TRUNC('MONTH', denied_line_total.adjudicated_date)::DATE AS period,
    COALESCE(denied_line_total.tenant_id::TEXT, 'unknown') AS tenant_id,
    COUNT(CASE WHEN denied_line_total.claim_status = 'denied' THEN 1 END) AS lines_denied_all_reasons
  FROM core.fct_claim_line AS denied_line_total
  WHERE
    NOT denied_line_total.adjudicated_date IS NULL
  GROUP BY
    1,
    2
), disenrollment_by_coverage_month AS (
  SELECT
    DATE_TRUNC('MONTH', disenrollment.coverage_month)::DATE AS period,
    COALESCE(disenrollment.tenant_id::TEXT, 'unknown') AS tenant_id,
    COUNT(1) AS disenrollments,
    COUNT(CASE WHEN disenrollment.termination_reason = 'non_payment' THEN 1 END) AS nonpayment_terminations
  FROM core.fct_disenrollment AS disenrollment
  WHERE
    NOT disenrollment.coverage_month IS NULL
  GROUP BY
    1,
    2
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
    COUNT(1) AS grace_period_members
  FROM core.fct_grace_member AS grace_member
  INNER JOIN grace_member_last_as_of_month_instants
    ON grace_member_last_as_of_month_instants.instant = grace_member.as_of_month
    AND grace_member_last_as_of_month_instants.tenant_id = grace_member.tenant_id
  WHERE
    NOT grace_member.as_of_month IS NULL
  GROUP BY
    1,
    2
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
    COUNT(CASE WHEN high_cost_member.rolling_paid_amount > 50000 THEN 1 END) AS high_cost_claimants_50k,
    COUNT(CASE WHEN high_cost_member.rolling_paid_amount > 100000 THEN 1 END) AS high_cost_claimants,
    COUNT(CASE WHEN high_cost_member.rolling_paid_amount > 250000 THEN 1 END) AS high_cost_claimants_250k,
    COUNT(CASE WHEN high_cost_member.rolling_paid_amount > 500000 THEN 1 END) AS high_cost_claimants_500k,
    COUNT(CASE WHEN high_cost_member.rolling_paid_amount > 1000000 THEN 1 END) AS high_cost_claimants_1m,
    SUM(
      CASE WHEN high_cost_member.rolling_paid_amount > 100000 THEN high_cost_member.rolling_paid_amount END
    ) AS high_cost_paid
  FROM core.fct_high_cost_member AS high_cost_member
  INNER JOIN high_cost_member_last_as_of_month_instants
    ON high_cost_member_last_as_of_month_instants.instant = high_cost_member.as_of_month
    AND high_cost_member_last_as_of_month_instants.tenant_id = high_cost_member.tenant_id
  WHERE
    NOT high_cost_member.as_of_month IS NULL
  GROUP BY
    1,
    2
), inpatient_stay_by_admission_date AS (
  SELECT
    DATE_TRUNC('MONTH', inpatient_stay.admission_date)::DATE AS period,
    COALESCE(inpatient_stay.tenant_id::TEXT, 'unknown') AS tenant_id,
    COUNT(1) AS admissions,
    SUM(inpatient_stay.stay_days) AS inpatient_days
  FROM core.fct_inpatient_stay AS inpatient_stay
  WHERE
    NOT inpatient_stay.admission_date IS NULL
  GROUP BY
    1,
    2
), inpatient_stay_by_discharge_date AS (
  SELECT
    DATE_TRUNC('MONTH', inpatient_stay.discharge_date)::DATE AS period,
    COALESCE(inpatient_stay.tenant_id::TEXT, 'unknown') AS tenant_id,
    COUNT(1) AS discharges,
    SUM(inpatient_stay.stay_days) AS discharged_days,
    COUNT(CASE WHEN inpatient_stay.is_index THEN 1 END) AS index_discharges,
    COUNT(CASE WHEN inpatient_stay.is_readmitted THEN 1 END) AS readmissions
  FROM core.fct_inpatient_stay AS inpatient_stay
  WHERE
    NOT inpatient_stay.discharge_date IS NULL
  GROUP BY
    1,
    2
), member_month_by_coverage_month AS (
  SELECT
    DATE_TRUNC('MONTH', member_month.coverage_month)::DATE AS period,
    COALESCE(member_month.tenant_id::TEXT, 'unknown') AS tenant_id,
    SUM(member_month.member_months) AS member_months,
    SUM(member_month.premium_amount) AS gross_premium,
    SUM(member_month.aptc_amount) AS aptc_amount,
    SUM(CASE WHEN member_month.aptc_amount > 0 THEN member_month.member_months END) AS aptc_member_months,
    SUM(CASE WHEN plan.csr_variant IN ('02', '03', '04', '05', '06') THEN member_month.member_months END) AS csr_member_months
  FROM core.fct_member_month AS member_month
  LEFT JOIN core.dim_plan AS plan
    ON plan.plan_sk = member_month.plan_sk
  WHERE
    NOT member_month.coverage_month IS NULL
  GROUP BY
    1,
    2
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
    SUM(member_month.member_months) AS effectuated_enrollment
  FROM core.fct_member_month AS member_month
  INNER JOIN member_month_last_coverage_month_instants
    ON member_month_last_coverage_month_instants.instant = member_month.coverage_month
    AND member_month_last_coverage_month_instants.tenant_id = member_month.tenant_id
  WHERE
    NOT member_month.coverage_month IS NULL
  GROUP BY
    1,
    2
), payment_by_paid_date AS (
  SELECT
    DATE_TRUNC('MONTH', payment.paid_date)::DATE AS period,
    COALESCE(payment.tenant_id::TEXT, 'unknown') AS tenant_id,
    SUM(payment.paid_change) AS claims_paid_out,
    SUM(CASE WHEN payment.event = 'reversal' THEN -payment.paid_change END) AS reversal_amount
  FROM core.fct_payment AS payment
  WHERE
    NOT payment.paid_date IS NULL
  GROUP BY
    1,
    2
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
    COUNT(1) AS pended_inventory
  FROM core.fct_pended_claim AS pended_claim
  INNER JOIN pended_claim_last_as_of_month_instants
    ON pended_claim_last_as_of_month_instants.instant = pended_claim.as_of_month
    AND pended_claim_last_as_of_month_instants.tenant_id = pended_claim.tenant_id
  WHERE
    NOT pended_claim.as_of_month IS NULL
  GROUP BY
    1,
    2
), plan_selection_by_selection_date AS (
  SELECT
    DATE_TRUNC('MONTH', plan_selection.selection_date)::DATE AS period,
    COALESCE(plan_selection.tenant_id::TEXT, 'unknown') AS tenant_id,
    COUNT(1) AS plan_selections,
    COUNT(CASE WHEN plan_selection.is_effectuated THEN 1 END) AS effectuated_selections,
    COUNT(CASE WHEN plan_selection.is_special_enrollment THEN 1 END) AS special_enrollment_selections
  FROM core.fct_plan_selection AS plan_selection
  WHERE
    NOT plan_selection.selection_date IS NULL
  GROUP BY
    1,
    2
), premium_invoice_by_coverage_month AS (
  SELECT
    DATE_TRUNC('MONTH', premium_invoice.coverage_month)::DATE AS period,
    COALESCE(premium_invoice.tenant_id::TEXT, 'unknown') AS tenant_id,
    COUNT(DISTINCT CASE WHEN premium_invoice.billed_amount > 0 THEN premium_invoice.member_key END) AS billed_members
  FROM core.fct_premium_invoice AS premium_invoice
  WHERE
    NOT premium_invoice.coverage_month IS NULL
  GROUP BY
    1,
    2
), premium_invoice_by_due_date AS (
  SELECT
    DATE_TRUNC('MONTH', premium_invoice.due_date)::DATE AS period,
    COALESCE(premium_invoice.tenant_id::TEXT, 'unknown') AS tenant_id,
    SUM(premium_invoice.billed_amount) AS premium_billed,
    SUM(premium_invoice.collected_amount) AS premium_collected
  FROM core.fct_premium_invoice AS premium_invoice
  WHERE
    NOT premium_invoice.due_date IS NULL
  GROUP BY
    1,
    2
), rolling_year_by_as_of_month AS (
  SELECT
    DATE_TRUNC('MONTH', rolling_year.as_of_month)::DATE AS period,
    COALESCE(rolling_year.tenant_id::TEXT, 'unknown') AS tenant_id,
    COUNT(DISTINCT rolling_year.as_of_month) AS months_on_record
  FROM core.fct_rolling_year AS rolling_year
  WHERE
    NOT rolling_year.as_of_month IS NULL
  GROUP BY
    1,
    2
), rolling_year_last_as_of_month_instants AS (
  SELECT
    rolling_year.tenant_id,
    MAX(rolling_year.as_of_month) AS instant
  FROM core.fct_rolling_year AS rolling_year
  GROUP BY
    rolling_year.tenant_id,
    DATE_TRUNC('MONTH', rolling_year.as_of_month)::DATE
), rolling_year_last_as_of_month AS (
  SELECT
    DATE_TRUNC('MONTH', rolling_year.as_of_month)::DATE AS period,
    COALESCE(rolling_year.tenant_id::TEXT, 'unknown') AS tenant_id,
    SUM(rolling_year.paid_to_date + rolling_year.ibnr_amount) AS rolling_claims_incurred,
    SUM(rolling_year.premium_amount) AS rolling_premium,
    SUM(CASE WHEN NOT rolling_year.prior_allowed_amount IS NULL THEN rolling_year.allowed_amount END) AS rolling_allowed,
    SUM(CASE WHEN NOT rolling_year.prior_allowed_amount IS NULL THEN rolling_year.member_months END) AS rolling_member_months,
    SUM(rolling_year.prior_allowed_amount) AS prior_allowed,
    SUM(rolling_year.prior_member_months) AS prior_member_months,
    SUM(rolling_year.paid_amount) AS rolling_paid
  FROM core.fct_rolling_year AS rolling_year
  INNER JOIN rolling_year_last_as_of_month_instants
    ON rolling_year_last_as_of_month_instants.instant = rolling_year.as_of_month
    AND rolling_year_last_as_of_month_instants.tenant_id = rolling_year.tenant_id
  WHERE
    NOT rolling_year.as_of_month IS NULL
  GROUP BY
    1,
    2
), tenure_by_coverage_month AS (
  SELECT
    DATE_TRUNC('MONTH', tenure.coverage_month)::DATE AS period,
    COALESCE(tenure.tenant_id::TEXT, 'unknown') AS tenant_id,
    COUNT(CASE WHEN tenure.is_next_month_known THEN 1 END) AS followed_member_months
  FROM core.fct_tenure AS tenure
  WHERE
    NOT tenure.coverage_month IS NULL
  GROUP BY
    1,
    2
), tenure_last_coverage_month_instants AS (
  SELECT
    tenure.tenant_id,
    MAX(tenure.coverage_month) AS instant
  FROM core.fct_tenure AS tenure
  GROUP BY
    tenure.tenant_id,
    DATE_TRUNC('MONTH', tenure.coverage_month)::DATE
), tenure_last_coverage_month AS (
  SELECT
    DATE_TRUNC('MONTH', tenure.coverage_month)::DATE AS period,
    COALESCE(tenure.tenant_id::TEXT, 'unknown') AS tenant_id,
    MEDIAN(tenure.tenure_months) AS median_tenure_months
  FROM core.fct_tenure AS tenure
  INNER JOIN tenure_last_coverage_month_instants
    ON tenure_last_coverage_month_instants.instant = tenure.coverage_month
    AND tenure_last_coverage_month_instants.tenant_id = tenure.tenant_id
  WHERE
    NOT tenure.coverage_month IS NULL
  GROUP BY
    1,
    2
), visit_by_service_date AS (
  SELECT
    DATE_TRUNC('MONTH', visit.service_date)::DATE AS period,
    COALESCE(visit.tenant_id::TEXT, 'unknown') AS tenant_id,
    COUNT(1) AS visits,
    COUNT(CASE WHEN visit.visit_kind = 'emergency' AND NOT visit.led_to_admission THEN 1 END) AS ed_visits,
    COUNT(CASE WHEN visit.visit_kind = 'emergency' THEN 1 END) AS ed_visits_all,
    COUNT(CASE WHEN visit.visit_kind = 'emergency' AND visit.led_to_admission THEN 1 END) AS ed_visits_admitted,
    SUM(CASE WHEN visit.visit_kind = 'emergency' THEN visit.ed_avoidable_weight END) AS ed_avoidable_visits,
    COUNT(CASE WHEN visit.visit_kind IN ('office', 'telehealth') THEN 1 END) AS office_visits,
    COUNT(CASE WHEN visit.visit_kind IN ('office', 'telehealth') AND visit.is_specialist THEN 1 END) AS specialist_visits,
    COUNT(CASE WHEN visit.visit_kind = 'telehealth' THEN 1 END) AS telehealth_visits
  FROM core.fct_visit AS visit
  WHERE
    NOT visit.service_date IS NULL
  GROUP BY
    1,
    2
), keys AS (
  SELECT
    period,
    tenant_id
  FROM appeal_by_decided_date
  UNION
  SELECT
    period,
    tenant_id
  FROM appeal_by_filed_date
  UNION
  SELECT
    period,
    tenant_id
  FROM claim_by_denial_date
  UNION
  SELECT
    period,
    tenant_id
  FROM claim_by_first_decided_date
  UNION
  SELECT
    period,
    tenant_id
  FROM claim_by_received_date
  UNION
  SELECT
    period,
    tenant_id
  FROM claim_line_by_adjudicated_date
  UNION
  SELECT
    period,
    tenant_id
  FROM claim_line_by_service_date
  UNION
  SELECT
    period,
    tenant_id
  FROM claim_reserve_last_as_of_month
  UNION
  SELECT
    period,
    tenant_id
  FROM claim_reserve_by_incurred_month
  UNION
  SELECT
    period,
    tenant_id
  FROM denied_line_total_by_adjudicated_date
  UNION
  SELECT
    period,
    tenant_id
  FROM disenrollment_by_coverage_month
  UNION
  SELECT
    period,
    tenant_id
  FROM grace_member_last_as_of_month
  UNION
  SELECT
    period,
    tenant_id
  FROM high_cost_member_last_as_of_month
  UNION
  SELECT
    period,
    tenant_id
  FROM inpatient_stay_by_admission_date
  UNION
  SELECT
    period,
    tenant_id
  FROM inpatient_stay_by_discharge_date
  UNION
  SELECT
    period,
    tenant_id
  FROM member_month_by_coverage_month
  UNION
  SELECT
    period,
    tenant_id
  FROM member_month_last_coverage_month
  UNION
  SELECT
    period,
    tenant_id
  FROM payment_by_paid_date
  UNION
  SELECT
    period,
    tenant_id
  FROM pended_claim_last_as_of_month
  UNION
  SELECT
    period,
    tenant_id
  FROM plan_selection_by_selection_date
  UNION
  SELECT
    period,
    tenant_id
  FROM premium_invoice_by_coverage_month
  UNION
  SELECT
    period,
    tenant_id
  FROM premium_invoice_by_due_date
  UNION
  SELECT
    period,
    tenant_id
  FROM rolling_year_by_as_of_month
  UNION
  SELECT
    period,
    tenant_id
  FROM rolling_year_last_as_of_month
  UNION
  SELECT
    period,
    tenant_id
  FROM tenure_by_coverage_month
  UNION
  SELECT
    period,
    tenant_id
  FROM tenure_last_coverage_month
  UNION
  SELECT
    period,
    tenant_id
  FROM visit_by_service_date
)
SELECT
  keys.period::DATE AS period, /* first day of the month */
  keys.tenant_id::TEXT AS tenant_id, /* tenant whose data it is */
  COALESCE(member_months, 0)::DECIMAL(20, 2) AS member_months, /* Member months, months */
  COALESCE(months_on_record, 0)::DECIMAL(20, 2) AS months_on_record, /* Months on record, months */
  CAST(COALESCE(member_months, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(months_on_record, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 2) AS average_members, /* Average members, average members */
  COALESCE(effectuated_enrollment, 0)::BIGINT AS effectuated_enrollment, /* Members in force, members */
  COALESCE(plan_selections, 0)::BIGINT AS plan_selections, /* Plan selections, selections */
  COALESCE(effectuated_selections, 0)::BIGINT AS effectuated_selections, /* Effectuated selections, selections */
  CAST(COALESCE(effectuated_selections, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(plan_selections, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS effectuation_rate, /* Effectuation rate, share */
  COALESCE(special_enrollment_selections, 0)::BIGINT AS special_enrollment_selections, /* Special enrolment selections, selections */
  CAST(COALESCE(special_enrollment_selections, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(plan_selections, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS sep_share, /* Special enrolment share, share */
  COALESCE(disenrollments, 0)::BIGINT AS disenrollments, /* Disenrolments, members */
  COALESCE(followed_member_months, 0)::DECIMAL(20, 2) AS followed_member_months, /* Member months with a known next month, months */
  CAST(COALESCE(disenrollments, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(followed_member_months, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS disenrollment_rate_monthly, /* Monthly disenrolment rate, share */
  COALESCE(nonpayment_terminations, 0)::BIGINT AS nonpayment_terminations, /* Terminations for non-payment, members */
  COALESCE(billed_members, 0)::BIGINT AS billed_members, /* Members with a premium due, members */
  CAST(COALESCE(nonpayment_terminations, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(billed_members, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS nonpayment_termination_rate, /* Non-payment termination rate, share */
  COALESCE(grace_period_members, 0)::BIGINT AS grace_period_members, /* Members in grace, members */
  median_tenure_months::DECIMAL(20, 2) AS median_tenure_months, /* Median tenure, months */
  COALESCE(gross_premium, 0)::DECIMAL(20, 2) AS gross_premium, /* Gross premium, USD */
  COALESCE(aptc_amount, 0)::DECIMAL(20, 2) AS aptc_amount, /* Advance premium tax credit, USD */
  CAST((
    COALESCE(gross_premium, 0)
  ) - (
    COALESCE(aptc_amount, 0)
  ) AS DECIMAL(20, 2)) AS net_premium_member, /* Members' premium, USD */
  CAST(COALESCE(gross_premium, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(member_months, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 2) AS premium_pmpm, /* Premium PMPM, USD per member month */
  COALESCE(aptc_member_months, 0)::DECIMAL(20, 2) AS aptc_member_months, /* Member months with tax credit, months */
  CAST(COALESCE(aptc_member_months, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(member_months, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS aptc_share, /* Tax credit share, share */
  COALESCE(csr_member_months, 0)::DECIMAL(20, 2) AS csr_member_months, /* Member months with reduced cost sharing, months */
  CAST(COALESCE(csr_member_months, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(member_months, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS csr_share, /* Reduced cost-sharing share, share */
  COALESCE(premium_billed, 0)::DECIMAL(20, 2) AS premium_billed, /* Premium billed, USD */
  COALESCE(premium_collected, 0)::DECIMAL(20, 2) AS premium_collected, /* Premium collected, USD */
  CAST(COALESCE(premium_collected, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(premium_billed, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS premium_collection_rate, /* Premium collection rate, share */
  COALESCE(claims_billed, 0)::DECIMAL(20, 2) AS claims_billed, /* Claims billed, USD */
  COALESCE(claims_allowed, 0)::DECIMAL(20, 2) AS claims_allowed, /* Claims allowed, USD */
  COALESCE(claims_paid, 0)::DECIMAL(20, 2) AS claims_paid, /* Claims paid, USD */
  COALESCE(claims_paid_out, 0)::DECIMAL(20, 2) AS claims_paid_out, /* Claims paid out, USD */
  CAST(COALESCE(claims_paid, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(gross_premium, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS paid_loss_ratio, /* Paid loss ratio, share */
  COALESCE(paid_lines, 0)::BIGINT AS paid_lines, /* Paid lines, claim lines */
  CAST(CAST(COALESCE(paid_lines, 0) * 12000 AS DECIMAL(38, 6)) / NULLIF(COALESCE(member_months, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 2) AS paid_lines_per_1000, /* Paid lines per 1,000, per 1,000 members and year */
  CAST(COALESCE(claims_allowed, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(paid_lines, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 2) AS allowed_per_line, /* Allowed per line, USD */
  CAST(COALESCE(claims_allowed, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(member_months, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 2) AS allowed_pmpm, /* Allowed PMPM, USD per member month */
  CAST(COALESCE(claims_paid, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(member_months, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 2) AS paid_pmpm, /* Paid PMPM, USD per member month */
  COALESCE(deductible_paid, 0)::DECIMAL(20, 2) AS deductible_paid, /* Deductible, USD */
  COALESCE(member_cost_share, 0)::DECIMAL(20, 2) AS member_cost_share, /* Member cost share, USD */
  CAST(COALESCE(member_cost_share, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(claims_allowed, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS cost_share_ratio, /* Cost-share ratio, share */
  CAST(COALESCE(claims_paid, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(claims_allowed, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS realised_actuarial_value, /* Realised actuarial value, share */
  COALESCE(reserve_ibnr, 0)::DECIMAL(20, 2) AS reserve_ibnr, /* Reserve for claims not yet paid, USD */
  COALESCE(incurred_but_not_paid, 0)::DECIMAL(20, 2) AS incurred_but_not_paid, /* Not yet paid of the month, USD */
  CAST((
    COALESCE(claims_paid, 0)
  ) + (
    COALESCE(incurred_but_not_paid, 0)
  ) AS DECIMAL(20, 2)) AS claims_incurred, /* Claims incurred, USD */
  CAST(CAST((
    COALESCE(claims_paid, 0)
  ) + (
    COALESCE(incurred_but_not_paid, 0)
  ) AS DECIMAL(38, 6)) / NULLIF(COALESCE(member_months, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 2) AS incurred_pmpm, /* Incurred PMPM, USD per member month */
  CAST(CAST((
    COALESCE(claims_paid, 0)
  ) + (
    COALESCE(incurred_but_not_paid, 0)
  ) AS DECIMAL(38, 6)) / NULLIF(COALESCE(gross_premium, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS medical_loss_ratio, /* Medical loss ratio, share */
  COALESCE(rolling_claims_incurred, 0)::DECIMAL(20, 2) AS rolling_claims_incurred, /* Claims incurred, twelve months, USD */
  COALESCE(rolling_premium, 0)::DECIMAL(20, 2) AS rolling_premium, /* Gross premium, twelve months, USD */
  CAST(COALESCE(rolling_claims_incurred, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(rolling_premium, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS medical_loss_ratio_simple, /* Medical loss ratio, twelve months, share */
  CAST((
    COALESCE(gross_premium, 0)
  ) - (
    (
      COALESCE(claims_paid, 0)
    ) + (
      COALESCE(incurred_but_not_paid, 0)
    )
  ) AS DECIMAL(20, 2)) AS gross_margin, /* Gross margin, USD */
  CAST(CAST((
    COALESCE(gross_premium, 0)
  ) - (
    (
      COALESCE(claims_paid, 0)
    ) + (
      COALESCE(incurred_but_not_paid, 0)
    )
  ) AS DECIMAL(38, 6)) / NULLIF(COALESCE(member_months, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 2) AS gross_margin_pmpm, /* Gross margin PMPM, USD per member month */
  COALESCE(rolling_allowed, 0)::DECIMAL(20, 2) AS rolling_allowed, /* Claims allowed, twelve months, USD */
  COALESCE(rolling_member_months, 0)::DECIMAL(20, 2) AS rolling_member_months, /* Member months, twelve months, months */
  COALESCE(prior_allowed, 0)::DECIMAL(20, 2) AS prior_allowed, /* Claims allowed, twelve months before, USD */
  COALESCE(prior_member_months, 0)::DECIMAL(20, 2) AS prior_member_months, /* Member months, twelve months before, months */
  CAST(COALESCE(rolling_allowed, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(rolling_member_months, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 2) AS rolling_allowed_pmpm, /* Allowed PMPM, twelve months, USD per member month */
  CAST(COALESCE(prior_allowed, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(prior_member_months, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 2) AS prior_allowed_pmpm, /* Allowed PMPM, twelve months before, USD per member month */
  CAST(CAST((
    CAST(COALESCE(rolling_allowed, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(rolling_member_months, 0), 0) AS DECIMAL(28, 10))
  )::DECIMAL(38, 6) / NULLIF(
    (
      CAST(COALESCE(prior_allowed, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(prior_member_months, 0), 0) AS DECIMAL(28, 10))
    ),
    0
  ) AS DECIMAL(28, 10)) - 1 AS DECIMAL(20, 6)) AS trend_pmpm_yoy, /* Cost trend, share */
  COALESCE(paid_to_date, 0)::DECIMAL(20, 2) AS paid_to_date, /* Paid to date, USD */
  COALESCE(ultimate_paid, 0)::DECIMAL(20, 2) AS ultimate_paid, /* Ultimate paid by completion, USD */
  CAST(COALESCE(paid_to_date, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(ultimate_paid, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS completion_factor, /* Completion factor, ratio */
  COALESCE(ibnr_error_amount, 0)::DECIMAL(20, 2) AS ibnr_error_amount, /* Reserve less run-out, USD */
  COALESCE(actual_run_out, 0)::DECIMAL(20, 2) AS actual_run_out, /* Actual run-out, USD */
  CAST(COALESCE(ibnr_error_amount, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(actual_run_out, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS ibnr_restated_error, /* Reserve error, share */
  COALESCE(admissions, 0)::BIGINT AS admissions, /* Admissions, stays */
  CAST(CAST(COALESCE(admissions, 0) * 12000 AS DECIMAL(38, 6)) / NULLIF(COALESCE(member_months, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 2) AS admits_per_1000, /* Admissions per 1,000, per 1,000 members and year */
  COALESCE(inpatient_days, 0)::DECIMAL(20, 2) AS inpatient_days, /* Inpatient days, days */
  CAST(CAST(COALESCE(inpatient_days, 0) * 12000 AS DECIMAL(38, 6)) / NULLIF(COALESCE(member_months, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 2) AS days_per_1000, /* Inpatient days per 1,000, per 1,000 members and year */
  COALESCE(discharges, 0)::BIGINT AS discharges, /* Discharges, stays */
  COALESCE(discharged_days, 0)::DECIMAL(20, 2) AS discharged_days, /* Days of ended stays, days */
  CAST(COALESCE(discharged_days, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(discharges, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 2) AS average_length_of_stay, /* Average length of stay, days */
  COALESCE(index_discharges, 0)::BIGINT AS index_discharges, /* Index discharges, stays */
  COALESCE(readmissions, 0)::BIGINT AS readmissions, /* Readmissions within 30 days, stays */
  CAST(COALESCE(readmissions, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(index_discharges, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS readmission_30d_rate, /* 30-day readmission rate, share */
  COALESCE(visits, 0)::BIGINT AS visits, /* Visits, visits */
  CAST(CAST(COALESCE(visits, 0) * 12000 AS DECIMAL(38, 6)) / NULLIF(COALESCE(member_months, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 2) AS visits_per_1000, /* Visits per 1,000, per 1,000 members and year */
  COALESCE(ed_visits, 0)::BIGINT AS ed_visits, /* Emergency visits without admission, visits */
  CAST(CAST(COALESCE(ed_visits, 0) * 12000 AS DECIMAL(38, 6)) / NULLIF(COALESCE(member_months, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 2) AS ed_visits_per_1000, /* Emergency visits per 1,000, per 1,000 members and year */
  COALESCE(ed_visits_all, 0)::BIGINT AS ed_visits_all, /* Emergency visits, visits */
  COALESCE(ed_visits_admitted, 0)::BIGINT AS ed_visits_admitted, /* Emergency visits with admission, visits */
  CAST(COALESCE(ed_visits_admitted, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(ed_visits_all, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS ed_admission_rate, /* Emergency admission rate, share */
  COALESCE(ed_avoidable_visits, 0)::DECIMAL(20, 4) AS ed_avoidable_visits, /* Avoidable emergency visits, weighted visits */
  CAST(COALESCE(ed_avoidable_visits, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(ed_visits_all, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS ed_avoidable_share, /* Avoidable emergency share, share */
  COALESCE(office_visits, 0)::BIGINT AS office_visits, /* Office and telehealth visits, visits */
  CAST(CAST(COALESCE(office_visits, 0) * 12000 AS DECIMAL(38, 6)) / NULLIF(COALESCE(member_months, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 2) AS office_visits_per_1000, /* Office visits per 1,000, per 1,000 members and year */
  COALESCE(specialist_visits, 0)::BIGINT AS specialist_visits, /* Specialist visits, visits */
  CAST(CAST(COALESCE(specialist_visits, 0) * 12000 AS DECIMAL(38, 6)) / NULLIF(COALESCE(member_months, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 2) AS specialist_visits_per_1000, /* Specialist visits per 1,000, per 1,000 members and year */
  COALESCE(telehealth_visits, 0)::BIGINT AS telehealth_visits, /* Telehealth visits, visits */
  CAST(COALESCE(telehealth_visits, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(office_visits, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS telehealth_share, /* Telehealth share, share */
  COALESCE(rx_fills, 0)::BIGINT AS rx_fills, /* Prescription fills, fills */
  CAST(CAST(COALESCE(rx_fills, 0) * 12 AS DECIMAL(38, 6)) / NULLIF(COALESCE(member_months, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 4) AS rx_fills_per_member_year, /* Fills per member and year, per member and year */
  COALESCE(generic_fills, 0)::BIGINT AS generic_fills, /* Generic fills, fills */
  CAST(COALESCE(generic_fills, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(rx_fills, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS generic_dispensing_rate, /* Generic dispensing rate, share */
  COALESCE(drug_allowed, 0)::DECIMAL(20, 2) AS drug_allowed, /* Drug spend, USD */
  COALESCE(specialty_drug_allowed, 0)::DECIMAL(20, 2) AS specialty_drug_allowed, /* Specialty drug spend, USD */
  CAST(COALESCE(specialty_drug_allowed, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(drug_allowed, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS specialty_rx_share_of_spend, /* Specialty share of drug spend, share */
  COALESCE(claims_received, 0)::BIGINT AS claims_received, /* Claims received, claims */
  COALESCE(claims_decided, 0)::BIGINT AS claims_decided, /* Claims decided, claims */
  COALESCE(lines_decided, 0)::BIGINT AS lines_decided, /* Lines decided, claim lines */
  COALESCE(lines_denied, 0)::BIGINT AS lines_denied, /* Lines denied, claim lines */
  CAST(COALESCE(lines_denied, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(lines_decided, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS denial_rate_line, /* Line denial rate, share */
  COALESCE(claims_denied, 0)::BIGINT AS claims_denied, /* Claims denied, claims */
  CAST(COALESCE(claims_denied, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(claims_decided, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS denial_rate_claim, /* Claim denial rate, share */
  COALESCE(billed_decided, 0)::DECIMAL(20, 2) AS billed_decided, /* Billed on decided lines, USD */
  COALESCE(billed_denied, 0)::DECIMAL(20, 2) AS billed_denied, /* Billed on denied lines, USD */
  CAST(COALESCE(billed_denied, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(billed_decided, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS denied_amount_share, /* Denied share of billed, share */
  COALESCE(lines_denied_all_reasons, 0)::BIGINT AS lines_denied_all_reasons, /* Lines denied for any reason, claim lines */
  CAST(COALESCE(lines_denied, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(lines_denied_all_reasons, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS denial_reason_mix, /* Share of denials, share */
  COALESCE(lines_denied_as_duplicate, 0)::BIGINT AS lines_denied_as_duplicate, /* Lines denied as duplicate, claim lines */
  CAST(COALESCE(lines_denied_as_duplicate, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(lines_decided, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS duplicate_rate, /* Duplicate rate, share */
  COALESCE(claims_with_denial, 0)::BIGINT AS claims_with_denial, /* Claims with a denial, claims */
  COALESCE(claims_appealed, 0)::BIGINT AS claims_appealed, /* Claims appealed, claims */
  CAST(COALESCE(claims_appealed, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(claims_with_denial, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS appeal_rate, /* Appeal rate, share */
  COALESCE(appeals_filed, 0)::BIGINT AS appeals_filed, /* Appeals filed, appeals */
  COALESCE(appeals_decided, 0)::BIGINT AS appeals_decided, /* Appeals decided, appeals */
  COALESCE(appeals_overturned, 0)::BIGINT AS appeals_overturned, /* Appeals overturned, appeals */
  CAST(COALESCE(appeals_overturned, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(appeals_decided, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS appeal_overturn_rate, /* Appeal overturn rate, share */
  COALESCE(clean_claims, 0)::BIGINT AS clean_claims, /* Clean claims, claims */
  CAST(COALESCE(clean_claims, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(claims_received, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS clean_claim_rate, /* Clean claim rate, share */
  COALESCE(claims_ever_pended, 0)::BIGINT AS claims_ever_pended, /* Claims ever pended, claims */
  CAST(COALESCE(claims_ever_pended, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(claims_received, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS pend_rate, /* Pend rate, share */
  COALESCE(pended_inventory, 0)::BIGINT AS pended_inventory, /* Pended inventory, claims */
  days_service_to_receipt::DECIMAL(20, 2) AS days_service_to_receipt, /* Days from service to receipt, days */
  COALESCE(days_spent_to_receipt, 0)::DECIMAL(20, 2) AS days_spent_to_receipt, /* Days to receipt, added up, days */
  CAST(COALESCE(days_spent_to_receipt, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(claims_received, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 2) AS average_days_to_receipt, /* Average days to receipt, days */
  COALESCE(days_spent_to_decision, 0)::DECIMAL(20, 2) AS days_spent_to_decision, /* Days to decision, added up, days */
  CAST(COALESCE(days_spent_to_decision, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(claims_decided, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 2) AS average_days_to_decision, /* Average days to decision, days */
  days_receipt_to_paid::DECIMAL(20, 2) AS days_receipt_to_paid, /* Days from receipt to payment, days */
  COALESCE(prompt_claims, 0)::BIGINT AS prompt_claims, /* Clean claims within 30 days, claims */
  CAST(COALESCE(prompt_claims, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(clean_claims, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS prompt_pay_rate, /* Prompt pay rate, share */
  COALESCE(claims_paid_count, 0)::BIGINT AS claims_paid_count, /* Claims paid at some time, claims */
  COALESCE(claims_corrected, 0)::BIGINT AS claims_corrected, /* Claims adjusted or reversed, claims */
  CAST(COALESCE(claims_corrected, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(claims_paid_count, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS adjustment_rate, /* Adjustment rate, share */
  COALESCE(reversal_amount, 0)::DECIMAL(20, 2) AS reversal_amount, /* Reversals, USD */
  COALESCE(high_cost_claimants_50k, 0)::BIGINT AS high_cost_claimants_50k, /* High-cost claimants above 50,000, members */
  COALESCE(high_cost_claimants, 0)::BIGINT AS high_cost_claimants, /* High-cost claimants above 100,000, members */
  COALESCE(high_cost_claimants_250k, 0)::BIGINT AS high_cost_claimants_250k, /* High-cost claimants above 250,000, members */
  COALESCE(high_cost_claimants_500k, 0)::BIGINT AS high_cost_claimants_500k, /* High-cost claimants above 500,000, members */
  COALESCE(high_cost_claimants_1m, 0)::BIGINT AS high_cost_claimants_1m, /* High-cost claimants above 1,000,000, members */
  COALESCE(high_cost_paid, 0)::DECIMAL(20, 2) AS high_cost_paid, /* Paid for high-cost claimants, USD */
  COALESCE(rolling_paid, 0)::DECIMAL(20, 2) AS rolling_paid, /* Claims paid, twelve months, USD */
  CAST(COALESCE(high_cost_paid, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(rolling_paid, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS high_cost_share, /* High-cost share, share */
  COALESCE(out_of_network_allowed, 0)::DECIMAL(20, 2) AS out_of_network_allowed, /* Allowed out of network, USD */
  CAST(COALESCE(out_of_network_allowed, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(claims_allowed, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS out_of_network_leakage, /* Out-of-network leakage, share */
  COALESCE(nonemergency_allowed, 0)::DECIMAL(20, 2) AS nonemergency_allowed, /* Allowed outside emergencies, USD */
  COALESCE(nonemergency_out_of_network_allowed, 0)::DECIMAL(20, 2) AS nonemergency_out_of_network_allowed, /* Allowed out of network outside emergencies, USD */
  CAST(COALESCE(nonemergency_out_of_network_allowed, 0)::DECIMAL(38, 6) / NULLIF(COALESCE(nonemergency_allowed, 0), 0) AS DECIMAL(28, 10))::DECIMAL(20, 6) AS steerable_leakage, /* Leakage outside emergencies, share */
  COALESCE(active_providers, 0)::BIGINT AS active_providers /* Active providers, providers */
FROM keys
LEFT JOIN appeal_by_decided_date
  ON appeal_by_decided_date.period = keys.period AND appeal_by_decided_date.tenant_id = keys.tenant_id
LEFT JOIN appeal_by_filed_date
  ON appeal_by_filed_date.period = keys.period AND appeal_by_filed_date.tenant_id = keys.tenant_id
LEFT JOIN claim_by_denial_date
  ON claim_by_denial_date.period = keys.period AND claim_by_denial_date.tenant_id = keys.tenant_id
LEFT JOIN claim_by_first_decided_date
  ON claim_by_first_decided_date.period = keys.period
  AND claim_by_first_decided_date.tenant_id = keys.tenant_id
LEFT JOIN claim_by_received_date
  ON claim_by_received_date.period = keys.period AND claim_by_received_date.tenant_id = keys.tenant_id
LEFT JOIN claim_line_by_adjudicated_date
  ON claim_line_by_adjudicated_date.period = keys.period
  AND claim_line_by_adjudicated_date.tenant_id = keys.tenant_id
LEFT JOIN claim_line_by_service_date
  ON claim_line_by_service_date.period = keys.period
  AND claim_line_by_service_date.tenant_id = keys.tenant_id
LEFT JOIN claim_reserve_last_as_of_month
  ON claim_reserve_last_as_of_month.period = keys.period
  AND claim_reserve_last_as_of_month.tenant_id = keys.tenant_id
LEFT JOIN claim_reserve_by_incurred_month
  ON claim_reserve_by_incurred_month.period = keys.period
  AND claim_reserve_by_incurred_month.tenant_id = keys.tenant_id
LEFT JOIN denied_line_total_by_adjudicated_date
  ON denied_line_total_by_adjudicated_date.period = keys.period
  AND denied_line_total_by_adjudicated_date.tenant_id = keys.tenant_id
LEFT JOIN disenrollment_by_coverage_month
  ON disenrollment_by_coverage_month.period = keys.period
  AND disenrollment_by_coverage_month.tenant_id = keys.tenant_id
LEFT JOIN grace_member_last_as_of_month
  ON grace_member_last_as_of_month.period = keys.period
  AND grace_member_last_as_of_month.tenant_id = keys.tenant_id
LEFT JOIN high_cost_member_last_as_of_month
  ON high_cost_member_last_as_of_month.period = keys.period
  AND high_cost_member_last_as_of_month.tenant_id = keys.tenant_id
LEFT JOIN inpatient_stay_by_admission_date
  ON inpatient_stay_by_admission_date.period = keys.period
  AND inpatient_stay_by_admission_date.tenant_id = keys.tenant_id
LEFT JOIN inpatient_stay_by_discharge_date
  ON inpatient_stay_by_discharge_date.period = keys.period
  AND inpatient_stay_by_discharge_date.tenant_id = keys.tenant_id
LEFT JOIN member_month_by_coverage_month
  ON member_month_by_coverage_month.period = keys.period
  AND member_month_by_coverage_month.tenant_id = keys.tenant_id
LEFT JOIN member_month_last_coverage_month
  ON member_month_last_coverage_month.period = keys.period
  AND member_month_last_coverage_month.tenant_id = keys.tenant_id
LEFT JOIN payment_by_paid_date
  ON payment_by_paid_date.period = keys.period AND payment_by_paid_date.tenant_id = keys.tenant_id
LEFT JOIN pended_claim_last_as_of_month
  ON pended_claim_last_as_of_month.period = keys.period
  AND pended_claim_last_as_of_month.tenant_id = keys.tenant_id
LEFT JOIN plan_selection_by_selection_date
  ON plan_selection_by_selection_date.period = keys.period
  AND plan_selection_by_selection_date.tenant_id = keys.tenant_id
LEFT JOIN premium_invoice_by_coverage_month
  ON premium_invoice_by_coverage_month.period = keys.period
  AND premium_invoice_by_coverage_month.tenant_id = keys.tenant_id
LEFT JOIN premium_invoice_by_due_date
  ON premium_invoice_by_due_date.period = keys.period
  AND premium_invoice_by_due_date.tenant_id = keys.tenant_id
LEFT JOIN rolling_year_by_as_of_month
  ON rolling_year_by_as_of_month.period = keys.period
  AND rolling_year_by_as_of_month.tenant_id = keys.tenant_id
LEFT JOIN rolling_year_last_as_of_month
  ON rolling_year_last_as_of_month.period = keys.period
  AND rolling_year_last_as_of_month.tenant_id = keys.tenant_id
LEFT JOIN tenure_by_coverage_month
  ON tenure_by_coverage_month.period = keys.period AND tenure_by_coverage_month.tenant_id = keys.tenant_id
LEFT JOIN tenure_last_coverage_month
  ON tenure_last_coverage_month.period = keys.period
  AND tenure_last_coverage_month.tenant_id = keys.tenant_id
LEFT JOIN visit_by_service_date
  ON visit_by_service_date.period = keys.period AND visit_by_service_date.tenant_id = keys.tenant_id
