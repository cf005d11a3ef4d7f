"""Where SQLMesh's own SCD type 2 kinds lose and invent history, and that the log and fold do not.

`uv run pytest tests/native_scd -s` prints the table of docs/adr/0015.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from rich.console import Console
from rich.table import Table
from small_project import duckdb_settings, write_project
from sqlmesh.core.context import Context

from granary.gateways import open_gateway
from granary.gateways.base import Gateway
from granary.settings import Settings
from granary.transformation import open_transformation
from native_scd.project import CONFIG, NATIVE, OURS, STAGED, WITNESS, native
from native_scd.world import FOREVER, Batch, Version, batches, history

FOLD = "the change log and its fold"
MEMBERS = """
CREATE TABLE raw.members (
  member_id INT, city TEXT, tier TEXT, income INT, tenant_id TEXT, load_id BIGINT,
  extracted_at TIMESTAMP
)
"""
VERSIONS = (
    "SELECT member_id, city, tier, income, {start}, {end} FROM {table} WHERE city IS NOT NULL"
)
Designs = dict[str, list[Version]]


@pytest.fixture(scope="module", params=["duckdb", pytest.param("postgres", marks=pytest.mark.slow)])
def designs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Designs]:
    """The versions that each design has after six batches."""
    folder = tmp_path_factory.mktemp("native_scd")
    settings = _settings(request, folder)
    gateway = open_gateway(settings)
    try:
        gateway.start()
        found = _build(folder / "project", settings, gateway)
        _print(request.param, found)
        yield found
    finally:
        gateway.destroy()


@pytest.fixture(scope="module")
def truth() -> list[Version]:
    return list(history(batches()))


def test_world_has_what_makes_history_hard(truth: list[Version]) -> None:
    extracts = batches()
    assert len({batch.extracted_at.date() for batch in extracts}) == len(extracts) - 1
    of_member: dict[int, list[Version]] = {}
    for version in truth:
        of_member.setdefault(version.member_id, []).append(version)
    lives = of_member.values()
    assert sum(life[-1].end < FOREVER for life in lives) > 50
    assert sum(any(a.end < b.start for a, b in pairwise(life)) for life in lives)
    assert sum(max(Counter(v.values for v in life).values()) > 1 for life in lives) > 10
    assert sum(None in version.values for version in truth) > 1_000


def test_log_and_fold_are_exact(designs: Designs, truth: list[Version]) -> None:
    assert sorted(designs[FOLD], key=_order) == sorted(truth, key=_order)


@pytest.mark.parametrize("design", NATIVE)
def test_native_kind_is_not(designs: Designs, truth: list[Version], design: str) -> None:
    assert Counter(designs[design]) != Counter(truth)
    assert _lost(designs[design], truth) > 0


def test_native_kind_rebuilt_begins_with_the_present(
    designs: Designs, truth: list[Version]
) -> None:
    """A new environment, a changed model: what had been seen before is gone."""
    current = [version.state for version in truth if version.end == FOREVER]
    assert Counter(v.state for v in designs["column_latest"]) == Counter(current)


def test_native_kind_by_time_takes_one_version_per_key(
    designs: Designs, truth: list[Version]
) -> None:
    members = [version.member_id for version in designs["time_all"]]
    assert sorted(members) == sorted({version.member_id for version in truth})


@pytest.mark.parametrize("design", ["column_by_day", "time_all"])
def test_native_kind_with_an_update_time_keeps_the_gone(
    designs: Designs, truth: list[Version], design: str
) -> None:
    present = {version.member_id for version in truth if version.end == FOREVER}
    gone = {version.member_id for version in truth} - present
    current = {version.member_id for version in designs[design] if version.end == FOREVER}
    assert len(gone) == 100
    assert gone <= current


def test_native_kind_by_time_makes_a_version_of_every_extract(
    designs: Designs, truth: list[Version]
) -> None:
    assert len(designs["time_by_day"]) > 3 * len(truth)


def test_native_kind_run_at_each_extract_writes_into_the_past(
    designs: Designs, truth: list[Version]
) -> None:
    """At its best it has every version at its time, but fills a NULL with what came after it."""
    right = {(version.member_id, version.start): version for version in truth}
    found = {(version.member_id, version.start): version for version in designs[WITNESS]}
    assert found.keys() == right.keys()
    wrong = [key for key in right if found[key].values != right[key].values]
    assert len(wrong) > 100
    for key in wrong:
        assert right[key].end < FOREVER
        for was, told in zip(right[key].values, found[key].values, strict=True):
            assert told == was or was is None


def _order(version: Version) -> tuple[int, object]:
    return (version.member_id, version.start)


def _lost(found: list[Version], truth: list[Version]) -> int:
    """How many states of the truth a design does not have, whatever time it gives them."""
    return _more(truth, found)


def _more(some: list[Version], others: list[Version]) -> int:
    states = Counter(version.state for version in some)
    states.subtract(Counter(version.state for version in others))
    return sum(number for number in states.values() if number > 0)


def _settings(request: pytest.FixtureRequest, folder: Path) -> Settings:
    if request.param == "duckdb":
        return duckdb_settings(folder / "home")
    home = request.getfixturevalue("reachable_folder") / "native_scd"
    return Settings(_env_file=None, gateway="postgres", home=home, landing=home, pghost=None)


def _build(project: Path, settings: Settings, gateway: Gateway) -> Designs:
    """One native model runs at the moment of each extract, the others when all have landed."""
    files = {"config.yaml": CONFIG, "models/members.sql": STAGED}
    files[f"models/{WITNESS}.sql"] = native(WITNESS)
    write_project(project, files, "macros", "materializations")
    with gateway.store() as store:
        store.prepare([])
    with gateway.operations() as connection:
        connection.execute(MEMBERS)

    def use(work: Callable[[Context], Any]) -> None:
        with patch.dict(os.environ), patch("granary.transformation.PROJECT", project):  # noqa: SIM117
            with open_transformation(settings, gateway) as transformation:
                work(transformation._context)
                assert transformation._loading.errors == []

    use(lambda sqlmesh: _plan(sqlmesh, skip_backfill=True))
    for batch in batches():
        _land(gateway, batch)
        use(lambda sqlmesh, now=batch.extracted_at: _run(sqlmesh, now))  # type: ignore[misc]
    models = {f"models/{name}.sql": native(name) for name in NATIVE} | OURS
    for name, text in models.items():
        (project / name).write_text(text)
    use(_plan)
    return {
        **{name: _versions(gateway, f"native.{name}", "valid_from", "valid_to") for name in NATIVE},
        FOLD: _versions(gateway, "history.dim_member", "validity_start_ts", "validity_end_ts"),
    }


def _plan(sqlmesh: Context, skip_backfill: bool = False) -> None:
    sqlmesh.plan(
        "prod", skip_backfill=skip_backfill, auto_apply=True, no_prompts=True, skip_tests=True
    )


def _run(sqlmesh: Context, now: object) -> None:
    sqlmesh.run("prod", execution_time=now, end=now, ignore_cron=True)


def _land(gateway: Gateway, batch: Batch) -> None:
    at = f"'{batch.extracted_at}'"
    rows = ", ".join(
        f"({member}, {', '.join(map(_literal, values))}, 'one', {batch.load_id}, {at})"
        for member, values in batch.rows.items()
    )
    with gateway.operations() as connection:
        connection.execute(f"INSERT INTO raw.members VALUES {rows}")
        connection.execute(
            "INSERT INTO ops.load_batch VALUES "
            f"({batch.load_id}, 'members', 'one', 'test', 'file', '', 0, {at}, {at}, {at}, "
            f"0, 0, 0, 0, 0, 'loaded', NULL, {at}, {at}, 1, NULL, NULL, NULL)"
        )


def _literal(value: object) -> str:
    return "NULL" if value is None else f"'{value}'"


def _versions(gateway: Gateway, table: str, start: str, end: str) -> list[Version]:
    answer = gateway.query(VERSIONS.format(table=table, start=start, end=end))
    return [
        Version(member, (city, tier, income), since, until or FOREVER)
        for member, city, tier, income, since, until in answer.rows
    ]


def _print(gateway: str, found: Designs) -> None:
    truth = list(history(batches()))
    table = Table(title=f"{gateway}: the extracts show {len(truth):,} versions")
    for heading in ("design", "versions", "states lost", "invented", "right to the row"):
        table.add_column(heading, justify="left" if heading == "design" else "right")
    for design, versions in found.items():
        right = sum((Counter(versions) & Counter(truth)).values())
        figures = (len(versions), _lost(versions, truth), _more(versions, truth), right)
        table.add_row(design, *(f"{figure:,}" for figure in figures))
    Console(width=100).print(table)
