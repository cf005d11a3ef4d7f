"""`granary contract`: what the feeds' files must look like, and new versions of it."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from granary.clock import utc_now
from granary.errors import GranaryError
from granary.gateways.base import Rows
from granary.settings import CONTRACTS, PROJECT, Settings
from granary.tables import Format, write_rows

if TYPE_CHECKING:
    from granary.landing.contract import Contract
    from granary.landing.contract_versions import RecordedContract

contracts_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Formatted = Annotated[Format, typer.Option("--format", help="How to write the answer.")]
Feed = Annotated[str | None, typer.Option(help="Its feed, where its place does not say.")]


@contracts_app.command("list")
def list_contracts(format: Formatted = Format.TABLE) -> None:
    """List the contracts, and what landed under each."""
    from granary.landing.contract import load_contracts
    from granary.landing.dictionary import policy_of

    landed = _landed()
    rows = [
        (
            contract.feed,
            contract.version,
            contract.kind,
            len(contract.expected),
            policy_of(contract),
            *landed.get(contract.feed, (0, None)),
        )
        for contract in load_contracts(CONTRACTS).values()
    ]
    columns = ["feed", "version", "kind", "columns", "policy", "batches", "last_landed_at"]
    write_rows(Rows(columns, rows), format.value)


@contracts_app.command()
def show(
    feed: Annotated[str, typer.Argument(help="Such as aca_claims.")],
    format: Formatted = Format.TABLE,
) -> None:
    """Show the columns of a feed and their rules."""
    from granary.landing.dictionary import policy_of, rules_of

    contract = _contract(feed)
    if format is Format.TABLE:
        typer.echo(f"{contract.feed}, version {contract.version}: {contract.description}")
        typer.echo(f"{contract.kind}, key {', '.join(contract.key)}; {policy_of(contract)}")
        for change in contract.changes:
            typer.echo(
                f"version {change.version} ({change.accepted_on}): {change.reason} "
                f"({'; '.join(change.what)})"
            )
    rows = [
        (
            column.name,
            column.type,
            "yes" if column.required and not column.retired else "",
            "yes" if column.phi else "",
            "; ".join(rules_of(column)),
            column.description,
        )
        for column in contract.columns.values()
    ]
    columns = ["column", "type", "required", "phi", "rules", "description"]
    write_rows(Rows(columns, list(rows)), format.value)


@contracts_app.command()
def diff(
    file: Annotated[Path, typer.Argument(help="A file, in the landing folder or not.")],
    feed: Feed = None,
) -> None:
    """Hold a file against its contract without landing it; exits 1 when anything differs."""
    from granary.landing.file_diff import compare_file

    contract, extracted_at = _described(file, feed)
    difference = compare_file(file, contract, extracted_at)
    typer.echo(
        f"{file}: {difference.lines:,} lines against {contract.feed}, version {contract.version}"
    )
    for line in difference.report:
        typer.echo(line)
    raise typer.Exit(0 if difference.fits else 1)


@contracts_app.command()
def accept(
    what: Annotated[
        str, typer.Argument(help="A feed whose contract was edited, or a file to fit it to.")
    ],
    reason: Annotated[str, typer.Option(help="Why, for those who ask later.")],
    feed: Feed = None,
    not_phi: Annotated[
        list[str] | None, typer.Option(help="Header of a new column without protected values.")
    ] = None,
) -> None:
    """Make a changed feed the next version of its contract, with the reason."""
    from granary.landing.contract_accept import accept_edit, accept_file
    from granary.landing.contract_versions import definition_of
    from granary.landing.file_diff import compare_file
    from granary.pages import write_pages

    file, today = Path(what), utc_now().date()
    renamed: list[str] = []
    if file.exists():
        contract, extracted_at = _described(file, feed)
        recorded = _recorded(contract)
        difference = compare_file(file, contract, extracted_at)
        renamed = difference.renamed
        accepted = accept_file(
            CONTRACTS,
            contract,
            recorded.definition if recorded else definition_of(contract),
            difference,
            reason,
            not_phi or [],
            today,
        )
    else:
        contract = _contract(what)
        recorded = _recorded(contract)
        if recorded is None:
            raise GranaryError(
                f"Nothing landed under version {contract.version} of {contract.feed} here, so "
                "there is nothing to compare it with.",
                "Start the warehouse (granary up), or edit the contract freely if it is new.",
            )
        accepted = accept_edit(CONTRACTS, contract, recorded.definition, reason, today)
    typer.echo(f"{accepted.contract.path} is version {accepted.contract.version} now:")
    for clause in accepted.what:
        typer.echo(f"  {clause}")
    for clause in renamed:
        typer.echo(f"Take it back if this was a mistake: {clause}")
    for name in write_pages():
        typer.echo(f"Wrote {name}.")
    staging = f"models/staging/{contract.domain}/stg_{contract.feed}.sql"
    if (PROJECT / staging).exists():
        typer.echo(f"{staging} reads the table; let it follow, then: granary plan sandbox")


def _contract(feed: str) -> "Contract":
    from granary.landing.contract import load_contracts
    from granary.names import known

    return known(feed, load_contracts(CONTRACTS), "feed", CONTRACTS)


def _described(file: Path, feed: str | None) -> tuple["Contract", datetime]:
    """Find a file's contract and extract time: by its place, or by the feed given and now."""
    from granary.landing.files import EXTRACT_TIME, FILE_NAME

    if not file.exists():
        raise GranaryError(f"{file}: there is no such file.", "Check the path.")
    match = FILE_NAME.fullmatch(file.name)
    if feed is None and match is None:
        raise GranaryError(
            f"{file}: neither folder nor name say which feed it is of.", "Give it with --feed."
        )
    domain = file.resolve().parent.parent.name
    contract = _contract(feed or f"{domain}_{match['entity'] if match else ''}")
    try:
        extracted_at = datetime.strptime(match["seed"] if match else "", EXTRACT_TIME)
    except ValueError:
        extracted_at = utc_now()
    return contract, extracted_at


def _landed() -> dict[str, tuple[int, datetime]]:
    """Count the batches that landed, by feed; nothing when the warehouse is down."""
    from granary.gateways import open_gateway

    gateway = open_gateway(Settings())
    if not gateway.is_up():
        return {}
    with gateway.store() as store:
        store.prepare([])
        rows = store.rows(
            "SELECT feed, COUNT(*), MAX(load_timestamp) FROM ops.load_batch "
            "WHERE status = 'loaded' GROUP BY feed"
        )
    return {feed: (batches, last) for feed, batches, last in rows}


def _recorded(contract: "Contract") -> "RecordedContract | None":
    """Look up what landing used under the contract's version; None when the warehouse is down."""
    from granary.gateways import open_gateway
    from granary.landing.contract_versions import recorded_version

    gateway = open_gateway(Settings())
    if not gateway.is_up():
        return None
    with gateway.store() as store:
        store.prepare([])
        return recorded_version(store, contract.feed, contract.version)
