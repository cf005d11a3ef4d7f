"""Every audit finds what it is for, and nothing else, on a warehouse small enough to read."""

import re

import duckdb
import pytest
from small_project import opened, write_project
from sqlglot import exp
from sqlmesh.core import dialect
from sqlmesh.core.audit import ModelAudit, load_multiple_audits
from sqlmesh.core.macros import macro
from sqlmesh.core.model import Model, load_sql_based_model
from sqlmesh.utils.metaprogramming import import_python_file

from granary.reporter import Reporter, Step
from granary.settings import PROJECT

FAILED = re.compile(r"(?P<model>\w+\.\w+): \d+ rows? breaks? the audit (?P<audit>\w+)\(")

# What the audited tables are compared with; ledger and raw tables are as landing leaves them.
LANDED = """
CREATE SCHEMA ops;
CREATE SCHEMA raw;
CREATE TABLE ops.load_batch AS SELECT * FROM (VALUES
  (1, 'fine', 4, 3, 1, 0, 'loaded'),
  (2, 'fine', 1, 0, 0, 0, 'refused'),
  (3, 'unbalanced', 5, 3, 1, 0, 'loaded'),
  (4, 'lost', 4, 4, 0, 0, 'loaded'),
  (5, 'unstaged', 3, 3, 0, 0, 'loaded'),
  (6, 'staged_twice', 3, 3, 0, 0, 'loaded'),
  (7, 'never_staged', 3, 3, 0, 0, 'loaded')
) AS batch(load_id, feed, rows_read, rows_loaded, rows_rejected, rows_duplicate, status)
CROSS JOIN (SELECT TIMESTAMP '2025-01-01 12:00:00' AS load_timestamp);
-- Three lines of two keys in each batch.
CREATE TABLE raw.claims AS
SELECT load_id, claim_id, load_timestamp FROM ops.load_batch
CROSS JOIN (VALUES ('a'), (' a '), ('b')) AS line(claim_id) WHERE status = 'loaded';
"""
SOURCES = {
    "source.members": "SELECT * FROM (VALUES (-1), (1), (2)) AS m(member_sk)",
    "source.payments": "SELECT * FROM (VALUES (1.50), (2.50)) AS p(amount)",
    "source.sums": "SELECT 4.00 AS amount, 3 AS lines, NULL::INT AS visits",
    # One of the rows is not in any interval that a plan has come to.
    "source.changes": (
        "SELECT load_date::DATE AS load_date "
        "FROM (VALUES ('2025-01-01'), ('2025-01-01'), ('2999-01-01')) AS c(load_date)"
    ),
    "core.claim_line_changes": (
        "SELECT ASCII(claim_id) AS claim_line_key, paid_amount, "
        "extracted_at::TIMESTAMP AS extracted_at, extracted_at::TIMESTAMP AS load_timestamp, "
        "load_id FROM (VALUES ('a', 10.00, '2025-01-01', 1), ('a', 12.00, '2025-01-02', 2), "
        "('b', 5.00, '2025-01-01', 1), ('b', 99.00, '2025-01-03', 3), "
        "('c', 7.00, '2025-01-03', 3), ('d', 8.00, '2025-01-01', 1)) "
        "AS c(claim_id, paid_amount, extracted_at, load_id)"
    ),
    # Line d was not touched by the run.
    "core.claim_line_touches": (
        "SELECT ASCII(claim_id) AS claim_line_key, touched_on::DATE AS touched_on FROM (VALUES "
        "('a', '2025-01-02'), ('b', '2025-01-03'), ('c', '2025-01-03'), ('d', '2999-01-01')) "
        "AS t(claim_id, touched_on)"
    ),
    "ops.retraction": "SELECT 3 AS load_id",
    "source.appeals": (
        "SELECT 't' AS tenant_id, claim_id, outcome FROM (VALUES "
        "('open', 'open'), ('in_vain', 'upheld'), ('won', 'overturned'), ('both', 'overturned'), "
        "('both', 'open')) AS a(claim_id, outcome)"
    ),
}


def versions(*rows: str) -> str:
    return (
        "SELECT 't' AS tenant_id, member_id, first::TIMESTAMP AS validity_start_ts, "
        "past::TIMESTAMP AS validity_end_ts, past = '9999-12-31' AS current_flag "
        f"FROM (VALUES {', '.join(rows)}) AS v(member_id, first, past)"
    )


