"""Rules of the house for every model."""

from typing import ClassVar
from weakref import WeakKeyDictionary

from sqlmesh.core.context import GenericContext
from sqlmesh.core.linter.rule import Rule, RuleViolation
from sqlmesh.core.model import Model

from granary.landing.contract import load_contracts
from granary.privacy.flows import ProtectedFlows
from granary.settings import PROJECT

SEMANTIC = "semantic"


class MissingOwnerGrainOrDescription(Rule):
    """Every model names its owner, its grain and, in the description, the question it answers."""

    def check_model(self, model: Model) -> RuleViolation | None:
        """Report which of the three is missing."""
        if model.kind.is_external:
            return None
        missing = [
            name
            for name, value in (
                ("owner", model.owner),
                ("grain", model.grains),
                ("description", model.description),
            )
            if not value
        ]
        if missing:
            return self.violation(f"{model.name} lacks {', '.join(missing)}.")
        if "?" not in (model.description or ""):
            return self.violation(
                f"{model.name}: the description names no business question (it ends with '?')."
            )
        return None


class MissingColumnDescription(Rule):
    """Every column is described in its model, or under the same name in a model above it."""

    def check_model(self, model: Model) -> RuleViolation | None:
        """Report the columns without a description."""
        if model.kind.is_external:
            return None
        described = self._described(model, set())
        missing = [name for name in model.columns_to_types_or_raise if name not in described]
        if missing:
            return self.violation(f"{model.name}: no description of {', '.join(missing)}.")
        return None

    def _described(self, model: Model, seen: set[str]) -> set[str]:
        seen.add(model.fqn)
        names = {name for name, text in model.column_descriptions.items() if text}
        for parent_fqn in model.depends_on - seen:
            parent = self.context.get_model(parent_fqn)
            if parent is not None:
                names |= self._described(parent, seen)
        return names


class ProtectedColumnInSemantic(Rule):
    """No column of a semantic model shows a value that a contract tags as protected (phi)."""

    # SQLMesh makes a rule anew for every model, and what is above a model is worked out once.
    _flows: ClassVar[WeakKeyDictionary[GenericContext, ProtectedFlows]] = WeakKeyDictionary()

    def check_model(self, model: Model) -> RuleViolation | None:
        """Report the columns, and which protected ones they show."""
        if model.fqn.split(".")[-2].strip('"') != SEMANTIC:
            return None
        if self.context not in self._flows:
            contracts = load_contracts(PROJECT / "contracts")
            self._flows[self.context] = ProtectedFlows(contracts, self.context.get_model)
        flows = self._flows[self.context].of(model)
        shown = {name: sources for name, sources in flows.items() if sources}
        if not shown:
            return None
        said = "; ".join(
            f"{name} shows {', '.join(sorted(sources))}" for name, sources in sorted(shown.items())
        )
        return self.violation(
            f"{model.name}: {said}. Leave it out, use a key, or list in granary/privacy/flows.py "
            "why it hides the value."
        )
