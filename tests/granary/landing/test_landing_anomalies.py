"""Files that meet their contract and are unlike their feed's past."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from landing_support import DuckDBWarehouse

from granary.errors import GranaryError
from granary.landing import (
    Contract,
    LandingFile,
    LoadBatch,
    Store,
    land_all,
    load_tenants,
)
from granary.landing.anomalies import Usual
from granary.landing.dictionary import policy_of
from granary.landing.errors import FileAnomalous
from granary.landing.freshness import stale_feeds
from granary.landing.letters import accept_file
from granary.landing.loader import land_prepared
from granary.settings import PROJECT
from seeds_gen.aca import generate

Contracts = dict[str, Contract]
FIRST_DAY = datetime(2025, 1, 6)
HEADER = "order_id,note"


class Feed:
    """Returns of one shop, a file a day."""

    def __init__(self, store: Store, contract: Contract, folder: Path) -> None:
        self.store = store
        self.contract = contract
        self._folder = folder
        self._day = -1
        store.prepare([contract])

    def land(self, lines: list[str], tenant_id: str = "north") -> LoadBatch | None:
        """Land the next day's file."""
        self._day += 1
        path = self._folder / f"returns_{self._day}.csv"
        path.write_text("\n".join([HEADER, *lines]) + "\n")
        extracted_at = FIRST_DAY + timedelta(days=self._day)
        file = LandingFile.from_options(path, self.contract, tenant_id, extracted_at)
        landed_at = extracted_at + timedelta(hours=2)
        return land_prepared(self.store, file, self.contract, landed_at, lambda: landed_at)

    def stops(self, **policy: str) -> None:
        """Change the contract's policy."""
        changed = self.contract.policy.model_copy(update=policy)
        self.contract = self.contract.model_copy(update={"policy": changed})

    def usual_days(self, count: int, rows: int = 1500) -> None:
        """Land files that vary by a few rows."""
        for day in range(count):
            self.land(self.lines(rows + 7 * (day % 5)))

    def lines(self, count: int, note: str = "torn") -> list[str]:
        """Returns that no file had before."""
        return [f"R{self._day}-{number},{note} {number % 5}" for number in range(count)]

    def found(self) -> list[tuple[str, str, str]]:
        """Everything unusual so far: kind, column, sentence."""
        return self.store.rows(  # type: ignore[return-value]
            "SELECT anomaly, column_name, message FROM ops.anomaly ORDER BY found_at, 1, 2"
        )


@pytest.fixture
def feed(contracts: Contracts, tmp_path: Path) -> Iterator[Feed]:
    with DuckDBWarehouse(tmp_path / "granary.duckdb").open() as store:
        yield Feed(store, contracts["shop_returns"], tmp_path)


def test_days_that_vary_a_little_are_not_worth_a_word(feed: Feed) -> None:
    feed.usual_days(12)

    assert feed.found() == []


def test_an_empty_file_names_the_rows_that_were_expected(feed: Feed) -> None:
    feed.usual_days(6)

    batch = feed.land([])

    assert batch is not None
    assert batch.status == "loaded", "the policy is to warn"
    [(kind, column, message)] = feed.found()
    assert (kind, column) == ("volume", "-")
    assert message.startswith("0 rows, 1,047+ expected (the last 6 files had 1,510 in the middle)")


def test_a_second_empty_file_is_told_of_too(feed: Feed) -> None:
    feed.usual_days(6)

    feed.land([])
    feed.land([])

    assert [kind for kind, *_ in feed.found()] == ["volume", "volume"]


def test_a_new_level_is_told_of_once(feed: Feed) -> None:
    feed.usual_days(6)

    for _ in range(3):
        feed.land(feed.lines(4000))

    assert [message.partition(" (")[0] for *_, message in feed.found()] == [
        "4,000 rows, at most 1,964 expected"
    ]


def test_a_weekday_is_compared_with_its_own(feed: Feed) -> None:
    """Sundays are small; a Sunday as large as a Monday is unusual, a small one is not."""
    for day in range(5 * 7):
        feed.land(feed.lines(200 if day % 7 == 6 else 3000))
    early = feed.found()
    assert len(early) == 4, "with fewer than four Sundays it is compared with all days"

    for _ in range(7):
        feed.land(feed.lines(3000))

    [(kind, _, message)] = feed.found()[len(early) :]
    assert kind == "volume"
    assert "3,000 rows, at most" in message
    assert "this weekday's last 5 files had 200 in the middle" in message


