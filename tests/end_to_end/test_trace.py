"""Figures of warehouses that were really built, followed back to lines that are read from disk."""

import csv
import gzip
import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from oracle.arrivals import Arrived

from end_to_end.sandbox import Sandbox
from granary.landing.contract import load_contracts
from granary.observability.trace import Trace, Tracer
from granary.settings import CONTRACTS
from semantic.definitions import Additivity
from semantic.origins import load_origins
from semantic.query import parse_condition
from semantic.registry import load_registry

pytestmark = pytest.mark.slow

REGISTRY = load_registry()
ORIGINS = load_origins()
MEASURED = sorted({leaf for name in REGISTRY.metrics for leaf in REGISTRY.measured(name)})
# Made of more lines than one could follow.
NOT_FOLLOWED = {
    "core.fct_claim_reserve",
    "core.fct_grace_member",
    "core.fct_high_cost_member",
    "core.fct_member_condition",
    "core.fct_member_year",
    "core.fct_risk_score",
    "core.fct_rolling_year",
}
# The column of the file that a measure adds up.
COLUMNS = {
    "claims_billed": "claim_amount",
    "claims_allowed": "allowed_amount",
    "claims_paid": "paid_amount",
    "deductible_paid": "deductible",
    "premium_billed": "billed_amount",
    "premium_collected": "collected_amount",
    "gross_premium": "monthly_premium",
}


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(
    request: pytest.FixtureRequest,
    duckdb: Sandbox,
    postgres: Sandbox,
    postgres_grown: Arrived,
) -> Sandbox:
    """DuckDB, and PostgreSQL after late files; both with files that were corrected."""
    return {"duckdb": duckdb, "postgres": postgres}[request.param]


WINTER = (date(2024, 10, 1), date(2025, 2, 1))


def trace(
    warehouse: Sandbox,
    metric: str,
    *where: str,
    period: tuple[date, date] | None = WINTER,
    limit: int = 1_000_000,
) -> Trace:
    tracer = Tracer(warehouse.gateway, REGISTRY, ORIGINS, load_contracts(CONTRACTS), "prod")
    conditions = [parse_condition(text) for text in where]
    return tracer.trace(metric, conditions, period, limit)


def line_of(warehouse: Sandbox, source: str, number: int) -> dict[str, str]:
    """A line of a file as it lies on the disk."""
    path: Path = warehouse.landing / source
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
    reader = csv.reader(io.StringIO(text))
    header = next(reader)
    line: dict[str, str] = {}
    while reader.line_num < number:
        line = dict(zip(header, next(reader), strict=False))
    return line


def test_every_fact_can_be_followed_or_is_known_not_to_be() -> None:
    facts = {REGISTRY.domain_of(name).entity_of(name).table for name in MEASURED}
    assert facts - ORIGINS.keys() == NOT_FOLLOWED
    assert ORIGINS.keys() <= facts


def test_what_lines_add_is_the_figure(warehouse: Sandbox) -> None:
    followed = 0
    for metric in MEASURED:
        found = trace(warehouse, metric, period=None)
        [part] = found.parts
        if part.batches is None or part.lines is None:
            assert part.fact in NOT_FOLLOWED
            continue
        sources = [row[1] for row in part.batches.rows]
        assert "unknown" not in sources, metric
        if not part.adds_up:
            assert REGISTRY.additivity(metric) == Additivity.MEDIAN
            continue
        followed += 1
        for rows in (part.batches, part.lines):
            added = sum(row[rows.columns.index("contribution")] for row in rows.rows)
            assert added == (found.value or 0), metric
        if part.batches.rows:
            assert sum(row[-1] for row in part.batches.rows) == pytest.approx(1, abs=1e-4), metric
    assert followed >= 60


def test_the_amount_stands_in_the_line_on_the_disk(warehouse: Sandbox) -> None:
    for metric, column in COLUMNS.items():
        [part] = trace(warehouse, metric, limit=5).parts
        assert part.lines is not None
        assert part.lines.rows, metric
        for row in part.lines.rows:
            told = dict(zip(part.lines.columns, row, strict=True))
            line = line_of(warehouse, told["source"], told["source_line"])
            assert Decimal(line[column]) == Decimal(str(told["contribution"])), (metric, told)
            key = [name for name in told if name in line]
            assert key, "a line is known by the key of its feed"
            assert {name: str(told[name]) for name in key} == {name: line[name] for name in key}


def test_both_parts_of_a_ratio_are_followed_under_its_conditions(warehouse: Sandbox) -> None:
    found = trace(warehouse, "paid_pmpm", "metal_tier=silver")
    paid, months = found.parts
    assert (paid.metric, months.metric) == ("claims_paid", "member_months")
    assert paid.batches is not None
    assert months.batches is not None
    assert found.value == (
        Decimal(sum(row[4] for row in paid.batches.rows))
        / Decimal(sum(row[4] for row in months.batches.rows))
    ).quantize(Decimal("0.01"))
    everything = trace(warehouse, "paid_pmpm").parts[0]
    assert everything.value is not None
    assert paid.value is not None
    assert everything.value > paid.value


def test_the_command_tells_people_and_programs(duckdb: Sandbox) -> None:
    asked = ("trace", "paid_pmpm", "--period", "2024-11", "--limit", "3")
    told = duckdb.granary(*asked)
    assert told.exit_code == 0, told.messages
    assert told.answer.startswith("Paid PMPM (paid_pmpm): $")
    assert "from core.fct_claim_line" in told.answer
    found: dict[str, Any] = json.loads(duckdb.granary(*asked, "--format", "json").answer)
    assert [len(part["lines"]) for part in found["parts"]] == [3, 3]
    lines = duckdb.granary(*asked, "--format", "csv").answer.splitlines()
    assert len(lines) == 7
    assert lines[0] == "metric,load_id,source,source_line,key,contribution"


def test_a_figure_of_too_many_lines_shows_the_models_down_to_raw(duckdb: Sandbox) -> None:
    told = duckdb.granary("trace", "new_members").answer
    assert "sum up many lines" in told
    assert "core.fct_member_year reads" in told
    assert "staging.stg_aca_enrollments reads" in told
    assert "raw.aca_enrollments" in told


def test_what_is_unknown_is_told(duckdb: Sandbox) -> None:
    assert "Did you mean claims_paid" in duckdb.granary("trace", "claim_paid").messages
    wrong = duckdb.granary("trace", "claims_paid", "--period", "2024-13")
    assert wrong.exit_code == 1
    assert "no period" in wrong.messages
