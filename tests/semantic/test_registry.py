from pathlib import Path

import pytest
from tiny_world import REGISTRY

from granary.errors import GranaryError
from semantic.definitions import Additivity, Grain
from semantic.registry import Registry, load_registry

COLUMNS = {
    "core.plan": {"plan_sk", "issuer_id", "metal_tier"},
    "core.issuer": {"issuer_id", "state"},
    "core.claim": {
        "tenant_id", "plan_sk", "member_id", "claim_type", "is_urgent", "line_count",
        "service_date", "paid_date", "paid_amount",
    },
    "core.month": {"tenant_id", "plan_sk", "coverage_month", "members"},
    "core.year": {"tenant_id", "year_start", "score"},
}  # fmt: skip


def test_how_values_combine_follows_from_the_definition(registry: Registry) -> None:
    found = {name: registry.additivity(name) for name in registry.metrics}
    assert found["paid"] is found["claims"] is found["unpaid_months"] is Additivity.SUM
    assert found["members_in_force"] is Additivity.LAST
    assert found["patients"] is Additivity.DISTINCT
    assert found["median_paid"] is Additivity.MEDIAN
    assert found["paid_pmpm"] is found["pmpm_over_claim"] is Additivity.RATIO


def test_the_finest_grain_is_that_of_the_coarsest_input(registry: Registry) -> None:
    assert registry.grain("paid") is Grain.DAY
    assert registry.grain("paid_pmpm") is Grain.MONTH
    assert registry.grain("yearly_score") is Grain.YEAR


def test_dimensions_are_those_that_every_input_knows(registry: Registry) -> None:
    assert set(registry.dimensions("unpaid_months")) == {"tenant_id", "metal_tier", "state"}
    assert "claim_type" in registry.dimensions("paid_pmpm")


def test_a_missing_column_is_told_by_line(registry: Registry) -> None:
    domain = registry.domains["tiny"]
    domain.check_columns(COLUMNS)
    without = {**COLUMNS, "core.claim": COLUMNS["core.claim"] - {"member_id"} | {"members_id"}}
    with pytest.raises(GranaryError) as told:
        domain.check_columns(without)
    line = 1 + REGISTRY.splitlines().index("    measure: {of: claim, distinct: member_id}")
    assert f"tiny.yaml:{line}:" in told.value.message
    assert "core.claim has no column member_id" in told.value.message
    assert "Did you mean members_id" in told.value.remedy
    domain.check_columns(without, used={"core.month", "core.plan"})
    with pytest.raises(GranaryError, match=r"there is no table core\.year"):
        domain.check_columns(
            {name: found for name, found in COLUMNS.items() if name != "core.year"}
        )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("of: claim, sum: paid_amount}", "of: clam, sum: paid_amount}", "there is no entity clam"),
        ("sum: paid_amount}", "sum: 'SUM(paid_amount)'}", "without query or aggregate"),
        ("sum: paid_amount}", "sum: 'paid_amount +'}", "is not an SQL expression"),
        ("sum: paid_amount}", "sum: paid_amount, count: true}", "exactly one of sum, count"),
        ("sum: paid_amount}", "total: paid_amount}", "Extra inputs are not permitted"),
        ("time: paid_date}", "time: payd_date}", "claim has no time payd_date"),
        ("sum: paid_amount}", "sum: plam.metal_tier}", "claim does not join plam"),
        ("unit: claims", "unit: clams", "Input should be 'USD'"),
        ("numerator: paid,", "numerator: payd,", "there is no metric payd"),
        ("numerator: paid,", "numerator: claims_per_1000,", "claims_per_1000 is itself a ratio"),
        ("derived: member_months - claims", "derived: unpaid_months - claims", "made from itself"),
        ("joins: {plan: plan_sk}", "joins: {plam: plan_sk}", "there is no entity plam"),
        ("    key: plan_sk\n", "", "plan has no key"),
        ("  patients:", "  metal_tier:", "metal_tier is already the name of a dimension"),
        ("  patients:", "  Patients:", "String should match pattern"),
        ("  patients:", "  claims:", "claims stands twice"),
        ("domain: tiny", "domain: small", "the domain small is in tiny.yaml"),
        ("of: year,", "of: plan,", "plan has no time"),
    ],
)
def test_faults_name_file_line_and_fix(
    registry_file: Path, old: str, new: str, message: str
) -> None:
    assert old in REGISTRY
    registry_file.write_text(REGISTRY.replace(old, new, 1))
    with pytest.raises(GranaryError) as told:
        load_registry(registry_file.parent)
    assert message in told.value.message
    assert "tiny.yaml" in told.value.message
    assert told.value.remedy


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("by: [claim_type, tenant_id], metrics: [paid]", "it begins with claim_type"),
        ("by: [tenant_id], metrics: [payd]", "there is no metric payd"),
        ("by: [tenant_id, claim_tipe], metrics: [paid]", "paid cannot be split by claim_tipe"),
        ("by: [tenant_id, line_count], metrics: [paid]", "paid cannot be split by line_count"),
        (
            "by: [tenant_id, claim_type], metrics: [claims_per_1000]",
            "cannot be split by claim_type",
        ),
        ("by: [tenant_id], metrics: [yearly_score]", "yearly_score is known by year, not by month"),
        ("by: [tenant_id], metrics: [patients]", "patients, whose parts do not add up"),
        ("by: [tenant_id], metrics: [paid], sum: true", "Extra inputs are not permitted"),
    ],
)
def test_a_table_that_cannot_be_is_told(registry_file: Path, table: str, message: str) -> None:
    described = "description: 'Claims. What were they?', grain: month"
    registry_file.write_text(f"{REGISTRY}tables:\n  claims_by_type: {{{described}, {table}}}\n")
    with pytest.raises(GranaryError) as told:
        load_registry(registry_file.parent)
    assert message in told.value.message
    assert "tiny.yaml" in told.value.message
    assert told.value.remedy


