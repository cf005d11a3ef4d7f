"""What a bundle would change, worked out without Superset."""

from dataclasses import replace

from superset_support import small_bundle

from granary.superset.changes import (
    Changes,
    Wanted,
    compare_assets,
    datasets_of,
    gone_assets,
    removals,
    wanted_assets,
)
from granary.superset.metadata import Asset


def made(wanted: list[Wanted]) -> dict[str, Asset]:
    return {
        one.uuid: Asset(one.uuid, "prod", one.kind, one.title, one.fingerprint, "as imported")
        for one in wanted
    }


def test_each_way_to_differ_has_its_mark() -> None:
    wanted = wanted_assets(small_bundle().files)
    assets = made(wanted)
    stored = dict.fromkeys(assets, "as imported")
    titles = {one.title: one.uuid for one in wanted if one.kind != "dataset"}
    assert compare_assets(wanted, assets, stored) == []

    del assets[titles["Paid by metal"]]
    stored[titles["Paid by tenant"]] = "edited"
    del stored[titles["Premium by state"]]
    old = titles["Rows by feed"]
    assets[old] = replace(assets[old], fingerprint="another")
    old_chart = Asset("u", "prod", "chart", "Old", "f", "as imported")
    others = Asset("v", "sandbox", "chart", "Of the sandbox", "f", "as imported")
    gone = gone_assets("prod", wanted, [*assets.values(), old_chart, others])
    changes = Changes(
        [*compare_assets(wanted, assets, stored), *removals(gone)], removed=gone, kept=[]
    )
    assert changes.lines == [
        "+ chart Paid by metal (new)",
        "! chart Paid by tenant (edited in Superset)",
        "! chart Premium by state (edited in Superset)",
        "~ chart Rows by feed (changed)",
        "- chart Old (removed)",
    ]
    assert changes.summary == "1 new, 1 changed, 2 edited in Superset, 1 removed"


def test_a_changed_title_changes_one_asset() -> None:
    before, after = (wanted_assets(small_bundle(title=name).files) for name in ("Small", "Large"))
    stored = dict.fromkeys(made(before), "as imported")
    assert [one.what for one in compare_assets(after, made(before), stored)] == ["dashboard Large"]


def test_datasets_know_their_columns() -> None:
    bundle = small_bundle("sandbox")
    found = {one.table: one for one in datasets_of(bundle, wanted_assets(bundle.files))}
    assert found["marketplace_offers"].columns == {"state", "premium"}
    assert {one.environment for one in found.values()} == {"sandbox"}


def test_environments_share_no_asset() -> None:
    prod, sandbox = (
        {one.uuid for one in wanted_assets(small_bundle(environment).files)}
        for environment in ("prod", "sandbox")
    )
    assert len(prod) == len(sandbox) == 8
    assert not prod & sandbox
