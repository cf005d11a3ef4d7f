"""The same world in every format and from any number of processes."""

import gzip
import hashlib
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from aca_world import ARGUMENTS, FEEDS

from granary.errors import GranaryError
from seeds_gen.aca import FileFormat, generate

SMALL: dict[str, Any] = ARGUMENTS | {"members": 400, "end": date(2024, 10, 31)}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    generate(folder, **SMALL)
    return folder


def digests(landing: Path) -> dict[str, str]:
    return {
        path.relative_to(landing).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(landing.rglob("*"))
        if path.is_file()
    }


def test_two_processes_write_the_bytes_of_one(plain: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    generate(
        tmp_path,
        **SMALL,
        processes=2,
        progress=lambda done, total, text: told.append((done, total)),
    )
    assert digests(tmp_path) == digests(plain)
    assert told == [(1, 2), (2, 2)]


def test_cohorts_of_a_larger_issuer_have_their_own_numbers(tmp_path: Path) -> None:
    """10,000 people make a cohort; the ids of two cohorts and two years never meet."""
    many = {"tenants": 1, "members": 10_400, "end": date(2025, 1, 31), "batches": 2}
    generate(tmp_path, **(SMALL | many))
    for feed, key in (("members", "member_id"), ("enrollments", "enrollment_id")):
        files = f"{tmp_path}/aca/*/{feed}_20250201T020000Z.csv"
        rows, keys, cohorts = duckdb.execute(
            f"SELECT count(*), count(DISTINCT {key}), count(DISTINCT left({key}, 4)) "
            f"FROM read_csv('{files}', all_varchar = true)"
        ).fetchall()[0]
        assert rows == keys > 8000
        assert cohorts == 2


def test_gzip_holds_the_same_text(plain: Path, tmp_path: Path) -> None:
    generate(tmp_path, **SMALL, format=FileFormat.GZIP)
    for path in sorted(tmp_path.rglob("*.csv.gz")):
        name = path.relative_to(tmp_path).as_posix().removesuffix(".gz")
        assert gzip.decompress(path.read_bytes()) == (plain / name).read_bytes(), name
    assert {name + ".gz" for name in digests(plain)} == set(digests(tmp_path))


@pytest.mark.parametrize("feed", FEEDS)
def test_parquet_holds_the_same_rows(plain: Path, tmp_path: Path, feed: str) -> None:
    generate(tmp_path, **SMALL, format=FileFormat.PARQUET)
    name = f"aca/issuer_1/{feed}_20241101T020000Z"
    as_text, as_parquet = (
        duckdb.execute(f"SELECT COLUMNS(*)::VARCHAR FROM {source} ORDER BY ALL").fetchall()
        for source in (
            f"read_csv('{plain}/{name}.csv', all_varchar = true)",
            f"'{tmp_path}/{name}.parquet'",
        )
    )
    assert as_text == as_parquet
    assert as_text or feed == "appeals"


def test_faults_are_for_lines_of_text(tmp_path: Path) -> None:
    with pytest.raises(GranaryError, match="not into parquet files"):
        generate(tmp_path, **SMALL, faults=True, format=FileFormat.PARQUET)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("seed", [SMALL["seed"], SMALL["seed"] + 1])
@pytest.mark.parametrize("format", [FileFormat.GZIP, FileFormat.PARQUET])
def test_no_second_format_beside_the_first(
    plain: Path, tmp_path: Path, format: FileFormat, seed: int
) -> None:
    """Neither another world nor the same one, also when only a late file of one issuer is there."""
    there = tmp_path / "aca" / "issuer_2" / "appeals_20241101T020000Z.csv"
    there.parent.mkdir(parents=True)
    shutil.copy(plain / there.relative_to(tmp_path), there)
    before = digests(tmp_path)
    with pytest.raises(GranaryError) as caught:
        generate(tmp_path, **(SMALL | {"seed": seed}), format=format)
    assert f"{there} is the same extract in another format;" in str(caught.value)
    assert "Give --format csv" in caught.value.remedy
    assert digests(tmp_path) == before
    assert not (tmp_path / "aca" / "issuer_1").exists()


def test_csv_is_refused_beside_gzip_and_goes_on_at_other_extracts(tmp_path: Path) -> None:
    few = SMALL | {"members": 2}
    generate(tmp_path, **few, format=FileFormat.GZIP)
    with pytest.raises(GranaryError, match="in another format"):
        generate(tmp_path, **few)
    assert not list(tmp_path.rglob("*.csv"))
    later = generate(tmp_path, **(few | {"start": date(2024, 11, 1), "end": date(2024, 11, 30)}))
    assert [file.suffix for file in later.files] == [".csv"] * 14


def test_nothing_but_feeds_is_left_behind(plain: Path) -> None:
    assert [path for path in plain.rglob(".*")] == []
    assert {path.name.rpartition("_")[0] for path in plain.rglob("*.csv")} == set(FEEDS)
