"""What the warehouse must hold, worked out from the landing files alone, a row at a time.

Nothing here knows SQL, models or macros: every rule is written the way a person would explain it,
so that a mistake in the models cannot repeat itself here. Only two things come from the ledger,
because the files do not say them: when a file landed, and which of its lines were refused.

A row is a dict from column to value; money is Decimal, moments are UTC without zone.
"""

import csv
import gzip
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Key = tuple[Any, ...]

UNKNOWN = -1
FOREVER = datetime(9999, 12, 31)
BEFORE_ALL = datetime(1900, 1, 1)
TRUE_WORDS = {"true", "t", "yes", "y", "1"}

FEEDS = {
    "aca_members": ("member_id",),
    "aca_plans": ("plan_id", "effective_year"),
    "aca_providers": ("provider_id",),
    "aca_enrollments": ("enrollment_id",),
    "aca_claims": ("claim_id", "line_number"),
    "aca_premium_payments": ("invoice_id",),
    "aca_appeals": ("appeal_id",),
}
UPPER_CASE = {
    "gender",
    "state",
    "network_type",
    "plan_network_access_type",
    "plan_id",
    "crosswalk_plan_id",
    "taxonomy_code",
    "diagnosis_code",
    "procedure_code",
    "denial_reason_code",
}
LOWER_CASE = {
    "admission_type",
    "discharge_status",
    "geographic_reporting",
    "clinical_segment",
    "mutually_exclusive_hcc_condition",
    "plan_metal",
    "metal_tier",
    "claim_type",
    "claim_status",
    "enrollment_source",
    "termination_reason",
}
NAME_CASE = {"region"}
INTEGERS = {"year", "effective_year", "line_number", "units", "rating_area"}
BOOLEANS = {
    "portal_registered",
    "wellness_enrolled",
    "care_management_enrolled",
    "high_cost_member",
    "tobacco_use",
    "in_network",
}
DATES = {
    "dob",
    "service_date",
    "received_date",
    "adjudicated_date",
    "discharge_date",
    "coverage_start_date",
    "coverage_end_date",
}
DECIMALS = {
    "fpl_ratio",
    "monthly_premium",
    "aptc_amount",
    "deductible",
    "oop_max",
    "coinsurance_rate",
    "pcp_copay",
    "claim_amount",
    "allowed_amount",
    "paid_amount",
    "copay",
    "coinsurance",
}
MEMBER_TRACKED = (
    "name",
    "dob",
    "gender",
    "age_group",
    "state",
    "county_fips",
    "zip",
    "region",
    "geographic_reporting",
    "fpl_ratio",
    "clinical_segment",
    "broker_id",
    "broker_name",
    "general_agency_id",
    "general_agency_name",
    "portal_registered",
    "wellness_enrolled",
    "care_management_enrolled",
    "high_cost_member",
    "mutually_exclusive_hcc_condition",
    "plan_metal",
    "plan_network_access_type",
    "year",
    "household_id",
    "tobacco_use",
)
PLAN_TRACKED = (
    "plan_name",
    "metal_tier",
    "network_type",
    "monthly_premium",
    "deductible",
    "oop_max",
    "coinsurance_rate",
    "pcp_copay",
    "crosswalk_plan_id",
    "hios_issuer_id",
    "state",
    "hios_product_id",
    "standard_component_id",
    "csr_variant",
)
PROVIDER_TRACKED = (
    "npi",
    "name",
    "specialty",
    "taxonomy_code",
    "street",
    "city",
    "state",
    "zip",
    "phone",
)
CLAIM_LINE_COLUMNS = (
    "tenant_id",
    "claim_id",
    "line_number",
    "service_date",
    "received_date",
    "adjudicated_date",
    "claim_type",
    "claim_status",
    "in_network",
    "diagnosis_code",
    "procedure_code",
    "units",
    "denial_reason_code",
    "claim_amount",
    "allowed_amount",
    "paid_amount",
    "deductible",
    "copay",
    "coinsurance",
    "discharge_date",
    "discharge_status",
    "admission_type",
)


@dataclass(frozen=True)
class Batch:
    """A file that landed.

    Attributes:
        extracted_at: when the source wrote it: the clock of history.
        load_timestamp: when it landed.
        refused: its lines that did not land, by number; the header is line 1.
    """

    path: Path
    feed: str
    tenant_id: str
    extracted_at: datetime
    load_timestamp: datetime
    refused: frozenset[int] = frozenset()

    @cached_property
    def load_id(self) -> int:
        """Names the batch by what it is, so it is the same however and whenever it lands."""
        data = self.path.read_bytes()
        packed = self.path.suffix == ".gz"
        content = hashlib.sha256(gzip.decompress(data) if packed else data).hexdigest()
        identity = f"{self.feed}|{self.tenant_id}|{self.extracted_at.isoformat()}|{content}"
        return int(hashlib.sha256(identity.encode()).hexdigest()[:13], 16)

    @property
    def order(self) -> tuple[datetime, datetime, int]:
        """Its place in history: what was known later, else what landed later, stands last."""
        return (self.extracted_at, self.load_timestamp, self.load_id)


