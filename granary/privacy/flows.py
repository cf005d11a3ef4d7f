"""Where protected values go: from the columns that contracts tag, through every model's query."""

from collections.abc import Callable, Iterator

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlmesh.core.model import Model

from granary.landing.contract import Contract

# What does not show the value that went in, and why.
HIDING = {
    exp.MD5: "a digest: keys are pseudonyms, the same person over time without saying who",
    exp.Count: "a number of rows or of people",
    exp.Is: "whether there is a value",
}
# Columns in which a protected value is made coarse enough to be shown, and why.
COARSE = {
    ("staging.stg_aca_members", "age_group"): "bands of ages, the oldest open-ended",
}
# Columns that a file brought without the contract knowing them; see the contracts' policy.
UNKNOWN_PREFIX = "x_"

# By output column: the protected columns that its value is made of.
Flows = dict[str, frozenset[str]]
NOTHING: frozenset[str] = frozenset()


class ProtectedFlows:
    """Follows protected columns through a project."""

    def __init__(self, contracts: dict[str, Contract], find: Callable[[str], Model | None]) -> None:
        """Remember where to look.

        Args:
            find: gives a model by its schema and name.
        """
        self._contracts = {contract.table: contract for contract in contracts.values()}
        self._find = find
        self._known: dict[str, tuple[Model, Flows]] = {}

    def of(self, model: Model) -> Flows:
        """Tell for every column of a model which protected columns it shows."""
        known = self._known.get(model.fqn)
        if known is None or known[0] is not model:
            # A model that reads itself adds nothing by that.
            self._known[model.fqn] = (model, {})
            known = self._known[model.fqn] = (model, self._raw(model) or self._derived(model))
        return known[1]

    def _raw(self, model: Model) -> Flows:
        contract = self._contracts.get(model.name)
        if contract is None:
            return {}
        names = set(model.columns_to_types or {}) | set(contract.columns)
        return {
            name: frozenset({f"{model.name}.{name}"})
            for name in names
            if name.startswith(UNKNOWN_PREFIX)
            or (name in contract.columns and contract.columns[name].phi)
        }

    def _derived(self, model: Model) -> Flows:
        query = model.render_query(optimize=True) if model.is_sql else None
        if not isinstance(query, exp.Query):
            return {}
        # By query, the innermost first.
        flows: dict[int, Flows] = {}
        for scope in traverse_scope(query):
            flows[id(scope.expression)] = self._of_scope(scope, flows)
        return {
            column: sources
            for column, sources in flows[id(scope.expression)].items()
            if sources and (model.name, column) not in COARSE
        }

    def _of_scope(self, scope: Scope, flows: dict[int, Flows]) -> Flows:
        if scope.union_scopes:
            left, right = (flows[id(part.expression)] for part in scope.union_scopes)
            return {
                name: mine | theirs
                for (name, mine), theirs in zip(left.items(), right.values(), strict=True)
            }
        found: Flows = {}
        query = scope.expression
        for place, projection in enumerate(query.selects if isinstance(query, exp.Query) else ()):
            sources = NOTHING
            for part in _telling_parts(projection):
                if isinstance(part, exp.Column):
                    sources |= self._of_column(part, scope, flows)
                else:
                    sources = sources.union(*flows[id(part)].values())
            # The later parts of a union may name columns as they like, or not at all.
            name = projection.alias_or_name
            found[f"{name} {place}" if name in found else name] = sources
        return found

    def _of_column(
        self, column: exp.Column, scope: Scope, flows: dict[int, Flows]
    ) -> frozenset[str]:
        at: Scope | None = scope
        while at is not None:
            source = at.sources.get(column.table)
            if isinstance(source, Scope):
                return flows.get(id(source.expression), {}).get(column.name, NOTHING)
            if isinstance(source, exp.Table):
                model = self._find(f"{source.db}.{source.name}")
                return self.of(model).get(column.name, NOTHING) if model else NOTHING
            at = at.parent
        return NOTHING


def _telling_parts(node: exp.Expr) -> Iterator[exp.Column | exp.Query]:
    """Columns and queries that a value tells something of, conditions included.

    What a window only sorts or groups by tells nothing.
    """
    if isinstance(node, exp.Column | exp.Select | exp.SetOperation):
        yield node
    elif isinstance(node, exp.Window):
        yield from _telling_parts(node.this)
    elif not isinstance(node, tuple(HIDING)):
        for child in node.iter_expressions():
            yield from _telling_parts(child)
