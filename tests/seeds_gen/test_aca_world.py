"""The world in the files: its rules hold and everything in it changes."""

from aca_world import World

from granary.settings import PROJECT
from seeds_gen.aca.providers import npi_check_digit


def luhn_holds(npi: str) -> bool:
    digits = [int(digit) for digit in reversed(f"80840{npi}")]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def test_check_digit_of_published_examples() -> None:
    assert luhn_holds("1234567893")
    assert luhn_holds("1993999998")
    assert not luhn_holds("1234567890")
    assert npi_check_digit(123456789) == 3
    assert npi_check_digit(199399999) == 8


def test_npis_are_valid_unissued_and_unique(world: World) -> None:
    npis = world.rows(
        "SELECT npi, count(DISTINCT (tenant_id, provider_id)) FROM providers GROUP BY npi"
    )
    assert len(npis) > 100
    for npi, providers in npis:
        assert npi.startswith("2")
        assert luhn_holds(npi)
        assert providers == 1


def test_no_cpt_code_anywhere(world: World) -> None:
    codes = {code for (code,) in world.rows("SELECT DISTINCT procedure_code FROM claims")}
    table = (PROJECT / "reference" / "aca" / "procedure.csv").read_text().splitlines()[1:]
    known = {line.split(",")[0] for line in table}
    assert codes <= known
    assert all(code.startswith("PX-") or (len(code) == 5 and code[0] in "AEGJT") for code in known)
    # Category II and III codes of CPT are four digits and a letter.
    assert not [code for code in known if code[:4].isdigit()]


def test_hios_ids_carry_issuer_state_and_variant(world: World) -> None:
    assert world.rows("SELECT DISTINCT tenant_id, left(plan_id, 7) FROM plans ORDER BY ALL") == [
        ("issuer_1", "99001FL"),
        ("issuer_2", "99002TX"),
    ]
    variants = (
        "SELECT DISTINCT right(plan_id, 2) FROM plans WHERE metal_tier {} 'silver' ORDER BY 1"
    )
    assert world.rows(variants.format("=")) == [("00",), ("01",), ("04",), ("05",), ("06",)]
    assert world.rows(variants.format("<>")) == [("00",), ("01",)]


def test_every_reference_leads_to_a_known_row(world: World) -> None:
    """A key of a file is in the snapshot of its own set or of an earlier one."""
    for child, parent, key in (
        ("enrollments", "members", "member_id"),
        ("claims", "members", "member_id"),
        ("claims", "providers", "provider_id"),
        ("enrollments", "plans", "plan_id"),
        ("claims", "plans", "plan_id"),
        ("premium_payments", "members", "member_id"),
        ("premium_payments", "enrollments", "enrollment_id"),
        ("appeals", "claims", "claim_id"),
    ):
        orphans = world.value(
            f"SELECT count(*) FROM {child} c WHERE NOT EXISTS (FROM {parent} p WHERE "
            f"p.tenant_id = c.tenant_id AND p.{key} = c.{key} AND p.extracted_on <= c.extracted_on)"
        )
        assert orphans == 0, f"{child}.{key}"


def test_no_service_while_the_member_or_provider_was_lost(world: World) -> None:
    """At the service the latest snapshot that was there had the key, if it ever had it before."""
    for parent, key in (("members", "member_id"), ("providers", "provider_id")):
        lost = world.value(f"""
            WITH services AS (
              SELECT DISTINCT tenant_id, {key}, service_date,
                (SELECT max(extracted_on) FROM {parent}
                  WHERE extracted_on <= service_date) AS latest
              FROM claims
            )
            SELECT count(*) FROM services s
            WHERE EXISTS (FROM {parent} p WHERE p.tenant_id = s.tenant_id AND p.{key} = s.{key}
                          AND p.extracted_on < s.latest)
              AND NOT EXISTS (FROM {parent} p WHERE p.tenant_id = s.tenant_id AND p.{key} = s.{key}
                              AND p.extracted_on = s.latest)""")
        assert lost == 0, parent


def test_money_adds_up_on_every_line(world: World) -> None:
    wrong = world.value("""
        SELECT count(*) FROM claims WHERE claim_status = 'paid' AND (
          allowed_amount <> paid_amount + deductible + copay + coinsurance
          OR allowed_amount > claim_amount OR allowed_amount <= 0)""")
    assert wrong == 0
    money = "allowed_amount + paid_amount + deductible + copay + coinsurance"
    assert (
        world.value(f"SELECT count(*) FROM claims WHERE claim_status <> 'paid' AND {money} <> 0")
        == 0
    )
    assert world.value("SELECT min(claim_amount) FROM claims WHERE claim_status = 'reversed'") > 0


