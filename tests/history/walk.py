"""What a story leaves behind, worked out key by key, without SQL.

Each key is followed through the batches that stand, in the order of their extracts; of batches with
one extract time, what the later landing says holds.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from history.stories import Batch, Event, Key, Story, Values

FOREVER = datetime(9999, 12, 31)
UNKNOWN = -1


@dataclass(frozen=True)
class Version:
    """How a key looked from one extract to another.

    Attributes:
        joins_from: from when facts use it; the first version also serves all time before it.
    """

    values: Values
    start: datetime
    end: datetime
    joins_from: datetime
    load_id: int


@dataclass(frozen=True)
class ClaimLine:
    """The latest state of a claim line, with the batches that its versions came from."""

    values: Values
    load_id: int
    states: int
    member: int
    provider: int
    plan: int


def standing(story: Story, feed: str, tenant_id: str) -> list[Batch]:
    """The batches of a feed that were not retracted, in the order of history."""
    landed: list[Event] = []
    retracted = set()
    for event in story.events:
        if event.batch is not None and event.kind == "retract":
            retracted.add(event.batch.load_id)
        elif event.batch is not None:
            landed.append(event)
    # Landings are in the order of time, and sorting keeps it within an extract time.
    batches = [event.batch for event in landed if event.batch is not None]
    return sorted(
        (
            batch
            for batch in batches
            if (batch.feed, batch.tenant_id) == (feed, tenant_id) and batch.load_id not in retracted
        ),
        key=lambda batch: batch.extracted_at,
    )


def versions(story: Story, feed: str, tenant_id: str) -> dict[Key, list[Version]]:
    """The versions of every key of a snapshot feed."""
    at_instant: dict[datetime, list[Batch]] = defaultdict(list)
    for batch in standing(story, feed, tenant_id):
        at_instant[batch.extracted_at].append(batch)
    found: dict[Key, list[Version]] = defaultdict(list)
    for key in {key for sendings in at_instant.values() for b in sendings for key in b.rows}:
        current: tuple[Values, datetime, int] | None = None
        for instant, sendings in at_instant.items():
            values = sendings[-1].rows.get(key)
            if current is not None and values == current[0]:
                continue
            if current is not None:
                found[key].append(_version(current, instant, found[key]))
            current = None
            if values is not None:
                current = (values, instant, _first_to_say(sendings, key, values))
        if current is not None:
            found[key].append(_version(current, FOREVER, found[key]))
    return found


def claim_lines(story: Story, tenant_id: str) -> dict[Key, ClaimLine]:
    """The latest state of every claim line."""
    states: dict[Key, list[tuple[int, Values]]] = defaultdict(list)
    for batch in standing(story, "aca_claims", tenant_id):
        for key, values in batch.rows.items():
            states[key].append((batch.load_id, values))
    members, providers, plans = (
        versions(story, feed, tenant_id) for feed in ("aca_members", "aca_providers", "aca_plans")
    )
    lines = {}
    for key, history in states.items():
        load_id, values = history[-1]
        member, provider, plan, day, *_ = values
        lines[key] = ClaimLine(
            values=values,
            load_id=load_id,
            states=len(history),
            member=_as_of(day, members.get((member,), [])),
            provider=_as_of(day, providers.get((provider,), [])),
            plan=_as_of(day, plans.get((plan, day.year), [])),
        )
    return lines


def _version(state: tuple[Values, datetime, int], end: datetime, before: list[Version]) -> Version:
    values, start, load_id = state
    return Version(values, start, end, start if before else datetime(1900, 1, 1), load_id)


def _first_to_say(sendings: list[Batch], key: Any, values: Values) -> int:
    """Of batches with one extract time: the first from which on all say the same."""
    first = sendings[-1]
    for earlier in reversed(sendings):
        if earlier.rows.get(key) != values:
            break
        first = earlier
    return first.load_id


def _as_of(day: date, found: list[Version]) -> int:
    midnight = datetime.combine(day, time())
    for version in found:
        if version.joins_from <= midnight < version.end:
            return version.load_id
    return UNKNOWN
