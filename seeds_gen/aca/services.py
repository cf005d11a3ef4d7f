"""All services of a world: encounters, stays and their lines, in the order of months."""

import numpy as np

from .encounters import Encounters, make_month
from .enrollments import Spans, coverage_by_month
from .lines import Lines, make_lines
from .members import Members
from .providers import Providers
from .stays import (
    admit,
    days_of_death,
    following_stays,
    last_stays,
    one_stay_at_a_time,
    until_death,
)
from .world import Streams, concatenate, month_of


def make_all(
    streams: Streams, members: Members, spans: Spans, providers: Providers
) -> tuple[Encounters, Lines]:
    """Make every encounter of the horizon and its lines."""
    encounters = _all_encounters(streams, members, spans, providers)
    months = month_of(encounters.day)
    parts = []
    for month in _months(members):
        rows = np.flatnonzero(months == month)
        lines = make_lines(streams("lines", month), members.horizon, encounters.taken(rows))
        first = rows[0] if len(rows) else 0
        parts.append(Lines(**(vars(lines) | {"encounter": lines.encounter + first})))
    return encounters, concatenate(Lines, parts)


def _all_encounters(
    streams: Streams, members: Members, spans: Spans, providers: Providers
) -> Encounters:
    """Every encounter of the horizon, in the order of months."""
    covered = coverage_by_month(spans, members.horizon, len(members.birth))
    deaths = days_of_death(streams, members, spans)
    parts = []
    for position, month in enumerate(_months(members)):
        rng = streams("encounters", month)
        usual = admit(rng, make_month(rng, position, members, spans, covered, providers))
        rng = streams("following stays", month)
        parts += [usual, following_stays(rng, members, covered, providers, usual)]
        rng = streams("last stays", month)
        parts.append(last_stays(rng, members, spans, providers, deaths, month))
    made = one_stay_at_a_time(until_death(concatenate(Encounters, parts), deaths))
    return made.taken(np.argsort(month_of(made.day), kind="stable"))


def _months(members: Members) -> range:
    first = members.horizon.first_month
    return range(first, first + members.horizon.months)
