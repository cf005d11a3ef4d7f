"""The premium payments feed: what members were billed each month, and whether they paid."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from . import columns
from .enrollments import NO_REASON, NON_PAYMENT, PLAN_CHANGE, Spans, first_extracts
from .members import Members
from .world import Bools, Ints, Streams, concatenate, draw, first_day, latest_per_extract

INVOICE_STATUSES = ("open", "paid", "void")
OPEN, PAID, VOID = range(len(INVOICE_STATUSES))
ISSUED_AHEAD = 10
# First and last day of payment, counted from the due date, and the share of those who pay then.
LATENESS = ((-5, -1), (0, 10), (11, 30), (31, 85))
LATENESS_SHARES = np.array([0.62, 0.285, 0.075, 0.02])
LATEST_WITHOUT_CREDIT, LATEST_FIRST = 30, 25
# Last bills that stay unpaid though the coverage ended for another reason; payments that fall
# short, and by how much at most.
LEFT_UNPAID, SHORT_PAYMENTS, SHORTEST = 0.06, 0.006, 0.95
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Invoices:
    """Invoices, one entry each, in the order of their spans and months.

    `paid` and `void` are the days on which they are, or NEVER. Money is in cents.
    """

    span: Ints
    month: Ints
    billed: Ints
    collected: Ints
    paid: Ints
    void: Ints


def make_invoices(streams: Streams, members: Members, spans: Spans) -> Invoices:
    """Bill every month of coverage that costs the member something."""
    born = np.where(members.newborn, members.coverage_start, 0)[spans.member]
    parts = []
    for year in members.horizon.years:
        january = (year - 1970) * 12
        child = born >= january
        rows = np.flatnonzero((spans.year == year) & ~child)
        parts.append(_year_of_invoices(streams("premiums", year), spans, year, rows))
        # Children of later months do not change the invoices of others.
        for month in range(january, january + 12):
            rows = np.flatnonzero((spans.year == year) & (born == month))
            if len(rows):
                rng = streams("premiums of newborns", month)
                parts.append(_year_of_invoices(rng, spans, year, rows))
    return concatenate(Invoices, parts)


def _year_of_invoices(rng: np.random.Generator, spans: Spans, year: int, rows: Ints) -> Invoices:
    """Invoices of some spans of a plan year; tables are [span, month]."""
    net = spans.premium - spans.aptc
    month = (year - 1970) * 12 + np.arange(12)
    first, last = spans.first[rows, None], spans.last[rows, None]
    due, end_known = first_day(month), spans.end_known[rows, None]
    covered = (month >= first) & (month <= last)
    # The issuer bills until it learns of the end, and then takes the bills back.
    mistaken = (month >= first) & (month > last) & (end_known > due - ISSUED_AHEAD)
    paid = _payment_days(rng, spans, rows, due, covered)
    paid = np.where(mistaken & (paid >= end_known), NEVER, paid)
    billed = np.broadcast_to(net[rows, None], paid.shape)
    short = rng.random(paid.shape) < SHORT_PAYMENTS
    part = np.where(short, rng.uniform(SHORTEST, 0.99, paid.shape), 1.0)
    span, column = np.nonzero((covered | mistaken) & (billed > 0))
    return Invoices(
        span=rows[span],
        month=month[column],
        billed=billed[span, column],
        collected=np.rint(billed * part).astype(np.int64)[span, column],
        paid=paid[span, column],
        void=np.where(mistaken, end_known, NEVER)[span, column],
    )


def _payment_days(
    rng: np.random.Generator, spans: Spans, rows: Ints, due: Ints, covered: Bools
) -> Ints:
    """Day on which each [span, month] is paid; months are paid one after the other."""
    shape = covered.shape
    earliest, latest = np.array(LATENESS).T
    habit = draw(rng, LATENESS_SHARES, covered.size).reshape(shape)
    late = rng.integers(earliest[habit], latest[habit] + 1)
    at_most = np.where(spans.aptc[rows] > 0, latest[-1], LATEST_WITHOUT_CREDIT)[:, None]
    opening = np.cumsum(covered, axis=1) == 1
    late = np.minimum(late, np.where(opening, LATEST_FIRST, at_most))
    reason = spans.reason[rows]
    silent = ~np.isin(reason, (NO_REASON, PLAN_CHANGE)) & (spans.last[rows] > spans.first[rows])
    silent &= rng.random(len(rows)) < LEFT_UNPAID
    stops = (reason == NON_PAYMENT) | silent
    month = np.arange(shape[1]) + (spans.year[rows, None] - 1970) * 12
    unpaid = stops[:, None] & (month >= spans.last[rows, None])
    return np.asarray(np.maximum.accumulate(np.where(unpaid, NEVER, due + late), axis=1))


def payments_table(invoices: Invoices, spans: Spans, members: Members) -> tuple[pa.Table, Ints]:
    """Rows of the change feed of all extracts, one after the other.

    Returns:
        The rows, and where each extract's begin (with the end as a last entry).
    """
    horizon = members.horizon
    issued = first_day(invoices.month) - ISSUED_AHEAD
    days = np.stack([issued, invoices.paid, invoices.void], axis=1)
    invoice, status = np.nonzero(days < NEVER)
    seen = first_extracts(spans, members)[invoices.span[invoice]]
    batch = np.maximum(horizon.batch_of(days[invoice, status]), seen)
    kept = latest_per_extract(invoice, batch, horizon)
    kept = kept[np.argsort(batch[kept], kind="stable")]
    starts = np.searchsorted(batch[kept], np.arange(len(horizon.extracts) + 1))
    invoice, status = invoice[kept], status[kept]
    span, month = invoices.span[invoice], invoices.month[invoice]
    invoice_id = [
        columns.identifiers(f"I{members.unit.prefix}", span + 1, 6),
        columns.identifiers("", month % 12 + 1, 2),
    ]
    due = columns.dates(first_day(month))
    table = pa.table(
        {
            "invoice_id": columns.joined(invoice_id, "-"),
            "enrollment_id": columns.identifiers(f"E{members.unit.prefix}", span + 1, 6),
            "member_id": columns.identifiers("M", members.numbers[spans.member[span]], 8),
            "coverage_month": due,
            "due_date": due,
            "billed_amount": columns.money(np.where(status == VOID, 0, invoices.billed[invoice])),
            "collected_amount": columns.money(
                np.where(status == PAID, invoices.collected[invoice], 0)
            ),
            "paid_date": columns.dates(invoices.paid[invoice], status != PAID),
            "invoice_status": columns.picked(np.array(INVOICE_STATUSES, object), status),
        }
    )
    return table, starts.astype(np.int64)
