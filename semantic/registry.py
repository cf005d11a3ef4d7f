"""The registry: every metric, dimension and entity of all domains, checked as a whole."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqlglot import exp

from granary.errors import GranaryError
from granary.yaml_files import Location, YamlFile
from semantic.definitions import (
    Additivity,
    Dimension,
    Document,
    Entity,
    Expression,
    Grain,
    Measure,
    Metric,
    Table,
    columns_of,
)

FOLDER = Path(__file__).parent
# Of these, the value of the whole is the sum of the parts' within one period.
ADDITIVE = (Additivity.SUM, Additivity.LAST)
PERIOD = "period"
TENANT = "tenant_id"


@dataclass(frozen=True)
class Reached:
    """A dimension as an entity sees it.

    Attributes:
        path: the joins to follow, as names of entities, from the first to the one that has it;
            empty when the entity has it itself.
        dimension: what it is.
        name: how it is called.
    """

    name: str
    path: tuple[str, ...]
    dimension: Dimension

    @property
    def expression(self) -> Expression | None:
        """SQL on the columns of the entity at the end of the path; None for its own name."""
        return self.dimension.expression


class Domain:
    """One registry file, with what follows from it."""

    def __init__(self, file: YamlFile, document: Document) -> None:
        """Check that the parts of a file fit together.

        Raises:
            GranaryError: they do not; names file, line and fix.
        """
        self.name = document.domain
        self.description = document.description
        self.entities = document.entities
        self.metrics = document.metrics
        self.tables = document.tables
        self._file = file
        for name, entity in self.entities.items():
            self._check_entity(name, entity)
        self.dimensions = {name: self._reach(name) for name in self.entities}
        for name, metric in self.metrics.items():
            self._check_metric(name, metric)
        self._check_cycles()

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    def line(self, *location: str) -> int:
        """The line of a part of the file."""
        return self._file.line(location)

    def entity_of(self, metric: str) -> Entity:
        """The entity of a measured metric."""
        return self.entities[self.measure(metric).of]

    def measure(self, metric: str) -> Measure:
        """The measure of a measured metric."""
        measure = self.metrics[metric].measure
        if measure is None:
            raise TypeError(f"{metric} is not measured")
        return measure

    def time_of(self, metric: str) -> str:
        """The column by which a measured metric falls into a period."""
        return self.measure(metric).time or next(iter(self.entity_of(metric).time))

    def joined_by_measures(self, metrics: Iterable[str]) -> set[str]:
        """The entities that measures name as `entity.column`."""
        expressions = [part for name in metrics for part in self.measure(name).expressions]
        return {column.table for part in expressions for column in columns_of(part) if column.table}

    def check_columns(
        self, tables: Mapping[str, Collection[str]], used: Collection[str] | None = None
    ) -> None:
        """Check that every column that the file names exists.

        Args:
            tables: the columns of each table, by `schema.table`.
            used: the tables to check; all when not given.

        Raises:
            GranaryError: a table or column is missing; names file, line and the nearest names.
        """
        for name, entity in self.entities.items():
            if used is not None and entity.table not in used:
                continue
            if entity.table not in tables:
                raise self.fault(
                    ("entities", name, "table"),
                    f"there is no table {entity.table}",
                    "Build it first (granary plan), or correct the name.",
                )
            for column, location in self._named_columns(name, entity):
                if column not in tables[entity.table]:
                    raise self.fault(
                        location,
                        f"{entity.table} has no column {column}",
                        nearest(column, tables[entity.table]),
                    )

    def _named_columns(self, name: str, entity: Entity) -> Iterable[tuple[str, Location]]:
        yield from ((column, ("entities", name, "time", column)) for column in entity.time)
        if entity.time:
            yield TENANT, ("entities", name)
        if entity.key:
            yield entity.key, ("entities", name, "key")
        for other, column in entity.joins.items():
            yield column, ("entities", name, "joins", other)
        for called, dimension in entity.dimensions.items():
            location: Location = ("entities", name, "dimensions", called, "expression")
            if dimension.expression is None:
                yield called, location
            else:
                yield from ((c.name, location) for c in columns_of(dimension.expression))
        for called, metric in self.metrics.items():
            if metric.measure:
                for expression in metric.measure.expressions:
                    for found in columns_of(expression):
                        if name == (found.table or metric.measure.of):
                            yield found.name, ("metrics", called, "measure")

    def _check_entity(self, name: str, entity: Entity) -> None:
        clock = entity.clock and self.entities.get(entity.clock)
        if entity.clock and not (clock and clock.time):
            timed = [other for other, found in self.entities.items() if found.time]
            raise self.fault(
                ("entities", name, "clock"),
                f"there is no entity {entity.clock} with a time",
                nearest(entity.clock, timed),
            )
        for other in entity.joins:
            if other not in self.entities:
                raise self.fault(
                    ("entities", name, "joins", other),
                    f"there is no entity {other}",
                    nearest(other, self.entities),
                )
            if self.entities[other].key is None:
                raise self.fault(
                    ("entities", name, "joins", other),
                    f"{other} has no key, so a row of {name} may match several of its rows",
                    f"Declare the key of {other}; joins go from many to one.",
                )

    def _reach(self, name: str) -> dict[str, Reached]:
        """Every dimension that an entity's rows have one value of, the nearest of each name."""
        found: dict[str, Reached] = {}
        frontier: list[tuple[str, ...]] = [()]
        seen = {name}
        while frontier:
            level: dict[str, Reached] = {}
            following = []
            for path in frontier:
                here = self.entities[path[-1] if path else name]
                for called, dimension in here.dimensions.items():
                    if called in level:
                        raise self.fault(
                            ("entities", name, "joins"),
                            f"{name} reaches {called} by {' and '.join(level[called].path)} "
                            f"and by {' and '.join(path)}",
                            "Give the two dimensions different names.",
                        )
                    level[called] = Reached(called, path, dimension)
                for other in here.joins:
                    if other not in seen:
                        seen.add(other)
                        following.append((*path, other))
            found = level | found
            frontier = following
        return found

    def _check_metric(self, name: str, metric: Metric) -> None:
        at: Location = ("metrics", name)
        if name == PERIOD or any(name in reached for reached in self.dimensions.values()):
            raise self.fault(
                at, f"{name} is already the name of a dimension", "Choose another name."
            )
        if metric.measure:
            self._check_measure((*at, "measure"), metric.measure)
        for other in metric.inputs:
            if other not in self.metrics:
                raise self.fault(at, f"there is no metric {other}", nearest(other, self.metrics))
            if metric.ratio and self.metrics[other].ratio:
                raise self.fault(
                    (*at, "ratio"),
                    f"{other} is itself a ratio",
                    "Take its numerator and denominator, or write a derived metric.",
                )

    def _check_measure(self, at: Location, measure: Measure) -> None:
        entity = self.entities.get(measure.of)
        if entity is None:
            raise self.fault(
                at, f"there is no entity {measure.of}", nearest(measure.of, self.entities)
            )
        if not entity.time:
            raise self.fault(
                at, f"{measure.of} has no time", "Measure on an entity that declares `time`."
            )
        for expression in measure.expressions:
            for column in columns_of(expression):
                if column.table and column.table not in entity.joins:
                    raise self.fault(
                        at,
                        f"{measure.of} does not join {column.table}",
                        nearest(column.table, entity.joins),
                    )
        if measure.time and measure.time not in entity.time:
            raise self.fault(
                at,
                f"{measure.of} has no time {measure.time}",
                nearest(measure.time, entity.time),
            )

    def _check_cycles(self) -> None:
        done: set[str] = set()

        def visit(name: str, above: tuple[str, ...]) -> None:
            if name in above:
                ring = " → ".join((*above[above.index(name) :], name))
                raise self.fault(
                    ("metrics", name),
                    f"a metric is made from itself: {ring}",
                    "Break the ring at one of them.",
                )
            if name not in done:
                for other in self.metrics[name].inputs:
                    visit(other, (*above, name))
                done.add(name)

        for name in self.metrics:
            visit(name, ())

    def fault(self, location: Location, message: str, remedy: str) -> GranaryError:
        """An error that names file and line of a part."""
        return self._file.fault(
            location, f"{'.'.join(str(step) for step in location)}: {message}.", remedy
        )


