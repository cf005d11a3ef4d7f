"""Where rows of facts come from: the joins from a fact back to the lines of files."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints
from sqlglot import exp

from granary.yaml_files import YamlFile
from semantic.definitions import Expression, Name, Part, columns_of

FOLDER = Path(__file__).parent / "origins"
FACT = "fact"
STAGED = "staging.stg_"

TableName = Annotated[str, StringConstraints(pattern=r"^[a-z_]+\.[a-z][a-z0-9_]*$")]
Shared = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9_]*\.)?[a-z][a-z0-9_]*$")]


class Step(Part):
    """A join on the way; its table goes by its bare name.

    Attributes:
        by: columns shared with the table of the step before, or with `table.column`.
        where: which of the table's rows count; names columns of tables before as `table.column`.
    """

    table: TableName
    by: tuple[Shared, ...] = Field(min_length=1)
    where: Expression | None = None

    @property
    def alias(self) -> str:
        """What the table is called in the query."""
        return self.table.partition(".")[2]


class Origin(Part):
    """How rows of a fact lead to lines.

    Attributes:
        key: columns that identify a row of the fact.
        steps: joins, the last of them to a staging table.
    """

    key: tuple[Name, ...] = Field(min_length=1)
    steps: tuple[Step, ...] = Field(min_length=1)

    @property
    def feed(self) -> str:
        """The feed whose files hold the lines."""
        return self.steps[-1].table.removeprefix(STAGED)

    @property
    def columns(self) -> list[str]:
        """The columns of the fact that the way back needs, the key first."""
        needed = [name for name in self.steps[0].by if "." not in name]
        for step in self.steps:
            needed += [n.removeprefix(f"{FACT}.") for n in step.by if n.startswith(f"{FACT}.")]
            if step.where is not None:
                needed += [c.name for c in columns_of(step.where) if c.table == FACT]
        return list(dict.fromkeys((*self.key, *needed)))

    def conditions(self, place: int) -> list[exp.Expr]:
        """What rows of a step must meet: to match those of the steps before, and its own rule."""
        step = self.steps[place]
        before = self.steps[place - 1].alias if place else FACT
        found: list[exp.Expr] = []
        for name in step.by:
            table, _, column = name.rpartition(".")
            found.append(
                exp.column(column, table=step.alias).eq(exp.column(column, table=table or before))
            )
        if step.where is not None:
            found.append(
                step.where.transform(
                    lambda node: (
                        exp.column(node.name, table=node.table or step.alias)
                        if isinstance(node, exp.Column)
                        else node
                    )
                )
            )
        return found


def load_origins(folder: Path = FOLDER) -> dict[str, Origin]:
    """Read every `<folder>/<domain>.yaml`: the origin of each fact that has one, by its table.

    Raises:
        GranaryError: a file is not YAML, or no list of origins; names file, line and fix.
    """
    origins: dict[str, Origin] = {}
    for path in sorted(folder.glob("*.yaml")):
        origins |= YamlFile(path).read_as(dict[TableName, Origin])
    return origins
