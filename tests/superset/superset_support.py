"""Small semantic tables, a bundle of charts on them, and the world that shows them."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from granary.dashboards.bundle import Bundle
from granary.dashboards.identity import DATABASE_UUID, asset_uuid
from granary.gateways.postgres import PostgresGateway
from granary.postgres.connection import connect
from granary.settings import Settings
from granary.superset.changes import Changes
from granary.superset.frontend import Frontend

TABLES = """
CREATE SCHEMA {schema};
CREATE TABLE {schema}.paid_monthly (
  tenant_id TEXT, period DATE, metal_tier TEXT, paid_amount DECIMAL(18, 2)
);
INSERT INTO {schema}.paid_monthly VALUES
  ('issuer_1', '2025-01-01', 'silver', 100), ('issuer_1', '2025-02-01', 'gold', 50),
  ('issuer_2', '2025-01-01', 'silver', 7), ('issuer_2', '2025-02-01', 'bronze', 11);
CREATE TABLE {schema}.marketplace_offers (state TEXT, premium DECIMAL(18, 2));
INSERT INTO {schema}.marketplace_offers VALUES ('FL', 321.50), ('TX', 298.25);
CREATE TABLE {schema}.warehouse_loads (feed TEXT, rows_loaded BIGINT);
INSERT INTO {schema}.warehouse_loads VALUES ('aca_claims', 12);
GRANT USAGE ON SCHEMA {schema} TO granary_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO granary_reader;
"""
COLUMNS = {
    "paid_monthly": {
        "tenant_id": "VARCHAR",
        "period": "DATE",
        "metal_tier": "VARCHAR",
        "paid_amount": "DECIMAL",
    },
    "marketplace_offers": {"state": "VARCHAR", "premium": "DECIMAL"},
    "warehouse_loads": {"feed": "VARCHAR", "rows_loaded": "BIGINT"},
}
METRICS = {
    "paid_monthly": ("paid", "SUM(paid_amount)"),
    "marketplace_offers": ("mean_premium", "AVG(premium)"),
    "warehouse_loads": ("rows", "SUM(rows_loaded)"),
}
CHARTS = {
    "paid-by-metal": ("Paid by metal", "paid_monthly", "metal_tier"),
    "paid-by-tenant": ("Paid by tenant", "paid_monthly", "tenant_id"),
    "premium-by-state": ("Premium by state", "marketplace_offers", "state"),
    "rows-by-feed": ("Rows by feed", "warehouse_loads", "feed"),
}
ALL_CHARTS = tuple(CHARTS)


@dataclass(frozen=True)
class World:
    """A warehouse with Superset on it.

    Attributes:
        set_up: what the first set-up found to be done.
    """

    settings: Settings
    frontend: Frontend
    gateway: PostgresGateway
    set_up: Changes

    def execute(self, statements: str) -> None:
        """Change the warehouse, as its owner."""
        with connect(
            self.gateway.warehouse.transformer, application_name="test", autocommit=True
        ) as connection:
            connection.execute(statements.encode())

    def metadata(self, query: str) -> list[tuple[object, ...]]:
        """Ask the metadata database."""
        with connect(
            self.gateway.warehouse.superset, application_name="test", autocommit=True
        ) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []


def superset_settings(home: Path, port: int) -> Settings:
    """Settings that nothing outside the test can change."""
    return Settings(
        _env_file=None,
        gateway="postgres",
        home=home,
        landing=home / "landing",
        pghost=None,
        superset_host="127.0.0.1",
        superset_port=port,
    )


def small_bundle(
    environment: str = "prod",
    *,
    charts: Iterable[str] = ALL_CHARTS,
    tables: Iterable[str] = tuple(COLUMNS),
    title: str = "Small",
) -> Bundle:
    """A bundle as the builder of dashboards makes them."""
    suffix = "" if environment == "prod" else f" [{environment}]"
    charts = list(charts)
    documents: dict[str, dict[str, Any]] = {
        "metadata.yaml": {
            "version": "1.0.0",
            "type": "assets",
            "timestamp": "2026-01-01T00:00:00+00:00",
        }
    }
    for table in tables:
        documents[f"datasets/Granary/{table}.yaml"] = _dataset(environment, table)
    for key in charts:
        documents[f"charts/small__{key}.yaml"] = _chart(environment, key, suffix)
    slug = "small" if environment == "prod" else f"small-{environment}"
    documents["dashboards/small.yaml"] = _dashboard(environment, slug, title + suffix, charts)
    files = {
        path: yaml.safe_dump(document, sort_keys=False)
        for path, document in sorted(documents.items())
    }
    return Bundle(environment, files, hashlib.sha256(repr(files).encode()).hexdigest())


def _dataset(environment: str, table: str) -> dict[str, Any]:
    metric, expression = METRICS[table]
    return {
        "table_name": table,
        "main_dttm_col": "period" if "period" in COLUMNS[table] else None,
        "description": f"The table {table}.",
        "default_endpoint": None,
        "offset": 0,
        "cache_timeout": None,
        "catalog": None,
        "schema": "semantic" if environment == "prod" else f"semantic__{environment}",
        "sql": None,
        "params": None,
        "template_params": None,
        "filter_select_enabled": True,
        "fetch_values_predicate": None,
        "extra": {},
        "normalize_columns": False,
        "always_filter_main_dttm": False,
        "uuid": str(asset_uuid(environment, "dataset", table)),
        "database_uuid": str(DATABASE_UUID),
        "version": "1.0.0",
        "metrics": [
            {
                "metric_name": metric,
                "verbose_name": metric.capitalize(),
                "metric_type": None,
                "expression": expression,
                "description": None,
                "d3format": ",d",
                "currency": None,
                "extra": {},
                "warning_text": None,
            }
        ],
        "columns": [
            {
                "column_name": column,
                "verbose_name": None,
                "is_dttm": kind == "DATE",
                "is_active": True,
                "type": kind,
                "groupby": True,
                "filterable": True,
                "expression": None,
                "description": None,
                "python_date_format": None,
                "extra": {},
            }
            for column, kind in COLUMNS[table].items()
        ],
    }


def _chart(environment: str, key: str, suffix: str) -> dict[str, Any]:
    title, table, column = CHARTS[key]
    metric = METRICS[table][0]
    params = {
        "viz_type": "table",
        "datasource": "0__table",
        "query_mode": "aggregate",
        "groupby": [column],
        "metrics": [metric],
        "all_columns": [],
        "adhoc_filters": [],
        "row_limit": 1000,
    }
    query = {
        "filters": [],
        "extras": {"having": "", "where": ""},
        "columns": [column],
        "metrics": [metric],
        "orderby": [[metric, False]],
        "row_limit": 1000,
        "order_desc": True,
        "post_processing": [],
    }
    context = {
        "datasource": {"id": 0, "type": "table"},
        "force": False,
        "queries": [query],
        "form_data": params,
        "result_format": "json",
        "result_type": "full",
    }
    return {
        "slice_name": title + suffix,
        "description": None,
        "certified_by": None,
        "certification_details": None,
        "viz_type": "table",
        "params": params,
        "query_context": json.dumps(context),
        "cache_timeout": None,
        "uuid": str(asset_uuid(environment, "chart", f"small/{key}")),
        "version": "1.0.0",
        "dataset_uuid": str(asset_uuid(environment, "dataset", table)),
    }


def _dashboard(environment: str, slug: str, title: str, charts: list[str]) -> dict[str, Any]:
    position: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {
            "type": "GRID",
            "id": "GRID_ID",
            "children": ["ROW-0"],
            "parents": ["ROOT_ID"],
        },
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": title}},
        "ROW-0": {
            "type": "ROW",
            "id": "ROW-0",
            "children": [f"CHART-{key}" for key in charts],
            "parents": ["ROOT_ID", "GRID_ID"],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        },
    }
    for number, key in enumerate(charts, 1):
        position[f"CHART-{key}"] = {
            "type": "CHART",
            "id": f"CHART-{key}",
            "children": [],
            "parents": ["ROOT_ID", "GRID_ID", "ROW-0"],
            "meta": {
                "chartId": number,
                "uuid": str(asset_uuid(environment, "chart", f"small/{key}")),
                "sliceName": CHARTS[key][0],
                "width": 3,
                "height": 50,
            },
        }
    return {
        "dashboard_title": title,
        "description": None,
        "css": "",
        "slug": slug,
        "certified_by": None,
        "certification_details": None,
        "published": True,
        "uuid": str(asset_uuid(environment, "dashboard", "small")),
        "position": position,
        "metadata": {"native_filter_configuration": [], "cross_filters_enabled": True},
        "version": "1.0.0",
    }