def test_states_carry_their_dates_and_reasons(world: World) -> None:
    wrong = world.value("""
        SELECT count(*) FROM claims WHERE
          (adjudicated_date IS NULL) <> (claim_status = 'pended')
          OR (denial_reason_code IS NOT NULL) <> (claim_status = 'denied')
          OR received_date < service_date OR adjudicated_date < received_date
          OR greatest(received_date, adjudicated_date) >= extracted_on""")
    assert wrong == 0


def test_members_pay_no_more_than_their_maximum(world: World) -> None:
    """First payments of members who stayed in one plan all year, against the plan's own limits."""
    broken = world.rows("""
        WITH first_paid AS (
          SELECT * FROM claims WHERE claim_status = 'paid'
          QUALIFY row_number() OVER (
            PARTITION BY tenant_id, claim_id, line_number ORDER BY extracted_on) = 1
        ), per_year AS (
          SELECT tenant_id, member_id, year(service_date) AS effective_year,
            min(plan_id) AS plan_id, sum(deductible) AS deductible,
            sum(deductible + copay + coinsurance) AS share
          FROM first_paid GROUP BY ALL HAVING count(DISTINCT plan_id) = 1
        )
        SELECT y.share, p.oop_max, y.deductible, p.deductible FROM per_year y
        JOIN plans p USING (tenant_id, plan_id, effective_year)
        WHERE p.extracted_on = '2025-02-01'
          AND (y.share > p.oop_max OR y.deductible > p.deductible)""")
    assert broken == []
    assert world.value("SELECT max(oop_max) FROM plans WHERE effective_year = 2025") <= 9200


def test_spans_of_a_member_never_overlap(world: World) -> None:
    overlaps = world.value("""
        SELECT count(*) FROM enrollments a JOIN enrollments b
          USING (tenant_id, extracted_on, member_id)
        WHERE a.enrollment_id < b.enrollment_id
          AND a.coverage_start_date <= b.coverage_end_date
          AND b.coverage_start_date <= a.coverage_end_date
          AND a.coverage_end_date >= a.coverage_start_date
          AND b.coverage_end_date >= b.coverage_start_date""")
    assert overlaps == 0


def test_services_only_while_covered_or_denied_for_it(world: World) -> None:
    uncovered = world.rows("""
        WITH spans AS (
          SELECT * FROM enrollments QUALIFY row_number() OVER (
            PARTITION BY tenant_id, enrollment_id ORDER BY extracted_on DESC) = 1
        )
        SELECT coalesce(denial_reason_code, claim_status), count(*) FROM claims c
        WHERE NOT EXISTS (FROM spans s WHERE s.tenant_id = c.tenant_id
          AND s.member_id = c.member_id AND s.plan_id = c.plan_id
          AND c.service_date BETWEEN s.coverage_start_date AND s.coverage_end_date)
          AND claim_status <> 'pended'
        GROUP BY 1""")
    assert [reason for reason, _ in uncovered] == ["27"]


def test_the_credit_never_exceeds_the_premium(world: World) -> None:
    assert world.value("SELECT count(*) FROM enrollments WHERE aptc_amount > monthly_premium") == 0
    assert world.value("SELECT max(aptc_amount) FROM enrollments WHERE plan_id LIKE '%-00'") == 0


def test_tobacco_is_for_grown_ups_and_costs_up_to_half_as_much_again(large_world: World) -> None:
    users = large_world.rows("""
        SELECT count(*) FILTER (tobacco_use), count(*),
          min(date_sub('year', dob, extracted_on)) FILTER (tobacco_use)
        FROM members WHERE extracted_on = '2025-01-01'
          AND date_sub('year', dob, extracted_on) >= 21""")[0]
    assert 0.03 < users[0] / users[1] < 0.06
    assert users[2] == 21
    under_age = "FROM members WHERE tobacco_use AND date_sub('year', dob, extracted_on) < 21"
    assert large_world.value(f"SELECT count(*) {under_age}") == 0
    # Against the same plan, start, county's rating area and age of somebody who uses none.
    ratios = large_world.rows("""
        WITH spans AS (
          SELECT e.*, date_sub('year', m.dob, e.coverage_start_date) AS age, m.tobacco_use
          FROM enrollments e JOIN members m USING (tenant_id, extracted_on, member_id)
          WHERE e.extracted_on = '2025-01-01' AND e.coverage_start_date = '2024-01-01'
        ), pairs AS (
          SELECT users.age, users.monthly_premium / others.monthly_premium AS ratio,
            users.monthly_premium - users.aptc_amount >= round(
              users.monthly_premium - others.monthly_premium, 2) AS pays_surcharge
          FROM spans users JOIN spans others USING (plan_id, age, rating_area)
          WHERE users.tobacco_use AND NOT others.tobacco_use AND age >= 21
        )
        SELECT age, min(ratio), max(ratio), bool_and(pays_surcharge)
        FROM pairs GROUP BY age ORDER BY age""")
    assert len(ratios) > 20
    assert all(1.04 < low <= high <= 1.5 and pays for _, low, high, pays in ratios)
    assert all(high - low < 0.001 for _, low, high, _ in ratios)
    assert ratios[0][2] < ratios[-1][1]


