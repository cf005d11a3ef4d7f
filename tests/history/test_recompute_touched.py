"""The kind of model that recomputes what a run touches, on a table small enough to read."""

from pathlib import Path

import duckdb
import pytest
from small_project import opened, write_project

from granary.errors import GranaryError
from granary.reporter import Reporter, Step

TABLES = """
CREATE SCHEMA raw;
CREATE TABLE raw.news AS SELECT 'nobody' AS buyer, CURRENT_DATE AS day;
CREATE TABLE raw.sales AS
SELECT * FROM (VALUES ('a', 1), ('a', 2), ('b', 5), ('c', 7)) AS s(buyer, amount);
"""
NEWS = """
DELETE FROM raw.sales WHERE buyer = 'b';
UPDATE raw.sales SET amount = amount * 10;
INSERT INTO raw.sales VALUES ('d', 9);
INSERT INTO raw.news VALUES ('a', CURRENT_DATE), ('b', CURRENT_DATE), ('d', CURRENT_DATE);
"""
MODEL = """MODEL (name shop.buyers, kind CUSTOM (materialization 'recompute_touched'));
WITH touched_buyers AS (
  SELECT buyer FROM raw.news WHERE day BETWEEN @start_ds AND @end_ds
), sales AS (
  SELECT buyer, amount FROM raw.sales WHERE buyer IN (SELECT buyer FROM touched_buyers)
)
SELECT buyer::TEXT AS buyer, SUM(amount)::INT AS amount FROM sales GROUP BY buyer
"""


def shop(folder: Path, model: str) -> tuple[Path, Path]:
    project = write_project(
        folder / "project", {"models/buyers.sql": model}, "macros", "materializations"
    )
    home = folder / "home"
    home.mkdir()
    with duckdb.connect(str(home / "granary.duckdb")) as connection:
        connection.execute(TABLES)
    return project, home


def buyers(home: Path) -> list[tuple[str, int]]:
    with duckdb.connect(str(home / "granary.duckdb")) as connection:
        return connection.execute("SELECT * FROM shop.buyers ORDER BY buyer").fetchall()


def test_first_build_is_whole_and_a_run_replaces_only_what_it_touches(tmp_path: Path) -> None:
    project, home = shop(tmp_path, MODEL)
    with opened(project, home) as transformation:
        transformation.plan("prod", Step(Reporter(), "Plan"))
    assert buyers(home) == [("a", 3), ("b", 5), ("c", 7)]
    with duckdb.connect(str(home / "granary.duckdb")) as connection:
        connection.execute(NEWS)
    with opened(project, home) as transformation:
        transformation.run(Step(Reporter(), "Run"))
    # b has no rows any more, and nobody said that c changed.
    assert buyers(home) == [("a", 30), ("c", 7), ("d", 9)]


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (MODEL.replace("touched_buyers", "buyers_today"), "has no CTE named touched_"),
        (
            MODEL.replace("SELECT buyer FROM raw.news", "SELECT buyer, day FROM raw.news"),
            "touched_buyers of shop.buyers gives day, which the model does not have",
        ),
    ],
)
def test_model_that_does_not_say_what_it_touches_is_refused(
    tmp_path: Path, model: str, told: str
) -> None:
    project, home = shop(tmp_path, model)
    with opened(project, home) as transformation, pytest.raises(GranaryError, match=told):
        transformation.plan("prod", Step(Reporter(), "Plan"))
