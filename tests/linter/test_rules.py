"""The rules of the house, on models that keep them and on models that do not."""

from collections import defaultdict

import pytest
from small_project import opened, write_project

LINTER = """
linter:
  enabled: true
  rules: [missingownergrainordescription, missingcolumndescription]
"""
GOOD = """
MODEL (
  name core.good, kind FULL, owner claims_analytics, grain id,
  description 'All there is. How many are there?'
);
SELECT 1::INT AS id /* the number */, 'a'::TEXT AS name /* the name */
"""
MODELS = {
    "good": GOOD,
    "below": (
        "MODEL (name core.below, kind FULL, owner x, grain id, description 'Why?');"
        "SELECT id::INT AS id, name::TEXT AS name FROM core.good"
    ),
    "further_below": (
        "MODEL (name core.further_below, kind VIEW, owner x, grain id, description 'Why?');"
        "SELECT id::INT AS id, name::TEXT AS title FROM core.below"
    ),
    "no_owner": GOOD.replace("core.good", "core.no_owner").replace("owner claims_analytics,", ""),
    "no_grain": GOOD.replace("core.good", "core.no_grain").replace(", grain id", ""),
    "no_question": GOOD.replace("core.good", "core.no_question").replace("?", "."),
    "no_description": (
        "MODEL (name core.no_description, kind FULL, owner x, grain id);"
        "SELECT 1::INT AS id /* the number */"
    ),
    "nothing": "MODEL (name core.nothing, kind FULL);SELECT 1::INT AS id /* the number */",
    "undescribed": GOOD.replace("core.good", "core.undescribed").replace("/* the name */", ""),
}
EXTERNAL = "- name: raw.claims\n  columns: {claim_id: TEXT}\n"


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What the linter says, by model."""
    folder = tmp_path_factory.mktemp("linter")
    files = {f"models/{name}.sql": text for name, text in MODELS.items()}
    files["external_models/raw.yaml"] = EXTERNAL
    project = write_project(folder / "project", files, "linter", config=LINTER)
    said = defaultdict(list)
    with opened(project, folder / "home") as transformation:
        for violation in transformation._context.lint_models(raise_on_error=False):
            said[violation.model.name].append(violation.violation_msg)
    return said


def test_models_that_keep_the_rules_pass(violations: dict[str, list[str]]) -> None:
    assert "core.good" not in violations


def test_external_tables_are_described_by_their_contracts(
    violations: dict[str, list[str]],
) -> None:
    assert "raw.claims" not in violations


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("core.no_owner", "core.no_owner lacks owner."),
        ("core.no_grain", "core.no_grain lacks grain."),
        ("core.no_description", "core.no_description lacks description."),
        ("core.nothing", "core.nothing lacks owner, grain, description."),
        (
            "core.no_question",
            "core.no_question: the description names no business question (it ends with '?').",
        ),
        ("core.undescribed", "core.undescribed: no description of name."),
    ],
)
def test_what_is_missing_is_named(
    model: str, message: str, violations: dict[str, list[str]]
) -> None:
    assert violations[model] == [message]


def test_a_column_is_described_once_and_passed_down(violations: dict[str, list[str]]) -> None:
    assert "core.below" not in violations
    # A new name is a new column.
    assert violations["core.further_below"] == ["core.further_below: no description of title."]
