"""What a file holds against its contract, found without landing it."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from granary.errors import GranaryError
from granary.landing.checks import cast, faults, typed
from granary.landing.contract import Column, Contract
from granary.landing.fit import (
    added_columns,
    breaking_differences,
    missing_headers,
    type_changes,
)
from granary.landing.physique import examine, header_names
from granary.landing.store import equip
from granary.landing.tables import literal, quoted

CSV_OPTIONS = (
    "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', "
    "store_rejects = true"
)
SHORT_DIGITS, LONG_DIGITS = 18, 38
ZERO_LED = "[+-]?0[0-9].*"


@dataclass(frozen=True)
class FileDifference:
    """How a file differs from its contract.

    Attributes:
        lines: lines read after the header.
        breaking: why the file is refused as a whole, a clause per column.
        added: columns that the contract does not know, with the type that their values have.
        gone: expected columns that the file lacks.
        changed: expected columns whose values have another type, as they are from now on.
        renamed: a sentence per column that probably stands under another name.
        refusals: why single lines are refused, a clause per column and rule.
    """

    lines: int
    breaking: list[str]
    added: list[Column]
    gone: list[Column]
    changed: dict[str, Column]
    renamed: list[str]
    refusals: list[str]

    @property
    def fits(self) -> bool:
        """Whether every line would land and no column is left over."""
        return not (self.breaking or self.added or self.refusals)

    @cached_property
    def report(self) -> list[str]:
        """The differences as lines to read."""
        kept = [f'column "{column.source_name}" is new ({column.type})' for column in self.added]
        said = [
            *(f"refused    {clause}" for clause in self.breaking),
            *(f"added      {clause}" for clause in kept),
            *(f"renamed    {clause}" for clause in self.renamed),
            *(f"lines      {clause}" for clause in self.refusals),
        ]
        return said or ["The file fits its contract."]


def compare_file(path: Path, contract: Contract, extracted_at: datetime) -> FileDifference:
    """Read a file and hold it against its contract; nothing is landed.

    Args:
        extracted_at: when the source wrote it, UTC without zone.

    Raises:
        FileProblem: the file is empty, damaged, in another encoding or cannot be opened.
        GranaryError: the file cannot be read as CSV at all.
    """
    with duckdb.connect() as workbench:
        equip(workbench)
        try:
            names = header_names(path, examine(path))
            return _Comparison(workbench, path, names, contract, extracted_at).done()
        except duckdb.Error as error:
            raise GranaryError(
                f"{path}: cannot be read as CSV: {str(error).splitlines()[0]}.",
                "Give a CSV file in UTF-8, plain or compressed.",
            ) from error


class _Comparison:
    """One file on a workbench, as a view of its values by column of the contract."""

    def __init__(
        self,
        workbench: duckdb.DuckDBPyConnection,
        path: Path,
        names: list[str],
        contract: Contract,
        extracted_at: datetime,
    ) -> None:
        self._workbench = workbench
        self._names = names
        self._contract = contract
        self._extracted_at = extracted_at
        self._added = added_columns(names, contract)
        self._present = [column for header, column in contract.by_header.items() if header in names]
        places = ", ".join(f"'p{place}': 'VARCHAR'" for place in range(len(names)))
        values = ", ".join(
            f"NULLIF(trim(p{names.index(column.source_name)}), '') AS {quoted(column.name)}"
            for column in [*self._present, *self._added]
        )
        self._lines = (
            f"SELECT {values or 'NULL AS nothing'} FROM read_csv({literal(str(path))}, "
            f"columns = {{{places}}}, {CSV_OPTIONS})"
        )

    def done(self) -> FileDifference:
        """Count what the values are."""
        found = [
            (column, fault)
            for column in self._present
            for fault in faults(column, self._extracted_at)
        ]
        row = self._row(
            self._present,
            [
                "COUNT(*)",
                *(f"COUNT({quoted(column.name)})" for column in self._present),
                *(f"COUNT(*) FILTER ({fault.condition})" for _, fault in found),
                *(f"ANY_VALUE({fault.message}) FILTER ({fault.condition})" for _, fault in found),
            ],
        )
        lines, figures = row[0], iter(row[1:])
        filled = {column.name: next(figures) for column in self._present}
        counts = [next(figures) for _ in found]
        told = list(zip(found, counts, figures, strict=True))
        misfits = {
            column.name: (filled[column.name], count)
            for (column, fault), count, _ in told
            if fault.error_class == "type_mismatch"
        }
        others = {
            name: count
            for name, count in misfits.items()
            if type_changes({name: count}, self._contract)
        }
        refusals = [
            f'column "{column.source_name}": {count:,} of {lines:,} lines, such as: {example}'
            for (column, _), count, example in told
            if count and column.name not in others
        ]
        added = [self._inferred(column) for column in self._added]
        gone = [
            self._contract.by_header[header]
            for header in missing_headers(self._names, self._contract)
        ]
        return FileDifference(
            lines,
            breaking_differences(self._names, self._contract)
            + type_changes(others, self._contract),
            added,
            gone,
            {name: self._inferred(self._contract.columns[name]) for name in others},
            [
                self._about_renamed(old, new)
                for old in gone
                for new in added
                if self._is_renamed(old, new)
            ],
            refusals + self._malformed(),
        )

    def _malformed(self) -> list[str]:
        """Say how many lines were no records of the header's width when the file was read first."""
        row = self._workbench.execute(
            "SELECT COUNT(DISTINCT line) FROM reject_errors "
            "WHERE scan_id = (SELECT MIN(scan_id) FROM reject_scans)"
        ).fetchone()
        assert row is not None
        return [f"{row[0]:,} lines are not CSV of {len(self._names)} columns"] if row[0] else []

    def _inferred(self, column: Column) -> Column:
        """Give the column the first type that all its values have; text when there is none."""
        value = quoted(column.name)
        filled, zero_led, scale, digits = self._row(
            [],
            [
                f"COUNT({value})",
                f"COUNT(*) FILTER (regexp_full_match({value}, '{ZERO_LED}'))",
                f"COALESCE(MAX(length(rtrim(split_part({value}, '.', 2), '0'))), 0)",
                f"COALESCE(MAX(length(split_part({value}, '.', 1))), 0)",
            ],
        )
        precision = SHORT_DIGITS if digits + scale <= SHORT_DIGITS else LONG_DIGITS
        candidates = ["date", "timestamp", "boolean"]
        # What begins with a zero is a code, and a number would lose it.
        if not zero_led and scale <= precision:
            candidates = ["integer", f"decimal({precision},{scale})", *candidates]
        fitting = [kind for kind in candidates if filled and self._is(column.as_type(kind))]
        return column.as_type(next(iter(fitting), "text"))

    def _is_renamed(self, old: Column, new: Column) -> bool:
        """Say whether a new column stands where an expected one would, and its values fit that."""
        expected = [
            header
            for header, column in self._contract.by_header.items()
            if not column.optional or header in self._names
        ]
        if self._names.index(new.source_name) != expected.index(old.source_name):
            return False
        holds_anything = old.kind == "text" and not (old.pattern or old.codes or old.check)
        if holds_anything and new.kind != "text":
            return False
        meant = old.model_copy(update={"name": new.name})
        conditions = [f"({fault.condition})" for fault in faults(meant, self._extracted_at)]
        filled, misfits = self._row(
            [meant],
            [
                f"COUNT({quoted(new.name)})",
                f"COUNT(*) FILTER ({' OR '.join(conditions) or 'FALSE'})",
            ],
        )
        return bool(filled and not misfits)

    def _about_renamed(self, old: Column, new: Column) -> str:
        header, contract = new.source_name, self._contract
        return (
            f'column "{header}" stands where "{old.source_name}" stood, with values of its kind: '
            f"probably another name for it. Then do not accept the file, but write header: "
            f'{header} into column "{old.name}" of {contract.path} and run: granary contract '
            f"accept {contract.feed} --reason '…'"
        )

    def _is(self, column: Column) -> bool:
        """Say whether all values of a column are of its type."""
        [fault] = faults(column, self._extracted_at)
        [misfits] = self._row([column], [f"COUNT(*) FILTER ({fault.condition})"])
        return bool(misfits == 0)

    def _row(self, columns: list[Column], figures: list[str]) -> tuple[Any, ...]:
        """Compute figures over all lines, at which the columns stand in their types too."""
        types = "".join(
            f", {cast(column)} AS {typed(column)}" for column in columns if column.kind != "text"
        )
        # All rows are fetched, though there is one: only then are malformed lines recorded.
        [row] = self._workbench.execute(
            f"SELECT {', '.join(figures)} "
            f"FROM (SELECT *{types} FROM ({self._lines}) AS texts) AS lines"
        ).fetchall()
        return tuple(row)
