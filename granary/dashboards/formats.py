"""How numbers are written, by their unit and the room there is."""

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
}
_WORDS = {
    Unit.USD: "US dollars",
    Unit.USD_PMPM: "US dollars per member month",
    Unit.PER_1000: "per 1,000 members a year",
}


def exact(unit: Unit) -> str:
    """Where digits matter, as in tables."""
    return unit.d3_format


def short(unit: Unit) -> str:
    """Where one number stands alone: dollars as $12.3M."""
    return "$.3s" if unit is Unit.USD else unit.d3_format


def along_axis(unit: Unit) -> str:
    """Where numbers stand close: no digits that are always zero."""
    return "$.3~s" if unit is Unit.USD else unit.d3_format


def words(unit: Unit) -> str:
    """The unit in words."""
    return _WORDS.get(unit, unit.value)


def with_unit(title: str, unit: Unit) -> str:
    """A title that names the unit where the numbers do not show it."""
    if unit not in _SAID:
        return title
    mark, said = _SAID[unit]
    return title if mark in title.lower() else f"{title} ({said})"
