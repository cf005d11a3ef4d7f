"""`granary seed`: synthetic source files, and how lifelike they are."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import typer

from granary.reporter import Reporter, counted
from granary.settings import Settings

seed_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
reporter = Reporter()

DEMO_TENANTS = 3
DEMO_MEMBERS = 16_000
DEMO_START = "2024-01-01"
DEMO_END = "2025-12-31"
DEMO_SEED = 1


class SeedFormat(StrEnum):
    """How seed files are written."""

    CSV = "csv"
    GZIP = "gzip"
    PARQUET = "parquet"


@seed_app.command()
def aca(
    tenants: Annotated[int, typer.Option(min=1, max=6, help="Issuers.")] = DEMO_TENANTS,
    members: Annotated[
        int,
        typer.Option(
            min=1, max=2_000_000, help="Members over all issuers; others join as time goes on."
        ),
    ] = DEMO_MEMBERS,
    start: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"])] = DEMO_START,  # type: ignore[assignment]
    end: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"])] = DEMO_END,  # type: ignore[assignment]
    batches: Annotated[
        int | None, typer.Option(min=1, help="Extracts, evenly spaced; one a month when not given.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed and options, same bytes.")] = DEMO_SEED,
    format: Annotated[
        SeedFormat, typer.Option(help="Of the files; landing reads csv and gzip.")
    ] = SeedFormat.CSV,
    faults: Annotated[bool, typer.Option("--faults", help="Plant labelled faults.")] = False,
    anomalies: Annotated[
        bool, typer.Option("--anomalies", help="Plant labelled anomalies of billing.")
    ] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Measure the files against public aggregates.")
    ] = False,
) -> None:
    """Write synthetic files of health insurers: members, claims, premiums and so on."""
    if end <= start:
        raise typer.BadParameter("--to must be after --from.")
    settings = Settings()
    _generate(
        settings,
        tenants=tenants,
        members=members,
        start=start.date(),
        end=end.date(),
        batches=batches,
        seed=seed,
        format=format,
        faults=faults,
        anomalies=anomalies,
    )
    if report:
        from seeds_gen.aca import realism

        realism.show(realism.measure(settings.landing_path))


def generate_demo(settings: Settings) -> None:
    """Write the demo's files into the landing folder."""
    _generate(
        settings,
        tenants=DEMO_TENANTS,
        members=DEMO_MEMBERS,
        start=date.fromisoformat(DEMO_START),
        end=date.fromisoformat(DEMO_END),
        batches=None,
        seed=DEMO_SEED,
    )


def _generate(
    settings: Settings,
    *,
    tenants: int,
    members: int,
    start: date,
    end: date,
    batches: int | None,
    seed: int,
    format: SeedFormat = SeedFormat.CSV,
    faults: bool = False,
    anomalies: bool = False,
) -> None:
    from seeds_gen.aca import FileFormat, generate

    with reporter.step("Seeds") as step:
        summary = generate(
            settings.landing_path,
            tenants=tenants,
            members=members,
            start=start,
            end=end,
            batches=batches,
            seed=seed,
            format=FileFormat(format),
            faults=faults,
            anomalies=anomalies,
            progress=step.advance,
        )
        rows = sum(summary.rows.values())
        step.result = (
            f"{counted(len(summary.files), 'file')}, {rows:,} rows in {settings.landing_path}"
        )
