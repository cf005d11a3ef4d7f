"""Contracts: what a feed's files must look like, one readable YAML file per feed."""

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    field_validator,
    model_validator,
)

from granary.errors import GranaryError
from granary.yaml_files import YamlFile

SIMPLE_TYPES = {
    "text": "TEXT",
    "integer": "BIGINT",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "boolean": "BOOLEAN",
}
RANGED_KINDS = ("integer", "decimal", "date")
NOUNS = {
    "integer": "an integer",
    "boolean": "a boolean (true or false)",
    "date": "a date (YYYY-MM-DD)",
    "timestamp": "a timestamp (YYYY-MM-DD hh:mm:ss)",
}
LINEAGE = ("tenant_id", "load_id", "load_timestamp", "extracted_at", "source_line")
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")
DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")


def _as_text(value: object) -> object:
    """Take a bound as YAML reads it (number, date, text) and keep its spelling."""
    return str(value) if isinstance(value, int | float | date) else value


Bound = Annotated[str, BeforeValidator(_as_text)]
Reaction = Literal["warn", "stop"]


class Policy(BaseModel):
    """What landing does with a file that is readable but not as usual: warn and land it, or stop.

    Attributes:
        added_columns: keep a column that the contract does not know as text in `x_<name>`, or
            refuse the file.
        type_changed_share: a column has changed its type when at least this share of its filled
            values, and at least 10 of them, are not of its type; the file is then refused.
        volume: lines far from those of the recent loads of the same weekday.
        rates: a column with far more blanks, or far fewer distinct values, than it used to have.
        duplicates: far more lines equal to an earlier line than usual.
        differing_lines: lines of one key in one file that differ, of which the last stands; usual
            where a file may hold several states of a key.
        repeated_file: the bytes of an earlier extract under a new extract time.
        fresh_within: days by which a feed may be behind the newest extract of its domain; a feed
            without it is never late.
        late: what a late feed is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    added_columns: Literal["keep", "refuse"] = "keep"
    type_changed_share: float = Field(default=0.5, gt=0, le=1)
    volume: Reaction = "warn"
    rates: Reaction = "warn"
    duplicates: Reaction = "warn"
    differing_lines: Reaction | Literal["usual"] = "warn"
    repeated_file: Reaction = "warn"
    fresh_within: int | None = Field(default=None, ge=1)
    late: Reaction = "warn"

    @model_validator(mode="after")
    def _late_has_a_limit(self) -> "Policy":
        if self.late == "stop" and self.fresh_within is None:
            raise ValueError("late needs fresh_within, the days after which a feed is late")
        return self


class Change(BaseModel):
    """What a version of a contract changed.

    Attributes:
        version: the version that began with it.
        accepted_on: the day it was accepted.
        reason: why, for those who ask later.
        what: each difference from the version before, as a sentence.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(ge=2)
    accepted_on: date
    reason: str = Field(min_length=1)
    what: tuple[str, ...] = Field(min_length=1)


