"""The files as files: the same bytes, the agreed columns, never replaced."""

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from aca_world import ARGUMENTS, FEEDS, World, contract

from granary.errors import GranaryError
from seeds_gen.aca import generate

SMALL = ARGUMENTS | {"members": 300}


def digests(landing: Path) -> dict[str, str]:
    files = sorted(path for path in landing.rglob("*") if path.is_file())
    return {
        path.relative_to(landing).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    generate(tmp_path / "first" / "landing", **SMALL, faults=True)
    generate(tmp_path / "second" / "landing", **SMALL, faults=True)
    first = digests(tmp_path / "first")
    assert first == digests(tmp_path / "second")
    assert len(first) == 2 * 6 * 7 + 2


def test_another_seed_gives_another_world(tmp_path: Path) -> None:
    generate(tmp_path / "first", **SMALL)
    generate(tmp_path / "second", **(SMALL | {"seed": 8}))
    first, second = digests(tmp_path / "first"), digests(tmp_path / "second")
    assert first.keys() == second.keys()
    # Months without an appeal have the header alone.
    told = [name for name in first if "/appeals_" not in name]
    assert not {first[name] for name in told} & {second[name] for name in told}
    appeals = [name for name in first if "/appeals_" in name]
    assert [first[name] for name in appeals] != [second[name] for name in appeals]


def test_a_tenant_is_the_same_whoever_else_is_generated(tmp_path: Path) -> None:
    generate(tmp_path / "one", **(SMALL | {"tenants": 1, "members": 150}))
    generate(tmp_path / "two", **SMALL)
    one, two = digests(tmp_path / "one"), digests(tmp_path / "two")
    assert one == {name: two[name] for name in one}


def test_a_later_end_continues_the_same_history(tmp_path: Path) -> None:
    landing, many = tmp_path / "landing", ARGUMENTS | {"members": 6000}
    generate(landing, **many)
    before = digests(landing)
    summary = generate(landing, **(many | {"end": date(2025, 4, 30)}))
    after = digests(landing)
    assert summary.unchanged == len(before) == 84
    assert len(after) == 126
    assert before == {name: after[name] for name in before}


def test_repeating_writes_nothing(world: World) -> None:
    files = world.summary.files
    before = {file: file.stat().st_mtime_ns for file in files}
    again = generate(world.landing, **ARGUMENTS)
    assert again.unchanged == len(files) == 84
    assert before == {file: file.stat().st_mtime_ns for file in files}


def test_landed_files_are_never_replaced(tmp_path: Path) -> None:
    generate(tmp_path, **SMALL)
    before = digests(tmp_path)
    with pytest.raises(GranaryError, match="exists with other content"):
        generate(tmp_path, **(SMALL | {"seed": 8}))
    assert digests(tmp_path) == before


def test_summary_counts_what_was_written(world: World) -> None:
    counted = {feed: world.value(f"SELECT count(*) FROM {feed}") for feed in FEEDS}
    assert world.summary.rows == counted
    assert world.summary.faults is None
    assert min(counted.values()) > 0


def test_extracts_are_monthly_or_evenly_spaced(tmp_path: Path) -> None:
    monthly = generate(tmp_path / "a", **(SMALL | {"members": 2, "end": date(2024, 10, 15)}))
    evenly = generate(tmp_path / "b", **(SMALL | {"members": 2, "batches": 4}))
    names = [file.name for file in monthly.files if file.name.startswith("plans")][:3]
    assert names == [
        "plans_20240901T020000Z.csv",
        "plans_20241001T020000Z.csv",
        "plans_20241016T020000Z.csv",
    ]
    names = [file.name for file in evenly.files if file.name.startswith("plans")][:4]
    assert names == [
        "plans_20240916T020000Z.csv",
        "plans_20241101T020000Z.csv",
        "plans_20241217T020000Z.csv",
        "plans_20250201T020000Z.csv",
    ]


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("batches", [1, 31])
def test_the_smallest_worlds_are_whole(tmp_path: Path, members: int, batches: int) -> None:
    arguments = {"tenants": 1, "members": members, "batches": batches, "seed": 0}
    days = {"start": date(2028, 2, 29), "end": date(2028, 3, 30)}
    summary = generate(tmp_path, **arguments, **days)
    assert len(summary.files) == 7 * batches
    assert summary.rows["members"] <= members * batches


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tenants": 0}, "0 tenants"),
        ({"tenants": 7}, "7 tenants"),
        ({"members": 1}, "1 members are too few"),
        ({"end": date(2024, 7, 31)}, "is empty"),
        ({"batches": 0}, "0 batches do not fit"),
        ({"batches": 185}, "185 batches do not fit"),
        ({"seed": -1}, "seed -1 is negative"),
    ],
)
def test_wrong_arguments_say_what_to_do(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(GranaryError, match=message) as caught:
        generate(tmp_path, **(SMALL | change))
    assert caught.value.remedy
    assert not list(tmp_path.iterdir())


def test_a_landing_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "landing").write_text("in the way")
    with pytest.raises(GranaryError, match=r"landing/aca/issuer_1 cannot be written to"):
        generate(tmp_path / "landing", **SMALL)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("feed", ["plans", "members"])
