"""What only PostgreSQL needs: indexes, statistics, the reader's grants."""

from sqlglot import exp
from sqlmesh import macro
from sqlmesh.core.macros import MacroEvaluator, RuntimeStage

READER = "granary_reader"
IDENTIFIER_LIMIT = 63
# Columns by which a day's work finds its rows in a long history.
INDEXES: dict[str, list[tuple[str, ...]]] = {
    "stg_aca_members": [("load_id",)],
    "stg_aca_plans": [("load_id",)],
    "stg_aca_providers": [("load_id",)],
    "stg_aca_enrollments": [("load_id",)],
    "stg_aca_claims": [("load_date",)],
    "stg_aca_qhp_landscape": [("load_id",)],
    "claim_line_changes": [
        ("claim_line_key",),
        ("load_date",),
        ("member_id", "service_date"),
        ("provider_id", "service_date"),
    ],
    "latest_claim_lines": [("claim_line_key",), ("service_date",)],
    "claims_daily_member": [("service_date",)],
}


@macro(metadata_only=True)
def physical_design(evaluator: MacroEvaluator) -> list[str]:
    """Post-statement of every model: index the table when made, refresh statistics when filled.

    The server's own statistics come minutes later, too late for the next model of the same run.
    """
    if evaluator.gateway != "postgres":
        return []
    this = evaluator.locals["this_model"]
    table = exp.to_table(this, dialect="postgres") if isinstance(this, str) else this
    schema, name = (part.name for part in table.parts[-2:])
    model = name.removeprefix(f"{schema.removeprefix('sqlmesh__')}__").rsplit("__", 1)[0]
    indexes = INDEXES.get(model, [])
    if evaluator.runtime_stage == RuntimeStage.CREATING.value:
        return [_index(schema, name, columns) for columns in indexes]
    if evaluator.runtime_stage == RuntimeStage.EVALUATING.value:
        return [f'ANALYZE "{schema}"."{name}"']
    return []


def _index(schema: str, table: str, columns: tuple[str, ...]) -> str:
    name = f"{table.split('__', 1)[-1]}_{'_'.join(columns)}"[-IDENTIFIER_LIMIT:]
    return f'CREATE INDEX IF NOT EXISTS "{name}" ON "{schema}"."{table}" ({", ".join(columns)})'


@macro()
def grant_semantic_to_reader(evaluator: MacroEvaluator) -> list[str]:
    """After every plan and run: the reader sees the environment's semantic schema, no other."""
    views = [exp.to_table(view, dialect="postgres") for view in evaluator.views]
    semantic = [view for view in views if view.db.split("__")[0] == "semantic"]
    usage = [f'GRANT USAGE ON SCHEMA "{schema}" TO {READER}' for schema in {v.db for v in semantic}]
    return usage + [f'GRANT SELECT ON "{v.db}"."{v.name}" TO {READER}' for v in semantic]