class Registry:
    """The domains, by name."""

    def __init__(self, domains: Iterable[Domain]) -> None:
        """Join the domains; metrics are known by name in all of them.

        Raises:
            GranaryError: two domains define the same metric.
        """
        self.domains = {domain.name: domain for domain in domains}
        self._owners: dict[str, Domain] = {}
        for domain in self.domains.values():
            for name in domain.metrics:
                if name in self._owners:
                    raise GranaryError(
                        f"{domain.path}:{domain.line('metrics', name)}: {name} is defined in "
                        f"{self._owners[name].path} too.",
                        "One name means one number: rename one of them.",
                    )
                self._owners[name] = domain
        for domain in self.domains.values():
            for name, table in domain.tables.items():
                self._check_table(domain, name, table)

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        """Every metric, by name."""
        return {name: domain.metrics[name] for name, domain in self._owners.items()}

    def check_columns(self, tables: Mapping[str, Collection[str]]) -> None:
        """Check that every table and column that the registry names exists.

        Args:
            tables: the columns of each table, by `schema.table`.

        Raises:
            GranaryError: one is missing; names file, line and the nearest names.
        """
        for domain in self.domains.values():
            domain.check_columns(tables)

    def domain_of(self, metric: str) -> Domain:
        """The domain of a metric.

        Raises:
            GranaryError: there is no such metric; names the nearest ones.
        """
        if metric not in self._owners:
            raise GranaryError(
                f"There is no metric {metric}.",
                f"{nearest(self._by_synonym(metric), self._owners)} All: granary metrics list",
            )
        return self._owners[metric]

    def measured(self, metric: str) -> list[str]:
        """The measured metrics that a metric is made from, in order; itself when it is measured."""
        inputs = self.domain_of(metric).metrics[metric].inputs
        if not inputs:
            return [metric]
        return list(dict.fromkeys(leaf for name in inputs for leaf in self.measured(name)))

    def additivity(self, metric: str) -> Additivity:
        """How values of a metric over parts become the value of the whole."""
        definition = self.domain_of(metric).metrics[metric]
        if definition.measure:
            return definition.measure.additivity
        if definition.ratio:
            return Additivity.RATIO
        kinds = {self.additivity(name) for name in definition.inputs}
        linear = kinds == {Additivity.SUM} and _is_linear(definition)
        return Additivity.SUM if linear else Additivity.RATIO

    def grain(self, metric: str) -> Grain:
        """The shortest period that a metric can be asked for."""
        leaves = self.measured(metric)
        times = [(self.domain_of(leaf), leaf) for leaf in leaves]
        grains = [domain.entity_of(leaf).time[domain.time_of(leaf)] for domain, leaf in times]
        return max(grains, key=lambda grain: grain.days)

    def dimensions(self, metric: str) -> dict[str, Dimension]:
        """What a metric can be split by: what all its measures know.

        The denominator of an exposure does not have to know it.
        """
        definition = self.domain_of(metric).metrics[metric]
        if definition.measure:
            domain = self.domain_of(metric)
            reached = domain.dimensions[definition.measure.of]
            return {name: reached[name].dimension for name in reached}
        if definition.ratio and definition.ratio.exposure:
            return self.dimensions(definition.ratio.numerator)
        common = [self.dimensions(name) for name in definition.inputs]
        return {n: d for n, d in common[0].items() if all(n in other for other in common)}

    def _check_table(self, domain: Domain, name: str, table: Table) -> None:
        if table.by[0] != TENANT:
            raise domain.fault(
                ("tables", name, "by"), f"it begins with {table.by[0]}", f"Put {TENANT} first."
            )
        for metric in table.metrics:
            if metric not in domain.metrics:
                raise domain.fault(
                    ("tables", name, "metrics"),
                    f"there is no metric {metric}",
                    nearest(metric, domain.metrics),
                )
            self._check_stored(domain, name, table, metric)
        leaves = dict.fromkeys(leaf for metric in table.metrics for leaf in self.measured(metric))
        unknown = {leaf: set(table.by) - self.dimensions(leaf).keys() for leaf in leaves}
        exposures = [leaf for leaf in leaves if unknown[leaf]]
        if any(unknown[leaf] != unknown[exposures[0]] for leaf in exposures):
            raise domain.fault(
                ("tables", name, "by"),
                f"{' and '.join(exposures)} do not know the same of its dimensions",
                "Make two tables of it.",
            )

    def _check_stored(self, domain: Domain, name: str, table: Table, metric: str) -> None:
        """Check that a table can hold what a metric is made from."""
        texts = [n for n, found in self.dimensions(metric).items() if found.type == "text"]
        for dimension in table.by:
            if dimension not in texts:
                raise domain.fault(
                    ("tables", name, "by"),
                    f"{metric} cannot be split by {dimension} in a table",
                    nearest(dimension, texts),
                )
        finest = self.grain(metric)
        if table.grain.days < finest.days:
            raise domain.fault(
                ("tables", name, "grain"),
                f"{metric} is known by {finest}, not by {table.grain}",
                f"Make it a table by {finest}, or leave {metric} out.",
            )
        for leaf in self.measured(metric):
            if self.additivity(leaf) not in ADDITIVE:
                raise domain.fault(
                    ("tables", name, "metrics"),
                    f"{metric} is made from {leaf}, whose parts do not add up",
                    f"Leave {metric} out.",
                )

    def _by_synonym(self, name: str) -> str:
        said = name.replace("_", " ").lower()
        for metric, definition in self.metrics.items():
            if said in (definition.label.lower(), *(s.lower() for s in definition.synonyms)):
                return metric
        return name


