"""Every ACA metric on the tiny world, its right value worked out by hand from rows and formula.

A number alone is the value over everything; a dict is split, by months ("2024-06"), years ("2024")
or names. The arithmetic stands beside it. Ratios are exact in six decimals, rates and money in two.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

import duckdb
import pytest
from metrics_world import WORLD

from semantic.compiler import compile_query
from semantic.definitions import Additivity, Grain
from semantic.query import Query, parse_condition
from semantic.registry import Registry, load_registry

Key = str | int | tuple[str | int, ...]
Value = float | None

MONTHLY: dict[str, Any] = {"grain": Grain.MONTH}
YEARLY: dict[str, Any] = {"grain": Grain.YEAR}


@dataclass(frozen=True)
class Case:
    """A question to one metric and the answer that is right.

    Attributes:
    """

    metric: str
    expected: Value | dict[Key, Value]
    asked: dict[str, Any] = field(default_factory=dict)


def by(*names: str, **asked: Any) -> dict[str, Any]:
    return {"by": names, **asked}


def first(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


MEMBERSHIP = [
    Case("member_months", 40),  # Ann 14 + Ben 6 + Cat 12 + Dan 6 + Eve 2
    Case("member_months", {"2024": 34, "2025": 6}, YEARLY),  # 12 + 6 + 12 + 4; 2 + 2 + 2
    # Ann 14 + Ben 6; Cat; Dan; Eve, whose plan no dimension knows
    Case(
        "member_months",
        {"silver": 20, "bronze": 12, "gold": 6, "unknown": 2},
        by("metal_tier"),
    ),
    Case("member_months", {"TX": 32, "OH": 6, "unknown": 2}, by("state")),  # 14 + 6 + 12; 6; 2
    Case("months_on_record", 14),  # January 2024 to February 2025, in either issuer
    Case("months_on_record", {"north": 14, "south": 6}, by("tenant_id")),
    Case("months_on_record", {"2024": 12, "2025": 2}, YEARLY),
    Case("average_members", 3, {"end": first("2024-02")}),  # 3 member months / 1 month
    # Ann and Ben; Cat
    Case(
        "average_members",
        {"silver": 2, "bronze": 1},
        by("metal_tier", end=first("2024-02")),
    ),
    # 40 member months / 14 months
    Case("average_members", 2.86),
    # in February 2025: Ann; Dan and Eve
    Case("effectuated_enrollment", {"north": 1, "south": 2}, by("tenant_id")),
    Case("effectuated_enrollment", 3),  # 1 + 2, and not the 40 of all months
    # December 2024: Ann, Cat, Dan; February 2025: Ann, Dan, Eve
    Case("effectuated_enrollment", {"2024": 3, "2025": 3}, YEARLY),
    Case("effectuated_enrollment", {"silver": 1, "gold": 1, "unknown": 1}, by("metal_tier")),
    # Ann, Ben, Cat; Dan; Eve and the cancelled one; the one without a date did not happen
    Case("plan_selections", {"2023-12": 3, "2024-08": 1, "2024-12": 2}, MONTHLY),
    Case("effectuated_selections", {"2023-12": 3, "2024-08": 1, "2024-12": 1}, MONTHLY),
    Case("effectuation_rate", 0.833333),  # 5 / 6
    Case("effectuation_rate", {"2023-12": 1, "2024-08": 1, "2024-12": 0.5}, MONTHLY),
    Case("special_enrollment_selections", 1),  # Dan
    Case("sep_share", 0.166667),  # 1 / 6
    Case(
        "sep_share",
        {"auto_renewal": 0, "open_enrollment": 0, "special_enrollment": 1},  # 0 / 1, 0 / 4, 1 / 1
        by("enrollment_source"),
    ),
    Case("new_members", {"2024": 0, "2025": 1}, YEARLY),  # not known in the first year; Eve
    Case("members_with_history", {"2024": 0, "2025": 3}, YEARLY),  # Ann, Dan, Eve
    Case("new_member_rate", {"2024": None, "2025": 0.333333}, YEARLY),  # 0 / 0; 1 / 3
    Case("renewable_members", {"2024": 3, "2025": 0}, YEARLY),  # Ann, Cat, Dan; Ben had left
    Case("retained_members", {"2024": 2, "2025": 0}, YEARLY),  # Ann, Dan
    Case("retention_rate", 0.666667),  # 2 / 3
    # Ann 1 / 1, Cat 0 / 1, Dan 1 / 1, Eve's 2025 is not over
    Case(
        "retention_rate",
        {"silver": 1, "bronze": 0, "gold": 1, "unknown": None},
        by("metal_tier"),
    ),
    Case("switched_members", 1),  # Dan
    Case("plan_switch_rate", 0.5),  # 1 / 2
    Case("disenrollments", {"2024-06": 1, "2024-12": 1}, MONTHLY),  # Ben; Cat
    Case("followed_member_months", {"2024": 34, "2025": 3}, YEARLY),  # 34; 6 - 3 of February
    Case("disenrollment_rate_monthly", 0.054054),  # 2 / 37
    Case(
        "disenrollment_rate_monthly",
        {"2024-06": 0.333333, "2024-07": 0},  # Ben of 3; none of Ann and Cat
        {**MONTHLY, "start": first("2024-06"), "end": first("2024-08")},
    ),
    Case(
        "disenrollment_rate_monthly",
        {"non_payment": 0.027027, "not_renewed": 0.027027},  # 1 / 37 each
        by("termination_reason"),
    ),
    Case("nonpayment_terminations", {"2024-06": 1, "2024-12": 0}, MONTHLY),  # Ben; Cat did pay
    # Ben; Ben and twice Ann, not Cat with nothing to pay; Dan and Eve
    Case("billed_members", {"2024-05": 1, "2024-06": 2, "2025-01": 2}, MONTHLY),
    Case("billed_members", 4),  # Ann, Ben, Dan, Eve
    Case("nonpayment_termination_rate", 0.25),  # 1 / 4
    Case(
        "nonpayment_termination_rate",
        {"2024-05": 0, "2024-06": 0.5},  # 0 / 1; 1 / 2
        {**MONTHLY, "end": first("2024-07")},
    ),
    Case("grace_period_members", {"2024-06": 2, "2024-07": 1, "2025-02": 1}, MONTHLY),
    Case("grace_period_members", 1, {"end": first("2024-08")}),  # Cat in July, and not June's two
    # At the end of February 2025 only Eve is in grace; Cat was in July.
    Case("grace_period_members", 1),
    Case("median_tenure_months", 6),  # February 2025: Eve 2, Dan 6, Ann 14
    Case("median_tenure_months", {"north": 14, "south": 4}, by("tenant_id")),  # 14; (2 + 6) / 2
    Case("median_tenure_months", {"2024": 12, "2025": 6}, YEARLY),  # December: 4, 12, 12
]

FINANCE = [
    # Ann 14 * 500 + Ben 6 * 400 = 9400; Cat 12 * 300; Dan 6 * 600; Eve 2 * 450
    Case(
        "gross_premium",
        {"silver": 9400, "bronze": 3600, "gold": 3600, "unknown": 900},
        by("metal_tier"),
    ),
    Case("gross_premium", 17500),  # 9400 + 3600 + 3600 + 900
    # Ann 14 * 300; Cat 12 * 100; Dan none; Eve's is not known
    Case(
        "aptc_amount", {"silver": 4200, "bronze": 1200, "gold": 0, "unknown": 0}, by("metal_tier")
    ),
    Case("net_premium_member", 12100),  # 17500 - 5400
    Case("premium_pmpm", 437.5),  # 17500 / 40
    # 9400 / 20, 3600 / 12, 3600 / 6, 900 / 2
    Case(
        "premium_pmpm",
        {"silver": 470, "bronze": 300, "gold": 600, "unknown": 450},
        by("metal_tier"),
    ),
    Case("aptc_member_months", 26),  # Ann 14 + Cat 12
    Case("aptc_share", 0.65),  # 26 / 40
    Case("csr_member_months", 20),  # variant 04: Ann 14 + Ben 6
    Case("csr_share", {"north": 0.625, "south": 0}, by("tenant_id")),  # 20 / 32; 0 / 8
    # 400; 400 + 200 + 50 + void 0; Dan's January is due in December; Eve
    Case(
        "premium_billed",
        {"2024-05": 400, "2024-06": 650, "2024-12": 600, "2025-01": 450},
        MONTHLY,
    ),
    Case(
        "premium_collected", {"2024-05": 400, "2024-06": 225, "2024-12": 600, "2025-01": 0}, MONTHLY
    ),
    Case("premium_collection_rate", 0.583333),  # 1225 / 2100
    Case(
        "premium_collection_rate",
        {"2024-05": 1, "2024-06": 0.346154, "2024-12": 1, "2025-01": 0},  # June: 225 / 650
        MONTHLY,
    ),
    # 150 + 30000 + 300 + 2500 + 80 + 6000 + 150 + 400 + 1000 + 2000, without reversed and pended
    Case("claims_billed", 42580),
    # c1 100 + c8 300; c2; c4; c5 60 + c6 5600 + c12 1700; c10, whose procedure nobody knows
    Case(
        "claims_allowed",
        {"office_visit": 400, "inpatient": 20000, "emergency": 1500, "drug": 7360, "unknown": 800},
        by("service_category"),
    ),
    Case("claims_allowed", 30060),  # 400 + 20000 + 1500 + 7360 + 800
    # c1 60 + c4 900; c8 200 + c12 1500; c2, not the reversed c9; c5 45 + c6 5000; c10
    Case(
        "claims_paid",
        {
            "family medicine": 960,
            "cardiology": 1700,
            "hospital": 17000,
            "pharmacy": 5045,
            "unknown": 791,
        },
        by("specialty"),
    ),
    Case("claims_paid", {"2024": 23205, "2025": 2291}, YEARLY),  # north 23005 + 200; 791 + 1500
    Case("claims_paid", {"TX": 23005, "OH": 200, "unknown": 2291}, by("state")),
    # by the day of payment: 60; 16000; 1000 + 900; 45 + 5000; 200; 280; -280; 791 + 1500
    Case(
        "claims_paid_out",
        {
            "2024-01": 60,
            "2024-03": 16000,
            "2024-04": 1900,
            "2024-05": 5045,
            "2024-11": 200,
            "2024-12": 280,
            "2025-01": -280,
            "2025-02": 2291,
        },
        MONTHLY,
    ),
    Case("claims_paid_out", 25496),  # the same as claims_paid, over all time
    # 25496 / (Ann 7000 + Ben 2400 + Cat 3600 + Dan 3600 + Eve 900)
    Case("paid_loss_ratio", 1.456914),
    # 23005 / 9400, no claims / 3600, 200 / 3600, 2291 / 900
    Case(
        "paid_loss_ratio",
        {"silver": 2.447340, "bronze": 0, "gold": 0.055556, "unknown": 2.545556},
        by("metal_tier"),
    ),
    Case("paid_lines", 8),  # c1 c2 c4 c5 c6 c8 c10 c12
    Case("paid_lines_per_1000", 2400),  # 8 * 12000 / 40
    # c4 and c8 * 12000 / 40, the others
    Case("paid_lines_per_1000", {"in network": 1800, "out of network": 600}, by("network_status")),
    Case("allowed_per_line", 3757.5),  # 30060 / 8
    # 100 and 300; 20000; 1500; 60, 5600 and 1700; 800
    Case(
        "allowed_per_line",
        {
            "office_visit": 200,
            "inpatient": 20000,
            "emergency": 1500,
            "drug": 2453.33,
            "unknown": 800,
        },
        by("service_category"),
    ),
    Case("allowed_pmpm", 751.5),  # 30060 / 40
    # over all 40 months: 400, 20000, 1500, 7360, 800
    Case(
        "allowed_pmpm",
        {"office_visit": 10, "inpatient": 500, "emergency": 37.5, "drug": 184, "unknown": 20},
        by("service_category"),
    ),
    Case("paid_pmpm", 637.4),  # 25496 / 40
    # 23005 / 20, no claims / 12, 200 / 6, 2291 / 2
    Case(
        "paid_pmpm",
        {"silver": 1150.25, "bronze": 0, "gold": 33.33, "unknown": 1145.5},
        by("metal_tier"),
    ),
    # over all 40 months: 24396 (c1 c2 c5 c6 c10 c12) and 1100 (c4 c8)
    Case("paid_pmpm", {"in network": 609.9, "out of network": 27.5}, by("network_status")),
    Case("deductible_paid", 1650),  # c2 1000 + c4 600 + c8 50
    # c1 40 + c2 3000 + c4 600 + c5 15 + c6 600 + c8 100 + c10 9 + c12 200
    Case("member_cost_share", 4564),
    Case("cost_share_ratio", 0.15183),  # 4564 / 30060
    Case("realised_actuarial_value", 0.84817),  # 25496 / 30060
    # 23005 / 27260; 200 / 300; 2291 / 2500
    Case(
        "realised_actuarial_value",
        {"silver": 0.843910, "gold": 0.666667, "unknown": 0.9164},
        by("metal_tier"),
    ),
    Case("reserve_ibnr", 800),  # as of February 2025: north 100 + 200, south 500
    Case("reserve_ibnr", {"2024-01": 80, "2024-02": 45, "2025-01": 150, "2025-02": 800}, MONTHLY),
    Case(
        "incurred_but_not_paid",  # of the current valuation only
        {"2024-01": 0, "2024-12": 0, "2025-01": 100, "2025-02": 700},
        MONTHLY,
    ),
    Case("claims_incurred", 26296),  # 25496 + 800
    Case(
        "claims_incurred",
        {"2025-01": 891, "2025-02": 2200},  # c10 791 + 100; c12 1500 + 700
        {**MONTHLY, "start": first("2025-01")},
    ),
    Case("incurred_pmpm", 657.4),  # 26296 / 40
    Case("incurred_pmpm", 297, {"start": first("2025-01"), "end": first("2025-02")}),  # 891 / 3
    Case("medical_loss_ratio", 1.502629),  # 26296 / 17500
    Case("gross_margin", -8796),  # 17500 - 26296
    Case("gross_margin_pmpm", -219.9),  # -8796 / 40
    # February 2025: north 400000 + 3000, south 800000 + 5000
    Case("rolling_claims_incurred", 1208000),
    # December 2024, as it stood then: north 570000 + 1000, south 900 + 50
    Case("rolling_claims_incurred", 571950, {"end": first("2025-01")}),
    Case("rolling_premium", {"2024": 603000, "2025": 1500000}, YEARLY),  # 600 + 3; 600 + 900
    Case("medical_loss_ratio_simple", 0.805333),  # 1208000 / 1500000
    # south has no year before
    Case("rolling_allowed", {"north": 480000, "south": 0}, by("tenant_id")),
    Case("rolling_member_months", {"north": 300, "south": 0}, by("tenant_id")),
    Case("prior_allowed", {"north": 300000, "south": 0}, by("tenant_id")),
    Case("prior_member_months", {"north": 200, "south": 0}, by("tenant_id")),
    Case("rolling_allowed_pmpm", 1600),  # 480000 / 300
    Case("prior_allowed_pmpm", 1500),  # 300000 / 200
    Case("trend_pmpm_yoy", 0.066667),  # 1600 / 1500 - 1
    Case("trend_pmpm_yoy", {"north": 0.066667, "south": None}, by("tenant_id")),
    Case("paid_to_date", 2791),  # current: 400 + 100 + 2291
    Case("paid_to_date", {"2024-01": 0, "2024-12": 0, "2025-01": 400, "2025-02": 2391}, MONTHLY),
    Case("ultimate_paid", 5332),  # 400 / 0.8 + 100 / 0.4 + 2291 / 0.5 = 500 + 250 + 4582
    Case(
        "ultimate_paid",
        {"2024-01": 0, "2024-12": 0, "2025-01": 500, "2025-02": 4832},
        MONTHLY,
    ),
    Case("completion_factor", 0.523443),  # 2791 / 5332
    # (100 + 2291) / (250 + 4582); 400 / 500
    Case("completion_factor", {0: 0.494826, 1: 0.8}, by("lag_month")),
    # 80 - 100; 45 - 50; not known yet
    Case(
        "ibnr_error_amount",
        {"2024-01": -20, "2024-02": -5, "2025-01": 0, "2025-02": 0},
        MONTHLY,
    ),
    Case("ibnr_error_amount", {"2024": -5, "2025": 0}, YEARLY),  # of the last valuation
    Case("actual_run_out", {"2024": 50, "2025": 0}, YEARLY),
    Case("ibnr_restated_error", {"2024": -0.1, "2025": None}, YEARLY),  # -5 / 50
]

UTILIZATION = [
    Case("admissions", {"2024": 3, "2025": 1}, YEARLY),
    Case(
        "admissions",
        {"emergency": 1, "urgent": 1, "elective": 1, "unknown": 1},
        by("admission_type"),
    ),
    Case("admits_per_1000", {"2024": 1058.82, "2025": 2000}, YEARLY),  # 36000 / 34; 12000 / 6
    # over all 40 months: 36000 / 40; 12000 / 40
    Case("admits_per_1000", {"hospital": 900, "unknown": 300}, by("specialty")),
    Case("inpatient_days", {"2024": 19, "2025": 1}, YEARLY),  # 5 + 11 + 3; 1
    Case("days_per_1000", 6000),  # 20 * 12000 / 40
    Case("days_per_1000", {"hospital": 5700, "unknown": 300}, by("specialty")),  # 19; 1
    Case("discharges", {"2024": 2, "2025": 2}, YEARLY),  # the third stay ends in January
    Case("discharged_days", {"2024": 16, "2025": 4}, YEARLY),  # 5 + 11; 3 + 1
    Case("average_length_of_stay", {"2024": 8, "2025": 2}, YEARLY),  # 16 / 2; 4 / 2
    Case("index_discharges", {"2024-02": 1, "2024-03": 1, "2025-01": 0, "2025-02": 0}, MONTHLY),
    Case("readmissions", {"2024-02": 1, "2024-03": 0, "2025-01": 0, "2025-02": 0}, MONTHLY),
    Case("readmission_30d_rate", 0.5),  # 1 / 2
    Case(
        "readmission_30d_rate",
        {"2024-02": 1, "2024-03": 0, "2025-01": None, "2025-02": None},
        MONTHLY,
    ),
    Case("visits", 8),
    Case("visits", {"north": 4, "south": 4}, by("tenant_id")),
    Case("visits_per_1000", 2400),  # 8 * 12000 / 40
    # Ann and Ben 4 * 12000 / 32; Dan 2 * 12000 / 6; Eve 2 * 12000 / 2
    Case("visits_per_1000", {"TX": 1500, "OH": 4000, "unknown": 12000}, by("state")),
    Case("ed_visits", 2),  # Ben's and Dan's, not Ann's, who was admitted; urgent care is apart
    Case("ed_visits_per_1000", 600),  # 2 * 12000 / 40
    # Ben 12000 / 32; Dan 12000 / 6; none / 2
    Case("ed_visits_per_1000", {"TX": 375, "OH": 2000, "unknown": 0}, by("state")),
    Case(
        "ed_visits_per_1000",
        {"hospital": 600, "cardiology": 0, "family medicine": 0, "unknown": 0},
        by("specialty"),
    ),
    Case("ed_visits_all", 3),
    Case("ed_visits_admitted", 1),  # Ann
    Case("ed_admission_rate", 0.333333),  # 1 / 3
    # 0.1 + 0.6 + 0.25
    Case("ed_avoidable_visits", 0.95),
    Case("ed_avoidable_share", 0.316667),  # 0.95 / 3
    Case("office_visits", {"2024": 3, "2025": 0}, YEARLY),  # Ann twice, once remote, and Dan
    Case("office_visits_per_1000", 900),  # 3 * 12000 / 40
    Case(
        "office_visits_per_1000",
        {"family medicine": 300, "cardiology": 600, "hospital": 0, "unknown": 0},  # 1, 2
        by("specialty"),
    ),
    Case("specialist_visits", 2),  # Ann's remote one and Dan's; urgent care is no office visit
    Case("specialist_visits_per_1000", 600),  # 2 * 12000 / 40
    Case(
        "specialist_visits_per_1000",
        {"cardiology": 600, "family medicine": 0, "hospital": 0, "unknown": 0},
        by("specialty"),
    ),
    Case("telehealth_visits", 1),  # Ann
    Case("telehealth_share", 0.333333),  # 1 / 3
    Case("rx_fills", 4),  # c5 3 + c6 1; the 40 units that a doctor gave (c12) are no fill
    Case("rx_fills_per_member_year", 1.2),  # 4 * 12 / 40
    # over all 40 months: 4 of the pharmacy
    Case(
        "rx_fills_per_member_year",
        {"pharmacy": 1.2, "professional": 0, "inpatient": 0, "outpatient": 0},
        by("claim_type"),
    ),
    Case("generic_fills", 3),  # c5
    Case("generic_dispensing_rate", 0.75),  # 3 / 4
    Case("drug_allowed", 5660),  # c5 60 + c6 5600
    Case("specialty_drug_allowed", 5600),  # c6
    Case("specialty_rx_share_of_spend", 0.989399),  # 5600 / 5660
    Case("fully_covered_members", {"2024": 2, "2025": 0}, YEARLY),  # Ann, Cat
    Case("zero_claim_members", {"2024": 1, "2025": 0}, YEARLY),  # Cat
    Case("zero_claim_members_share", {"2024": 0.5, "2025": None}, YEARLY),  # 1 / 2; 0 / 0
]

CLAIMS_OPERATIONS = [
    # c1 c3 c7 c8 c12; c2; c4 c9 c10; c5 c6 c11
    Case(
        "claims_received",
        {"professional": 5, "inpatient": 1, "outpatient": 3, "pharmacy": 3},
        by("claim_type"),
    ),
    Case("claims_decided", {"2024": 9, "2025": 2}, YEARLY),  # c1 to c9; c10, c12; c11 waits
    Case("lines_decided", 10),  # 12 without the reversed c9 and the pended c11
    # in January a reversal; in February c10, c12
    Case("lines_decided", {"2025-01": 0, "2025-02": 2}, {**MONTHLY, "start": first("2025-01")}),
    # c7; c3
    Case(
        "lines_denied",
        {"2024-02": 1, "2024-03": 1},
        {**MONTHLY, "start": first("2024-02"), "end": first("2024-04")},
    ),
    Case("denial_rate_line", 0.2),  # 2 / 10
    # c7 of c1 c2 c5 c6 c7 c10 c12; c3 of c3 c4 c8
    Case(
        "denial_rate_line",
        {"in network": 0.142857, "out of network": 0.333333},
        by("network_status"),
    ),
    Case("claims_denied", 2),  # c3, c7
    Case(
        "claims_denied",
        {"2024-02": 1, "2024-03": 1},  # c7, received in January; c3
        {**MONTHLY, "start": first("2024-02"), "end": first("2024-04")},
    ),
    Case("denial_rate_claim", 0.181818),  # 2 / 11: the reversed c9 was decided too
    Case("billed_decided", {"2024": 39580, "2025": 3000}, YEARLY),  # 42580 - 3000; c10 + c12
    Case("billed_decided", {"2025-01": 0, "2025-02": 3000}, {**MONTHLY, "start": first("2025-01")}),
    Case(
        "billed_denied",
        {"2024-02": 150, "2024-03": 300},
        {**MONTHLY, "start": first("2024-02"), "end": first("2024-04")},
    ),
    Case("billed_denied", 450),  # c3 300 + c7 150
    Case("denied_amount_share", 0.010568),  # 450 / 42580
    Case("lines_denied_all_reasons", 2),
    # c3 of 2; c7 of 2; lines without a reason are not denied
    Case(
        "denial_reason_mix",
        {"authorization": 0.5, "duplicate": 0.5, "unknown": 0},
        by("denial_bucket"),
    ),
    Case("lines_denied_as_duplicate", 1),  # c7, not the reversed c9
    Case(
        "lines_denied_as_duplicate",
        {"2024-02": 1, "2024-03": 0},
        {**MONTHLY, "start": first("2024-02"), "end": first("2024-04")},
    ),
    Case("duplicate_rate", 0.1),  # 1 / 10
    Case("claims_with_denial", {"2024-02": 1, "2024-03": 1, "2025-02": 1}, MONTHLY),  # c7, c3, c12
    Case("claims_appealed", {"2024-02": 0, "2024-03": 1, "2025-02": 1}, MONTHLY),  # c3, c12
    Case("appeal_rate", 0.666667),  # 2 / 3
    Case("appeals_filed", {"2024-04": 1, "2024-06": 1, "2025-02": 1}, MONTHLY),
    Case("appeals_decided", {"2024-05": 1, "2025-02": 1}, MONTHLY),  # one is open
    Case("appeals_overturned", {"2024-05": 0, "2025-02": 1}, MONTHLY),
    Case("appeal_overturn_rate", 0.5),  # 1 / 2
    Case("clean_claims", 7),  # all but c2 c9 c10 c11 c12
    Case("clean_claim_rate", 0.583333),  # 7 / 12
    Case("claims_ever_pended", 2),  # c10, c11
    Case("pend_rate", {"2024": 0, "2025": 0.666667}, YEARLY),  # 0 / 9; 2 / 3
    Case("pended_inventory", 1),  # c11; c10 waited in January
    Case("pended_inventory", {"2025-01": 1, "2025-02": 1}, MONTHLY),
    Case("pended_inventory", {"16 to 30 days": 1}, by("age_band")),
    # 0 0 2 2 4 4 | 5 5 5 7 10 15
    Case("days_service_to_receipt", 4.5),
    Case("days_spent_to_receipt", 59),  # the same, added up
    Case("average_days_to_receipt", 4.92),  # 59 / 12
    Case("days_spent_to_decision", 104),  # 5 20 10 10 0 0 7 31 11 8 2
    Case("average_days_to_decision", 9.45),  # 104 / 11
    Case("days_receipt_to_paid", 5),  # clean and paid: 0 0 5 10 31
    Case(
        "days_receipt_to_paid",
        {"2024-11": 31},  # c8, received in October
        {**MONTHLY, "start": first("2024-11"), "end": first("2024-12")},
    ),
    Case("prompt_claims", 6),  # the clean ones but c8
    Case("prompt_pay_rate", 0.857143),  # 6 / 7
    Case("claims_paid_count", 9),  # c1 c2 c4 c5 c6 c8 c10 c12, and c9, reversed
    Case("claims_corrected", 3),  # c2, c9, c12
    # decided in February: c7; in March: c2, received in February, and c3
    Case(
        "claims_paid_count",
        {"2024-02": 0, "2024-03": 1},
        {**MONTHLY, "start": first("2024-02"), "end": first("2024-04")},
    ),
    Case(
        "claims_corrected",
        {"2024-02": 0, "2024-03": 1},
        {**MONTHLY, "start": first("2024-02"), "end": first("2024-04")},
    ),
    Case("adjustment_rate", 0.333333),  # 3 / 9
    Case("reversal_amount", {"payment": 0, "adjustment": 0, "reversal": 280}, by("payment_event")),
]

RISK = [
    Case("members_with_condition", {"2024": 3, "2025": 2}, YEARLY),  # Ann, Ben, Dan; Ann, Eve
    Case("members_with_condition", {20: 4, 130: 2}, by("hhs_hcc")),  # Ann twice, Ben, Eve; Ann, Dan
    Case("covered_members", {"2024": 4, "2025": 3}, YEARLY),  # Ben's 2025 has no coverage
    Case("hcc_prevalence", {"2024": 0.75, "2025": 0.666667}, YEARLY),  # 3 / 4; 2 / 3
    Case(
        "hcc_prevalence",
        {("2024", 20): 0.5, ("2024", 130): 0.5, ("2025", 20): 0.666667},  # 2 / 4, 2 / 4, 2 / 3
        by("hhs_hcc", grain=Grain.YEAR),
    ),
    # (3 + 2) / (4 + 3); whatever one wants, it cannot lie outside of 0.75 and 0.67
    Case(
        "hcc_prevalence",
        0.714286,
    ),
    Case("conditions_up_for_recapture", 3),  # Ann's two, Dan's; Ben was gone
    Case("conditions_recaptured", 2),  # one of Ann's, Dan's
    Case("hcc_recapture_rate", {"diabetes": 1, "heart": 0.5}, by("condition_group")),  # 1/1; 1/2
    Case("risk_weighted_member_months", 31),  # 2 * 12 + 1.5 * 4 + 0.5 * 2
    Case("adult_member_months", 18),  # 12 + 4 + 2
    Case("risk_score_plan_liability", {"2024": 1.875, "2025": 0.5}, YEARLY),  # 30 / 16; 1 / 2
    # December 2024: Ann, not Ben, who equals; February 2025: Ann, Ben, Dan, Eve
    Case("high_cost_claimants_50k", {"2024": 1, "2025": 4}, YEARLY),
    Case("high_cost_claimants", {"2024": 1, "2025": 3}, YEARLY),  # Ann; Ann, Dan, Eve, not Ben
    Case("high_cost_claimants_250k", {"2024": 1, "2025": 1}, YEARLY),  # Ann; Dan, not Eve
    Case("high_cost_claimants_500k", {"2024": 1, "2025": 0}, YEARLY),  # Ann; not Dan
    Case("high_cost_claimants_1m", {"2024": 0, "2025": 0}, YEARLY),  # nobody
    Case("high_cost_paid", {"2024": 520000, "2025": 860000}, YEARLY),  # 110000 + 500000 + 250000
    Case("rolling_paid", {"2024": 581000, "2025": 1200000}, YEARLY),  # 580 + 1; 400 + 800
    Case("high_cost_share", {"2024": 0.895009, "2025": 0.716667}, YEARLY),  # 520/581; 860/1200
    # of all 1200000: Ann, Dan, Eve
    Case(
        "high_cost_share",
        {"silver": 0.091667, "gold": 0.416667, "unknown": 0.208333},
        by("metal_tier"),
    ),
    # 120000 + 3000 + 0 + 9000; 1000 + 0 + 2000, not Ben's 700 without coverage
    Case("yearly_allowed", {"2024": 132000, "2025": 3000}, YEARLY),
    Case("top_1_percent_allowed", {"2024": 120000, "2025": 0}, YEARLY),  # Ann
    Case("spend_top_1_percent_share", {"2024": 0.909091, "2025": 0}, YEARLY),  # 120 / 132
    Case("top_5_percent_allowed", {"2024": 129000, "2025": 2000}, YEARLY),  # Ann, Dan; Eve
    Case("spend_top_5_percent_share", {"2024": 0.977273, "2025": 0.666667}, YEARLY),  # 129 / 132
    Case("top_10_percent_allowed", {"2024": 132000, "2025": 2000}, YEARLY),  # and Ben; Eve
    Case("spend_top_decile_share", {"2024": 1, "2025": 0.666667}, YEARLY),  # 2000 / 3000
    Case("bottom_50_percent_allowed", {"2024": 0, "2025": 1000}, YEARLY),  # Cat; Dan, Ann
    Case("spend_bottom_50_percent_share", {"2024": 0, "2025": 0.333333}, YEARLY),  # 1000 / 3000
    Case("top_5_percent_followed", 2),  # Ann, Dan; Eve's next year is not known
    Case("top_5_percent_again", 1),  # Ann
    Case("high_cost_persistence", 0.5),  # 1 / 2
]

NETWORK_AND_QUALITY = [
    Case("out_of_network_allowed", 1800),  # c4 1500 + c8 300
    Case("out_of_network_leakage", 0.05988),  # 1800 / 30060
    # c1 100 + c2 20000 + c5 60 + c6 5600 + c8 300, without the emergency (c4)
    Case("nonemergency_allowed", 26060, {"end": first("2025-01")}),
    # and c10 800 + c12 1700
    Case(
        "nonemergency_allowed",
        28560,
    ),
    Case("nonemergency_out_of_network_allowed", 300),  # c8
    Case("steerable_leakage", 0.011512, {"end": first("2025-01")}),  # 300 / 26060
    Case("steerable_leakage", 0.010504),  # 300 / 28560
    Case("active_providers", {"2024": 4, "2025": 1}, YEARLY),  # all four; Dr Oak
    Case("members_with_visit", {"2024": 3, "2025": 2}, YEARLY),  # Ann, Ben, Dan; Ann, Eve
    Case("attributed_members", {"2024": 2, "2025": 1}, YEARLY),  # Ann, Dan; Ann
    Case("attribution_rate", {"2024": 0.666667, "2025": 0.5}, YEARLY),  # 2 / 3; 1 / 2
    Case("preventive_eligible_members", {"2024": 2, "2025": 0}, YEARLY),  # Ann, Cat
    Case("preventive_members", {"2024": 1, "2025": 0}, YEARLY),  # Ann; not with two months
    Case("preventive_visit_rate", {"2024": 0.5, "2025": None}, YEARLY),
    Case("breast_screening_due", 2),  # Ann, Cat
    Case("breast_screening_missing", 1),  # Cat
    Case("gap_breast_cancer_screening", {"2024": 0.5, "2025": None}, YEARLY),  # 1 / 2; 0 / 0
    Case("colorectal_screening_due", 2),  # Ann, Cat
    Case("colorectal_screening_missing", 1),  # Ann
    Case("gap_colorectal_screening", {"2024": 0.5, "2025": None}, YEARLY),  # 1 / 2; 0 / 0
    Case("diabetic_members", 2),  # Ann, Cat
    Case("diabetic_members_without_a1c", 1),  # Cat
    Case("gap_diabetes_a1c", {"2024": 0.5, "2025": None}, YEARLY),  # 1 / 2; 0 / 0
]

CASES = [
    *MEMBERSHIP,
    *FINANCE,
    *UTILIZATION,
    *CLAIMS_OPERATIONS,
    *RISK,
    *NETWORK_AND_QUALITY,
]


Answer = Callable[[Query], list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def aca() -> Registry:
    return load_registry()


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(WORLD)
        yield connection


@pytest.fixture(scope="module")
def answer(aca: Registry) -> Iterator[Answer]:
    with duckdb.connect() as connection:
        connection.execute(WORLD)
        yield lambda query: connection.execute(compile_query(aca, query).sql("duckdb")).fetchall()


def readable(key: Any, grain: Grain | None) -> Any:
    """A period as "2024-06" or "2024", another key as it is."""
    if isinstance(key, date):
        return key.isoformat()[: 4 if grain is Grain.YEAR else 7]
    return key


def parameters() -> Iterator[Any]:
    for name, same in groupby(CASES, key=lambda case: case.metric):
        for number, case in enumerate(same):
            yield pytest.param(case, id=f"{name}-{number}")


@pytest.mark.parametrize("case", list(parameters()))
def test_the_right_value(case: Case, answer: Answer) -> None:
    query = Query((case.metric,), **case.asked)
    found: dict[Any, Any] = {}
    for *keys, value in answer(query):
        told = [readable(key, query.grain) for key in keys]
        found[told[0] if len(told) == 1 else tuple(told)] = value
    expected = case.expected if isinstance(case.expected, dict) else {(): case.expected}
    assert found == {
        key: None if value is None else Decimal(str(value)) for key, value in expected.items()
    }


def test_every_metric_has_a_right_value(aca: Registry) -> None:
    assert set(aca.metrics) - {case.metric for case in CASES} == set()


def test_the_world_has_every_table_and_column_of_the_registry(
    aca: Registry, warehouse: duckdb.DuckDBPyConnection
) -> None:
    columns: dict[str, set[str]] = {}
    for schema, table, column in warehouse.execute(
        "SELECT table_schema, table_name, column_name FROM information_schema.columns"
    ).fetchall():
        columns.setdefault(f"{schema}.{table}", set()).add(column)
    aca.domains["aca"].check_columns(columns)


def measured_together(aca: Registry, kind: Additivity) -> Iterator[tuple[str, ...]]:
    """The measured metrics of a kind, those of the same fact and date together."""
    domain = aca.domains["aca"]

    def fact(name: str) -> tuple[str, str]:
        return domain.measure(name).of, domain.time_of(name)

    measured = [n for n, m in aca.metrics.items() if m.measure and aca.additivity(n) is kind]
    for _, names in groupby(sorted(measured, key=fact), fact):
        yield tuple(names)


def added(rows: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The sums of all columns but the first."""
    return tuple(sum(column) for column in list(zip(*rows, strict=True))[1:])


