"""How numbers are written, by their unit and the room there is."""

import re

from granary.dashboards.shapes import Column
from semantic.definitions import Unit

MONTH = "%b %Y"
DAY = "%d %b %Y"
TIME_FORMATS = {"day": DAY, "month": MONTH, "quarter": "%b %Y", "year": "%Y"}

# Where the format does not show what is counted: what a title has to name, and how it is said.
_SAID = {
    Unit.PER_1000: ("1,000", "per 1,000 members a year"),
    Unit.PER_MEMBER_YEAR: ("per member", "per member and year"),
    Unit.DAYS: ("day", "days"),
    Unit.MONTHS: ("month", "months"),
    Unit.SECONDS: ("second", "seconds"),
}
_COMPACT = {
    Unit.USD: "$.2~s",
    Unit.USD_PMPM: "$,.0f",
    Unit.SHARE: ".0%",
    Unit.RATIO: ",.2f",
    Unit.SCORE: ",.2f",
    Unit.PER_MEMBER_YEAR: ",.1f",
    Unit.DAYS: ",.1f",
}
_WORDS = {
    Unit.USD: "US dollars",
    Unit.USD_PMPM: "US dollars per member month",
    Unit.PER_1000: "per 1,000 members a year",
}


def exact(unit: Unit) -> str:
    """Where digits matter, as in tables."""
    return ",.1~f" if unit is Unit.MONTHS else unit.d3_format


def short(unit: Unit) -> str:
    """Where one number stands alone: dollars as $12.3M."""
    return "$.3~s" if unit is Unit.USD else exact(unit)


def along_axis(unit: Unit) -> str:
    """Where numbers stand close: no digits that are always zero."""
    if unit is Unit.USD:
        return short(unit)
    return re.sub("~?([f%])", r"~\1", unit.d3_format.replace(",d", ",.1f"))


def compact(unit: Unit) -> str:
    """Where a number has a cell's room: two or three digits."""
    return _COMPACT.get(unit, ",.0f")


def of_column(column: Column) -> str | None:
    """How a column's values are written where rows stand as they are; None for words and keys."""
    if column.name.endswith(("_rate", "_ratio", "_share")):
        return ".1%"
    if not column.is_number or column.name.endswith(("_id", "_key", "_year", "year")):
        return None
    if "USD" in column.description:
        return "$,.2f" if "per member" in column.description else "$,.0f"
    return ",.2~f" if column.type.startswith("DECIMAL") else ",d"


def words(unit: Unit) -> str:
    """The unit in words."""
    return _WORDS.get(unit, unit.value)


def with_unit(title: str, unit: Unit) -> str:
    """A title that names the unit where the numbers do not show it."""
    if unit not in _SAID:
        return title
    mark, said = _SAID[unit]
    return title if mark in title.lower() else f"{title} ({said})"
