"""A file held against its contract, and the contract's next version made of it."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from landing_support import EXTRACTED_AT, ORDERS_HEADER, Warehouse

from granary.errors import GranaryError
from granary.landing import Contract, LandingFile, LoadBatch, Store, land_file
from granary.landing.contract import load_contract
from granary.landing.contract_accept import Acceptance, accept_edit, accept_file
from granary.landing.contract_versions import definition_of
from granary.landing.dictionary import rules_of
from granary.landing.errors import ContractViolation
from granary.landing.file_diff import FileDifference, compare_file
from granary.landing.letters import Wanted, waiting_lines
from granary.landing.replay import replay

Contracts = dict[str, Contract]
TODAY = date(2025, 2, 1)


@pytest.fixture
def folder(tmp_path: Path, contracts: Contracts) -> Path:
    return tmp_path / "contracts"


@pytest.fixture
def orders(folder: Path, contracts: Contracts) -> Path:
    """The contract of orders, with a comment."""
    path = folder / "shop" / "orders.yaml"
    path.write_text(f"# Ask the shop before you change it.\n{path.read_text()}")
    return path


def _changed_file(folder: Path) -> Path:
    """Orders whose date has another form and whose zip is gone, with three columns more."""
    header = ORDERS_HEADER.replace("zip,", "") + ",Shop No,weight,2nd name"
    lines = [
        f"A{number},Ann,{number + 1}/2/2025,{number}.25,{number},yes,fax,,,00{number},{number}.5,Bo"
        for number in range(20)
    ]
    path = folder / "orders.csv"
    path.write_text("\n".join([header, *lines, "A99,too,few"]) + "\n")
    return path


def _compare(path: Path, contract: Path) -> FileDifference:
    return compare_file(path, load_contract(contract), EXTRACTED_AT)


def _accept(path: Path, contract: Path, reason: str, *not_phi: str) -> Acceptance:
    before = load_contract(contract)
    difference = compare_file(path, before, EXTRACTED_AT)
    return accept_file(
        contract.parent.parent, before, definition_of(before), difference, reason, not_phi, TODAY
    )


def test_a_file_that_fits_says_so(tmp_path: Path, orders: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(f"{ORDERS_HEADER}\nA1,Ann,2025-01-02,1,,,,12345,,\n")
    difference = _compare(path, orders)
    assert difference.fits
    assert difference.lines == 1
    assert difference.report == ["The file fits its contract."]


def test_every_difference_of_a_file_is_told_with_figures(tmp_path: Path, orders: Path) -> None:
    difference = _compare(_changed_file(tmp_path), orders)
    assert not difference.fits
    assert difference.report == [
        'refused    column "zip" is missing',
        'refused    column "Shop No" is not in the contract',
        'refused    column "weight" is not in the contract',
        'refused    column "2nd name" is not in the contract',
        'refused    column "placed_on": 20 of 20 values are not a date (YYYY-MM-DD)',
        'added      column "Shop No" is new (text)',
        'added      column "weight" is new (decimal(18,1))',
        'added      column "2nd name" is new (text)',
        'lines      column "quantity": 1 of 20 lines, such as: "0" is less than 1',
        'lines      column "channel": 20 of 20 lines, such as: "fax" is not one of web, store',
        "lines      1 lines are not CSV of 12 columns",
    ]


def test_protected_values_do_not_show(tmp_path: Path, orders: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(f"{ORDERS_HEADER}\nA1,Ann,2025-01-02,1,,,,secret,,\n")
    assert _compare(path, orders).report == [
        'lines      column "zip": 1 of 1 lines, such as: "***" does not match [0-9]{5}'
    ]


def test_an_accepted_file_makes_the_next_version_and_keeps_the_form(
    tmp_path: Path, orders: Path
) -> None:
    before = orders.read_text()

    accepted = _accept(_changed_file(tmp_path), orders, "A new till: the shop's.", "weight")

    assert accepted.what == [
        'column "placed_on" is retired',
        'column "placed_on_v2" is new (text)',
        'column "zip" is retired',
        'column "shop_no" is new (text, optional)',
        'column "weight" is new (decimal(18,1), optional)',
        'column "c_2nd_name" is new (text, optional)',
    ]
    lines = orders.read_text().splitlines()
    changed = ("zip:", "placed_on:", "type: date")
    kept = [line for line in before.splitlines() if not any(word in line for word in changed)]
    assert [line for line in lines if line in kept] == kept
    contract = load_contract(orders)
    assert contract == accepted.contract
    assert contract.version == 2
    assert [change.reason for change in contract.changes] == ["A new till: the shop's."]
    assert contract.columns["placed_on_v2"].required
    assert [column.name for column in contract.columns.values() if column.phi] == [
        "customer", "zip", "shop_no", "c_2nd_name"
    ]  # fmt: skip
    difference = _compare(_changed_file(tmp_path), orders)
    assert [difference.breaking, difference.added] == [[], []]


def test_the_next_change_is_told_after_the_first(tmp_path: Path, orders: Path) -> None:
    path = tmp_path / "orders.csv"
    for names in ("colour", "colour,size"):
        path.write_text(f"{ORDERS_HEADER},{names}\n")
        _accept(path, orders, f"They send {names}.")
    assert [(change.version, *change.what) for change in load_contract(orders).changes] == [
        (2, 'column "colour" is new (text, optional)'),
        (3, 'column "size" is new (text, optional)'),
    ]


def test_files_of_others_and_older_ones_may_lack_an_accepted_column(
    tmp_path: Path, warehouse: Warehouse, contracts: Contracts, orders: Path
) -> None:
    """North sends two columns more; south does not yet, nor does north's correction of before."""

    def write(name: str, more: str, *lines: str) -> Path:
        path = tmp_path / name
        path.write_text("\n".join([ORDERS_HEADER + more, *lines]) + "\n")
        return path

    def land(store: Store, tenant: str, day: int, path: Path) -> LoadBatch:
        contract = load_contract(orders)
        file = LandingFile.from_options(path, contract, tenant, datetime(2025, 2, day))
        batch = land_file(store, file, contract)
        assert batch is not None
        return batch

    with warehouse.open() as store:
        land(
            store, "north", 1, write("a.csv", "", "N1,Ann,2025-01-02,1,,,,,,", "N2,,never,1,,,,,,")
        )
        new = write("b.csv", ",colour,weight", "N3,,2025-01-02,1,,,,,,,red,2.5")
        assert _compare(new, orders).report[-2:] == [
            'added      column "colour" is new (text)',
            'added      column "weight" is new (decimal(18,1))',
        ]
        _accept(new, orders, "They weigh.", "weight")
        land(store, "north", 2, new)
        south = write(
            "c.csv", "", 'S1,"Bo\nthe boss",2025-01-02,1,,,,,,', "S2,,2025-01-02,-1,,,,,,"
        )
        assert [_compare(south, orders).breaking, _compare(south, orders).added] == [[], []]
        assert land(store, "south", 2, south).rows_rejected == 1
        land(store, "north", 1, write("d.csv", "", "N1,Al,2025-01-02,1,,,,,,", "N2,,no,1,,,,,,"))
        land(store, "south", 3, write("e.csv", ",weight", "S3,,2025-01-02,1,,,,,,,7"))
        [letter] = waiting_lines(store, Wanted(tenant_id="south"))
        mended = replace(letter, record=letter.record.replace(b"-1", b"4"))
        assert replay(store, {"shop_orders": load_contract(orders)}, [mended]).replayed == 1

        declared = write("f.csv", "")
        declared.write_text(declared.read_text().replace(",zip", ",weight"))
        with pytest.raises(ContractViolation, match='column "zip" is missing'):
            land(store, "south", 4, declared)

    assert warehouse.rows(
        "SELECT rows.tenant_id, order_id, customer, colour, weight, batches.contract_version "
        "FROM raw.shop_orders AS rows INNER JOIN ops.load_batch AS batches "
        "ON batches.load_id = rows.load_id ORDER BY 1, 2, 3, 6"
    ) == [
        ("north", "N1", "Al", None, None, 2),
        ("north", "N1", "Ann", None, None, 1),
        ("north", "N3", None, "red", Decimal("2.5"), 2),
        ("south", "S1", "Bo\nthe boss", None, None, 2),
        ("south", "S2", None, None, None, 2),
        ("south", "S3", None, None, Decimal("7"), 2),
    ]


