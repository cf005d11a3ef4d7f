"""What the warehouse would say had only the batches landed that had landed by then.

Every table of core and semantic is a function of the batches that landed. So a query as of an
earlier moment is the same query over the same models, with the later batches left out of the ledger
and of the staging tables, and with later retractions undone.
"""

from collections.abc import Callable
from datetime import datetime

from sqlglot import exp, parse_one
from sqlglot.errors import ParseError

from granary.errors import GranaryError

COMPUTED_LAYERS = ("core", "semantic")
CUT_OFF = {
    ("ops", "load_batch"): "load_timestamp",
    ("ops", "retraction"): "retracted_at",
}
STAGED = "load_timestamp"

# Gives the query of a model by its name (schema.table), None for a table that is no model.
RenderModel = Callable[[str], exp.Query | None]


def as_of(sql: str, moment: datetime, dialect: str, render: RenderModel) -> str:
    """Rewrite a query so that it sees the warehouse as it was known at a moment.

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
    own = query.args.pop("with_", None)
    for name, part in parts.items():
        query = query.with_(name, as_=part, copy=False)
    if own is not None:
        for table in own.expressions:
            query = query.with_(table.alias, as_=table.this, copy=False)
    return query.sql(dialect=dialect)


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
