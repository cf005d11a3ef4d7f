"""Files that belong together land together or not at all."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pytest
from landing_support import ORDERS_HEADER, Warehouse, write_orders

from granary.errors import GranaryError
from granary.landing import Contract, LandingReport, Tenants, land_all, reader
from granary.landing.files import LandingFile
from granary.landing.sets import Sets, expect_partners, load_sets
from granary.landing.store import Target

Contracts = dict[str, Contract]
JANUARY, FEBRUARY = "20250131T000000Z", "20250228T000000Z"
BATCHES = "SELECT feed, status, rows_loaded FROM ops.load_batch ORDER BY feed, status"


@pytest.fixture
def sets(tmp_path: Path, contracts: Contracts) -> Sets:
    path = tmp_path / "sets.yaml"
    path.write_text("shop:\n  sales: [orders, returns]\n")
    return load_sets(path, contracts)


@pytest.fixture
def north(landing: Path) -> Path:
    return landing / "shop" / "north"


class Landing:
    """Lands what lies in the folder, in a process's worth of store each time."""

    def __init__(
        self,
        warehouse: Warehouse,
        landing: Path,
        contracts: Contracts,
        tenants: Tenants,
        sets: Sets,
    ) -> None:
        self.warehouse = warehouse
        self._arguments = (landing, contracts, tenants)
        self._sets = sets

    def run(self, only: Collection[str] | None = None) -> LandingReport:
        with self.warehouse.open() as store:
            return land_all(store, *self._arguments, sets=self._sets, only=only)


@pytest.fixture
def landing_run(
    warehouse: Warehouse, landing: Path, contracts: Contracts, tenants: Tenants, sets: Sets
) -> Landing:
    return Landing(warehouse, landing, contracts, tenants, sets)


def write_returns(path: Path, *lines: str, header: str = "order_id,note") -> Path:
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def test_a_set_waits_until_it_is_whole_and_lands_once(landing_run: Landing, north: Path) -> None:
    write_orders(north / f"orders_{JANUARY}.csv", "A1,,2025-01-02,1")

    report = landing_run.run()

    assert report.waiting == ["north 2025-01-31 00:00: sales lacks shop_returns; waits for it."]
    assert (report.landed, report.problems, report.exit_code) == ([], [], 0)
    assert landing_run.warehouse.rows(BATCHES) == []

    write_returns(north / f"returns_{JANUARY}.csv", "A1,torn")
    report = landing_run.run()
    assert (len(report.landed), report.waiting, report.problems) == (2, [], [])
    assert len(landing_run.run().skipped) == 2
    assert landing_run.warehouse.rows(BATCHES) == [
        ("shop_orders", "loaded", 1),
        ("shop_returns", "loaded", 1),
    ]


def test_a_set_that_was_overtaken_is_a_problem(landing_run: Landing, north: Path) -> None:
    write_orders(north / f"orders_{JANUARY}.csv", "A1,,2025-01-02,1")
    write_orders(north / f"orders_{FEBRUARY}.csv", "A2,,2025-01-02,1")
    write_returns(north / f"returns_{FEBRUARY}.csv")

    for landed in (2, 0):
        report = landing_run.run()
        assert len(report.landed) == landed
        assert report.waiting == []
        [problem] = report.problems
        assert problem.startswith("north 2025-01-31 00:00: sales lacks shop_returns, and a later")
        assert report.exit_code == 1


def test_one_refused_file_keeps_its_set_out_and_is_the_only_one_blamed(
    landing_run: Landing, north: Path
) -> None:
    rows = landing_run.warehouse.rows
    write_orders(north / f"orders_{JANUARY}.csv", "A1,,2025-01-02,1", "A2,,never,1")
    wrong = write_returns(north / f"returns_{JANUARY}.csv", "A1", header="order_id")

    for attempts in (1, 2):
        report = landing_run.run()
        [problem] = report.problems
        assert 'column "note" is missing' in problem
        assert f"nothing of its set landed: shop/north/orders_{JANUARY}.csv." in problem
        assert (report.landed, report.exit_code) == ([], 1)
        assert rows(BATCHES) == [("shop_returns", "refused", 0)]
        assert rows("SELECT feed, source_line, attempts FROM ops.dead_letter") == [
            ("shop_returns", 0, attempts)
        ]
        assert rows("SELECT COUNT(*) FROM raw.shop_orders") == [(0,)]
        assert rows("SELECT COUNT(*) FROM raw.refused_line") == [(0,)]

    write_returns(wrong, "A1,torn")
    assert len(landing_run.run().landed) == 2
    assert rows("SELECT feed, source_line, status FROM ops.dead_letter ORDER BY feed") == [
        ("shop_orders", 3, "waiting"),
        ("shop_returns", 0, "closed"),
    ]


