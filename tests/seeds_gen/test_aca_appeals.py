"""Appeals follow denials, and what they come to shows in the lines."""

from aca_world import World

APPEALS = """
    WITH appealed AS (
      FROM appeals QUALIFY row_number() OVER (
        PARTITION BY tenant_id, appeal_id ORDER BY extracted_on DESC) = 1
    ), lines AS (
      SELECT tenant_id, claim_id, line_number, received_date,
        last(claim_status ORDER BY extracted_on) AS now
      FROM claims GROUP BY ALL
    ), appealed_lines AS (
      SELECT a.*, l.now, l.received_date FROM appealed a JOIN lines l
        ON l.tenant_id = a.tenant_id AND l.claim_id = a.claim_id
        AND (a.line_number IS NULL OR a.line_number = l.line_number)
    )"""


def test_appeals_lead_to_lines_and_there_is_one_per_claim(large_world: World) -> None:
    count = large_world.value(f"{APPEALS} SELECT count(*) FROM appealed")
    assert count > 30
    found = "SELECT count(DISTINCT {}) FROM appealed_lines"
    assert large_world.value(f"{APPEALS} {found.format('(tenant_id, appeal_id)')}") == count
    assert large_world.value(f"{APPEALS} {found.format('(tenant_id, claim_id)')}") == count
    whole = large_world.value(f"{APPEALS} SELECT count(*) FROM appealed WHERE line_number IS NULL")
    assert 0 < whole < count


def test_upheld_denials_stand_and_overturned_ones_are_paid(large_world: World) -> None:
    states = large_world.rows(f"""{APPEALS}
        SELECT outcome, list(DISTINCT now ORDER BY now) FROM appealed_lines
        WHERE decided_date IS NULL OR decided_date < DATE '2024-12-25'
        GROUP BY 1 ORDER BY 1""")
    assert [outcome for outcome, _ in states] == ["open", "overturned", "upheld"]
    now = dict(states)
    assert now["open"] == now["upheld"] == ["denied"]
    assert set(now["overturned"]) <= {"paid", "reversed"}


def test_dates_of_an_appeal_come_in_turn(large_world: World) -> None:
    wrong = large_world.value("""
        SELECT count(*) FROM appeals WHERE decided_date < filed_date
          OR (decided_date IS NULL) <> (outcome = 'open')""")
    assert wrong == 0
    early = large_world.value(f"""{APPEALS}
        SELECT count(*) FROM appealed_lines WHERE filed_date <= received_date""")
    assert early == 0
    reopened = large_world.value("""
        SELECT count(*) FROM (SELECT outcome, lag(outcome) OVER (
          PARTITION BY tenant_id, appeal_id ORDER BY extracted_on) AS before FROM appeals)
        WHERE before IS NOT NULL AND (before <> 'open' OR outcome = 'open')""")
    assert reopened == 0


def test_few_denials_are_appealed_and_most_appeals_fail(large_world: World) -> None:
    appealed = large_world.value("SELECT count(DISTINCT (tenant_id, claim_id)) FROM appeals")
    denied = large_world.value("""
        SELECT count(DISTINCT (tenant_id, claim_id)) FROM claims WHERE claim_status = 'denied'""")
    assert 0.001 < appealed / denied < 0.01
    # Two thirds to a half are upheld; there are about a hundred.
    upheld = large_world.value("""
        SELECT avg(CAST(outcome = 'upheld' AS INT)) FROM appeals
        WHERE outcome <> 'open' AND filed_date <= DATE '2024-10-31'""")
    assert 0.40 < upheld < 0.75


def test_most_denials_are_overturned_without_an_appeal(large_world: World) -> None:
    overturned, appealed = large_world.rows("""
        WITH steps AS (
          SELECT tenant_id, claim_id, claim_status, lag(claim_status) OVER (
            PARTITION BY tenant_id, claim_id, line_number ORDER BY extracted_on) AS before
          FROM claims)
        SELECT count(*), count(*) FILTER (EXISTS (FROM appeals a
          WHERE a.tenant_id = steps.tenant_id AND a.claim_id = steps.claim_id
            AND a.outcome = 'overturned'))
        FROM steps WHERE before = 'denied' AND claim_status = 'paid'""")[0]
    assert 0.02 < appealed / overturned < 0.20