class Column(BaseModel):
    """One column of a feed.

    Attributes:
        name: its name in the raw table, a plain SQL identifier.
        header: its name in the file, where that is not a plain identifier.
        type: text, integer, decimal(p,s), date, timestamp or boolean.
        pattern: regular expression (RE2) that the whole value must match.
        codes: the allowed values; upper and lower case are alike.
        min: smallest allowed value of a number or date.
        max: largest allowed value of a number or date.
        check: npi, the Luhn check digit over 80840.
        not_after_extract: a date may not be later than the day of the extract (UTC).
        phi: protected health information; its values never show in messages and dead letters.
        optional: a file may lack it, and has NULL then; other columns are missed.
        retired: files no longer have it; its raw column stays, NULL from then on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    header: str | None = None
    type: str
    required: bool = False
    pattern: str | None = None
    codes: tuple[str, ...] | None = Field(default=None, min_length=1)
    min: Bound | None = None
    max: Bound | None = None
    check: Literal["npi"] | None = None
    not_after_extract: bool = False
    phi: bool = False
    optional: bool = False
    retired: bool = False
    unit: str | None = None
    description: str = Field(min_length=1)

    @field_validator("name")
    @classmethod
    def _name_is_an_identifier(cls, name: str) -> str:
        if not IDENTIFIER.fullmatch(name):
            raise ValueError(
                "a column name has small letters, digits and _ and starts with a letter (at most "
                "63); give the file's own spelling as header"
            )
        if name in LINEAGE:
            raise ValueError("this name is taken by a lineage column of every raw table")
        return name

    @field_validator("type")
    @classmethod
    def _type_is_known(cls, text: str) -> str:
        match = DECIMAL.fullmatch(text)
        if match and 1 <= int(match[1]) <= 38 and int(match[2]) <= int(match[1]):
            return f"decimal({int(match[1])},{int(match[2])})"
        if text not in SIMPLE_TYPES:
            known = ", ".join([*SIMPLE_TYPES, "decimal(p,s) with p up to 38"])
            raise ValueError(f"unknown type, known are {known}")
        return text

    @field_validator("pattern")
    @classmethod
    def _pattern_compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"not a regular expression ({error})") from error
        return pattern

    @model_validator(mode="after")
    def _rules_fit_the_type(self) -> "Column":
        if self.kind not in RANGED_KINDS and (self.min is not None or self.max is not None):
            raise ValueError(f"min and max need a number or a date, not {self.type}")
        if self.not_after_extract and self.kind != "date":
            raise ValueError(f"not_after_extract needs a date, not {self.type}")
        if self.kind != "text" and (self.codes or self.pattern or self.check):
            raise ValueError(f"pattern, codes and check need text, not {self.type}")
        if self.optional and self.required:
            raise ValueError("a required column cannot be optional: files without it have NULL")
        for bound in (self.min, self.max):
            if bound is not None:
                self._parse_bound(bound)
        return self

    def _parse_bound(self, bound: str) -> None:
        try:
            if self.kind == "date":
                date.fromisoformat(bound)
            elif self.kind == "integer":
                int(bound)
            else:
                Decimal(bound)
        except (ValueError, InvalidOperation) as error:
            raise ValueError(f"bound {bound!r} is not a {self.type}") from error

    @property
    def kind(self) -> str:
        """The type without its digits: decimal for decimal(14,2)."""
        return self.type.partition("(")[0]

    @property
    def noun(self) -> str:
        """The type in words, with its article: "a date (YYYY-MM-DD)"."""
        return NOUNS.get(self.kind) or f"a {self.type}"

    @property
    def sql_type(self) -> str:
        """The type in PostgreSQL and DuckDB."""
        return SIMPLE_TYPES.get(self.type) or self.type.upper().replace(",", ", ")

    @property
    def precision(self) -> int:
        """Digits of a decimal."""
        match = DECIMAL.fullmatch(self.type)
        return int(match[1]) if match else 0

    @property
    def scale(self) -> int:
        """Digits after the point of a decimal."""
        match = DECIMAL.fullmatch(self.type)
        return int(match[2]) if match else 0

    def as_type(self, type: str) -> "Column":
        """Give the column another type; rules on its values, which need not hold any more, go."""
        return Column(
            name=self.name,
            header=self.header,
            type=type,
            phi=self.phi,
            unit=self.unit,
            description=self.description,
        )

    @property
    def source_name(self) -> str:
        """The name in the file's header."""
        return self.header or self.name


