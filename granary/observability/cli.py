"""`granary trace` and `granary alert`: a figure back to its lines, and who hears of problems."""

from typing import Annotated

import typer

from granary.errors import GranaryError
from granary.reporter import Reporter
from granary.settings import CONTRACTS, Settings
from granary.tables import Format


def alert(
    test: Annotated[bool, typer.Option("--test", help="Send a message to every address.")] = False,
) -> None:
    """Tell how many addresses hear of problems; exits 1 when one does not take a test."""
    from granary.observability.alerts import Level
    from granary.observability.channels import channels

    settings = Settings()
    found = channels(settings)
    if not found:
        raise GranaryError(
            "Nobody is told of problems.", "Set GRANARY_ALERT_URLS in .env; see docs/runbook.md."
        )
    typer.echo(f"{len(found)} addresses are told of problems from {settings.alert_level} on.")
    if not test:
        return
    failed = False
    for channel in found:
        try:
            channel.send("Granary: a test", "Alerts of Granary arrive here.", Level.WARNING)
            typer.echo(f"Address {channel.place} took the message.")
        except GranaryError as error:
            failed = True
            Reporter().error(error.message)
    raise typer.Exit(1 if failed else 0)


def trace(
    metric: Annotated[str, typer.Argument(help="A metric of the registry.")],
    where: Annotated[
        list[str] | None, typer.Option(help="Condition, such as metal_tier=silver,gold; repeat.")
    ] = None,
    period: Annotated[
        str | None, typer.Option(help="2025, 2025-Q1, 2025-03 or 2025-03-14; all when not given.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most batches and lines to show.")] = 10,
    environment: Annotated[str, typer.Option("--env", help="Environment to ask.")] = "prod",
    format: Annotated[Format, typer.Option("--format", help="How to write the answer.")] = (
        Format.TABLE
    ),
) -> None:
    """Follow a figure back to the batches, files and lines that it rests on."""
    from granary.gateways import open_gateway
    from granary.landing.contract import load_contracts
    from granary.observability.trace import Tracer, parse_period
    from granary.observability.trace_report import write_trace
    from granary.pipeline import Pipeline
    from semantic.origins import load_origins
    from semantic.query import parse_condition
    from semantic.registry import load_registry

    settings, registry = Settings(), load_registry()
    tracer = Tracer(
        open_gateway(settings),
        registry,
        load_origins(),
        load_contracts(CONTRACTS),
        environment,
    )
    found = tracer.trace(
        metric,
        [parse_condition(text) for text in where or ()],
        parse_period(period) if period else None,
        limit,
    )

    def models_of(fact: str) -> list[str]:
        return Pipeline(settings, Reporter()).upstream(fact)

    write_trace(found, registry, format, models_of)
