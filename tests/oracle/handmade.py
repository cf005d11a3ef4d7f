"""A world of a few rows, and what the warehouse must make of it, worked out by hand.

Five extracts of one issuer in 2023. The third was sent twice with the same extract time, wrong and
then corrected; the fourth was followed by another on the same day. The expectations below are
literals on purpose: neither the oracle nor a model had a part in them.
"""

import csv
import gzip
import io
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

TENANT = "issuer_6"

FEBRUARY = "20230228T020000Z"
MARCH = "20230301T020000Z"
APRIL = "20230401T020000Z"
MAY_MORNING = "20230501T020000Z"
MAY_EVENING = "20230501T140000Z"
JUNE = "20230615T020000Z"
WRONG_APRIL = f"{APRIL}.csv"
RIGHT_APRIL = f"{APRIL}.csv.gz"
FILES = {
    "february": f"{FEBRUARY}.csv",
    "march": f"{MARCH}.csv",
    "wrong april": WRONG_APRIL,
    "right april": RIGHT_APRIL,
    "may morning": f"{MAY_MORNING}.csv",
    "may evening": f"{MAY_EVENING}.csv",
    "june": f"{JUNE}.csv",
}
# March and the right April come late: what was made of May without them has to be made again.
ARRIVES_FIRST = ("february", "wrong april", "may morning", "may evening")

START = datetime(1900, 1, 1)
T_FEBRUARY = datetime(2023, 2, 28, 2)
T_MARCH = datetime(2023, 3, 1, 2)
T_APRIL = datetime(2023, 4, 1, 2)
T_MAY_MORNING = datetime(2023, 5, 1, 2)
T_MAY_EVENING = datetime(2023, 5, 1, 14)
T_JUNE = datetime(2023, 6, 15, 2)
END = datetime(9999, 12, 31)

SILVER = "99006OH0010001-01"
GOLD = "99006OH0020001-01"

MEMBER: dict[str, str] = {
    "member_id": "",
    "name": "Robin Example",
    "dob": "1980-06-15",
    "gender": "F",
    "state": "OH",
    "county_fips": "39049",
    "zip": "43004",
    "region": "Midwest",
    "geographic_reporting": "metro",
    "fpl_ratio": "2.5000",
    "clinical_segment": "healthy",
    "broker_id": "",
    "broker_name": "",
    "general_agency_id": "",
    "general_agency_name": "",
    "portal_registered": "true",
    "wellness_enrolled": "false",
    "care_management_enrolled": "false",
    "high_cost_member": "false",
    "mutually_exclusive_hcc_condition": "none",
    "plan_metal": "silver",
    "plan_network_access_type": "HMO",
    "year": "2023",
    "household_id": "",
    "tobacco_use": "false",
}
ALWAYS = tuple(FILES)
# Per member: what each extract says other than MEMBER; a member is absent from the others.
MEMBERS: dict[str, dict[str, dict[str, str]]] = {
    # Turns chronic and back again.
    "AROUND": {
        **{file: {} for file in ALWAYS},
        "march": {"clinical_segment": "chronic"},
    },
    # Is gone in March and comes back as before.
    "GONE": {file: {} for file in ALWAYS if file != "march"},
    # Is gone for good in June.
    "LEFT": {file: {} for file in ALWAYS if file != "june"},
    # Moves on both of May's extracts.
    "MOVER": {
        **{file: {} for file in ALWAYS},
        "may morning": {"zip": "43005"},
        "may evening": {"zip": "43006", "county_fips": "01001"},
        "june": {"zip": "43006", "county_fips": "01001"},
    },
    # Only the wrong April says so: it never was.
    "MISTAKE": {
        **{file: {} for file in ALWAYS},
        "wrong april": {"year": "2024"},
    },
    # The wrong April forgot them: they were never gone.
    "FORGOTTEN": {file: {} for file in ALWAYS if file != "wrong april"},
    # Only the right April says so, and it stays.
    "CORRECTED": {
        **{file: {"wellness_enrolled": "true"} for file in ALWAYS},
        "february": {},
        "march": {},
        "wrong april": {},
    },
    # The wrong April brought someone who does not exist.
    "GHOST": {"wrong april": {}},
    # Joins in March; the county is none.
    "JOINS": {file: {"county_fips": "99999"} for file in ALWAYS if file != "february"},
    # Income becomes known, then unknown; a broker comes.
    "BLANKS": {
        **{file: {"fpl_ratio": "1.2500", "broker_id": "B1"} for file in ALWAYS},
        "february": {"fpl_ratio": " "},
        "march": {"fpl_ratio": "1.2500"},
        "may evening": {"fpl_ratio": "", "broker_id": "B1"},
        "june": {"fpl_ratio": "", "broker_id": "B1"},
    },
    # Born on 29 February: is 34 on the 28th and 35 on 1 March.
    "LEAPS": {file: {"dob": "1988-02-29"} for file in ALWAYS},
    # The same facts in other spelling: nothing changed.
    "NOISY": {
        **{file: {} for file in ALWAYS},
        "march": {
            "name": "  Robin Example ",
            "gender": "f",
            "region": "MIDWEST",
            "geographic_reporting": "Metro",
            "mutually_exclusive_hcc_condition": "NONE",
            "clinical_segment": "Healthy",
            "plan_metal": "SILVER",
            "plan_network_access_type": "hmo",
            "portal_registered": "T",
            "fpl_ratio": "2.5",
        },
    },
}
# In February's file MOVER stands twice; the last line stands.
EARLIER_LINES = {("MOVER", "february"): {"zip": "99999"}}

