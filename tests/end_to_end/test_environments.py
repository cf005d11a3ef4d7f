"""A dimension is changed twice in a sandbox, compared with prod and promoted, on both gateways.

First it gains an attribute, a band of one that it has; then it loses an attribute that alone made
some versions. What it then holds is worked out from the files, and what prod holds after the
promotion is compared with a warehouse that never knew the models of before.
"""

import hashlib
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

import pytest
from oracle.arrivals import Arrived, differences, observe
from oracle.oracle import MEMBER_TRACKED, Oracle

from end_to_end.sandbox import Outcome, Sandbox
from seeds_gen.aca import generate

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

STAGED = Path("models/staging/aca/stg_aca_members.sql")
RATIO = "  fpl_ratio::DECIMAL(7, 4) AS fpl_ratio, "
BAND = """  (
    CASE WHEN fpl_ratio < 1.5 THEN 'low' WHEN fpl_ratio < 4 THEN 'middle' ELSE 'high' END
  )::TEXT AS fpl_band, /* band of the income */
"""
TRACKED = "    fpl_ratio,\n"
DROPPED = "portal_registered"
FACTS = ("core.fct_claim_line", "core.fct_member_month")
LAST_EXTRACT = "20250301"
# When a row landed, not what is so: one warehouse got the files in two goes, the other in one.
CIRCUMSTANCES = {"created_at", "load_date", "load_timestamp"}
# They tell a warehouse's own life: no two warehouses share it, and every plan adds to it.
OWN_HISTORY = {
    "semantic.metric_definition_history",
    "semantic.warehouse_audits",
    "semantic.warehouse_dead_letters",
    "semantic.warehouse_loads",
    "semantic.warehouse_models",
    "semantic.warehouse_runs",
}

Row = dict[str, Any]
GatewayName = Literal["postgres", "duckdb"]


@dataclass(frozen=True)
class Environment:
    """What a plan of the sandbox left.

    Attributes:
        members: the sandbox's dim_member, without the unknown member.
        facts: fingerprints of the sandbox's facts, by prod's names.
        prod: fingerprints of prod's tables.
    """

    planned: Outcome
    compared: Outcome
    members: list[Row]
    facts: dict[str, str]
    prod: dict[str, str]


@dataclass(frozen=True)
class Story:
    """A warehouse from its first day to the promotion, and one that was built afterwards.

    Attributes:
        built: prod after the last file, with the models as they are.
        prod: its fingerprints.
        gained: the sandbox with one attribute more.
        lost: the sandbox with another attribute less.
        promoted: fingerprints of prod after the promotion.
        afresh: fingerprints of a warehouse that had the changed models from the beginning.
        keys: the rows of promoted core tables, only their key columns.
    """

    built: Arrived
    prod: dict[str, str]
    gained: Environment
    lost: Environment
    promotion: Outcome
    promoted: dict[str, str]
    afresh: dict[str, str]
    keys: dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def stories(
    reachable_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Story]]]:
    """Both gateways beside each other, for a plan keeps no more than one core busy."""
    source = tmp_path_factory.mktemp("environments") / "landing"
    generate(
        source,
        tenants=2,
        members=160,
        start=date(2024, 11, 1),
        end=date(2025, 2, 28),
        batches=None,
        seed=11,
    )
    with ThreadPoolExecutor(2) as executor:
        yield {
            name: executor.submit(live, reachable_folder / "environments" / name, name, source)
            for name in ("postgres", "duckdb")
        }


@pytest.fixture(params=["postgres", "duckdb"])
def story(request: pytest.FixtureRequest, stories: dict[str, Future[Story]]) -> Story:
    return stories[request.param].result()


def live(folder: Path, gateway: GatewayName, source: Path) -> Story:
    sandbox, fresh = Sandbox(folder / "lived", gateway), Sandbox(folder / "fresh", gateway)
    try:
        return tell(sandbox, fresh, source)
    finally:
        sandbox.gateway.destroy()
        fresh.gateway.destroy()


