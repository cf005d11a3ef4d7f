from datetime import date

import pytest

from granary.errors import GranaryError
from granary.landing.contract import load_contracts
from granary.observability.trace import parse_period
from granary.settings import CONTRACTS
from semantic.origins import load_origins


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("2025", date(2025, 1, 1), date(2026, 1, 1)),
        ("2025-Q4", date(2025, 10, 1), date(2026, 1, 1)),
        ("2024-02", date(2024, 2, 1), date(2024, 3, 1)),
        ("2025-12", date(2025, 12, 1), date(2026, 1, 1)),
        ("2024-02-29", date(2024, 2, 29), date(2024, 3, 1)),
    ],
)
def test_a_period_is_a_day_a_month_a_quarter_or_a_year(text: str, first: date, after: date) -> None:
    assert parse_period(text) == (first, after)


@pytest.mark.parametrize("text", ["", "25", "2025-13", "2025-02-30", "2025-Q5", "March 2025"])
def test_anything_else_is_no_period(text: str) -> None:
    with pytest.raises(GranaryError, match="no period"):
        parse_period(text)


def test_every_way_ends_in_a_staging_table_whose_feed_has_a_contract() -> None:
    contracts = load_contracts(CONTRACTS)
    for table, origin in load_origins().items():
        assert origin.steps[-1].table.startswith("staging.stg_"), table
        assert origin.feed in contracts, table
        assert set(origin.key) <= set(origin.columns)
