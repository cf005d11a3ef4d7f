"""OpenLineage: which file became rows of which table, and which tables a model read.

Jobs are `land.<feed>` and the models by name, in the namespace `granary`. Events go to
`<home>/lineage/events.jsonl`, or wherever the client's own variables say, such as OPENLINEAGE_URL.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import attr
from dotenv import dotenv_values
from openlineage.client import OpenLineageClient, set_producer
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    DatasetFacet,
    JobFacet,
    RunFacet,
    dataset_version_dataset,
    error_message_run,
    input_statistics_input_dataset,
    job_type_job,
    output_statistics_output_dataset,
    parent_run,
    schema_dataset,
)
from openlineage.client.transport.file import FileConfig, FileTransport

from granary.landing.batch import LoadBatch
from granary.landing.files import LandingFile
from granary.observability.logs import without_values
from granary.observability.private_files import make_private, rotate
from granary.runs import FinishedRun
from granary.settings import PROJECT, Settings

FOLDER = "lineage"
FILE = "events.jsonl"
BYTES = 20_000_000
KEPT = 4
NAMESPACE = "granary"
PRODUCER = "urn:granary"
PREFIX = "OPENLINEAGE_"


@attr.define
class LoadRunFacet(RunFacet):
    """The batch that a file became; see ops.load_batch."""

    loadId: int
    tenantId: str
    extractedAt: str
    rowsRead: int
    rowsLoaded: int
    rowsRejected: int
    rowsDuplicate: int

    @staticmethod
    def _get_schema() -> str:
        return f"{PRODUCER}:load-run-facet"


def is_configured() -> bool:
    """Whether the client's own variables say where events go; those of .env count too."""
    return any(name.startswith(PREFIX) for name in (*os.environ, *_of_dotenv()))


def open_client(settings: Settings) -> OpenLineageClient:
    """The client, with events to the home's own file unless its variables say otherwise.

    Raises:
        OSError: the file cannot be written.
    """
    set_producer(PRODUCER)
    if is_configured():
        # The client adds variables of its own to the process; they end with its making.
        before = dict(os.environ)
        os.environ.update(_of_dotenv() | before)
        try:
            return OpenLineageClient()
        finally:
            os.environ.clear()
            os.environ.update(before)
    path = events_path(settings.home_path)
    make_private(path)
    rotate(path, BYTES, KEPT)
    make_private(path)
    return OpenLineageClient(transport=FileTransport(FileConfig(str(path), append=True)))


def events_path(home: Path) -> Path:
    """Where the events of a home are."""
    return home / FOLDER / FILE


def _of_dotenv() -> dict[str, str]:
    file = Settings.model_config.get("env_file")
    values = dotenv_values(PROJECT / file) if isinstance(file, Path) else {}
    return {name: value for name, value in values.items() if value and name.startswith(PREFIX)}


def landed_events(settings: Settings, file: LandingFile, batch: LoadBatch) -> list[RunEvent]:
    """A file became rows of its raw table."""
    run = uuid5(NAMESPACE_URL, f"{PRODUCER}:{batch.load_id}:{batch.started_at.isoformat()}")
    facets: dict[str, RunFacet] = {
        "granary_load": LoadRunFacet(
            loadId=batch.load_id,
            tenantId=batch.tenant_id,
            extractedAt=_moment(batch.extracted_at),
            rowsRead=batch.rows_read,
            rowsLoaded=batch.rows_loaded,
            rowsRejected=batch.rows_rejected,
            rowsDuplicate=batch.rows_duplicate,
        )
    }
    source = _file_dataset(
        file,
        {"version": dataset_version_dataset.DatasetVersionDatasetFacet(batch.sha256)},
        rows=batch.rows_read,
        size=batch.bytes,
    )
    target = _table(settings, f"raw.{batch.feed}", "prod")
    target.outputFacets = {
        "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
            rowCount=batch.rows_loaded
        )
    }
    job = _job(f"land.{batch.feed}", "LOAD")
    return [
        _event(RunState.START, batch.started_at, run, job, {}, [source], [target]),
        _event(RunState.COMPLETE, batch.finished_at, run, job, facets, [source], [target]),
    ]


