"""What becomes of files and folders that cannot land, and that they keep no other from landing."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from landing_support import (
    ORDERS_HEADER,
    Warehouse,
    orders_file,
    write_orders,
)

from granary.errors import GranaryError
from granary.landing import Contract, Store, Tenants, land_all, land_file, loader
from granary.landing.errors import FileChanged
from granary.landing.physique import Physique
from granary.landing.places import Folder

Contracts = dict[str, Contract]
GOOD = "A1,,2025-01-02,1,,,,,,"
BAD_FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty"),
    "header alone": (ORDERS_HEADER.encode(), "0 of 0 lines are good, and the feed has at least 1"),
    "no good line": (f"{ORDERS_HEADER}\n,,,,,,,,,\n".encode(), "0 of 1 lines are good"),
    "missing column": (
        f"{ORDERS_HEADER.replace('customer', 'client_name')}\n{GOOD}\n".encode(),
        'column "customer" is missing; column "client_name" is not in the contract',
    ),
    "renamed column": (
        f"{ORDERS_HEADER.replace('placed_on', 'Placed On')}\n{GOOD}\n".encode(),
        'column "placed_on" is missing (found "Placed On")',
    ),
    "repeated column": (
        f"{ORDERS_HEADER},zip\n{GOOD},1\n".encode(),
        'column "zip" stands more than once',
    ),
    "semicolons": (
        f"{ORDERS_HEADER}\n{GOOD}\n".replace(",", ";").encode(),
        "line 1 is separated by semicolons, not by commas",
    ),
    "UTF-16": (f"{ORDERS_HEADER}\n{GOOD}\n".encode("utf-16"), "the file is UTF-16, not UTF-8"),
    "Latin-1 header": (
        f"{ORDERS_HEADER.replace('paid', 'payé')}\n{GOOD}\n".encode("latin-1"),
        "line 1 is not UTF-8",
    ),
    "old line breaks": (f"{ORDERS_HEADER}\r{GOOD}\r".encode(), "lines end with CR alone"),
    "no header": (f"{GOOD}\n".encode(), 'column "order_id" is missing'),
    "blank header": (f"\n{GOOD}\n".encode(), 'column "order_id" is missing'),
    "open quote in header": (b'"order_id,customer\n', "line 1 is not a CSV header"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_refused_file_is_in_the_ledger_and_stops_nothing(
    store: Store,
    warehouse: Warehouse,
    contracts: Contracts,
    tenants: Tenants,
    landing: Path,
    kind: str,
) -> None:
    content, message = BAD_FILES[kind]
    (landing / "shop/north/orders_20250131T000000Z.csv").write_bytes(content)
    write_orders(landing / "shop/south/orders_20250201T000000Z.csv", "A1,,2025-01-02,1")

    report = land_all(store, landing, contracts, tenants)

    assert report.exit_code == 1
    assert len(report.problems) == 1
    assert message in report.problems[0]
    assert "Nothing was landed." in report.problems[0]
    assert [batch.tenant_id for batch in report.landed] == ["south"]
    store.close()
    assert warehouse.rows(
        "SELECT tenant_id, status, rows_read, rows_loaded FROM ops.load_batch ORDER BY 1"
    ) == [("north", "refused", 0, 0), ("south", "loaded", 1, 1)]
    letters = warehouse.rows(
        "SELECT source_line, column_name, raw_text, status, attempts, reason FROM ops.dead_letter"
    )
    assert [letter[:5] for letter in letters] == [(0, None, None, "waiting", 1)]
    assert message in letters[0][5]


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _no_gzip(data: bytes) -> bytes:
    return gzip.decompress(data)


def _flipped(data: bytes) -> bytes:
    return data[:-12] + bytes([data[-12] ^ 0xFF]) + data[-11:]


@pytest.mark.parametrize("damage", [_cut, _no_gzip, _flipped])
def test_damaged_gzip_is_refused_until_it_is_mended(
    warehouse: Warehouse,
    contracts: Contracts,
    tenants: Tenants,
    landing: Path,
    damage: Callable[[bytes], bytes],
) -> None:
    lines = "".join(f"A{i},,2025-01-02,{i % 5000}.25,,,,,,\n" for i in range(5000))
    whole = gzip.compress(f"{ORDERS_HEADER}\n{lines}".encode())
    path = landing / "shop/north/orders_20250131T000000Z.csv.gz"
    path.write_bytes(damage(whole))

    for _ in range(2):
        with warehouse.open() as store:
            report = land_all(store, landing, contracts, tenants)
        assert "the gzip data is damaged or cut off" in report.problems[0]
    assert warehouse.rows("SELECT status, attempts FROM ops.dead_letter") == [("waiting", 2)]
    assert warehouse.rows("SELECT COUNT(*) FROM raw.shop_orders") == [(0,)]

    path.write_bytes(whole)
    with warehouse.open() as store:
        report = land_all(store, landing, contracts, tenants)
    assert report.problems == []
    assert [batch.rows_loaded for batch in report.landed] == [5000]
    assert warehouse.rows("SELECT status, attempts FROM ops.dead_letter") == [("closed", 2)]


def test_a_refused_file_lands_once_its_contract_fits(
    warehouse: Warehouse, contracts: Contracts, tmp_path: Path
) -> None:
    path = write_orders(tmp_path / "orders.csv", "A1,Ann,2025-01-02,1,,,fax")
    file = orders_file(path, contracts)
    strict = contracts["shop_orders"]
    channel = strict.columns["channel"].model_copy(update={"codes": ("web", "store", "fax")})
    relaxed = strict.model_copy(update={"columns": {**strict.columns, "channel": channel}})
    with warehouse.open() as store, pytest.raises(GranaryError, match='"fax" is not one of'):
        land_file(store, file, strict)

    with warehouse.open() as store:
        batch = land_file(store, file, relaxed)

    assert batch is not None
    assert warehouse.rows("SELECT load_id, status, rows_loaded, error FROM ops.load_batch") == [
        (batch.load_id, "loaded", 1, None)
    ]
    assert warehouse.rows("SELECT source_line, status FROM ops.dead_letter") == [(0, "closed")]


def test_a_header_alone_lands_where_no_rows_are_news(
    store: Store, warehouse: Warehouse, contracts: Contracts, tenants: Tenants, landing: Path
) -> None:
    (landing / "shop/north/returns_20250131T000000Z.csv").write_text("order_id,note\n")

    report = land_all(store, landing, contracts, tenants)

    assert report.problems == []
    store.close()
    assert warehouse.rows("SELECT feed, status, rows_read FROM ops.load_batch") == [
        ("shop_returns", "loaded", 0)
    ]


def test_what_does_not_belong_is_reported_by_name(
    store: Store, contracts: Contracts, tenants: Tenants, landing: Path
) -> None:
    north = landing / "shop" / "north"
    (landing / "stray.csv").touch()
    (landing / "shop" / "stray.csv").touch()
    (landing / "games" / "north").mkdir(parents=True)
    (landing / "shop" / "west").mkdir()
    write_orders(landing / "shop/west/orders_20250131T000000Z.csv", "A1,,2025-01-02,1")
    (north / "orders_20250131T000000Z.csv").mkdir()
    (north / "orders.csv").touch()
    (north / "orders_20250231T000000Z.csv").touch()
    (north / "orders_20990131T000000Z.csv").touch()
    (north / "refunds_20250131T000000Z.csv").touch()
    (north / "orders_20250131T000000Z.xlsx").touch()
    (north / "orders_20250228T000000Z.CSV.gz").touch()
    (north / "linked_20250131T000000Z.csv").symlink_to(north / "nowhere")
    (landing / "shop" / "east").symlink_to(landing / "shop" / "south")
    (north / ".hidden").touch()
    (north / "orders_20250131T000000Z.csv.part").touch()
    write_orders(north / "orders_20250101T000000Z.csv", "A1,,2024-12-31,1")

    report = land_all(store, landing, contracts, tenants)

    found = sorted(problem.removeprefix(f"{landing}/") for problem in report.problems)
    expected = [
        "games: unknown domain (known: shop).",
        "shop/east: is a symbolic link.",
        "shop/north/linked_20250131T000000Z.csv: is a symbolic link.",
        "shop/north/orders.csv: the name is not <entity>_<time>.csv[.gz|.zst].",
        "shop/north/orders_20250131T000000Z.csv: a folder where a file should be.",
        "shop/north/orders_20250131T000000Z.xlsx: the name is not <entity>_<time>.csv[.gz|.zst].",
        "shop/north/orders_20250228T000000Z.CSV.gz: .CSV.gz is not .csv.gz. Rename it.",
        "shop/north/orders_20250231T000000Z.csv: 20250231T000000Z is not a time.",
        "shop/north/orders_20990131T000000Z.csv: its extract time, 2099-01-31 00:00 UTC, is still",
        "shop/north/refunds_20250131T000000Z.csv: shop has no feed refunds",
        "shop/stray.csv: stands outside a tenant folder.",
        "shop/west: unknown tenant (known: north, south). Nothing in it was landed.",
        "stray.csv: stands outside a domain folder.",
    ]
    assert len(found) == len(expected)
    for problem, start in zip(found, expected, strict=True):
        assert problem.startswith(start)
    assert [batch.rows_loaded for batch in report.landed] == [1]
    assert report.exit_code == 1


def test_a_tenants_link_shows_no_other_tenants_file(
    store: Store, contracts: Contracts, tenants: Tenants, landing: Path
) -> None:
    north, south = landing / "shop" / "north", landing / "shop" / "south"
    write_orders(north / "orders_20250131T000000Z.csv", "A1,,2024-12-31,1")
    (south / "orders_20250131T000000Z.csv").symlink_to(north / "orders_20250131T000000Z.csv")

    report = land_all(store, landing, contracts, tenants)

    assert [batch.tenant_id for batch in report.landed] == ["north"]
    assert len(report.problems) == 1
    assert "shop/south/orders_20250131T000000Z.csv: is a symbolic link." in report.problems[0]
    assert "put the file itself there" in report.problems[0]


def test_a_missing_place_says_so_and_stops_no_other(
    store: Store, contracts: Contracts, tenants: Tenants, landing: Path, tmp_path: Path
) -> None:
    write_orders(landing / "shop/north/orders_20250131T000000Z.csv", "A1,,2024-12-31,1")
    elsewhere = tmp_path / "nowhere"

    report = land_all(store, [Folder(elsewhere), Folder(landing)], contracts, tenants)

    assert report.problems == [
        f"{elsewhere}: cannot be read: No such file or directory. Check the path."
    ]
    assert [batch.rows_loaded for batch in report.landed] == [1]


def test_files_of_several_folders_land_once_under_names_of_their_own(
    warehouse: Warehouse, contracts: Contracts, tenants: Tenants, landing: Path, tmp_path: Path
) -> None:
    second = tmp_path / "second"
    (second / "shop" / "north").mkdir(parents=True)
    for folder in (landing, second):
        write_orders(folder / "shop/north/orders_20250131T000000Z.csv", "A1,,2024-12-31,1")
    only = write_orders(second / "shop/north/orders_20250201T000000Z.csv", "A2,,2024-12-31,1")
    places = [Folder(landing), Folder(second, is_first=False)]

    with warehouse.open() as store:
        report = land_all(store, places, contracts, tenants)

    assert (len(report.landed), len(report.skipped), report.problems) == (2, 1, [])
    with warehouse.open() as store:
        assert land_all(store, places, contracts, tenants).landed == []
    sources = warehouse.rows("SELECT extracted_at, source FROM ops.load_batch ORDER BY 1")
    first, later = (source for _, source in sources)
    assert first.endswith("shop/north/orders_20250131T000000Z.csv")
    assert later == only.as_posix()
    assert warehouse.rows("SELECT order_id FROM raw.shop_orders ORDER BY 1") == [("A1",), ("A2",)]


def test_a_file_that_grows_while_it_is_read_lands_later(
    warehouse: Warehouse,
    contracts: Contracts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write_orders(tmp_path / "orders.csv", "A1,,2025-01-02,1")
    file = orders_file(path, contracts)
    examine = loader.examine

    def examine_and_grow(examined: Path) -> Physique:
        physique = examine(examined)
        with path.open("a") as stream:
            stream.write("A2,,2025-01-02,1,,,,,,\n")
        return physique

    with warehouse.open() as store:
        with monkeypatch.context() as patch:
            patch.setattr(loader, "examine", examine_and_grow)
            with pytest.raises(FileChanged, match="while it was read"):
                land_file(store, file, contracts["shop_orders"])
        batch = land_file(store, file, contracts["shop_orders"])

    assert batch is not None
    assert warehouse.rows("SELECT rows_loaded FROM ops.load_batch") == [(2,)]
    assert warehouse.rows("SELECT COUNT(*) FROM raw.shop_orders") == [(2,)]