def members(*keys: int | None) -> str:
    rows = ", ".join(f"({'NULL' if key is None else key})" for key in keys)
    return f"SELECT member_sk::BIGINT AS member_sk FROM (VALUES {rows}) AS m(member_sk)"


def staged(load_id: int, *claim_ids: str) -> str:
    rows = ", ".join(f"('{claim_id}')" for claim_id in claim_ids)
    return (
        f"SELECT {load_id} AS load_id, claim_id, DATE '2025-01-01' AS load_date "
        f"FROM (VALUES {rows}) AS c(claim_id)"
    )


def lines(*rows: str) -> str:
    return (
        "SELECT ASCII(claim_id) AS claim_line_key, paid_amount "
        f"FROM (VALUES {', '.join(rows)}) AS c(claim_id, paid_amount)"
    )


def parts(*rows: str) -> str:
    return f"SELECT * FROM (VALUES {', '.join(rows)}) AS p(amount, lines, visits)"


def months(*rows: str) -> str:
    return (
        "SELECT 't' AS tenant_id, month::DATE AS incurred_month, paid_in_month, paid_to_date, "
        f"is_latest FROM (VALUES {', '.join(rows)}) "
        "AS m(month, paid_in_month, paid_to_date, is_latest)"
    )


def movers(*rows: str) -> str:
    return (
        f"SELECT * FROM (VALUES {', '.join(rows)}) "
        "AS m(tenant_id, dimension, allowed_amount, prior_allowed_amount)"
    )


def claims(*rows: str) -> str:
    return (
        "SELECT 't' AS tenant_id, claim_id, has_denied_line "
        f"FROM (VALUES {', '.join(rows)}) AS c(claim_id, has_denied_line)"
    )


def amounts(*values: str) -> str:
    return f"SELECT amount::DECIMAL(8, 2) AS amount FROM (VALUES {', '.join(values)}) AS a(amount)"


KEY = "key := (tenant_id, member_id)"
MEMBER = '"column" := member_sk'
TOTAL = '"column" := amount, other := source.payments'
TOTALS = "columns := (amount, lines, visits), other := source.sums"
IN_EACH_PART = "columns := (amount, lines), parts := (visits), other := source.sums"
LARGE = "condition := amount > 2, other_condition := amount > 2"
ONLY_A = "condition := member_id = 'a'"
APPEALS = "appeals := source.appeals"
DIMENSION = f"{MEMBER}, dimension := source.members"
FEED = "feed := '{feed}', raw_table := raw.claims, key := (claim_id)"
DAILY = "SELECT DATE '2025-01-01' AS load_date FROM RANGE({rows})"

