"""Hospital stays have their dates, end in order, and are followed by others."""

from aca_world import World

STAYS = """
    WITH stays AS (
      SELECT DISTINCT tenant_id, claim_id, member_id, service_date, discharge_date,
        discharge_status, admission_type
      FROM claims WHERE claim_type = 'inpatient'
    )"""


def test_stays_and_only_they_have_dates_and_circumstances(large_world: World) -> None:
    wrong = large_world.value("""
        SELECT count(*) FROM claims WHERE
          (discharge_date IS NOT NULL) <> (claim_type = 'inpatient')
          OR (discharge_status IS NOT NULL) <> (claim_type = 'inpatient')
          OR (admission_type IS NOT NULL) <> (claim_type = 'inpatient')
          OR discharge_date <= service_date OR received_date <= discharge_date""")
    assert wrong == 0


def test_all_lines_and_states_of_a_claim_tell_the_same_stay(large_world: World) -> None:
    claims = (
        "SELECT count(DISTINCT (tenant_id, claim_id)) FROM claims WHERE claim_type = 'inpatient'"
    )
    assert large_world.value(f"{STAYS} SELECT count(*) FROM stays") == large_world.value(claims)
    assert large_world.value(claims) > 300


def test_stays_of_a_member_never_overlap(large_world: World) -> None:
    overlaps = large_world.value(f"""{STAYS} SELECT count(*) FROM stays a JOIN stays b
        USING (tenant_id, member_id)
        WHERE a.claim_id <> b.claim_id
          AND b.service_date BETWEEN a.service_date AND a.discharge_date""")
    assert overlaps == 0


def test_length_of_stay_follows_the_procedure(large_world: World) -> None:
    days = dict(
        large_world.rows("""
            SELECT procedure_code, avg(discharge_date - service_date) FROM (
              SELECT DISTINCT tenant_id, claim_id, procedure_code, service_date, discharge_date
              FROM claims WHERE claim_type = 'inpatient' AND line_number = 1
                AND discharge_status <> 'died')
            GROUP BY 1""")
    )
    assert 2.0 < days["PX-IPB"] < 3.0 < days["PX-IPM"] < days["PX-IPI"]
    assert 5.5 < days["PX-IPY"] < 8.5
    mean = large_world.value(f"""{STAYS} SELECT avg(discharge_date - service_date) FROM stays
        WHERE admission_type <> 'newborn'""")
    assert 3.9 < mean < 5.2


def test_stays_are_followed_by_others_within_a_month(large_world: World) -> None:
    stays, followed, unplanned = large_world.rows(f"""{STAYS}
        SELECT count(*), count(*) FILTER (again IS NOT NULL),
          count(*) FILTER (again IN ('emergency', 'urgent'))
        FROM (SELECT a.claim_id, any_value(b.admission_type) AS again
          FROM stays a LEFT JOIN stays b ON b.tenant_id = a.tenant_id
            AND b.member_id = a.member_id
            AND b.service_date - a.discharge_date BETWEEN 1 AND 30
          WHERE a.discharge_date <= '2024-11-30' GROUP BY a.tenant_id, a.claim_id)""")[0]
    assert 0.08 < followed / stays < 0.14
    assert 0.07 < unplanned / stays <= followed / stays


def test_nobody_is_treated_after_dying_in_hospital(large_world: World) -> None:
    dead = f"{STAYS}, dead AS (FROM stays WHERE discharge_status = 'died')"
    assert large_world.value(f"{dead} SELECT count(*) FROM dead") > 0
    later = large_world.value(f"""{dead}
        SELECT count(*) FROM dead d JOIN claims c USING (tenant_id, member_id)
        WHERE c.service_date > d.discharge_date""")
    assert later == 0
    other_ends = large_world.value(f"""{dead}
        SELECT count(*) FROM dead d JOIN enrollments e USING (tenant_id, member_id)
        WHERE e.extracted_on = '2025-01-01' AND e.coverage_end_date >= d.discharge_date
          AND e.termination_reason IS NOT NULL AND e.termination_reason <> 'death'""")
    assert other_ends == 0


def test_most_go_home_and_few_leave_against_advice(large_world: World) -> None:
    shares = dict(
        large_world.rows(f"""{STAYS} SELECT discharge_status,
          count(*) / sum(count(*)) OVER () FROM stays GROUP BY 1""")
    )
    assert shares["home"] > 0.85
    assert max(shares["transfer"], shares["left_against_advice"], shares["died"]) < 0.10
    types = dict(
        large_world.rows(f"""{STAYS} SELECT admission_type,
          count(*) / sum(count(*)) OVER () FROM stays
          WHERE admission_type <> 'newborn' GROUP BY 1""")
    )
    assert 0.4 < types["emergency"] < 0.7
    assert 0.1 < types["elective"] < 0.3
