"""What is known of dead letters, and how they are given up, in both warehouses."""

from datetime import timedelta
from pathlib import Path

import pytest
from landing_support import LANDED_AT, orders_file, write_orders

from granary.landing import Contract, Store, land_file
from granary.landing.errors import FileRefused
from granary.landing.letters import ERROR_CLASSES, Wanted, close_letters

Contracts = dict[str, Contract]
GOOD = "A1,,2025-01-02,1"
# A line of each class, in the order of the classes.
FAULTY = {
    "required_missing": ",,2025-01-02,1",
    "type_mismatch": "A2,,never,1",
    "pattern_mismatch": "A3,,2025-01-02,1,,,,x",
    "unknown_code": "A4,,2025-01-02,1,,,fax",
    "out_of_range": "A5,,2025-01-02,-1",
    "check_digit": "A6,,2025-01-02,1,,,,,1234567890",
    "after_extract": "A7,,2025-02-02,1",
    "structure": "A8,,2025-01-02,1,,,,,,,,one more",
    "encoding": "A9,\0,2025-01-02,1",
    "duplicate": GOOD,
}


def test_every_class_of_error_is_known(store: Store, contracts: Contracts, tmp_path: Path) -> None:
    path = write_orders(tmp_path / "orders.csv", GOOD, *FAULTY.values())
    land_file(store, orders_file(path, contracts), contracts["shop_orders"])
    for text in ("order_id\n", ""):
        path.write_text(text)
        with pytest.raises(FileRefused):
            land_file(store, orders_file(path, contracts), contracts["shop_orders"])

    rows = store.rows(
        "SELECT error_class FROM ops.dead_letter WHERE source_line > 1 ORDER BY source_line"
    )
    assert [name for (name,) in rows] == list(FAULTY)
    rows = store.rows("SELECT error_class FROM ops.dead_letter WHERE source_line = 0 ORDER BY 1")
    assert rows == [("file",), ("header",)]
    others = {"too_long", "forgotten", "anomaly", "file", "header"}
    assert set(FAULTY) | others == set(ERROR_CLASSES)


def test_closing_takes_the_kept_lines_and_leaves_what_is_not_meant(
    store: Store, contracts: Contracts, tmp_path: Path
) -> None:
    """The table is as it was before anybody could close: it gets its columns on the way."""
    store.prepare([])
    for column in ("closed_reason", "closed_at"):
        store.rows(f"ALTER TABLE ops.dead_letter DROP COLUMN {column}")
    path = write_orders(tmp_path / "orders.csv", GOOD, *FAULTY.values())
    land_file(store, orders_file(path, contracts), contracts["shop_orders"])

    wanted = Wanted(feed="shop_orders", error_class="unknown_code")
    closed = close_letters(store, wanted, "a fax is a letter", LANDED_AT)
    assert (closed.lines, closed.files) == (1, [])
    again = close_letters(store, wanted, "another reason", LANDED_AT + timedelta(days=1))
    assert (again.lines, again.files) == (0, [])

    assert store.rows(
        "SELECT source_line, closed_reason, closed_at FROM ops.dead_letter "
        "WHERE closed_reason IS NOT NULL"
    ) == [(6, "a fax is a letter", LANDED_AT)]
    counts = "SELECT status, COUNT(*) FROM ops.dead_letter GROUP BY status ORDER BY status"
    assert store.rows(counts) == [("closed", 2), ("waiting", 8)]
    assert store.rows("SELECT COUNT(*) FROM raw.refused_line") == [(8,)]
    assert store.rows("SELECT 1 FROM raw.refused_line WHERE source_line = 6") == []
