"""Dead letters tried again: after the contract was mended, after the line was, and twice."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from landing_support import EXTRACTED_AT, LANDED_AT, Warehouse, accepted, write_orders

from granary.errors import GranaryError
from granary.landing import Contract, LandingFile, LoadBatch, Store, land_file
from granary.landing.letters import (
    Wanted,
    export,
    group_letters,
    list_letters,
    mend,
    read_mended,
    waiting_files,
    waiting_lines,
)
from granary.landing.replay import ReplayReport, replay

Contracts = dict[str, Contract]
LATER = LANDED_AT + timedelta(days=1)
RAW = "SELECT order_id, customer, amount, channel, source_line FROM raw.shop_orders"


def _with(contract: Contract, name: str, **rules: object) -> Contract:
    column = contract.columns[name].model_copy(update=rules)
    return contract.model_copy(update={"columns": {**contract.columns, name: column}})


def _land(store: Store, path: Path, contract: Contract) -> LoadBatch:
    file = LandingFile.from_options(path, contract, "north", EXTRACTED_AT)
    batch = land_file(store, file, contract, lambda: LANDED_AT)
    assert batch is not None
    return batch


def _replay(
    store: Store, contract: Contract, wanted: Wanted | None = None, at: datetime = LATER
) -> ReplayReport:
    letters = waiting_lines(store, wanted or Wanted())
    return replay(store, {contract.feed: contract}, letters, lambda: at)


@pytest.fixture
def orders(contracts: Contracts) -> Contract:
    return contracts["shop_orders"]


@pytest.fixture
def first(store: Store, orders: Contract, tmp_path: Path) -> LoadBatch:
    """Two good lines; one by fax, one of no amount, one torn, one that repeats another."""
    path = write_orders(
        tmp_path / "orders.csv",
        "A1,Ann,2025-01-02,1",
        'A2,"Bo ""the\nboss""",2025-01-02,2,,,fax,12345',
        "A3,Cy,2025-01-02,",
        "A4,Di,2025-01-02,4",
        "A4,Di,2025-01-02,4",
    )
    with path.open("a") as stream:
        stream.write("A5,Ed\n")
    return _land(store, path, orders)


def test_lines_land_once_the_contract_takes_them(
    store: Store, orders: Contract, first: LoadBatch
) -> None:
    assert first.rows_rejected == 3
    fax = accepted(_with(orders, "channel", codes=("web", "store", "fax")), "They take faxes.")

    report = _replay(store, fax)

    assert (report.replayed, report.closed, report.refused, report.exit_code) == (1, 0, 2, 1)
    [batch] = report.landed
    assert (batch.replay_of, batch.rows_read, batch.rows_loaded) == (first.load_id, 1, 1)
    assert (batch.source, batch.extracted_at) == (first.source, first.extracted_at)
    assert (batch.load_timestamp, batch.contract_version) == (LATER, 2)
    assert store.rows(f"{RAW} WHERE load_id = $1", [batch.load_id]) == [
        ("A2", 'Bo "the\nboss"', 2, "fax", 3)
    ]
    assert store.rows(
        "SELECT source_line, status, attempts, replayed_load_id FROM ops.dead_letter ORDER BY 1"
    ) == [
        (3, "replayed", 2, batch.load_id),
        (5, "waiting", 2, None),
        (7, "closed", 1, None),
        (8, "waiting", 2, None),
    ]
    assert store.rows("SELECT source_line FROM raw.refused_line ORDER BY 1") == [(5,), (8,)]


def test_trying_twice_changes_nothing_but_the_attempts(
    store: Store, orders: Contract, first: LoadBatch
) -> None:
    fax = accepted(_with(orders, "channel", codes=("web", "store", "fax")), "They take faxes.")
    _replay(store, fax)
    held = [store.rows("SELECT * FROM raw.shop_orders"), store.rows("SELECT * FROM ops.load_batch")]

    again = _replay(store, fax, at=LATER + timedelta(days=1))

    assert (again.landed, again.replayed, again.refused) == ([], 0, 2)
    assert held == [
        store.rows("SELECT * FROM raw.shop_orders"),
        store.rows("SELECT * FROM ops.load_batch"),
    ]
    assert store.rows("SELECT MAX(attempts) FROM ops.dead_letter") == [(3,)]
    assert _replay(store, fax, Wanted(error_class="unknown_code")).refused == 0


