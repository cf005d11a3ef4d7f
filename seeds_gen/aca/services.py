"""All services of a unit: encounters, stays and their lines, in the order of months."""

import numpy as np

from .encounters import Encounters, make_month
from .enrollments import Spans, coverage_by_month
from .lines import Lines, make_lines
from .members import Members
from .providers import Providers
from .stays import (
    admit,
    days_of_death,
    emergency_visits,
    following_stays,
    last_stays,
    one_stay_at_a_time,
    until_death,
)
from .world import Streams, by_month, concatenate, month_of


def make_lines_of_all(streams: Streams, members: Members, encounters: Encounters) -> Lines:
    """Make the lines of every encounter."""
    parts = []
    for month, rows in zip(
        _months(members), by_month(encounters.day, members.horizon), strict=True
    ):
        lines = make_lines(streams("lines", month), members.horizon, encounters.taken(rows))
        parts.append(Lines(**(vars(lines) | {"encounter": lines.encounter + rows.start})))
    return concatenate(Lines, parts)


def make_encounters(
    streams: Streams, members: Members, spans: Spans, providers: Providers
) -> Encounters:
    """Make every encounter of the horizon, in the order of months."""
    covered = coverage_by_month(spans, members.horizon, len(members.birth))
    deaths = days_of_death(streams, members, spans)
    parts = []
    for position, month in enumerate(_months(members)):
        rng = streams("encounters", month)
        usual = admit(rng, make_month(rng, position, members, spans, covered, providers))
        rng = streams("following stays", month)
        again = following_stays(rng, members, covered, providers, usual)
        parts += [usual, again, following_stays(rng, members, covered, providers, again)]
        rng = streams("last stays", month)
        parts.append(last_stays(rng, members, spans, providers, deaths, month))
    made = _in_order(one_stay_at_a_time(until_death(concatenate(Encounters, parts), deaths)))
    visits = [
        emergency_visits(streams("emergency visits", month), made.taken(rows))
        for month, rows in zip(_months(members), by_month(made.day, members.horizon), strict=True)
    ]
    return _in_order(concatenate(Encounters, [made, *visits]))


def _in_order(encounters: Encounters) -> Encounters:
    return encounters.taken(np.argsort(month_of(encounters.day), kind="stable"))


def _months(members: Members) -> range:
    first = members.horizon.first_month
    return range(first, first + members.horizon.months)
