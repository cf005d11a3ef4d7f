"""`granary sql` reads, whatever it is asked to do."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from granary.errors import GranaryError
from granary.gateways import open_gateway
from granary.gateways.base import Gateway
from granary.settings import Settings

LINES = "ops.query_test"
EVERYWHERE = [
    f"INSERT INTO {LINES} VALUES (2)",
    f"UPDATE {LINES} SET line = 2",
    f"DELETE FROM {LINES}",
    f"TRUNCATE {LINES}",
    f"DROP TABLE {LINES}",
    f"ALTER TABLE {LINES} ADD COLUMN word TEXT",
    f"CREATE TABLE ops.query_made AS SELECT * FROM {LINES}",
    f"SELECT 1; DROP TABLE {LINES}",
    f"COMMIT; DROP TABLE {LINES}",
    f"COPY {LINES} TO '{{file}}'",
    f"COPY (SELECT * FROM {LINES}) TO '{{file}}'",
]
POSTGRES = [
    f"WITH added AS (INSERT INTO {LINES} VALUES (2) RETURNING line) SELECT line FROM added",
    f"COPY {LINES} TO PROGRAM 'touch {{file}}'",
    f"COPY {LINES} FROM '{{file}}'",
    f"SET TRANSACTION READ WRITE; INSERT INTO {LINES} VALUES (2)",
    "SELECT set_config('transaction_read_only', 'off', false)",
    f"DO $$ BEGIN INSERT INTO {LINES} VALUES (2); END $$",
    f"DO $$ BEGIN COMMIT; INSERT INTO {LINES} VALUES (2); END $$",
    f"SELECT * FROM {LINES} FOR UPDATE",
    f"GRANT SELECT ON {LINES} TO granary_reader",
]
DUCKDB = [
    "ATTACH '{file}' AS elsewhere",
    "EXPORT DATABASE '{file}'",
    "SET enable_external_access = true",
    "SELECT * FROM read_text('/etc/hostname')",
]


@pytest.fixture
def lines(gateway: Gateway) -> Iterator[Gateway]:
    """A warehouse with a table of one row."""
    with gateway.operations() as connection:
        connection.execute(f"CREATE TABLE {LINES} (line INTEGER)")
        connection.execute(f"INSERT INTO {LINES} VALUES (1)")
    yield gateway
    with gateway.operations() as connection:
        connection.execute(f"DROP TABLE {LINES}")


def expect_refusal(gateway: Gateway, statement: str, file: Path) -> None:
    with pytest.raises(GranaryError) as refusal:
        gateway.query(statement.format(file=file))
    assert refusal.value.message.startswith(("`granary sql` only reads: ", "The query failed"))
    assert refusal.value.remedy
    expect_unchanged(gateway, file)


def expect_unchanged(gateway: Gateway, file: Path) -> None:
    assert gateway.query(f"SELECT * FROM {LINES}").rows == [(1,)]
    made = "SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 'query_made'"
    assert gateway.query(made).rows == [(0,)]
    assert not file.exists()


def test_nothing_that_writes_gets_through(lines: Gateway, reachable_folder: Path) -> None:
    for statement in EVERYWHERE:
        expect_refusal(lines, statement, reachable_folder / "made-by-a-query")


@pytest.mark.slow
@pytest.mark.parametrize("settings", ["postgres"], indirect=True)
def test_no_way_around_on_postgresql(lines: Gateway, reachable_folder: Path) -> None:
    file = reachable_folder / "made-by-a-query"
    for statement in POSTGRES:
        expect_refusal(lines, statement, file)
    # Alone it is allowed, and of no use to the next query.
    for statement in ("SET TRANSACTION READ WRITE", "SET default_transaction_read_only = off"):
        assert lines.query(statement).rows == []
    expect_refusal(lines, f"INSERT INTO {LINES} VALUES (2)", file)


@pytest.mark.parametrize("settings", ["duckdb"], indirect=True)
def test_no_way_around_on_duckdb(lines: Gateway, tmp_path: Path) -> None:
    for statement in DUCKDB:
        expect_refusal(lines, statement, tmp_path / "made-by-a-query")


def test_an_answer_has_names_and_typed_values(lines: Gateway) -> None:
    rows = lines.query(
        "SELECT 1 AS line, CAST('2.50' AS DECIMAL(8, 2)) AS amount, DATE '2025-01-31' AS day, "
        "NULL AS nothing, '50%' AS share"
    )
    assert rows.columns == ["line", "amount", "day", "nothing", "share"]
    assert rows.rows == [(1, Decimal("2.50"), date(2025, 1, 31), None, "50%")]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("SELECT amount FROM ops.query_test", "amount"),
        ("SELECT * FROM semantic.nothing_here", "nothing_here"),
        ("SELECT CAST('x' AS INTEGER)", "x"),
    ],
)
def test_a_wrong_query_is_answered_in_a_sentence(query: str, named: str, lines: Gateway) -> None:
    with pytest.raises(GranaryError) as refusal:
        lines.query(query)
    assert refusal.value.message.startswith("The query failed")
    assert named in refusal.value.message
    assert refusal.value.remedy == "Mend the query."


@pytest.mark.parametrize("settings", ["duckdb"], indirect=True)
def test_duckdb_says_that_another_process_has_the_file(
    gateway: Gateway, settings: Settings
) -> None:
    file = settings.home_path / "granary.duckdb"
    script = f"import duckdb; c = duckdb.connect({str(file)!r}); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "open\n"
        with pytest.raises(GranaryError, match="in use by another process"):
            gateway.query("SELECT 1")
        with pytest.raises(GranaryError, match="in use by another"), gateway.operations():
            pass
        other.communicate("\n")
    assert gateway.query("SELECT 1 AS one").rows == [(1,)]


def test_a_warehouse_that_was_never_started_says_so(tmp_path: Path) -> None:
    for name in ("duckdb", "postgres"):
        settings = Settings(_env_file=None, gateway=name, home=tmp_path / name, pghost=None)
        with pytest.raises(GranaryError, match=r"There is no (warehouse|database) in") as refusal:
            open_gateway(settings).query("SELECT 1")
        assert "granary up" in refusal.value.remedy
        assert not open_gateway(settings).is_up()
