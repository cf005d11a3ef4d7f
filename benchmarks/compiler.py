"""Compiling questions to SQL: milliseconds per question, over all metrics and dialects.

    uv run python -m benchmarks.compiler

Every metric is asked for alone, by issuer and month or year; then all that have months at once, as
the metric table does, which is the widest question there is.
"""

import statistics
import time
from collections.abc import Iterable

import psutil

from semantic.compiler import compile_query
from semantic.definitions import Grain
from semantic.query import Query
from semantic.registry import TENANT, Registry, load_registry

DIALECTS = ("postgres", "duckdb", "spark")
ROUNDS = 5


def main() -> None:
    """Compile everything in every dialect and print the table."""
    began = time.perf_counter()
    registry = load_registry()
    loaded = time.perf_counter() - began
    alone = [_question(registry, (name,)) for name in registry.metrics]
    monthly = [n for n in registry.metrics if registry.grain(n).days <= Grain.MONTH.days]
    whole = _question(registry, tuple(monthly))
    print(f"{len(registry.metrics)} metrics, {psutil.cpu_count()} cores")
    print(f"Reading and checking the registry: {loaded * 1000:.0f} ms")
    print(f"\n{'milliseconds':28}{'median':>9}{'p95':>9}{'longest':>9}")
    for dialect in DIALECTS:
        print(_line(f"one metric, {dialect}", _times(registry, alone, dialect)))
    for dialect in DIALECTS:
        print(_line(f"{len(monthly)} metrics, {dialect}", _times(registry, [whole], dialect)))


def _question(registry: Registry, metrics: tuple[str, ...]) -> Query:
    """The metrics by issuer and month, or year where none has months."""
    finest = max((registry.grain(name) for name in metrics), key=lambda grain: grain.days)
    grain = Grain.YEAR if finest is Grain.YEAR else Grain.MONTH
    return Query(metrics, by=(TENANT,), grain=grain)


def _times(registry: Registry, questions: Iterable[Query], dialect: str) -> list[float]:
    """Milliseconds of each question, the best of some rounds."""
    return [min(_time(registry, query, dialect) for _ in range(ROUNDS)) for query in questions]


def _time(registry: Registry, query: Query, dialect: str) -> float:
    began = time.perf_counter()
    compile_query(registry, query).sql(dialect)
    return (time.perf_counter() - began) * 1000


def _line(what: str, times: list[float]) -> str:
    ordered = sorted(times)
    late = ordered[round(0.95 * (len(ordered) - 1))]
    return f"{what:28}{statistics.median(ordered):9.2f}{late:9.2f}{ordered[-1]:9.2f}"


if __name__ == "__main__":
    main()
