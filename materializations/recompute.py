"""A kind of model that computes anew only the rows that a run touches. See docs/adr/0014.

Every CTE whose name begins with `touched_` names rows of the table by columns of it. A run deletes
the rows that any of them names and inserts the model's query, which gives rows so named and no
others. A row that no longer exists is gone with that, without a mark that readers have to know.
"""

from typing import Any

from sqlglot import exp
from sqlmesh import CustomMaterialization
from sqlmesh.core.model import Model
from sqlmesh.utils.errors import SQLMeshError

PREFIX = "touched_"


def touched_keys(query: exp.Query) -> dict[str, exp.Select]:
    """Give the query of every `touched_` CTE by its name, each with the CTEs before it."""
    found: dict[str, exp.Select] = {}
    for place, cte in enumerate(query.ctes):
        if cte.alias.startswith(PREFIX):
            columns = [exp.column(name, quoted=True) for name in cte.this.named_selects]
            keys = exp.select(*columns).distinct().from_(exp.to_table(cte.alias))
            with_ = query.args["with_"].copy()
            with_.set("expressions", with_.expressions[: place + 1])
            keys.set("with_", with_)
            found[cte.alias] = keys
    return found


def without_ctes(query: exp.Query, names: set[str]) -> exp.Query:
    """Give a query without some of its CTEs, which then stand as tables of the same names."""
    reduced = query.copy()
    left = [cte for cte in reduced.ctes if cte.alias not in names]
    if left:
        reduced.args["with_"].set("expressions", left)
    else:
        reduced.set("with_", None)
    return reduced


def whole(query: exp.Query) -> exp.Query:
    """Give the query for every row: conditions that ask for touched rows hold for all of them."""

    def hold(node: exp.Expression) -> exp.Expression:
        return exp.true() if _asks_for_touched(node) else node

    return without_ctes(query, set(touched_keys(query))).transform(hold)  # type: ignore[return-value]


def rows_named(table: str, keys: str, columns: list[str]) -> exp.Delete:
    """Give the statement that deletes the rows of a table that a table of keys names."""
    names = [exp.column(name, quoted=True) for name in columns]
    wanted = exp.select(*names).from_(exp.to_table(keys))
    row = exp.column(columns[0], quoted=True) if len(columns) == 1 else exp.Tuple(expressions=names)
    return exp.delete(exp.to_table(table)).where(exp.In(this=row, query=exp.Subquery(this=wanted)))


class RecomputeTouched(CustomMaterialization):  # type: ignore[type-arg]
    """`kind CUSTOM (materialization 'recompute_touched')`."""

    NAME = "recompute_touched"

    def insert(
        self,
        table_name: str,
        query_or_df: Any,
        model: Model,
        is_first_insert: bool,
        render_kwargs: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        """Replace the touched rows, or fill the table when it is new.

        Raises:
            SQLMeshError: the query has no `touched_` CTE, or one with columns that the model lacks.
        """
        touched = _checked(query_or_df, model.name)
        if is_first_insert:
            self._replace_query_for_model(
                model, table_name, whole(query_or_df), render_kwargs, **kwargs
            )
            return
        for name, keys in touched.items():
            self._keep(name, without_ctes(keys, touched.keys() - {name}))
            self.adapter.execute(rows_named(table_name, name, keys.named_selects))
        types, sources = self._get_target_and_source_columns(model, table_name, render_kwargs)
        self.adapter.insert_append(
            table_name,
            without_ctes(query_or_df, set(touched)),
            target_columns_to_types=types,
            source_columns=sources,
        )
        for name in touched:
            self.adapter.execute(exp.Drop(this=exp.to_table(name), kind="TABLE"))

    def _keep(self, name: str, keys: exp.Query) -> None:
        """Work out the keys once, in a table of this session whose size the planner knows."""
        table = exp.to_table(name)
        self.adapter.execute(exp.Drop(this=table, kind="TABLE", exists=True))
        temporary = exp.Properties(expressions=[exp.TemporaryProperty()])
        self.adapter.execute(
            exp.Create(this=table, kind="TABLE", expression=keys, properties=temporary)
        )
        if self.adapter.dialect == "postgres":
            self.adapter.execute(f"ANALYZE {name}")


def _asks_for_touched(node: exp.Expression) -> bool:
    if not isinstance(node, exp.In):
        return False
    inner = node.args.get("query")
    source = inner.find(exp.From) if inner else None
    return source is not None and source.this.name.startswith(PREFIX)


def _checked(query: Any, model: str) -> dict[str, exp.Select]:
    touched = touched_keys(query) if isinstance(query, exp.Query) else {}
    if not touched:
        raise SQLMeshError(
            f"{model} is of kind {RecomputeTouched.NAME} but has no CTE named {PREFIX}…: "
            "add one that gives the keys of the rows that a run has to compute anew."
        )
    for name, keys in touched.items():
        unknown = [column for column in keys.named_selects if column not in query.named_selects]
        if unknown:
            raise SQLMeshError(
                f"{name} of {model} gives {', '.join(unknown)}, which the model does not have: "
                "the columns of such a CTE name rows of the model."
            )
    return touched