@dataclass(frozen=True)
class Landed:
    """A batch with its rows: one per key, the last line of the file that has it."""

    batch: Batch
    rows: dict[Key, Row]


def surrogate_key(*parts: object) -> int:
    """60 bits that stand for some parts, the same on every engine."""
    text = chr(31).join(chr(30) if part is None else str(part) for part in parts)
    return int(hashlib.md5(text.encode()).hexdigest()[:15], 16)


def completed_years(born: date, on: date) -> int:
    """Age in whole years; who was born on 29 February ages on 1 March of other years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def age_group(age: int) -> str:
    """The band of an age."""
    for first, last in ((0, 17), (18, 25), (26, 34), (35, 44), (45, 54), (55, 64)):
        if age <= last:
            return f"{first}-{last}"
    return "65+"


def midnight(day: date) -> datetime:
    """The first moment of a day."""
    return datetime.combine(day, time())


def fifteenths(start: date, end: date) -> Iterator[date]:
    """Every 15th of a month from start up to but not including end."""
    day = start.replace(day=15)
    while day < end:
        if day >= start:
            yield day
        day = (day.replace(day=1) + timedelta(days=32)).replace(day=15)


class Oracle:
    """Recomputes dimensions and facts from batches."""

    def __init__(self, batches: Iterable[Batch], counties: set[str]) -> None:
        """Take the batches that landed, and the counties of the reference table."""
        self.batches = sorted(batches, key=lambda batch: batch.order)
        self._counties = counties

    @cached_property
    def dim_member(self) -> list[Row]:
        """Versions of members."""
        return [
            {**row, "member_key": surrogate_key(row["tenant_id"], row["member_id"])}
            for row in self._dimension("aca_members", "member_sk", MEMBER_TRACKED)
        ]

    @cached_property
    def dim_plan(self) -> list[Row]:
        """Versions of plans per plan year."""
        return self._dimension("aca_plans", "plan_sk", PLAN_TRACKED)

    @cached_property
    def dim_provider(self) -> list[Row]:
        """Versions of providers."""
        return self._dimension("aca_providers", "provider_sk", PROVIDER_TRACKED)

    @cached_property
    def fct_claim_line(self) -> list[Row]:
        """The latest state of every claim line."""
        states: dict[Key, list[tuple[Batch, Row]]] = defaultdict(list)
        for landed in self._landed("aca_claims"):
            for key, row in landed.rows.items():
                states[(landed.batch.tenant_id, *key)].append((landed.batch, row))
        return [self._claim_line(history) for history in states.values()]

    @cached_property
    def claim_line_states(self) -> int:
        """How many states of claim lines there ever were."""
        return sum(len(landed.rows) for landed in self._landed("aca_claims"))

    @cached_property
    def fct_member_month(self) -> list[Row]:
        """A row for every month of every member whose 15th was covered and has passed."""
        in_force: dict[Key, Row] = {}
        for span in self._spans():
            for day in fifteenths(span["coverage_start_date"], span["coverage_end_date"]):
                key = (span["tenant_id"], span["member_id"], day)
                if midnight(day) < span["extracted_at"]:
                    in_force[key] = max(in_force.get(key, span), span, key=_began_last)
        return [self._member_month(day, span) for (_, _, day), span in in_force.items()]

    @cached_property
    def fct_enrollment(self) -> list[Row]:
        """Continuous coverage of a member under a plan, within a plan year."""
        spans_of: dict[Key, list[Row]] = defaultdict(list)
        for span in self._spans():
            spans_of[(span["tenant_id"], span["member_id"], span["plan_id"])].append(span)
        return [
            self._enrollment(coverage)
            for spans in spans_of.values()
            for coverage in _continuous(spans)
        ]

    def _landed(self, feed: str) -> list[Landed]:
        """The batches of a feed in the order of history."""
        return [_read(batch) for batch in self.batches if batch.feed == feed]

    def _snapshots(self, feed: str) -> Iterator[list[list[Landed]]]:
        """Each tenant's snapshots, those with the same extract time together: the last counts."""
        of_tenant: dict[str, dict[datetime, list[Landed]]] = defaultdict(lambda: defaultdict(list))
        for landed in self._landed(feed):
            of_tenant[landed.batch.tenant_id][landed.batch.extracted_at].append(landed)
        for snapshots in of_tenant.values():
            yield list(snapshots.values())

    def _dimension(self, feed: str, sk: str, tracked: tuple[str, ...]) -> list[Row]:
        """Every version: it begins with a snapshot that differs, ends with the next that does."""
        versions: list[Row] = []
        for snapshots in self._snapshots(feed):
            known: set[Key] = set()
            current: dict[Key, Row] = {}
            for sendings in snapshots:
                snapshot = sendings[-1].rows
                extracted_at = sendings[-1].batch.extracted_at
                for key in current.keys() - snapshot.keys():
                    current.pop(key)["validity_end_ts"] = extracted_at
                for key, row in snapshot.items():
                    if key in current:
                        if _is_same(current[key], row, tracked):
                            continue
                        current[key]["validity_end_ts"] = extracted_at
                    batch = _first_to_say(sendings, key, tracked)
                    current[key] = {
                        sk: surrogate_key(batch.tenant_id, *key, batch.load_id),
                        "tenant_id": batch.tenant_id,
                        **{column: row[column] for column in (*FEEDS[feed], *tracked)},
                        "validity_start_ts": extracted_at,
                        "validity_end_ts": FOREVER,
                        "join_from_ts": extracted_at if key in known else BEFORE_ALL,
                        "load_id": batch.load_id,
                        "created_at": batch.load_timestamp,
                    }
                    known.add(key)
                    versions.append(current[key])
        for version in versions:
            version["current_flag"] = version["validity_end_ts"] == FOREVER
        return versions

    @cached_property
    def _members(self) -> dict[Key, list[Row]]:
        return _by(self.dim_member, "tenant_id", "member_id")

    @cached_property
    def _months(self) -> dict[Key, list[Row]]:
        return _by(self.fct_member_month, "tenant_id", "member_id")

    @cached_property
    def _plans(self) -> dict[Key, list[Row]]:
        return _by(self.dim_plan, "tenant_id", "plan_id", "effective_year")

    @cached_property
    def _providers(self) -> dict[Key, list[Row]]:
        return _by(self.dim_provider, "tenant_id", "provider_id")

    def _as_of(self, day: date, row: Row) -> Row:
        """The member, plan and county that a fact of a day belongs to."""
        tenant_id = row["tenant_id"]
        member = _as_of(day, self._members.get((tenant_id, row["member_id"]), []))
        plan = _as_of(day, self._plans.get((tenant_id, row["plan_id"], day.year), []))
        county = member.get("county_fips")
        return {
            "member_key": surrogate_key(tenant_id, row["member_id"]),
            "member_sk": member.get("member_sk", UNKNOWN),
            "plan_sk": plan.get("plan_sk", UNKNOWN),
            "geography_sk": surrogate_key(county) if county in self._counties else UNKNOWN,
        }

    def _claim_line(self, history: list[tuple[Batch, Row]]) -> Row:
        batch, row = history[-1]
        service_date = row["service_date"]
        providers = self._providers.get((batch.tenant_id, row["provider_id"]), [])
        return {
            "claim_line_key": surrogate_key(batch.tenant_id, row["claim_id"], row["line_number"]),
            **{column: row[column] for column in CLAIM_LINE_COLUMNS},
            **self._as_of(service_date, row),
            "provider_sk": _as_of(service_date, providers).get("provider_sk", UNKNOWN),
            "date_key": int(service_date.strftime("%Y%m%d")),
            "service_month": service_date.replace(day=1),
            "state_count": len(history),
            "extracted_at": batch.extracted_at,
            "load_id": batch.load_id,
            "load_date": batch.load_timestamp.date(),
        }

    def _spans(self) -> Iterator[Row]:
        """The spans of each tenant's last snapshot that were ever in force."""
        for snapshots in self._snapshots("aca_enrollments"):
            last = snapshots[-1][-1]
            for span in last.rows.values():
                if span["coverage_start_date"] < span["coverage_end_date"]:
                    yield {**span, "extracted_at": last.batch.extracted_at}

    def _member_month(self, day: date, span: Row) -> Row:
        return {
            "tenant_id": span["tenant_id"],
            "member_id": span["member_id"],
            "coverage_month": day.replace(day=1),
            **self._as_of(day, span),
            "enrollment_id": span["enrollment_id"],
            "member_months": 1,
            "premium_amount": span["monthly_premium"],
            "aptc_amount": span["aptc_amount"],
        }

    def _enrollment(self, spans: list[Row]) -> Row:
        start = spans[0]["coverage_start_date"]
        end = max(span["coverage_end_date"] for span in spans)
        as_of = self._as_of(start, spans[0])
        del as_of["geography_sk"]
        ours = {span["enrollment_id"] for span in spans}
        paid = [
            month
            for month in self._months.get((spans[0]["tenant_id"], spans[0]["member_id"]), [])
            if month["enrollment_id"] in ours
        ]
        return {
            **{column: spans[0][column] for column in ("tenant_id", "member_id", "plan_id")},
            **as_of,
            "enrollment_start_date_key": int(start.strftime("%Y%m%d")),
            "enrollment_start_date": start,
            "plan_year": start.year,
            "enrollment_end_date": end,
            "coverage_days": (end - start).days,
            "span_count": len(spans),
            "premium_paid": sum((month["premium_amount"] for month in paid), Decimal(0)),
            "aptc_paid": sum((month["aptc_amount"] for month in paid), Decimal(0)),
        }


