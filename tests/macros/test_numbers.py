"""Quotients round alike on every engine."""

from decimal import Decimal

from macro_support import Answers


def test_a_tie_is_rounded_up_whatever_the_engine_divides_in(engine: Answers) -> None:
    # 12343.05 / 18 is 685.725, which is a little less in binary.
    rows = engine(
        "SELECT @quotient(amount, months)::DECIMAL(18, 2) AS pmpm FROM (VALUES "
        "(12343.05::DECIMAL(18, 2), 18::BIGINT), (37.37, 2), (-12343.05, 18), (1.00, 3)"
        ") AS amounts(amount, months) ORDER BY amount"
    )
    assert rows == [
        (Decimal("-685.73"),),
        (Decimal("0.33"),),
        (Decimal("18.69"),),
        (Decimal("685.73"),),
    ]


def test_nothing_is_divided_by_zero(engine: Answers) -> None:
    assert engine("SELECT @quotient(5, 0)::DECIMAL(18, 2) AS pmpm") == [(None,)]


def test_counts_divide_into_shares(engine: Answers) -> None:
    rows = engine("SELECT @quotient(2::BIGINT, 3::BIGINT)::DECIMAL(9, 6) AS share")
    assert rows == [(Decimal("0.666667"),)]