def tell(sandbox: Sandbox, fresh: Sandbox, source: Path) -> Story:
    files = sorted(source.rglob("*.csv*"))
    last = [file for file in files if LAST_EXTRACT in file.name]
    sandbox.drop((file for file in files if file not in last), source)
    did(sandbox, "up")
    sandbox.drop(last, source)
    built = observe(sandbox, did(sandbox, "run"))
    prod = fingerprints(sandbox)

    edit(sandbox.checkout / STAGED, RATIO, BAND + RATIO)
    edit(tracking(sandbox), TRACKED, f"{TRACKED}    fpl_band,\n")
    gained = planned(sandbox)
    edit(tracking(sandbox), f"    {DROPPED},\n", "")
    lost = planned(sandbox)

    promotion = did(sandbox, "promote", "sandbox")
    shutil.copytree(sandbox.checkout / "models", fresh.checkout / "models", dirs_exist_ok=True)
    fresh.drop(files, source)
    did(fresh, "up")
    return Story(
        built,
        prod,
        gained,
        lost,
        promotion,
        fingerprints(sandbox),
        fingerprints(fresh),
        keys(sandbox),
    )


def did(sandbox: Sandbox, *arguments: str) -> Outcome:
    outcome = sandbox.granary(*arguments)
    assert outcome.exit_code == 0, outcome.messages
    return outcome


def planned(sandbox: Sandbox) -> Environment:
    outcome = did(sandbox, "plan", "sandbox")
    members = sandbox.rows("SELECT * FROM core__sandbox.dim_member WHERE member_sk <> -1")
    facts = {
        fact: fingerprint(sandbox.rows(f"SELECT * FROM {fact.replace('.', '__sandbox.')}"))
        for fact in FACTS
    }
    compared = did(sandbox, "diff", "sandbox")
    return Environment(outcome, compared, members, facts, fingerprints(sandbox))


def tracking(sandbox: Sandbox) -> Path:
    """The model that says which attributes of a member make a version."""
    [model] = [
        path
        for path in (sandbox.checkout / "models" / "core").rglob("*.sql")
        if f"    {DROPPED},\n" in path.read_text() or "    fpl_band,\n" in path.read_text()
    ]
    return model


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert text.count(before) == 1, path
    path.write_text(text.replace(before, after))


def tables(sandbox: Sandbox) -> list[str]:
    """Every table of core and semantic in prod."""
    found = sandbox.rows(
        "SELECT table_schema || '.' || table_name AS name FROM information_schema.tables "
        "WHERE table_schema IN ('core', 'semantic')"
    )
    return sorted({row["name"] for row in found} - OWN_HISTORY)


def fingerprints(sandbox: Sandbox) -> dict[str, str]:
    """A digest of all rows of each table, whatever their order."""
    return {table: fingerprint(sandbox.rows(f"SELECT * FROM {table}")) for table in tables(sandbox)}


def fingerprint(rows: list[Row]) -> str:
    told = sorted(
        repr([(name, row[name]) for name in sorted(row) if name not in CIRCUMSTANCES])
        for row in rows
    )
    return f"{len(rows)} rows {hashlib.sha256(chr(10).join(told).encode()).hexdigest()[:16]}"


def keys(sandbox: Sandbox) -> dict[str, list[tuple[Any, ...]]]:
    """The surrogate and durable keys of every core table."""
    found = {}
    for table in tables(sandbox):
        answer = sandbox.gateway.query(f"SELECT * FROM {table}")
        places = sorted(
            (name, place)
            for place, name in enumerate(answer.columns)
            if name.endswith(("_sk", "_key"))
        )
        if places and table.startswith("core."):
            found[table] = sorted(
                (tuple(row[place] for _, place in places) for row in answer.rows), key=repr
            )
    return found


def band(ratio: Decimal | None) -> str:
    if ratio is None or ratio >= 4:
        return "high"
    return "low" if ratio < Decimal("1.5") else "middle"


