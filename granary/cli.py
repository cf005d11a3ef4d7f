"""The command line: `granary VERB`; each verb is also a make target."""

import sys
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from granary.contracts_cli import contracts_app
from granary.errors import GranaryError, WrongUsage
from granary.letters_cli import ErrorClass, Feed, Load, Tenant, letters_app, wanted
from granary.metrics_cli import metrics_app
from granary.observability.cli import alert, trace
from granary.observability.observer import Observer
from granary.privacy_cli import forget
from granary.reporter import Reporter, counted
from granary.seed_cli import generate_demo, seed_app
from granary.settings import Settings
from granary.tables import Format

if TYPE_CHECKING:
    from granary.pipeline import Pipeline

app = typer.Typer(
    name="granary",
    help="A versioned warehouse: land files, plan models, compare environments.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(
    metrics_app, name="metrics", help="List, describe and query the metrics of the registry."
)
app.add_typer(
    contracts_app, name="contract", help="Show, compare and change what files must look like."
)
app.add_typer(
    letters_app, name="dead-letters", help="List, count, export and close what was refused."
)
app.add_typer(seed_app, name="seed", help="Write synthetic source files into the landing folder.")
app.command()(alert)
app.command()(trace)
app.command()(forget)
reporter = Reporter()
observer = Observer(Settings, reporter)

PROD = "prod"
EXTRACT_TIME = "%Y%m%dT%H%M%SZ"

Environment = Annotated[str, typer.Argument(help="Name of the environment, such as sandbox.")]


@app.callback()
def begin(context: typer.Context) -> None:
    """Let the observer know which verb is at work."""
    observer.verb = context.invoked_subcommand or ""


@app.command()
def up(
    dashboards: Annotated[
        bool, typer.Option("--dashboards/--no-dashboards", help="Serve them too, on this machine.")
    ] = True,
) -> None:
    """Start the warehouse, make the demo when nothing has landed yet, land, and build prod."""
    pipeline = _start()
    frontend = pipeline.frontend
    if dashboards and frontend.why_none is None:
        # Better now than after minutes of work.
        frontend.server.check_port()
    freshness = pipeline.freshness()
    if not freshness.is_built and pipeline.nothing_to_land():
        generate_demo(pipeline.settings)
    report = pipeline.land()
    freshness = pipeline.freshness()
    if not freshness.is_built or not freshness.is_current_project:
        pipeline.build_prod()
    elif freshness.batches_waiting:
        pipeline.run()
    served = dashboards and frontend.why_none is None
    if served:
        pipeline.synchronise(PROD, serve=True)
    reporter.line(f"All is up: {pipeline.gateway.describe()}.")
    if served:
        reporter.line(f"Dashboards are at {frontend.describe()}.")
    elif dashboards:
        reporter.line(f"There are no dashboards: {frontend.why_none}.")
    reporter.line('Ask it: make sql Q="SELECT * FROM semantic.dashboard_summary LIMIT 5"')
    raise typer.Exit(report.exit_code)


@app.command()
def serve() -> None:
    """Serve prod's dashboards in the foreground, for containers and service managers."""
    pipeline = _start()
    pipeline.synchronise(PROD)
    reporter.line(f"Dashboards are at {pipeline.frontend.describe()}.")
    pipeline.frontend.server.become()


@app.command()
def down() -> None:
    """Stop what `up` started; data stays."""
    from granary.gateways import open_gateway
    from granary.superset.frontend import Frontend

    settings = Settings()
    served = Frontend(settings).stop()
    stopped = open_gateway(settings).stop() or served
    reporter.line("Stopped." if stopped else "Nothing was running.")