# Audit, arguments, what the table holds, its rows; good ones pass and bad ones fail.
Case = tuple[str, str, str]
GOOD: dict[str, Case] = {
    "adjacent_versions": (
        "no_overlapping_versions",
        KEY,
        versions(
            "('a', '2025-01-01', '2025-01-05')",
            "('a', '2025-01-05', '9999-12-31')",
            "('b', '2025-01-02', '9999-12-31')",
        ),
    ),
    "one_current_each": (
        "one_current_version",
        KEY,
        versions(
            "('a', '2025-01-01', '2025-01-05')",
            "('a', '2025-01-05', '9999-12-31')",
            "('b', '2025-01-01', '9999-12-31')",
            "('gone', '2025-01-01', '2025-01-05')",
        ),
    ),
    "with_unknown": ("has_unknown_member", MEMBER, members(-1, 7)),
    "staged_whole": ("staged_equals_landed", FEED.format(feed="fine"), staged(1, "a", "b")),
    "as_many_rows": ("same_row_count", "other := source.changes", DAILY.format(rows=2)),
    "same_sums": ("same_totals", TOTALS, parts("(1.50, 1, NULL)", "(2.50, 2, NULL)")),
    "same_sums_in_each_part": (
        "same_totals_in_each_part",
        IN_EACH_PART,
        parts("(4.00, 3, 1)", "(1.50, 1, 2)", "(2.50, 2, 2)"),
    ),
    "months_of_run_out": (
        "months_add_up_to_date",
        "",
        months(
            "('2025-01-01', 5.00, 5.00, FALSE)",
            "('2025-01-01', -1.00, 4.00, TRUE)",
            "('2025-02-01', 3.00, 3.00, TRUE)",
        ),
    ),
    "every_dimension_whole": (
        "each_dimension_has_all_cost",
        "",
        movers(
            "('t', 'state', 4.00, 1.00)",
            "('t', 'metal level', 3.00, 0.00)",
            "('t', 'metal level', 1.00, 1.00)",
            "('u', 'state', 9.00, 9.00)",
        ),
    ),
    "same_sum": ("same_total", TOTAL, amounts("(4.00)")),
    "same_sum_of_some": ("same_total", f"{TOTAL}, {LARGE}", amounts("(2.50)", "(1.00)")),
    "overlap_of_another": (
        "no_overlapping_versions",
        f"{KEY}, {ONLY_A}",
        versions("('b', '2025-01-01', '2025-01-06')", "('b', '2025-01-05', '9999-12-31')"),
    ),
    "two_current_of_another": (
        "one_current_version",
        f"{KEY}, {ONLY_A}",
        versions("('b', '2025-01-01', '9999-12-31')", "('b', '2025-01-05', '9999-12-31')"),
    ),
    "latest_states": (
        "latest_states_complete",
        "",
        lines("('a', 12.00)", "('b', 5.00)", "('d', 0.00)"),
    ),
    "orphan_of_another_run": (
        "references_dimension",
        f"{DIMENSION}, condition := member_sk < 9",
        members(1, 99),
    ),
    "known_members": ("references_dimension", DIMENSION, members(1, 1, -1)),
    "half_unknown": ("unknown_share_at_most", f"{MEMBER}, share := 0.5", members(*[-1, 1] * 10)),
    "one_of_few": ("unknown_share_at_most", MEMBER, members(-1, *range(9))),
    "unknown_in_another_run": (
        "unknown_share_at_most",
        f"{MEMBER}, condition := member_sk >= 0",
        members(*[-1] * 30, *range(30)),
    ),
    "one_in_twenty": ("unknown_share_at_most", MEMBER, members(-1, *range(19))),
    "denied_or_won": (
        "appeals_follow_denials",
        APPEALS,
        claims("('open', TRUE)", "('in_vain', TRUE)", "('won', FALSE)", "('none', FALSE)"),
    ),
    "nobody_yet": ("unknown_share_at_most", MEMBER, f"{members(1)} WHERE FALSE"),
}
BAD: dict[str, Case] = {
    "overlap": (
        "no_overlapping_versions",
        KEY,
        versions("('a', '2025-01-01', '2025-01-06')", "('a', '2025-01-05', '9999-12-31')"),
    ),
    "no_duration": (
        "no_overlapping_versions",
        KEY,
        versions("('a', '2025-01-01', '2025-01-01')", "('a', '2025-01-01', '9999-12-31')"),
    ),
    "backwards": ("no_overlapping_versions", KEY, versions("('a', '2025-01-02', '2025-01-01')")),
    "two_current": (
        "one_current_version",
        KEY,
        versions("('a', '2025-01-01', '9999-12-31')", "('a', '2025-01-05', '9999-12-31')"),
    ),
    "overlap_of_its_own": (
        "no_overlapping_versions",
        f"{KEY}, {ONLY_A}",
        versions("('a', '2025-01-01', '2025-01-06')", "('a', '2025-01-05', '9999-12-31')"),
    ),
    "two_current_of_its_own": (
        "one_current_version",
        f"{KEY}, {ONLY_A}",
        versions("('a', '2025-01-01', '9999-12-31')", "('a', '2025-01-05', '9999-12-31')"),
    ),
    "unknown_twice": ("has_unknown_member", MEMBER, members(-1, 1, -1)),
    "without_unknown": ("has_unknown_member", MEMBER, members(1, 2)),
    "empty_dimension": ("has_unknown_member", MEMBER, f"{members(-1)} WHERE FALSE"),
    "unbalanced": ("staged_equals_landed", FEED.format(feed="unbalanced"), staged(3, "a", "b")),
    "lost_in_raw": ("staged_equals_landed", FEED.format(feed="lost"), staged(4, "a", "b")),
    "unstaged_key": ("staged_equals_landed", FEED.format(feed="unstaged"), staged(5, "a")),
    "staged_twice": (
        "staged_equals_landed",
        FEED.format(feed="staged_twice"),
        staged(6, "a", "a", "b"),
    ),
    "never_staged": (
        "staged_equals_landed",
        FEED.format(feed="never_staged"),
        f"{staged(7, 'a')} WHERE FALSE",
    ),
    "fewer_rows": ("same_row_count", "other := source.changes", DAILY.format(rows=1)),
    "more_rows": ("same_row_count", "other := source.changes", DAILY.format(rows=3)),
    "first_sum_differs": ("same_totals", TOTALS, parts("(3.99, 3, NULL)")),
    "last_sum_differs": ("same_totals", TOTALS, parts("(4.00, 3, 1)")),
    "no_parts": ("same_totals", TOTALS, f"{parts('(4.00, 3, NULL)')} WHERE FALSE"),
    "a_part_lacks_a_cell": (
        "same_totals_in_each_part",
        IN_EACH_PART,
        parts("(4.00, 3, 1)", "(1.50, 1, 2)"),
    ),
    "a_part_has_a_cell_twice": (
        "same_totals_in_each_part",
        IN_EACH_PART,
        parts("(4.00, 3, 1)", "(4.00, 3, 1)", "(4.00, 3, 2)"),
    ),
    "a_month_of_run_out_lost": (
        "months_add_up_to_date",
        "",
        months("('2025-01-01', 5.00, 5.00, FALSE)", "('2025-01-01', 0.00, 6.00, TRUE)"),
    ),
    "a_part_lacks_cost": (
        "each_dimension_has_all_cost",
        "",
        movers("('t', 'state', 4.00, 1.00)", "('t', 'metal level', 3.00, 1.00)"),
    ),
    "a_part_lacks_earlier_cost": (
        "each_dimension_has_all_cost",
        "",
        movers("('t', 'state', 4.00, 1.00)", "('t', 'metal level', 4.00, 0.99)"),
    ),
    "a_cent_less": ("same_total", TOTAL, amounts("(3.99)")),
    "a_cent_less_of_some": ("same_total", f"{TOTAL}, {LARGE}", amounts("(2.49)", "(1.50)")),
    "nothing_summed": ("same_total", TOTAL, f"{amounts('(4.00)')} WHERE FALSE"),
    "earlier_state": ("latest_states_complete", "", lines("('a', 10.00)", "('b', 5.00)")),
    "lost_line": ("latest_states_complete", "", lines("('a', 17.00)")),
    "line_twice": (
        "latest_states_complete",
        "",
        lines("('a', 12.00)", "('b', 5.00)", "('b', 0.00)"),
    ),
    "retracted_line": (
        "latest_states_complete",
        "",
        lines("('a', 12.00)", "('b', 5.00)", "('c', 0.00)"),
    ),
    "orphan": ("references_dimension", DIMENSION, members(1, 99)),
    "orphan_of_this_run": (
        "references_dimension",
        f"{DIMENSION}, condition := member_sk > 9",
        members(1, 99),
    ),
    "no_member": ("references_dimension", DIMENSION, members(1, None)),
    "mostly_unknown": (
        "unknown_share_at_most",
        f"{MEMBER}, share := 0.5",
        members(*[-1] * 11, *range(9)),
    ),
    "never_denied": ("appeals_follow_denials", APPEALS, claims("('open', FALSE)")),
    "never_denied_in_vain": ("appeals_follow_denials", APPEALS, claims("('in_vain', FALSE)")),
    "one_of_two_unexplained": ("appeals_follow_denials", APPEALS, claims("('both', FALSE)")),
    "two_in_twenty": ("unknown_share_at_most", MEMBER, members(-1, -1, *range(18))),
}


