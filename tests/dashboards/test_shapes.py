"""What a table looks like is read from its model's file."""

from pathlib import Path

import pytest

from granary.dashboards.shapes import Column, read_shapes
from granary.errors import GranaryError

MODEL = """\
MODEL (
  name semantic.small,
  kind FULL,
  owner claims_analytics,
  grain (tenant_id, "month"),
  description 'It''s small, (not big). How small?',
  audits (not_null(columns := (tenant_id, month)), number_of_rows(threshold := 1))
);

WITH lines AS (
  SELECT a, b FROM core.lines
)
SELECT
  tenant_id::TEXT AS tenant_id, /* issuer, whose data it is */
  @month_of(day)::DATE AS month, /* first day */
  CAST(COALESCE(SUM(a), 0) AS DECIMAL(18, 2)) AS amount, /* paid, USD */
  (
    SUM(a)::DECIMAL(18, 6) / NULLIF(SUM(b), 0)
  )::DECIMAL(9, 6) AS rate /* a over b */
FROM lines
"""


def test_a_model_is_read_without_planning_it(tmp_path: Path) -> None:
    (tmp_path / "small.sql").write_text(MODEL)
    shape = read_shapes(tmp_path)["small"]
    assert shape.owner == "claims_analytics"
    assert shape.description == "It's small, (not big). How small?"
    assert shape.grain == ("tenant_id", "month")
    assert shape.time == "month"
    assert shape.audits == 2
    assert list(shape.columns.values()) == [
        Column("tenant_id", "TEXT", "issuer, whose data it is"),
        Column("month", "DATE", "first day"),
        Column("amount", "DECIMAL(18, 2)", "paid, USD"),
        Column("rate", "DECIMAL(9, 6)", "a over b"),
    ]


def test_versions_that_sqlmesh_adds_are_columns_too(tmp_path: Path) -> None:
    kind = "kind SCD_TYPE_2_BY_COLUMN (unique_key tenant_id, columns *)"
    (tmp_path / "small.sql").write_text(MODEL.replace("kind FULL", kind))
    shape = read_shapes(tmp_path)["small"]
    assert [*shape.columns][-2:] == ["valid_from", "valid_to"]
    assert shape.is_time("valid_to")


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("MODEL (", "SELECT 1;", r"small\.sql:1: there is no MODEL"),
        ("semantic.small", "core.small", r"small\.sql:1: the model is not in semantic"),
        ("tenant_id::TEXT AS", "tenant_id AS", r"small\.sql:14: column tenant_id has no type"),
    ],
)
def test_a_model_out_of_form_is_told(right: str, wrong: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "small.sql").write_text(MODEL.replace(right, wrong))
    with pytest.raises(GranaryError, match=message):
        read_shapes(tmp_path)
