/* Made from the registry in semantic/: edit that, then run `granary metrics write`. */
MODEL (
  name semantic.metric_values,
  kind FULL,
  owner analytics_engineering,
  grain (domain, tenant_id, period_grain, period, metric),
  description 'Every metric of every domain by tenant and period, one row each. What was the number, and what was it made of?',
  audits (
    not_null(columns := (domain, tenant_id, period_grain, period, metric)),
    unique_combination_of_columns(columns := (domain, tenant_id, period_grain, period, metric)),
    forall(criteria := (
      denominator IS NULL OR denominator <> 0 OR value IS NULL
    ))
  )
);

WITH longs AS (
  SELECT
    'aca' AS domain,
    wide.tenant_id,
    'month' AS period_grain,
    wide.period,
    listed.metric,
    CASE listed.metric
      WHEN 'average_members'
      THEN wide.member_months::DECIMAL(38, 6)
      WHEN 'effectuation_rate'
      THEN wide.effectuated_selections::DECIMAL(38, 6)
      WHEN 'sep_share'
      THEN wide.special_enrollment_selections::DECIMAL(38, 6)
      WHEN 'disenrollment_rate_monthly'
      THEN wide.disenrollments::DECIMAL(38, 6)
      WHEN 'nonpayment_termination_rate'
      THEN wide.nonpayment_terminations::DECIMAL(38, 6)
      WHEN 'premium_pmpm'
      THEN wide.gross_premium::DECIMAL(38, 6)
      WHEN 'aptc_share'
      THEN wide.aptc_member_months::DECIMAL(38, 6)
      WHEN 'csr_share'
      THEN wide.csr_member_months::DECIMAL(38, 6)
      WHEN 'premium_collection_rate'
      THEN wide.premium_collected::DECIMAL(38, 6)
      WHEN 'paid_loss_ratio'
      THEN wide.claims_paid::DECIMAL(38, 6)
      WHEN 'paid_lines_per_1000'
      THEN wide.paid_lines::DECIMAL(38, 6)
      WHEN 'allowed_per_line'
      THEN wide.claims_allowed::DECIMAL(38, 6)
      WHEN 'allowed_pmpm'
      THEN wide.claims_allowed::DECIMAL(38, 6)
      WHEN 'paid_pmpm'
      THEN wide.claims_paid::DECIMAL(38, 6)
      WHEN 'cost_share_ratio'
      THEN wide.member_cost_share::DECIMAL(38, 6)
      WHEN 'realised_actuarial_value'
      THEN wide.claims_paid::DECIMAL(38, 6)
      WHEN 'incurred_pmpm'
      THEN wide.claims_incurred::DECIMAL(38, 6)
      WHEN 'medical_loss_ratio'
      THEN wide.claims_incurred::DECIMAL(38, 6)
      WHEN 'medical_loss_ratio_simple'
      THEN wide.rolling_claims_incurred::DECIMAL(38, 6)
      WHEN 'gross_margin_pmpm'
      THEN wide.gross_margin::DECIMAL(38, 6)
      WHEN 'rolling_allowed_pmpm'
      THEN wide.rolling_allowed::DECIMAL(38, 6)
      WHEN 'prior_allowed_pmpm'
      THEN wide.prior_allowed::DECIMAL(38, 6)
      WHEN 'completion_factor'
      THEN wide.paid_to_date::DECIMAL(38, 6)
      WHEN 'ibnr_restated_error'
      THEN wide.ibnr_error_amount::DECIMAL(38, 6)
      WHEN 'admits_per_1000'
      THEN wide.admissions::DECIMAL(38, 6)
      WHEN 'days_per_1000'
      THEN wide.inpatient_days::DECIMAL(38, 6)
      WHEN 'average_length_of_stay'
      THEN wide.discharged_days::DECIMAL(38, 6)
      WHEN 'readmission_30d_rate'
      THEN wide.readmissions::DECIMAL(38, 6)
      WHEN 'visits_per_1000'
      THEN wide.visits::DECIMAL(38, 6)
      WHEN 'ed_visits_per_1000'
      THEN wide.ed_visits::DECIMAL(38, 6)
      WHEN 'ed_admission_rate'
      THEN wide.ed_visits_admitted::DECIMAL(38, 6)
      WHEN 'ed_avoidable_share'
      THEN wide.ed_avoidable_visits::DECIMAL(38, 6)
      WHEN 'office_visits_per_1000'
      THEN wide.office_visits::DECIMAL(38, 6)
      WHEN 'specialist_visits_per_1000'
      THEN wide.specialist_visits::DECIMAL(38, 6)
      WHEN 'telehealth_share'
      THEN wide.telehealth_visits::DECIMAL(38, 6)
      WHEN 'rx_fills_per_member_year'
      THEN wide.rx_fills::DECIMAL(38, 6)
      WHEN 'generic_dispensing_rate'
      THEN wide.generic_fills::DECIMAL(38, 6)
      WHEN 'specialty_rx_share_of_spend'
      THEN wide.specialty_drug_allowed::DECIMAL(38, 6)
      WHEN 'denial_rate_line'
      THEN wide.lines_denied::DECIMAL(38, 6)
      WHEN 'denial_rate_claim'
      THEN wide.claims_denied::DECIMAL(38, 6)
      WHEN 'denied_amount_share'
      THEN wide.billed_denied::DECIMAL(38, 6)
      WHEN 'denial_reason_mix'
      THEN wide.lines_denied::DECIMAL(38, 6)
      WHEN 'duplicate_rate'
      THEN wide.lines_denied_as_duplicate::DECIMAL(38, 6)
      WHEN 'appeal_rate'
      THEN wide.claims_appealed::DECIMAL(38, 6)
      WHEN 'appeal_overturn_rate'
      THEN wide.appeals_overturned::DECIMAL(38, 6)
      WHEN 'clean_claim_rate'
      THEN wide.clean_claims::DECIMAL(38, 6)
      WHEN 'pend_rate'
      THEN wide.claims_ever_pended::DECIMAL(38, 6)
      WHEN 'average_days_to_receipt'
      THEN wide.days_spent_to_receipt::DECIMAL(38, 6)
      WHEN 'average_days_to_decision'
      THEN wide.days_spent_to_decision::DECIMAL(38, 6)
      WHEN 'prompt_pay_rate'
      THEN wide.prompt_claims::DECIMAL(38, 6)
      WHEN 'adjustment_rate'
      THEN wide.claims_corrected::DECIMAL(38, 6)
      WHEN 'high_cost_share'
      THEN wide.high_cost_paid::DECIMAL(38, 6)
      WHEN 'out_of_network_leakage'
      THEN wide.out_of_network_allowed::DECIMAL(38, 6)
      WHEN 'steerable_leakage'
      THEN wide.nonemergency_out_of_network_allowed::DECIMAL(38, 6)
    END AS numerator,
    CASE listed.metric
      WHEN 'average_members'
      THEN wide.months_on_record::DECIMAL(38, 6)
      WHEN 'effectuation_rate'
      THEN wide.plan_selections::DECIMAL(38, 6)
      WHEN 'sep_share'
      THEN wide.plan_selections::DECIMAL(38, 6)
      WHEN 'disenrollment_rate_monthly'
      THEN wide.followed_member_months::DECIMAL(38, 6)
      WHEN 'nonpayment_termination_rate'
      THEN wide.billed_members::DECIMAL(38, 6)
      WHEN 'premium_pmpm'
      THEN wide.member_months::DECIMAL(38, 6)
      WHEN 'aptc_share'
      THEN wide.member_months::DECIMAL(38, 6)
      WHEN 'csr_share'
      THEN wide.member_months::DECIMAL(38, 6)
      WHEN 'premium_collection_rate'
      THEN wide.premium_billed::DECIMAL(38, 6)
      WHEN 'paid_loss_ratio'
      THEN wide.gross_premium::DECIMAL(38, 6)
      WHEN 'paid_lines_per_1000'
      THEN wide.member_months::DECIMAL(38, 6)
      WHEN 'allowed_per_line'
      THEN wide.paid_lines::DECIMAL(38, 6)
      WHEN 'allowed_pmpm'
      THEN wide.member_months::DECIMAL(38, 6)
      WHEN 'paid_pmpm'
      THEN wide.member_months::DECIMAL(38, 6)
      WHEN 'cost_share_ratio'
      THEN wide.claims_allowed::DECIMAL(38, 6)
      WHEN 'realised_actuarial_value'
      THEN wide.claims_allowed::DECIMAL(38, 6)
      WHEN 'incurred_pmpm'
      THEN wide.member_months::DECIMAL(38, 6)
      WHEN 'medical_loss_ratio'
      THEN wide.gross_premium::DECIMAL(38, 6)
      WHEN 'medical_loss_ratio_simple'
      THEN wide.rolling_premium::DECIMAL(38, 6)
      WHEN 'gross_margin_pmpm'
      THEN wide.member_months::DECIMAL(38, 6)
      WHEN 'rolling_allowed_pmpm'
      THEN wide.rolling_member_months::DECIMAL(38, 6)
      WHEN 'prior_allowed_pmpm'
      THEN wide.prior_member_months::DECIMAL(38, 6)
      WHEN 'completion_factor'
      THEN wide.ultimate_paid::DECIMAL(38, 6)
      WHEN 'ibnr_restated_error'
      THEN wide.actual_run_out::DECIMAL(38, 6)
      WHEN 'admits_per_1000'
      THEN wide.member_months::DECIMAL(38, 6)
      WHEN 'days_per_1000'
      THEN wide.member_months::DECIMAL(38, 6)
      WHEN 'average_length_of_stay'
      THEN wide.discharges::DECIMAL(38, 6)
      WHEN 'readmission_30d_rate'
      THEN wide.index_discharges::DECIMAL(38, 6)
      WHEN 'visits_per_1000'
      THEN wide.member_months::DECIMAL(38, 6)
      WHEN 'ed_visits_per_1000'
      THEN wide.member_months::DECIMAL(38, 6)
      WHEN 'ed_admission_rate'
      THEN wide.ed_visits_all::DECIMAL(38, 6)
      WHEN 'ed_avoidable_share'
      THEN wide.ed_visits_all::DECIMAL(38, 6)
      WHEN 'office_visits_per_1000'
      THEN wide.member_months::DECIMAL(38, 6)
      WHEN 'specialist_visits_per_1000'
      THEN wide.member_months::DECIMAL(38, 6)
      WHEN 'telehealth_share'
      THEN wide.office_visits::DECIMAL(38, 6)
      WHEN 'rx_fills_per_member_year'
      THEN wide.member_months::DECIMAL(38, 6)
      WHEN 'generic_dispensing_rate'
      THEN wide.rx_fills::DECIMAL(38, 6)
      WHEN 'specialty_rx_share_of_spend'
      THEN wide.drug_allowed::DECIMAL(38, 6)
      WHEN 'denial_rate_line'
      THEN wide.lines_decided::DECIMAL(38, 6)
      WHEN 'denial_rate_claim'
      THEN wide.claims_decided::DECIMAL(38, 6)
      WHEN 'denied_amount_share'
      THEN wide.billed_decided::DECIMAL(38, 6)
      WHEN 'denial_reason_mix'
      THEN wide.lines_denied_all_reasons::DECIMAL(38, 6)
      WHEN 'duplicate_rate'
      THEN wide.lines_decided::DECIMAL(38, 6)
      WHEN 'appeal_rate'
      THEN wide.claims_with_denial::DECIMAL(38, 6)
      WHEN 'appeal_overturn_rate'
      THEN wide.appeals_decided::DECIMAL(38, 6)
      WHEN 'clean_claim_rate'
      THEN wide.claims_received::DECIMAL(38, 6)
      WHEN 'pend_rate'
      THEN wide.claims_received::DECIMAL(38, 6)
      WHEN 'average_days_to_receipt'
      THEN wide.claims_received::DECIMAL(38, 6)
      WHEN 'average_days_to_decision'
      THEN wide.claims_decided::DECIMAL(38, 6)
      WHEN 'prompt_pay_rate'
      THEN wide.clean_claims::DECIMAL(38, 6)
      WHEN 'adjustment_rate'
      THEN wide.claims_paid_count::DECIMAL(38, 6)
      WHEN 'high_cost_share'
      THEN wide.rolling_paid::DECIMAL(38, 6)
      WHEN 'out_of_network_leakage'
      THEN wide.claims_allowed::DECIMAL(38, 6)
      WHEN 'steerable_leakage'
      THEN wide.nonemergency_allowed::DECIMAL(38, 6)
    END AS denominator,
    CASE listed.metric
      WHEN 'member_months'
      THEN wide.member_months::DECIMAL(38, 6)
      WHEN 'months_on_record'
      THEN wide.months_on_record::DECIMAL(38, 6)
      WHEN 'average_members'
      THEN wide.average_members::DECIMAL(38, 6)
      WHEN 'effectuated_enrollment'
      THEN wide.effectuated_enrollment::DECIMAL(38, 6)
      WHEN 'plan_selections'
      THEN wide.plan_selections::DECIMAL(38, 6)
      WHEN 'effectuated_selections'
      THEN wide.effectuated_selections::DECIMAL(38, 6)
      WHEN 'effectuation_rate'
      THEN wide.effectuation_rate::DECIMAL(38, 6)
      WHEN 'special_enrollment_selections'
      THEN wide.special_enrollment_selections::DECIMAL(38, 6)
      WHEN 'sep_share'
      THEN wide.sep_share::DECIMAL(38, 6)
      WHEN 'disenrollments'
      THEN wide.disenrollments::DECIMAL(38, 6)
      WHEN 'followed_member_months'
      THEN wide.followed_member_months::DECIMAL(38, 6)
      WHEN 'disenrollment_rate_monthly'
      THEN wide.disenrollment_rate_monthly::DECIMAL(38, 6)
      WHEN 'nonpayment_terminations'
      THEN wide.nonpayment_terminations::DECIMAL(38, 6)
      WHEN 'billed_members'
      THEN wide.billed_members::DECIMAL(38, 6)
      WHEN 'nonpayment_termination_rate'
      THEN wide.nonpayment_termination_rate::DECIMAL(38, 6)
      WHEN 'grace_period_members'
      THEN wide.grace_period_members::DECIMAL(38, 6)
      WHEN 'median_tenure_months'
      THEN wide.median_tenure_months::DECIMAL(38, 6)
      WHEN 'gross_premium'
      THEN wide.gross_premium::DECIMAL(38, 6)
      WHEN 'aptc_amount'
      THEN wide.aptc_amount::DECIMAL(38, 6)
      WHEN 'net_premium_member'
      THEN wide.net_premium_member::DECIMAL(38, 6)
      WHEN 'premium_pmpm'
      THEN wide.premium_pmpm::DECIMAL(38, 6)
      WHEN 'aptc_member_months'
      THEN wide.aptc_member_months::DECIMAL(38, 6)
      WHEN 'aptc_share'
      THEN wide.aptc_share::DECIMAL(38, 6)
      WHEN 'csr_member_months'
      THEN wide.csr_member_months::DECIMAL(38, 6)
      WHEN 'csr_share'
      THEN wide.csr_share::DECIMAL(38, 6)
      WHEN 'premium_billed'
      THEN wide.premium_billed::DECIMAL(38, 6)
      WHEN 'premium_collected'
      THEN wide.premium_collected::DECIMAL(38, 6)
      WHEN 'premium_collection_rate'
      THEN wide.premium_collection_rate::DECIMAL(38, 6)
      WHEN 'claims_billed'
      THEN wide.claims_billed::DECIMAL(38, 6)
      WHEN 'claims_allowed'
      THEN wide.claims_allowed::DECIMAL(38, 6)
      WHEN 'claims_paid'
      THEN wide.claims_paid::DECIMAL(38, 6)
      WHEN 'claims_paid_out'
      THEN wide.claims_paid_out::DECIMAL(38, 6)
      WHEN 'paid_loss_ratio'
      THEN wide.paid_loss_ratio::DECIMAL(38, 6)
      WHEN 'paid_lines'
      THEN wide.paid_lines::DECIMAL(38, 6)
      WHEN 'paid_lines_per_1000'
      THEN wide.paid_lines_per_1000::DECIMAL(38, 6)
      WHEN 'allowed_per_line'
      THEN wide.allowed_per_line::DECIMAL(38, 6)
      WHEN 'allowed_pmpm'
      THEN wide.allowed_pmpm::DECIMAL(38, 6)
      WHEN 'paid_pmpm'
      THEN wide.paid_pmpm::DECIMAL(38, 6)
      WHEN 'deductible_paid'
      THEN wide.deductible_paid::DECIMAL(38, 6)
      WHEN 'member_cost_share'
      THEN wide.member_cost_share::DECIMAL(38, 6)
      WHEN 'cost_share_ratio'
      THEN wide.cost_share_ratio::DECIMAL(38, 6)
      WHEN 'realised_actuarial_value'
      THEN wide.realised_actuarial_value::DECIMAL(38, 6)
      WHEN 'reserve_ibnr'
      THEN wide.reserve_ibnr::DECIMAL(38, 6)
      WHEN 'incurred_but_not_paid'
      THEN wide.incurred_but_not_paid::DECIMAL(38, 6)
      WHEN 'claims_incurred'
      THEN wide.claims_incurred::DECIMAL(38, 6)
      WHEN 'incurred_pmpm'
      THEN wide.incurred_pmpm::DECIMAL(38, 6)
      WHEN 'medical_loss_ratio'
      THEN wide.medical_loss_ratio::DECIMAL(38, 6)
      WHEN 'rolling_claims_incurred'
      THEN wide.rolling_claims_incurred::DECIMAL(38, 6)
      WHEN 'rolling_premium'
      THEN wide.rolling_premium::DECIMAL(38, 6)
      WHEN 'medical_loss_ratio_simple'
      THEN wide.medical_loss_ratio_simple::DECIMAL(38, 6)
      WHEN 'gross_margin'
      THEN wide.gross_margin::DECIMAL(38, 6)
      WHEN 'gross_margin_pmpm'
      THEN wide.gross_margin_pmpm::DECIMAL(38, 6)
      WHEN 'rolling_allowed'
      THEN wide.rolling_allowed::DECIMAL(38, 6)
      WHEN 'rolling_member_months'
      THEN wide.rolling_member_months::DECIMAL(38, 6)
      WHEN 'prior_allowed'
      THEN wide.prior_allowed::DECIMAL(38, 6)
      WHEN 'prior_member_months'
      THEN wide.prior_member_months::DECIMAL(38, 6)
      WHEN 'rolling_allowed_pmpm'
      THEN wide.rolling_allowed_pmpm::DECIMAL(38, 6)
      WHEN 'prior_allowed_pmpm'
      THEN wide.prior_allowed_pmpm::DECIMAL(38, 6)
      WHEN 'trend_pmpm_yoy'
      THEN wide.trend_pmpm_yoy::DECIMAL(38, 6)
      WHEN 'paid_to_date'
      THEN wide.paid_to_date::DECIMAL(38, 6)
      WHEN 'ultimate_paid'
      THEN wide.ultimate_paid::DECIMAL(38, 6)
      WHEN 'completion_factor'
      THEN wide.completion_factor::DECIMAL(38, 6)
      WHEN 'ibnr_error_amount'
      THEN wide.ibnr_error_amount::DECIMAL(38, 6)
      WHEN 'actual_run_out'
      THEN wide.actual_run_out::DECIMAL(38, 6)
      WHEN 'ibnr_restated_error'
      THEN wide.ibnr_restated_error::DECIMAL(38, 6)
      WHEN 'admissions'
      THEN wide.admissions::DECIMAL(38, 6)
      WHEN 'admits_per_1000'
      THEN wide.admits_per_1000::DECIMAL(38, 6)
      WHEN 'inpatient_days'
      THEN wide.inpatient_days::DECIMAL(38, 6)
      WHEN 'days_per_1000'
      THEN wide.days_per_1000::DECIMAL(38, 6)
      WHEN 'discharges'
      THEN wide.discharges::DECIMAL(38, 6)
      WHEN 'discharged_days'
      THEN wide.discharged_days::DECIMAL(38, 6)
      WHEN 'average_length_of_stay'
      THEN wide.average_length_of_stay::DECIMAL(38, 6)
      WHEN 'index_discharges'
      THEN wide.index_discharges::DECIMAL(38, 6)
      WHEN 'readmissions'
      THEN wide.readmissions::DECIMAL(38, 6)
      WHEN 'readmission_30d_rate'
      THEN wide.readmission_30d_rate::DECIMAL(38, 6)
      WHEN 'visits'
      THEN wide.visits::DECIMAL(38, 6)
      WHEN 'visits_per_1000'
      THEN wide.visits_per_1000::DECIMAL(38, 6)
      WHEN 'ed_visits'
      THEN wide.ed_visits::DECIMAL(38, 6)
      WHEN 'ed_visits_per_1000'
      THEN wide.ed_visits_per_1000::DECIMAL(38, 6)
      WHEN 'ed_visits_all'
      THEN wide.ed_visits_all::DECIMAL(38, 6)
      WHEN 'ed_visits_admitted'
      THEN wide.ed_visits_admitted::DECIMAL(38, 6)
      WHEN 'ed_admission_rate'
      THEN wide.ed_admission_rate::DECIMAL(38, 6)
      WHEN 'ed_avoidable_visits'
      THEN wide.ed_avoidable_visits::DECIMAL(38, 6)
      WHEN 'ed_avoidable_share'
      THEN wide.ed_avoidable_share::DECIMAL(38, 6)
      WHEN 'office_visits'
      THEN wide.office_visits::DECIMAL(38, 6)
      WHEN 'office_visits_per_1000'
      THEN wide.office_visits_per_1000::DECIMAL(38, 6)
      WHEN 'specialist_visits'
      THEN wide.specialist_visits::DECIMAL(38, 6)
      WHEN 'specialist_visits_per_1000'
      THEN wide.specialist_visits_per_1000::DECIMAL(38, 6)
      WHEN 'telehealth_visits'
      THEN wide.telehealth_visits::DECIMAL(38, 6)
      WHEN 'telehealth_share'
      THEN wide.telehealth_share::DECIMAL(38, 6)
      WHEN 'rx_fills'
      THEN wide.rx_fills::DECIMAL(38, 6)
      WHEN 'rx_fills_per_member_year'
      THEN wide.rx_fills_per_member_year::DECIMAL(38, 6)
      WHEN 'generic_fills'
      THEN wide.generic_fills::DECIMAL(38, 6)
      WHEN 'generic_dispensing_rate'
      THEN wide.generic_dispensing_rate::DECIMAL(38, 6)
      WHEN 'drug_allowed'
      THEN wide.drug_allowed::DECIMAL(38, 6)
      WHEN 'specialty_drug_allowed'
      THEN wide.specialty_drug_allowed::DECIMAL(38, 6)
      WHEN 'specialty_rx_share_of_spend'
      THEN wide.specialty_rx_share_of_spend::DECIMAL(38, 6)
      WHEN 'claims_received'
      THEN wide.claims_received::DECIMAL(38, 6)
      WHEN 'claims_decided'
      THEN wide.claims_decided::DECIMAL(38, 6)
      WHEN 'lines_decided'
      THEN wide.lines_decided::DECIMAL(38, 6)
      WHEN 'lines_denied'
      THEN wide.lines_denied::DECIMAL(38, 6)
      WHEN 'denial_rate_line'
      THEN wide.denial_rate_line::DECIMAL(38, 6)
      WHEN 'claims_denied'
      THEN wide.claims_denied::DECIMAL(38, 6)
      WHEN 'denial_rate_claim'
      THEN wide.denial_rate_claim::DECIMAL(38, 6)
      WHEN 'billed_decided'
      THEN wide.billed_decided::DECIMAL(38, 6)
      WHEN 'billed_denied'
      THEN wide.billed_denied::DECIMAL(38, 6)
      WHEN 'denied_amount_share'
      THEN wide.denied_amount_share::DECIMAL(38, 6)
      WHEN 'lines_denied_all_reasons'
      THEN wide.lines_denied_all_reasons::DECIMAL(38, 6)
      WHEN 'denial_reason_mix'
      THEN wide.denial_reason_mix::DECIMAL(38, 6)
      WHEN 'lines_denied_as_duplicate'
      THEN wide.lines_denied_as_duplicate::DECIMAL(38, 6)
      WHEN 'duplicate_rate'
      THEN wide.duplicate_rate::DECIMAL(38, 6)
      WHEN 'claims_with_denial'
      THEN wide.claims_with_denial::DECIMAL(38, 6)
      WHEN 'claims_appealed'
      THEN wide.claims_appealed::DECIMAL(38, 6)
      WHEN 'appeal_rate'
      THEN wide.appeal_rate::DECIMAL(38, 6)
      WHEN 'appeals_filed'
      THEN wide.appeals_filed::DECIMAL(38, 6)
      WHEN 'appeals_decided'
      THEN wide.appeals_decided::DECIMAL(38, 6)
      WHEN 'appeals_overturned'
      THEN wide.appeals_overturned::DECIMAL(38, 6)
      WHEN 'appeal_overturn_rate'
      THEN wide.appeal_overturn_rate::DECIMAL(38, 6)
      WHEN 'clean_claims'
      THEN wide.clean_claims::DECIMAL(38, 6)
      WHEN 'clean_claim_rate'
      THEN wide.clean_claim_rate::DECIMAL(38, 6)
      WHEN 'claims_ever_pended'
      THEN wide.claims_ever_pended::DECIMAL(38, 6)
      WHEN 'pend_rate'
      THEN wide.pend_rate::DECIMAL(38, 6)
      WHEN 'pended_inventory'
      THEN wide.pended_inventory::DECIMAL(38, 6)
      WHEN 'days_service_to_receipt'
      THEN wide.days_service_to_receipt::DECIMAL(38, 6)
      WHEN 'days_spent_to_receipt'
      THEN wide.days_spent_to_receipt::DECIMAL(38, 6)
      WHEN 'average_days_to_receipt'
      THEN wide.average_days_to_receipt::DECIMAL(38, 6)
      WHEN 'days_spent_to_decision'
      THEN wide.days_spent_to_decision::DECIMAL(38, 6)
      WHEN 'average_days_to_decision'
      THEN wide.average_days_to_decision::DECIMAL(38, 6)
      WHEN 'days_receipt_to_paid'
      THEN wide.days_receipt_to_paid::DECIMAL(38, 6)
      WHEN 'prompt_claims'
      THEN wide.prompt_claims::DECIMAL(38, 6)
      WHEN 'prompt_pay_rate'
      THEN wide.prompt_pay_rate::DECIMAL(38, 6)
      WHEN 'claims_paid_count'
      THEN wide.claims_paid_count::DECIMAL(38, 6)
      WHEN 'claims_corrected'
      THEN wide.claims_corrected::DECIMAL(38, 6)
      WHEN 'adjustment_rate'
      THEN wide.adjustment_rate::DECIMAL(38, 6)
      WHEN 'reversal_amount'
      THEN wide.reversal_amount::DECIMAL(38, 6)
      WHEN 'high_cost_claimants_50k'
      THEN wide.high_cost_claimants_50k::DECIMAL(38, 6)
      WHEN 'high_cost_claimants'
      THEN wide.high_cost_claimants::DECIMAL(38, 6)
      WHEN 'high_cost_claimants_250k'
      THEN wide.high_cost_claimants_250k::DECIMAL(38, 6)
      WHEN 'high_cost_claimants_500k'
      THEN wide.high_cost_claimants_500k::DECIMAL(38, 6)
      WHEN 'high_cost_claimants_1m'
      THEN wide.high_cost_claimants_1m::DECIMAL(38, 6)
      WHEN 'high_cost_paid'
      THEN wide.high_cost_paid::DECIMAL(38, 6)
      WHEN 'rolling_paid'
      THEN wide.rolling_paid::DECIMAL(38, 6)
      WHEN 'high_cost_share'
      THEN wide.high_cost_share::DECIMAL(38, 6)
      WHEN 'out_of_network_allowed'
      THEN wide.out_of_network_allowed::DECIMAL(38, 6)
      WHEN 'out_of_network_leakage'
      THEN wide.out_of_network_leakage::DECIMAL(38, 6)
      WHEN 'nonemergency_allowed'
      THEN wide.nonemergency_allowed::DECIMAL(38, 6)
      WHEN 'nonemergency_out_of_network_allowed'
      THEN wide.nonemergency_out_of_network_allowed::DECIMAL(38, 6)
      WHEN 'steerable_leakage'
      THEN wide.steerable_leakage::DECIMAL(38, 6)
      WHEN 'active_providers'
      THEN wide.active_providers::DECIMAL(38, 6)
    END AS value
  FROM semantic.aca_metrics_monthly AS wide
  CROSS JOIN (VALUES
    ('member_months'),
    ('months_on_record'),
    ('average_members'),
    ('effectuated_enrollment'),
    ('plan_selections'),
    ('effectuated_selections'),
    ('effectuation_rate'),
    ('special_enrollment_selections'),
    ('sep_share'),
    ('disenrollments'),
    ('followed_member_months'),
    ('disenrollment_rate_monthly'),
    ('nonpayment_terminations'),
    ('billed_members'),
    ('nonpayment_termination_rate'),
    ('grace_period_members'),
    ('median_tenure_months'),
    ('gross_premium'),
    ('aptc_amount'),
    ('net_premium_member'),
    ('premium_pmpm'),
    ('aptc_member_months'),
    ('aptc_share'),
    ('csr_member_months'),
    ('csr_share'),
    ('premium_billed'),
    ('premium_collected'),
    ('premium_collection_rate'),
    ('claims_billed'),
    ('claims_allowed'),
    ('claims_paid'),
    ('claims_paid_out'),
    ('paid_loss_ratio'),
    ('paid_lines'),
    ('paid_lines_per_1000'),
    ('allowed_per_line'),
    ('allowed_pmpm'),
    ('paid_pmpm'),
    ('deductible_paid'),
    ('member_cost_share'),
    ('cost_share_ratio'),
    ('realised_actuarial_value'),
    ('reserve_ibnr'),
    ('incurred_but_not_paid'),
    ('claims_incurred'),
    ('incurred_pmpm'),
    ('medical_loss_ratio'),
    ('rolling_claims_incurred'),
    ('rolling_premium'),
    ('medical_loss_ratio_simple'),
    ('gross_margin'),
    ('gross_margin_pmpm'),
    ('rolling_allowed'),
    ('rolling_member_months'),
    ('prior_allowed'),
    ('prior_member_months'),
    ('rolling_allowed_pmpm'),
    ('prior_allowed_pmpm'),
    ('trend_pmpm_yoy'),
    ('paid_to_date'),
    ('ultimate_paid'),
    ('completion_factor'),
    ('ibnr_error_amount'),
    ('actual_run_out'),
    ('ibnr_restated_error'),
    ('admissions'),
    ('admits_per_1000'),
    ('inpatient_days'),
    ('days_per_1000'),
    ('discharges'),
    ('discharged_days'),
    ('average_length_of_stay'),
    ('index_discharges'),
    ('readmissions'),
    ('readmission_30d_rate'),
    ('visits'),
    ('visits_per_1000'),
    ('ed_visits'),
    ('ed_visits_per_1000'),
    ('ed_visits_all'),
    ('ed_visits_admitted'),
    ('ed_admission_rate'),
    ('ed_avoidable_visits'),
    ('ed_avoidable_share'),
    ('office_visits'),
    ('office_visits_per_1000'),
    ('specialist_visits'),
    ('specialist_visits_per_1000'),
    ('telehealth_visits'),
    ('telehealth_share'),
    ('rx_fills'),
    ('rx_fills_per_member_year'),
    ('generic_fills'),
    ('generic_dispensing_rate'),
    ('drug_allowed'),
    ('specialty_drug_allowed'),
    ('specialty_rx_share_of_spend'),
    ('claims_received'),
    ('claims_decided'),
    ('lines_decided'),
    ('lines_denied'),
    ('denial_rate_line'),
    ('claims_denied'),
    ('denial_rate_claim'),
    ('billed_decided'),
    ('billed_denied'),
    ('denied_amount_share'),
    ('lines_denied_all_reasons'),
    ('denial_reason_mix'),
    ('lines_denied_as_duplicate'),
    ('duplicate_rate'),
    ('claims_with_denial'),
    ('claims_appealed'),
    ('appeal_rate'),
    ('appeals_filed'),
    ('appeals_decided'),
    ('appeals_overturned'),
    ('appeal_overturn_rate'),
    ('clean_claims'),
    ('clean_claim_rate'),
    ('claims_ever_pended'),
    ('pend_rate'),
    ('pended_inventory'),
    ('days_service_to_receipt'),
    ('days_spent_to_receipt'),
    ('average_days_to_receipt'),
    ('days_spent_to_decision'),
    ('average_days_to_decision'),
    ('days_receipt_to_paid'),
    ('prompt_claims'),
    ('prompt_pay_rate'),
    ('claims_paid_count'),
    ('claims_corrected'),
    ('adjustment_rate'),
    ('reversal_amount'),
    ('high_cost_claimants_50k'),
    ('high_cost_claimants'),
    ('high_cost_claimants_250k'),
    ('high_cost_claimants_500k'),
    ('high_cost_claimants_1m'),
    ('high_cost_paid'),
    ('rolling_paid'),
    ('high_cost_share'),
    ('out_of_network_allowed'),
    ('out_of_network_leakage'),
    ('nonemergency_allowed'),
    ('nonemergency_out_of_network_allowed'),
    ('steerable_leakage'),
    ('active_providers')) AS listed(metric)
  UNION ALL
  SELECT
    'aca' AS domain,
    wide.tenant_id,
    'year' AS period_grain,
    wide.period,
    listed.metric,
    CASE listed.metric
      WHEN 'new_member_rate'
      THEN wide.new_members::DECIMAL(38, 6)
      WHEN 'retention_rate'
      THEN wide.retained_members::DECIMAL(38, 6)
      WHEN 'plan_switch_rate'
      THEN wide.switched_members::DECIMAL(38, 6)
      WHEN 'zero_claim_members_share'
      THEN wide.zero_claim_members::DECIMAL(38, 6)
      WHEN 'hcc_prevalence'
      THEN wide.members_with_condition::DECIMAL(38, 6)
      WHEN 'hcc_recapture_rate'
      THEN wide.conditions_recaptured::DECIMAL(38, 6)
      WHEN 'risk_score_plan_liability'
      THEN wide.risk_weighted_member_months::DECIMAL(38, 6)
      WHEN 'spend_top_1_percent_share'
      THEN wide.top_1_percent_allowed::DECIMAL(38, 6)
      WHEN 'spend_top_5_percent_share'
      THEN wide.top_5_percent_allowed::DECIMAL(38, 6)
      WHEN 'spend_top_decile_share'
      THEN wide.top_10_percent_allowed::DECIMAL(38, 6)
      WHEN 'spend_bottom_50_percent_share'
      THEN wide.bottom_50_percent_allowed::DECIMAL(38, 6)
      WHEN 'high_cost_persistence'
      THEN wide.top_5_percent_again::DECIMAL(38, 6)
      WHEN 'attribution_rate'
      THEN wide.attributed_members::DECIMAL(38, 6)
      WHEN 'preventive_visit_rate'
      THEN wide.preventive_members::DECIMAL(38, 6)
      WHEN 'gap_breast_cancer_screening'
      THEN wide.breast_screening_missing::DECIMAL(38, 6)
      WHEN 'gap_colorectal_screening'
      THEN wide.colorectal_screening_missing::DECIMAL(38, 6)
      WHEN 'gap_diabetes_a1c'
      THEN wide.diabetic_members_without_a1c::DECIMAL(38, 6)
    END AS numerator,
    CASE listed.metric
      WHEN 'new_member_rate'
      THEN wide.members_with_history::DECIMAL(38, 6)
      WHEN 'retention_rate'
      THEN wide.renewable_members::DECIMAL(38, 6)
      WHEN 'plan_switch_rate'
      THEN wide.retained_members::DECIMAL(38, 6)
      WHEN 'zero_claim_members_share'
      THEN wide.fully_covered_members::DECIMAL(38, 6)
      WHEN 'hcc_prevalence'
      THEN wide.covered_members::DECIMAL(38, 6)
      WHEN 'hcc_recapture_rate'
      THEN wide.conditions_up_for_recapture::DECIMAL(38, 6)
      WHEN 'risk_score_plan_liability'
      THEN wide.adult_member_months::DECIMAL(38, 6)
      WHEN 'spend_top_1_percent_share'
      THEN wide.yearly_allowed::DECIMAL(38, 6)
      WHEN 'spend_top_5_percent_share'
      THEN wide.yearly_allowed::DECIMAL(38, 6)
      WHEN 'spend_top_decile_share'
      THEN wide.yearly_allowed::DECIMAL(38, 6)
      WHEN 'spend_bottom_50_percent_share'
      THEN wide.yearly_allowed::DECIMAL(38, 6)
      WHEN 'high_cost_persistence'
      THEN wide.top_5_percent_followed::DECIMAL(38, 6)
      WHEN 'attribution_rate'
      THEN wide.members_with_visit::DECIMAL(38, 6)
      WHEN 'preventive_visit_rate'
      THEN wide.preventive_eligible_members::DECIMAL(38, 6)
      WHEN 'gap_breast_cancer_screening'
      THEN wide.breast_screening_due::DECIMAL(38, 6)
      WHEN 'gap_colorectal_screening'
      THEN wide.colorectal_screening_due::DECIMAL(38, 6)
      WHEN 'gap_diabetes_a1c'
      THEN wide.diabetic_members::DECIMAL(38, 6)
    END AS denominator,
    CASE listed.metric
      WHEN 'new_members'
      THEN wide.new_members::DECIMAL(38, 6)
      WHEN 'members_with_history'
      THEN wide.members_with_history::DECIMAL(38, 6)
      WHEN 'new_member_rate'
      THEN wide.new_member_rate::DECIMAL(38, 6)
      WHEN 'renewable_members'
      THEN wide.renewable_members::DECIMAL(38, 6)
      WHEN 'retained_members'
      THEN wide.retained_members::DECIMAL(38, 6)
      WHEN 'retention_rate'
      THEN wide.retention_rate::DECIMAL(38, 6)
      WHEN 'switched_members'
      THEN wide.switched_members::DECIMAL(38, 6)
      WHEN 'plan_switch_rate'
      THEN wide.plan_switch_rate::DECIMAL(38, 6)
      WHEN 'fully_covered_members'
      THEN wide.fully_covered_members::DECIMAL(38, 6)
      WHEN 'zero_claim_members'
      THEN wide.zero_claim_members::DECIMAL(38, 6)
      WHEN 'zero_claim_members_share'
      THEN wide.zero_claim_members_share::DECIMAL(38, 6)
      WHEN 'members_with_condition'
      THEN wide.members_with_condition::DECIMAL(38, 6)
      WHEN 'covered_members'
      THEN wide.covered_members::DECIMAL(38, 6)
      WHEN 'hcc_prevalence'
      THEN wide.hcc_prevalence::DECIMAL(38, 6)
      WHEN 'conditions_up_for_recapture'
      THEN wide.conditions_up_for_recapture::DECIMAL(38, 6)
      WHEN 'conditions_recaptured'
      THEN wide.conditions_recaptured::DECIMAL(38, 6)
      WHEN 'hcc_recapture_rate'
      THEN wide.hcc_recapture_rate::DECIMAL(38, 6)
      WHEN 'risk_weighted_member_months'
      THEN wide.risk_weighted_member_months::DECIMAL(38, 6)
      WHEN 'adult_member_months'
      THEN wide.adult_member_months::DECIMAL(38, 6)
      WHEN 'risk_score_plan_liability'
      THEN wide.risk_score_plan_liability::DECIMAL(38, 6)
      WHEN 'yearly_allowed'
      THEN wide.yearly_allowed::DECIMAL(38, 6)
      WHEN 'top_1_percent_allowed'
      THEN wide.top_1_percent_allowed::DECIMAL(38, 6)
      WHEN 'spend_top_1_percent_share'
      THEN wide.spend_top_1_percent_share::DECIMAL(38, 6)
      WHEN 'top_5_percent_allowed'
      THEN wide.top_5_percent_allowed::DECIMAL(38, 6)
      WHEN 'spend_top_5_percent_share'
      THEN wide.spend_top_5_percent_share::DECIMAL(38, 6)
      WHEN 'top_10_percent_allowed'
      THEN wide.top_10_percent_allowed::DECIMAL(38, 6)
      WHEN 'spend_top_decile_share'
      THEN wide.spend_top_decile_share::DECIMAL(38, 6)
      WHEN 'bottom_50_percent_allowed'
      THEN wide.bottom_50_percent_allowed::DECIMAL(38, 6)
      WHEN 'spend_bottom_50_percent_share'
      THEN wide.spend_bottom_50_percent_share::DECIMAL(38, 6)
      WHEN 'top_5_percent_followed'
      THEN wide.top_5_percent_followed::DECIMAL(38, 6)
      WHEN 'top_5_percent_again'
      THEN wide.top_5_percent_again::DECIMAL(38, 6)
      WHEN 'high_cost_persistence'
      THEN wide.high_cost_persistence::DECIMAL(38, 6)
      WHEN 'members_with_visit'
      THEN wide.members_with_visit::DECIMAL(38, 6)
      WHEN 'attributed_members'
      THEN wide.attributed_members::DECIMAL(38, 6)
      WHEN 'attribution_rate'
      THEN wide.attribution_rate::DECIMAL(38, 6)
      WHEN 'preventive_eligible_members'
      THEN wide.preventive_eligible_members::DECIMAL(38, 6)
      WHEN 'preventive_members'
      THEN wide.preventive_members::DECIMAL(38, 6)
      WHEN 'preventive_visit_rate'
      THEN wide.preventive_visit_rate::DECIMAL(38, 6)
      WHEN 'breast_screening_due'
      THEN wide.breast_screening_due::DECIMAL(38, 6)
      WHEN 'breast_screening_missing'
      THEN wide.breast_screening_missing::DECIMAL(38, 6)
      WHEN 'gap_breast_cancer_screening'
      THEN wide.gap_breast_cancer_screening::DECIMAL(38, 6)
      WHEN 'colorectal_screening_due'
      THEN wide.colorectal_screening_due::DECIMAL(38, 6)
      WHEN 'colorectal_screening_missing'
      THEN wide.colorectal_screening_missing::DECIMAL(38, 6)
      WHEN 'gap_colorectal_screening'
      THEN wide.gap_colorectal_screening::DECIMAL(38, 6)
      WHEN 'diabetic_members'
      THEN wide.diabetic_members::DECIMAL(38, 6)
      WHEN 'diabetic_members_without_a1c'
      THEN wide.diabetic_members_without_a1c::DECIMAL(38, 6)
      WHEN 'gap_diabetes_a1c'
      THEN wide.gap_diabetes_a1c::DECIMAL(38, 6)
    END AS value
  FROM semantic.aca_metrics_yearly AS wide
  CROSS JOIN (VALUES
    ('new_members'),
    ('members_with_history'),
    ('new_member_rate'),
    ('renewable_members'),
    ('retained_members'),
    ('retention_rate'),
    ('switched_members'),
    ('plan_switch_rate'),
    ('fully_covered_members'),
    ('zero_claim_members'),
    ('zero_claim_members_share'),
    ('members_with_condition'),
    ('covered_members'),
    ('hcc_prevalence'),
    ('conditions_up_for_recapture'),
    ('conditions_recaptured'),
    ('hcc_recapture_rate'),
    ('risk_weighted_member_months'),
    ('adult_member_months'),
    ('risk_score_plan_liability'),
    ('yearly_allowed'),
    ('top_1_percent_allowed'),
    ('spend_top_1_percent_share'),
    ('top_5_percent_allowed'),
    ('spend_top_5_percent_share'),
    ('top_10_percent_allowed'),
    ('spend_top_decile_share'),
    ('bottom_50_percent_allowed'),
    ('spend_bottom_50_percent_share'),
    ('top_5_percent_followed'),
    ('top_5_percent_again'),
    ('high_cost_persistence'),
    ('members_with_visit'),
    ('attributed_members'),
    ('attribution_rate'),
    ('preventive_eligible_members'),
    ('preventive_members'),
    ('preventive_visit_rate'),
    ('breast_screening_due'),
    ('breast_screening_missing'),
    ('gap_breast_cancer_screening'),
    ('colorectal_screening_due'),
    ('colorectal_screening_missing'),
    ('gap_colorectal_screening'),
    ('diabetic_members'),
    ('diabetic_members_without_a1c'),
    ('gap_diabetes_a1c')) AS listed(metric)
)
SELECT
  domain::TEXT AS domain, /* domain of the registry */
  tenant_id::TEXT AS tenant_id, /* tenant whose data it is */
  period_grain::TEXT AS period_grain, /* length of the period: month or year */
  period::DATE AS period, /* first day of the period */
  metric::TEXT AS metric, /* name in the registry */
  numerator::DECIMAL(38, 6) AS numerator, /* what a ratio divides; NULL for others */
  denominator::DECIMAL(38, 6) AS denominator, /* what a ratio is over; NULL for others */
  value::DECIMAL(38, 6) AS value /* the metric; NULL when a ratio has nothing to divide by */
FROM longs