def _corrected(path: Path, corrections: Iterable[tuple[int, str, str]]) -> None:
    rows = list(csv.DictReader(io.StringIO(path.read_text(), newline="")))
    for line, name, value in corrections:
        for row in rows:
            if row["_line"] == str(line):
                row[name] = value
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(row for row in rows if row["_line"] != "3")


def test_lines_land_once_somebody_corrected_them(
    store: Store, orders: Contract, first: LoadBatch, tmp_path: Path
) -> None:
    """The torn line is mended as a whole, the other by its value; the third is left alone."""
    table = export(waiting_lines(store, Wanted()))
    assert table.columns[:4] == ["_source", "_load_id", "_line", "_reason"]
    assert [(row[2], row[-1]) for row in table.rows] == [(3, ""), (5, ""), (8, "A5,Ed")]
    path = tmp_path / "mended.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([table.columns, *table.rows])
    _corrected(path, [(5, "amount", "3.50"), (8, "_record", "A5,Ed,2025-01-03,5,,,,,,")])

    letters = mend(waiting_lines(store, Wanted()), read_mended(path), path)
    report = replay(store, {orders.feed: orders}, letters, lambda: LATER)

    assert (report.replayed, report.refused, report.exit_code) == (2, 0, 0)
    assert store.rows(f"{RAW} WHERE load_timestamp = $1 ORDER BY 1", [LATER]) == [
        ("A3", "Cy", 3.5, None, 5),
        ("A5", "Ed", 5, None, 8),
    ]
    assert store.rows(
        "SELECT source_line, attempts FROM ops.dead_letter WHERE status = 'waiting'"
    ) == [(3, 1)]


def test_a_corrected_line_that_is_still_wrong_says_why(
    store: Store, orders: Contract, first: LoadBatch
) -> None:
    [letter] = waiting_lines(store, Wanted(error_class="required_missing"))
    wrong = dict(zip(letter.header, letter.values or (), strict=True)) | {"amount": "-1"}
    row = {**wrong, "_record": ""}
    letters = mend([letter], {(letter.load_id, letter.source_line): row}, Path("mended.csv"))
    assert replay(store, {orders.feed: orders}, letters, lambda: LATER).refused == 1
    assert store.rows(
        "SELECT reason, error_class, attempts FROM ops.dead_letter WHERE source_line = 5"
    ) == [('line 5, column "amount": "-1" is less than 0', "out_of_range", 2)]
    [kept] = waiting_lines(store, Wanted(error_class="out_of_range"))
    assert kept.record == letter.record


def test_a_later_line_of_the_same_key_still_counts(
    store: Store, orders: Contract, tmp_path: Path
) -> None:
    """Line 2 was refused, line 3 of the same order landed: its state is the later one."""
    path = write_orders(
        tmp_path / "orders.csv",
        "A1,Ann,2025-01-02,1,,,fax",
        "a1,Ann,2025-01-02,2",
        "A1,Ann,2025-01-02,3",
        "A2,Bo,2025-01-02,4",
    )
    _land(store, path, orders)
    report = _replay(store, _with(orders, "channel", codes=("web", "store", "fax")))
    assert [batch.rows_loaded for batch in report.landed] == [3]
    assert store.rows(
        "SELECT order_id, amount, source_line FROM raw.shop_orders WHERE load_timestamp = $1 "
        "ORDER BY source_line",
        [LATER],
    ) == [("A1", 1, 2), ("a1", 2, 3), ("A1", 3, 4)]


def test_a_snapshot_comes_again_whole(store: Store, contracts: Contracts, tmp_path: Path) -> None:
    """Its lines are tried in two goes; each brings all that stands by then."""
    returns = contracts["shop_returns"].model_copy(update={"kind": "snapshot"})
    strict = _with(returns, "note", codes=("torn",))
    path = tmp_path / "returns.csv"
    path.write_text("order_id,note\nA1,torn\nA2,lost\nA3,late\nA4,torn\n")
    batch = _land(store, path, strict)

    one = _with(returns, "note", codes=("torn", "lost"))
    two = _with(returns, "note", codes=("torn", "lost", "late"))
    first, second = _replay(store, one), _replay(store, two, at=LATER + timedelta(hours=1))

    assert [first.refused, second.refused] == [1, 0]
    for report, orders in ((first, ["A1", "A2", "A4"]), (second, ["A1", "A2", "A3", "A4"])):
        [landed] = report.landed
        assert landed.replay_of == batch.load_id
        assert landed.rows_loaded == len(orders)
        assert store.rows(
            "SELECT order_id FROM raw.shop_returns WHERE load_id = $1 ORDER BY source_line",
            [landed.load_id],
        ) == [(order,) for order in orders]


