"""Exactly once: after repeats, crashes, races and lost servers."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from landing_support import (
    EXTRACTED_AT,
    ORDERS_HEADER,
    DuckDBWarehouse,
    PostgresWarehouse,
    Warehouse,
    orders_file,
    write_orders,
)
from random_kills import LAND, finish_landing, kill_landings, losses, prepare, write_world

from granary.landing import (
    Contract,
    LandingFile,
    LandingReport,
    LoadBatch,
    PostgresStore,
    Store,
    Tenants,
    land_all,
    land_file,
)
from granary.landing.errors import StoreError
from granary.landing.store import Findings, Target
from granary.settings import PROJECT

Contracts = dict[str, Contract]
COUNTS = (
    "SELECT COUNT(*), COUNT(DISTINCT order_id), COUNT(DISTINCT load_id), "
    "COUNT(DISTINCT CAST(load_id AS TEXT) || ' ' || CAST(source_line AS TEXT)) FROM raw.shop_orders"
)


def _many_orders(path: Path, count: int) -> Path:
    lines = "".join(f"A{i},Ann,2025-01-02,{i % 5000}.25,1,true,web,,,\n" for i in range(count))
    path.write_text(f"{ORDERS_HEADER}\n{lines}")
    return path


def test_the_same_file_lands_once_however_often_it_is_offered(
    warehouse: Warehouse, contracts: Contracts, tenants: Tenants, landing: Path
) -> None:
    path = write_orders(landing / "shop/north/orders_20250131T000000Z.csv", "A1,,2025-01-02,1")
    with warehouse.open() as store:
        first = land_all(store, landing, contracts, tenants)
        second = land_all(store, landing, contracts, tenants)
    os.utime(path, (0, 0))
    with warehouse.open() as store:
        third = land_all(store, landing, contracts, tenants)
        outside = LandingFile.from_options(
            path, contracts["shop_orders"], "north", datetime(2025, 1, 31)
        )
        assert land_file(store, outside, contracts["shop_orders"]) is None

    assert [len(report.landed) for report in (first, second, third)] == [1, 0, 0]
    assert [len(report.skipped) for report in (first, second, third)] == [0, 1, 1]
    assert warehouse.rows(COUNTS) == [(1, 1, 1, 1)]


def test_the_same_bytes_at_another_time_are_another_batch(
    warehouse: Warehouse, contracts: Contracts, tenants: Tenants, landing: Path
) -> None:
    north = landing / "shop" / "north"
    for day, price in (("01", "5"), ("02", "7"), ("03", "5")):
        write_orders(north / f"orders_202502{day}T000000Z.csv", f"A1,,2025-01-02,{price}")
    write_orders(landing / "shop/south/orders_20250201T000000Z.csv", "A1,,2025-01-02,5")

    with warehouse.open() as store:
        land_all(store, landing, contracts, tenants)

    assert warehouse.rows(
        "SELECT tenant_id, EXTRACT(DAY FROM extracted_at), CAST(amount AS INTEGER) "
        "FROM raw.shop_orders ORDER BY 1, 2"
    ) == [("north", 1, 5), ("north", 2, 7), ("north", 3, 5), ("south", 1, 5)]
    batches = "SELECT COUNT(DISTINCT load_id), COUNT(DISTINCT sha256) FROM ops.load_batch"
    assert warehouse.rows(batches) == [(4, 2)]


@pytest.mark.slow
def test_load_ids_are_the_same_on_every_engine(
    postgres: PostgresWarehouse,
    contracts: Contracts,
    tenants: Tenants,
    landing: Path,
    tmp_path: Path,
) -> None:
    for day in ("01", "02"):
        write_orders(landing / f"shop/north/orders_202502{day}T000000Z.csv", "A1,,2025-01-02,5")
    other = DuckDBWarehouse(tmp_path / "granary.duckdb")
    for warehouse in (postgres, other):
        with warehouse.open() as store:
            land_all(store, landing, contracts, tenants)

    query = "SELECT load_id, order_id, amount, extracted_at FROM raw.shop_orders ORDER BY 1"
    assert postgres.rows(query) == other.rows(query)


def _die_before_commit(
    warehouse: Warehouse, landing: Path, contracts: Contracts, tenants: Tenants
) -> None:
    """Land in a process that is killed when the rows are written and the commit is not."""

    def die(*_: object) -> str:
        os.kill(os.getpid(), signal.SIGKILL)
        return ""

    # What a killed process leaves behind goes with the folder of the test.
    tempfile.tempdir = str(landing.parent)
    Store.record_findings = die  # type: ignore[method-assign]
    land_all(warehouse.open(), landing, contracts, tenants)


def test_a_kill_before_the_commit_leaves_nothing_behind(
    warehouse: Warehouse, contracts: Contracts, tenants: Tenants, landing: Path
) -> None:
    _many_orders(landing / "shop/north/orders_20250131T000000Z.csv", 20_000)
    with warehouse.open() as store:
        store.prepare(contracts.values())
    process = multiprocessing.get_context("fork").Process(
        target=_die_before_commit, args=(warehouse, landing, contracts, tenants)
    )
    process.start()
    process.join()

    assert process.exitcode == -signal.SIGKILL
    assert warehouse.rows(COUNTS) == [(0, 0, 0, 0)]
    assert warehouse.rows("SELECT * FROM ops.load_batch") == []
    with warehouse.open() as store:
        report = land_all(store, landing, contracts, tenants)
    assert [batch.rows_loaded for batch in report.landed] == [20_000]
    assert warehouse.rows(COUNTS) == [(20_000, 20_000, 1, 20_000)]


def _die_while_reading(
    warehouse: Warehouse, landing: Path, contracts: Contracts, tenants: Tenants
) -> None:
    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    tempfile.tempdir = str(landing.parent / "temporary")
    Target.write = die  # type: ignore[method-assign]
    land_all(warehouse.open(), landing, contracts, tenants)


def test_what_a_killed_process_had_set_aside_goes_with_the_next_file(
    warehouse: Warehouse,
    contracts: Contracts,
    tenants: Tenants,
    landing: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The file has a line break within quotes, so its records are written down as they are read."""
    temporary = landing.parent / "temporary"
    temporary.mkdir()
    path = landing / "shop/north/orders_20250131T000000Z.csv"
    write_orders(path, 'A1,"Ann\nLee",2025-01-02,5', "A2,,never,5")
    with warehouse.open() as store:
        store.prepare(contracts.values())
    process = multiprocessing.get_context("fork").Process(
        target=_die_while_reading, args=(warehouse, landing, contracts, tenants)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    kept = sorted(file.name for file in temporary.rglob("*.csv"))
    assert kept == ["faulty.csv", "records.csv"]

    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with warehouse.open() as store:
        report = land_all(store, landing, contracts, tenants)

    assert [batch.rows_loaded for batch in report.landed] == [1]
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_kills_at_random_moments_lose_and_repeat_nothing(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    """A small number of the kills that random_kills.py does at will."""
    write_world(tmp_path)
    prepare(warehouse)
    longest = finish_landing(warehouse, tmp_path)
    prepare(warehouse)

    kills = list(kill_landings(warehouse, tmp_path, 5, longest, random.Random(6)))
    finish_landing(warehouse, tmp_path)

    assert any(not kill.whole for kill in kills)
    assert losses(warehouse) == []


@pytest.mark.slow
def test_two_that_land_the_same_folder_share_the_work(
    postgres: PostgresWarehouse, contracts: Contracts, tenants: Tenants, landing: Path
) -> None:
    for day in range(1, 7):
        _many_orders(landing / f"shop/north/orders_202502{day:02}T000000Z.csv", 1_000)
    reports: list[LandingReport] = []
    barrier = threading.Barrier(3)

    def land() -> None:
        with postgres.open() as store:
            barrier.wait()
            reports.append(land_all(store, landing, contracts, tenants))

    threads = [threading.Thread(target=land) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(len(report.landed) for report in reports) == 6
    assert sum(len(report.skipped) for report in reports) == 12
    assert [report.problems for report in reports] == [[], [], []]
    assert postgres.rows(COUNTS) == [(6_000, 1_000, 6, 6_000)]


def test_a_second_process_on_the_same_duckdb_file_is_told_to_wait(
    contracts: Contracts, landing: Path, tmp_path: Path
) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "granary.duckdb")
    _many_orders(landing / "shop/north/orders_20250201T000000Z.csv", 100)
    with warehouse.open():
        result = subprocess.run(
            [sys.executable, "-c", LAND, str(tmp_path), str(warehouse.path)],
            cwd=PROJECT,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 1
    assert "another process has the warehouse open. Wait for it, or end it." in result.stderr


def test_a_server_that_is_down_is_named_without_its_password() -> None:
    with pytest.raises(StoreError) as failure:
        PostgresStore("host=127.0.0.1 port=1 user=granary password=sesame dbname=granary")
    assert "The database server cannot be used" in str(failure.value)
    assert "port 1 failed: Connection refused" in str(failure.value)
    assert "GRANARY_PG*" in failure.value.remedy
    assert "sesame" not in str(failure.value)


@pytest.mark.slow
def test_a_wrong_password_is_not_repeated(postgres: PostgresWarehouse) -> None:
    wrong = psycopg.conninfo.make_conninfo(postgres.conninfo, password="sesame")
    with pytest.raises(StoreError, match="password authentication failed") as failure:
        PostgresStore(wrong)
    assert "sesame" not in str(failure.value)


@pytest.mark.slow
def test_a_connection_lost_in_mid_load_lands_nothing(
    postgres: PostgresWarehouse,
    contracts: Contracts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write_orders(tmp_path / "orders.csv", "A1,,2025-01-02,1")
    file = orders_file(path, contracts)
    record_findings = Store.record_findings

    def cut(store: Store, batch: LoadBatch, findings: Findings) -> int:
        postgres.rows(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return record_findings(store, batch, findings)

    with monkeypatch.context() as patch, postgres.open() as store:
        patch.setattr(Store, "record_findings", cut)
        with pytest.raises(StoreError, match="The database server cannot be used"):
            land_file(store, file, contracts["shop_orders"])

    assert postgres.rows("SELECT * FROM ops.load_batch") == []
    with postgres.open() as store:
        assert land_file(store, file, contracts["shop_orders"]) is not None
    assert postgres.rows(COUNTS) == [(1, 1, 1, 1)]


@pytest.mark.slow
def test_a_full_disk_on_the_server_lands_nothing(
    postgres: PostgresWarehouse,
    contracts: Contracts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write_orders(tmp_path / "orders.csv", "A1,,2025-01-02,1")

    def full(*_: object) -> str:
        raise psycopg.errors.DiskFull("could not extend file")

    with monkeypatch.context() as patch, postgres.open() as store:
        patch.setattr(Store, "record_findings", full)
        with pytest.raises(StoreError, match="no disk space left: could not extend file"):
            land_file(store, orders_file(path, contracts), contracts["shop_orders"])

    assert postgres.rows("SELECT * FROM raw.shop_orders") == []


def test_a_full_disk_under_duckdb_lands_nothing(
    contracts: Contracts, landing: Path, tmp_path: Path, tenants: Tenants
) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "granary.duckdb")
    with warehouse.open() as store:
        store.prepare(contracts.values())
    _many_orders(landing / "shop/north/orders_20250201T000000Z.csv", 200_000)
    # A limit on the size of files stands in for a disk without space.
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))\n"
    result = subprocess.run(
        [sys.executable, "-c", limit + LAND, str(tmp_path), str(warehouse.path)],
        cwd=PROJECT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "StoreError" in result.stderr
    assert "Free memory and disk space" in result.stderr
    assert warehouse.rows("SELECT COUNT(*) FROM raw.shop_orders") == [(0,)]
    with warehouse.open() as store:
        report = land_all(store, landing, contracts, tenants)
    assert [batch.rows_loaded for batch in report.landed] == [200_000]


def test_times_are_utc_and_come_from_the_clock_given(
    warehouse: Warehouse, contracts: Contracts, tmp_path: Path
) -> None:
    path = write_orders(tmp_path / "orders.csv", "A1,,2025-01-02,1")
    ticks = (datetime(2025, 2, 1) + timedelta(seconds=n) for n in range(9))
    with warehouse.open() as store:
        land_file(
            store, orders_file(path, contracts), contracts["shop_orders"], lambda: next(ticks)
        )

    assert warehouse.rows(
        "SELECT extracted_at, load_timestamp, started_at, finished_at FROM ops.load_batch"
    ) == [(EXTRACTED_AT, datetime(2025, 2, 1), datetime(2025, 2, 1), datetime(2025, 2, 1, 0, 0, 1))]


def test_a_folder_is_taken_up_in_the_order_of_extract_time(
    warehouse: Warehouse, contracts: Contracts, tenants: Tenants, landing: Path
) -> None:
    for day in (3, 1, 4, 2):
        for tenant in ("south", "north"):
            _many_orders(landing / f"shop/{tenant}/orders_202502{day:02}T000000Z.csv", 500 * day)
    ticks = (datetime(2025, 3, 1) + timedelta(seconds=n) for n in range(99))

    with warehouse.open() as store:
        land_all(store, landing, contracts, tenants, lambda: next(ticks))

    by_landing = "SELECT extracted_at, tenant_id FROM ops.load_batch ORDER BY load_timestamp"
    found = warehouse.rows(by_landing)
    assert found == [
        (datetime(2025, 2, day), t) for day in (1, 2, 3, 4) for t in ("north", "south")
    ]


@pytest.mark.slow
def test_a_lost_server_stops_the_folder_and_the_next_run_ends_it(
    postgres: PostgresWarehouse,
    contracts: Contracts,
    tenants: Tenants,
    landing: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for day in range(1, 9):
        _many_orders(landing / f"shop/north/orders_202502{day:02}T000000Z.csv", 100)
    record_findings = Store.record_findings

    def cut_the_fourth(store: Store, batch: LoadBatch, findings: Findings) -> int:
        if batch.extracted_at.day == 4:
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return record_findings(store, batch, findings)

    with monkeypatch.context() as patch, postgres.open() as store:
        patch.setattr(Store, "record_findings", cut_the_fourth)
        with pytest.raises(StoreError, match="server closed the connection"):
            land_all(store, landing, contracts, tenants)
    with postgres.open() as store:
        report = land_all(store, landing, contracts, tenants)

    assert 3 <= len(report.skipped) < 8
    assert len(report.landed) + len(report.skipped) == 8
    assert postgres.rows(COUNTS) == [(800, 100, 8, 800)]