# Per member: from, until, batch that said so first, the attributes that tell the versions apart.
# What the right April only repeats was said by the wrong one: a correction renames nothing else.
VERSIONS: dict[str, list[tuple[datetime, datetime, str, dict[str, Any]]]] = {
    "AROUND": [
        (T_FEBRUARY, T_MARCH, "february", {"clinical_segment": "healthy"}),
        (T_MARCH, T_APRIL, "march", {"clinical_segment": "chronic"}),
        (T_APRIL, END, "wrong april", {"clinical_segment": "healthy"}),
    ],
    "GONE": [
        (T_FEBRUARY, T_MARCH, "february", {}),
        (T_APRIL, END, "wrong april", {}),
    ],
    "LEFT": [(T_FEBRUARY, T_JUNE, "february", {})],
    "MOVER": [
        (T_FEBRUARY, T_MAY_MORNING, "february", {"zip": "43004", "county_fips": "39049"}),
        (T_MAY_MORNING, T_MAY_EVENING, "may morning", {"zip": "43005", "county_fips": "39049"}),
        (T_MAY_EVENING, END, "may evening", {"zip": "43006", "county_fips": "01001"}),
    ],
    "MISTAKE": [(T_FEBRUARY, END, "february", {"year": 2023})],
    "FORGOTTEN": [(T_FEBRUARY, END, "february", {})],
    "CORRECTED": [
        (T_FEBRUARY, T_APRIL, "february", {"wellness_enrolled": False}),
        (T_APRIL, END, "right april", {"wellness_enrolled": True}),
    ],
    "JOINS": [(T_MARCH, END, "march", {"county_fips": "99999"})],
    "BLANKS": [
        (T_FEBRUARY, T_MARCH, "february", {"fpl_ratio": None, "broker_id": None}),
        (T_MARCH, T_APRIL, "march", {"fpl_ratio": Decimal("1.25"), "broker_id": None}),
        (T_APRIL, T_MAY_EVENING, "wrong april", {"fpl_ratio": Decimal("1.25"), "broker_id": "B1"}),
        (T_MAY_EVENING, END, "may evening", {"fpl_ratio": None, "broker_id": "B1"}),
    ],
    "LEAPS": [
        (T_FEBRUARY, T_MARCH, "february", {"age_group": "26-34"}),
        (T_MARCH, END, "march", {"age_group": "35-44"}),
    ],
    "NOISY": [
        (
            T_FEBRUARY,
            END,
            "february",
            {
                "name": "Robin Example",
                "gender": "F",
                "region": "Midwest",
                "plan_network_access_type": "HMO",
            },
        )
    ],
}

