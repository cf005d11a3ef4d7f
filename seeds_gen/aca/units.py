"""Makes one unit of an issuer: its people and all that the feeds say of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import pyarrow as pa

from .adjudication import adjudicate
from .anomalies import find_suspects, labels_table, plant_lines, plant_services
from .appeals import appeals_table, make_appeals
from .births import with_newborns
from .claims import claims_table, condition_ranks, high_cost_flags
from .enrollments import current_plans, enrollments_snapshot, make_spans
from .market import Market, make_market, rivals_needed
from .members import Brokers, make_brokers, make_members
from .plans import Catalogue, make_catalogue
from .pools import Pools, make_pools
from .premiums import make_invoices, payments_table
from .providers import Providers, make_providers
from .roster import members_snapshot
from .services import make_encounters, make_lines_of_all
from .text import in_text
from .world import (
    MAX_TENANTS,
    NO_TENANT,
    Horizon,
    Ints,
    Tenant,
    Unit,
    load_tenants,
    make_state_streams,
    make_streams,
)
from .writer import FileFormat, Part, write_part

LABELS = "anomalies"


@dataclass(frozen=True)
class Issuer:
    """What the units of an issuer share, and what it follows from.

    Args:
        members: number of people of the issuer, which decides how many providers and brokers work.
        anomalies: whether labelled anomalies are planted.
    """

    seed: int
    tenant: Tenant
    horizon: Horizon
    members: int
    anomalies: bool

    @property
    def pools(self) -> Pools:
        """Names and addresses."""
        return make_pools(self.seed)

    @property
    def catalogue(self) -> Catalogue:
        """Plans."""
        return _catalogue(self.seed, self.tenant, self.horizon)

    @property
    def market(self) -> Market:
        """The issuers of its state."""
        return _market(self.seed, self.tenant.state, self.horizon)

    @property
    def providers(self) -> Providers:
        """The directory."""
        return _providers(self)

    @property
    def brokers(self) -> Brokers:
        """Brokers of record."""
        return _brokers(self)


@lru_cache(maxsize=MAX_TENANTS)
def _catalogue(seed: int, tenant: Tenant, horizon: Horizon) -> Catalogue:
    streams, of_state = make_streams(seed, tenant), make_state_streams(seed, tenant.state)
    return make_catalogue(streams, of_state, tenant, horizon, make_pools(seed))


@lru_cache(maxsize=MAX_TENANTS)
def _market(seed: int, state: str, horizon: Horizon) -> Market:
    """All listed issuers of a state and its rivals, whoever of them writes feeds."""
    issuers = [tenant for tenant in load_tenants(MAX_TENANTS) if tenant.state == state]
    catalogues = [_catalogue(seed, tenant, horizon) for tenant in issuers]
    of_state, rival = make_state_streams(seed, state), Tenant(NO_TENANT, "", state)
    for number in range(rivals_needed(of_state, len(issuers))):
        own = make_state_streams(seed, state, number)
        catalogues.append(make_catalogue(own, of_state, rival, horizon, make_pools(seed)))
    return make_market(state, catalogues)


@lru_cache(maxsize=1)
def _providers(issuer: Issuer) -> Providers:
    streams = make_streams(issuer.seed, issuer.tenant)
    return make_providers(streams, issuer.tenant, issuer.horizon, issuer.pools, issuer.members)


@lru_cache(maxsize=1)
def _brokers(issuer: Issuer) -> Brokers:
    streams = make_streams(issuer.seed, issuer.tenant)
    return make_brokers(streams, issuer.pools, issuer.members)


def write_directory(issuer: Issuer, folder: Path, format: FileFormat) -> dict[str, Part]:
    """Write the parts of the feeds that have no people in them."""
    catalogue, providers = issuer.catalogue, issuer.providers
    extracts = issuer.horizon.extracts
    tables = {
        "plans": (catalogue.snapshot(extract) for extract in extracts),
        "providers": (providers.snapshot(batch) for batch in range(len(extracts))),
    }
    return {
        entity: write_part(folder / f"{entity}.part", rows, format)
        for entity, rows in tables.items()
    }


def write_unit(issuer: Issuer, unit: Unit, folder: Path, format: FileFormat) -> dict[str, Part]:
    """Make a unit and write its parts of the other feeds."""
    streams = make_streams(issuer.seed, issuer.tenant, unit)
    horizon, catalogue, market = issuer.horizon, issuer.catalogue, issuer.market
    places = market.places(catalogue, unit.year)
    people = make_members(streams, unit, horizon, issuer.pools, issuer.brokers, places)
    people = with_newborns(streams, people, make_spans(streams, people, catalogue, market))
    spans = make_spans(streams, people, catalogue, market)
    encounters = make_encounters(streams, people, spans, issuer.providers)
    if issuer.anomalies:
        suspects = find_suspects(make_streams(issuer.seed, issuer.tenant), issuer.providers)
        encounters, of_claim = plant_services(
            streams, suspects, people, issuer.providers, encounters
        )
    lines = make_lines_of_all(streams, people, encounters)
    if issuer.anomalies:
        encounters, lines, of_line = plant_lines(streams, people, encounters, lines)
    claims = adjudicate(streams, issuer.tenant, horizon, encounters, lines, spans, catalogue)
    batches = range(len(horizon.extracts))

    def members() -> Iterator[pa.Table]:
        high_cost = high_cost_flags(claims, horizon, len(people.birth))
        conditions = condition_ranks(claims, horizon, len(people.birth))
        for batch in batches:
            plan = current_plans(spans, people, batch)
            yield members_snapshot(
                people, catalogue, batch, plan, conditions[batch], high_cost[batch]
            )

    appeals = make_appeals(streams, claims, horizon)
    invoices = make_invoices(streams, people, spans)
    tables = {
        "members": members(),
        "enrollments": (enrollments_snapshot(spans, people, catalogue, b) for b in batches),
        "claims": _slices(format, *claims_table(claims, spans, people, catalogue)),
        "premium_payments": _slices(format, *payments_table(invoices, spans, people)),
        "appeals": _slices(format, *appeals_table(appeals, claims, people)),
    }
    if issuer.anomalies:
        tables[LABELS] = iter([labels_table(people, spans, claims, of_claim, of_line)])
    return {
        entity: write_part(folder / f"{entity}_{unit.prefix}.part", rows, format)
        for entity, rows in tables.items()
    }


def _slices(format: FileFormat, table: pa.Table, starts: Ints) -> Iterator[pa.Table]:
    """The rows of each extract."""
    # Faster in one piece.
    if format is not FileFormat.PARQUET:
        table = in_text(table)
    for first, after in pairwise(starts):
        yield table.slice(first, after - first)
