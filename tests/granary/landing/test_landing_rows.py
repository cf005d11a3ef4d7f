"""What becomes of the lines of a file."""

import csv
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from landing_support import (
    EXTRACTED_AT,
    LANDED_AT,
    ORDERS_HEADER,
    DuckDBWarehouse,
    PostgresWarehouse,
    Warehouse,
    orders_file,
    write_orders,
)

from granary.landing import Contract, LandingFile, Store, Tenants, land_all, land_file
from granary.landing.contract import load_contract
from granary.landing.errors import ContractViolation

Contracts = dict[str, Contract]


def test_good_lines_land_typed_with_their_origin(
    store: Store, warehouse: Warehouse, contracts: Contracts, tmp_path: Path
) -> None:
    path = write_orders(
        tmp_path / "orders.csv",
        "A1,Ann,2025-01-02,19.90,2,true,WEB,12345,2000000002,2025-01-03T10:00:00+02:00",
        " A2 ,  ,2025-01-31,.5,,No,,,,2025-01-03 10:00:00",
    )

    batch = land_file(
        store, orders_file(path, contracts), contracts["shop_orders"], lambda: LANDED_AT
    )

    assert batch is not None
    assert (batch.rows_read, batch.rows_loaded, batch.status) == (2, 2, "loaded")
    store.close()
    origin = ("north", batch.load_id, LANDED_AT, EXTRACTED_AT)
    assert warehouse.rows("SELECT * FROM raw.shop_orders ORDER BY source_line") == [
        (
            *("A1", "Ann", date(2025, 1, 2), Decimal("19.90"), 2, True, "WEB", "12345"),
            *("2000000002", datetime(2025, 1, 3, 8), *origin, 2),
        ),
        (
            *("A2", None, date(2025, 1, 31), Decimal("0.50"), None, False, None, None),
            *(None, datetime(2025, 1, 3, 10), *origin, 3),
        ),
    ]


def test_bad_lines_wait_and_good_lines_land(
    store: Store, warehouse: Warehouse, contracts: Contracts, tmp_path: Path
) -> None:
    path = write_orders(
        tmp_path / "orders.csv",
        "A1,Ann,2025-01-02,19.90",
        ",Ann,2025-01-02,19.90",
        "A3,Ann,2025-02-30,19.90",
        "A4,Ann,2025-01-02,-1",
        "A5,Ann,2025-01-02,1,0",
        "A6,Ann,2025-01-02,1,,,fax",
        "A7,Ann,2025-01-02,1,,,,1234",
        "A8,Ann,2025-01-02,1,,,,,2000000003",
        "A9,Ann,2025-02-01,1",
        'B1,Ann,1999-12-31,"5,000.01",,maybe,,,,',
    )

    batch = land_file(store, orders_file(path, contracts), contracts["shop_orders"])

    assert batch is not None
    assert (batch.rows_read, batch.rows_loaded, batch.rows_rejected) == (10, 1, 9)
    store.close()
    assert warehouse.rows(
        "SELECT source_line, column_name, error_class, reason FROM ops.dead_letter ORDER BY 1"
    ) == [
        (3, "order_id", "required_missing", 'line 3, column "order_id": is blank but required'),
        (4, "placed_on", "type_mismatch", 'line 4, column "placed_on": "2025-02-30" is not a date'
         " (YYYY-MM-DD)"),
        (5, "amount", "out_of_range", 'line 5, column "amount": "-1" is less than 0'),
        (6, "quantity", "out_of_range", 'line 6, column "quantity": "0" is less than 1'),
        (7, "channel", "unknown_code", 'line 7, column "channel": "fax" is not one of web, store'),
        (8, "zip", "pattern_mismatch", 'line 8, column "zip": "***" does not match [0-9]{5}'),
        (9, "npi", "check_digit", 'line 9, column "npi": "2000000003" fails the NPI check digit'),
        (10, "placed_on", "after_extract", 'line 10, column "placed_on": "2025-02-01" is after the'
         " extract of 2025-01-31"),
        (11, "placed_on", "out_of_range", 'line 11, column "placed_on": "1999-12-31" is less than'
         ' 2010-01-01; column "amount": "5,000.01" is not a decimal(8,2); column "paid": "maybe"'
         " is not a boolean (true or false)"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("quantity", "5.0"),
        ("quantity", "1e3"),
        ("quantity", "1_000"),
        ("quantity", "0x1F"),
        ("quantity", "99999999999999999999"),
        ("amount", "1.005"),
        ("amount", "1e2"),
        ("amount", "$5"),
        ("amount", "NaN"),
        ("amount", "1234567.00"),
        ("amount", "."),
        ("placed_on", "2025-1-5"),
        ("placed_on", "2025/01/05"),
        ("placed_on", "20250105"),
        ("placed_on", "2025-02-29"),
        ("placed_on", "epoch"),
        ("placed_on", "2025-01-05 00:00:00"),
        ("paid", "2"),
        ("npi", "200000000"),
        ("npi", "two"),
        ("seen.at", "yesterday"),
        ("seen.at", "2025-01-05"),
        ("seen.at", "2025-01-05 25:00:00"),
    ],
)
def test_a_value_of_another_type_is_refused(
    tmp_path: Path, contracts: Contracts, column: str, value: str
) -> None:
    letters = _letters_on_duckdb(tmp_path, contracts, column, value)
    assert [line for line, _ in letters] == [3]
    assert f'column "{column}": "{value}"' in letters[0][1]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("quantity", "+5"),
        ("quantity", "007"),
        ("amount", "5.000"),
        ("amount", "5."),
        ("amount", "+.5"),
        ("amount", "0005.10"),
        ("placed_on", "2024-02-29"),
        ("paid", "F"),
        ("channel", "Store"),
        ("npi", "2999999990"),
        ("seen.at", "2025-01-05T10:00:00.123456Z"),
    ],
)
def test_another_spelling_of_a_good_value_lands(
    tmp_path: Path, contracts: Contracts, column: str, value: str
) -> None:
    assert _letters_on_duckdb(tmp_path, contracts, column, value) == []


