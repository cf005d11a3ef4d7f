"""Which rows are of a person: in raw by the contracts, in every other table by the same columns."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from granary.errors import GranaryError
from granary.gateways.base import Connection
from granary.landing.contract import Contract, Tenants
from granary.landing.tables import literal, quoted

TENANT = "tenant_id"
UNIT_SEPARATOR = "\x1f"
KEY_DIGITS = 15
OURS = ("raw", "ops", "information_schema", "pg_catalog")


@dataclass(frozen=True)
class Person:
    """Somebody whom a tenant knows.

    Attributes:
        subject: the column that names persons in the domain, such as member_id.
        value: what it holds for this one.
    """

    domain: str
    tenant_id: str
    subject: str
    value: str

    @property
    def key_column(self) -> str:
        """The column of the pseudonymous key in models, such as member_key."""
        return f"{self.subject.removesuffix('_id')}_key"

    @property
    def key(self) -> int:
        """The pseudonymous key, as the macro bigint_key makes it."""
        text = f"{self.tenant_id}{UNIT_SEPARATOR}{self.value}"
        return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:KEY_DIGITS], 16)


@dataclass(frozen=True)
class Feeds:
    """The feeds of a domain whose lines are of persons.

    Attributes:
        direct: those that name the person.
        through: those that name something of the person, such as a claim.
    """

    domain: str
    subject: str
    direct: list[Contract]
    through: list[Contract]

    @property
    def all(self) -> list[Contract]:
        """Both."""
        return [*self.direct, *self.through]


def feeds_of(tenant_id: str, contracts: dict[str, Contract], tenants: Tenants) -> Feeds:
    """Find the domain of a tenant and its feeds about persons.

    Raises:
        GranaryError: there is no such tenant, or nothing that it sends is about persons.
    """
    domains = [domain for domain, known in tenants.items() if tenant_id in known]
    if not domains:
        known = sorted(name for names in tenants.values() for name in names)
        raise GranaryError(
            f'There is no tenant "{tenant_id}".',
            f"contracts/tenants.yaml lists: {', '.join(known)}.",
        )
    with_persons = [c for c in contracts.values() if c.domain in domains and c.subject]
    direct = [contract for contract in with_persons if not contract.subject_through]
    subjects = {(contract.domain, contract.subject) for contract in direct}
    if len(subjects) != 1:
        raise GranaryError(
            f'The contracts do not name one column by which persons of "{tenant_id}" are known: '
            f"{', '.join(sorted(f'{d}.{s}' for d, s in subjects)) or 'none has a subject'}.",
            "Give the contracts of the domain the same subject.",
        )
    [(domain, subject)] = subjects
    through = [c for c in with_persons if c.subject_through and c.domain == domain]
    return Feeds(domain, subject or "", direct, through)


@dataclass(frozen=True)
class Table:
    """A table as the database lists it, with its columns."""

    schema: str
    name: str
    columns: frozenset[str]

    @property
    def sql(self) -> str:
        """Schema and name, quoted."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def shown(self) -> str:
        """Schema and name."""
        return f"{self.schema}.{self.name}"

    @property
    def model(self) -> str:
        """The model whose table it is: sqlmesh__core.core__dim_member__123 is core.dim_member's."""
        schema = self.schema.removeprefix("sqlmesh__")
        name = self.name.removeprefix(f"{schema}__")
        return f"{schema}.{name.partition('__')[0]}" if schema != self.schema else self.shown


@dataclass
class Condition:
    """SQL of a WHERE with numbered parameters."""

    sql: str = ""
    values: list[object] = field(default_factory=list)

    def add(self, value: object) -> str:
        """Add a parameter; gives its place."""
        self.values.append(value)
        return f"${len(self.values)}"

    def among(self, values: Sequence[object], sql_type: str) -> str:
        """Add a list; gives SQL of its members."""
        return f"(SELECT UNNEST(CAST({self.add(list(values))} AS {sql_type}[])))"


