"""What the semantic tables look like, read from the models' files.

The files are read as words, not as queries: that takes a tenth of the time, and the house style
gives all that is asked for. A model begins with MODEL (…), and its last SELECT names every column
with its type and a comment.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from granary.dashboards.identity import SCHEMA
from granary.errors import GranaryError

VERSIONED = {
    "valid_from": "since when the version holds (UTC)",
    "valid_to": "until when the version held (UTC); NULL while in force",
}
_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET}
_TIMES = ("DATE", "TIMESTAMP")
_NUMBERS = ("INT", "BIGINT", "DECIMAL", "DOUBLE", "REAL")


@dataclass(frozen=True)
class Column:
    """A column: its type is PostgreSQL's."""

    name: str
    type: str
    description: str

    @property
    def is_time(self) -> bool:
        """Whether it holds days or moments."""
        return self.type.startswith(_TIMES)

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers."""
        return self.type.startswith(_NUMBERS)


@dataclass(frozen=True)
class Shape:
    """A semantic table.

    Attributes:
        table: name without schema.
        owner: who answers for it.
        description: what it holds, ending with the question that it answers.
        grain: columns that tell its rows apart.
        audits: how many audits its model has to pass.
        columns: by name, in the table's order.
    """

    table: str
    owner: str
    description: str
    grain: tuple[str, ...]
    audits: int
    columns: Mapping[str, Column]

    @cached_property
    def time(self) -> str | None:
        """The main time column: the first of the grain that holds times."""
        return next((name for name in self.grain if self.is_time(name)), None)

    def is_time(self, name: str) -> bool:
        """Whether it has a column of that name that holds days or moments."""
        return name in self.columns and self.columns[name].is_time


def read_shapes(folder: Path) -> dict[str, Shape]:
    """The shape of every model of the semantic schema under a folder, by table.

    Raises:
        GranaryError: a file is not written in the house style; names file and line.
    """
    shapes = [_read_shape(path) for path in sorted(folder.rglob("*.sql"))]
    return {shape.table: shape for shape in sorted(shapes, key=lambda shape: shape.table)}


def _read_shape(path: Path) -> Shape:
    try:
        tokens = DuckDB().tokenize(path.read_text(encoding="utf-8"))
    except SqlglotError as error:
        raise GranaryError(f"{path}: {error}", "Correct the model.") from error
    start = next((n for n, token in enumerate(tokens) if token.text.upper() == "MODEL"), None)
    if start is None or start + 1 == len(tokens):
        raise GranaryError(f"{path}:1: there is no MODEL (…).", "Begin the model with one.")
    end = _closing(tokens, start + 1)
    header = {part[0].text.lower(): part[1:] for part in _parts(tokens[start + 2 : end])}
    schema, _, table = _text(header.get("name", ())).partition(".")
    if schema != SCHEMA or not table:
        raise GranaryError(
            f"{path}:{tokens[start].line}: the model is not in {SCHEMA}.",
            "Models of other schemas have folders of their own.",
        )
    described = {part[0].text: part[-1].text for part in _listed(header, "column_descriptions")}
    columns = {c.name: c for c in _columns(path, tokens[end + 1 :], described)}
    if _text(header.get("kind", ())).upper().startswith("SCD_TYPE_2"):
        for name, says in VERSIONED.items():
            columns[name] = Column(name, "TIMESTAMP", described.get(name, says))
    return Shape(
        table=table,
        owner=_text(header.get("owner", ())),
        description=_text(header.get("description", ())),
        grain=tuple(_text(part) for part in _listed(header, "grain")),
        audits=len(_listed(header, "audits")),
        columns=columns,
    )


def _columns(path: Path, tokens: Sequence[Token], described: Mapping[str, str]) -> Iterator[Column]:
    """The columns of the last SELECT that stands in no brackets."""
    outside = list(_outside(tokens))
    selects = [n for n in outside if tokens[n].token_type is TokenType.SELECT]
    if not selects:
        raise GranaryError(f"{path}: the model has no SELECT.", "Write one.")
    start = selects[-1] + 1
    end = next(
        (n for n in outside if n > start and tokens[n].token_type is TokenType.FROM), len(tokens)
    )
    for part in _parts(tokens[start:end]):
        name, comments = part[-1], [text for token in part for text in token.comments]
        written = _type(part)
        if written is None:
            raise GranaryError(
                f"{path}:{name.line}: column {name.text} has no type.",
                "Write <expression>::<type> AS <name>.",
            )
        description = described.get(name.text) or (comments[-1].strip() if comments else "")
        yield Column(name.text, written, description)


def _type(part: Sequence[Token]) -> str | None:
    """What `expression::TYPE AS name` or `CAST(expression AS TYPE) AS name` is cast to."""
    outside = list(_outside(part))
    cut = [n for n in outside if part[n].token_type is TokenType.ALIAS]
    value = part[: cut[-1]] if cut else part
    casts = [n for n in outside if n < len(value) and value[n].token_type is TokenType.DCOLON]
    if casts:
        words = value[casts[-1] + 1 :]
    elif value and value[0].text.upper() == "CAST":
        inside = value[2:-1]
        names = [n for n in _outside(inside) if inside[n].token_type is TokenType.ALIAS]
        words = inside[names[-1] + 1 :] if names else []
    else:
        return None
    return exp.DataType.build(_text(words), dialect="duckdb").sql("postgres") if words else None


def _listed(header: Mapping[str, Sequence[Token]], key: str) -> list[list[Token]]:
    """The parts of a property: of a list in brackets, or the one."""
    tokens = header.get(key, ())
    if tokens and tokens[0].token_type in _OPENING:
        tokens = tokens[1 : _closing(tokens, 0)]
    return list(_parts(tokens))


def _parts(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """What stands between the commas that stand in no brackets.

    A comment behind a comma belongs to what stands before it, and sqlglot hangs it on the comma.
    """
    start = 0
    for cut in [n for n in _outside(tokens) if tokens[n].token_type is TokenType.COMMA]:
        part = list(tokens[start:cut])
        if part and tokens[cut].comments:
            part[-1].comments.extend(tokens[cut].comments)
        yield part
        start = cut + 1
    if start < len(tokens):
        yield list(tokens[start:])


def _outside(tokens: Sequence[Token]) -> Iterator[int]:
    """Where the tokens are that stand in no brackets."""
    depth = 0
    for n, token in enumerate(tokens):
        depth -= token.token_type in _CLOSING
        if not depth:
            yield n
        depth += token.token_type in _OPENING


def _closing(tokens: Sequence[Token], opening: int) -> int:
    depth = 0
    for n in range(opening, len(tokens)):
        depth += tokens[n].token_type in _OPENING
        depth -= tokens[n].token_type in _CLOSING
        if not depth:
            return n
    return len(tokens)


def _text(tokens: Sequence[Token]) -> str:
    return "".join(token.text for token in tokens)
