"""Plants labelled faults into finished files."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from .world import Streams, day_number

ROWS_PER_FAULT = 2000
ENCODING = "utf-8"
Row = dict[str, str]


@dataclass(frozen=True)
class Fault:
    """One kind of fault in one column of a feed.

    Args:
        kind: the label.
        column: the column that it shows in.
        spoil: makes the wrong value from the row.
        added: whether the spoiled row comes on top of the right one, at the end of the file.
        encoding: how the line is written.
    """

    kind: str
    column: str
    spoil: Callable[[Row], str]
    added: bool = False
    encoding: str = ENCODING


def _value(text: str) -> Callable[[Row], str]:
    return lambda row: text


def _spaced(column: str) -> Callable[[Row], str]:
    return lambda row: f" {row[column]}  "


def _upper(column: str) -> Callable[[Row], str]:
    return lambda row: row[column].upper()


def _same(column: str) -> Callable[[Row], str]:
    return lambda row: row[column]


def _negative(column: str) -> Callable[[Row], str]:
    return lambda row: f"-{row[column]}" if float(row[column]) else "-1.00"


def _next_digit(column: str) -> Callable[[Row], str]:
    return lambda row: row[column][:-1] + str((int(row[column][-1]) + 1) % 10)


def _month_later(row: Row) -> str:
    return str(date.fromisoformat(row["coverage_start_date"]) + timedelta(days=31))


IMPOSSIBLE_DATE = "2025-02-30"
FAULTS: dict[str, tuple[Fault, ...]] = {
    "plans": (
        Fault("missing_value", "plan_name", _value("")),
        Fault("wrong_type", "deductible", _value("n/a")),
        Fault("negative_money", "monthly_premium", _negative("monthly_premium")),
        Fault("unknown_code", "metal_tier", _value("tin")),
        Fault("mixed_case", "metal_tier", _upper("metal_tier")),
        Fault("exact_duplicate", "plan_id", _same("plan_id"), added=True),
        Fault("conflicting_duplicate", "plan_name", _value("Another Name"), added=True),
    ),
    "providers": (
        Fault("missing_value", "name", _value("")),
        Fault("wrong_check_digit", "npi", _next_digit("npi")),
        Fault("wrong_encoding", "name", _value("José Muñoz"), encoding="latin-1"),
        Fault("ragged_short", "phone", _same("phone")),
        Fault("untrimmed", "specialty", _spaced("specialty")),
        Fault("exact_duplicate", "provider_id", _same("provider_id"), added=True),
        Fault("conflicting_duplicate", "phone", _value("200-555-0199"), added=True),
    ),
    "members": (
        Fault("missing_value", "dob", _value("")),
        Fault("wrong_type", "year", _value("this year")),
        Fault("impossible_date", "dob", _value(IMPOSSIBLE_DATE)),
        Fault("unknown_code", "gender", _value("Q")),
        Fault("wrong_encoding", "name", _value("Zoë Nuñez"), encoding="latin-1"),
        Fault("ragged_long", "year", _same("year")),
        Fault("untrimmed", "name", _spaced("name")),
        Fault("mixed_case", "clinical_segment", _upper("clinical_segment")),
        Fault("exact_duplicate", "member_id", _same("member_id"), added=True),
        Fault("conflicting_duplicate", "zip", _value("00000"), added=True),
    ),
    "enrollments": (
        Fault("missing_value", "coverage_start_date", _value("")),
        Fault("wrong_type", "rating_area", _value("north")),
        Fault("impossible_date", "coverage_end_date", _value(IMPOSSIBLE_DATE)),
        Fault("negative_money", "monthly_premium", _negative("monthly_premium")),
        Fault("unknown_code", "enrollment_source", _value("walk_in")),
        Fault("orphan_member", "member_id", _value("M99999999")),
        Fault("ragged_short", "selection_date", _same("selection_date")),
        Fault("mixed_case", "enrollment_source", _upper("enrollment_source")),
        Fault("exact_duplicate", "enrollment_id", _same("enrollment_id"), added=True),
        Fault("conflicting_duplicate", "aptc_amount", _value("1.23"), added=True),
        Fault("overlapping_span", "coverage_start_date", _month_later, added=True),
    ),
    "claims": (
        Fault("missing_value", "service_date", _value("")),
        Fault("wrong_type", "units", _value("two")),
        Fault("impossible_date", "service_date", _value(IMPOSSIBLE_DATE)),
        Fault("negative_money", "claim_amount", _negative("claim_amount")),
        Fault("unknown_code", "claim_status", _value("lost")),
        Fault("orphan_member", "member_id", _value("M99999999")),
        Fault("orphan_provider", "provider_id", _value("P999999")),
        Fault("ragged_long", "admission_type", _same("admission_type")),
        Fault("untrimmed", "procedure_code", _spaced("procedure_code")),
        Fault("mixed_case", "claim_status", _upper("claim_status")),
        Fault("exact_duplicate", "claim_id", _same("claim_id"), added=True),
        Fault("conflicting_duplicate", "claim_amount", _value("9999999.99"), added=True),
    ),
    "premium_payments": (
        Fault("missing_value", "due_date", _value("")),
        Fault("wrong_type", "collected_amount", _value("n/a")),
        Fault("impossible_date", "coverage_month", _value(IMPOSSIBLE_DATE)),
        Fault("negative_money", "billed_amount", _negative("billed_amount")),
        Fault("unknown_code", "invoice_status", _value("lost")),
        Fault("orphan_member", "member_id", _value("M99999999")),
        Fault("ragged_long", "invoice_status", _same("invoice_status")),
        Fault("untrimmed", "enrollment_id", _spaced("enrollment_id")),
        Fault("mixed_case", "invoice_status", _upper("invoice_status")),
        Fault("exact_duplicate", "invoice_id", _same("invoice_id"), added=True),
        Fault("conflicting_duplicate", "billed_amount", _value("9999999.99"), added=True),
    ),
    # Too few lines to spoil any.
    "appeals": (),
}


class FaultPlanter:
    """Plants the faults of one tenant and keeps their labels.

    Labels are rows of file (relative to the landing folder), line (the header is line 1), feed,
    kind and column.
    """

    def __init__(self, streams: Streams, landing: Path, labels: Path) -> None:
        """Keep the labels of files below `landing` for the file `labels`."""
        self._streams = streams
        self._landing = landing
        self._labels = labels
        self._planted: list[tuple[str, int, str, str, str]] = []

    def plant(self, draft: Path, target: Path, entity: str, extract: date, rows: int) -> int:
        """Spoil some of the rows of a draft, each in one way; return how many there are then.

        The draft is read line by line and written anew.
        """
        rng = self._streams(f"faults {entity}", day_number(extract))
        wanted = FAULTS[entity] * (1 + rows // ROWS_PER_FAULT)
        chosen = rng.permutation(rows)[: len(wanted)]
        faults = {int(n): fault for n, fault in zip(chosen, wanted, strict=False)}
        file = target.relative_to(self._landing).as_posix()
        spoiled = draft.with_name(f"{draft.name}.spoiled")
        added = []
        with draft.open("rb") as source, spoiled.open("wb") as sink:
            header = next(source)
            names = header.decode().removesuffix("\n").split(",")
            sink.write(header)
            for number, line in enumerate(source):
                fault = faults.get(number)
                if fault is None:
                    sink.write(line)
                    continue
                values = next(csv.reader([line.decode().removesuffix("\n")]))
                row = dict(zip(names, values, strict=True))
                other = _spoiled_line(fault, row, len(self._planted))
                sink.write(line if fault.added else other)
                if fault.added:
                    added.append(other)
                at = (rows + len(added) if fault.added else number + 1) + 1
                self._planted.append((file, at, entity, fault.kind, fault.column))
            sink.writelines(added)
        spoiled.replace(draft)
        return rows + len(added)

    def close(self) -> None:
        """Write the labels."""
        self._labels.parent.mkdir(parents=True, exist_ok=True)
        draft = self._labels.with_name(f".{self._labels.name}.part")
        with draft.open("w", newline="", encoding=ENCODING) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["file", "line", "feed", "kind", "column"])
            writer.writerows(self._planted)
        draft.rename(self._labels)


def _spoiled_line(fault: Fault, row: Row, number: int) -> bytes:
    """The line of a row with the fault in it."""
    values = row | {fault.column: fault.spoil(row)}
    if fault.kind == "overlapping_span":
        values["enrollment_id"] = f"E9{number:07d}"
    fields = list(values.values())
    if fault.kind == "ragged_short":
        fields.pop()
    if fault.kind == "ragged_long":
        fields.append("surplus")
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(fields)
    return line.getvalue().encode(fault.encoding)
