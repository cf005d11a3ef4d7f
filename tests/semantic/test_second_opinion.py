"""Another semantic layer (boring-semantic-layer, over ibis) gives the same answers.

Left out is what it cannot say: exposures that stay whole where the numerator is split, stocks as of
the last month, conditions of a measure on a joined table. Facts meet there on the rows of a
dimension, so that orphans are lost: two facts are compared without them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from boring_semantic_layer import to_semantic_table

from semantic.compiler import compile_query
from semantic.definitions import Grain
from semantic.query import Query, parse_condition
from semantic.registry import Registry, load_registry

SEED = 20250601
LINES, MONTHS, CLAIMS = 600, 400, 300
TENANTS = ["east", "north", "south"]
# -1 is the unknown, 9 is in no dimension.
PLANS, COUNTIES, PROVIDERS = [-1, 1, 2, 3, 9], [-1, 1, 2, 9], [-1, 1, 2, 3, 4, 9]


def world() -> dict[str, pd.DataFrame]:
    """Random facts, a fixed seed: keys that are NULL, unknown or of no dimension, amounts too."""
    random = np.random.default_rng(SEED)

    def some(values: list[Any], rows: int, missing: float = 0.0) -> list[Any]:
        chosen = random.choice(np.array(values, dtype=object), rows)
        return [
            None if gone else value
            for value, gone in zip(chosen, random.random(rows) < missing, strict=True)
        ]

    def days(rows: int) -> list[date]:
        return [date(2024, 1, 1) + timedelta(days=int(n)) for n in random.integers(0, 500, rows)]

    def money(rows: int) -> list[Decimal]:
        return [Decimal(int(cents)) / 100 for cents in random.integers(0, 500_000, rows)]

    def keys(rows: int) -> dict[str, list[Any]]:
        return {
            "tenant_id": some(TENANTS, rows),
            "plan_sk": some(PLANS, rows, 0.05),
            "geography_sk": some(COUNTIES, rows, 0.05),
            "provider_sk": some(PROVIDERS, rows, 0.05),
        }

    return {
        "dim_plan": pd.DataFrame(
            {
                "plan_sk": [-1, 1, 2, 3],
                "metal_tier": ["unknown", "silver", "gold", None],
                "csr_variant": ["unknown", "04", "01", "06"],
            }
        ),
        "dim_geography": pd.DataFrame(
            {"geography_sk": [-1, 1, 2], "state": ["unknown", "TX", "OH"]}
        ),
        "dim_provider": pd.DataFrame(
            {
                "provider_sk": [-1, 1, 2, 3, 4],
                "provider_id": ["unknown", "P1", "P2", "P3", "P4"],
                "specialty": ["unknown", "cardiology", "cardiology", "hospital", None],
            }
        ),
        "fct_claim_line": pd.DataFrame(
            {
                **keys(LINES),
                "claim_status": some(
                    ["paid", "paid", "paid", "denied", "pended", "reversed"], LINES
                ),
                "in_network": some([True, True, False], LINES),
                "service_date": days(LINES),
                "adjudicated_date": days(LINES),
                "allowed_amount": money(LINES),
                "paid_amount": money(LINES),
            }
        ),
        "fct_member_month": pd.DataFrame(
            {
                **keys(MONTHS),
                "coverage_month": [day.replace(day=1) for day in days(MONTHS)],
                "member_months": [1] * MONTHS,
                "premium_amount": money(MONTHS),
                "aptc_amount": some([0, 100, 250], MONTHS, 0.1),
            }
        ),
        "fct_claim_processing": pd.DataFrame(
            {
                **keys(CLAIMS),
                "claim_type": some(["professional", "inpatient", "pharmacy"], CLAIMS),
                "received_date": days(CLAIMS),
                "days_to_receipt": [int(n) for n in random.integers(0, 90, CLAIMS)],
            }
        ),
        "fct_premium_invoice": pd.DataFrame(
            {
                **keys(MONTHS),
                "member_key": [int(n) for n in random.integers(1, 60, MONTHS)],
                "coverage_month": [day.replace(day=1) for day in days(MONTHS)],
                "billed_amount": some([Decimal(0), Decimal(80), Decimal(300)], MONTHS),
            }
        ),
    }


@pytest.fixture(scope="module")
def connection() -> Iterator[Any]:
    connection = ibis.duckdb.connect()
    connection.create_database("core")
    for name, rows in world().items():
        connection.create_table(name, rows, database="core")
    yield connection
    connection.disconnect()


@pytest.fixture(scope="module")
def aca() -> Registry:
    return load_registry()


def known(column: str) -> Any:
    """A dimension of text, whose missing values read as ours do."""
    return lambda table: table[column].fill_null("unknown")


def when(column: str) -> dict[str, Any]:
    """A dimension of time."""
    return {
        "expr": lambda table: table[column],
        "is_time_dimension": True,
        "smallest_time_grain": "TIME_GRAIN_DAY",
    }


@pytest.fixture(scope="module")
def models(connection: Any) -> dict[str, Any]:
    """The facts with their dimensions, in the other layer's terms."""

    def table(name: str) -> Any:
        return connection.table(name, database="core")

    dimensions = {
        "plan_sk": to_semantic_table(table("dim_plan"), name="plan").with_dimensions(
            metal_tier=known("metal_tier")
        ),
        "geography_sk": to_semantic_table(table("dim_geography"), name="geography").with_dimensions(
            state=known("state")
        ),
        "provider_sk": to_semantic_table(table("dim_provider"), name="provider").with_dimensions(
            specialty=known("specialty")
        ),
    }
    lines = (
        to_semantic_table(table("fct_claim_line"), name="fact")
        .with_dimensions(
            tenant_id=known("tenant_id"),
            network_status=lambda t: ibis.ifelse(t.in_network, "in network", "out of network"),
            service_date=when("service_date"),
            adjudicated_date=when("adjudicated_date"),
        )
        .with_measures(
            claims_paid=lambda t: t.paid_amount.sum(where=t.claim_status == "paid"),
            claims_allowed=lambda t: t.allowed_amount.sum(where=t.claim_status == "paid"),
            lines_decided=lambda t: t.count(where=t.claim_status.isin(["paid", "denied"])),
            lines_denied=lambda t: t.count(where=t.claim_status == "denied"),
            # Each version here is a provider of its own, so that no join is needed.
            active_providers=lambda t: (t.tenant_id + t.provider_sk.cast("string")).nunique(
                where=(t.claim_status == "paid") & t.provider_sk.isin([1, 2, 3, 4])
            ),
        )
        .with_measures(
            realised_actuarial_value=lambda t: t.claims_paid / t.claims_allowed,
            denial_rate_line=lambda t: t.lines_denied / t.lines_decided,
        )
    )
    months = (
        to_semantic_table(table("fct_member_month"), name="fact")
        .with_dimensions(tenant_id=known("tenant_id"), coverage_month=when("coverage_month"))
        .with_measures(
            member_months=lambda t: t.member_months.sum(),
            gross_premium=lambda t: t.premium_amount.sum(),
            premium_pmpm=lambda t: t.premium_amount.sum() / t.member_months.sum(),
            aptc_share=lambda t: (
                t.member_months.sum(where=t.aptc_amount > 0) / t.member_months.sum()
            ),
        )
    )
    claims = (
        to_semantic_table(table("fct_claim_processing"), name="fact")
        .with_dimensions(
            tenant_id=known("tenant_id"),
            claim_type=known("claim_type"),
            received_date=when("received_date"),
        )
        .with_measures(days_service_to_receipt=lambda t: t.days_to_receipt.median())
    )
    invoices = (
        to_semantic_table(table("fct_premium_invoice"), name="fact")
        .with_dimensions(tenant_id=known("tenant_id"), coverage_month=when("coverage_month"))
        .with_measures(billed_members=lambda t: t.member_key.nunique(where=t.billed_amount > 0))
    )
    facts = {"lines": lines, "months": months, "claims": claims, "invoices": invoices}
    for name, fact in facts.items():
        for key, dimension in dimensions.items():
            fact = fact.join_one(dimension, on=key)
        facts[name] = fact
    return facts