PLAN = {
    "plan_id": SILVER,
    "effective_year": "2023",
    "plan_name": "Example Silver",
    "metal_tier": "silver",
    "network_type": "HMO",
    "monthly_premium": "300.00",
    "deductible": "4000.00",
    "oop_max": "9000.00",
    "coinsurance_rate": "0.3000",
    "pcp_copay": "30.00",
    "crosswalk_plan_id": "",
}
GOLD_PLAN = {**PLAN, "plan_id": GOLD, "plan_name": "Example Gold", "metal_tier": "gold"}
LAST_YEAR = {**PLAN, "effective_year": "2022", "monthly_premium": "280.00"}
# Gold comes in March with a price that the right April corrects.
PLANS: dict[str, list[dict[str, str]]] = {
    **{file: [LAST_YEAR, PLAN, GOLD_PLAN] for file in ALWAYS},
    "february": [LAST_YEAR, PLAN],
    "march": [LAST_YEAR, PLAN, {**GOLD_PLAN, "monthly_premium": "390.00"}],
    "wrong april": [LAST_YEAR, PLAN, {**GOLD_PLAN, "monthly_premium": "390.00"}],
}

PROVIDER = {
    "provider_id": "STAYS",
    "npi": "2103308500",
    "name": "Kim Sample",
    "specialty": "Family Medicine",
    "taxonomy_code": "207Q00000X",
    "street": "1 Main St",
    "city": "Columbus",
    "state": "OH",
    "zip": "43004",
    "phone": "614-555-0100",
}
CLOSES = {**PROVIDER, "provider_id": "CLOSES", "npi": "2110216753"}
# CLOSES leaves the directory in April.
PROVIDERS: dict[str, list[dict[str, str]]] = {
    **{file: [PROVIDER] for file in ALWAYS},
    "february": [PROVIDER, CLOSES],
    "march": [PROVIDER, CLOSES],
}

ENROLLMENT = {
    "enrollment_id": "",
    "member_id": "AROUND",
    "plan_id": SILVER,
    "coverage_start_date": "2023-01-01",
    "coverage_end_date": "2023-12-31",
    "monthly_premium": "100.00",
    "aptc_amount": "40.00",
    "rating_area": "3",
    "enrollment_source": "open_enrollment",
    "termination_reason": "",
    "selection_date": "",
}


def _span(span_id: str, member: str, start: str, end: str, **other: str) -> dict[str, str]:
    return {
        **ENROLLMENT,
        "enrollment_id": span_id,
        "member_id": member,
        "coverage_start_date": start,
        "coverage_end_date": end,
        **other,
    }


SPANS = [
    # Two plan years without a day between, and a year is a year.
    _span("E01", "AROUND", "2022-11-01", "2022-12-31"),
    _span("E02", "AROUND", "2023-01-01", "2023-12-31"),
    # The 15th counts: the first span has January's and February's, not March's.
    _span("E03", "MOVER", "2023-01-15", "2023-03-14"),
    # The gap of a day keeps them apart; this one has April's only.
    _span("E04", "MOVER", "2023-03-16", "2023-04-15"),
    # Two overlap in March under two plans: the later one counts.
    _span("E05", "LEAPS", "2023-02-01", "2023-04-30"),
    _span("E06", "LEAPS", "2023-03-10", "2023-05-31", plan_id=GOLD, monthly_premium="150.00"),
    # Two that touch are one, though the price rose between; a third overlaps and joins too.
    _span("E07", "NOISY", "2023-01-01", "2023-02-28"),
    _span("E08", "NOISY", "2023-03-01", "2023-04-30", monthly_premium="110.00"),
    _span("E09", "NOISY", "2023-04-20", "2023-05-20", monthly_premium="120.00"),
    # Cancelled: never in force, told by an end before the start or a day before it.
    _span("E10", "BLANKS", "2023-03-01", "2023-02-28"),
    _span("E11", "BLANKS", "2023-05-01", "2023-03-31"),
    # Two begin together: the higher id counts while it lasts.
    _span("E12", "JOINS", "2023-03-01", "2023-05-31"),
    _span("E13", "JOINS", "2023-03-01", "2023-04-30", plan_id=GOLD, monthly_premium="150.00"),
    # The third touches the first, though the second, within the first, has long ended.
    _span("E14", "GONE", "2023-01-01", "2023-06-30"),
    _span("E15", "GONE", "2023-02-01", "2023-02-28", monthly_premium="90.00"),
    _span("E16", "GONE", "2023-07-01", "2023-07-31"),
]
# FORGOTTEN's span is withdrawn by June: it counts no more.
WITHDRAWN = _span("E17", "FORGOTTEN", "2023-01-01", "2023-12-31")
ENROLLMENTS = {
    **{file: [*SPANS, WITHDRAWN] for file in ALWAYS},
    "june": SPANS,
}