def test_a_column_that_went_blank_is_named_with_its_share(feed: Feed) -> None:
    feed.usual_days(6)

    feed.land([f"{line.partition(',')[0]}," for line in feed.lines(1500)])

    blank = [(column, message) for kind, column, message in feed.found() if kind == "blank"]
    assert blank == [
        ("note", 'column "note": 100.0% of the values are blank, 0.0% to 10.0% expected')
    ]


def test_a_column_whose_values_became_different_is_named(feed: Feed) -> None:
    feed.usual_days(6)

    feed.land([f"D{number},note {number}" for number in range(1500)])

    assert [(kind, column) for kind, column, _ in feed.found()] == [("distinct", "note")]


def test_many_repeated_lines_are_told_of(feed: Feed) -> None:
    feed.usual_days(6)

    feed.land([line for line in feed.lines(1500) for _ in range(2)][:2000])

    assert [message for kind, _, message in feed.found() if kind == "duplicates"] == [
        "1,000 of 2,000 lines repeat the line before them (50.0%, at most 1.0% expected)"
    ]


def test_lines_of_one_key_that_differ_are_told_of_with_their_numbers(feed: Feed) -> None:
    """R2 is there twice in the same words, which costs the second line and no warning."""
    feed.land(["R1,torn", "R2,wet", "R2,wet", "R1,wet", "R3,torn", "R1,torn", "R3,wet"])
    lines = [f"S{number},{note}" for note in ("torn", "wet") for number in range(1500)]
    feed.land(lines)

    assert feed.found() == [
        (
            "duplicates",
            "order_id",
            "2 keys have several lines that differ, and of each only the last stands (order_id; "
            "lines 2 and 5 and 7; 6 and 8)",
        ),
        (
            "duplicates",
            "order_id",
            "1,500 keys have several lines that differ, and of each only the last stands "
            "(order_id; lines 2 and 1502; 3 and 1503; 4 and 1504, …)",
        ),
    ]
    measured = "SELECT measured, expected_high, policy FROM ops.anomaly ORDER BY measured"
    assert feed.store.rows(measured) == [(2, 0, "warn"), (1500, 0, "warn")]
    landed = "SELECT COUNT(*), COUNT(DISTINCT order_id) FROM raw.shop_returns"
    assert feed.store.rows(landed) == [(6 + 3000, 3 + 1500)]


def test_differing_lines_stop_a_file_or_are_usual_as_the_policy_says(feed: Feed) -> None:
    feed.stops(differing_lines="stop")
    with pytest.raises(FileAnomalous, match=r"1 key has several lines that differ.* 2 and 3\)"):
        feed.land(["R1,torn", "R1,wet"])
    assert len(feed.found()) == 1

    feed.stops(differing_lines="usual")
    landed = feed.land(["R9,torn", "R9,wet"])
    assert landed is not None
    assert landed.rows_loaded == 2
    assert len(feed.found()) == 1
    assert "several states of a key are usual" in policy_of(feed.contract)


def test_the_files_of_the_demo_are_no_cause_for_a_word(
    store: Store, project_contracts: Contracts, tmp_path: Path
) -> None:
    landing = tmp_path / "landing"
    generate(
        landing,
        tenants=2,
        members=60,
        start=date(2024, 11, 1),
        end=date(2025, 1, 31),
        batches=None,
        seed=7,
    )
    tenants = load_tenants(PROJECT / "contracts" / "tenants.yaml")

    report = land_all(store, landing, project_contracts, tenants)

    assert (len(report.landed), report.problems) == (42, [])
    assert store.rows("SELECT feed, message FROM ops.anomaly") == []


def test_last_days_file_sent_again_is_told_of(feed: Feed) -> None:
    lines = feed.lines(20)

    feed.land(lines)
    feed.land(lines)

    assert [(kind, message) for kind, _, message in feed.found()] == [
        (
            "repeated_file",
            "the same lines as returns_0.csv of 2025-01-06 00:00, though a file of this feed "
            "holds only what is new",
        )
    ]


