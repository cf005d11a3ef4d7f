"""Contracts that ship with the project, and what a wrong one is told."""

from pathlib import Path

import pytest
import yaml
from landing_support import ORDERS

from granary.errors import GranaryError
from granary.landing import Contract, load_contracts, load_tenants
from granary.landing.dictionary import data_dictionary, external_models
from granary.settings import PROJECT

Contracts = dict[str, Contract]


def _load(tmp_path: Path, text: str) -> Contracts:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "orders.yaml").write_text(text)
    return load_contracts(tmp_path)


WRONG = {
    "no such type": ("type: integer", "type: number", "quantity.type: unknown type, known are"),
    "unknown key": ("min: 1,", "minimum: 1,", "columns.quantity.minimum: Extra inputs"),
    "no description": (
        ", description: Pieces.",
        "",
        "quantity.description: Field required",
    ),
    "bad pattern": ("'[0-9]{5}'", "'[0-9'", "zip.pattern: not a regular expression"),
    "bound of text": (
        "codes: [web, store]",
        "min: 1",
        "channel: min and max need a number",
    ),
    "bound is no date": ("'2010-01-01'", "'2010-13-01'", "bound '2010-13-01' is not a date"),
    "codes are no text": ("[web, store]", "[yes, no]", "columns.channel.codes.0: Input should be"),
    "key unknown": ("key: [order_id]", "key: [order]", "key names no column: order"),
    "key may be blank": (
        "key: [order_id]",
        "key: [zip]",
        "of the key must be required: zip",
    ),
    "required and optional": (
        "order_id: {type: text,",
        "order_id: {type: text, optional: true,",
        "columns.order_id: a required column cannot be optional",
    ),
    "feed": ("feed: shop_orders", "feed: orders", "feed must be shop_orders"),
    "taken name": ("  zip:", "  load_id:", "load_id.name: this name is taken"),
    "no identifier": ("  zip:", "  ZIP-Code:", "give the file's own spelling as header"),
    "same header": ("header: seen.at", "header: zip", "two columns have the header zip"),
    "key twice": ("  zip:", "  npi:", "npi stands twice"),
    "no YAML": ("feed:", "feed: [", "not valid YAML"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_contract_is_told_file_key_and_fix(tmp_path: Path, kind: str) -> None:
    old, new, message = WRONG[kind]
    assert old in ORDERS
    with pytest.raises(GranaryError) as failure:
        _load(tmp_path, ORDERS.replace(old, new, 1))
    assert str(tmp_path / "shop" / "orders.yaml") in str(failure.value)
    assert message in str(failure.value)
    assert "Correct" in failure.value.remedy


def test_a_wrong_list_of_tenants_is_told_too(tmp_path: Path) -> None:
    path = tmp_path / "tenants.yaml"
    path.write_text("shop:\n  north: {state: FL}\n")
    with pytest.raises(GranaryError, match=r"shop\.north\.description: Field required"):
        load_tenants(path)


def test_a_folder_without_contracts_says_so(tmp_path: Path) -> None:
    with pytest.raises(GranaryError, match="no contract found"):
        load_contracts(tmp_path)


def test_the_shipped_contracts_hold_the_agreed_feeds(project_contracts: Contracts) -> None:
    entities = ("enrollments", "members", "plans", "providers", "qhp_landscape")
    assert [project_contracts[f"aca_{entity}"].kind for entity in entities] == ["snapshot"] * 5
    assert project_contracts["aca_claims"].kind == "change"
    assert len(project_contracts["aca_qhp_landscape"].columns) == 130
    assert {"issuer_1", "cms"} <= set(load_tenants(PROJECT / "contracts/tenants.yaml")["aca"])


def test_the_data_dictionary_has_a_line_for_every_column(project_contracts: Contracts) -> None:
    page = data_dictionary(project_contracts)
    for contract in project_contracts.values():
        section = page.split(f"## {contract.table}\n")[1].split("\n## ")[0]
        rows = [line for line in section.splitlines() if line.startswith("| `")]
        assert [row.split("`")[1] for row in rows] == list(contract.columns)
        assert all(column.description in section for column in contract.columns.values())
    assert "| `npi` | TEXT | yes |  | matches `[12][0-9]{9}`; NPI check digit |" in page
    assert "| `dob` | DATE | yes | yes | at least 1900-01-01; not after the extract |" in page


def test_the_committed_external_models_are_those_of_the_contracts(
    project_contracts: Contracts,
) -> None:
    committed = (PROJECT / "external_models" / "raw.yaml").read_text()
    assert committed == external_models(project_contracts), "write it again: make docs"
    models = {model["name"]: model["columns"] for model in yaml.safe_load(committed)}
    assert models["raw.aca_plans"]["coinsurance_rate"] == "DECIMAL(5, 4)"
    assert list(models["raw.aca_plans"])[-5:] == [
        "tenant_id", "load_id", "load_timestamp", "extracted_at", "source_line"
    ]  # fmt: skip
    assert {"ops.load_batch", "ops.dead_letter"} <= set(models)
