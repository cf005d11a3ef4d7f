"""Superset's metadata database, asked directly: that takes no Superset process.

Two tables of ours lie there: what Granary made, and what it did last. They are lost with the rest
of the database, so that a lost one is noticed.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from granary.dashboards.identity import DATABASE_UUID
from granary.postgres.connection import connect
from granary.postgres.endpoint import Endpoint
from granary.superset.security import Dataset

OWN_TABLES = """
CREATE TABLE IF NOT EXISTS granary_assets (
  uuid UUID PRIMARY KEY,
  environment TEXT NOT NULL,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  stored TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS granary_done (
  what TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL
);
"""
# What people can edit of each kind; not when they did, nor numbers that an import would change, nor
# the colours that Superset notes by itself when somebody opens a dashboard.
STORED = """
SELECT uuid, MD5(JSONB_BUILD_ARRAY(
  database_name, sqlalchemy_uri, cache_timeout, expose_in_sqllab, allow_run_async, allow_ctas,
  allow_cvas, allow_dml, allow_file_upload, impersonate_user, extra
)::TEXT)
FROM dbs
UNION ALL
SELECT dataset.uuid, MD5(JSONB_BUILD_ARRAY(
  dataset.table_name, dataset.schema, dataset.sql, dataset.main_dttm_col, dataset.description,
  dataset.default_endpoint, dataset."offset", dataset.cache_timeout, dataset.params, dataset.extra,
  dataset.filter_select_enabled, dataset.fetch_values_predicate, dataset.template_params,
  dataset.normalize_columns, dataset.always_filter_main_dttm, dataset.folders,
  (
    SELECT JSONB_AGG(JSONB_BUILD_ARRAY(
      one.column_name, one.verbose_name, one.is_dttm, one.is_active, one.type, one.groupby,
      one.filterable, one.expression, one.description, one.python_date_format, one.extra
    ) ORDER BY one.column_name)
    FROM table_columns AS one WHERE one.table_id = dataset.id
  ),
  (
    SELECT JSONB_AGG(JSONB_BUILD_ARRAY(
      one.metric_name, one.verbose_name, one.metric_type, one.expression, one.description,
      one.d3format, one.currency, one.extra, one.warning_text
    ) ORDER BY one.metric_name)
    FROM sql_metrics AS one WHERE one.table_id = dataset.id
  )
)::TEXT)
FROM tables AS dataset
UNION ALL
SELECT chart.uuid, MD5(JSONB_BUILD_ARRAY(
  chart.slice_name, chart.viz_type, chart.params, chart.query_context, chart.description,
  chart.cache_timeout, chart.certified_by, chart.certification_details, dataset.uuid
)::TEXT)
FROM slices AS chart LEFT JOIN tables AS dataset ON dataset.id = chart.datasource_id
UNION ALL
SELECT dashboard.uuid, MD5(JSONB_BUILD_ARRAY(
  dashboard.dashboard_title, dashboard.slug, dashboard.position_json,
  dashboard.json_metadata::JSONB
    - ARRAY['shared_label_colors', 'map_label_colors', 'color_scheme_domain'],
  dashboard.css, dashboard.description, dashboard.published, dashboard.certified_by,
  dashboard.certification_details, dashboard.theme_id,
  (
    SELECT JSONB_AGG(chart.uuid ORDER BY chart.uuid)
    FROM dashboard_slices AS part INNER JOIN slices AS chart ON chart.id = part.slice_id
    WHERE part.dashboard_id = dashboard.id
  )
)::TEXT)
FROM dashboards AS dashboard
"""
STORED_ACCESS = """
SELECT MD5(JSONB_BUILD_ARRAY(
  (
    SELECT JSONB_AGG(JSONB_BUILD_ARRAY(role.name, permission.name, view.name)
      ORDER BY role.name, permission.name, view.name)
    FROM ab_role AS role
    INNER JOIN ab_permission_view_role AS given ON given.role_id = role.id
    INNER JOIN ab_permission_view AS pair ON pair.id = given.permission_view_id
    INNER JOIN ab_permission AS permission ON permission.id = pair.permission_id
    INNER JOIN ab_view_menu AS view ON view.id = pair.view_menu_id
    WHERE role.name = ANY(%(roles)s)
  ),
  (
    SELECT JSONB_AGG(JSONB_BUILD_ARRAY(person.username, person.active, role.name)
      ORDER BY person.username, role.name)
    FROM ab_user AS person
    INNER JOIN ab_user_role AS has ON has.user_id = person.id
    INNER JOIN ab_role AS role ON role.id = has.role_id
    WHERE person.username = ANY(%(users)s)
  ),
  (
    SELECT JSONB_AGG(JSONB_BUILD_ARRAY(
      rule.name, rule.filter_type, rule.clause, rule.group_key,
      (
        SELECT JSONB_AGG(role.name ORDER BY role.name)
        FROM rls_filter_roles AS bound INNER JOIN ab_role AS role ON role.id = bound.role_id
        WHERE bound.rls_filter_id = rule.id
      ),
      (
        SELECT JSONB_AGG(dataset.uuid ORDER BY dataset.uuid)
        FROM rls_filter_tables AS bound INNER JOIN tables AS dataset ON dataset.id = bound.table_id
        WHERE bound.rls_filter_id = rule.id
      )
    ) ORDER BY rule.name)
    FROM row_level_security_filters AS rule
    WHERE rule.name = ANY(%(rules)s)
  )
)::TEXT)
"""
DATASETS = """
SELECT
  dataset.uuid,
  dataset.table_name,
  asset.environment,
  ARRAY_AGG(one.column_name::TEXT) FILTER (WHERE one.column_name IS NOT NULL)
FROM tables AS dataset
INNER JOIN dbs AS database ON database.id = dataset.database_id
LEFT JOIN granary_assets AS asset ON asset.uuid = dataset.uuid
LEFT JOIN table_columns AS one ON one.table_id = dataset.id
WHERE database.uuid = %s
GROUP BY dataset.uuid, dataset.table_name, asset.environment
ORDER BY dataset.uuid
"""
NEEDED_CHARTS = """
SELECT chart.uuid
FROM slices AS chart
INNER JOIN dashboard_slices AS part ON part.slice_id = chart.id
INNER JOIN dashboards AS dashboard ON dashboard.id = part.dashboard_id
WHERE chart.uuid = ANY(%s::UUID[]) AND dashboard.uuid <> ALL(%s::UUID[])
"""
NEEDED_DATASETS = """
SELECT dataset.uuid
FROM tables AS dataset
INNER JOIN slices AS chart ON chart.datasource_id = dataset.id
WHERE dataset.uuid = ANY(%s::UUID[]) AND chart.uuid <> ALL(%s::UUID[])
"""
BUST = """
UPDATE tables SET changed_on = CLOCK_TIMESTAMP() AT TIME ZONE 'UTC'
WHERE schema = %s
"""


@dataclass(frozen=True)
class Asset:
    """Something that Granary made in Superset.

    Attributes:
        uuid: its id.
        environment: whose it is.
        kind: database, dataset, chart or dashboard.
        title: what people call it.
        fingerprint: hash of the file that it was made from.
        stored: hash of what Superset then kept of it.
    """

    uuid: str
    environment: str
    kind: str
    title: str
    fingerprint: str
    stored: str


class Metadata:
    """An open connection to the database; changes hold when it is closed without an error."""

    def __init__(self, connection: psycopg.Connection) -> None:
        """Use a connection."""
        self._connection = connection

    def is_there(self) -> bool:
        """Whether Granary ever finished setting Superset up in this database."""
        row = self._connection.execute(
            "SELECT TO_REGCLASS('granary_done') IS NOT NULL "
            "AND TO_REGCLASS('dashboards') IS NOT NULL"
        ).fetchone()
        return row == (True,)

    def prepare(self) -> None:
        """Make our own tables when they are missing."""
        self._connection.execute(OWN_TABLES)

    def done(self) -> dict[str, str]:
        """Fingerprints of what was done last, by its name."""
        return dict(self._connection.execute("SELECT what, fingerprint FROM granary_done"))

    def remember_done(self, done: Mapping[str, str]) -> None:
        """Replace those fingerprints."""
        self._connection.execute("DELETE FROM granary_done")
        with self._connection.cursor() as cursor:
            cursor.executemany("INSERT INTO granary_done VALUES (%s, %s)", list(done.items()))

    def assets(self) -> dict[str, Asset]:
        """All that Granary made, by uuid."""
        rows = self._connection.execute(
            "SELECT uuid::TEXT, environment, kind, title, fingerprint, stored FROM granary_assets"
        )
        return {row[0]: Asset(*row) for row in rows}

    def remember_assets(self, made: Iterable[Asset], gone: Iterable[str]) -> None:
        """Remember what was made, and forget what was removed, by uuid."""
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO granary_assets VALUES (%s, %s, %s, %s, %s, %s) "
                "ON CONFLICT (uuid) DO UPDATE SET environment = excluded.environment, "
                "kind = excluded.kind, title = excluded.title, "
                "fingerprint = excluded.fingerprint, stored = excluded.stored",
                [
                    (one.uuid, one.environment, one.kind, one.title, one.fingerprint, one.stored)
                    for one in made
                ],
            )
            cursor.execute("DELETE FROM granary_assets WHERE uuid = ANY(%s::UUID[])", [list(gone)])

    def stored(self) -> dict[str, str]:
        """Hashes of what Superset keeps of each asset, whoever made it, by uuid."""
        return {str(uuid): digest for uuid, digest in self._connection.execute(STORED)}

    def stored_access(self, roles: list[str], users: list[str], rules: list[str]) -> str:
        """Hash of what roles may, who has them, and what rules say."""
        row = self._connection.execute(
            STORED_ACCESS, {"roles": roles, "users": users, "rules": rules}
        ).fetchone()
        return str(row[0]) if row else ""

    def datasets(self) -> list[Dataset]:
        """All datasets on the warehouse, whoever made them."""
        return [
            Dataset(str(uuid), table, environment, frozenset(columns or []))
            for uuid, table, environment, columns in self._connection.execute(
                DATASETS, [DATABASE_UUID]
            )
        ]

    def needed(self, going: set[str], shipped: set[str]) -> set[str]:
        """Those of the assets that go without which somebody's own work would break.

        Args:
            going: uuids of what goes.
            shipped: uuids of what stays and does not need them, for it is overwritten.
        """
        found = self._connection.execute(NEEDED_CHARTS, [list(going), list(going | shipped)])
        charts = {str(uuid) for (uuid,) in found}
        ours = (going | shipped) - charts
        found = self._connection.execute(NEEDED_DATASETS, [list(going), list(ours)])
        return charts | {str(uuid) for (uuid,) in found}

    def rules(self, prefix: str) -> list[str]:
        """Names of the row-level rules that begin with a prefix."""
        return [
            name
            for (name,) in self._connection.execute(
                "SELECT name FROM row_level_security_filters WHERE STARTS_WITH(name, %s) "
                "ORDER BY name",
                [prefix],
            )
        ]

    def forget_password(self) -> None:
        """Drop the warehouse's password, which only the lost secret key could read."""
        self._connection.execute(
            "UPDATE dbs SET password = NULL, encrypted_extra = NULL WHERE uuid = %s",
            [DATABASE_UUID],
        )

    def bust(self, schema: str) -> None:
        """Let no figure that was kept for the datasets of a schema be shown again."""
        self._connection.execute(BUST, [schema])


@contextmanager
def open_metadata(endpoint: Endpoint) -> Iterator[Metadata]:
    """Open the database; what was changed holds if nothing goes wrong inside."""
    with connect(endpoint, application_name="granary dashboards") as connection:
        yield Metadata(connection)