def test_the_policy_stop_refuses_the_file_and_warn_lets_it_in(feed: Feed) -> None:
    feed.usual_days(6)
    feed.stops(volume="stop")

    with pytest.raises(FileAnomalous, match=r"0 rows, 1,047\+ expected .* Nothing was landed"):
        feed.land([])

    assert [kind for kind, *_ in feed.found()] == ["volume"]
    assert feed.store.rows(
        "SELECT error_class, status FROM ops.dead_letter WHERE source_line = 0"
    ) == [("anomaly", "waiting")]

    feed.stops(volume="warn")
    feed._day -= 1
    assert feed.land([]) is not None
    assert feed.store.rows(
        "SELECT error_class, status FROM ops.dead_letter WHERE source_line = 0"
    ) == [("anomaly", "closed")]


def test_a_stopped_file_that_is_right_is_let_in_and_no_other(feed: Feed) -> None:
    feed.usual_days(6)
    feed.stops(volume="stop")
    for _ in range(2):
        with pytest.raises(FileAnomalous) as refusal:
            feed.land([])
    assert refusal.value.batch is not None
    load_id = refusal.value.batch.load_id
    assert f'granary retry --load {load_id} --accept "why"' in str(refusal.value)
    with pytest.raises(GranaryError, match="reason is blank"):
        accept_file(feed.store, load_id, " ")
    with pytest.raises(GranaryError, match="No file of batch 5 waits because it is unusual"):
        accept_file(feed.store, 5, "closed for Easter")

    accept_file(feed.store, load_id, "closed for Easter")
    feed._day -= 1
    landed = feed.land([])

    assert landed is not None
    assert (landed.load_id, landed.status) == (load_id, "loaded")
    ledger = "SELECT status, accepted_reason FROM ops.load_batch ORDER BY extracted_at DESC LIMIT 2"
    assert feed.store.rows(ledger) == [("loaded", "closed for Easter"), ("refused", None)]
    assert feed.store.rows("SELECT policy FROM ops.anomaly WHERE load_id = $1", [load_id]) == [
        ("stop",)
    ]
    waiting = "SELECT COUNT(*) FROM ops.dead_letter WHERE status = 'waiting'"
    assert feed.store.rows(waiting) == [(1,)]
    # The same day, other lines: another file.
    feed._day -= 1
    with pytest.raises(FileAnomalous):
        feed.land(feed.lines(1))


def test_who_falls_behind_the_others_is_late_until_the_next_file(feed: Feed) -> None:
    feed.stops(fresh_within=3)  # type: ignore[arg-type]
    a_year_later = FIRST_DAY + timedelta(days=365)

    def late() -> list[str]:
        return [one.message for one in stale_feeds(feed.store, [feed.contract], a_year_later)]

    feed.land(feed.lines(5), "north")
    assert late() == []
    for _ in range(5):
        newest = feed.land(feed.lines(5), "south")
    assert late() == [
        "shop_returns of north is 5.0 days behind the newest extract of shop, at most 3 expected"
    ]
    assert [kind for kind, *_ in feed.found()] == ["stale"]

    assert newest is not None
    withdrawn = "INSERT INTO ops.retraction VALUES ($1, 'of another shop', $2)"
    feed.store.rows(withdrawn, [newest.load_id, a_year_later])
    assert ["4.0 days" in message for message in late()] == [True]
    feed.land(feed.lines(5), "north")
    assert late() == []
    assert feed.found() == []


def test_usual_is_the_median_give_or_take_its_spread_and_the_latest() -> None:
    # Distances from 100 are 0, 10, 10, 20, 60; their median is 10.
    usual = Usual.of([100, 90, 110, 120, 160], tolerance=1)

    assert (round(usual.low, 1), round(usual.high, 1)) == (
        round(110 - 3.5 * 1.4826 * 10, 1),
        round(110 + 3.5 * 1.4826 * 10, 1),
    )
    assert Usual.of([500, 100, 100, 100], tolerance=10) == Usual(90, 510)
    assert Usual.of([0, 100, 100, 100], tolerance=10) == Usual(90, 110)
