"""A corrected file is what the sender meant to say at first, and nothing that befell a claim."""

from datetime import date
from decimal import Decimal

from history.stories import EXTRACTS, Batch, tell
from history.warehouse import JOURNEYS, Rows, Warehouse

PAYMENTS = """
SELECT claim_id, event, paid_change FROM core.fct_payment ORDER BY claim_id, paid_date, load_id
"""
JUDGED = """
SELECT claim_id, is_ever_pended, is_adjusted, is_reversed, has_denied_line
FROM core.fct_claim_processing ORDER BY claim_id
"""


def _claims(load_id: int, extract: int, **states: tuple[str, int]) -> Batch:
    """A file of claims of one line each, by their status and what was paid."""
    rows = {
        (claim, 1): ("m1", "p1", "l1", date(2025, 1, 13), status, Decimal(paid))
        for claim, (status, paid) in states.items()
    }
    return Batch(load_id, "aca_claims", "one", EXTRACTS[extract], rows)


WRONG = _claims(
    1, 0, c1=("paid", 200), c2=("paid", 200), c3=("denied", 0), c4=("pended", 0), c5=("reversed", 0)
)
CORRECTED = _claims(
    2, 0, c1=("paid", 600), c2=("paid", 200), c3=("paid", 50), c4=("paid", 70), c5=("paid", 80)
)
# A month later c2 is paid another amount, and c4 is taken back.
NEXT = _claims(3, 4, c2=("paid", 250), c4=("reversed", 0))


def _told(warehouse: Warehouse, *batches: Batch) -> tuple[Rows, Rows]:
    story = tell(("aca_claims",), [("land", batch) for batch in batches])
    warehouse.live(story, also=JOURNEYS)
    return warehouse.rows(PAYMENTS), warehouse.rows(JUDGED)


def test_a_corrected_file_adjusts_no_claim(warehouse: Warehouse) -> None:
    """Five claims; what the wrong file said of four of them never was."""
    payments, judged = _told(warehouse, WRONG, CORRECTED, NEXT)

    assert [tuple(row.values()) for row in payments] == [
        ("c1", "payment", 600),
        ("c2", "payment", 200),
        ("c2", "adjustment", 50),
        ("c3", "payment", 50),
        ("c4", "payment", 70),
        ("c4", "reversal", -70),
        ("c5", "payment", 80),
    ]
    assert [tuple(row.values()) for row in judged] == [
        # Ever pended, adjusted, reversed, with a denied line.
        ("c1", False, False, False, False),
        ("c2", False, True, False, False),
        ("c3", False, False, False, False),
        ("c4", False, False, True, False),
        ("c5", False, False, False, False),
    ]


def test_whichever_landed_last_is_the_correction(warehouse: Warehouse) -> None:
    """The corrected file and then the first one again are as the first one alone."""
    again = _claims(4, 0, **{claim: row[4:] for (claim, _), row in WRONG.rows.items()})

    assert [row["claim_id"] for row in _told(warehouse, WRONG)[0]] == ["c1", "c2"]
    assert _told(warehouse, CORRECTED, again, NEXT) == _told(warehouse, WRONG, NEXT)
