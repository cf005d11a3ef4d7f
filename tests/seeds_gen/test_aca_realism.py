"""The report measures the files, and nothing but the files."""

import csv
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from aca_world import World

from granary.errors import GranaryError
from granary.settings import PROJECT
from seeds_gen.aca.realism import Finding, Verdict, measure, show

# What people decide in thousands varies little in a world of ten thousand.
STEADY = (
    "A01", "A02", "A03", "A08", "A19", "A21.100-150", "A28.55-64", "A29", "B01", "B03", "B04",
    "B10", "D04.other", "E07", "E08", "F01.1", "F01.6", "F06", "F07", "R01", "R08", "R13", "R14",
    "R15", "R16", "R17", "R18", "R19",
)  # fmt: skip


@pytest.fixture(scope="module")
def findings(large_world: World) -> dict[str, Finding]:
    return {f.target.target_id: f for f in measure(large_world.landing)}


def test_every_target_is_measured_or_says_why_not(findings: dict[str, Finding]) -> None:
    with (PROJECT / "reference" / "aca" / "realism_targets.csv").open() as file:
        listed = {row["target_id"] for row in csv.DictReader(file)}
    assert set(findings) == listed
    unexpressed = {i for i, f in findings.items() if f.verdict is Verdict.NOT_EXPRESSIBLE}
    assert unexpressed == {"B02", "B05", "F03"}
    silent = {i.split(".")[0] for i, f in findings.items() if f.verdict is Verdict.NO_DATA}
    # One year cannot tell of a second one.
    assert silent <= {
        "A05", "A06", "A13", "A14", "A15", "A16", "A17", "A18", "A19", "A21", "A22", "A24", "C07",
        "C08", "R05", "R09", "F02",
    }  # fmt: skip


def test_steady_targets_hold_in_a_small_world(findings: dict[str, Finding]) -> None:
    missed = {
        i: findings[i].measured
        for i in STEADY
        if findings[i].verdict is not Verdict.HOLDS and findings[i].verdict is not Verdict.NO_DATA
    }
    assert missed == {}


def test_a_figure_equals_its_count_by_hand(
    findings: dict[str, Finding], large_world: World
) -> None:
    bronze, others = large_world.rows("""
        SELECT count(*) FILTER (metal_tier = 'bronze'),
          count(*) FILTER (metal_tier IN ('silver', 'gold'))
        FROM (FROM enrollments QUALIFY row_number() OVER (
          PARTITION BY enrollment_id ORDER BY extracted_on DESC) = 1)
        JOIN (SELECT DISTINCT plan_id, metal_tier FROM plans) USING (plan_id)
        WHERE enrollment_source <> 'special_enrollment' AND plan_id NOT LIKE '%-00'
          AND coverage_start_date BETWEEN '2024-01-01' AND '2024-02-01'""")[0]
    assert findings["A01"].measured == pytest.approx(100 * bronze / (bronze + others))


def test_a_changed_file_changes_the_verdict(large_world: World, tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    shutil.copytree(large_world.landing, landing)
    for path in landing.glob("aca/*/members_*.csv"):
        path.write_text(path.read_text().replace(",F,", ",M,"))
    changed = {f.target.target_id: f for f in measure(landing)}
    assert changed["A29"].measured == 0
    assert changed["A29"].verdict is Verdict.MISSES
    assert changed["E11"].verdict is not Verdict.NO_DATA


def test_a_wrong_cent_and_a_wrong_credit_are_found(large_world: World, tmp_path: Path) -> None:
    """One premium is a cent off, and one in ten credits a dollar."""
    landing = tmp_path / "landing"
    shutil.copytree(large_world.landing, landing)
    path = max(landing.glob("aca/*/enrollments_*.csv"))
    header, *lines = csv.reader(path.read_text().splitlines())
    premium, credit = header.index("monthly_premium"), header.index("aptc_amount")
    lines[0][premium] = str(Decimal(lines[0][premium]) + Decimal("0.01"))
    for line in lines[::10]:
        line[credit] = str(max(Decimal(line[credit]) - 1, Decimal(0)))
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *lines])
    found = {f.target.target_id: f for f in measure(landing)}
    assert found["R14"].measured == pytest.approx(0.01)
    wrong = {name for name in ("R14", "R15", "R16") if found[name].verdict is Verdict.MISSES}
    assert wrong == {"R14", "R15", "R16"}


def test_the_table_names_each_target_and_adds_up(
    findings: dict[str, Finding], capsys: pytest.CaptureFixture[str]
) -> None:
    show(list(findings.values()))
    said = capsys.readouterr().out
    for target_id, finding in findings.items():
        assert f"{target_id} " in said
        assert finding.target.metric in said
    holds = sum(finding.verdict is Verdict.HOLDS for finding in findings.values())
    assert f"{len(findings)} figures: {holds} holds" in said


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(GranaryError, match="has no file of the feed plans"):
        measure(tmp_path)


def test_newborns_come_into_the_world_in_hospital(large_world: World) -> None:
    newborns = large_world.rows("""
        SELECT count(DISTINCT member_id), count(*) FILTER (service_date <> dob),
          count(*) FILTER (diagnosis_code <> 'Z38.00')
        FROM (SELECT DISTINCT member_id, service_date, diagnosis_code FROM claims
          WHERE admission_type = 'newborn')
        JOIN (SELECT DISTINCT member_id, dob FROM members) USING (member_id)""")
    people, elsewhere, otherwise = newborns[0]
    assert people > 40
    assert elsewhere == otherwise == 0


def test_newborns_live_with_the_mother_who_gave_birth_to_them_that_day(large_world: World) -> None:
    children = large_world.rows("""
        WITH people AS (SELECT DISTINCT member_id, household_id, dob FROM members), births AS (
          SELECT DISTINCT member_id, household_id, service_date, plan_id
          FROM claims JOIN people USING (member_id) WHERE procedure_code = 'PX-IPB'
        ), children AS (
          SELECT DISTINCT member_id, household_id, dob, plan_id
          FROM people JOIN claims USING (member_id) WHERE admission_type = 'newborn'
        )
        SELECT children.dob, count(births.member_id), bool_and(births.plan_id = children.plan_id)
        FROM children LEFT JOIN births
          ON births.household_id = children.household_id AND births.service_date = children.dob
        GROUP BY children.member_id, children.dob""")
    assert len(children) > 40
    # Some of the mothers' claims come later than the year ends.
    early = [mothers for dob, mothers, _ in children if dob.month <= 9]
    assert len(early) > 25
    assert sum(early) > 0.95 * len(early)
    assert max(mothers for _, mothers, _ in children) == 1
    assert all(same is not False for _, _, same in children)