def test_a_line_break_within_quotes_at_the_end_of_a_long_file_of_a_set_costs_nothing(
    landing_run: Landing, north: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That the file is not plain shows after most of it was written."""
    monkeypatch.setattr(reader, "BLOCK_ROWS", 2_000)
    lines = [f"A{number},,2025-01-02,1" for number in range(9_000)]
    write_orders(north / f"orders_{JANUARY}.csv", *lines, 'A9000,"Ann\nLee",2025-01-02,1')
    write_returns(north / f"returns_{JANUARY}.csv", "A1,torn")

    report = landing_run.run()

    assert (report.problems, len(report.landed)) == ([], 2)
    rows = landing_run.warehouse.rows
    assert rows(BATCHES) == [("shop_orders", "loaded", 9_001), ("shop_returns", "loaded", 1)]
    assert rows("SELECT COUNT(*), MIN(source_line), MAX(source_line) FROM raw.shop_orders") == [
        (9_001, 2, 9_002)
    ]


def test_a_file_that_is_refused_in_mid_stream_takes_its_set_back_and_the_ledger_says_why(
    landing_run: Landing, north: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of both files are in the tables when DuckDB reads the second one in another way."""
    monkeypatch.setattr(reader, "BLOCK_ROWS", 2_000)
    rows = landing_run.warehouse.rows
    write_orders(north / f"orders_{JANUARY}.csv", "A1,,2025-01-02,1", "A2,,never,1")
    returns = north / f"returns_{JANUARY}.csv"
    write_returns(returns, *(f"A{i},torn" for i in range(9_000)), 'A9000,"to\nrn"')
    write_orders(north / f"orders_{FEBRUARY}.csv", "A3,,2025-01-02,1")
    write_returns(north / f"returns_{FEBRUARY}.csv")
    checked = reader.Reading._checked

    def stumbling(
        reading: reader.Reading, blocks: Iterator[pa.Table], aside: BinaryIO
    ) -> Iterator[pa.Table]:
        for number, block in enumerate(checked(reading, blocks, aside), 1):
            yield block
            if number == 3:
                raise reader.NotPlain

    for attempts in (1, 2):
        with monkeypatch.context() as patch:
            patch.setattr(reader.Reading, "_checked", stumbling)
            report = landing_run.run()
        [problem] = report.problems
        assert f"{returns}: the file cannot be read the same way twice." in problem
        assert f"nothing of its set landed: shop/north/orders_{JANUARY}.csv." in problem
        assert len(report.landed) == (2 if attempts == 1 else 0), "the later set lands"
        january = "WHERE extracted_at = '2025-01-31'"
        [(feed, status, error)] = rows(f"SELECT feed, status, error FROM ops.load_batch {january}")
        assert (feed, status) == ("shop_returns", "refused")
        assert error.startswith(problem.partition(" So nothing")[0])
        assert rows("SELECT feed, source_line, attempts FROM ops.dead_letter") == [
            ("shop_returns", 0, attempts)
        ]
        assert rows("SELECT order_id FROM raw.shop_orders") == [("A3",)]
        assert rows("SELECT COUNT(*) FROM raw.shop_returns") == [(0,)]
        assert rows("SELECT COUNT(*) FROM raw.refused_line") == [(0,)]

    report = landing_run.run()
    assert ([batch.rows_loaded for batch in report.landed], report.problems) == ([1, 9_001], [])
    assert rows("SELECT COUNT(*) FROM raw.shop_returns") == [(9_001,)]
    assert rows("SELECT feed, source_line, status FROM ops.dead_letter ORDER BY feed") == [
        ("shop_orders", 3, "waiting"),
        ("shop_returns", 0, "closed"),
    ]


def test_a_file_that_grows_while_it_is_read_takes_its_set_back(
    landing_run: Landing, north: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "BLOCK_ROWS", 2_000)
    rows = landing_run.warehouse.rows
    write_orders(north / f"orders_{JANUARY}.csv", "A1,,2025-01-02,1")
    returns = north / f"returns_{JANUARY}.csv"
    write_returns(returns, *(f"A{i},torn" for i in range(9_000)))
    write = Target.write

    def growing(target: Target, block: pa.Table) -> None:
        write(target, block)
        if block.num_rows == 2_000:
            with returns.open("a") as stream:
                stream.write("A9000,late\n")

    with monkeypatch.context() as patch:
        patch.setattr(Target, "write", growing)
        report = landing_run.run()
    [problem] = report.problems
    assert "was written to while it was read" in problem
    assert rows("SELECT * FROM ops.load_batch") == []
    assert rows(
        "SELECT (SELECT COUNT(*) FROM raw.shop_orders), COUNT(*) FROM raw.shop_returns"
    ) == [(0, 0)]
    assert sorted(batch.rows_loaded for batch in landing_run.run().landed) == [1, 9_001]


def test_a_set_with_a_column_that_nobody_knows_lands_whole_or_leaves_no_column(
    landing_run: Landing, north: Path
) -> None:
    rows = landing_run.warehouse.rows
    header = f"{ORDERS_HEADER},colour"
    write_orders(north / f"orders_{JANUARY}.csv", "A1,,2025-01-02,1,,,,,,,red", header=header)
    wrong = write_returns(north / f"returns_{JANUARY}.csv", "A1", header="order_id")

    assert landing_run.run().exit_code == 1
    assert rows("SELECT COUNT(*) FROM raw.shop_orders") == [(0,)]
    write_returns(wrong, "A1,torn")
    report = landing_run.run()

    assert (len(report.landed), report.problems) == (2, [])
    assert rows("SELECT order_id, x_colour FROM raw.shop_orders") == [("A1", "red")]


def test_a_corrected_file_of_a_set_that_landed_lands_alone(
    landing_run: Landing, north: Path
) -> None:
    orders = write_orders(north / f"orders_{JANUARY}.csv", "A1,,2025-01-02,1")
    returns = write_returns(north / f"returns_{JANUARY}.csv", "A1,torn")
    landing_run.run()
    returns.unlink()
    write_orders(orders, "A1,,2025-01-02,2")

    report = landing_run.run()

    assert ([batch.feed for batch in report.landed], report.waiting) == (["shop_orders"], [])


def test_the_refused_file_of_a_set_is_tried_again_with_its_set_and_nothing_else(
    landing_run: Landing, north: Path
) -> None:
    write_orders(north / f"orders_{JANUARY}.csv", "A1,,2025-01-02,1")
    wrong = write_returns(north / f"returns_{JANUARY}.csv", "A1", header="order_id")
    assert landing_run.run().exit_code == 1
    write_returns(wrong, "A1,torn")
    write_orders(north / f"orders_{FEBRUARY}.csv", "A2,,2025-01-02,1")
    write_returns(north / f"returns_{FEBRUARY}.csv")
    (north / "notes.txt").touch()

    report = landing_run.run(only={f"shop/north/returns_{JANUARY}.csv"})

    assert (len(report.landed), report.problems, report.exit_code) == (2, [], 0)
    assert {batch.extracted_at for batch in report.landed} == {datetime(2025, 1, 31)}
    assert landing_run.run(only={f"shop/north/returns_{JANUARY}.csv"}).landed == []
    report = landing_run.run()
    assert (len(report.landed), len(report.problems)) == (2, 1)


def test_a_file_from_elsewhere_does_not_come_without_its_set(
    contracts: Contracts, sets: Sets, tmp_path: Path
) -> None:
    path = write_returns(tmp_path / "returns.csv", "A1,torn")
    extracted_at = datetime(2025, 1, 31)
    file = LandingFile.from_options(path, contracts["shop_returns"], "north", extracted_at)
    with pytest.raises(GranaryError, match="shop_returns lands together with shop_orders"):
        expect_partners(file, set(), sets)
    landed = ("x", "shop_orders", "north", extracted_at, 1, extracted_at)
    expect_partners(file, {landed}, sets)


KILLED = """
import sys
from pathlib import Path
from granary.landing import DuckDBStore, PostgresStore, land_all, load_contracts, load_tenants
from granary.landing.sets import load_sets

target, folder = sys.argv[1], Path(sys.argv[2])
contracts = load_contracts(folder / "contracts")
store = PostgresStore(target) if "host=" in target else DuckDBStore(Path(target))
print("ready", flush=True)
land_all(
    store, folder / "landing", contracts, load_tenants(folder / "tenants.yaml"),
    sets=load_sets(folder / "sets.yaml", contracts),
)
"""


def test_kill_9_leaves_all_of_a_set_or_nothing(
    landing_run: Landing, north: Path, tmp_path: Path
) -> None:
    lines = "".join(f"A{i},,2025-01-02,1,,,,,,\n" for i in range(30_000))
    (north / f"orders_{JANUARY}.csv").write_text(f"{ORDERS_HEADER}\n{lines}")
    write_returns(north / f"returns_{JANUARY}.csv", *(f"A{i},torn" for i in range(30_000)))
    states = set()
    for patience in (0.1, 0.25, 0.4):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, landing_run.warehouse.target, str(tmp_path)],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(patience)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        with landing_run.warehouse.open() as store:
            store.prepare([])
        states.add(tuple(landing_run.warehouse.rows(BATCHES)))
    landing_run.run()
    whole = (("shop_orders", "loaded", 30_000), ("shop_returns", "loaded", 30_000))
    assert tuple(landing_run.warehouse.rows(BATCHES)) == whole
    assert states <= {(), whole}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shop:\n  sales: [orders, refunds]\n", "sets.yaml:2: shop has no feed refunds"),
        (
            "shop:\n  sales: [orders]\n  more: [orders, returns]\n",
            "sets.yaml:3: shop_orders is in sales already",
        ),
        ("shop: [orders]\n", "sets.yaml: line 1: shop"),
    ],
)
def test_a_list_of_sets_that_cannot_hold_is_refused_by_line(
    text: str, message: str, tmp_path: Path, contracts: Contracts
) -> None:
    path = tmp_path / "sets.yaml"
    path.write_text(text)
    with pytest.raises(GranaryError) as refusal:
        load_sets(path, contracts)
    assert message in str(refusal.value)
