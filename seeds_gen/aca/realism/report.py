"""Measures the targets of reference/aca/realism_targets.csv on files alone, and shows the verdicts.

Nothing here knows how the files were made: the SQL next to this module reads what is in the landing
folder and gives one figure per target.
"""

import csv
import sys
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import duckdb
import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from granary.errors import GranaryError
from granary.settings import PROJECT

FEEDS = ("plans", "members", "enrollments", "claims", "appeals")
REFERENCES = {
    "procedures": "procedure",
    "diagnoses": "diagnosis",
    "age_curve": "age_rating_curve",
    "contributions": "applicable_percentage",
    "poverty_lines": "fpl_guideline",
    "oop_limits": "moop_limit",
}
QUERIES = ("enrollment", "rating", "spending", "claims", "utilization")
TARGETS = "realism_targets"
SQL = Path(__file__).parent
REFERENCE = PROJECT / "reference" / "aca"
MEMORY_LIMIT = "3GB"
STYLES = {"holds": "green", "misses": "red", "no data": "yellow", "not expressible": "dim"}


class Verdict(StrEnum):
    """What became of a target."""

    HOLDS = "holds"
    MISSES = "misses"
    NO_DATA = "no data"
    NOT_EXPRESSIBLE = "not expressible"


@dataclass(frozen=True)
class Target:
    """A public aggregate, and the band that a world must meet.

    Args:
        target_id: of the list; a part after a dot names one of several values.
        target: the value as published, `low` to `high` the accepted band.
        mark: S from a source, C computed from one, K remembered and to be checked.
        reason: why the feeds cannot express it, empty when they can.
    """

    target_id: str
    metric: str
    target: float | None
    low: float | None
    high: float | None
    unit: str
    mark: str
    source: str
    reason: str


@dataclass(frozen=True)
class Finding:
    """A target and what the files say; `measured` is None where they say nothing."""

    target: Target
    measured: float | None

    @property
    def verdict(self) -> Verdict:
        """Whether the measured value lies in the band."""
        if self.target.reason:
            return Verdict.NOT_EXPRESSIBLE
        if self.measured is None or self.target.low is None or self.target.high is None:
            return Verdict.NO_DATA
        holds = self.target.low <= self.measured <= self.target.high
        return Verdict.HOLDS if holds else Verdict.MISSES


def load_targets() -> list[Target]:
    """Read the reference file."""

    def number(text: str) -> float | None:
        return float(text) if text else None

    with (REFERENCE / f"{TARGETS}.csv").open(newline="", encoding="utf-8") as file:
        return [
            Target(
                target_id=row["target_id"],
                metric=row["metric"],
                target=number(row["target"]),
                low=number(row["accept_lo"]),
                high=number(row["accept_hi"]),
                unit=row["unit"],
                mark=row["mark"],
                source=row["source"],
                reason=row["not_expressible"],
            )
            for row in csv.DictReader(file)
        ]


def measure(landing: Path) -> list[Finding]:
    """Measure every target on the files of <landing>/aca.

    Figures of a year are those of the first calendar year that the files cover whole.

    Raises:
        GranaryError: a feed has no file.
    """
    with duckdb.connect(config={"memory_limit": MEMORY_LIMIT}) as connection:
        for feed in FEEDS:
            connection.execute(f"CREATE VIEW {feed} AS {_files_of(landing, feed)}")
        for view, table in REFERENCES.items():
            path = REFERENCE / f"{table}.csv"
            connection.execute(f"CREATE VIEW {view} AS FROM read_csv('{path}')")
        _set_period(connection)
        connection.execute((SQL / "base.sql").read_text())
        measured: dict[str, float | None] = {}
        for name in QUERIES:
            rows = connection.execute((SQL / f"{name}.sql").read_text()).fetchall()
            measured |= {target_id: None if v is None else float(v) for target_id, v in rows}
    return [Finding(target, measured.get(target.target_id)) for target in load_targets()]


def _set_period(connection: duckdb.DuckDBPyConnection) -> None:
    """Set the last day known, and the year that figures of a year are taken from."""
    connection.execute("""
        SET VARIABLE last_day = (SELECT max(extracted_on) - 1 FROM claims);
        SET VARIABLE mature = (
          SELECT CASE WHEN dayofyear(min(service_date)) <= 15 THEN year(min(service_date))
            ELSE year(min(service_date)) + 1 END FROM claims)""")


def _files_of(landing: Path, feed: str) -> str:
    """The query that reads all files of a feed, typed by its contract.

    Lines that do not fit, such as planted ones, are left out.
    """
    folder = landing / "aca"
    contract: dict[str, Any] = yaml.safe_load(
        (PROJECT / "contracts" / "aca" / f"{feed}.yaml").read_text()
    )
    types = {
        name: "VARCHAR" if spec["type"] == "text" else str(spec["type"]).upper()
        for name, spec in contract["columns"].items()
    }
    for suffix in (".parquet", ".csv", ".csv.gz"):
        files = [str(path) for path in sorted(folder.glob(f"*/{feed}_*{suffix}"))]
        if not files:
            continue
        reader = (
            f"read_parquet({files}, filename = true)"
            if suffix == ".parquet"
            else f"read_csv({files}, header = true, delim = ',', quote = '\"', filename = true, "
            f"ignore_errors = true, auto_detect = false, columns = {types})"
        )
        return (
            "SELECT split_part(filename, '/', -2) AS tenant_id, "
            "strptime(regexp_extract(filename, '_(\\d{8})T', 1), '%Y%m%d')::DATE "
            f"AS extracted_on, * EXCLUDE (filename) FROM {reader}"
        )
    raise GranaryError(
        f"{folder} has no file of the feed {feed}.", "Write a world first: granary seed aca"
    )


def show(findings: list[Finding]) -> None:
    """Print the table, then what cannot be expressed, then how many hold."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("target", "metric", "unit", "mark"):
        table.add_column(name, no_wrap=name != "metric")
    for name in ("published", "accepted", "measured"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    expressible = [f for f in findings if f.verdict is not Verdict.NOT_EXPRESSIBLE]
    for finding in expressible:
        target = finding.target
        table.add_row(
            *(Text(text) for text in (target.target_id, target.metric, target.unit, target.mark)),
            _figure(target.target),
            f"{_figure(target.low)} to {_figure(target.high)}",
            _figure(finding.measured),
            Text(finding.verdict, style=STYLES[finding.verdict]),
        )
    console = Console(highlight=False, file=sys.stdout)
    if not console.is_terminal:
        console.width = 10_000
    console.print(table)
    for finding in findings:
        if finding not in expressible:
            target = finding.target
            console.print(Text(f"{target.target_id} {target.metric}: {target.reason}."))
    verdicts = Counter(finding.verdict for finding in findings)
    told = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in Verdict if verdicts[verdict])
    listed = {f.target.target_id.split(".")[0] for f in findings}
    whole = {
        name
        for name in listed
        if all(
            f.verdict is Verdict.HOLDS for f in findings if f.target.target_id.split(".")[0] == name
        )
    }
    console.print(
        f"{len(findings)} figures: {told}. Of {len(listed)} targets, {len(whole)} hold whole."
    )


def _figure(value: float | None) -> str:
    """A number of about four digits."""
    if value is None:
        return ""
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 3
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
