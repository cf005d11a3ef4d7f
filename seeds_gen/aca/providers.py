"""The provider directory of an issuer and how it changes."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from . import columns, reference
from .pools import Pools
from .presence import Presence, make_presence
from .world import Bools, Horizon, Ints, Objects, Streams, Tenant, draw, first_day

MEMBERS_PER_PROVIDER = 40
FEWEST = 60
ADDRESS_BLOCK = 256
LATE_SHARE, LATE_RATE = 0.10, 0.06
MONTHLY_MOVE, MONTHLY_SPECIALTY, MONTHLY_LOSS = 0.006, 0.002, 0.004
OUT_OF_NETWORK = 0.045
FACILITY_WORDS = {
    "282N00000X": "Hospital",
    "261QA1903X": "Surgery Center",
    "261QU0200X": "Urgent Care",
    "291U00000X": "Laboratory",
    "3336C0003X": "Pharmacy",
}
# Groups that encounters draw from: the professional kinds, and each facility taxonomy by itself.
GROUPS = ("pcp", "specialist", "behavioral", "ancillary", "hospital_based", *FACILITY_WORDS)


@dataclass(frozen=True)
class Providers:
    """The directory; histories are [provider, month] with the first state in column 0."""

    horizon: Horizon
    state: str
    npi: Objects
    name: Objects
    known_from: Ints
    day_of_change: Ints
    presence: Presence
    group: Ints
    stable: Ints
    in_network: Bools
    specialty: Ints
    street: Objects
    city: Ints
    cities: Objects
    zip_code: Objects
    phone: Objects
    address: Ints

    @cached_property
    def by_group(self) -> Ints:
        """Providers in the order of their groups."""
        return np.asarray(np.argsort(self.group, kind="stable"), dtype=np.int64)

    def snapshot(self, batch: int) -> pa.Table:
        """The directory as of an extract."""
        kept = np.flatnonzero(self.presence.present[batch])
        column = as_of(self.horizon, batch, self.day_of_change[kept], self.specialty.shape[1])
        address = self.address[kept, column]
        specialty = self.specialty[kept, column]
        return pa.table(
            {
                "provider_id": columns.identifiers("P", kept + 1, 6),
                "npi": columns.texts(self.npi[kept]),
                "name": columns.texts(self.name[kept]),
                "specialty": columns.picked(reference.texts("specialty", "specialty"), specialty),
                "taxonomy_code": columns.picked(
                    reference.texts("specialty", "taxonomy_code"), specialty
                ),
                "street": columns.picked(self.street, address),
                "city": columns.picked(self.cities, self.city[address]),
                "state": columns.texts(np.full(len(kept), self.state, dtype=object)),
                "zip": columns.picked(self.zip_code, address),
                "phone": columns.picked(self.phone, address),
            }
        )


def as_of(horizon: Horizon, batch: int, day_of_change: Ints, states: int) -> Ints:
    """Column of a history that holds at an extract.

    Column n + 1 holds from the key's day of change in the n-th month on.
    """
    extract = horizon.extracts[batch]
    month = (extract.year - 1970) * 12 + extract.month - 1 - horizon.first_month
    columns_then = month + (day_of_change < extract.day)
    return np.asarray(np.minimum(columns_then, states - 1), dtype=np.int64)


def make_providers(
    streams: Streams, tenant: Tenant, horizon: Horizon, pools: Pools, members: int
) -> Providers:
    """Make the directory and its history: moves, new specialties, late joiners, losses."""
    rng = streams("providers")
    weight = reference.numbers("specialty", "weight_pct")
    taxonomy = reference.texts("specialty", "taxonomy_code")
    kind = reference.texts("specialty", "provider_kind")
    count = max(FEWEST, members // MEMBERS_PER_PROVIDER)
    labels = np.where(kind == "facility", taxonomy, kind)
    group_of = np.array([GROUPS.index(label) for label in labels], dtype=np.int64)
    # The first of each group never leaves, so that every service finds a provider.
    founders = np.array([int(np.flatnonzero(group_of == g)[0]) for g in range(len(GROUPS))])
    first = np.concatenate([founders, draw(rng, weight, count - len(founders))])
    late = rng.random(count) < LATE_SHARE
    late[: len(founders)] = False
    joining = first_day(horizon.first_month + rng.geometric(LATE_RATE, count))
    joining += rng.integers(0, 28, count)
    known_from = np.where(late, joining, horizon.start_day - 1)
    day_of_change = rng.integers(1, 29, count)
    presence = make_presence(streams, "provider losses", horizon, known_from, MONTHLY_LOSS)
    presence.present[:, : len(founders)] = True
    presence.away[:, : len(founders)] = False
    specialty, address, addresses = _history(streams, horizon, first, group_of)
    street, city, zip_code, phone = _addresses(streams, tenant, pools, addresses)
    return Providers(
        horizon=horizon,
        state=tenant.state,
        npi=_npis(rng, tenant, count),
        name=_names(rng, pools, taxonomy[first]),
        known_from=known_from,
        day_of_change=day_of_change,
        presence=presence,
        group=group_of[first],
        stable=np.arange(len(founders)),
        in_network=rng.random(count) >= OUT_OF_NETWORK,
        specialty=specialty,
        street=street,
        city=city,
        cities=pools.cities,
        zip_code=zip_code,
        phone=phone,
        address=address,
    )


def _history(
    streams: Streams, horizon: Horizon, first: Ints, group_of: Ints
) -> tuple[Ints, Ints, int]:
    """Specialty and address per month, and the number of addresses used."""
    count = len(first)
    specialty = np.repeat(first[:, None], horizon.months + 1, axis=1)
    address = np.repeat(np.arange(count)[:, None], horizon.months + 1, axis=1)
    addresses = count
    facility = group_of[first] >= GROUPS.index("hospital_based")
    professionals = np.flatnonzero(group_of < GROUPS.index("hospital_based"))
    for month in range(horizon.months):
        rng = streams("provider months", horizon.first_month + month)
        moves = np.flatnonzero(rng.random(count) < MONTHLY_MOVE)
        turns = (rng.random(count) < MONTHLY_SPECIALTY) & ~facility
        turns[: len(GROUPS)] = False
        new = professionals[rng.integers(0, len(professionals), count)]
        address[moves, month + 1 :] = (addresses + np.arange(len(moves)))[:, None]
        addresses += len(moves)
        specialty[turns, month + 1 :] = new[turns][:, None]
    return specialty, address, addresses


def _addresses(
    streams: Streams, tenant: Tenant, pools: Pools, count: int
) -> tuple[Objects, Ints, Objects, Objects]:
    """Street, city, ZIP code and telephone of addresses; the n-th does not depend on `count`."""
    prefixes = np.array(sorted(set(reference.counties(tenant.state).zip_prefix)), dtype=object)
    parts = []
    # Blocks, so that later addresses do not change the earlier ones.
    for block in range(0, count, ADDRESS_BLOCK):
        rng = streams("addresses", block)
        parts.append(
            rng.integers(
                0,
                [9_900, len(pools.streets), len(pools.cities), 12, len(prefixes), 100, 10_000],
                (ADDRESS_BLOCK, 7),
            )
        )
    house, street, city, suite, prefix, last, phone = np.concatenate(parts)[:count].T
    rooms = np.where(suite > 7, np.char.add(" Suite ", (100 + suite * 10).astype(str)), "")
    houses = np.char.add((100 + house).astype(str), " ").astype(object)
    # 555-01xx numbers are kept for fiction; the area code spreads them.
    area = (200 + phone // 100 * 7).astype(str).astype(object)
    tails = np.char.zfill((phone % 100).astype(str), 2).astype(object)
    return (
        houses + pools.streets[street] + rooms.astype(object),
        city.astype(np.int64),
        prefixes[prefix] + np.char.zfill(last.astype(str), 2).astype(object),
        area + "-555-01" + tails,
    )


def _npis(rng: np.random.Generator, tenant: Tenant, count: int) -> Objects:
    """Distinct NPIs that start with 2, a block in which none was ever issued."""
    stems = 200_000_000 + tenant.number * 10_000_000 + rng.choice(10_000_000, count, replace=False)
    return np.array([f"{stem}{npi_check_digit(int(stem))}" for stem in stems], dtype=object)


def npi_check_digit(stem: int) -> int:
    """Luhn check digit of a nine-digit stem behind the prefix 80840."""
    total = 24
    for position, digit in enumerate(reversed(str(stem))):
        doubled = int(digit) * 2 if position % 2 == 0 else int(digit)
        total += doubled - 9 if doubled > 9 else doubled
    return -total % 10


def _names(rng: np.random.Generator, pools: Pools, taxonomies: Objects) -> Objects:
    """Names of people, or of facilities by their kind."""
    count = len(taxonomies)
    first = np.concatenate([pools.first_female, pools.first_male])
    given = first[rng.integers(0, len(first), count)]
    family = pools.last[rng.integers(0, len(pools.last), count)]
    company = pools.companies[rng.integers(0, len(pools.companies), count)]
    return np.array(
        [
            f"{company[n]} {FACILITY_WORDS[code]}"
            if code in FACILITY_WORDS
            else f"{given[n]} {family[n]}"
            for n, code in enumerate(taxonomies)
        ],
        dtype=object,
    )