class Contract(BaseModel):
    """One feed: where it lands and what every line must be.

    Attributes:
        feed: `<domain>_<entity>`, also the name of the raw table.
        version: goes up by one whenever anything that files must meet changes: not a description,
            a unit, or when a feed is late.
        changes: what each version after the first changed, the newest last.
        kind: snapshot (a file holds all there is) or change (a file holds what is new or changed).
        key: columns that identify a row within a file; repeats land, staging keeps the last.
        expected_minimum_rows: a file that lands fewer is refused.
        subject: the column that says whose line it is, where lines are about persons; `forget`
            removes a person by it.
        subject_through: the feed that says whose value of that column it is, where the column does
            not name the person itself.
        policy: what is done with a file that is readable but not as usual.
        columns: all that files have or had; those that are retired are no longer expected.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    domain: str
    entity: str
    feed: str
    version: int = Field(default=1, ge=1)
    changes: tuple[Change, ...] = ()
    kind: Literal["snapshot", "change"]
    description: str = Field(min_length=1)
    key: tuple[str, ...] = Field(min_length=1)
    expected_minimum_rows: int = Field(ge=0)
    subject: str | None = None
    subject_through: str | None = None
    policy: Policy = Policy()
    columns: dict[str, Column] = Field(min_length=1)
    _barred: str | None = PrivateAttr(default=None)

    @field_validator("columns", mode="before")
    @classmethod
    def _columns_know_their_names(cls, columns: Any) -> Any:
        if not isinstance(columns, dict):
            return columns
        return {
            name: {**spec, "name": name} if isinstance(spec, dict) else spec
            for name, spec in columns.items()
        }

    @model_validator(mode="after")
    def _parts_agree(self) -> "Contract":
        if self.feed != f"{self.domain}_{self.entity}":
            raise ValueError(f"feed must be {self.domain}_{self.entity}, as folder and file say")
        unknown = [name for name in self.key if name not in self.columns]
        if unknown:
            raise ValueError(f"key names no column: {', '.join(unknown)}")
        gone = [name for name in self.key if self.columns[name].retired]
        if gone:
            raise ValueError(f"columns of the key cannot be retired: {', '.join(gone)}")
        blank = [name for name in self.key if not self.columns[name].required]
        if blank:
            raise ValueError(f"columns of the key must be required: {', '.join(blank)}")
        if self.subject_through and not self.subject:
            raise ValueError("subject_through needs a subject, the column that leads there")
        if self.subject and not (
            self.subject in self.columns and self.columns[self.subject].required
        ):
            raise ValueError(f"subject must be a required column, {self.subject} is none")
        headers = [column.source_name for column in self.expected.values()]
        repeated = sorted({header for header in headers if headers.count(header) > 1})
        if repeated:
            raise ValueError(f"two columns have the header {', '.join(repeated)}")
        return self

    @model_validator(mode="after")
    def _changes_lead_to_the_version(self) -> "Contract":
        told = [change.version for change in self.changes]
        if told != list(range(2, self.version + 1)):
            raise ValueError(
                f"changes must tell each version from 2 to {self.version} once, in their order"
                if self.version > 1
                else "version 1 has no changes"
            )
        return self

    @property
    def barred(self) -> str | None:
        """SQL that is true for a line of a person who was forgotten; None when nobody was."""
        return self._barred

    def barring(self, condition: str) -> "Contract":
        """The same contract for files in which lines of forgotten people may stand."""
        barring = self.model_copy()
        barring._barred = condition
        return barring

    @property
    def table(self) -> str:
        """Schema and name of the raw table."""
        return f"raw.{self.feed}"

    @property
    def path(self) -> str:
        """Where it is written, inside the project."""
        return f"contracts/{self.domain}/{self.entity}.yaml"

    @property
    def expected(self) -> dict[str, Column]:
        """The columns that files have, or may have if optional: all but the retired."""
        return {name: column for name, column in self.columns.items() if not column.retired}

    @property
    def by_header(self) -> dict[str, Column]:
        """The same columns by their names in the files."""
        return {column.source_name: column for column in self.expected.values()}

    @property
    def has_phi(self) -> bool:
        """Whether any column is protected health information."""
        return any(column.phi for column in self.columns.values())


class Tenant(BaseModel):
    """Who may land files in a domain."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str
    state: str | None = None


# A tenant's name is a folder's name: nothing that leads elsewhere can be one.
TenantName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Tenants = dict[str, dict[TenantName, Tenant]]


def load_contracts(folder: Path) -> dict[str, Contract]:
    """Read every contract `<folder>/<domain>/<entity>.yaml`.

    Returns:
        The contracts by feed, sorted by name.

    Raises:
        GranaryError: a file is not YAML or not a contract; names file, line and fix.
    """
    contracts = [load_contract(path) for path in sorted(folder.glob("*/*.yaml"))]
    if not contracts:
        raise GranaryError(
            f"{folder}: no contract found.", "A contract is <domain>/<entity>.yaml in there."
        )
    return {contract.feed: contract for contract in sorted(contracts, key=lambda c: c.feed)}


def load_contract(path: Path) -> Contract:
    """Read one contract `<domain>/<entity>.yaml`.

    Raises:
        GranaryError: the file is not YAML or not a contract; names file, line and fix.
    """
    file = YamlFile(path)
    if not isinstance(file.data, dict):
        raise GranaryError(f"{path}: not a contract.", "Start from another contract's keys.")
    named = {**file.data, "domain": path.parent.name, "entity": path.stem}
    contract: Contract = file.read_as(Contract, named)
    return contract


def load_tenants(path: Path) -> Tenants:
    """Read who may land files: domain, then tenant.

    Raises:
        GranaryError: the file is not YAML or not a list of tenants; names file, line and fix.
    """
    tenants: Tenants = YamlFile(path).read_as(Tenants)
    return tenants