def test_lines_of_before_a_new_version_land_by_it(
    store: Store, contracts: Contracts, tmp_path: Path
) -> None:
    """Since the file came, a column was retired and another one declared."""
    old = _with(contracts["shop_returns"], "note", codes=("torn",))
    path = tmp_path / "returns.csv"
    path.write_text("order_id,note,Colour\nA1,lost,red\nA2,torn,\n")
    _land(store, path, old)
    assert store.rows("SELECT x_colour FROM raw.shop_returns") == [(None,)]
    weight = old.columns["order_id"].model_copy(update={"name": "weight", "required": False})
    new = _with(contracts["shop_returns"], "note", retired=True, required=True)
    new = new.model_copy(update={"columns": {**new.columns, "weight": weight}})

    report = _replay(store, accepted(new, "Weighed, not told."))

    assert report.problems == []
    assert store.rows(
        "SELECT order_id, note, x_colour, weight FROM raw.shop_returns ORDER BY 1"
    ) == [("A1", "lost", "red", None), ("A2", "torn", None, None)]

    needed = _with(new, "weight", required=True)
    path.write_text("order_id,note\nA3,lost\nA4,torn\n")
    _land(store, path, old.model_copy(update={"version": 3}))
    report = _replay(store, needed)
    assert report.exit_code == 1
    assert ['column "weight" is missing' in problem for problem in report.problems] == [True]
    assert store.rows("SELECT attempts FROM ops.dead_letter WHERE status = 'waiting'") == [(1,)]


def test_letters_are_listed_grouped_and_chosen(
    store: Store, orders: Contract, first: LoadBatch, tmp_path: Path
) -> None:
    path = tmp_path / "broken.csv"
    path.write_text("order_id\n")
    with pytest.raises(GranaryError):
        _land(store, path, orders)

    listed = list_letters(store, Wanted(error_class="unknown_code"), 10)
    [row] = [dict(zip(listed.columns, row, strict=True)) for row in listed.rows]
    assert (row["source"], row["source_line"], row["column_name"]) == ("orders.csv", 3, "channel")
    assert row["raw_text"] == "A2,***,2025-01-02,2,,,fax,***,,"
    assert len(list_letters(store, Wanted(), 2).rows) == 2
    groups = group_letters(store, Wanted(status="waiting"))
    assert sorted((row[2], row[3], row[5]) for row in groups.rows) == [
        ("header", None, 1),
        ("required_missing", "amount", 1),
        ("structure", None, 1),
        ("unknown_code", "channel", 1),
    ]
    assert waiting_files(store, Wanted(feed="shop_orders")) == ["broken.csv"]
    assert waiting_files(store, Wanted(load_id=first.load_id)) == []
    assert len(waiting_lines(store, Wanted(load_id=first.load_id))) == 3
    assert waiting_lines(store, Wanted(feed="shop_returns")) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("order_id\nA1\n", "column _load_id, _line, _record is missing"),
        ("_load_id,_line,_record\n1,x,\n", "_load_id or _line is not a number"),
        ("_load_id,_line,_record\n1,2\n", "row 1 is not as wide as the header"),
        ('_load_id,_line,_record\n1,2,"x\n', "it is not CSV in UTF-8"),
    ],
)
def test_what_is_no_export_is_told(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mended.csv"
    path.write_text(text)
    with pytest.raises(GranaryError, match=message):
        read_mended(path)


def test_a_failure_in_the_middle_leaves_everything_as_it_was(
    warehouse: Warehouse, store: Store, orders: Contract, first: LoadBatch
) -> None:
    fax = _with(orders, "channel", codes=("web", "store", "fax"))
    letters = waiting_lines(store, Wanted())
    moments = [LATER]

    def clock() -> datetime:
        if not moments:
            raise KeyboardInterrupt
        return moments.pop()

    with pytest.raises(KeyboardInterrupt):
        replay(store, {orders.feed: fax}, letters, clock)
    store.close()
    assert warehouse.rows("SELECT COUNT(*) FROM raw.shop_orders") == [(first.rows_loaded,)]
    assert warehouse.rows("SELECT MAX(attempts), COUNT(*) FROM ops.dead_letter") == [(1, 4)]
