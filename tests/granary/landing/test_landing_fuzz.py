"""Whatever bytes a file holds: it lands whole or is refused whole, and no line is lost or repeated.

A reader of our own, which knows nothing of DuckDB, says which records a file has.
"""

import csv
import gzip
import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from landing_support import EXTRACTED_AT, RETURNS, DuckDBWarehouse

from granary.clock import utc_now
from granary.landing import Contract, DuckDBStore, LandingFile, land_file, load_contracts
from granary.landing.errors import FileRefused
from granary.landing.loader import land_prepared

Contracts = dict[str, Contract]
HEADER = b"order_id,note"
SECONDS = itertools.count()
GOOD = st.from_regex(rb"[A-Za-z0-9]{1,8},[ -!#-+\--~]{0,12}", fullmatch=True)
PIECES = st.sampled_from(
    [
        b'"', b'""', b",", b";", b"\n", b"\r\n", b"\r", b"\0", b"\x1e", b"\x1f", b" ", b"\t", b"\\",
        b"\xff", b"\xc3\x28", b"\xef\xbb\xbf", "größe".encode(), "\u2028".encode(), b"A1", b"x",
        b'"a\nb"', b'A9,"a, b"', b"'", b"\\N", b"NULL", b"#",
    ]
)  # fmt: skip
WILD = st.lists(PIECES, min_size=1, max_size=8).map(b"".join)
ENDS = st.sampled_from([b"\n", b"\r\n"])


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    """A file of good and wild lines, with a header that is right most of the time."""
    lines = draw(st.lists(st.one_of(GOOD, GOOD, WILD), max_size=12))
    header = draw(st.one_of(st.just(HEADER), st.just(b"\xef\xbb\xbf" + HEADER), WILD))
    end = draw(ENDS)
    last = draw(st.sampled_from([b"", end]))
    return end.join([header, *lines]) + last


@pytest.fixture(scope="module")
def returns(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    folder = tmp_path_factory.mktemp("contracts") / "shop"
    folder.mkdir()
    (folder / "returns.yaml").write_text(RETURNS)
    return load_contracts(folder.parent)["shop_returns"]


@pytest.fixture(scope="module")
def one_store(tmp_path_factory: pytest.TempPathFactory, returns: Contract) -> Iterator[DuckDBStore]:
    with DuckDBStore(tmp_path_factory.mktemp("fuzz") / "granary.duckdb") as store:
        store.prepare([returns])
        yield store


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=contents(), packed=st.booleans())
def test_every_line_of_any_file_is_a_row_or_a_dead_letter_once(
    returns: Contract, one_store: DuckDBStore, tmp_path: Path, content: bytes, packed: bool
) -> None:
    path = tmp_path / ("returns.csv.gz" if packed else "returns.csv")
    path.write_bytes(gzip.compress(content) if packed else content)
    # Each file is an extract of its own.
    extracted_at = EXTRACTED_AT + timedelta(seconds=next(SECONDS))
    file = LandingFile.from_options(path, returns, "north", extracted_at)

    try:
        batch = land_prepared(one_store, file, returns, utc_now(), utc_now)
    except FileRefused:
        batch = None

    landed = one_store.rows(
        "SELECT source_line, order_id, note FROM raw.shop_returns WHERE extracted_at = $1 "
        "ORDER BY 1",
        [extracted_at],
    )
    refused = one_store.rows(
        "SELECT source_line FROM ops.dead_letter WHERE load_id IN "
        "(SELECT load_id FROM ops.load_batch WHERE extracted_at = $1) ORDER BY 1",
        [extracted_at],
    )
    ledger = one_store.rows(
        "SELECT status, rows_read, rows_loaded, rows_rejected + rows_duplicate "
        "FROM ops.load_batch WHERE extracted_at = $1",
        [extracted_at],
    )
    if batch is None:
        assert landed == []
        assert refused == [(0,)]
        assert ledger == [("refused", 0, 0, 0)]
        return
    assert land_prepared(one_store, file, returns, utc_now(), utc_now) is None
    assert ledger == [("loaded", len(landed) + len(refused), len(landed), len(refused))]
    records = sound_records(content)
    assert sorted([line for line, *_ in landed] + [line for (line,) in refused]) == list(records)
    for line, order_id, note in landed:
        assert (order_id, note) == records[line]


def physical_lines(content: bytes) -> list[bytes]:
    """Lines after the header, without their line break; a line ends with LF."""
    lines = content.split(b"\n")[1:]
    return lines[:-1] if content.endswith(b"\n") else lines


def sound_records(content: bytes) -> dict[int, tuple[str | None, str | None] | None]:
    """Records by the number of their first line; None for one that is malformed.

    A quote that is never closed costs the line that it stands on, and reading goes on below it.
    """
    lines = physical_lines(content)
    found: dict[int, tuple[str | None, str | None] | None] = {}
    place = 0
    while place < len(lines):
        if not lines[place].strip():
            place += 1
            continue
        found[place + 2], used = _record(lines, place)
        place += used
    return found


def _record(lines: list[bytes], place: int) -> tuple[tuple[str | None, str | None] | None, int]:
    taken: list[bytes] = []

    def text() -> Iterator[str]:
        for line in lines[place:]:
            taken.append(line)
            yield line.decode() + "\n"

    try:
        values = next(csv.reader(text(), strict=True, skipinitialspace=True))
    except (csv.Error, UnicodeDecodeError):
        return None, 1
    if any(byte in b"\n".join(taken) for byte in (0, 30, 31)):
        return None, 1
    if len(values) != 2:
        return None, 1
    order_id, note = (value.strip(" ") or None for value in values)
    return (order_id, note), len(taken)


def test_a_value_of_ten_megabytes_lands_and_a_larger_one_costs_its_line(
    contracts: Contracts, tmp_path: Path
) -> None:
    path = tmp_path / "returns.csv"
    with path.open("wb") as stream:
        stream.write(HEADER + b"\nA1,x\nA2," + b"y" * (10 << 20) + b'\nA3,"')
        stream.write(b'z ""' * (3 << 20) + b'"\nA4,' + b"w" * (20 << 20) + b"\nA5,x\n")
    warehouse = DuckDBWarehouse(tmp_path / "granary.duckdb")
    contract = contracts["shop_returns"]

    with warehouse.open() as store:
        land_file(store, LandingFile.from_options(path, contract, "north", EXTRACTED_AT), contract)

    assert warehouse.rows(
        "SELECT source_line, order_id, LENGTH(note) FROM raw.shop_returns ORDER BY 1"
    ) == [(2, "A1", 1), (3, "A2", 10 << 20), (4, "A3", 9 << 20), (6, "A5", 1)]
    assert warehouse.rows("SELECT source_line, error_class, reason FROM ops.dead_letter") == [
        (5, "too_long", "line 5 is longer than 16 MB; its beginning was kept")
    ]