def test_households_have_a_size_and_share_what_is_theirs(large_world: World) -> None:
    last = "FROM members WHERE extracted_on = '2025-01-01'"
    sizes = dict(
        large_world.rows(f"""
            SELECT least(people, 7), count(*) FROM (
              SELECT household_id, count(*) AS people {last} GROUP BY ALL) GROUP BY 1""")
    )
    homes = sum(sizes.values())
    people = large_world.value(f"SELECT count(*) {last}")
    assert 1.15 < people / homes < 1.6
    assert 0.55 < sizes[1] / homes < 0.85
    assert sizes[2] > sizes[3] > sizes[4] > 0
    assert sizes.get(7, 0) == 0
    apart = large_world.value("""
        SELECT count(*) FROM (
          SELECT household_id, extracted_on FROM members GROUP BY ALL
          HAVING count(DISTINCT county_fips) > 1 OR count(DISTINCT coalesce(fpl_ratio, -1)) > 1
            OR count(DISTINCT coalesce(broker_id, '')) > 1)""")
    assert apart == 0
    alone = large_world.value(f"""
        SELECT avg((people = 1)::INT) FROM (
          SELECT dob, count(*) OVER (PARTITION BY household_id) AS people {last})
        WHERE date_sub('year', dob, DATE '2025-01-01') BETWEEN 2 AND 17""")
    assert alone < 0.05


def test_a_household_chooses_one_plan_and_leaves_together(large_world: World) -> None:
    """Spans that open the year; who retires or dies goes alone."""
    opened = """
        FROM enrollments e JOIN members m USING (tenant_id, extracted_on, member_id)
        WHERE extracted_on = '2025-01-01' AND coverage_start_date <= '2024-02-01'
          AND enrollment_source <> 'special_enrollment'"""
    homes, of_two_minds = large_world.rows(f"""
        SELECT count(*), count(*) FILTER (minds > 1) FROM (
          SELECT household_id, count(DISTINCT (e.plan_id, enrollment_source,
            coverage_start_date, selection_date)) AS minds
          {opened} GROUP BY ALL HAVING count(*) > 1)""")[0]
    assert homes > 500
    assert of_two_minds == 0
    ends = large_world.value(f"""
        SELECT avg((ends > 1)::INT) FROM (
          SELECT household_id, count(DISTINCT coverage_end_date) AS ends
          {opened} GROUP BY ALL HAVING count(*) > 1)""")
    assert ends < 0.08


def test_a_plan_that_ends_names_the_plan_its_members_move_to(world: World) -> None:
    """One plan of each issuer ends with 2024, and that is filed in November."""
    filed = "SELECT count(*) FROM plans WHERE crosswalk_plan_id IS NOT NULL AND extracted_on {}"
    assert world.value(filed.format("< '2024-11-01'")) == 0
    ends = """
        FROM plans a LEFT JOIN plans b ON b.tenant_id = a.tenant_id
          AND b.extracted_on = a.extracted_on AND b.plan_id = a.crosswalk_plan_id
          AND b.effective_year = a.effective_year + 1
        WHERE a.crosswalk_plan_id IS NOT NULL"""
    assert world.value(f"SELECT count(DISTINCT left(a.plan_id, 14)) {ends}") == 2
    same = "a.metal_tier = b.metal_tier AND a.network_type = b.network_type"
    assert world.value(f"SELECT count(*) {ends} AND NOT coalesce({same}, false)") == 0
    on_sale = "SELECT count(*) FROM plans p JOIN (SELECT DISTINCT a.plan_id {}) USING (plan_id)"
    assert world.value(on_sale.format(ends) + " WHERE p.effective_year > 2024") == 0
    moved = world.value(f"""
        SELECT count(*) FROM enrollments before JOIN enrollments after
          USING (tenant_id, extracted_on, member_id)
        JOIN (SELECT DISTINCT a.plan_id, a.crosswalk_plan_id {ends}) ended
          ON ended.plan_id = before.plan_id AND ended.crosswalk_plan_id = after.plan_id
        WHERE extracted_on = '2025-02-01' AND after.enrollment_source = 'auto_renewal'""")
    assert moved > 5


