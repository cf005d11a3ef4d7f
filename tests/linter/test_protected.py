"""Protected values do not reach semantic tables: not in one step and not in several."""

from collections import defaultdict

import pytest
from small_project import opened, write_project

LINTER = """
linter:
  enabled: true
  rules: [protectedcolumninsemantic]
"""
# The names of a raw table whose contract tags name, dob, zip and member_id.
EXTERNAL = """
- name: raw.aca_members
  columns: {member_id: TEXT, name: TEXT, dob: DATE, zip: TEXT, gender: TEXT, x_note: TEXT}
"""
CORE = (
    "SELECT member_id::TEXT AS member_id, UPPER(name)::TEXT AS title, dob::DATE AS dob, "
    "MD5(member_id)::TEXT AS member_key, gender::TEXT AS gender, x_note::TEXT AS note "
    "FROM raw.aca_members"
)
QUERIES = {
    "core.people": CORE,
    "semantic.renamed": "SELECT title::TEXT AS heading FROM core.people",
    "semantic.in_a_cte": (
        "WITH people AS (SELECT title AS a FROM core.people), more AS (SELECT a AS b FROM people) "
        "SELECT b::TEXT AS c FROM more"
    ),
    "semantic.in_a_union": (
        "SELECT gender::TEXT AS x FROM core.people UNION ALL SELECT title::TEXT FROM core.people"
    ),
    "semantic.in_a_subquery": (
        "SELECT gender::TEXT AS gender, (SELECT MAX(other.dob) FROM core.people AS other "
        "WHERE other.gender = people.gender)::DATE AS latest FROM core.people AS people"
    ),
    "semantic.as_a_condition": (
        "SELECT CASE WHEN title = 'ANN' THEN 1 ELSE 0 END::INT AS is_ann FROM core.people"
    ),
    "semantic.of_an_unknown_column": "SELECT note::TEXT AS note FROM core.people",
    "semantic.below": "SELECT heading::TEXT AS heading FROM semantic.renamed",
    "semantic.hidden": (
        "SELECT member_key::TEXT AS member_key, gender::TEXT AS gender, "
        "COUNT(DISTINCT member_id)::INT AS members, "
        "ROW_NUMBER() OVER (PARTITION BY member_key ORDER BY gender)::INT AS place "
        "FROM core.people GROUP BY member_key, gender"
    ),
}
SHOWN = {
    "semantic.renamed": "heading shows raw.aca_members.name",
    "semantic.in_a_cte": "c shows raw.aca_members.name",
    "semantic.in_a_union": "x shows raw.aca_members.name",
    "semantic.in_a_subquery": "latest shows raw.aca_members.dob",
    "semantic.as_a_condition": "is_ann shows raw.aca_members.name",
    "semantic.of_an_unknown_column": "note shows raw.aca_members.x_note",
    "semantic.below": "heading shows raw.aca_members.name",
}


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What the linter says, by model."""
    folder = tmp_path_factory.mktemp("protected")
    files = {
        f"models/{name}.sql": f"MODEL (name {name}, kind FULL);\n{query}"
        for name, query in QUERIES.items()
    }
    files["external_models/raw.yaml"] = EXTERNAL
    project = write_project(folder / "project", files, "linter", config=LINTER)
    said = defaultdict(list)
    with opened(project, folder / "home") as transformation:
        for violation in transformation._context.lint_models(raise_on_error=False):
            said[violation.model.name].append(violation.violation_msg)
    return said


@pytest.mark.parametrize("model", SHOWN)
def test_a_protected_value_is_found_however_it_comes(
    model: str, violations: dict[str, list[str]]
) -> None:
    [said] = violations[model]
    assert said.startswith(f"{model}: {SHOWN[model]}. Leave it out")


def test_keys_and_counts_and_layers_below_may_use_protected_values(
    violations: dict[str, list[str]],
) -> None:
    assert set(violations) == set(SHOWN)
