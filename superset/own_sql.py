"""Who may not write SQL in SQL Lab may not write it into a chart either.

Row-level rules are conditions beside the expressions of a query. PostgreSQL has functions that run
a text as a query of its own (`query_to_xml`, `ts_stat`), and no rule reaches into that. So an
expression is let through for such users only if it is a column, a metric, a plain aggregate of a
column, or stands in a chart that somebody saved who may write SQL.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from superset.errors import ErrorLevel, SupersetError, SupersetErrorType
from superset.exceptions import SupersetSecurityException
from superset.security import SupersetSecurityManager

AGGREGATES = {"AVG", "COUNT", "COUNT_DISTINCT", "MAX", "MIN", "SUM"}
# What Superset itself asks to count the rows that it pages through.
OF_SUPERSET = {"COUNT(*)"}


class GranarySecurityManager(SupersetSecurityManager):
    """Superset's own, and stricter about charts."""

    def raise_for_access(self, *args: Any, **kwargs: Any) -> None:
        """Refuse what Superset refuses, and SQL of users who may not write any."""
        super().raise_for_access(*args, **kwargs)
        context = kwargs.get("query_context")
        if context is not None and not self.can_access("can_execute_sql_query", "SQLLab"):
            refused = next(_own_sql(self.session, context), None)
            if refused is not None:
                raise SupersetSecurityException(
                    SupersetError(
                        message=f"You may not ask for SQL of your own: {refused}",
                        error_type=SupersetErrorType.DATASOURCE_SECURITY_ACCESS_ERROR,
                        level=ErrorLevel.ERROR,
                    )
                )


def _own_sql(session: Any, context: Any) -> Iterator[str]:
    """The expressions of a chart's queries that nobody vouches for."""
    dataset = context.datasource
    columns = {column.column_name for column in dataset.columns}
    names = columns | {metric.metric_name for metric in dataset.metrics}
    for query in context.queries:
        suspects = [text for part in _parts(query) for text in _sql_of(part, columns, names)]
        suspects += [text for key in ("where", "having") if (text := query.extras.get(key))]
        if suspects:
            vouched = OF_SUPERSET | _saved_sql(session, dataset.id)
            yield from (text for text in suspects if text not in vouched)


def _parts(query: Any) -> Iterator[Any]:
    """Everything in a query that becomes an expression."""
    yield from query.columns
    yield from query.metrics or []
    yield from query.series_columns
    yield query.series_limit_metric
    yield query.granularity
    for order in query.orderby:
        yield order[0]
    for condition in query.filter:
        yield condition.get("col")


def _sql_of(part: Any, columns: set[str], names: set[str]) -> Iterable[str]:
    """The SQL in one part; none when it is a name, or an aggregate of a column."""
    if part is None or part == "":
        return []
    if isinstance(part, str):
        return [] if part in names else [part]
    if part.get("expressionType") == "SIMPLE":
        column = (part.get("column") or {}).get("column_name")
        is_plain = column in columns and part.get("aggregate") in AGGREGATES
        return [] if is_plain else [str(part)]
    text = str(part.get("sqlExpression"))
    return [] if text in columns else [text]


def _saved_sql(session: Any, dataset: int) -> set[str]:
    """The expressions in saved charts of a dataset; only who may write SQL can save one."""
    from superset.models.slice import Slice

    found: set[str] = set()
    for chart in session.query(Slice).filter_by(datasource_id=dataset):
        for text in (chart.params, chart.query_context):
            found.update(_texts(json.loads(text or "{}")))
    return found


def _texts(content: Any) -> Iterator[str]:
    """All SQL in a chart's settings, and the labels that orders and pivots call it by."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key in ("sqlExpression", "label", "where", "having") and isinstance(value, str):
                yield value
            else:
                yield from _texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from _texts(value)