def test_a_column_that_was_accepted_as_optional_is_not_retired_by_a_file_without_it(
    tmp_path: Path, orders: Path
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(f"{ORDERS_HEADER},colour\n")
    _accept(path, orders, "They send colours.")
    path.write_text(f"{ORDERS_HEADER.replace(',zip', '')},size\n")
    assert _accept(path, orders, "No zip any more.").what == [
        'column "zip" is retired',
        'column "size" is new (text, optional)',
    ]
    [rule] = [rules_of(column) for column in load_contract(orders).columns.values()][-2:-1]
    assert rule == ["optional: NULL where a file lacks it"]


def test_an_optional_column_whose_type_changed_stays_optional(tmp_path: Path, orders: Path) -> None:
    path = tmp_path / "orders.csv"
    for values in (range(12), "abcdefghijkl"):
        lines = [f"A{value},,2025-01-02,1,,,,,,,{value}" for value in values]
        path.write_text("\n".join([f"{ORDERS_HEADER},colour", *lines]) + "\n")
        accepted = _accept(path, orders, "They send colours.")
    assert accepted.what == [
        'column "colour" is retired',
        'column "colour_v3" is new (text, optional)',
    ]


def test_a_key_whose_type_changed_follows_it(tmp_path: Path, folder: Path) -> None:
    contract = folder / "shop" / "returns.yaml"
    contract.write_text(
        contract.read_text().replace("order_id: {type: text", "order_id: {type: integer")
    )
    path = tmp_path / "returns.csv"
    path.write_text("order_id,note\n" + "".join(f"A{number},\n" for number in range(12)))
    assert _accept(path, contract, "Letters in ids.").contract.key == ("order_id_v2",)


def test_a_file_without_a_column_of_the_key_is_not_accepted(tmp_path: Path, orders: Path) -> None:
    before = orders.read_text()
    path = tmp_path / "orders.csv"
    path.write_text(f"{ORDERS_HEADER.removeprefix('order_id,')}\n")
    with pytest.raises(GranaryError, match="lacks order_id of the key"):
        _accept(path, orders, "Why not?")
    path.write_text(f"{ORDERS_HEADER}\n")
    with pytest.raises(GranaryError, match="nothing differs from version 1"):
        _accept(path, orders, "Why not?")
    with pytest.raises(GranaryError, match="names no new column: colour"):
        _accept(path, orders, "Why not?", "colour")
    assert orders.read_text() == before


def test_an_edit_is_accepted_but_not_that_a_column_vanishes(folder: Path, orders: Path) -> None:
    before = definition_of(load_contract(orders))
    text = orders.read_text()

    orders.write_text(text.replace("[web, store]", "[web, store, fax]"))
    accepted = accept_edit(folder, load_contract(orders), before, "They take faxes.", TODAY)
    assert accepted.what == ['column "channel": codes was web, store, is web, store, fax']
    assert load_contract(orders).changes[-1].what == tuple(accepted.what)

    orders.write_text("\n".join(line for line in text.splitlines() if "  zip:" not in line))
    with pytest.raises(GranaryError, match="column zip was taken out, but raw keeps it"):
        accept_edit(folder, load_contract(orders), before, "Nobody needs it.", TODAY)


@pytest.mark.parametrize(
    ("old", "new", "values", "is_told"),
    [
        ("zip", "postcode", ["12345", "02134"], True),
        ("zip", "colour", ["red", "blue"], False),
        ("zip", "postcode", ["", ""], False),
        ("customer", "buyer", ["Ann", "Bo"], True),
        ("customer", "buyer", ["17", "18"], False),
        ("amount", "total", ["1", "2.50"], True),
    ],
)
def test_another_name_is_told_by_its_place_and_the_kind_of_its_values(
    old: str, new: str, values: list[str], is_told: bool, tmp_path: Path, orders: Path
) -> None:
    header = ORDERS_HEADER.split(",")
    line = dict.fromkeys(header, "") | {"order_id": "A", "placed_on": "2025-01-02", "amount": "1"}
    lines = [",".join((line | {old: value}).values()) for value in values]
    path = tmp_path / "orders.csv"
    path.write_text("\n".join([ORDERS_HEADER.replace(old, new), *lines]) + "\n")

    told = _compare(path, orders).renamed

    assert len(told) == is_told
    assert all(f'"{new}" stands where "{old}" stood' in one for one in told)
    moved = [",".join(reversed(text.split(","))) for text in path.read_text().splitlines()]
    path.write_text("\n".join(moved) + "\n")
    assert _compare(path, orders).renamed == []
