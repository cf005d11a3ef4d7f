"""`granary metrics`: the registry on the command line."""

from datetime import datetime
from typing import Annotated

import typer

from granary.errors import GranaryError
from granary.settings import PROJECT, Settings
from granary.tables import Format, write_rows
from semantic.definitions import Grain

metrics_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Formatted = Annotated[Format, typer.Option("--format", help="How to write the answer.")]


@metrics_app.command("list")
def list_metrics(
    group: Annotated[str | None, typer.Option(help="Only this group, such as finance.")] = None,
    search: Annotated[str | None, typer.Option(help="Only those that mention this text.")] = None,
    format: Formatted = Format.TABLE,
) -> None:
    """List the metrics of the registry."""
    from granary.metrics import catalogue
    from semantic.registry import load_registry

    write_rows(catalogue(load_registry(), group, search), format.value)


@metrics_app.command()
def describe(metric: Annotated[str, typer.Argument(help="Its name.")]) -> None:
    """Say what a metric means, how it is computed and what it can be split by."""
    from granary.metrics import description
    from semantic.registry import load_registry

    for line in description(load_registry(), metric):
        typer.echo(line)


@metrics_app.command()
def history(
    metric: Annotated[str, typer.Argument(help="Its name, also one that is no longer defined.")],
    format: Formatted = Format.TABLE,
) -> None:
    """Show which definitions of a metric were in force in prod, and when."""
    from granary import metrics
    from granary.gateways import open_gateway

    write_rows(metrics.history(open_gateway(Settings()), metric), format.value)


@metrics_app.command()
def write() -> None:
    """Write the models of the metric tables anew from the registry."""
    from granary.metric_models import refresh_metric_models

    changed = refresh_metric_models()
    for path in changed:
        typer.echo(f"{path.relative_to(PROJECT)} {'was written' if path.exists() else 'is gone'}")
    if not changed:
        typer.echo("The metric tables agree with the registry.")


@metrics_app.command()
def query(
    metrics: Annotated[list[str], typer.Argument(help="Names, one or more.")],
    by: Annotated[list[str] | None, typer.Option(help="Dimensions; repeat or use commas.")] = None,
    grain: Annotated[Grain | None, typer.Option(help="Length of the periods.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="Condition, such as metal_tier=silver,gold; repeat.")
    ] = None,
    start: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")
    ] = None,
    end: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="First day that no longer counts."),
    ] = None,
    order: Annotated[
        list[str] | None, typer.Option(help="Names to sort by, -name for descending.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Most rows to give.")] = None,
    environment: Annotated[str, typer.Option("--env", help="Environment to ask.")] = "prod",
    format: Formatted = Format.TABLE,
    explain: Annotated[bool, typer.Option("--sql", help="Only show the SQL.")] = False,
) -> None:
    """Ask the warehouse for metrics, split by dimensions and periods."""
    from granary.gateways import open_gateway
    from granary.metrics import ask, for_people, sparks
    from semantic.compiler import compile_query
    from semantic.query import Query, parse_condition
    from semantic.registry import load_registry

    if start and end and start >= end:
        raise GranaryError(
            f"From {start:%Y-%m-%d} to {end:%Y-%m-%d} there is no day.",
            "--to is the first day that no longer counts; it comes after --from.",
        )
    settings, registry = Settings(), load_registry()
    question = Query(
        metrics=_names(metrics),
        by=_names(by),
        grain=grain,
        where=tuple(parse_condition(text) for text in where or ()),
        start=start.date() if start else None,
        end=end.date() if end else None,
        order=_names(order),
        limit=limit,
    )
    if explain:
        typer.echo(compile_query(registry, question).sql(settings.gateway, pretty=True))
        return
    rows = ask(open_gateway(settings), registry, question, environment)
    if format is not Format.TABLE:
        write_rows(rows, format.value)
        return
    write_rows(for_people(registry, rows), format.value)
    for line in sparks(registry, rows):
        typer.echo(line)


def _names(given: list[str] | None) -> tuple[str, ...]:
    return tuple(name for text in given or () for name in text.split(",") if name)