def audited_model(name: str, case: Case) -> str:
    audit, arguments, query = case
    if audit in ("staged_equals_landed", "same_row_count"):
        kind = "INCREMENTAL_BY_TIME_RANGE (time_column load_date)"
        query = f"SELECT * FROM ({query}) AS x WHERE load_date BETWEEN @start_ds AND @end_ds"
    elif audit == "latest_states_complete":
        kind = "INCREMENTAL_UNMANAGED"
    else:
        kind = "FULL"
    parents = [source for source in SOURCES if source in arguments]
    if audit == "latest_states_complete":
        parents += ["core.claim_line_changes", "core.claim_line_touches", "ops.retraction"]
    separator = ", " if arguments else ""
    return (
        f"MODEL (name {name}, kind {kind}, depends_on ({', '.join(parents)}), "
        f"audits ({audit}({arguments}{separator}blocking := FALSE)));\n{query}"
    )


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The audit that failed, by model, after one plan of all good and bad tables."""
    folder = tmp_path_factory.mktemp("audits")
    models = {
        **{name: f"MODEL (name {name}, kind FULL);\n{query}" for name, query in SOURCES.items()},
        **{f"good.{name}": audited_model(f"good.{name}", case) for name, case in GOOD.items()},
        **{f"bad.{name}": audited_model(f"bad.{name}", case) for name, case in BAD.items()},
    }
    files = {f"models/{name}.sql": text for name, text in models.items()}
    project = write_project(folder / "project", files, "audits", "macros")
    home = folder / "home"
    home.mkdir()
    with duckdb.connect(str(home / "granary.duckdb")) as connection:
        connection.execute(LANDED)
    with opened(project, home) as transformation:
        done = transformation.plan("prod", Step(Reporter(), "Plan"))
    assert done.models.keys() == models.keys()
    failed = [FAILED.match(warning) for warning in done.warnings]
    return {match["model"]: match["audit"] for match in failed if match}


@pytest.fixture(scope="module")
def audits() -> dict[str, ModelAudit]:
    """The audits of the checkout."""
    return {
        audit.name: audit
        for path in (PROJECT / "audits").glob("*.sql")
        for audit in load_multiple_audits(
            dialect.parse(path.read_text(), default_dialect="duckdb"), path=path, dialect="duckdb"
        )
    }


@pytest.fixture(scope="module")
def models(audits: dict[str, ModelAudit]) -> list[Model]:
    """The models of the checkout, on their own: without a warehouse and without each other."""
    for path in [*(PROJECT / "macros").glob("*.py"), *(PROJECT / "materializations").glob("*.py")]:
        import_python_file(path, PROJECT)
    return [
        load_sql_based_model(
            dialect.parse(path.read_text(), default_dialect="duckdb"),
            path=path,
            module_path=PROJECT,
            macros=macro.get_registry(),
            audit_definitions=audits,
            dialect="duckdb",
        )
        for path in (PROJECT / "models").rglob("*.sql")
    ]


@pytest.mark.parametrize("name", GOOD)
def test_audit_passes_on_good_rows(name: str, failures: dict[str, str]) -> None:
    assert f"good.{name}" not in failures


@pytest.mark.parametrize("name", BAD)
def test_audit_fails_on_rows_that_break_it(name: str, failures: dict[str, str]) -> None:
    assert failures.get(f"bad.{name}") == BAD[name][0]


def test_every_audit_is_tried_on_good_and_on_bad_rows(audits: dict[str, ModelAudit]) -> None:
    assert {audit for audit, _, _ in GOOD.values()} == audits.keys()
    assert {audit for audit, _, _ in BAD.values()} == audits.keys()


def test_models_depend_on_every_table_that_their_audits_read(
    models: list[Model], audits: dict[str, ModelAudit]
) -> None:
    """Otherwise an audit in a sandbox would read prod's table instead of the sandbox's own."""
    names = {model.fqn for model in models}
    read = [
        (model.name, audit, table)
        for model in models
        for audit, arguments in model.audits
        for table in tables_of_arguments(arguments) | tables_of_query(audits.get(audit))
        if table in names
    ]
    by_name = {model.name: model for model in models}
    missing = [(m, audit, table) for m, audit, table in read if table not in by_name[m].depends_on]
    assert missing == []
    # Every audit of ours that reads another model is among those that were looked at.
    assert {audit for _, audit, _ in read} >= {
        "same_row_count",
        "same_total",
        "same_totals",
        "same_totals_in_each_part",
        "latest_states_complete",
        "references_dimension",
    }


def tables_of_arguments(arguments: dict[str, exp.Expression]) -> set[str]:
    columns = [c for value in arguments.values() for c in value.find_all(exp.Column) if c.table]
    return {f'"{column.table}"."{column.name}"' for column in columns}


def tables_of_query(audit: ModelAudit | None) -> set[str]:
    tables = audit.query.find_all(exp.Table) if audit else []
    return {f'"{table.db}"."{table.name}"' for table in tables if table.db}