@app.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove the warehouse with all its data; files in the landing folder stay."""
    from granary.gateways import open_gateway
    from granary.superset.frontend import Frontend

    settings = Settings()
    gateway, frontend = open_gateway(settings), Frontend(settings)
    if not yes:
        typer.confirm("Remove the warehouse and everything in it?", abort=True)
    frontend.stop()
    gateway.destroy()
    frontend.destroy()
    reporter.line("The warehouse is gone; `granary up` makes a new one.")


@app.command()
def status(
    tenants: Annotated[
        bool, typer.Option("--tenants", help="What each tenant sent, counted again.")
    ] = False,
    all_batches: Annotated[
        bool, typer.Option("--all", help="With --tenants: not only the batches of the last week.")
    ] = False,
) -> None:
    """Tell what is running and how fresh prod is; exits 1 when the warehouse is down."""
    from granary.gateways import open_gateway
    from granary.pipeline import Pipeline

    settings = Settings()
    if not open_gateway(settings).is_up():
        reporter.line("The warehouse is down; start it with: granary up")
        raise typer.Exit(1)
    pipeline = Pipeline(settings, reporter)
    freshness = pipeline.freshness()
    reporter.line(f"Warehouse    is up: {pipeline.gateway.describe()}")
    frontend = pipeline.frontend
    if frontend.why_none is None:
        is_up = frontend.server.is_up()
        reporter.line(
            f"Superset     is {'up' if is_up else 'down; start it with: granary up; then it is'} "
            f"at {frontend.server.url}"
        )
    if unusual := pipeline.count_unusual():
        stand = "thing stands" if unusual == 1 else "things stand"
        reporter.line(
            f"Unusual      {unusual:,} {stand} in ops.anomaly; see: granary sql "
            '"SELECT * FROM ops.anomaly ORDER BY found_at DESC"'
        )
    if letters := pipeline.waiting_letters():
        reporter.line(f"Dead letters {letters}; see: granary dead-letters groups --status waiting")
    if not freshness.is_built:
        reporter.line("Prod         was never built; build it with: granary up")
        return
    waiting = freshness.batches_waiting
    reporter.line(
        f"Prod         lacks {counted(waiting, 'batch')}; bring it up with: granary run"
        if waiting
        else "Prod         has all that landed"
    )
    if not freshness.is_current_project:
        reporter.line("Models       differ from prod's; see: granary plan sandbox")
    if tenants:
        from granary.tables import write_rows

        counts, mismatches = pipeline.count_tenants(all_batches=all_batches)
        write_rows(counts, Format.TABLE.value)
        for mismatch in mismatches:
            reporter.error(str(mismatch))
        raise typer.Exit(1 if mismatches else 0)


@app.command()
def load(
    file: Annotated[
        Path | None, typer.Argument(help="A file from outside the landing folder.")
    ] = None,
    feed: Annotated[str | None, typer.Option(help="Its feed, such as aca_qhp_landscape.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Its tenant, such as cms.")] = None,
    extracted_at: Annotated[
        datetime | None,
        typer.Option(formats=[EXTRACT_TIME], help="When it was read at the source, UTC."),
    ] = None,
) -> None:
    """Land what is new in the landing folder, or one FILE; models are not run."""
    if file is None:
        raise typer.Exit(_start().land().exit_code)
    if feed is None or tenant is None or extracted_at is None:
        raise typer.BadParameter(
            "A FILE needs --feed, --tenant and --extracted-at, because its name does not say."
        )
    _start().land_one(file, feed, tenant, extracted_at)


@app.command()
def plan(
    environment: Environment = "sandbox",
    explain: Annotated[
        bool, typer.Option("--explain", help="Only show what would change.")
    ] = False,
) -> None:
    """Show what the checkout's models change in an environment, test them, build only that."""
    pipeline = _start()

    def show(changes: list[str]) -> None:
        _show(changes or [f"No model differs from {environment}."])

    if explain:
        show(pipeline.explain(environment))
    else:
        pipeline.plan(environment, show)


@app.command()
def retract(
    load_id: Annotated[int, typer.Argument(help="The batch, as in ops.load_batch.")],
    reason: Annotated[str, typer.Option(help="Why, for those who ask later.")],
) -> None:
    """Take a wrong batch out of history, as if it had never landed, and bring prod forward."""
    _start().retract(load_id, reason)


@app.command()
def retry(
    load: Load = None,
    error_class: ErrorClass = None,
    feed: Feed = None,
    tenant: Tenant = None,
    mended: Annotated[
        Path | None, typer.Option(help="An export whose values were corrected; only its lines.")
    ] = None,
    accept: Annotated[
        str | None,
        typer.Option(help="Why the file of --load may land although it is unusual; it is kept."),
    ] = None,
) -> None:
    """Try refused lines and files again and bring prod forward; exits 1 when some still wait."""
    if accept is not None and (load is None or mended is not None):
        raise typer.BadParameter("--accept lets one file in: name it with --load alone.")
    raise typer.Exit(_start().retry(wanted(feed, tenant, load, error_class), mended, accept))


@app.command()
def run() -> None:
    """Land what is new and bring prod forward."""
    pipeline = _start()
    report = pipeline.land()
    freshness = pipeline.freshness()
    if not freshness.is_built:
        pipeline.build_prod()
    elif freshness.batches_waiting:
        pipeline.run()
    else:
        reporter.line("Prod has all that landed; nothing to run.")
    raise typer.Exit(report.exit_code)


