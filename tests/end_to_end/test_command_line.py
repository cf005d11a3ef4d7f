"""Questions asked of a warehouse, and words that the command line does not know."""

import csv
import io
import json
from pathlib import Path

import pytest

from end_to_end.sandbox import Sandbox
from granary.errors import GranaryError

pytestmark = pytest.mark.slow

ASK = (
    "SELECT tenant_id, service_month, paid_amount, denial_rate FROM semantic.dashboard_summary "
    "WHERE tenant_id = 'issuer_6' AND service_month BETWEEN '2022-12-01' AND '2023-01-01' "
    "ORDER BY service_month"
)
DECEMBER = ["issuer_6", "2022-12-01", "0.00", ""]
JANUARY = ["issuer_6", "2023-01-01", "50059.99", "0.000000"]
WRITES = {
    "insert": "INSERT INTO ops.dead_letter SELECT * FROM ops.dead_letter",
    "insert in a CTE": (
        "WITH gone AS (DELETE FROM ops.dead_letter RETURNING 1) SELECT * FROM gone"
    ),
    "several statements": "SELECT 1; DELETE FROM ops.dead_letter",
    "leaving the transaction": "COMMIT; DELETE FROM ops.dead_letter",
    "update": "UPDATE ops.dead_letter SET reason = ''",
    "drop": "DROP TABLE ops.dead_letter",
    "create": "CREATE TABLE semantic.mine AS SELECT 1 AS one",
    "copy to a file": "COPY (SELECT 1) TO '{file}'",
    "call": "CALL nothing()",
}
COUNT = "SELECT COUNT(*) FROM ops.dead_letter"


@pytest.fixture(params=("postgres", "duckdb"))
def warehouse(request: pytest.FixtureRequest) -> Sandbox:
    sandbox: Sandbox = request.getfixturevalue(request.param)
    return sandbox


def test_sql_answers_as_a_table(warehouse: Sandbox) -> None:
    outcome = warehouse.granary("sql", ASK)
    assert outcome.exit_code == 0, outcome.messages
    header, december, january, count = outcome.answer.splitlines()
    assert header.split() == ["tenant_id", "service_month", "paid_amount", "denial_rate"]
    assert december.split() == DECEMBER[:3]
    assert january.split() == JANUARY
    assert count == "2 rows"


def test_sql_answers_as_csv(postgres: Sandbox) -> None:
    outcome = postgres.granary("sql", ASK, "--format", "csv")
    assert outcome.exit_code == 0, outcome.messages
    assert list(csv.reader(io.StringIO(outcome.answer)))[1:] == [DECEMBER, JANUARY]


def test_sql_answers_as_json(postgres: Sandbox) -> None:
    outcome = postgres.granary("sql", ASK, "--format", "json")
    assert outcome.exit_code == 0, outcome.messages
    rows = json.loads(outcome.answer)
    assert [row["paid_amount"] for row in rows] == ["0.00", "50059.99"]
    assert [row["denial_rate"] for row in rows] == [None, "0.000000"]


def test_sql_says_what_is_wrong_with_a_query(warehouse: Sandbox) -> None:
    outcome = warehouse.granary("sql", "SELECT nothing FROM nowhere")
    assert outcome.exit_code == 1
    assert "nowhere" in outcome.messages
    assert "Traceback" not in outcome.messages
    assert outcome.answer == ""


def test_sql_refuses_to_write(warehouse: Sandbox) -> None:
    outcome = warehouse.granary("sql", WRITES["insert"])
    assert outcome.exit_code == 1
    assert "only reads" in outcome.messages
    assert "Traceback" not in outcome.messages


@pytest.mark.parametrize("write", WRITES)
def test_nothing_writes_through_sql(warehouse: Sandbox, write: str, tmp_path: Path) -> None:
    before = warehouse.value(COUNT)
    with pytest.raises(GranaryError):
        warehouse.rows(WRITES[write].format(file=tmp_path / "copied"))
    assert warehouse.value(COUNT) == before > 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("frobnicate",), "frobnicate"),
        (("seed", "aca", "--tenants", "9"), "--tenants"),
        (("seed", "aca", "--from", "2025-01-01", "--to", "2024-01-01"), "--to"),
        (("seed", "aca", "--from", "yesterday"), "--from"),
        (("sql", "SELECT 1", "--format", "xml"), "xml"),
        (("sql",), "query"),
        (("load", "some.csv"), "--feed"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_usage_exits_2(postgres: Sandbox, arguments: tuple[str, ...], told: str) -> None:
    outcome = postgres.granary(*arguments)
    assert outcome.exit_code == 2
    assert told in outcome.messages
    assert "Traceback" not in outcome.messages


def test_wrong_setting_exits_2(postgres: Sandbox) -> None:
    outcome = postgres.granary("status", GRANARY_GATEWAY="oracle")
    assert outcome.exit_code == 2
    assert "GRANARY_GATEWAY" in outcome.messages
    assert "Traceback" not in outcome.messages