def from_scratch(story: Story, *, dropped: str | None = None) -> list[Row]:
    """The members' versions by the files, with the band and without an attribute."""
    tracked = tuple(name for name in MEMBER_TRACKED if name != dropped)
    with patch("oracle.oracle.MEMBER_TRACKED", tracked):
        versions = Oracle(story.built.oracle.batches, set()).dim_member
    return [{**version, "fpl_band": band(version["fpl_ratio"])} for version in versions]


def without(rows: list[Row], *names: str) -> list[Row]:
    return [{name: row[name] for name in row if name not in names} for row in rows]


def compared(outcome: Outcome) -> dict[str, tuple[list[str], list[int]]]:
    """What `granary diff` says of each table: columns added and removed, and numbers of rows."""
    told = {}
    for line in outcome.answer.splitlines()[1:]:
        model, *rest = line.split()
        columns = [word for word in rest if word[0] in "+-"]
        told[model.split(".", 1)[-1] if model.count(".") > 1 else model] = (
            columns,
            [int(word) for word in rest[len(columns) :]],
        )
    return told


def test_sandbox_holds_the_whole_history_with_the_new_attribute(story: Story) -> None:
    expected = from_scratch(story)
    assert differences(expected, without(story.gained.members, "attr_hash"), ("member_sk",)) == []
    extracts = {row["validity_start_ts"] for row in story.gained.members}
    assert len(extracts) == 4


def test_keys_of_versions_survive_a_rebuild(story: Story) -> None:
    before = {row["member_sk"] for row in story.built.tables["core.dim_member"]} - {-1}
    assert {row["member_sk"] for row in story.gained.members} == before


def test_sandbox_without_an_attribute_has_fewer_versions(story: Story) -> None:
    expected = from_scratch(story, dropped=DROPPED)
    assert differences(expected, without(story.lost.members, "attr_hash"), ("member_sk",)) == []
    assert len(story.lost.members) < len(story.gained.members)


def test_prod_is_untouched_until_the_promotion(story: Story) -> None:
    assert story.gained.prod == story.prod
    assert story.lost.prod == story.prod


def test_diff_of_a_new_attribute_shows_nothing_else(story: Story) -> None:
    versions = len(story.gained.members)
    shown = compared(story.gained.compared)
    # The hash of all attributes has one more in it.
    assert shown.pop("core.dim_member") == (["+fpl_band"], [0, 0, versions, 1])
    for columns, (gone, new, changed, _) in shown.values():
        assert columns in ([], ["+fpl_band"])
        assert (gone, new) == (0, 0)
        assert changed == 0 or columns
    # A fact that is not shown is the very table of prod; either way it holds the same rows.
    assert story.gained.facts == {fact: story.prod[fact] for fact in FACTS}
    now = without(story.gained.members, "attr_hash", "fpl_band")
    was = [row for row in story.built.tables["core.dim_member"] if row["member_sk"] != -1]
    assert differences(without(was, "attr_hash"), now, ("member_sk",)) == []


def test_diff_of_a_lost_attribute_shows_the_versions_that_it_alone_made(story: Story) -> None:
    columns, (gone, new, _, _) = compared(story.lost.compared)["core.dim_member"]
    assert columns == ["+fpl_band", f"-{DROPPED}"]
    assert (gone, new) == (len(story.gained.members) - len(story.lost.members), 0)


def test_promotion_computes_nothing(story: Story) -> None:
    assert "prod: 0 models built" in story.promotion.messages


def test_promoted_prod_equals_a_fresh_warehouse(story: Story) -> None:
    assert story.promoted == story.afresh
    assert len(story.promoted) > 20
    assert story.promoted["core.dim_member"] != story.prod["core.dim_member"]


def test_surrogate_keys_are_equal_on_both_engines(stories: dict[str, Future[Story]]) -> None:
    on_postgres, on_duckdb = (stories[name].result().keys for name in ("postgres", "duckdb"))
    assert on_postgres == on_duckdb
    assert {"core.dim_member", "core.dim_plan", "core.dim_provider"} <= on_postgres.keys()
