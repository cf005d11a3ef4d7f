"""Files that are not plain: exact line numbers, and a bad line costs itself alone."""

import gzip
import random
from pathlib import Path
from typing import Any

import duckdb
import pytest
from landing_support import EXTRACTED_AT, DuckDBWarehouse, Warehouse, any_batch

from granary.landing import Contract, LandingFile, land_file
from granary.landing.physique import examine, header_names
from granary.landing.reader import NotPlain, Reading
from granary.landing.records import NOT_CSV
from granary.landing.store import equip

Contracts = dict[str, Contract]
Row = tuple[int, str, str | None]


def _read(
    path: Path, contract: Contract, *, carefully: bool = False
) -> tuple[list[Row], list[tuple[int, str, str]], int]:
    """Read a file of returns; gives the lines, the refused lines, and how many were read."""
    physique = examine(path)
    names = header_names(path, physique)
    workbench = duckdb.connect()
    equip(workbench)
    batch = any_batch(LandingFile.from_options(path, contract, "north", EXTRACTED_AT))
    reading = Reading(workbench, path, physique, names, contract, batch)
    carefully = carefully or not physique.plain
    try:
        blocks = list(reading.blocks(carefully=carefully))
    except NotPlain:
        blocks = list(reading.blocks(carefully=True))
    rows = [
        (row["source_line"], row["order_id"], row["note"])
        for block in blocks
        for row in block.to_pylist()
    ]
    refused = reading.notes.execute(
        "SELECT source_line, error_class, reason FROM landing_refused ORDER BY 1"
    ).fetchall()
    return rows, refused, reading.rows_read


PLAIN: dict[str, tuple[bytes, list[Row]]] = {
    "plain": (b"order_id,note\nA1,torn\nA2,\n", [(2, "A1", "torn"), (3, "A2", None)]),
    "no last line break": (b"order_id,note\nA1,torn\nA2,x", [(2, "A1", "torn"), (3, "A2", "x")]),
    "CR LF": (b"order_id,note\r\nA1,torn\r\nA2,x\r\n", [(2, "A1", "torn"), (3, "A2", "x")]),
    "byte order mark": (b"\xef\xbb\xbforder_id,note\nA1,torn\n", [(2, "A1", "torn")]),
    "mark and quotes": (b'\xef\xbb\xbf"order_id","note"\nA1,torn\n', [(2, "A1", "torn")]),
    "spaces in header": (b" order_id , note\nA1,torn\n", [(2, "A1", "torn")]),
    "other order": (b"note,order_id\ntorn,A1\n", [(2, "A1", "torn")]),
    "quotes": (b'order_id,note\n"A1","a ""b"", c"\n', [(2, "A1", 'a "b", c')]),
    "UTF-8": ("order_id,note\nA1,größe 😀\n".encode(), [(2, "A1", "größe 😀")]),
    "inch": (b'order_id,note\nA1,5" pipe\n', [(2, "A1", '5" pipe')]),
    "words": (b"order_id,note\nNULL,nan\n#1,\\N\n", [(2, "NULL", "nan"), (3, "#1", "\\N")]),
}  # fmt: skip
TWISTED: dict[str, tuple[bytes, list[Row]]] = {
    "line break in a value": (
        b'order_id,note\nA1,"a\nb\nc"\nA2,x\n',
        [(2, "A1", "a\nb\nc"), (5, "A2", "x")],
    ),
    "CR LF in a value": (
        b'order_id,note\nA1,"a\r\nb"\nA2,x\n',
        [(2, "A1", "a\r\nb"), (4, "A2", "x")],
    ),
    "blank lines": (b"order_id,note\n\nA1,torn\n  \nA2,x\n\n", [(3, "A1", "torn"), (5, "A2", "x")]),
    "mixed line breaks": (
        b"order_id,note\r\nA1,torn\nA2,x\r\n",
        [(2, "A1", "torn"), (3, "A2", "x")],
    ),
    "break and blank line": (
        b'order_id,note\nA1,"a\nb"\n\nA2,x\n',
        [(2, "A1", "a\nb"), (5, "A2", "x")],
    ),
}


@pytest.mark.parametrize("kind", [*PLAIN, *TWISTED])
def test_lines_keep_their_numbers(contracts: Contracts, tmp_path: Path, kind: str) -> None:
    content, expected = {**PLAIN, **TWISTED}[kind]
    path = tmp_path / "returns.csv"
    path.write_bytes(content)
    packed = tmp_path / "returns.csv.gz"
    packed.write_bytes(gzip.compress(content))

    for file in (path, packed):
        rows, refused, read = _read(file, contracts["shop_returns"])
        assert rows == expected
        assert refused == []
        assert read == len(expected)


