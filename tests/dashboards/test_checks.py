"""A spec that would draw an error, nothing, or a wrong number is refused, with file and line."""

import re
import shutil
from pathlib import Path

import pytest

from dashboards.conftest import EVERY_KIND, MODELS
from granary.dashboards.bundle import read_sources
from granary.errors import GranaryError
from semantic.registry import Registry

GOOD = """\
dashboard: Small
says: How much?
order: 1
filters: [period, metal_tier]
tabs:
  - tab: First
    says: What is shown.
    rows:
      - - {chart: line, title: Paid, table: aca_metrics_detail,
           metric: claims_paid, by: [metal_tier], size: half}
        - {chart: ranking, title: States, table: aca_metrics_detail,
           metric: claims_paid, by: [state], size: half}
      - - {chart: table, title: Claims, table: agg_claims_monthly,
           by: [claim_type], metric: lines, size: full}
"""
WRONG = {
    "table": ("table: agg_claims_monthly", "table: agg_claims_monthy", 13,
              "there is no table agg_claims_monthy. Did you mean agg_claims_monthly"),
    "column": ("by: [state]", "by: [stat]", 12,
               "aca_metrics_detail has no column stat. Did you mean state"),
    "metric": ("metric: lines", "metric: line", 14,
               "agg_claims_monthly cannot give the metric line. Did you mean lines?"),
    "column of a condition": ("by: [state],", "by: [state], where: {metal: gold},", 12,
                              "aca_metrics_detail has no column metal."),
    "metric that does not roll up": ("metric: claims_paid, by: [state]",
                                     "metric: months_on_record, by: [state]", 12,
                                     "cannot give the metric months_on_record."),
    "stock over months": ("metric: claims_paid, by: [state]",
                          "metric: effectuated_enrollment, by: [state]", 12,
                          "effectuated_enrollment cannot be added up over months."),
    "stock over quarters": ("metric: claims_paid, by: [metal_tier]",
                            "metric: effectuated_enrollment, grain: quarter", 10,
                            "effectuated_enrollment cannot be added up over months."),
    "filter": ("filters: [period, metal_tier]", "filters: [period, metal_tire]", 4,
               "no chart of the dashboard has metal_tire. Did you mean metal_tier?"),
    "filter twice": ("filters: [period, metal_tier]", "filters: [period, period]", 4,
                     "the filter period stands twice."),
    "key twice": ("title: States", "title: Paid", 11,
                  "the key paid is that of the chart in line 9 too."),
    "uneven row": ("by: [state], size: half", "by: [state], size: third", 9,
                   "the row fills 10 of 12 columns."),
    "unknown key": ("size: full", "size: full, colour: red", 14,
                    "colour: Extra inputs are not permitted"),
    "unknown kind": ("chart: table", "chart: tabel", 13, "tabel"),
    "unknown size": ("size: full", "size: whole", 14, "size: Input should be"),
    "no metric": ("by: [claim_type], metric: lines", "by: [claim_type]", 13,
                  "give by with either metric or metrics, or give columns"),
    "two units on an axis": ("metric: claims_paid, by: [metal_tier]",
                             "metrics: [claims_paid, member_months]", 10,
                             "one axis cannot show claims_paid (USD), member_months (months)."),
    "line over no time": ("by: [metal_tier], size", "over: state, size", 10,
                          "state holds no times."),
    "histogram of words": ("{chart: table, title: Claims, table: agg_claims_monthly,\n"
                           "           by: [claim_type], metric: lines,",
                           "{chart: histogram, title: Claims, table: agg_claims_monthly, "
                           "column: claim_type,", 13, "claim_type holds no numbers."),
    "no main time": ("{chart: table, title: Claims, table: agg_claims_monthly,\n"
                     "           by: [claim_type], metric: lines,",
                     "{chart: line, title: Claims, table: agg_member_cost, metric: lines,", 13,
                     "agg_member_cost has no main time."),
    "key that stands twice": ("order: 1", "order: 1\norder: 2", 1, "order stands twice"),
}  # fmt: skip


def read(folder: Path, spec: str, registry: Registry) -> None:
    (folder / "specs").mkdir()
    (folder / "specs" / "small.yaml").write_text(spec)
    for name in ("measures", "labels", "colours"):
        shutil.copy(EVERY_KIND / f"{name}.yaml", folder)
    read_sources(folder, MODELS, registry)


def test_the_spec_that_the_others_are_made_from_is_right(
    tmp_path: Path, registry: Registry
) -> None:
    read(tmp_path, GOOD, registry)


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_spec_is_refused_with_file_and_line(
    case: str, tmp_path: Path, registry: Registry
) -> None:
    right, wrong, line, message = WRONG[case]
    assert GOOD.count(right) == 1
    with pytest.raises(GranaryError) as refused:
        read(tmp_path, GOOD.replace(right, wrong), registry)
    said = str(refused.value)
    assert "small.yaml" in said
    assert re.search(rf"small\.yaml:{line}:|line {line}\b", said), said
    assert message in said


def test_all_faults_of_all_specs_are_told_at_once(tmp_path: Path, registry: Registry) -> None:
    spec = GOOD.replace("by: [state]", "by: [stat]").replace("metric: lines", "metric: line")
    with pytest.raises(GranaryError) as refused:
        read(tmp_path, spec, registry)
    assert len(str(refused.value).splitlines()) == 2


OTHER_FILES = {
    "measure of no table": ("measures", "agg_claim:\n  paid: {label: P, sql: SUM(x), unit: USD, "
                            "description: P.}", "measures.yaml:1: there is no table agg_claim."),
    "measure of no column": ("measures", "agg_claims_monthly:\n  lines: {label: P, sql: SUM(paid), "
                             "unit: USD, description: P.}",
                             "measures.yaml:2: agg_claims_monthly has no column paid."),
    "measure without aggregate": ("measures", "agg_claims_monthly:\n  lines: {label: P, sql: "
                                  "paid_amount, unit: USD, description: P.}",
                                  "measures.yaml:2: 'paid_amount' is no aggregate."),
    "measure of a registry's table": ("measures", "aca_metrics_detail:\n  paid: {label: P, sql: "
                                      "SUM(claims_paid), unit: USD, description: P.}",
                                      "measures.yaml:1: aca_metrics_detail is made from the"),
    "unit that is none": ("measures", "agg_claims_monthly:\n  lines: {label: P, sql: "
                          "SUM(paid_amount), unit: EUR, description: P.}", "line 2"),
    "colour that is none": ("colours", "metal_tier:\n  gold: yellow", "line 2"),
    "value with two colours": ("colours", "metal_tier:\n  gold: '#111111'\nplan:\n  gold: "
                               "'#222222'", "colours.yaml:4: gold has another colour"),
}  # fmt: skip


@pytest.mark.parametrize("case", OTHER_FILES)
def test_the_other_files_are_checked_too(case: str, tmp_path: Path, registry: Registry) -> None:
    name, text, message = OTHER_FILES[case]
    shutil.copytree(EVERY_KIND, tmp_path / "project")
    (tmp_path / "project" / f"{name}.yaml").write_text(text)
    with pytest.raises(GranaryError, match=re.escape(message)):
        read_sources(tmp_path / "project", MODELS, registry)