def test_a_full_disk_leaves_whole_files_only(tmp_path: Path, feed: str) -> None:
    landing = tmp_path / "landing"
    draft = landing / "aca" / "issuer_1" / f".{feed}_20241001T020000Z.csv.part"
    draft.parent.mkdir(parents=True)
    draft.symlink_to("/dev/full")
    with pytest.raises(GranaryError, match=r"cannot be written to: .*[Nn]o space left"):
        generate(landing, **SMALL)
    draft.unlink()
    before = {name: digest for name, digest in digests(landing).items() if ".part" not in name}
    generate(landing, **SMALL)
    after = digests(landing)
    assert before == {name: after[name] for name in before}
    assert len(after) == 84


def breaches(name: str, spec: dict[str, Any]) -> dict[str, str]:
    """Conditions that are true of a text value which breaks the contract."""
    typed = f"TRY_CAST({name} AS {spec['type']})"
    checks = {"empty text": f"{name} = ''"}
    if spec.get("required"):
        checks["required"] = f"{name} IS NULL"
    if spec["type"] != "text":
        checks["type"] = f"{name} IS NOT NULL AND {typed} IS NULL"
    if spec["type"].startswith("decimal"):
        scale = int(spec["type"].rstrip(")").split(",")[1])
        checks["decimals"] = f"NOT regexp_full_match({name}, '-?[0-9]+\\.[0-9]{{{scale}}}')"
    if spec["type"] == "boolean":
        checks["boolean"] = f"{name} NOT IN ('true', 'false')"
    if "codes" in spec:
        checks["codes"] = f"{name} NOT IN ({', '.join(repr(str(c)) for c in spec['codes'])})"
    if "pattern" in spec:
        checks["pattern"] = f"NOT regexp_full_match({name}, '{spec['pattern']}')"
    if "min" in spec:
        checks["min"] = f"{typed} < CAST('{spec['min']}' AS {spec['type']})"
    if "max" in spec:
        checks["max"] = f"{typed} > CAST('{spec['max']}' AS {spec['type']})"
    if spec.get("not_after_extract"):
        checks["not after extract"] = f"{typed} > extracted_on"
    return checks


@pytest.mark.parametrize("feed", FEEDS)
def test_every_file_meets_its_contract(world: World, feed: str) -> None:
    agreed = contract(feed)
    names = list(agreed["columns"])
    connection = duckdb.connect()
    for file in [path for path in world.summary.files if path.name.startswith(feed)]:
        content = file.read_bytes()
        header = content.split(b"\n", 1)[0].decode()
        assert header == ",".join(names), file
        assert content.endswith(b"\n"), file
        assert b"\r" not in content, file
        connection.execute(
            f"CREATE OR REPLACE TABLE lines AS SELECT *, "
            f"strptime('{file.stem[-16:-8]}', '%Y%m%d')::DATE AS extracted_on "
            f"FROM read_csv('{file}', all_varchar = true, header = true, delim = ',', quote = '\"')"
        )
        checks = {
            f"{name}: {check}": condition
            for name, spec in agreed["columns"].items()
            for check, condition in breaches(name, spec).items()
        }
        counts = ", ".join(f"count(*) FILTER ({condition})" for condition in checks.values())
        found = connection.execute(f"SELECT {counts} FROM lines").fetchone()
        assert found is not None
        assert {check: n for check, n in zip(checks, found, strict=True) if n} == {}, file
        key = ", ".join(agreed["key"])
        repeated = f"SELECT {key} FROM lines GROUP BY {key} HAVING count(*) > 1"
        assert connection.execute(repeated).fetchall() == [], file