@pytest.mark.parametrize("kind", PLAIN)
def test_the_quick_and_the_careful_way_agree(
    contracts: Contracts, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "returns.csv"
    path.write_bytes(PLAIN[kind][0])
    quick = _read(path, contracts["shop_returns"])

    assert _read(path, contracts["shop_returns"], carefully=True) == quick


MALFORMED = {
    "too few": (b"A2\n", "structure", "line 3 has 1 values, the header has 2"),
    "too many": (b"A2,x,y\n", "structure", "line 3 has 3 values, the header has 2"),
    "one too many, and blank": (b"A2,x,\n", "structure", "line 3 has 3 values, the header has 2"),
    "one too many in quotes": (b'A2,"x,y",""\n', "structure",
                               "line 3 has 3 values, the header has 2"),
    "Latin-1": (b"A2,caf\xe9\n", "encoding", "line 3 is not UTF-8 (byte 7)"),
    "NUL": (b"A2,x\0y\n", "encoding", "line 3 has a NUL byte"),
    "open quote": (b'A2,"x\n', "structure", f"line 3 {NOT_CSV}"),
    "text after a quote": (b'A2,"x"y\n', "structure", f"line 3 {NOT_CSV}"),
    "bare CR": (b"A2,x\ry\n", "structure", f"line 3 {NOT_CSV}"),
}  # fmt: skip


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_line_costs_itself_alone(
    contracts: Contracts, tmp_path: Path, kind: str
) -> None:
    line, error_class, reason = MALFORMED[kind]
    path = tmp_path / "returns.csv"
    path.write_bytes(b'order_id,note\nA1,"torn, badly"\n' + line + b'A3,"x\ny"\nA4,"z, z"\n')

    rows, refused, read = _read(path, contracts["shop_returns"])

    assert rows == [(2, "A1", "torn, badly"), (4, "A3", "x\ny"), (6, "A4", "z, z")]
    assert refused == [(3, error_class, reason)]
    assert read == 4


def test_an_open_quote_does_not_swallow_what_follows(contracts: Contracts, tmp_path: Path) -> None:
    path = tmp_path / "returns.csv"
    lines = "".join(f"A{n},note {n}\n" for n in range(3, 5003))
    path.write_text(f'order_id,note\nA2,"open\n{lines}Z,"open again\n')

    rows, refused, read = _read(path, contracts["shop_returns"])

    assert [row[:2] for row in rows] == [(n, f"A{n}") for n in range(3, 5003)]
    assert [line for line, *_ in refused] == [2, 5003]
    assert read == 5002


def test_a_large_file_is_read_in_its_own_order(contracts: Contracts, tmp_path: Path) -> None:
    path = tmp_path / "returns.csv"
    note = "x" * 60
    path.write_text("order_id,note\n" + "".join(f"{n},{note}\n" for n in range(2, 400_002)))

    rows, refused, read = _read(path, contracts["shop_returns"])

    assert (read, len(refused)) == (400_000, 0)
    assert [row[0] for row in rows] == list(range(2, 400_002))
    assert all(line == int(order_id) for line, order_id, _ in rows)


def _random_line(chance: random.Random, number: int) -> bytes:
    kind = chance.choice(["good"] * 4 + [*MALFORMED, "blank", "repeat", "blank key"])
    lines: dict[str, bytes] = {
        "good": b"R%d,note\n" % number,
        "blank": b"\n",
        "repeat": b"again,same\n",
        "blank key": b",note %d\n" % number,
    }
    return lines[kind] if kind in lines else MALFORMED[kind][0]


@pytest.mark.parametrize("seed", range(12))
def test_every_line_is_a_row_or_a_dead_letter_once(
    contracts: Contracts, tmp_path: Path, seed: int
) -> None:
    """Lines of all kinds in random order; only blank ones are in neither table."""
    chance = random.Random(seed)
    lines = [_random_line(chance, number) for number in range(300)]
    path = tmp_path / "returns.csv"
    path.write_bytes(b"order_id,note\n" + b"".join(lines))
    warehouse = DuckDBWarehouse(tmp_path / "granary.duckdb")

    _land_returns(warehouse, path, contracts)

    expected = [(n,) for n, line in enumerate(lines, start=2) if line.strip()]
    found = warehouse.rows(
        "SELECT source_line FROM raw.shop_returns UNION ALL "
        "SELECT source_line FROM ops.dead_letter ORDER BY 1"
    )
    assert found == expected
    good = [(n,) for n, line in enumerate(lines, start=2) if line.endswith(b",note\n")]
    landed = warehouse.rows("SELECT source_line FROM raw.shop_returns WHERE order_id <> 'again'")
    assert sorted(landed) == [row for row in good if lines[row[0] - 2] != b",note\n"]


def test_strange_values_arrive_as_they_are(
    warehouse: Warehouse, contracts: Contracts, tmp_path: Path
) -> None:
    notes = [
        "\\.",
        "\\N",
        'a"b',
        "a,b",
        "a\nb",
        "a\r\nb",
        "tab\there",
        "'; DROP TABLE x",
        "ünï",
        "{}",
    ]
    path = tmp_path / "returns.csv"
    cells = [note.replace('"', '""') for note in notes]
    content = "".join(f'R{n},"{cell}"\n' for n, cell in enumerate(cells))
    path.write_bytes(f"order_id,note\n{content}".encode())

    _land_returns(warehouse, path, contracts)

    rows: list[Any] = warehouse.rows("SELECT note FROM raw.shop_returns ORDER BY source_line")
    assert [note for (note,) in rows] == notes


def _land_returns(warehouse: Warehouse, path: Path, contracts: Contracts) -> None:
    contract = contracts["shop_returns"]
    with warehouse.open() as store:
        land_file(store, LandingFile.from_options(path, contract, "north", EXTRACTED_AT), contract)
