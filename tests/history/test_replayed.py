"""Lines that landed late, because they or their contract were wrong, leave no trace in history."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest

from granary.landing import Contract, DuckDBStore, LandingFile, Store, land_file
from granary.landing.contract import Change, load_contract
from granary.landing.letters import Wanted, waiting_lines
from granary.landing.replay import replay
from history.stories import EXTRACTS, FEEDS, FIRST_DAY, Batch, Story, tell
from history.warehouse import CIRCUMSTANCES, Warehouse

MEMBERS = """
feed: aca_members
kind: snapshot
description: Members.
key: [member_id]
expected_minimum_rows: 0
columns:
  member_id: {type: text, required: true, description: Id.}
  clinical_segment: {type: text, codes: [well], description: Segment.}
  county_fips: {type: text, description: County.}
"""
CLAIMS = """
feed: aca_claims
kind: change
description: Lines.
key: [claim_id, line_number]
expected_minimum_rows: 0
columns:
  claim_id: {type: text, required: true, description: Id.}
  line_number: {type: integer, required: true, description: Number.}
  member_id: {type: text, description: Patient.}
  provider_id: {type: text, description: Provider.}
  plan_id: {type: text, description: Plan.}
  service_date: {type: date, description: Day.}
  claim_status: {type: text, codes: [pended, reversed], description: State.}
  paid_amount: {type: 'decimal(14,2)', description: Paid.}
"""
MENDED = {"clinical_segment": ("well", "ill"), "claim_status": ("pended", "paid", "reversed")}
# What the later extract says was known before the earlier one was mended.
FILES = {
    "aca_members": (
        ["m1,well,01001", "m2,ill,01001", "m3,ill,01003", "m4,well,01003"],
        ["m1,well,01001", "m2,well,01001", "m3,well,01003"],
    ),
    # Of claim c1 the file has two states; the first of them is refused.
    "aca_claims": (
        [
            "c1,1,m1,p1,l1,2025-01-13,paid,20000.00",
            "c1,1,m1,p1,l1,2025-01-13,reversed,20000.00",
            "c2,1,m2,p1,l1,2025-01-13,paid,60000.00",
            "c3,1,m3,p1,l1,2025-01-13,paid,20000.00",
        ],
        ["c2,1,m2,p1,l1,2025-01-13,pended,60000.00"],
    ),
}
TABLES = {"aca_members": "core.dim_member", "aca_claims": "core.fct_claim_line"}


def _contracts(folder: Path) -> dict[str, Contract]:
    for name, text in (("members", MEMBERS), ("claims", CLAIMS)):
        path = folder / "aca" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    paths = (folder / "aca").glob("*.yaml")
    return {contract.feed: contract for contract in map(load_contract, paths)}


def _mended(contract: Contract) -> Contract:
    columns = {
        name: column.model_copy(update={"codes": MENDED[name]}) if name in MENDED else column
        for name, column in contract.columns.items()
    }
    change = Change(version=2, accepted_on=FIRST_DAY.date(), reason="It is a code.", what=("",))
    return contract.model_copy(update={"columns": columns, "version": 2, "changes": (change,)})


def _land(store: Store, folder: Path, contract: Contract, at: datetime, lines: list[str]) -> None:
    path = folder / f"{at:%Y%m%dT%H%M%S}.csv"
    path.write_text("\n".join([",".join(contract.columns), *lines]) + "\n")
    assert land_file(store, LandingFile.from_options(path, contract, "one", at), contract)


def _landed(store: Store, contract: Contract) -> list[Batch]:
    """The batches as staging has them, in the order of landing: of a key the last line stands."""
    key, attributes = FEEDS[contract.feed]
    found: Mapping[int, datetime] = dict(
        store.rows(
            "SELECT load_id, extracted_at FROM ops.load_batch WHERE status = 'loaded' "
            "ORDER BY load_timestamp"
        )
    )
    return [
        Batch(
            load_id,
            contract.feed,
            "one",
            extracted_at,
            {
                row[: len(key)]: row[len(key) :]
                for row in store.rows(
                    f"SELECT {', '.join((*key, *attributes))} FROM {contract.table} "
                    "WHERE load_id = $1 ORDER BY source_line",
                    [load_id],
                )
            },
        )
        for load_id, extracted_at in found.items()
    ]


def _told(warehouse: Warehouse, story: Story, table: str) -> list[str]:
    warehouse.live(story)
    [row, *_] = warehouse.rows(f"SELECT * FROM {table} LIMIT 1")
    keys = {name for name in row if name.endswith("_sk")}
    # Keys of versions are made of the batches that brought them, and a batch that repeats a line
    # reports it once more, as a corrected file does.
    return warehouse.facts(table, CIRCUMSTANCES | keys | {"load_id", "state_count"})


@pytest.mark.parametrize("feed", TABLES)
def test_history_is_as_if_the_file_had_been_right_from_the_start(
    warehouse: Warehouse, tmp_path: Path, feed: str
) -> None:
    contract = _contracts(tmp_path / "contracts")[feed]
    early, late = FILES[feed]
    with DuckDBStore(tmp_path / "late" / "granary.duckdb") as store:
        _land(store, tmp_path, contract, EXTRACTS[0], early)
        _land(store, tmp_path, _mended(contract), EXTRACTS[2], late)
        report = replay(store, {feed: _mended(contract)}, waiting_lines(store, Wanted()))
        assert (report.replayed, report.refused) == (len(early) - 2 + (feed == "aca_claims"), 0)
        first, second, again = _landed(store, contract)
    with DuckDBStore(tmp_path / "right" / "granary.duckdb") as store:
        _land(store, tmp_path, _mended(contract), EXTRACTS[0], early)
        _land(store, tmp_path, _mended(contract), EXTRACTS[2], late)
        right = _landed(store, contract)

    happened = [("land", first), ("run", None), ("land", second), ("run", None), ("land", again)]
    replayed = _told(warehouse, tell((feed,), happened), TABLES[feed])
    wrong = _told(warehouse, tell((feed,), happened[:-1]), TABLES[feed])
    expected = _told(warehouse, tell((feed,), [("land", one) for one in right]), TABLES[feed])

    assert replayed == expected
    assert wrong != expected
