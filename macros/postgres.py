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
    "stg_aca_qhp_landscape": [("load_id",)],
    "stg_aca_premium_payments": [
        ("load_id",),
        ("invoice_id",),
        ("member_id",),
        ("enrollment_id",),
    ],
    "member_changes": [("member_id",), ("load_id",)],
    "provider_changes": [("provider_id",), ("load_id",)],
    "plan_changes": [("plan_id",), ("load_id",)],
    "enrollment_changes": [
        ("enrollment_id",),
        ("load_id",),
        ("member_id",),
        ("plan_id",),
        ("coverage_end_date",),
    ],
    "claim_line_changes": [
        ("claim_line_key",),
        ("load_id",),
        ("member_id", "service_date"),
        ("provider_id", "service_date"),
        ("plan_id", "service_date"),
    ],
    "dim_member": [("member_sk",), ("member_key",), ("member_id",)],
    "dim_provider": [("provider_sk",), ("provider_id",)],
    "dim_plan": [("plan_sk",), ("plan_id",)],
    "enrollment_spans": [("member_key",), ("enrollment_id",)],
    "enrollment_states": [("enrollment_id",), ("plan_id",), ("member_key",)],
    "fct_claim_line": [
        ("claim_line_key",),
        ("claim_id",),
        ("member_key",),
        ("provider_sk",),
        ("service_month",),
    ],
    "fct_claim": [("claim_id",)],
    "fct_member_month": [("member_key",), ("coverage_month",)],
    "fct_enrollment": [("member_key",)],
    "fct_premium_invoice": [("invoice_id",)],
    "member_coverage_years": [("member_key",)],
    "claims_daily_member": [("member_key",), ("service_date",)],
    "agg_member_cost": [("member_key",)],
    "agg_provider_performance": [("provider_id",)],
    "high_cost_member_tracking": [("member_key",)],
}
# Days in whose order a table grows, for which a few numbers per range of pages are enough.
GROWS_BY = {
    "stg_aca_members": "load_date",
    "stg_aca_plans": "load_date",
    "stg_aca_providers": "load_date",
    "stg_aca_enrollments": "load_date",
    "stg_aca_claims": "load_date",
    "stg_aca_premium_payments": "load_date",
    "stg_aca_appeals": "load_date",
    "stg_aca_qhp_landscape": "load_date",
    "member_changes": "load_date",
    "provider_changes": "load_date",
    "plan_changes": "load_date",
    "enrollment_changes": "load_date",
    "claim_line_changes": "load_date",
    "claim_line_touches": "touched_on",
    "coverage_touches": "touched_on",
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
    if evaluator.runtime_stage == RuntimeStage.CREATING.value:
        indexes = [_index(schema, name, "btree", columns) for columns in INDEXES.get(model, [])]
        if model in GROWS_BY:
            indexes.append(_index(schema, name, "brin", (GROWS_BY[model],)))
        return [*indexes, f'ANALYZE "{schema}"."{name}"']
    if evaluator.runtime_stage == RuntimeStage.EVALUATING.value:
        # What joins with the touches of today asks how many there are of this very day.
        if model.endswith("_touches"):
            return [f'ANALYZE "{schema}"."{name}"']
        return [f'SELECT ops.analyze_changed(\'"{schema}"."{name}"\')']
    return []


def _index(schema: str, table: str, method: str, columns: tuple[str, ...]) -> str:
    name = f"{table.split('__', 1)[-1]}_{'_'.join(columns)}"[-IDENTIFIER_LIMIT:]
    listed = ", ".join(columns)
    return f'CREATE INDEX IF NOT EXISTS "{name}" ON "{schema}"."{table}" USING {method} ({listed})'


@macro()
def grant_semantic_to_reader(evaluator: MacroEvaluator) -> list[str]:
    """After every plan and run: the reader sees the environment's semantic schema, no other."""
    views = [exp.to_table(view, dialect="postgres") for view in evaluator.views]
    semantic = [view for view in views if view.db.split("__")[0] == "semantic"]
    usage = [f'GRANT USAGE ON SCHEMA "{schema}" TO {READER}' for schema in {v.db for v in semantic}]
    return usage + [f'GRANT SELECT ON "{v.db}"."{v.name}" TO {READER}' for v in semantic]
