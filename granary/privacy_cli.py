"""`granary forget` on the command line."""

from typing import Annotated

import typer

from granary.reporter import Reporter, counted
from granary.settings import Settings

reporter = Reporter()


def forget(
    tenant: Annotated[str, typer.Option(help="Who sent the person's lines, such as issuer_1.")],
    reason: Annotated[str, typer.Option(help="Why, without a name; it is kept.")],
    member: Annotated[
        str,
        typer.Option(
            prompt="Member id",
            help="The id as the sender writes it; asked for when it is not given, so that it need "
            "not stand in the shell's history.",
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove a person everywhere: raw, dead letters, every table of the models, our logs."""
    from granary.cli import observer
    from granary.pipeline import Pipeline
    from granary.privacy.forgetting import prepare

    pipeline = Pipeline(Settings(), reporter, observer)
    pipeline.start()
    forgetting = prepare(pipeline, reporter, tenant, member)
    if not forgetting.is_held:
        assert forgetting.request is not None
        reporter.line(
            f"Forgotten on {forgetting.request.requested_at:%Y-%m-%d} already; nothing is held."
        )
        return
    rows, tables = sum(forgetting.found.values()), len(forgetting.found)
    reporter.line(f"Found {counted(rows, 'row')} of {counted(tables, 'table')} about this person.")
    if not yes:
        others = forgetting.environments()
        dropped = f" The environments {', '.join(others)} are dropped." if others else ""
        typer.confirm(f"Remove them for good?{dropped}", abort=True)
    if not forgetting.run(reason):
        raise typer.Exit(1)
    reporter.line("Forgotten. Copies outside of Granary, such as backups, are yours to clean.")
