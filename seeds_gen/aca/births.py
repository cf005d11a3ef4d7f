"""Children born into coverage: each has a mother in the unit, who gives birth on that day."""

from dataclasses import replace

import numpy as np

from .enrollments import DEATH, Spans, coverage_by_month
from .members import Members, in_household, losses
from .world import Floats, Ints, Streams, first_day, month_of

# Mothers whose child is covered by the same issuer; others have it covered elsewhere.
COVERED_WITH_MOTHER = 0.92


def delivery_days(luck: Floats, month: int) -> Ints:
    """Day in a month on which each of some mothers would give birth."""
    first, after = first_day(np.array([month, month + 1]))
    return np.asarray(first + np.floor(luck * (after - first)), dtype=np.int64)


def with_newborns(streams: Streams, members: Members, spans: Spans) -> Members:
    """Give the unit's children a mother and a day of birth, in the order of months.

    Months do not depend on later ones, so that a world that goes on longer has the same children.
    Those for whom no mother is left are never born.

    Args:
        streams: random streams of the unit.
        members: the people, children without a mother.
        spans: coverage of all but the children.
    """
    horizon, count = members.horizon, len(members.birth)
    covered = coverage_by_month(spans, horizon, count)
    mother, plan = (np.full(count, -1, dtype=np.int64) for _ in range(2))
    birth = members.birth.copy()
    free = np.flatnonzero(members.newborn)
    january = (members.unit.year - 1970) * 12
    from_month = max(january, horizon.first_month)
    for month in range(from_month, min(january + 12, horizon.first_month + horizon.months)):
        position = month - horizon.first_month
        span = covered[:, position]
        dies = (spans.reason[span] == DEATH) & (spans.last[span] == month)
        due = (members.history.due[:, position + 1] == month) & (span >= 0) & ~dies
        due &= streams("births", month).random(count) < COVERED_WITH_MOTHER
        day = delivery_days(members.delivery_luck, month)
        due &= (day >= horizon.start_day) & ~members.presence.missing_on(day, np.arange(count))
        mothers = np.flatnonzero(due)[: len(free)]
        child, free = free[: len(mothers)], free[len(mothers) :]
        mother[child], birth[child] = mothers, day[mothers]
        plan[child] = spans.plan[span[mothers]]
    return _settled(streams, members, mother, plan, birth)


def _settled(streams: Streams, members: Members, mother: Ints, plan: Ints, birth: Ints) -> Members:
    """Put the children into the households of their mothers."""
    child = mother >= 0
    house = np.where(child, members.house[mother], members.house)
    known_from = np.where(child, birth + 1, members.known_from)
    return replace(
        members,
        birth=birth,
        house=house,
        mother=mother,
        birth_plan=plan,
        known_from=known_from,
        coverage_start=np.where(child, month_of(birth), members.coverage_start),
        zip_tail=members.zip_tail[house],
        taste=members.taste[house],
        credit_luck=members.credit_luck[house],
        day_of_change=members.day_of_change[house],
        history=in_household(members.history, house),
        presence=losses(streams, members.horizon, known_from),
    )
