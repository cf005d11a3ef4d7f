"""Feeds that fall behind the others of their domain for longer than their contracts allow."""

from collections.abc import Iterable
from datetime import datetime

from granary.landing.anomalies import WHOLE_FILE, Anomaly
from granary.landing.contract import Contract
from granary.landing.store import Store

STALE = "stale"
DAY_SECONDS = 86_400


def stale_feeds(store: Store, contracts: Iterable[Contract], now: datetime) -> list[Anomaly]:
    """Find the feeds whose newest extract is too old, and keep them in ops.anomaly.

    One that was found before keeps its time: it is no news, whatever the days are by now. Their
    age is counted from the newest extract of their domain's feeds that have a limit, so it follows
    from what landed. A tenant that never sent a feed is not late with it.

    Args:
        now: UTC without zone; when those are found that were not late before.

    Returns:
        One anomaly per feed and tenant, held against its newest batch.
    """
    limited = {c.feed: c for c in contracts if c.policy.fresh_within is not None}
    newest = [row for row in _newest(store) if row[0] in limited]
    latest: dict[str, datetime] = {}
    for feed, _, _, extracted_at in newest:
        domain = limited[feed].domain
        latest[domain] = max(extracted_at, latest.get(domain, extracted_at))
    found_before = dict(
        store.rows("SELECT load_id, found_at FROM ops.anomaly WHERE anomaly = $1", [STALE])
    )
    found = []
    for feed, tenant_id, load_id, extracted_at in newest:
        domain, policy = limited[feed].domain, limited[feed].policy
        days = (latest[domain] - extracted_at).total_seconds() / DAY_SECONDS
        assert policy.fresh_within is not None
        if days <= policy.fresh_within:
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
                f"{feed} of {tenant_id} is {days:,.1f} days behind the newest extract of "
                f"{domain}, at most {policy.fresh_within} expected",
                found_before.get(load_id, now),
            )
        )
    store.replace_anomalies(STALE, found)
    return found


def _newest(store: Store) -> list[tuple[str, str, int, datetime]]:
    """Give the newest batch that counts of every feed and tenant."""
    return store.rows(
        "SELECT feed, tenant_id, load_id, extracted_at FROM ("
        "SELECT feed, tenant_id, load_id, extracted_at, ROW_NUMBER() OVER ("
        "PARTITION BY feed, tenant_id ORDER BY extracted_at DESC, load_timestamp DESC) AS place "
        "FROM ops.load_batch WHERE status = 'loaded' "
        "AND load_id NOT IN (SELECT load_id FROM ops.retraction)"
        ") AS ranked WHERE place = 1 ORDER BY 1, 2"
    )
