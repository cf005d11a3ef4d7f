"""A trace for people and for programs."""

import json
import sys
from collections.abc import Callable
from typing import Any

from granary.gateways.base import Rows
from granary.metrics import for_people
from granary.observability.trace import Part, Trace
from granary.tables import Format, plain, write_rows
from semantic.compiler import CONTRIBUTION
from semantic.registry import Registry

ModelsOf = Callable[[str], list[str]]


def write_trace(trace: Trace, registry: Registry, format: Format, models_of: ModelsOf) -> None:
    """Write a trace as text with tables, as one JSON object, or its lines as CSV.

    Args:
        models_of: gives the models on the way to a fact, where lines cannot be shown.
    """
    if format is Format.JSON:
        json.dump(_object(trace, models_of), sys.stdout, default=plain, indent=1)
        sys.stdout.write("\n")
    elif format is Format.CSV:
        write_rows(_lines(trace), format.value)
    else:
        _tell(trace, registry, models_of)


def _tell(trace: Trace, registry: Registry, models_of: ModelsOf) -> None:
    print(f"{registry.metrics[trace.metric].label} ({trace.metric}): {_told(registry, trace)}")
    for part in trace.parts:
        print()
        print(f"{part.metric} = {_told(registry, part)}, from {part.fact}")
        if part.batches is None or part.lines is None:
            print("Its rows sum up many lines. The models on the way from the raw tables:")
            for line in models_of(part.fact):
                print(f"  {line}")
            continue
        if not part.adds_up:
            print("It is no sum: lines show their values, and batches have no share.")
        print("Batches:")
        write_rows(part.batches, Format.TABLE.value)
        print("Lines that add most:" if part.adds_up else "Lines with the largest values:")
        write_rows(part.lines, Format.TABLE.value)


def _told(registry: Registry, figure: Trace | Part) -> str:
    if figure.value is None:
        return "no value"
    written = for_people(registry, Rows([figure.metric], [(figure.value,)]))
    return str(written.rows[0][0])


def _object(trace: Trace, models_of: ModelsOf) -> dict[str, Any]:
    return {
        "metric": trace.metric,
        "value": trace.value,
        "parts": [
            {
                "metric": part.metric,
                "fact": part.fact,
                "value": part.value,
                "adds_up": part.adds_up,
                "batches": _objects(part.batches),
                "lines": _objects(part.lines),
                "models": models_of(part.fact) if part.lines is None else [],
            }
            for part in trace.parts
        ],
    }


def _objects(rows: Rows | None) -> list[dict[str, Any]]:
    return [dict(zip(rows.columns, row, strict=True)) for row in rows.rows] if rows else []


def _lines(trace: Trace) -> Rows:
    """The lines of all parts under one head; what names a line in its feed is one column."""
    found = []
    for part in trace.parts:
        if part.lines is None:
            continue
        for row in part.lines.rows:
            load_id, source, source_line, *named, contribution = row
            names = part.lines.columns[3:-1]
            key = " ".join(f"{n}={v}" for n, v in zip(names, named, strict=True))
            found.append((part.metric, load_id, source, source_line, key, contribution))
    return Rows(["metric", "load_id", "source", "source_line", "key", CONTRIBUTION], found)