def test_parts_and_periods_add_up_to_the_whole(aca: Registry, answer: Answer) -> None:
    for metrics in measured_together(aca, Additivity.SUM):
        (whole,) = answer(Query(metrics))
        assert added(answer(Query(metrics, grain=aca.grain(metrics[0])))) == whole
        for dimension in aca.dimensions(metrics[0]):
            assert added(answer(Query(metrics, by=(dimension,)))) == whole, (metrics, dimension)


def test_a_median_of_a_stock_does_not_add_up(aca: Registry) -> None:
    assert aca.additivity("median_tenure_months") is Additivity.MEDIAN


def test_parts_of_a_stock_add_up_to_the_whole(aca: Registry, answer: Answer) -> None:
    for together in measured_together(aca, Additivity.LAST):
        metrics = tuple(name for name in together if aca.metrics[name].measure.median is None)
        if not metrics:
            continue
        (whole,) = answer(Query(metrics))
        for dimension in aca.dimensions(metrics[0]):
            assert added(answer(Query(metrics, by=(dimension,)))) == whole, (metrics, dimension)


def test_in_a_time_without_rows_counts_are_zero_and_ratios_have_no_value(
    aca: Registry, answer: Answer
) -> None:
    metrics = tuple(aca.metrics)
    (row,) = answer(Query(metrics, start=date(2030, 1, 1)))
    empty = dict(zip(metrics, row, strict=True))
    kinds = {name: aca.additivity(name) for name in metrics}
    valueless = {n for n, k in kinds.items() if k in (Additivity.RATIO, Additivity.MEDIAN)}
    # the median of a stock
    valueless.add("median_tenure_months")
    assert {name for name, value in empty.items() if value is None} == valueless
    assert {value for value in empty.values() if value is not None} == {0}
    assert answer(Query(metrics, grain=Grain.YEAR, start=date(2030, 1, 1))) == []


def test_a_trend_from_nothing_has_no_value(
    aca: Registry, warehouse: duckdb.DuckDBPyConnection
) -> None:
    warehouse.execute("UPDATE core.fct_rolling_year SET prior_allowed_amount = 0")
    select = compile_query(aca, Query(("trend_pmpm_yoy",)))
    assert warehouse.execute(select.sql("duckdb")).fetchall() == [(None,)]


@pytest.mark.parametrize(
    "metric", ["claims_paid", "paid_pmpm", "members_with_visit", "median_tenure_months"]
)
def test_a_condition_gives_what_the_split_gives(metric: str, answer: Answer) -> None:
    for tier, value in answer(Query((metric,), by=("metal_tier",))):
        only = parse_condition(f"metal_tier={tier}")
        assert answer(Query((metric,), where=(only,))) == [(value,)], tier
