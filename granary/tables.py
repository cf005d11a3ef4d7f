"""Answers on standard output: tables for people, CSV and JSON for programs."""

import csv
import json
import sys
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from granary.errors import GranaryError
from granary.gateways.base import Rows

if TYPE_CHECKING:
    # Loading SQLMesh takes seconds, and a query needs none of it.
    from granary.transformation import TableDifference

NUMBERS = (int, float, Decimal)


class Format(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def write_rows(rows: Rows, format: str) -> None:
    """Write the answer to a query as table, csv or json (a list of objects).

    In csv NULL is empty; in json decimals are text, so that no digit is lost.

    Raises:
        GranaryError: two columns have one name, which an object cannot hold.
    """
    if format == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(rows.columns)
        writer.writerows(["" if value is None else value for value in row] for row in rows.rows)
    elif format == "json":
        _require_distinct(rows.columns)
        objects = [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]
        json.dump(objects, sys.stdout, default=plain, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")
    else:
        _show_table(rows.columns, rows.rows)
        count = len(rows.rows)
        print(f"{count} row{'' if count == 1 else 's'}")


def show_differences(differences: list["TableDifference"], source: str, target: str) -> None:
    """Write a line per table that differs between two environments."""
    if not differences:
        print(f"{source} and {target} hold the same tables.")
        return
    columns = ["model", "columns", f"only in {source}", f"only in {target}", "changed", "equal"]
    _show_table(
        columns,
        [
            (
                difference.model,
                " ".join(
                    [f"+{name}" for name in difference.columns_added]
                    + [f"-{name}" for name in difference.columns_removed]
                ),
                difference.rows_only_in_source,
                difference.rows_only_in_target,
                difference.rows_changed,
                difference.rows_equal,
            )
            for difference in differences
        ],
    )


def _show_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for position, name in enumerate(columns):
        values = [row[position] for row in rows]
        numeric = any(isinstance(value, NUMBERS) for value in values)
        table.add_column(Text(name), justify="right" if numeric else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 10_000
    console.print(table)


def _require_distinct(columns: Sequence[str]) -> None:
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise GranaryError(
            f"More than one column is called {', '.join(repeated)}.",
            "Give each its own name with AS, or ask for csv.",
        )


def plain(value: Any) -> Any:
    """A value as JSON can hold it: times as ISO text, decimals as text, digit by digit."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)