# Member, month, span, premium, plan. The last extract was made at two o'clock on the 15th of June.
MEMBER_MONTHS = [
    ("AROUND", date(2022, 11, 1), "E01", "100.00", SILVER),
    ("AROUND", date(2022, 12, 1), "E01", "100.00", SILVER),
    ("AROUND", date(2023, 1, 1), "E02", "100.00", SILVER),
    ("AROUND", date(2023, 2, 1), "E02", "100.00", SILVER),
    ("AROUND", date(2023, 3, 1), "E02", "100.00", SILVER),
    ("AROUND", date(2023, 4, 1), "E02", "100.00", SILVER),
    ("AROUND", date(2023, 5, 1), "E02", "100.00", SILVER),
    ("AROUND", date(2023, 6, 1), "E02", "100.00", SILVER),
    ("MOVER", date(2023, 1, 1), "E03", "100.00", SILVER),
    ("MOVER", date(2023, 2, 1), "E03", "100.00", SILVER),
    ("MOVER", date(2023, 4, 1), "E04", "100.00", SILVER),
    ("LEAPS", date(2023, 2, 1), "E05", "100.00", SILVER),
    ("LEAPS", date(2023, 3, 1), "E06", "150.00", GOLD),
    ("LEAPS", date(2023, 4, 1), "E06", "150.00", GOLD),
    ("LEAPS", date(2023, 5, 1), "E06", "150.00", GOLD),
    ("NOISY", date(2023, 1, 1), "E07", "100.00", SILVER),
    ("NOISY", date(2023, 2, 1), "E07", "100.00", SILVER),
    ("NOISY", date(2023, 3, 1), "E08", "110.00", SILVER),
    ("NOISY", date(2023, 4, 1), "E08", "110.00", SILVER),
    ("NOISY", date(2023, 5, 1), "E09", "120.00", SILVER),
    ("JOINS", date(2023, 3, 1), "E13", "150.00", GOLD),
    ("JOINS", date(2023, 4, 1), "E13", "150.00", GOLD),
    ("JOINS", date(2023, 5, 1), "E12", "100.00", SILVER),
    ("GONE", date(2023, 1, 1), "E14", "100.00", SILVER),
    ("GONE", date(2023, 2, 1), "E15", "90.00", SILVER),
    ("GONE", date(2023, 3, 1), "E14", "100.00", SILVER),
    ("GONE", date(2023, 4, 1), "E14", "100.00", SILVER),
    ("GONE", date(2023, 5, 1), "E14", "100.00", SILVER),
    ("GONE", date(2023, 6, 1), "E14", "100.00", SILVER),
]
# Member, plan, first day, first day no more, days, spans, premium of its member months so far.
COVERAGES = [
    ("AROUND", SILVER, date(2022, 11, 1), date(2023, 1, 1), 61, 1, "200.00"),
    ("AROUND", SILVER, date(2023, 1, 1), date(2024, 1, 1), 365, 1, "600.00"),
    ("MOVER", SILVER, date(2023, 1, 15), date(2023, 3, 15), 59, 1, "200.00"),
    ("MOVER", SILVER, date(2023, 3, 16), date(2023, 4, 16), 31, 1, "100.00"),
    ("LEAPS", SILVER, date(2023, 2, 1), date(2023, 5, 1), 89, 1, "100.00"),
    ("LEAPS", GOLD, date(2023, 3, 10), date(2023, 6, 1), 83, 1, "450.00"),
    # 2 x 100 + 2 x 110 + 1 x 120
    ("NOISY", SILVER, date(2023, 1, 1), date(2023, 5, 21), 140, 3, "540.00"),
    ("JOINS", SILVER, date(2023, 3, 1), date(2023, 6, 1), 92, 1, "100.00"),
    ("JOINS", GOLD, date(2023, 3, 1), date(2023, 5, 1), 61, 1, "300.00"),
    # 5 x 100 + 90; July is still to come
    ("GONE", SILVER, date(2023, 1, 1), date(2023, 8, 1), 212, 3, "590.00"),
]

