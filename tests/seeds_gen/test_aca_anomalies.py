"""Planted anomalies are what their labels say, and the labels lie outside the landing folder."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from aca_world import ARGUMENTS

from seeds_gen.aca import generate

YEAR: dict[str, Any] = ARGUMENTS | {
    "tenants": 1, "members": 4000, "start": date(2024, 1, 1), "end": date(2024, 12, 31),
}  # fmt: skip


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """The latest state of each line, the latest spans, and the labels."""
    folder = tmp_path_factory.mktemp("anomalies")
    summary = generate(folder / "landing", **YEAR, anomalies=True)
    assert summary.faults == folder / "faults"
    assert not list((folder / "landing").rglob("anomalies*"))
    connection = duckdb.connect()
    for feed, key in (("claims", "claim_id, line_number"), ("enrollments", "enrollment_id")):
        connection.execute(
            f"CREATE TABLE {feed} AS FROM read_csv('{folder}/landing/aca/*/{feed}_*.csv', "
            "filename = true, union_by_name = true) QUALIFY row_number() OVER ("
            f"PARTITION BY {key} ORDER BY filename DESC) = 1"
        )
    connection.execute(
        f"CREATE TABLE labels AS FROM read_csv('{folder}/faults/anomalies_issuer_1.csv')"
    )
    connection.execute("""
        CREATE VIEW labelled AS SELECT labels.kind, claims.* FROM labels JOIN claims
          ON claim_id = key AND (labels.line_number IS NULL
            OR labels.line_number = claims.line_number)""")
    return connection


def value(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_every_kind_is_planted_and_every_label_leads_somewhere(
    planted: duckdb.DuckDBPyConnection,
) -> None:
    kinds = dict(planted.execute("SELECT kind, count(*) FROM labels GROUP BY 1").fetchall())
    assert set(kinds) == {
        "duplicate_billing", "upcoding", "impossible_day", "phantom_member", "shared_members",
        "unbundling", "unit_explosion", "late_claim", "retroactive_termination",
        "retroactive_cancellation",
    }  # fmt: skip
    lost = value(
        planted,
        """
        SELECT count(*) FROM labels WHERE key NOT IN (SELECT claim_id FROM claims)
          AND key NOT IN (SELECT enrollment_id FROM enrollments)""",
    )
    assert lost == 0


def test_a_duplicate_has_its_original(planted: duckdb.DuckDBPyConnection) -> None:
    alone = value(
        planted,
        """
        SELECT count(*) FROM labelled a WHERE kind = 'duplicate_billing' AND line_number = 1
          AND service_date < '2024-06-01'
          AND NOT EXISTS (FROM claims b WHERE b.claim_id <> a.claim_id
            AND b.member_id = a.member_id AND b.provider_id = a.provider_id
            AND b.service_date = a.service_date AND b.procedure_code = a.procedure_code)""",
    )
    assert alone == 0


def test_an_impossible_day_has_more_patients_than_any_other(
    planted: duckdb.DuckDBPyConnection,
) -> None:
    visits = """
        SELECT max(n) FROM (SELECT count(DISTINCT c.claim_id) AS n FROM claims c
          JOIN (SELECT DISTINCT provider_id, service_date FROM labelled
            WHERE kind = 'impossible_day') USING (provider_id, service_date)
          GROUP BY provider_id, service_date)"""
    assert value(planted, visits) >= 60
    usual = value(
        planted,
        """
        SELECT max(n) FROM (SELECT count(DISTINCT claim_id) AS n FROM claims c
          WHERE claim_type = 'professional' AND procedure_code LIKE 'PX-OV%'
            AND (provider_id, service_date) NOT IN (SELECT (provider_id, service_date)
              FROM labelled WHERE kind = 'impossible_day')
          GROUP BY provider_id, service_date)""",
    )
    assert usual < 15


def test_a_phantom_is_served_after_the_end_and_not_refused_for_it(
    planted: duckdb.DuckDBPyConnection,
) -> None:
    """Ends of the last months may become known only when three months of grace are over."""
    covered = value(
        planted,
        """
        SELECT count(*) FROM labelled c JOIN enrollments e USING (member_id)
        WHERE kind = 'phantom_member' AND service_date < '2024-10-01'
          AND service_date BETWEEN coverage_start_date AND coverage_end_date""",
    )
    assert covered == 0
    states = "SELECT count(*) FROM labelled WHERE kind = 'phantom_member' AND claim_status = '{}'"
    assert value(planted, states.format("paid")) > 0


def test_upcoding_drifts(planted: duckdb.DuckDBPyConnection) -> None:
    first, last = (
        value(
            planted,
            f"""
            SELECT count(*) FROM labelled WHERE kind = 'upcoding'
              AND quarter(service_date) = {quarter}""",
        )
        for quarter in (1, 3)
    )
    assert last > first
    codes = planted.execute("""
        SELECT DISTINCT procedure_code FROM labelled WHERE kind = 'upcoding' AND line_number = 1""")
    assert codes.fetchall() == [("PX-OV4",)]


def test_lines_are_unbundled_and_units_explode(planted: duckdb.DuckDBPyConnection) -> None:
    panels = value(
        planted,
        """
        SELECT min(n) FROM (SELECT count(*) AS n FROM labelled WHERE kind = 'unbundling'
          GROUP BY claim_id)""",
    )
    assert panels == 5
    assert value(planted, "SELECT min(units) FROM labelled WHERE kind = 'unit_explosion'") >= 12


def test_a_ring_shares_its_members(planted: duckdb.DuckDBPyConnection) -> None:
    providers, members = planted.execute("""
        SELECT count(DISTINCT provider_id), count(DISTINCT member_id) FROM labelled
        WHERE kind = 'shared_members'""").fetchall()[0]
    assert providers == 3
    # 25 of each unit: the first year, and January's extract has the second.
    assert members <= 50


def test_late_and_retroactive_ones_are_late(planted: duckdb.DuckDBPyConnection) -> None:
    soon = value(
        planted,
        """
        SELECT min(received_date - service_date) FROM labelled WHERE kind = 'late_claim'""",
    )
    assert soon > 180
    others = value(
        planted,
        """
        SELECT count(*) FROM labels JOIN enrollments ON enrollment_id = key
        WHERE filename LIKE '%20250101%'
          AND (kind = 'retroactive_cancellation') <> (coverage_end_date < coverage_start_date)""",
    )
    assert others == 0


def test_the_same_arguments_plant_the_same(tmp_path: Path) -> None:
    small = YEAR | {"members": 600, "end": date(2024, 6, 30)}
    labels = []
    for name in ("first", "second"):
        generate(tmp_path / name / "landing", **small, anomalies=True)
        labels.append((tmp_path / name / "faults" / "anomalies_issuer_1.csv").read_bytes())
    assert labels[0] == labels[1]
    assert labels[0].count(b"\n") > 20
