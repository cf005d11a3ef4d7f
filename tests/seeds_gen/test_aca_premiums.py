"""Invoices follow from the spans, and members pay them or lose their coverage."""

from aca_world import World

# The last state of each invoice, beside its span as the last extract knows it.
INVOICES = """
    WITH spans AS (
      SELECT *, monthly_premium - aptc_amount AS net FROM enrollments
      WHERE extracted_on = '2025-02-01'
    ), invoices AS (
      SELECT * EXCLUDE (member_id, tenant_id), p.tenant_id
      FROM premium_payments p JOIN spans USING (tenant_id, enrollment_id)
      QUALIFY row_number() OVER (
        PARTITION BY p.tenant_id, invoice_id ORDER BY p.extracted_on DESC) = 1
    )"""


def test_every_covered_month_with_a_price_is_billed_once(world: World) -> None:
    differ = world.rows(f"""{INVOICES}, expected AS (
          SELECT tenant_id, enrollment_id, CAST(month AS DATE) AS coverage_month, net
          FROM spans, unnest(generate_series(
            coverage_start_date, least(coverage_end_date, DATE '2025-02-01'), INTERVAL 1 MONTH)
          ) AS months (month)
          WHERE net > 0
        ), billed AS (
          SELECT tenant_id, enrollment_id, coverage_month, billed_amount
          FROM invoices WHERE invoice_status <> 'void'
        )
        (FROM expected EXCEPT ALL FROM billed) UNION ALL (FROM billed EXCEPT ALL FROM expected)
        LIMIT 3""")
    assert differ == []


def test_bills_after_the_end_are_taken_back(world: World) -> None:
    wrong = world.value(f"""{INVOICES} SELECT count(*) FROM invoices
        WHERE (invoice_status = 'void') <> (coverage_month > coverage_end_date)
          OR invoice_status = 'void' AND billed_amount + collected_amount <> 0""")
    assert wrong == 0
    void = f"{INVOICES} SELECT count(*) FROM invoices WHERE invoice_status = 'void' AND "
    assert world.value(void + "coverage_end_date >= coverage_start_date") > 10
    assert world.value(void + "coverage_end_date < coverage_start_date") > 10


def test_a_member_without_a_price_gets_no_bill_and_cannot_fail_to_pay(world: World) -> None:
    free = "FROM enrollments WHERE monthly_premium = aptc_amount"
    assert world.value(f"SELECT count(DISTINCT enrollment_id) {free}") > 100
    assert world.value(f"SELECT count(*) {free} AND termination_reason = 'non_payment'") == 0
    billed = world.value(f"""
        SELECT count(*) FROM premium_payments
        WHERE (tenant_id, enrollment_id) IN (SELECT (tenant_id, enrollment_id) {free})""")
    assert billed == 0


def test_payments_are_whole_or_a_little_short_and_come_in_turn(world: World) -> None:
    wrong = world.rows(f"""{INVOICES}
        SELECT invoice_id, due_date, paid_date, billed_amount, collected_amount FROM (
          SELECT *, max(coalesce(paid_date, DATE '2999-01-01')) OVER earlier AS before
          FROM invoices WHERE invoice_status <> 'void' WINDOW earlier AS (
            PARTITION BY tenant_id, enrollment_id ORDER BY coverage_month
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))
        WHERE (paid_date IS NULL) <> (invoice_status = 'open')
          OR invoice_status = 'open' AND collected_amount <> 0
          OR invoice_status = 'paid' AND (
            collected_amount NOT BETWEEN billed_amount * 0.94 AND billed_amount
            OR paid_date - due_date NOT BETWEEN -5 AND if(aptc_amount > 0, 85, 30)
            OR paid_date < before)
        LIMIT 3""")
    assert wrong == []
    short = "SELECT count(*) FROM premium_payments WHERE invoice_status = 'paid' AND "
    assert world.value(short + "collected_amount < billed_amount") > 0


def test_who_is_terminated_for_non_payment_left_the_last_month_unpaid(world: World) -> None:
    ended = f"""{INVOICES}, ended AS (
          SELECT tenant_id, enrollment_id, aptc_amount > 0 AS credit, invoice_status,
            coverage_month = date_trunc('month', coverage_end_date) AS is_last
          FROM invoices WHERE termination_reason = 'non_payment'
            AND coverage_end_date >= coverage_start_date AND invoice_status <> 'void'
        )"""
    states = world.rows(f"""{ended}
        SELECT DISTINCT is_last, invoice_status FROM ended ORDER BY ALL""")
    assert states == [(False, "paid"), (True, "open")]


def test_grace_is_three_months_with_a_tax_credit_and_one_without(world: World) -> None:
    """How long after the first unpaid due date an extract first tells of the end."""
    known = world.rows("""
        WITH first_told AS (
          SELECT tenant_id, enrollment_id, aptc_amount > 0 AS credit,
            CAST(date_trunc('month', any_value(coverage_end_date)) AS DATE) AS due,
            min(extracted_on) AS told
          FROM enrollments WHERE termination_reason = 'non_payment'
            AND coverage_end_date >= coverage_start_date
          GROUP BY ALL
        )
        SELECT credit, count(*), min(date_diff('month', due, told)),
          quantile_disc(date_diff('month', due, told), 0.9)
        FROM first_told WHERE due >= '2024-08-01' GROUP BY 1 ORDER BY 1""")
    # The end becomes known in the week after the grace, and is told on the first after that.
    assert [(credit, *waits) for credit, _, *waits in known] == [(False, 2, 2), (True, 4, 4)]
    assert min(spans for _, spans, *_ in known) > 3


def test_who_begins_coverage_has_paid_the_first_bill(world: World) -> None:
    begun = f"""{INVOICES} SELECT count(*) FROM invoices
        WHERE coverage_month = coverage_start_date AND invoice_status = 'open'
          AND enrollment_source = 'open_enrollment' AND coverage_start_date <= '2024-12-01'"""
    assert world.value(begun) == 0


def test_invoices_are_issued_paid_late_and_taken_back(world: World) -> None:
    steps = {
        step
        for (step,) in world.rows("""
            WITH states AS (
              SELECT invoice_status, lag(invoice_status) OVER (
                PARTITION BY tenant_id, invoice_id ORDER BY extracted_on) AS before
              FROM premium_payments)
            SELECT DISTINCT coalesce(before, 'new') || ' to ' || invoice_status FROM states""")
    }
    assert {"new to open", "new to paid", "open to paid", "open to void"} <= steps
    assert steps <= {
        "new to open", "new to paid", "new to void", "open to paid", "open to void", "paid to void"
    }  # fmt: skip


def test_nearly_all_that_is_billed_is_collected(world: World) -> None:
    rate = world.value(f"""{INVOICES}
        SELECT sum(collected_amount) / sum(billed_amount) FROM invoices
        WHERE due_date BETWEEN '2024-08-01' AND '2024-10-31'""")
    assert 0.96 < rate < 0.999