CLAIM = {
    "claim_id": "",
    "line_number": "1",
    "member_id": "AROUND",
    "provider_id": "STAYS",
    "plan_id": SILVER,
    "claim_type": "professional",
    "service_date": "2023-01-15",
    "received_date": "2023-02-01",
    "adjudicated_date": "2023-02-02",
    "claim_status": "paid",
    "in_network": "true",
    "diagnosis_code": "E11.9",
    "procedure_code": "PX-VIS",
    "units": "1",
    "denial_reason_code": "",
    "claim_amount": "100.00",
    "allowed_amount": "80.00",
    "paid_amount": "60.00",
    "deductible": "0.00",
    "copay": "20.00",
    "coinsurance": "0.00",
    "discharge_date": "",
    "discharge_status": "",
    "admission_type": "",
}


def _line(claim_id: str, service_date: str, **other: str) -> dict[str, str]:
    received = {"received_date": service_date, "adjudicated_date": service_date}
    return {**CLAIM, "claim_id": claim_id, "service_date": service_date, **received, **other}


def _inpatient(claim_id: str, service_date: str, paid: str) -> dict[str, str]:
    amounts = {"claim_amount": paid, "allowed_amount": paid, "paid_amount": paid, "copay": "0.00"}
    return _line(claim_id, service_date, member_id="LEFT", claim_type="inpatient", **amounts)


NOTHING_PAID = {"allowed_amount": "0.00", "paid_amount": "0.00", "copay": "0.00"}
PENDED = {**NOTHING_PAID, "claim_status": "pended", "adjudicated_date": ""}
REVERSED = {**NOTHING_PAID, "claim_status": "reversed"}
CLAIMS: dict[str, list[dict[str, str]]] = {
    "february": [
        _line("C01", "2023-01-15"),
        _line("C08", "2023-02-10", **PENDED),
        _inpatient("H01", "2023-01-20", "49999.99"),
    ],
    "march": [
        _line("C02", "2023-02-28"),
        _line("C03", "2023-02-10", member_id="GONE", provider_id="CLOSES"),
        _line("C08", "2023-02-10"),
        _inpatient("H02", "2023-02-20", "0.01"),
    ],
    "wrong april": [
        _line("C08", "2023-02-10", claim_amount="999.00"),
        _line("C09", "2023-03-05", claim_amount="777.00"),
    ],
    "right april": [
        _line("C04", "2023-03-15", member_id="GONE"),
        _line("C08", "2023-02-10", **REVERSED, claim_amount="90.00"),
        _inpatient("H03", "2023-03-20", "50000.00"),
    ],
    "may morning": [
        _line("C05", "2023-04-01", member_id="GONE"),
        _line("C06", "2023-04-10", provider_id="CLOSES"),
        _inpatient("H04", "2023-04-20", "0.01"),
    ],
    "may evening": [
        _line("C07", "2023-05-01", member_id="MOVER"),
        _line("C10", "2021-12-31"),
    ],
    "june": [
        _line("C11", "2023-05-02", member_id="MOVER"),
        _line("C12", "2023-05-02", member_id="JOINS"),
        _line("C13", "2023-05-02", member_id="NOBODY", plan_id="99006OH0099999-01"),
    ],
}