def _read(batch: Batch) -> Landed:
    """Read a file as staging must show it."""
    rows: dict[Key, Row] = {}
    for line, texts in _lines(batch.path):
        if line not in batch.refused:
            row = {column: _value(column, text) for column, text in texts.items()}
            row["tenant_id"] = batch.tenant_id
            _DERIVE.get(batch.feed, _nothing)(row, batch)
            rows[tuple(row[column] for column in FEEDS[batch.feed])] = row
    return Landed(batch, rows)


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Give the file's records with the number of their first line; blank lines hold nothing."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
        texts = (line.decode("utf-8", errors="replace") for line in stream)
        reader = csv.reader(texts)
        header = next(reader)
        before = reader.line_num
        for values in reader:
            if values:
                yield before + 1, dict(zip(header, values, strict=False))
            before = reader.line_num


def _value(column: str, text: str) -> Any:
    """Trim, take blank for NULL, spell codes in one way, and type."""
    text = text.strip(" ")
    if not text:
        return None
    if column in UPPER_CASE:
        return text.upper()
    if column in LOWER_CASE:
        return text.lower()
    if column in NAME_CASE:
        return text.capitalize()
    if column in INTEGERS:
        return int(text)
    if column in BOOLEANS:
        return text.lower() in TRUE_WORDS
    if column in DATES:
        return date.fromisoformat(text)
    if column in DECIMALS:
        return Decimal(text)
    return text