def load_registry(folder: Path = FOLDER) -> Registry:
    """Read and check every `<folder>/<domain>.yaml`.

    Raises:
        GranaryError: a file is not YAML or not a registry, or its parts do not fit together;
            names file, line and fix.
    """
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise GranaryError(f"{folder}: no registry found.", "A registry is <domain>.yaml in there.")
    return Registry(_load_domain(path) for path in paths)


def _load_domain(path: Path) -> Domain:
    file = YamlFile(path)
    document: Document = file.read_as(Document)
    if document.domain != path.stem:
        raise file.fault(
            ("domain",), f"the domain {document.domain} is in {path.name}.", "Make them agree."
        )
    return Domain(file, document)


def _is_linear(metric: Metric) -> bool:
    """Whether a derived metric only adds and subtracts."""
    allowed = (exp.Add, exp.Sub, exp.Paren, exp.Column, exp.Identifier)
    return metric.derived is not None and all(
        isinstance(node, allowed) for node in metric.derived.walk()
    )


def nearest(name: str, known: Collection[str]) -> str:
    """A remedy that names what was probably meant, or what there is."""
    listed = f"{', '.join(sorted(known)[:20])}{', …' if len(known) > 20 else '.'}"
    return probably(name, known) or f"Known are {listed}"


def probably(name: str, known: Collection[str]) -> str:
    """What was probably meant, as a question; "" when nothing is close."""
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(close)}?" if close else ""