@dataclass
class Identity:
    """All that leads to a person's rows.

    Attributes:
        texts: ids of what is the person's alone, such as claims, by column.
        keys: keys that models made of such ids, by column.
    """

    person: Person
    texts: dict[str, list[str]] = field(default_factory=dict)
    keys: dict[str, list[int]] = field(default_factory=dict)

    def in_raw(self, contract: Contract) -> Condition:
        """The person's lines in the raw table of a feed about persons."""
        if contract.subject_through:
            column = contract.subject or ""
            return _among(self.person, column, self.texts.get(column, []))
        return _own(self.person)

    def within(self, columns: frozenset[str]) -> Condition | None:
        """The person's rows in a table with these columns; None where it has none that tell.

        Where a row names somebody, that decides; what is the person's decides where it does not.
        """
        person, condition = self.person, Condition()
        others = [
            f"{TENANT} = {condition.add(person.tenant_id)} "
            f"AND {quoted(column)} IN {condition.among(values, 'TEXT')}"
            for column, values in self.texts.items()
            if values and column in columns and TENANT in columns
        ]
        others += [
            f"{quoted(column)} IN {condition.among(values, 'BIGINT')}"
            for column, values in self.keys.items()
            if values and column in columns
        ]
        belongs = " OR ".join(f"({other})" for other in others)
        if person.subject in columns and TENANT in columns:
            named, own = (
                quoted(person.subject),
                (
                    f"{TENANT} = {condition.add(person.tenant_id)} "
                    f"AND {quoted(person.subject)} = {condition.add(person.value)}"
                ),
            )
        elif person.key_column in columns:
            named, own = (
                quoted(person.key_column),
                (f"{quoted(person.key_column)} = {condition.add(person.key)}"),
            )
        elif belongs:
            condition.sql = belongs
            return condition
        else:
            return None
        condition.sql = f"({own})" + (f" OR ({named} IS NULL AND ({belongs}))" if belongs else "")
        return condition


Sources = Sequence[tuple[Connection, Sequence[Table]]]


def collect(person: Person, feeds: Feeds, sources: Sources) -> Identity:
    """Find what is the person's alone: ids that no line gives to anybody else.

    Args:
        sources: tables to look into, each with the connection that may read it.
    """
    identity = Identity(person)
    for column in sorted({contract.key[0] for contract in feeds.direct} - {person.subject}):
        own = _values(column, _own(person), sources, {person.subject})
        shared = _values(column, _of_others(person, column, own), sources, {person.subject})
        identity.texts[column] = sorted(own - shared)
    for contract in feeds.through:
        lead = contract.subject or ""
        leads = _among(person, lead, identity.texts.get(lead, []))
        identity.texts[contract.key[0]] = sorted(_values(contract.key[0], leads, sources, {lead}))
    columns = {column for _, tables in sources for table in tables for column in table.columns}
    for column in sorted(columns - {person.key_column}):
        if column.endswith("_key"):
            identity.keys[column] = sorted(
                _values(column, _own(person), sources, {person.subject, "load_date"})
            )
    return identity


def _own(person: Person) -> Condition:
    where = Condition()
    where.sql = (
        f"{TENANT} = {where.add(person.tenant_id)} "
        f"AND {quoted(person.subject)} = {where.add(person.value)}"
    )
    return where


def _of_others(person: Person, column: str, values: Iterable[Any]) -> Condition:
    where = _among(person, column, values)
    where.sql += f" AND {quoted(person.subject)} <> {where.add(person.value)}"
    return where


def _among(person: Person, column: str, values: Iterable[Any]) -> Condition:
    where = Condition()
    where.sql = (
        f"{TENANT} = {where.add(person.tenant_id)} "
        f"AND {quoted(column)} IN {where.among(sorted(values), 'TEXT')}"
    )
    return where


def _values(column: str, where: Condition, sources: Sources, needed: set[str]) -> set[Any]:
    """The values of a column in all tables that have it and the columns needed."""
    found: set[Any] = set()
    for connection, tables in sources:
        for table in tables:
            if {TENANT, column, *needed} <= table.columns:
                rows = connection.execute(
                    f"SELECT DISTINCT {quoted(column)} FROM {table.sql} "
                    f"WHERE {quoted(column)} IS NOT NULL AND {where.sql}",
                    where.values,
                ).fetchall()
                found |= {value for (value,) in rows}
    return found


def tables_of_models(connection: Connection) -> list[Table]:
    """List the tables that models filled, those of old versions too."""
    listed = ", ".join(map(literal, OURS))
    return list(_tables(connection, f"tables.table_schema NOT IN ({listed})"))


def raw_tables(connection: Connection, contracts: Sequence[Contract]) -> list[Table]:
    """List the raw tables of feeds."""
    listed = ", ".join(literal(contract.feed) for contract in contracts)
    return list(
        _tables(connection, f"tables.table_schema = 'raw' AND tables.table_name IN ({listed})")
    )


def _tables(connection: Connection, condition: str) -> Iterator[Table]:
    rows = connection.execute(
        "SELECT columns.table_schema, columns.table_name, columns.column_name "
        "FROM information_schema.columns AS columns "
        "INNER JOIN information_schema.tables AS tables "
        "ON tables.table_catalog = columns.table_catalog "
        "AND tables.table_schema = columns.table_schema AND tables.table_name = columns.table_name "
        "WHERE tables.table_type = 'BASE TABLE' AND tables.table_catalog = CURRENT_DATABASE() "
        f"AND {condition}",
        [],
    ).fetchall()
    found: dict[tuple[str, str], set[str]] = {}
    for schema, name, column in rows:
        found.setdefault((schema, name), set()).add(column)
    for (schema, name), columns in sorted(found.items()):
        yield Table(schema, name, frozenset(columns))
