"""A file's header and values against the contract: what is kept, and what refuses the file."""

import pytest
from landing_support import ORDERS_HEADER

from granary.landing import Contract
from granary.landing.contract import Policy
from granary.landing.errors import ContractViolation
from granary.landing.fit import fit, type_changes

Contracts = dict[str, Contract]
NAMES = ORDERS_HEADER.split(",")


@pytest.fixture
def orders(contracts: Contracts) -> Contract:
    return contracts["shop_orders"]


def test_a_header_that_fits_gives_the_contract_itself(orders: Contract) -> None:
    assert fit(NAMES[::-1], orders, "orders.csv") == orders


def test_unknown_columns_are_kept_as_protected_text_under_a_name_of_their_own(
    orders: Contract,
) -> None:
    fitted = fit([*NAMES, "Colour", "Größe (cm)", "漢字", "z" * 80], orders, "orders.csv")

    added = list(fitted.columns.values())[len(NAMES) :]
    assert [column.name for column in added[:3]] == ["x_colour", "x_gr_e_cm", "x_column"]
    assert added[3].name.startswith("x_zzz")
    assert len(added[3].name) == 63
    assert {(column.type, column.phi, column.required) for column in added} == {
        ("text", True, False)
    }
    assert fitted.by_header["Colour"].description == (
        'Not in the contract: column "Colour" of the file.'
    )


def test_a_header_never_gets_the_name_of_another(orders: Contract) -> None:
    both = fit([*NAMES, "Colour", "colour "], orders, "orders.csv")
    one, other = list(both.columns)[len(NAMES) :]
    assert one != other
    assert "x_colour" not in (one, other)
    turned = fit([*NAMES, "colour ", "Colour"], orders, "orders.csv")
    assert turned.by_header["Colour"].name == one


def test_unknown_columns_refuse_the_file_where_the_policy_says_so(orders: Contract) -> None:
    strict = orders.model_copy(update={"policy": Policy(added_columns="refuse")})
    with pytest.raises(ContractViolation, match='column "colour" is not in the contract'):
        fit([*NAMES, "colour"], strict, "orders.csv")


def test_a_flood_of_unknown_columns_refuses_the_file(orders: Contract) -> None:
    flood = [f"extra {number}" for number in range(101)]
    with pytest.raises(ContractViolation, match="101 columns are not in the contract"):
        fit([*NAMES, *flood], orders, "orders.csv")
    assert len(fit([*NAMES, *flood[:100]], orders, "orders.csv").columns) == len(NAMES) + 100


def test_every_difference_of_a_breaking_header_is_told(orders: Contract) -> None:
    names = ["Order_ID", *NAMES[2:], "zip", "", "colour"]
    with pytest.raises(ContractViolation) as refusal:
        fit(names, orders, "orders.csv")
    assert refusal.value.message == (
        'orders.csv: column "order_id" is missing (found "Order_ID"); column "customer" is missing;'
        ' column "colour" is not in the contract; column "zip" stands more than once;'
        " column 11 has no name. Nothing was landed."
    )
    assert "granary contract accept FILE --reason" in refusal.value.remedy


def test_a_retired_column_is_neither_expected_nor_known(orders: Contract) -> None:
    gone = orders.columns["zip"].model_copy(update={"retired": True})
    contract = orders.model_copy(update={"columns": {**orders.columns, "zip": gone}})
    without = [name for name in NAMES if name != "zip"]
    assert list(fit(without, contract, "orders.csv").columns) == [
        column for column in orders.columns if column != "zip"
    ]
    assert fit(NAMES, contract, "orders.csv").by_header["zip"].name == "x_zip"


def test_a_type_has_changed_when_half_of_the_values_are_of_another(orders: Contract) -> None:
    counts = {
        "placed_on": (1000, 1000),
        "amount": (1000, 500),
        "quantity": (1000, 499),
        "paid": (9, 9),
        "seen_at": (0, 0),
    }
    assert type_changes(counts, orders) == [
        'column "placed_on": 1,000 of 1,000 values are not a date (YYYY-MM-DD)',
        'column "amount": 500 of 1,000 values are not a decimal(8,2)',
    ]
    patient = orders.model_copy(update={"policy": Policy(type_changed_share=0.75)})
    assert len(type_changes(counts, patient)) == 1