@dataclass(frozen=True)
class Question:
    """The same question in both languages.

    Attributes:
        time: the other layer's time dimension, when split by `grain`.
        where: as `granary metrics query` takes it.
        filters: the same for the other layer.
    """

    fact: str
    metrics: tuple[str, ...]
    by: tuple[str, ...] = ()
    time: str = ""
    grain: Grain | None = None
    where: tuple[str, ...] = ()
    filters: tuple[dict[str, Any], ...] = ()


PLACES = {"metal_tier": "plan", "state": "geography", "specialty": "provider"}

QUESTIONS = [
    Question("lines", ("claims_paid", "claims_allowed", "realised_actuarial_value")),
    Question("lines", ("claims_paid",), by=("metal_tier",)),
    Question("lines", ("claims_paid", "claims_allowed"), by=("state", "metal_tier", "specialty")),
    Question("lines", ("realised_actuarial_value",), by=("specialty",)),
    Question("lines", ("claims_paid",), time="service_date", grain=Grain.MONTH),
    Question(
        "lines", ("claims_paid",), by=("tenant_id",), time="service_date", grain=Grain.QUARTER
    ),
    Question(
        "lines",
        ("lines_decided", "lines_denied", "denial_rate_line"),
        by=("network_status",),
        time="adjudicated_date",
        grain=Grain.YEAR,
    ),
    Question("lines", ("active_providers",)),
    Question(
        "lines", ("active_providers",), by=("tenant_id",), time="service_date", grain=Grain.MONTH
    ),
    Question(
        "lines",
        ("claims_paid", "active_providers"),
        by=("state",),
        where=("tenant_id=north,south", "metal_tier=silver"),
        filters=(
            {"field": "fact.tenant_id", "operator": "in", "values": ["north", "south"]},
            {"field": "plan.metal_tier", "operator": "=", "value": "silver"},
        ),
    ),
    Question("months", ("member_months", "gross_premium", "premium_pmpm"), by=("metal_tier",)),
    Question("months", ("aptc_share",), by=("state",), time="coverage_month", grain=Grain.YEAR),
    Question("claims", ("days_service_to_receipt",)),
    Question("claims", ("days_service_to_receipt",), by=("claim_type", "metal_tier")),
    Question("invoices", ("billed_members",), time="coverage_month", grain=Grain.MONTH),
    Question("invoices", ("billed_members",), by=("tenant_id", "metal_tier")),
]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: "-".join((*q.metrics, *q.by, q.time)))
def test_both_layers_answer_the_same(
    question: Question, aca: Registry, connection: Any, models: dict[str, Any]
) -> None:
    query = Query(
        question.metrics,
        question.by,
        question.grain,
        tuple(parse_condition(text) for text in question.where),
    )
    ours = connection.raw_sql(compile_query(aca, query).sql("duckdb")).fetchall()
    split = [f"fact.{question.time}"] if question.time else []
    split += [f"{PLACES.get(name, 'fact')}.{name}" for name in question.by]
    answer = models[question.fact].query(
        dimensions=split,
        measures=[f"fact.{name}" for name in question.metrics],
        filters=question.filters,
        time_grains={split[0]: f"TIME_GRAIN_{question.grain.upper()}"} if question.grain else None,
    )
    theirs = connection.to_pyarrow(answer.to_untagged()).to_pylist()
    keys = len(split)
    decimals = [aca.metrics[name].unit.sql_type for name in question.metrics]

    def comparable(row: tuple[Any, ...]) -> tuple[Any, ...]:
        told = [key.isoformat()[:10] if isinstance(key, date) else key for key in row[:keys]]
        values = [as_written(v, kind) for v, kind in zip(row[keys:], decimals, strict=True)]
        return (*told, *values)

    assert sorted(map(comparable, ours)) == sorted(comparable(tuple(r.values())) for r in theirs)
    assert len(ours) >= (2 if keys else 1)


