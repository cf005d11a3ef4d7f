"""Feeds that bring nothing new for longer than their contracts allow."""

from collections.abc import Iterable
from datetime import datetime

from granary.landing.anomalies import WHOLE_FILE, Anomaly
from granary.landing.contract import Contract
from granary.landing.store import Store

STALE = "stale"
DAY_SECONDS = 86_400


def stale_feeds(store: Store, contracts: Iterable[Contract], now: datetime) -> list[Anomaly]:
    """Find the feeds whose newest extract is too old, and keep them in ops.anomaly.

    A tenant that never sent a feed is not late with it.

    Args:
        now: UTC without zone.

    Returns:
        One anomaly per feed and tenant, held against its newest batch.
    """
    limits = {c.feed: c.policy for c in contracts if c.policy.fresh_within is not None}
    found = []
    for feed, tenant_id, load_id, extracted_at in _newest(store):
        policy = limits.get(feed)
        days = (now - extracted_at).total_seconds() / DAY_SECONDS
        if policy is None or policy.fresh_within is None or days <= policy.fresh_within:
            continue
        found.append(
            Anomaly(
                load_id,
                feed,
                tenant_id,
                STALE,
                WHOLE_FILE,
                days,
                0.0,
                float(policy.fresh_within),
                policy.late,
                f"{feed} of {tenant_id} brought nothing new for {days:,.1f} days, at most "
                f"{policy.fresh_within} expected",
                now,
            )
        )
    store.replace_anomalies(STALE, found)
    return found


def _newest(store: Store) -> list[tuple[str, str, int, datetime]]:
    """Give the newest batch of every feed and tenant."""
    return store.rows(
        "SELECT feed, tenant_id, load_id, extracted_at FROM ("
        "SELECT feed, tenant_id, load_id, extracted_at, ROW_NUMBER() OVER ("
        "PARTITION BY feed, tenant_id ORDER BY extracted_at DESC, load_timestamp DESC) AS place "
        "FROM ops.load_batch WHERE status = 'loaded') AS ranked WHERE place = 1 ORDER BY 1, 2"
    )
