"""Generates the landing files of synthetic health insurers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from granary.errors import GranaryError

from .adjudication import adjudicate
from .appeals import appeals_table, make_appeals
from .claims import claims_table, condition_ranks, high_cost_flags
from .enrollments import current_plans, enrollments_snapshot, make_spans
from .faults import FaultPlanter
from .members import make_members
from .plans import make_catalogue
from .pools import make_pools
from .premiums import make_invoices, payments_table
from .providers import make_providers
from .roster import members_snapshot
from .services import make_all
from .world import Horizon, Tenant, load_tenants, make_horizon, make_streams
from .writer import FeedWriter

DOMAIN = "aca"


@dataclass
class GenerationSummary:
    """What a generation wrote.

    Args:
        faults: folder with the labels of planted faults, None when none were asked for.
        rows: rows by feed, over all tenants and files.
        files: every file of the sets, in the order of writing.
        unchanged: how many of them were there already with the same content.
    """

    faults: Path | None
    rows: dict[str, int] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    unchanged: int = 0


def generate(
    landing: Path,
    *,
    tenants: int,
    members: int,
    start: date,
    end: date,
    batches: int | None,
    seed: int,
    faults: bool = False,
    progress: Callable[[str], None] | None = None,
) -> GenerationSummary:
    """Write the seed sets of the seven ACA feeds for some issuers.

    The same arguments give the same bytes. Monthly sets continue: a later `end` repeats the sets
    of an earlier one and adds to them.

    Args:
        landing: the landing folder; files go to <landing>/aca/issuer_<n>/.
        tenants: number of issuers, 1 to 6.
        members: number of people, all issuers together; a sixth of them join over the first two
            years.
        start: first day that something happens.
        end: last day that is extracted.
        batches: number of extracts, evenly spaced; None for one on the first of each month.
        seed: seed of the world, 0 or more.
        faults: plant labelled faults; the labels go to <landing>/../faults/.
        progress: called with a line of text as work goes on.

    Raises:
        GranaryError: an argument is out of range, a file exists with other content or cannot be
            written.
    """
    if seed < 0:
        raise GranaryError(f"The seed {seed} is negative.", "Give --seed 0 or more.")
    issuers = load_tenants(tenants)
    if members < tenants:
        raise GranaryError(
            f"{members} members are too few for {tenants} tenants.",
            "Give at least one member per tenant.",
        )
    horizon = make_horizon(start, end, batches)
    summary = GenerationSummary(faults=landing.parent / "faults" if faults else None)
    for tenant in issuers:
        share = members // tenants + (tenant.number <= members % tenants)
        try:
            _write_tenant(landing, seed, tenant, horizon, share, summary, progress)
        except (OSError, duckdb.IOException) as error:
            folder = landing / DOMAIN / tenant.tenant_id
            raise GranaryError(
                f"{folder} cannot be written to: {error}.",
                "Free disk space or permit writing there, then repeat the command.",
            ) from error
    return summary


def _write_tenant(
    landing: Path,
    seed: int,
    tenant: Tenant,
    horizon: Horizon,
    members: int,
    summary: GenerationSummary,
    progress: Callable[[str], None] | None,
) -> None:
    """Write all sets of one issuer and add them to the summary."""
    writer = FeedWriter(landing / DOMAIN / tenant.tenant_id)
    planter = None
    if summary.faults:
        labels = summary.faults / f"faults_{tenant.tenant_id}.csv"
        planter = FaultPlanter(make_streams(seed, tenant), landing, labels)
    for batch, feeds in enumerate(_extracts(seed, tenant, horizon, members)):
        extract = horizon.extracts[batch]
        for entity, table in feeds.items():
            target = writer.target(entity, extract)
            draft = writer.draft(target, table)
            rows = planter.plant(draft, target, entity, extract) if planter else table.num_rows
            summary.unchanged += not writer.publish(draft, target)
            summary.rows[entity] = summary.rows.get(entity, 0) + rows
            summary.files.append(target)
        if progress:
            progress(f"{tenant.tenant_id}: set {batch + 1} of {len(horizon.extracts)}, {extract}")
    writer.close()
    if planter:
        planter.close()


def _extracts(
    seed: int, tenant: Tenant, horizon: Horizon, members: int
) -> Iterator[dict[str, pa.Table]]:
    """Make the world of one issuer and yield the feeds of each extract."""
    streams, pools = make_streams(seed, tenant), make_pools(seed)
    catalogue = make_catalogue(streams, tenant, horizon, pools)
    people = make_members(streams, tenant, horizon, pools, members)
    spans = make_spans(streams, people, catalogue)
    providers = make_providers(streams, tenant, horizon, pools, members)
    encounters, lines = make_all(streams, people, spans, providers)
    claims = adjudicate(streams, tenant, encounters, lines, spans, catalogue)
    appeals = make_appeals(streams, claims, horizon)
    invoices = make_invoices(streams, people, spans)
    change_feeds = {
        "claims": claims_table(claims, spans, catalogue.plan_id, horizon),
        "premium_payments": payments_table(invoices, spans, people),
        "appeals": appeals_table(appeals, claims, horizon),
    }
    high_cost = high_cost_flags(claims, horizon, members)
    conditions = condition_ranks(claims, horizon, members)
    for batch, extract in enumerate(horizon.extracts):
        plan = current_plans(spans, people, batch)
        yield {
            "plans": catalogue.snapshot(extract),
            "providers": providers.snapshot(batch),
            "members": members_snapshot(
                people, catalogue, batch, plan, conditions[batch], high_cost[batch]
            ),
            "enrollments": enrollments_snapshot(spans, people, catalogue.plan_id, batch),
            **{
                entity: rows.slice(starts[batch], starts[batch + 1] - starts[batch])
                for entity, (rows, starts) in change_feeds.items()
            },
        }