def test_ended_members_stay_in_the_snapshot(world: World) -> None:
    last = "FROM members WHERE extracted_on = '2025-02-01'"
    assert world.value(f"SELECT count(*) {last} AND plan_metal IS NULL") > 20
    assert world.value(f"SELECT count(*) {last} AND plan_metal IS NOT NULL") > 600
    assert world.rows("SELECT DISTINCT extracted_on, year FROM members ORDER BY 1")[-2:] == [
        (world.value("SELECT DATE '2025-01-01'"), 2025),
        (world.value("SELECT DATE '2025-02-01'"), 2025),
    ]


def test_next_year_appears_in_november_at_a_higher_price(world: World) -> None:
    years = "SELECT max(effective_year) FROM plans WHERE extracted_on = '{}'"
    assert world.value(years.format("2024-10-01")) == 2024
    assert world.value(years.format("2024-11-01")) == 2025
    assert (
        world.value("SELECT min(effective_year) FROM plans WHERE extracted_on = '2025-02-01'")
        == 2024
    )
    rises = world.rows("""
        SELECT b.monthly_premium / a.monthly_premium FROM plans a JOIN plans b
          USING (tenant_id, extracted_on, plan_id)
        WHERE a.effective_year = 2024 AND b.effective_year = 2025
          AND extracted_on = '2025-02-01'""")
    assert all(1.039 < rise < 1.091 for (rise,) in rises)


def test_members_change_in_every_way(world: World) -> None:
    changed = dict.fromkeys(
        (
            "county_fips", "clinical_segment", "broker_id", "fpl_ratio", "plan_metal",
            "plan_network_access_type", "portal_registered", "wellness_enrolled",
            "care_management_enrolled", "high_cost_member", "mutually_exclusive_hcc_condition",
            "year",
        ), 0
    )  # fmt: skip
    for name in changed:
        changed[name] = world.value(f"""
            SELECT count(*) FROM (
              SELECT {name} IS DISTINCT FROM lag({name}) OVER own AS differs,
                row_number() OVER own AS version
              FROM members WINDOW own AS (PARTITION BY tenant_id, member_id ORDER BY extracted_on))
            WHERE differs AND version > 1""")
    assert {name: count for name, count in changed.items() if count == 0} == {}
    back = world.value("""
        SELECT count(*) FROM (
          SELECT portal_registered < lag(portal_registered) OVER (
            PARTITION BY tenant_id, member_id ORDER BY extracted_on) AS unregistered FROM members)
        WHERE unregistered""")
    assert back == 0
    places = world.value("""
        SELECT max(kinds) FROM (SELECT count(DISTINCT geographic_reporting) AS kinds
          FROM members GROUP BY county_fips)""")
    assert places == 1


def test_providers_move_and_change_specialty(world: World) -> None:
    for columns in ("street, city, zip, phone", "specialty, taxonomy_code"):
        versions = world.value(f"""
            SELECT count(*) FROM (SELECT tenant_id, provider_id FROM providers
              GROUP BY ALL HAVING count(DISTINCT ({columns})) > 1)""")
        assert versions > 0, columns


def test_keys_vanish_and_some_return(world: World) -> None:
    for feed, key in (("members", "member_id"), ("providers", "provider_id")):
        seen = f"""
            WITH numbered AS (
              SELECT tenant_id, {key} AS key, dense_rank() OVER (ORDER BY extracted_on) AS n
              FROM {feed}
            ), seen AS (
              SELECT tenant_id, key, max(n) AS last, max(n) - min(n) + 1 - count(*) AS gap
              FROM numbered GROUP BY ALL
            )
            SELECT count(*) FROM seen WHERE """
        assert world.value(seen + "last < 6") > 0, feed
        assert world.value(seen + "gap > 0") > 0, feed
        assert world.value(seen + "gap > 0") < 60, feed


