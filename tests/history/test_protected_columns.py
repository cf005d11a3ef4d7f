"""Protected values of the contracts do not reach a semantic table of the project."""

from sqlmesh.core.context import Context

from granary.landing import load_contracts
from granary.privacy.flows import COARSE, ProtectedFlows
from granary.settings import PROJECT


def test_no_semantic_column_shows_a_protected_value(context: Context) -> None:
    contracts = load_contracts(PROJECT / "contracts")
    flows = ProtectedFlows(contracts, context.get_model)
    shown = {
        model.name: {column for column, sources in flows.of(model).items() if sources}
        for model in context.models.values()
    }
    semantic = {name: columns for name, columns in shown.items() if name.startswith("semantic.")}
    assert len(semantic) > 20
    assert {name: columns for name, columns in semantic.items() if columns} == {}
    # What is followed is there to be followed.
    assert shown["core.dim_member"] == {"member_id", "household_id", "name", "dob", "zip"}
    for contract in contracts.values():
        tagged = {column.name for column in contract.columns.values() if column.phi}
        assert shown[contract.table] == tagged


def test_every_exception_is_still_needed(context: Context) -> None:
    for model, column in COARSE:
        assert column in context.get_model(model, raise_if_missing=True).columns_to_types_or_raise
