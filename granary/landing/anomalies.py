"""What is unusual about a batch that meets its contract, measured against the feed's own past.

Usual is what the recent batches of the same feed and tenant were: their median, give or take what
the median of the distances from it says of their spread. 1.4826 turns that into a standard
deviation where figures are spread normally; 3.5 of these are the bound of Iglewicz and Hoaglin
(1993).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any, Protocol

from granary.landing.batch import LoadBatch
from granary.landing.contract import Contract, Reaction
from granary.landing.reader import Differing, Profile

MAD_TO_DEVIATION = 1.4826
DEVIATIONS = 3.5
# Fewer say nothing, more are the past of another time.
FEWEST_BATCHES = 4
MOST_BATCHES = 12
# However regular a feed was, less than this is no news.
VOLUME_TOLERANCE = 0.3
BLANK_TOLERANCE = 0.1
# Repeated ids come and go with the season: a plan year that begins doubles the spans of a member.
DISTINCT_TOLERANCE = 0.3
DUPLICATE_TOLERANCE = 0.01
# Rates of a handful of rows jump by themselves.
FEWEST_ROWS = 1_000
# Rows by which a small feed may be off.
FEWEST_OFF = 100
WHOLE_FILE = "-"


class Past(Protocol):
    """Where earlier batches can be looked up."""

    def rows(self, statement: str, parameters: Sequence[Any] = ...) -> list[tuple[Any, ...]]:
        """Run one statement; gives its rows."""
        ...


@dataclass(frozen=True)
class Anomaly:
    """One row of ops.anomaly.

    Attributes:
        anomaly: volume, blank, distinct, duplicates or repeated_file.
        column_name: the column, "-" for the whole file.
        policy: warn (it landed) or stop (it was refused).
        message: a sentence with the figures, without the file's name.
    """

    load_id: int
    feed: str
    tenant_id: str
    anomaly: str
    column_name: str
    measured: float
    expected_low: float
    expected_high: float
    policy: Reaction
    message: str
    found_at: datetime


@dataclass(frozen=True)
class Usual:
    """The range that figures of the past make usual: around their median, and around the latest.

    So a feed that reaches another level for good is told of once, not until its median follows.
    """

    low: float
    high: float

    @classmethod
    def of(cls, figures: Sequence[float], tolerance: float) -> "Usual":
        """Take the range.

        Args:
            figures: the latest first.
            tolerance: least distance that is unusual.
        """
        middle = median(figures)
        spread = median(abs(figure - middle) for figure in figures)
        distance = max(DEVIATIONS * MAD_TO_DEVIATION * spread, tolerance)
        # A feed that brought nothing has not reached another level.
        latest = next((figure for figure in figures if figure), middle)
        low = min(middle - distance, latest - tolerance)
        return cls(max(low, 0), max(middle + distance, latest + tolerance))

    def has(self, figure: float) -> bool:
        """Say whether a figure lies within."""
        return self.low <= figure <= self.high


def find_anomalies(
    past: Past,
    batch: LoadBatch,
    contract: Contract,
    profile: Profile,
    differing: Differing,
    now: datetime,
) -> list[Anomaly]:
    """Hold a batch against the recent batches of its feed and tenant.

    Args:
        batch: counted.
        now: UTC without zone.
    """
    search = _Search(past, batch, contract, profile, now)
    return [
        *search.of_volume(),
        *search.of_repetition(),
        *search.of_duplicates(),
        *search.of_differing_lines(differing),
        *search.of_rates(),
    ]


class _Search:
    def __init__(
        self, past: Past, batch: LoadBatch, contract: Contract, profile: Profile, now: datetime
    ) -> None:
        self._past = past
        self._batch = batch
        self._policy = contract.policy
        self._is_change = contract.kind == "change"
        self._key = ", ".join(contract.key)
        self._profile = profile
        self._now = now
        self._recent = self._recent_batches()

    def _recent_batches(self) -> list[tuple[int, datetime, int, int, int]]:
        """Batches of earlier extracts, the newest first: id, time, rows read, loaded, duplicate."""
        batch = self._batch
        return self._past.rows(
            "SELECT batches.load_id, batches.extracted_at, batches.rows_read, batches.rows_loaded, "
            "batches.rows_duplicate FROM ops.load_batch AS batches "
            "WHERE batches.feed = $1 AND batches.tenant_id = $2 AND batches.extracted_at < $3 "
            "AND batches.status = 'loaded' AND batches.replay_of IS NULL AND NOT EXISTS ("
            "SELECT 1 FROM ops.retraction AS retractions "
            "WHERE retractions.load_id = batches.load_id) "
            "ORDER BY batches.extracted_at DESC, batches.load_timestamp DESC LIMIT 84",
            [batch.feed, batch.tenant_id, batch.extracted_at],
        )

    def of_volume(self) -> Iterable[Anomaly]:
        """Rows against those of the same weekday, or of the last batches where these are few."""
        batch = self._batch
        weekday = batch.extracted_at.weekday()
        loaded = [(at.weekday(), rows) for _, at, _, rows, _ in self._recent]
        alike = [rows for day, rows in loaded if day == weekday]
        of_weekday = len(alike) >= FEWEST_BATCHES
        compared = (alike if of_weekday else [rows for _, rows in loaded])[:MOST_BATCHES]
        if len(compared) < FEWEST_BATCHES:
            return
        usual = Usual.of(compared, max(VOLUME_TOLERANCE * median(compared), FEWEST_OFF))
        if usual.has(batch.rows_loaded):
            return
        if batch.rows_loaded < usual.low:
            expected = f"{usual.low:,.0f}+ expected"
        else:
            expected = f"at most {usual.high:,.0f} expected"
        whose = "this weekday's last" if of_weekday else "the last"
        yield self._anomaly(
            "volume",
            WHOLE_FILE,
            batch.rows_loaded,
            usual,
            self._policy.volume,
            f"{batch.rows_loaded:,} rows, {expected} ({whose} {len(compared)} files had "
            f"{median(compared):,.0f} in the middle)",
        )

    def of_repetition(self) -> Iterable[Anomaly]:
        """The bytes of an earlier extract under a new time, where a file holds only what is new."""
        batch = self._batch
        if not self._is_change or not batch.rows_loaded:
            return
        same = self._past.rows(
            "SELECT source, extracted_at FROM ops.load_batch WHERE feed = $1 AND tenant_id = $2 "
            "AND sha256 = $3 AND extracted_at <> $4 AND status = 'loaded' ORDER BY extracted_at",
            [batch.feed, batch.tenant_id, batch.sha256, batch.extracted_at],
        )
        for source, extracted_at in same[:1]:
            yield self._anomaly(
                "repeated_file",
                WHOLE_FILE,
                len(same),
                Usual(0, 0),
                self._policy.repeated_file,
                f"the same lines as {source} of {extracted_at:%Y-%m-%d %H:%M}, though a file of "
                "this feed holds only what is new",
            )

    def of_duplicates(self) -> Iterable[Anomaly]:
        """Lines equal to an earlier line, as a share of all."""
        batch = self._batch
        shares = [duplicate / read for _, _, read, _, duplicate in self._recent if read]
        if len(shares) < FEWEST_BATCHES or batch.rows_read < FEWEST_ROWS:
            return
        share = batch.rows_duplicate / batch.rows_read
        usual = Usual.of(shares[:MOST_BATCHES], DUPLICATE_TOLERANCE)
        if share > usual.high:
            yield self._anomaly(
                "duplicates",
                WHOLE_FILE,
                share,
                usual,
                self._policy.duplicates,
                f"{batch.rows_duplicate:,} of {batch.rows_read:,} lines repeat the line before "
                f"them ({share:.1%}, at most {usual.high:.1%} expected)",
            )

    def of_differing_lines(self, differing: Differing) -> Iterable[Anomaly]:
        """Lines of one key that differ, where a file has one state of a key."""
        policy = self._policy.differing_lines
        if not differing.keys or policy == "usual":
            return
        lines = "; ".join(" and ".join(map(str, numbers)) for numbers in differing.first)
        what = "1 key has" if differing.keys == 1 else f"{differing.keys:,} keys have"
        yield self._anomaly(
            "duplicates",
            self._key,
            differing.keys,
            Usual(0, 0),
            policy,
            f"{what} several lines that differ, and of each only the last stands ({self._key}; "
            f"lines {lines}{', …' if differing.keys > len(differing.first) else ''})",
        )

    def of_rates(self) -> Iterable[Anomaly]:
        """Blank values, and different values, as a share of the rows, column by column."""
        if self._profile.rows < FEWEST_ROWS:
            return
        shares = self._past_shares()
        for name in self._profile.nulls:
            past = shares.get(name, [])[:MOST_BATCHES]
            if len(past) < FEWEST_BATCHES:
                continue
            blank = Usual.of([share for share, _ in past], BLANK_TOLERANCE)
            measured = self._profile.blank_share(name)
            if not blank.has(measured):
                yield self._rate("blank", name, measured, blank, "of the values are blank")
            distinct = Usual.of([share for _, share in past], DISTINCT_TOLERANCE)
            measured = self._profile.distinct_share(name)
            if not distinct.has(measured):
                yield self._rate("distinct", name, measured, distinct, "of the values differ")

    def _past_shares(self) -> dict[str, list[tuple[float, float]]]:
        """Blank and distinct shares by column, the newest batch first."""
        recent = [load_id for load_id, *_ in self._recent][:MOST_BATCHES]
        if len(recent) < FEWEST_BATCHES:
            return {}
        rows = self._past.rows(
            "SELECT load_id, column_name, blank_share, distinct_share FROM ops.load_profile "
            f"WHERE load_id IN ({', '.join(map(str, recent))})"
        )
        shares: dict[str, list[tuple[float, float]]] = {}
        for _, name, blank, distinct in sorted(rows, key=lambda row: recent.index(row[0])):
            shares.setdefault(name, []).append((blank, distinct))
        return shares

    def _rate(self, kind: str, name: str, measured: float, usual: Usual, what: str) -> Anomaly:
        message = (
            f'column "{name}": {measured:.1%} {what}, {usual.low:.1%} to {min(usual.high, 1):.1%} '
            "expected"
        )
        return self._anomaly(kind, name, measured, usual, self._policy.rates, message)

    def _anomaly(
        self,
        kind: str,
        column_name: str,
        measured: float,
        usual: Usual,
        policy: Reaction,
        message: str,
    ) -> Anomaly:
        batch = self._batch
        return Anomaly(
            batch.load_id,
            batch.feed,
            batch.tenant_id,
            kind,
            column_name,
            float(measured),
            float(usual.low),
            float(usual.high),
            policy,
            message,
            self._now,
        )