@app.command()
def promote(environment: Environment = "sandbox") -> None:
    """Give prod the tables that an environment already has; nothing is computed again."""
    _start().promote(environment)


@app.command()
def drop(environment: Environment) -> None:
    """Remove an environment and the dashboards that show it; prod stays."""
    _start().drop(environment)


@app.command()
def dashboards(
    environment: Environment = PROD,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 when anything differs.")
    ] = False,
) -> None:
    """Bring Superset's dashboards of an environment to what the checkout says."""
    pipeline = _start()
    if not check:
        pipeline.synchronise(environment, _show)
        return
    lines = pipeline.differences(environment)
    _show(lines or [f"The dashboards of {environment} are as the checkout says."])
    raise typer.Exit(1 if lines else 0)


@app.command("check-dashboards")
def check_dashboards(
    user: Annotated[
        str | None, typer.Option(help="Ask as this user of the passwords file; admin else.")
    ] = None,
) -> None:
    """Ask every chart for its rows, uncached; tells the slowest and exits 1 on any failure."""
    from granary.pipeline import Pipeline
    from granary.superset.chart_check import check_charts

    pipeline = Pipeline(Settings(), reporter)
    report = check_charts(pipeline.frontend, user)
    _show(report.lines)
    raise typer.Exit(0 if report.is_well else 1)


@app.command()
def diff(
    environment: Environment = "sandbox",
    against: Annotated[str, typer.Option(help="The environment to compare with.")] = "prod",
) -> None:
    """Compare the tables of an environment with prod's, row by row."""
    from granary.tables import show_differences

    show_differences(_start().compare(against, environment), against, environment)


@app.command()
def doctor() -> None:
    """Check the machine, the settings and the warehouse; exits 1 when there is a problem."""
    from granary.doctor import examine

    is_well = True
    for finding in examine(Settings()):
        typer.echo(finding.line)
        is_well = is_well and finding.is_ok
    raise typer.Exit(0 if is_well else 1)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One statement that only reads.")],
    format: Annotated[Format, typer.Option("--format", help="How to write the answer.")] = (
        Format.TABLE
    ),
    as_of: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
            help="Answer as at this moment (UTC): without what landed or was retracted later.",
        ),
    ] = None,
) -> None:
    """Answer a query on the warehouse, as it is or as it was."""
    from granary.pipeline import Pipeline
    from granary.tables import write_rows

    pipeline = Pipeline(Settings(), reporter)
    rows = pipeline.query_as_of(query, as_of) if as_of else pipeline.gateway.query(query)
    write_rows(rows, format.value)


@app.command()
def docs() -> None:
    """Write the pages that are made from contracts and registry, and external_models/raw.yaml."""
    from granary.pages import write_pages

    names = write_pages()
    for name in names:
        reporter.line(f"Wrote {name}.")
    if not names:
        reporter.line("All pages are as contracts and registry say.")


def main() -> None:
    """Run the command line; what goes wrong is told in sentences, never as a traceback."""
    try:
        with observer.command():
            app()
    except GranaryError as error:
        reporter.error(error.message)
        if error.remedy:
            reporter.line(error.remedy)
        sys.exit(2 if isinstance(error, WrongUsage) else 1)
    except ValidationError as error:
        for problem in error.errors():
            reporter.error(
                f"Setting GRANARY_{'_'.join(map(str, problem['loc'])).upper()}: {problem['msg']}."
            )
        reporter.line("Mend it in the environment or in .env; .env.example shows what it may be.")
        sys.exit(2)
    except Exception as error:
        reporter.error(
            f"{type(error).__name__}: something went wrong that Granary did not foresee."
        )
        reporter.line(f"The details are in {_keep_traceback()}.")
        sys.exit(1)


def _show(lines: list[str]) -> None:
    for line in lines:
        typer.echo(line)


def _start() -> "Pipeline":
    from granary.pipeline import Pipeline

    pipeline = Pipeline(Settings(), reporter, observer)
    pipeline.start()
    return pipeline


def _keep_traceback() -> Path:
    details = traceback.format_exc()
    name = f"error_{datetime.now(UTC):%Y%m%dT%H%M%SZ}.log"
    try:
        folder = Settings().home_path / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        # What went wrong may quote data.
        path.touch(mode=0o600)
    except OSError:
        # What went wrong may be that very folder.
        path = Path(tempfile.mkdtemp(prefix="granary-")) / name
    path.write_text(details)
    return path