def refused_events(
    settings: Settings, file: LandingFile, message: str, at: datetime
) -> list[RunEvent]:
    """A file could not land."""
    run, job = uuid4(), _job(f"land.{file.feed}", "LOAD")
    inputs, outputs = [_file_dataset(file, {})], [_table(settings, f"raw.{file.feed}", "prod")]
    return [
        _event(RunState.START, at, run, job, {}, inputs, outputs),
        _event(RunState.FAIL, at, run, job, _error(message), inputs, outputs),
    ]


def run_events(settings: Settings, run: FinishedRun) -> Iterator[RunEvent]:
    """A plan or run, and within it each model that it evaluated."""
    whole, job = UUID(run.run_id), _job(run.job, "DAG")
    yield _event(RunState.START, run.began_at, whole, job, {})
    parent: dict[str, RunFacet] = {
        "parent": parent_run.ParentRunFacet(
            parent_run.Run(run.run_id), parent_run.Job(NAMESPACE, run.job)
        )
    }
    for name, model in run.models.items():
        own, own_job = uuid5(whole, name), _job(name, "MODEL")
        began = model.began_at or run.began_at
        ended = min(began + timedelta(seconds=model.seconds), run.ended_at)
        inputs = [_input(settings, table, run.environment) for table in model.reads]
        output = _table(settings, name, run.environment)
        output.facets = {"schema": _schema(model.columns)}
        yield _event(RunState.START, began, own, own_job, parent, inputs, [output])
        last = RunState.FAIL if model.error else RunState.COMPLETE
        facets = parent | (_error(model.error) if model.error else {})
        yield _event(last, ended, own, own_job, facets, inputs, [output])
    last = RunState.FAIL if run.error else RunState.COMPLETE
    yield _event(last, run.ended_at, whole, job, _error(run.error) if run.error else {})


def _event(
    state: RunState,
    at: datetime,
    run: UUID,
    job: Job,
    facets: Mapping[str, RunFacet],
    inputs: Iterable[InputDataset] = (),
    outputs: Iterable[OutputDataset] = (),
) -> RunEvent:
    return RunEvent(
        eventTime=_moment(at),
        eventType=state,
        run=Run(str(run), dict(facets)),
        job=job,
        inputs=list(inputs),
        outputs=list(outputs),
    )


def _moment(at: datetime) -> str:
    return at.replace(tzinfo=UTC).isoformat()


def _job(name: str, kind: str) -> Job:
    facets: dict[str, JobFacet] = {
        "jobType": job_type_job.JobTypeJobFacet(
            processingType="BATCH", integration="GRANARY", jobType=kind
        )
    }
    return Job(NAMESPACE, name, facets)


def _error(message: str) -> dict[str, RunFacet]:
    said = without_values(message)
    return {"errorMessage": error_message_run.ErrorMessageRunFacet(said, "SQL")}


def _file_dataset(
    file: LandingFile,
    facets: dict[str, DatasetFacet],
    rows: int | None = None,
    size: int | None = None,
) -> InputDataset:
    scheme, found, rest = file.source.partition("://")
    if found:
        bucket, _, name = rest.partition("/")
        namespace = f"{scheme}://{bucket}"
    else:
        namespace, name = "file", str(file.path.resolve())
    statistics = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(rows, size, 1)
    return InputDataset(
        namespace=namespace, name=name, facets=facets, inputFacets={"inputStatistics": statistics}
    )


def _table(settings: Settings, table: str, environment: str) -> OutputDataset:
    """A table or view as people of an environment know it; raw and ops belong to all of them."""
    schema, _, name = table.partition(".")
    if environment != "prod" and schema not in ("raw", "ops"):
        schema = f"{schema}__{environment}"
    if settings.pghost is None:
        return OutputDataset(NAMESPACE, f"{schema}.{name}")
    return OutputDataset(
        f"postgres://{settings.pghost}:{settings.pgport}", f"{settings.pgdatabase}.{schema}.{name}"
    )


def _input(settings: Settings, table: str, environment: str) -> InputDataset:
    found = _table(settings, table, environment)
    return InputDataset(found.namespace, found.name)


def _schema(columns: Iterable[tuple[str, str]]) -> schema_dataset.SchemaDatasetFacet:
    return schema_dataset.SchemaDatasetFacet(
        [schema_dataset.SchemaDatasetFacetFields(name, kind) for name, kind in columns]
    )
