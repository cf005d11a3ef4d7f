"""Files in the order in which they arrive, and what the warehouse held after each arrival."""

import csv
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from end_to_end.sandbox import Outcome, Sandbox

from granary.settings import PROJECT
from oracle import handmade
from oracle.oracle import Batch, Oracle, Row
from seeds_gen.aca import generate

# A new plan year begins with the fourth extract: plans get new prices.
START, END = date(2024, 9, 1), date(2025, 2, 28)
PLAIN, LATE, FAULTY = "issuer_1", "issuer_2", "issuer_4"
TENANTS = (PLAIN, LATE, FAULTY, handmade.TENANT)
# The extracts of each issuer that arrive first; of LATE, December comes after January.
FIRST = {
    PLAIN: ("20241001", "20241101", "20241201"),
    LATE: ("20241001", "20241101", "20250101"),
    FAULTY: ("20241201", "20250101"),
    handmade.TENANT: tuple(handmade.FILES[file] for file in handmade.ARRIVES_FIRST),
}
LAST = (PLAIN, "20250301")

# Each table with its grain.
TABLES = {
    "core.dim_member": ("member_sk",),
    "core.dim_plan": ("plan_sk",),
    "core.dim_provider": ("provider_sk",),
    "core.fct_claim_line": ("tenant_id", "claim_id", "line_number"),
    "core.fct_member_month": ("tenant_id", "member_id", "coverage_month"),
    "core.fct_enrollment": ("tenant_id", "member_id", "plan_id", "enrollment_start_date"),
}
ALSO_READ = (
    "core.claim_line_changes",
    "core.dim_geography",
    "semantic.agg_claims_monthly",
    "semantic.claims_by_plan_metal_month",
    "semantic.dashboard_summary",
    "semantic.high_cost_member_tracking",
)


@dataclass(frozen=True)
class Arrivals:
    """All files, in three groups that arrive one after another.

    Attributes:
        landing: the folder they lie in, laid out as a landing folder.
        faults: the labels of planted faults.
    """

    landing: Path
    faults: Path

    @property
    def groups(self) -> tuple[list[Path], list[Path], list[Path]]:
        """The beginning; the rest, with what comes late; the last month of one issuer."""
        groups: tuple[list[Path], list[Path], list[Path]] = ([], [], [])
        for path in sorted(self.landing.rglob("*.csv*")):
            groups[_group(path)].append(path)
        return groups


@dataclass(frozen=True)
class Arrived:
    """A warehouse after an arrival.

    Attributes:
        outcome: of the command that brought it there.
        tables: the rows of each table.
        oracle: what they should be.
        refused: the lines in ops.dead_letter, by file and number.
    """

    outcome: Outcome
    tables: dict[str, list[Row]]
    oracle: Oracle
    refused: set[tuple[str, int]]

    def expected(self, table: str) -> list[Row]:
        """The rows of a core table by the oracle."""
        rows: list[Row] = getattr(self.oracle, table.removeprefix("core."))
        return rows

    def known(self, table: str) -> list[Row]:
        """The rows of a table that are an issuer's."""
        return [row for row in self.tables[table] if row["tenant_id"] in TENANTS]


def generate_arrivals(folder: Path) -> Arrivals:
    """Write two plain issuers, one with faults, and the one made by hand."""
    landing, faulty = folder / "landing", folder / "faulty" / "landing"
    generate(landing, tenants=2, members=300, start=START, end=END, batches=None, seed=7)
    generate(
        faulty,
        tenants=1,
        members=150,
        start=date(2024, 11, 1),
        end=END,
        batches=None,
        seed=3,
        faults=True,
    )
    shutil.move(faulty / "aca" / "issuer_1", landing / "aca" / FAULTY)
    handmade.write(landing)
    return Arrivals(landing, faulty.parent / "faults" / "faults_issuer_1.csv")


def observe(sandbox: Sandbox, outcome: Outcome) -> Arrived:
    """Read a warehouse whole, and work out what it should hold."""
    assert outcome.exit_code == 0, outcome.messages
    refused = {
        (row["source"], row["source_line"])
        for row in sandbox.rows(
            "SELECT source, source_line FROM ops.dead_letter JOIN ops.load_batch USING (load_id)"
        )
    }
    batches = [
        Batch(
            path=sandbox.landing / row["source"],
            feed=row["feed"],
            tenant_id=row["tenant_id"],
            extracted_at=row["extracted_at"],
            load_timestamp=row["load_timestamp"],
            refused=frozenset(line for source, line in refused if source == row["source"]),
        )
        for row in sandbox.rows("SELECT * FROM ops.load_batch WHERE status = 'loaded'")
    ]
    tables = {name: sandbox.rows(f"SELECT * FROM {name}") for name in (*TABLES, *ALSO_READ)}
    return Arrived(outcome, tables, Oracle(batches, counties()), refused)


def counties() -> set[str]:
    """The county codes of the reference table."""
    with (PROJECT / "reference" / "aca" / "county.csv").open() as file:
        return {row["county_fips"] for row in csv.DictReader(file)}


def differences(expected: list[Row], actual: list[Row], grain: tuple[str, ...]) -> list[Any]:
    """Tell how rows differ, column by column; an empty list when they are equal."""
    right, found = (
        {tuple(row[column] for column in grain): row for row in rows} for rows in (expected, actual)
    )
    told: list[Any] = [("twice", len(actual) - len(found))] if len(actual) > len(found) else []
    told += [("missing", right[key]) for key in right.keys() - found.keys()]
    told += [("should not be", found[key]) for key in found.keys() - right.keys()]
    for key in right.keys() & found.keys():
        unequal = {
            column: (right[key].get(column), found[key].get(column))
            for column in right[key].keys() | found[key].keys()
            if right[key].get(column) != found[key].get(column)
        }
        if unequal:
            told.append(("should be, is", key, unequal))
    return told


def _group(path: Path) -> int:
    tenant, extract = path.parent.name, path.name.partition("_")[2]
    if extract.startswith(FIRST[tenant]):
        return 0
    return 2 if (tenant, extract[:8]) == LAST else 1
