"""Standard forms of text, money and dates, on every engine."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from macro_support import Answers

FIRST_DAY = date(2023, 12, 1)
DAYS = [FIRST_DAY + timedelta(days=number) for number in range(500)]


def ages(engine: Answers, born: str, days: list[str]) -> list[int]:
    rows = ", ".join(f"(DATE '{day}')" for day in days)
    return [
        age
        for _, age in engine(
            f"SELECT day, @age_in_years(DATE '{born}', day) AS age "
            f"FROM (VALUES {rows}) AS days(day) ORDER BY day"
        )
    ]


def test_age_grows_on_the_birthday_and_not_the_day_before(engine: Answers) -> None:
    days = ["1990-07-14", "1990-07-15", "1991-07-14", "1991-07-15", "2025-07-14", "2025-07-15"]
    assert ages(engine, "1990-07-15", days) == [-1, 0, 0, 1, 34, 35]


def test_whoever_is_born_on_29_february_ages_on_1_march_in_common_years(engine: Answers) -> None:
    days = ["2001-02-28", "2001-03-01", "2004-02-28", "2004-02-29", "2100-02-28", "2100-03-01"]
    assert ages(engine, "2000-02-29", days) == [0, 1, 3, 4, 99, 100]


def test_age_of_a_newborn_and_at_the_turn_of_the_year(engine: Answers) -> None:
    assert ages(engine, "2024-12-31", ["2024-12-31", "2025-01-01", "2025-12-31"]) == [0, 0, 1]


def test_age_is_unknown_without_a_day_of_birth(engine: Answers) -> None:
    assert engine("SELECT @age_in_years(NULL::DATE, DATE '2025-01-01') AS age") == [(None,)]


def test_age_groups_meet_at_their_borders(engine: Answers) -> None:
    rows = engine(
        "SELECT age, @age_group(age) AS age_group FROM (VALUES (0), (17), (18), (25), (26), (34), "
        "(35), (44), (45), (54), (55), (64), (65), (110)) AS people(age) ORDER BY age"
    )
    assert [group for _, group in rows] == [
        *("0-17", "0-17", "18-25", "18-25", "26-34", "26-34", "35-44", "35-44"),
        *("45-54", "45-54", "55-64", "55-64", "65+", "65+"),
    ]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("$1,234.50", "1234.50"),
        ("  $99 ", "99.00"),
        ("1234567.89", "1234567.89"),
        ("0", "0.00"),
        ("$0.5", "0.50"),
        ("", None),
        ("Not Applicable", None),
        ("$", None),
        ("-5", None),
        ("1.2.3", None),
        ("12 USD", None),
        (None, None),
    ],
)
def test_money_is_read_from_text_or_null(
    engine: Answers, text: str | None, amount: str | None
) -> None:
    value = "NULL" if text is None else f"'{text}'"
    rows = engine(f"SELECT @money(value) AS amount FROM (SELECT {value}::TEXT AS value) AS texts")
    assert rows == [(None if amount is None else Decimal(amount),)]


def test_texts_lose_their_spaces_and_blanks_become_null(engine: Answers) -> None:
    rows = engine(
        "SELECT @clean(value) AS clean, @code(value) AS code, @upper_code(value) AS upper_code "
        "FROM (VALUES (1, '  Gold Plan '), (2, '   '), (3, ''), (4, NULL)) AS t(place, value) "
        "ORDER BY place"
    )
    assert rows == [("Gold Plan", "gold plan", "GOLD PLAN"), *[(None, None, None)] * 3]