def test_spans_end_early_are_cancelled_and_changed(world: World) -> None:
    last = "FROM enrollments WHERE extracted_on = '2025-02-01'"
    assert world.value(f"SELECT count(*) {last} AND coverage_end_date < coverage_start_date") > 0
    assert world.value(f"SELECT count(*) {last} AND termination_reason = 'plan_change'") > 0
    assert world.value(f"SELECT count(*) {last} AND enrollment_source = 'auto_renewal'") > 200
    retro = world.value("""
        SELECT count(*) FROM (
          SELECT lag(coverage_end_date) OVER (
              PARTITION BY tenant_id, enrollment_id ORDER BY extracted_on) AS earlier_end,
            coverage_end_date, extracted_on FROM enrollments)
        WHERE coverage_end_date < earlier_end AND coverage_end_date < extracted_on - 31""")
    assert retro > 0


def test_plans_are_chosen_in_the_window_of_their_source(world: World) -> None:
    windows = world.rows("""
        SELECT count(*), count(*) FILTER (CASE
          WHEN enrollment_source = 'special_enrollment'
            THEN coverage_start_date - selection_date NOT BETWEEN 1 AND 60
          WHEN month(coverage_start_date) = 1
            THEN strftime(selection_date, '%m-%d') NOT BETWEEN '11-01' AND '12-15'
          ELSE strftime(selection_date + 20, '%m-%d') NOT BETWEEN '01-05' AND '02-04' END)
        FROM enrollments GROUP BY enrollment_source""")
    assert len(windows) == 3
    assert all(spans > 50 and wrong == 0 for spans, wrong in windows)
    early = "SELECT count(*) FROM enrollments WHERE {} OR coverage_start_date - selection_date > 90"
    assert world.value(early.format("selection_date >= coverage_start_date")) == 0
    changed = world.value("""
        SELECT count(*) FROM (SELECT tenant_id, enrollment_id FROM enrollments
          GROUP BY ALL HAVING count(DISTINCT selection_date) > 1)""")
    assert changed == 0


def test_lines_are_pended_denied_adjusted_and_reversed(world: World) -> None:
    steps = dict(
        world.rows("""
        WITH states AS (
          SELECT claim_status, allowed_amount,
            lag(claim_status) OVER line AS before, lag(allowed_amount) OVER line AS allowed_before
          FROM claims WINDOW line AS (
            PARTITION BY tenant_id, claim_id, line_number ORDER BY extracted_on)
        )
        SELECT coalesce(before, 'new') || ' to ' || claim_status, count(*) FROM states
        WHERE before IS NULL OR before <> claim_status OR allowed_amount <> allowed_before
        GROUP BY 1""")
    )
    assert set(steps) == {
        "new to pended", "new to paid", "new to denied", "new to reversed",
        "pended to paid", "pended to denied", "paid to paid", "paid to reversed", "denied to paid",
    }  # fmt: skip
    assert sum(steps.values()) == world.value("SELECT count(*) FROM claims")
    decided = steps["new to paid"] + steps["new to denied"]
    assert 0.10 < steps["new to denied"] / decided < 0.22


def test_states_of_a_line_follow_each_other(world: World) -> None:
    backwards = world.value("""
        SELECT count(*) FROM (
          SELECT adjudicated_date, extracted_on, lag(extracted_on) OVER line AS previous,
            lag(claim_amount) OVER line <> claim_amount AS rebilled
          FROM claims WINDOW line AS (
            PARTITION BY tenant_id, claim_id, line_number ORDER BY extracted_on))
        WHERE adjudicated_date < previous OR rebilled""")
    assert backwards == 0


def test_high_cost_follows_what_was_paid(world: World) -> None:
    """The flag of each extract equals the sum over the states known by then."""
    differ = world.value("""
        WITH latest AS (
          SELECT m.tenant_id, m.extracted_on, m.member_id, c.paid_amount
          FROM members m JOIN claims c ON c.tenant_id = m.tenant_id
            AND c.member_id = m.member_id AND c.extracted_on <= m.extracted_on
          QUALIFY row_number() OVER (PARTITION BY m.tenant_id, m.extracted_on, c.claim_id,
            c.line_number ORDER BY c.extracted_on DESC) = 1
        ), paid AS (
          SELECT tenant_id, extracted_on, member_id, sum(paid_amount) AS paid
          FROM latest GROUP BY ALL
        )
        SELECT count(*) FROM members m LEFT JOIN paid USING (tenant_id, extracted_on, member_id)
        WHERE m.high_cost_member <> (coalesce(paid.paid, 0) >= 50000)""")
    assert differ == 0
    assert world.value("SELECT count(*) FROM members WHERE high_cost_member") > 0


def test_weekends_are_quiet(world: World) -> None:
    days = dict(world.rows("SELECT isodow(service_date), count(*) FROM claims GROUP BY 1"))
    assert days[7] < days[6] < days[5] * 0.7
    assert days[1] > days[5] * 0.9
