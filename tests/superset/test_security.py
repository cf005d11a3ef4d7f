"""Who sees what follows from security.yaml alone, closed unless it says otherwise."""

from pathlib import Path

import pytest

from granary.errors import GranaryError
from granary.superset.places import SECURITY
from granary.superset.security import (
    Access,
    Dataset,
    Security,
    access_to,
    check_public,
    load_security,
)

TENANTS = ["issuer_1", "issuer_2"]
PAID = Dataset("1", "paid_monthly", "prod", frozenset({"tenant_id", "paid"}))
OFFERS = Dataset("2", "marketplace_offers", "prod", frozenset({"state"}))
LOADS = Dataset("3", "warehouse_loads", "prod", frozenset({"feed"}))
AUDITS = Dataset("4", "warehouse_audits", "prod", frozenset({"tenant_id"}))
UNNAMED = Dataset("5", "brand_new", "prod", frozenset({"state"}))
SANDBOX = Dataset("6", "paid_monthly", "sandbox", frozenset({"tenant_id", "paid"}))
BY_HAND = Dataset("7", "paid_by_hand", None, frozenset({"tenant_id"}))
ALL = [PAID, OFFERS, LOADS, AUDITS, UNNAMED, SANDBOX, BY_HAND]


@pytest.fixture
def shipped() -> Security:
    return load_security(SECURITY)


@pytest.fixture
def access(shipped: Security) -> Access:
    return access_to(shipped, TENANTS, ALL)


def test_a_viewer_sees_prods_tenant_and_public_datasets_and_no_other(access: Access) -> None:
    viewers = [role for role in access.roles if role["name"].startswith("Granary viewer")]
    assert [role["name"] for role in viewers] == [
        "Granary viewer of issuer_1",
        "Granary viewer of issuer_2",
    ]
    assert [role["datasets"] for role in viewers] == [["1", "2"], ["1", "2"]]
    assert all(role["databases"] == [] and role["like"] == [] for role in viewers)


def test_every_dataset_with_tenants_is_closed_to_whom_no_rule_names(access: Access) -> None:
    base, *own = access.rules
    assert (base["type"], base["clause"]) == ("Base", "1 = 0")
    # That of the sandbox, that which no viewer is given, and that made by hand included.
    assert base["datasets"] == ["1", "4", "6", "7"]
    assert base["roles"] == ["Admin", "Granary analyst"]
    # Joined by OR with a tenant's own rule, so that it opens nothing when that is lost.
    assert {rule["group_key"] for rule in access.rules} == {"tenant"}
    assert [(rule["clause"], rule["roles"]) for rule in own] == [
        ("tenant_id = 'issuer_1'", ["Granary viewer of issuer_1"]),
        ("tenant_id = 'issuer_2'", ["Granary viewer of issuer_2"]),
    ]
    assert all(rule["datasets"] == base["datasets"] for rule in own)


def test_viewers_may_write_nothing_but_the_state_of_their_filters(shipped: Security) -> None:
    writes = {
        view
        for view, names in shipped.viewer.permissions.items()
        if any(name in ("can_write", "can_edit", "can_add", "can_delete") for name in names)
    }
    assert writes == {"DashboardFilterStateRestApi", "DashboardPermalinkRestApi"}
    assert not any("SQL" in view or "Sql" in view for view in shipped.viewer.permissions)


def test_there_is_a_user_per_tenant_beside_admin_and_analyst(access: Access) -> None:
    assert [(user["name"], user["role"]) for user in access.users] == [
        ("admin", "Admin"),
        ("analyst", "Granary analyst"),
        ("viewer_issuer_1", "Granary viewer of issuer_1"),
        ("viewer_issuer_2", "Granary viewer of issuer_2"),
    ]


def test_viewers_of_an_environment_when_the_file_says_so(shipped: Security) -> None:
    viewer = shipped.viewer.model_copy(update={"environments": ["prod", "sandbox"]})
    access = access_to(shipped.model_copy(update={"viewer": viewer}), TENANTS, ALL)
    assert access.roles[1]["datasets"] == ["1", "2", "6"]


def test_a_public_dataset_with_rows_of_tenants_is_refused_with_its_line(
    shipped: Security,
) -> None:
    open_to_all = Dataset("8", "marketplace_offers", "prod", frozenset({"tenant_id"}))
    check_public(shipped, SECURITY, ALL)
    with pytest.raises(GranaryError, match="marketplace_offers has the column tenant_id") as told:
        check_public(shipped, SECURITY, [open_to_all])
    line = (
        SECURITY.read_text()
        .splitlines()
        .index("public: [marketplace_offers, metric_definition_history]")
    )
    assert told.value.message.startswith(f"{SECURITY}:{line + 1}: ")


def test_a_tenant_whose_name_would_be_sql_is_refused(shipped: Security) -> None:
    with pytest.raises(GranaryError, match="cannot stand in a rule"):
        access_to(shipped, ["x' OR '1' = '1"], ALL)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("internal:", "intern:", "internal: Field required"),
        ("  user: viewer_{tenant}", "  user: viewer", "viewer.user: String should match"),
        ("  environments: [prod]", "  environments: prod", "viewer.environments: Input should"),
    ],
)
def test_a_wrong_file_is_told_with_line_and_key(
    before: str, after: str, told: str, tmp_path: Path
) -> None:
    path = tmp_path / "security.yaml"
    text = SECURITY.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    with pytest.raises(GranaryError) as error:
        load_security(path)
    assert f"{path}: " in error.value.message
    assert told in error.value.message
    assert "line " in error.value.message
