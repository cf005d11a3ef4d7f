"""Superset's datasets: one for each semantic table."""

from collections.abc import Mapping
from typing import Any

from granary.dashboards.formats import short
from granary.dashboards.identity import DATABASE_UUID, asset_uuid, schema_of
from granary.dashboards.measures import Measure
from granary.dashboards.shapes import Column, Shape
from granary.dashboards.wording import Wording

VERSION = "1.0.0"


def dataset(
    environment: str, shape: Shape, measures: Mapping[str, Measure], wording: Wording
) -> dict[str, Any]:
    """A table as Superset imports it, with its columns and all that can be measured on it."""
    return {
        "table_name": shape.table,
        "main_dttm_col": shape.time,
        "description": shape.description,
        "default_endpoint": None,
        "offset": 0,
        "cache_timeout": None,
        "catalog": None,
        "schema": schema_of(environment),
        "sql": None,
        "params": None,
        "template_params": None,
        "filter_select_enabled": True,
        "fetch_values_predicate": None,
        "extra": _certification(shape),
        "normalize_columns": False,
        "always_filter_main_dttm": False,
        "is_managed_externally": True,
        "uuid": str(asset_uuid(environment, "dataset", shape.table)),
        "database_uuid": str(DATABASE_UUID),
        "version": VERSION,
        "metrics": [_metric(measure) for measure in measures.values()],
        "columns": [_column(column, wording) for column in shape.columns.values()],
    }


def _certification(shape: Shape) -> dict[str, Any]:
    if not shape.audits:
        return {}
    audits = "1 audit" if shape.audits == 1 else f"{shape.audits} audits"
    return {
        "certification": {
            "certified_by": shape.owner.replace("_", " "),
            "details": f"Its rows were published because {audits} passed.",
        }
    }


def _column(column: Column, wording: Wording) -> dict[str, Any]:
    return {
        "column_name": column.name,
        "verbose_name": wording.label(column.name),
        "is_dttm": column.is_time,
        "is_active": True,
        "type": column.type,
        "advanced_data_type": None,
        # Amounts are measured; whole numbers may be years and numbers of things.
        "groupby": not column.type.startswith(("DECIMAL", "DOUBLE", "REAL")),
        "filterable": True,
        "expression": None,
        "description": column.description,
        "python_date_format": None,
        "extra": {},
    }


def _metric(measure: Measure) -> dict[str, Any]:
    return {
        "metric_name": measure.name,
        "verbose_name": measure.label,
        "metric_type": None,
        "expression": measure.sql,
        "description": measure.description,
        "d3format": short(measure.unit),
        "currency": None,
        "extra": {},
        "warning_text": "Holds within one period only." if measure.is_stock else None,
    }
