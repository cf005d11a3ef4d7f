"""A SQLMesh project that keeps the history of one member table by every design at hand."""

CONFIG = """
gateways:
{% if env_var('GRANARY_SQLMESH_GATEWAY') == 'postgres' %}
  postgres:
    connection: &postgres
      type: postgres
      host: {{ env_var('GRANARY_SQLMESH_HOST') }}
      port: {{ env_var('GRANARY_SQLMESH_PORT') }}
      user: {{ env_var('GRANARY_SQLMESH_USER') }}
      password: '{{ env_var('GRANARY_SQLMESH_PASSWORD') }}'
      database: {{ env_var('GRANARY_SQLMESH_DATABASE') }}
    state_connection:
      <<: *postgres
      database: {{ env_var('GRANARY_SQLMESH_STATE_DATABASE') }}
{% else %}
  duckdb:
    connection:
      type: duckdb
      database: {{ env_var('GRANARY_SQLMESH_HOME') }}/granary.duckdb
    state_connection:
      type: duckdb
      database: {{ env_var('GRANARY_SQLMESH_HOME') }}/granary_state.duckdb
{% endif %}
default_gateway: {{ env_var('GRANARY_SQLMESH_GATEWAY') }}
disable_anonymized_analytics: true
model_defaults: {dialect: duckdb, start: '2025-01-01', cron: '@daily', allow_partials: true}
"""
STAGED = """
MODEL (name staging.members, kind VIEW);
SELECT
  member_id::INT AS member_id, city::TEXT AS city, tier::TEXT AS tier, income::INT AS income,
  tenant_id::TEXT AS tenant_id, load_id::BIGINT AS load_id, extracted_at::TIMESTAMP AS extracted_at
FROM raw.members
"""
COLUMNS = "member_id, city, tier, income"
BY_COLUMN = "SCD_TYPE_2_BY_COLUMN (unique_key member_id, columns [city, tier, income], {})"
BY_TIME = "SCD_TYPE_2_BY_TIME (unique_key member_id, updated_at_name extracted_at, {})"
DELETES = "invalidate_hard_deletes TRUE, time_data_type TIMESTAMP"
LATEST = (
    f"SELECT {COLUMNS} FROM staging.members "
    "WHERE extracted_at = (SELECT MAX(extracted_at) FROM raw.members)"
)
ALL = f"SELECT {COLUMNS}, extracted_at FROM staging.members"
ONE_DAY = f"{ALL} WHERE extracted_at::DATE BETWEEN @start_ds::DATE AND @end_ds::DATE"

# Each native design: its kind and its query.
WITNESS = "column_each_extract"
NATIVE = {
    WITNESS: (
        BY_COLUMN.format(f"{DELETES}, execution_time_as_valid_from TRUE"),
        LATEST,
    ),
    "column_latest": (BY_COLUMN.format(DELETES), LATEST),
    "column_by_day": (
        BY_COLUMN.format(f"{DELETES}, updated_at_name extracted_at, batch_size 1"),
        ONE_DAY,
    ),
    "time_all": (BY_TIME.format(DELETES), ALL),
    "time_by_day": (BY_TIME.format(f"{DELETES}, batch_size 1"), ONE_DAY),
}
OURS = {
    "models/member_changes.sql": """
MODEL (name history.member_changes, kind INCREMENTAL_BY_TIME_RANGE (time_column load_date));
@snapshot_changes(
  staging.members, feed := 'members', key := (tenant_id, member_id), tracked := (city, tier, income)
)
""",
    "models/dim_member.sql": """
MODEL (name history.dim_member, kind CUSTOM (materialization 'recompute_touched'));
@scd_type_2(history.member_changes, surrogate_key := member_sk, key := (tenant_id, member_id))
""",
}


def native(name: str) -> str:
    """The model of a native design."""
    kind, query = NATIVE[name]
    return f"MODEL (name native.{name}, kind {kind}, end '2025-01-05');\n{query}\n"