# Claim: version of the member, county, whether provider and plan are known, states, amount.
CLAIM_LINES: dict[str, tuple[int | None, str | None, bool, bool, int, str]] = {
    # Before all history: the first version serves.
    "C01": (0, "39049", True, True, 1, "100.00"),
    "C02": (0, "39049", True, True, 1, "100.00"),
    "C03": (0, "39049", True, True, 1, "100.00"),
    # In the gap nobody was there.
    "C04": (None, None, True, True, 1, "100.00"),
    # The day begins before the extract that brings them back.
    "C05": (None, None, True, True, 1, "100.00"),
    # The provider has closed; AROUND is at the third version.
    "C06": (2, "39049", False, True, 1, "100.00"),
    # At the beginning of 1 May the move had not happened.
    "C07": (0, "39049", True, True, 1, "100.00"),
    # Pended, paid, wrongly raised, reversed: the last state stands.
    "C08": (0, "39049", True, True, 4, "90.00"),
    # Only the wrong April has it, and a change feed takes nothing back.
    "C09": (1, "39049", True, True, 1, "777.00"),
    # The plan was not sold in 2021.
    "C10": (0, "39049", True, False, 1, "100.00"),
    # A county whose code begins with 0, and one that is none.
    "C11": (2, "01001", True, True, 1, "100.00"),
    "C12": (0, None, True, True, 1, "100.00"),
    "C13": (None, None, True, False, 1, "100.00"),
    "H01": (0, "39049", True, True, 1, "49999.99"),
    "H02": (0, "39049", True, True, 1, "0.01"),
    "H03": (0, "39049", True, True, 1, "50000.00"),
    "H04": (0, "39049", True, True, 1, "0.01"),
}

# LEFT's paid claims over twelve months, as of each month: watched from 50,000 on, high-cost above
# 100,000. The issuer's claims end in May.
HIGH_COST = [
    (date(2023, 2, 1), "50000.00", False),
    (date(2023, 3, 1), "100000.00", False),
    (date(2023, 4, 1), "100000.01", True),
    (date(2023, 5, 1), "100000.01", True),
]

# Month, members, premium, claim lines, paid, decided, pended.
SUMMARY = [
    (date(2021, 12, 1), 0, "0.00", 1, "60.00", 1, 0),
    (date(2022, 11, 1), 1, "100.00", 0, "0.00", 0, 0),
    (date(2022, 12, 1), 1, "100.00", 0, "0.00", 0, 0),
    # C01 and H01
    (date(2023, 1, 1), 4, "400.00", 2, "50059.99", 2, 0),
    # C02, C03, H02; C08 was reversed, which is neither decided nor pended
    (date(2023, 2, 1), 5, "490.00", 4, "120.01", 3, 0),
    # C04, C09, H03
    (date(2023, 3, 1), 5, "610.00", 3, "50120.00", 3, 0),
    # C05, C06, H04
    (date(2023, 4, 1), 6, "710.00", 3, "120.01", 3, 0),
    # C07, C11, C12, C13
    (date(2023, 5, 1), 5, "570.00", 4, "240.00", 4, 0),
    (date(2023, 6, 1), 2, "200.00", 0, "0.00", 0, 0),
]


def write(landing: Path) -> list[Path]:
    """Write the files; returns those that arrive late."""
    folder = landing / "aca" / TENANT
    folder.mkdir(parents=True)
    late = []
    for file, name in FILES.items():
        feeds = {
            "members": _members(file),
            "plans": PLANS[file],
            "providers": PROVIDERS[file],
            "enrollments": ENROLLMENTS[file],
            "claims": CLAIMS[file],
        }
        for entity, rows in feeds.items():
            path = folder / f"{entity}_{name}"
            _write(path, rows)
            if file not in ARRIVES_FIRST:
                late.append(path)
    return late


def path_of(landing: Path, entity: str, file: str) -> Path:
    """Where a file of the world lies."""
    return landing / "aca" / TENANT / f"{entity}_{FILES[file]}"


def _members(file: str) -> list[dict[str, str]]:
    rows = []
    for member_id, says in MEMBERS.items():
        if (member_id, file) in EARLIER_LINES:
            rows.append({**MEMBER, "member_id": member_id, **EARLIER_LINES[(member_id, file)]})
        if file in says:
            rows.append({**MEMBER, "member_id": member_id, **says[file]})
    return rows


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
