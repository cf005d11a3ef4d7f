"""What only PostgreSQL needs: indexes and the reader's grants. Other engines get nothing."""

from sqlglot import exp
from sqlmesh import macro
from sqlmesh.core.macros import MacroEvaluator

READER = "granary_reader"
IDENTIFIER_LIMIT = 63


@macro()
def add_index(evaluator: MacroEvaluator, *columns: exp.Column) -> list[str] | None:
    """Post-statement: index the physical table when it is created."""
    if evaluator.gateway != "postgres" or evaluator.runtime_stage != "creating":
        return None
    this = evaluator.locals["this_model"]
    table = exp.to_table(this, dialect="postgres") if isinstance(this, str) else this
    schema, name = (part.name for part in table.parts[-2:])
    names = [column.name for column in columns]
    index = f"{name.split('__', 1)[-1]}_{'_'.join(names)}"[-IDENTIFIER_LIMIT:]
    return [f'CREATE INDEX IF NOT EXISTS "{index}" ON "{schema}"."{name}" ({", ".join(names)})']


@macro()
def grant_semantic_to_reader(evaluator: MacroEvaluator) -> list[str]:
    """After every plan and run: the reader sees the environment's semantic schema, no other."""
    views = [exp.to_table(view, dialect="postgres") for view in evaluator.views]
    semantic = [view for view in views if view.db.split("__")[0] == "semantic"]
    usage = [f'GRANT USAGE ON SCHEMA "{schema}" TO {READER}' for schema in {v.db for v in semantic}]
    return usage + [f'GRANT SELECT ON "{v.db}"."{v.name}" TO {READER}' for v in semantic]