def test_two_facts_meet_without_multiplying(aca: Registry, connection: Any) -> None:
    def table(name: str) -> Any:
        return connection.table(name, database="core")

    lines = to_semantic_table(table("fct_claim_line"), name="line").with_measures(
        claims_paid=lambda t: t.paid_amount.sum(where=t.claim_status == "paid")
    )
    months = to_semantic_table(table("fct_member_month"), name="month").with_measures(
        covered=lambda t: t.member_months.sum()
    )
    plans = to_semantic_table(table("dim_plan"), name="plan").with_dimensions(
        metal_tier=known("metal_tier")
    )
    answer = (
        plans.join_many(lines, on="plan_sk")
        .join_many(months, on="plan_sk")
        .query(dimensions=["plan.metal_tier"], measures=["line.claims_paid", "month.covered"])
    )
    theirs = {
        tuple(row.values()) for row in connection.to_pyarrow(answer.to_untagged()).to_pylist()
    }
    query = Query(("claims_paid", "member_months"), ("metal_tier",))
    ours = set(connection.raw_sql(compile_query(aca, query).sql("duckdb")).fetchall())
    assert len(ours) == 3
    assert {row for row in ours if row[0] != "unknown"} == {
        row for row in theirs if row[0] != "unknown"
    }


def as_written(value: Any, sql_type: str) -> Decimal:
    """A number as our answer shows it; nothing to add up is zero."""
    places = sql_type.rstrip(")").rpartition(", ")[2] if "," in sql_type else "0"
    return round(Decimal(str(value or 0)), int(places))
