import csv
import io
import json
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal

import pytest

from granary.errors import GranaryError
from granary.gateways.base import Rows
from granary.tables import show_differences, write_rows
from granary.transformation import TableDifference

CLAIMS = Rows(
    ["claim_id", "paid_amount", "service_date", "loaded_at", "is_final", "note", "lines"],
    [
        (
            "C-1",
            Decimal("1234.50"),
            date(2025, 1, 31),
            datetime(2025, 2, 1, 6, 30),
            True,
            'he said "no", twice\nand left',
            3,
        ),
        ("C-2", Decimal("12345678901234567.89"), None, None, False, None, 0),
    ],
)
MARKUP = "[red]not red[/red] [/] [bold :100: \\[x] \\"


def printed(rows: Rows, format: str, capsys: pytest.CaptureFixture[str]) -> str:
    write_rows(rows, format)
    output = capsys.readouterr()
    assert output.err == ""
    return output.out


def test_csv_reads_back_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    lines = list(csv.reader(io.StringIO(printed(CLAIMS, "csv", capsys))))
    assert lines == [
        CLAIMS.columns,
        [
            "C-1",
            "1234.50",
            "2025-01-31",
            "2025-02-01 06:30:00",
            "True",
            'he said "no", twice\nand left',
            "3",
        ],
        ["C-2", "12345678901234567.89", "", "", "False", "", "0"],
    ]


def test_json_keeps_every_digit_and_writes_dates_as_iso(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert json.loads(printed(CLAIMS, "json", capsys)) == [
        {
            "claim_id": "C-1",
            "paid_amount": "1234.50",
            "service_date": "2025-01-31",
            "loaded_at": "2025-02-01T06:30:00",
            "is_final": True,
            "note": 'he said "no", twice\nand left',
            "lines": 3,
        },
        {
            "claim_id": "C-2",
            "paid_amount": "12345678901234567.89",
            "service_date": None,
            "loaded_at": None,
            "is_final": False,
            "note": None,
            "lines": 0,
        },
    ]


def test_json_with_one_name_twice_is_refused_rather_than_cut(
    capsys: pytest.CaptureFixture[str],
) -> None:
    twins = Rows(["id", "id", "name"], [(1, 2, "a")])
    with pytest.raises(GranaryError, match="More than one column is called id"):
        write_rows(twins, "json")
    assert printed(twins, "csv", capsys) == "id,id,name\n1,2,a\n"


def test_table_aligns_numbers_to_the_right_and_counts_rows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = Rows(["tier", "members", "paid"], [("gold", 5, Decimal("1.50")), ("silver", 12, None)])
    lines = [line.rstrip() for line in printed(rows, "table", capsys).splitlines()]
    assert lines == [
        "tier    members  paid",
        "gold          5  1.50",
        "silver       12",
        "2 rows",
    ]


@pytest.mark.parametrize("format", ["table", "csv", "json"])
def test_an_empty_answer_still_has_its_form(
    format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(Rows(["tier", "members"], []), format, capsys).split()
    assert (
        lines
        == {
            "table": ["tier", "members", "0", "rows"],
            "csv": ["tier,members"],
            "json": ["[]"],
        }[format]
    )


@pytest.mark.parametrize("format", ["table", "csv"])
def test_values_that_look_like_markup_are_shown_literally(
    format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(Rows([MARKUP], [(MARKUP,)]), format, capsys).splitlines()
    assert [line.rstrip() for line in lines[:2]] == [MARKUP, MARKUP]


def test_a_long_value_is_written_whole_where_nobody_looks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    long = "x" * 500
    assert long in printed(Rows(["value"], [(long,)]), "table", capsys)


def test_one_row_is_one_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(Rows(["one"], [(1,)]), "table", capsys).endswith("\n1 row\n")


def test_differences_have_a_line_per_model(capsys: pytest.CaptureFixture[str]) -> None:
    difference = TableDifference("core.dim_plan", ["network"], ["tier"], 1, 2, 3, 40)
    show_differences([difference], "prod", "sandbox")
    header, line = capsys.readouterr().out.splitlines()
    assert header.split("  ")[0] == "model"
    assert "only in prod  only in sandbox  changed  equal" in header
    assert line.split() == ["core.dim_plan", "+network", "-tier", "1", "2", "3", "40"]


def test_equal_environments_are_said_to_be_equal(capsys: pytest.CaptureFixture[str]) -> None:
    show_differences([], "prod", "sandbox")
    assert capsys.readouterr().out == "prod and sandbox hold the same tables.\n"


def test_a_query_does_not_wait_for_sqlmesh_to_load() -> None:
    script = "import sys, granary.cli, granary.tables; print('sqlmesh' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
