"""A contract is what landing used under its version; it changes by a new version only."""

from pathlib import Path

import pytest
from landing_support import EXTRACTED_AT, LANDED_AT, Warehouse, accepted, write_orders

from granary.landing import Contract, LandingFile, Store, Tenants, land_all, land_file
from granary.landing.contract import Policy
from granary.landing.contract_versions import definition_of, record_versions, recorded_version
from granary.landing.errors import ContractDrifted, ContractViolation

Contracts = dict[str, Contract]


def _with(contract: Contract, name: str, **rules: object) -> Contract:
    column = contract.columns[name].model_copy(update=rules)
    return contract.model_copy(update={"columns": {**contract.columns, name: column}})


def _return(folder: Path, contract: Contract, name: str, text: str) -> LandingFile:
    path = folder / name
    path.write_text(text)
    return LandingFile.from_options(path, contract, "north", EXTRACTED_AT)


def test_a_changed_contract_stops_its_feed_and_no_other(
    store: Store, contracts: Contracts, tenants: Tenants, landing: Path
) -> None:
    north = landing / "shop" / "north"
    write_orders(north / "orders_20250131T000000Z.csv", "A1,,2025-01-02,1")
    assert land_all(store, landing, contracts, tenants).problems == []

    changed = _with(contracts["shop_orders"], "channel", codes=("web", "store", "fax"))
    changed = changed.model_copy(update={"policy": Policy(volume="stop"), "key": ("npi",)})
    for day in (1, 2):
        write_orders(north / f"orders_2025020{day}T000000Z.csv", "A2,,2025-01-02,1,,,fax")
    (north / "returns_20250201T000000Z.csv").write_text("order_id,note\nA1,torn\n")
    report = land_all(store, landing, {**contracts, "shop_orders": changed}, tenants)

    assert report.problems == [
        "contracts/shop/orders.yaml differs from version 1, under which 1 batch landed: "
        'key was order_id, is npi; policy: volume is now stop; column "channel": codes was web, '
        "store, is web, store, fax. No file of shop_orders was read. Take the edit back, or run: "
        "granary contract accept shop_orders --reason '…'"
    ]
    assert [batch.feed for batch in report.landed] == ["shop_returns"]

    again = accepted(changed, "They take faxes.")
    report = land_all(store, landing, {**contracts, "shop_orders": again}, tenants)
    assert report.problems == []
    assert len(report.landed) == 2
    assert store.rows("SELECT feed, version, reason FROM ops.contract ORDER BY feed, version") == [
        ("shop_orders", 1, "first version"),
        ("shop_orders", 2, "They take faxes."),
        ("shop_returns", 1, "first version"),
    ]


def test_when_a_feed_is_late_is_no_demand_on_its_files(
    store: Store, contracts: Contracts, tenants: Tenants, landing: Path
) -> None:
    write_orders(landing / "shop/north/orders_20250131T000000Z.csv", "A1,,2025-01-02,1")
    land_all(store, landing, contracts, tenants)
    patient = contracts["shop_orders"].model_copy(update={"policy": Policy(fresh_within=40)})
    assert definition_of(patient) == definition_of(contracts["shop_orders"])

    report = land_all(store, landing, {**contracts, "shop_orders": patient}, tenants)

    assert (report.problems, len(report.skipped)) == ([], 1)


def test_a_contract_under_which_nothing_landed_may_be_edited(
    store: Store, contracts: Contracts
) -> None:
    store.prepare(contracts.values())
    contract = contracts["shop_orders"]
    edited = _with(contract, "quantity", min="0")
    for version in (contract, edited):
        assert record_versions(store, [version], LANDED_AT) == {}
    recorded = recorded_version(store, "shop_orders", 1)
    assert recorded is not None
    assert recorded.definition == definition_of(edited)


def test_descriptions_and_units_are_not_part_of_a_version(contracts: Contracts) -> None:
    contract = contracts["shop_orders"]
    told = _with(contract, "amount", description="Sum of the order.", unit="EUR")
    told = told.model_copy(update={"description": "Orders."})
    assert definition_of(told) == definition_of(contract)


def test_a_file_alone_is_not_read_either(
    store: Store, contracts: Contracts, tmp_path: Path
) -> None:
    contract = contracts["shop_returns"]
    file = _return(tmp_path, contract, "a.csv", "order_id,note\nA1,torn\n")
    assert land_file(store, file, contract)
    with pytest.raises(ContractDrifted, match='column "note": required is now true'):
        land_file(store, file, _with(contract, "note", required=True))


def test_a_retired_column_stays_in_raw_and_is_null_from_then_on(
    warehouse: Warehouse, contracts: Contracts, tmp_path: Path
) -> None:
    first = _with(contracts["shop_returns"], "note", required=True)
    second = accepted(_with(first, "note", retired=True), "Nobody reads notes.")
    with warehouse.open() as store:
        land_file(store, _return(tmp_path, first, "a.csv", "order_id,note\nA1,torn\n"), first)
        with pytest.raises(ContractViolation):
            land_file(store, _return(tmp_path, first, "b.csv", "order_id\nA2\n"), first)
        land_file(store, _return(tmp_path, second, "b.csv", "order_id\nA2\n"), second)

    assert warehouse.rows("SELECT order_id, note FROM raw.shop_returns ORDER BY 1") == [
        ("A1", "torn"),
        ("A2", None),
    ]


def test_a_column_that_nobody_declared_lands_beside_the_others(
    warehouse: Warehouse, contracts: Contracts, tmp_path: Path
) -> None:
    contract = contracts["shop_returns"]
    with warehouse.open() as store:
        for name, text in (
            ("a.csv", "order_id,note\nA1,torn\n"),
            ("b.csv", "Colour,note,order_id\nred,late,A2\n,late,A3\nblue,late,\n"),
            ("c.csv", "order_id,note\nA4,torn\n"),
        ):
            assert land_file(store, _return(tmp_path, contract, name, text), contract)

    assert warehouse.rows("SELECT order_id, note, x_colour FROM raw.shop_returns ORDER BY 1") == [
        ("A1", "torn", None),
        ("A2", "late", "red"),
        ("A3", "late", None),
        ("A4", "torn", None),
    ]
    assert warehouse.rows("SELECT raw_text FROM ops.dead_letter") == [("***,late,",)]


def test_a_file_whose_column_changed_its_type_is_refused_whole(
    store: Store, contracts: Contracts, tmp_path: Path
) -> None:
    """Of 30 lines all dates have another form; one amount is a slip, and stays one."""
    lines = [f"A{day},,{day:02}.01.2025,{'x' if day == 7 else day}" for day in range(1, 31)]
    contract = contracts["shop_orders"]
    path = write_orders(tmp_path / "orders.csv", *lines)
    file = LandingFile.from_options(path, contract, "north", EXTRACTED_AT)
    with pytest.raises(ContractViolation) as refusal:
        land_file(store, file, contract)
    assert refusal.value.message == (
        f'{path}: column "placed_on": 30 of 30 values are not a date (YYYY-MM-DD). '
        "Nothing was landed."
    )
    assert "granary contract accept FILE" in refusal.value.remedy
    assert store.rows("SELECT source_line, error_class FROM ops.dead_letter") == [(0, "header")]