def _letters_on_duckdb(
    tmp_path: Path, contracts: Contracts, column: str, value: str
) -> list[tuple[int, str]]:
    warehouse = DuckDBWarehouse(tmp_path / "granary.duckdb")
    record = dict.fromkeys(ORDERS_HEADER.split(","), "")
    record.update(order_id="A2", placed_on="2025-01-02", amount="1")
    record[column] = value
    path = write_orders(tmp_path / "o.csv", "A1,Ann,2025-01-02,1", ",".join(record.values()))
    with warehouse.open() as store:
        land_file(store, orders_file(path, contracts), contracts["shop_orders"])
    letters = warehouse.rows("SELECT source_line, reason FROM ops.dead_letter")
    return [(line, reason) for line, reason in letters]


def test_protected_values_never_show(
    store: Store, warehouse: Warehouse, contracts: Contracts, tmp_path: Path
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(
        "order_id,customer,placed_on,amount,quantity,paid,channel,zip,npi,seen.at\n"
        "A0,Zoe Secret,2025-01-02,1,,,,99999,,\n"
        "A1,Zoe Secret,2025-01-02,x,,,,99999,,\n"
        "A2,Zoe Secret,2025-01-02,1,,,,99999x,,\n"
        "A3,Zoe Secret,2025-01-02,1\n"
        "A0,Zoe Secret,2025-01-02,1,,,,99999,,\n"
    )

    land_file(store, orders_file(path, contracts), contracts["shop_orders"])

    store.close()
    letters = warehouse.rows("SELECT source_line, reason, raw_text FROM ops.dead_letter ORDER BY 1")
    assert [line for line, *_ in letters] == [3, 4, 5, 6]
    assert letters[0][2] == "A1,***,2025-01-02,x,,,,***,,"
    assert letters[2][2] == "[26 characters withheld: the line cannot be split into columns]"
    assert "Secret" not in str(letters)
    assert "99999" not in str(letters)


def test_equal_lines_land_once_and_changed_lines_land_both(
    store: Store, warehouse: Warehouse, contracts: Contracts, tmp_path: Path
) -> None:
    """The last line says again what the first did: it stands, so it has to land."""
    path = write_orders(
        tmp_path / "orders.csv",
        "A1,Ann,2025-01-02,1",
        "A2,Bob,2025-01-02,2",
        "A1,Ann,2025-01-02,1 ",
        "A1,Ann,2025-01-02,9",
        "A1,Ann,2025-01-02,1",
    )

    batch = land_file(store, orders_file(path, contracts), contracts["shop_orders"])

    assert batch is not None
    assert (batch.rows_read, batch.rows_loaded, batch.rows_duplicate) == (5, 4, 1)
    store.close()
    assert warehouse.rows("SELECT source_line FROM raw.shop_orders ORDER BY 1") == [
        (2,),
        (3,),
        (5,),
        (6,),
    ]
    assert warehouse.rows(
        "SELECT source_line, error_class, reason, status FROM ops.dead_letter ORDER BY 1"
    ) == [
        (4, "duplicate", "line 4 is equal to line 2", "closed"),
    ]


def test_a_column_that_the_contract_gains_is_added(
    warehouse: Warehouse, contracts: Contracts, tmp_path: Path
) -> None:
    old = contracts["shop_returns"]
    definition = tmp_path / "contracts" / "shop" / "returns.yaml"
    change = "{version: 2, accepted_on: 2025-02-01, reason: Asked for, what: [weight is new]}"
    definition.write_text(
        f"version: 2\nchanges: [{change}]\n{definition.read_text()}"
        "  weight: {type: integer, required: true, description: What it weighs in grams.}\n"
    )
    new = load_contract(definition)
    for number, (contract, text) in enumerate(
        [(old, "order_id,note\nA1,torn\n"), (new, "weight,note,order_id\n70,late,A2\n")]
    ):
        path = tmp_path / f"returns_{number}.csv"
        path.write_text(text)
        file = LandingFile.from_options(path, contract, "north", EXTRACTED_AT)
        with warehouse.open() as store:
            land_file(store, file, contract)

    assert warehouse.rows("SELECT order_id, note, weight FROM raw.shop_returns ORDER BY 1") == [
        ("A1", "torn", None),
        ("A2", "late", 70),
    ]


@pytest.mark.slow
def test_every_line_of_a_real_file_is_accounted_for(
    postgres: PostgresWarehouse, project_contracts: Contracts, shared_data: Path
) -> None:
    warehouse = postgres
    contract = project_contracts["aca_qhp_landscape"]
    path = shared_data / "cms_qhp_landscape_2014.csv.gz"
    file = LandingFile.from_options(path, contract, "cms", datetime(2013, 10, 1))

    with warehouse.open() as store:
        batch = land_file(store, file, contract)

    assert batch is not None
    assert (batch.rows_read, batch.rows_loaded, batch.rows_rejected) == (81_015, 81_013, 2)
    assert dict(
        warehouse.rows("SELECT metal_level, COUNT(*) FROM raw.aca_qhp_landscape GROUP BY 1")
    ) == {
        "Silver": 26_773,
        "Bronze": 23_479,
        "Gold": 20_828,
        "Catastrophic": 6_555,
        "Platinum": 3_378,
    }
    # Two lines of the file are nothing but commas.
    assert warehouse.rows(
        "SELECT source_line, error_class, LENGTH(raw_text) FROM ops.dead_letter ORDER BY 1"
    ) == [(80_072, "required_missing", 129), (82_707, "required_missing", 129)]
    assert warehouse.rows(
        "SELECT county, plan_id_standard_component, couple_1_child_age_21, "
        "medical_deductible_individual_standard, drug_deductible_individual_standard, state_name "
        "FROM raw.aca_qhp_landscape WHERE source_line = 2"
    ) == [("ALEUTIANS EAST", "38344AK0570001", 738, "$5,250", "Included in Medical", "Alaska")]
    last = warehouse.rows("SELECT MAX(source_line) FROM raw.aca_qhp_landscape")
    assert last[0][0] < 82_707
    keys = warehouse.rows(
        "SELECT COUNT(*) FROM (SELECT DISTINCT state, county, plan_id_standard_component "
        "FROM raw.aca_qhp_landscape) AS keys"
    )
    assert keys == [(81_013,)]


def test_a_file_of_another_feed_is_refused_with_the_difference(
    store: Store, warehouse: Warehouse, project_contracts: Contracts, shared_data: Path
) -> None:
    contract = project_contracts["aca_providers"]
    path = shared_data / "nppes_providers_sample.csv"
    file = LandingFile.from_options(path, contract, "cms", datetime(2024, 1, 1))

    with pytest.raises(ContractViolation) as refusal:
        land_file(store, file, contract)

    assert 'column "taxonomy_code" is missing (found "primary_taxonomy_code")' in str(refusal.value)
    assert 'column "last_updated" is not in the contract' in str(refusal.value)
    store.close()
    assert warehouse.rows("SELECT status, rows_read FROM ops.load_batch") == [("refused", 0)]


def test_the_check_digit_holds_for_real_npis(
    tmp_path: Path, contracts: Contracts, shared_data: Path
) -> None:
    with (shared_data / "nppes_providers_sample.csv").open(encoding="utf-8") as stream:
        npis = [row["npi"] for row in csv.DictReader(stream)]
    wrong = [npi[:-1] + str((int(npi[-1]) + 1) % 10) for npi in npis]
    lines = [f"A{i},,2025-01-02,1,,,,,{npi}" for i, npi in enumerate(npis + wrong)]
    path = write_orders(tmp_path / "orders.csv", *lines)
    with DuckDBWarehouse(tmp_path / "granary.duckdb").open() as store:
        batch = land_file(store, orders_file(path, contracts), contracts["shop_orders"])

    assert batch is not None
    assert (batch.rows_loaded, batch.rows_rejected) == (len(npis), len(npis))


def test_progress_and_report_tell_what_happened(
    store: Store, contracts: Contracts, tenants: Tenants, landing: Path
) -> None:
    write_orders(landing / "shop/north/orders_20250131T000000Z.csv", "A1,,2025-01-02,1")
    write_orders(landing / "shop/south/orders_20250101T000000Z.csv", "A1,,2024-01-02,1", "x,,,")
    seen: list[tuple[int, int, str]] = []

    report = land_all(
        store,
        landing,
        contracts,
        tenants,
        progress=lambda done, total, file, _: seen.append((done, total, file.source)),
    )

    assert [step[:2] for step in seen] == [(1, 2), (2, 2)]
    assert {source for *_, source in seen} == {
        "shop/south/orders_20250101T000000Z.csv",
        "shop/north/orders_20250131T000000Z.csv",
    }
    assert [(batch.tenant_id, batch.rows_rejected) for batch in report.landed] == [
        ("south", 1),
        ("north", 0),
    ]
    assert report.exit_code == 0


@pytest.mark.slow
def test_a_raw_table_from_before_takes_what_lines_share_from_the_transaction(
    postgres: PostgresWarehouse, contracts: Contracts, tenants: Tenants, landing: Path
) -> None:
    """Tables of older warehouses have no defaults for the lineage columns yet."""
    with postgres.open() as store:
        store.prepare(contracts.values())
        store.rows(
            "ALTER TABLE raw.shop_orders ALTER COLUMN tenant_id DROP DEFAULT, "
            "ALTER COLUMN load_id DROP DEFAULT, ALTER COLUMN load_timestamp DROP DEFAULT, "
            "ALTER COLUMN extracted_at DROP DEFAULT"
        )
    write_orders(
        landing / "shop/north/orders_20250131T000000Z.csv", "A1,,2025-01-02,1", "A2,,2025-01-03,2"
    )
    write_orders(landing / "shop/south/orders_20250228T000000Z.csv", "A3,,2025-02-02,3")
    with postgres.open() as store:
        report = land_all(store, landing, contracts, tenants, now=lambda: LANDED_AT)

    loads = {batch.tenant_id: batch.load_id for batch in report.landed}
    assert postgres.rows(
        "SELECT tenant_id, load_id, load_timestamp, extracted_at, source_line "
        "FROM raw.shop_orders ORDER BY extracted_at, source_line"
    ) == [
        ("north", loads["north"], LANDED_AT, datetime(2025, 1, 31), 2),
        ("north", loads["north"], LANDED_AT, datetime(2025, 1, 31), 3),
        ("south", loads["south"], LANDED_AT, datetime(2025, 2, 28), 2),
    ]
    # Outside of landing nothing is made up for them.
    with pytest.raises(psycopg.errors.UndefinedObject, match=r"granary\.tenant_id"):
        postgres.rows("INSERT INTO raw.shop_orders (order_id) VALUES ('A4')")
