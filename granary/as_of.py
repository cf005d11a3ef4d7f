"""What the warehouse would say had only the batches landed that had landed by then.

Every table of core and semantic is a function of the batches that landed. So a query as of an
earlier moment is the same query over the same models, with the later batches left out of the ledger
and of the staging tables, and with later retractions undone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlglot import exp, parse_one
from sqlglot.errors import ParseError

from granary.errors import GranaryError

COMPUTED_LAYERS = ("core", "semantic")
# Tables that only ever grow, and when a row of theirs came. The logs of snapshots are not among
# them: what they compared depends on what had landed.
CUT_OFF = {
    ("ops", "load_batch"): "load_timestamp",
    ("ops", "retraction"): "retracted_at",
    ("core", "claim_line_changes"): "load_timestamp",
}
STAGED = "load_timestamp"

# Gives the query of a model by its name (schema.table), None for a table that is no model.
RenderModel = Callable[[str], exp.Query | None]


@dataclass(frozen=True)
class PastQuery:
    """A query over temporary tables that hold the warehouse as it was.

    Attributes:
        tables: the temporary tables' queries by name, each after those that it reads.
        query: the question itself.
    """

    tables: dict[str, str]
    query: str


def as_of(sql: str, moment: datetime, dialect: str, render: RenderModel) -> PastQuery:
    """Rewrite a query so that it sees the warehouse as it was known at a moment.

    Temporary tables and not one long statement, because a planner needs to know how large they are.

    Args:
        sql: one SELECT over core, semantic, staging and ops tables.
        moment: UTC without zone; batches that landed later are left out.
        dialect: of the query and of the answer.
        render: the models' queries over their whole history.

    Raises:
        GranaryError: the statement is not one SELECT.
    """
    try:
        query = parse_one(sql, dialect=dialect)
    except ParseError as error:
        raise GranaryError(f"The query cannot be read: {error}", "Mend the query.") from error
    if not isinstance(query, exp.Query):
        raise GranaryError("Only a SELECT can be asked as of a moment.", "Leave --as-of out.")
    parts: dict[str, exp.Query] = {}
    _replace_tables(query, moment, render, parts)
    tables = {name: part.sql(dialect=dialect) for name, part in parts.items()}
    return PastQuery(tables, query.sql(dialect=dialect))


def _replace_tables(
    query: exp.Query, moment: datetime, render: RenderModel, parts: dict[str, exp.Query]
) -> None:
    for table in list(query.find_all(exp.Table)):
        if not table.db:
            continue
        name = f"{table.db}__{table.name}"
        if name not in parts:
            part = _part(table, moment, render, parts)
            if part is None:
                continue
            parts[name] = part
        alias = table.alias or table.name
        table.replace(exp.to_table(name).as_(alias))


def _part(
    table: exp.Table, moment: datetime, render: RenderModel, parts: dict[str, exp.Query]
) -> exp.Query | None:
    """The query that stands for a table as of the moment; None when the table has no history."""
    qualified = f"{table.db}.{table.name}"
    clock = CUT_OFF.get((table.db, table.name))
    if clock is None and table.db == "staging" and table.name.startswith("stg_"):
        clock = STAGED
    if clock is not None:
        until = exp.cast(exp.Literal.string(moment.isoformat(sep=" ")), "timestamp")
        return exp.select("*").from_(qualified).where(exp.column(clock) <= until)
    if table.db not in COMPUTED_LAYERS:
        return None
    model = render(qualified)
    if model is None:
        return None
    _replace_tables(model, moment, render, parts)
    return model
