"""Planted faults are where their labels say, and nowhere else."""

import csv
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from aca_world import ARGUMENTS, contract

from seeds_gen.aca import generate
from seeds_gen.aca.faults import FAULTS

SMALL = ARGUMENTS | {"members": 500}
Label = dict[str, str]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[Label]]:
    """A clean landing folder, a spoiled one of the same world, and the labels."""
    folder = tmp_path_factory.mktemp("faults")
    clean, spoiled = folder / "clean" / "landing", folder / "spoiled" / "landing"
    generate(clean, **SMALL)
    summary = generate(spoiled, **SMALL, faults=True)
    assert summary.faults == folder / "spoiled" / "faults"
    labels = []
    for tenant in ("issuer_1", "issuer_2"):
        with (summary.faults / f"faults_{tenant}.csv").open(newline="", encoding="utf-8") as file:
            labels += list(csv.DictReader(file))
    return clean, spoiled, labels


@cache
def lines_of(path: Path) -> list[bytes]:
    """Lines of a file; the first is the header, so that line n is at n - 1."""
    return path.read_bytes().removesuffix(b"\n").split(b"\n")


@cache
def rows_of(path: Path) -> list[list[str]]:
    return list(csv.reader(line.decode() for line in lines_of(path)[1:]))


def test_every_kind_is_planted_in_every_feed(places: tuple[Path, Path, list[Label]]) -> None:
    _, _, labels = places
    found = Counter((label["feed"], label["kind"]) for label in labels)
    wanted = {(feed, fault.kind) for feed, faults in FAULTS.items() for fault in faults}
    assert set(found) == wanted
    assert min(found.values()) >= 10


def test_labels_are_the_only_difference(places: tuple[Path, Path, list[Label]]) -> None:
    clean, spoiled, labels = places
    labelled = {(label["file"], int(label["line"])) for label in labels}
    assert len(labelled) == len(labels)
    differing = set()
    for path in sorted(spoiled.rglob("*.csv")):
        name = path.relative_to(spoiled).as_posix()
        before, after = lines_of(clean / name), lines_of(path)
        for number, line in enumerate(after, start=1):
            if number > len(before) or line != before[number - 1]:
                differing.add((name, number))
        assert len(after) >= len(before)
    assert differing == labelled


def test_each_label_names_what_is_wrong_on_its_line(
    places: tuple[Path, Path, list[Label]],
) -> None:
    clean, spoiled, labels = places
    for label in labels:
        feed, kind = label["feed"], label["kind"]
        names = list(contract(feed)["columns"])
        line = lines_of(spoiled / label["file"])[int(label["line"]) - 1]
        if kind == "wrong_encoding":
            with pytest.raises(UnicodeDecodeError):
                line.decode("utf-8")
            continue
        values = next(csv.reader([line.decode("utf-8")]))
        if kind.startswith("ragged"):
            assert len(values) == len(names) + (1 if kind == "ragged_long" else -1)
            continue
        value = dict(zip(names, values, strict=True))[label["column"]]
        originals = lines_of(clean / label["file"])[1:]
        keys = [names.index(name) for name in contract(feed)["key"]]
        same_key = [
            row
            for row in rows_of(clean / label["file"])
            if all(row[key] == values[key] for key in keys)
        ]
        holds = {
            "missing_value": value == "",
            "wrong_type": value in ("n/a", "this year", "north", "two"),
            "impossible_date": value == "2025-02-30",
            "negative_money": value.startswith("-"),
            "unknown_code": value
            not in contract(feed)["columns"][label["column"]].get("codes", []),
            "wrong_check_digit": value.isdigit() and len(value) == 10,
            "orphan_member": value == "M99999999",
            "orphan_provider": value == "P999999",
            "untrimmed": value.startswith(" ") and value.endswith("  "),
            "mixed_case": value.isupper(),
            "exact_duplicate": line in originals,
            "conflicting_duplicate": len(same_key) == 1 and line not in originals,
            "overlapping_span": value > "2024" and not same_key,
        }
        assert holds[kind], label