def test_exposures_of_a_table_do_not_know_the_same_dimensions(registry_file: Path) -> None:
    tables = """tables:
  both:
    description: Claims and months. Which are more?
    grain: month
    by: [tenant_id, claim_type, metal_tier]
    metrics: [paid_pmpm, paid_per_year]
"""
    per_year = """  paid_per_year:
    label: Paid per year
    question: What was it?
    description: What it is.
    group: cost
    owner: tests
    direction: down
    unit: ratio
    ratio: {numerator: paid, denominator: yearly_score, exposure: true}
"""
    text = REGISTRY.replace("of: year,", "of: score,").replace("{year_start: year}", "{day: day}")
    text = text.replace("\n  year:\n", "\n  score:\n")
    registry_file.write_text(f"{text}{per_year}{tables}")
    with pytest.raises(GranaryError, match="do not know the same of its dimensions"):
        load_registry(registry_file.parent)


def test_a_dimension_by_two_ways_of_equal_length_is_refused(registry_file: Path) -> None:
    text = REGISTRY.replace(
        "joins: {plan: plan_sk}", "joins: {plan: plan_sk, issuer: tenant_id}", 1
    )
    # By the issuer itself: nearer than by way of the plan, so it is the one.
    registry_file.write_text(text)
    reached = load_registry(registry_file.parent).domains["tiny"].dimensions["claim"]["state"]
    assert reached.path == ("issuer",)
    two = text.replace(
        "      metal_tier: {", "      state: {label: S, description: S}\n      metal_tier: {", 1
    )
    registry_file.write_text(two)
    with pytest.raises(GranaryError, match="claim reaches state by"):
        load_registry(registry_file.parent)


def test_a_metric_of_two_domains_is_refused(registry_file: Path) -> None:
    other = registry_file.with_name("other.yaml")
    other.write_text(REGISTRY.replace("domain: tiny", "domain: other"))
    with pytest.raises(GranaryError, match=r"tiny\.yaml:\d+: paid is defined in .*other\.yaml too"):
        load_registry(registry_file.parent)


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(GranaryError, match="no registry found"):
        load_registry(tmp_path)