def _derive_member(row: Row, batch: Batch) -> None:
    row["age_group"] = age_group(completed_years(row["dob"], batch.extracted_at.date()))


def _derive_plan(row: Row, batch: Batch) -> None:
    """A plan id is issuer (5), state (2), product (3), component (4), and its variant behind -."""
    plan_id = row["plan_id"]
    row["hios_issuer_id"] = plan_id[:5]
    row["state"] = plan_id[5:7]
    row["hios_product_id"] = plan_id[:10]
    row["standard_component_id"] = plan_id[:14]
    row["csr_variant"] = plan_id[15:]


def _derive_span(row: Row, batch: Batch) -> None:
    """The file names the last covered day; we name the first that is not."""
    row["coverage_end_date"] += timedelta(days=1)


def _nothing(row: Row, batch: Batch) -> None:
    """Leave the row as it is."""


_DERIVE: dict[str, Callable[[Row, Batch], None]] = {
    "aca_members": _derive_member,
    "aca_plans": _derive_plan,
    "aca_enrollments": _derive_span,
}


def _is_same(row: Row, other: Row, columns: tuple[str, ...]) -> bool:
    """Whether rows agree in some columns; NULL agrees with NULL."""
    return all(row[column] == other[column] for column in columns)


def _first_to_say(sendings: list[Landed], key: Key, tracked: tuple[str, ...]) -> Batch:
    """Of snapshots with one extract time: the first from which on all say what the last says."""
    first = sendings[-1]
    for earlier in reversed(sendings[:-1]):
        row = earlier.rows.get(key)
        if row is None or not _is_same(row, first.rows[key], tracked):
            break
        first = earlier
    return first.batch


def _by(rows: list[Row], *columns: str) -> dict[Key, list[Row]]:
    found: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        found[tuple(row[column] for column in columns)].append(row)
    return found


def _as_of(day: date, versions: list[Row]) -> Row:
    """The version that held on a day; a row without columns when there is none."""
    for version in versions:
        if version["join_from_ts"] <= midnight(day) < version["validity_end_ts"]:
            return version
    return {}


def _began_last(span: Row) -> tuple[date, str]:
    return (span["coverage_start_date"], span["enrollment_id"])


def _continuous(spans: list[Row]) -> list[list[Row]]:
    """Join spans that touch or overlap; one that starts on 1 January begins anew."""
    joined: list[list[Row]] = []
    for span in sorted(spans, key=_began_last):
        start = span["coverage_start_date"]
        is_new_year = (start.month, start.day) == (1, 1)
        if is_new_year or not joined or start > max(map(_end, joined[-1])):
            joined.append([])
        joined[-1].append(span)
    return joined


def _end(span: Row) -> date:
    end: date = span["coverage_end_date"]
    return end
