from pathlib import Path

from semantic.tables import metric_tables, write_tables  # isort: skip
from granary.metric_models import FOLDER
from semantic.registry import load_registry


def test_the_committed_metric_tables_are_those_of_the_registry(tmp_path: Path) -> None:
    write_tables(metric_tables(load_registry()), tmp_path)
    committed = {path.name: path.read_text() for path in FOLDER.glob("*.sql")}
    made = {path.name: path.read_text() for path in tmp_path.glob("*.sql")}
    assert committed == made, "run: granary metrics write"


def test_writing_again_changes_nothing_and_removes_what_nobody_asks_for(tmp_path: Path) -> None:
    tables = metric_tables(load_registry())
    assert {path.stem for path in write_tables(tables, tmp_path)} == {t.name for t in tables}
    assert write_tables(tables, tmp_path) == []
    (tmp_path / "old_metrics.sql").write_text("SELECT 1")
    assert write_tables(tables, tmp_path) == [tmp_path / "old_metrics.sql"]
    assert not (tmp_path / "old_metrics.sql").exists()
