"""The tables that landing owns: raw.<feed> from the contracts, and the ledger in ops."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from granary.landing.contract import Contract


@dataclass(frozen=True)
class TableColumn:
    """One column of a table, in words that PostgreSQL and DuckDB share."""

    name: str
    sql_type: str
    required: bool
    description: str


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        name: schema and name.
        rule: a CHECK that every row must meet, or "".
    """

    name: str
    description: str
    columns: tuple[TableColumn, ...]
    primary_key: tuple[str, ...]
    rule: str = ""


LINEAGE_COLUMNS = (
    TableColumn("tenant_id", "TEXT", True, "Who sent the file: the tenant's folder."),
    TableColumn("load_id", "BIGINT", True, "Batch that the line came with; see ops.load_batch."),
    TableColumn("load_timestamp", "TIMESTAMP", True, "When the batch landed (UTC)."),
    TableColumn("extracted_at", "TIMESTAMP", True, "When the source wrote the file (UTC)."),
    TableColumn("source_line", "INTEGER", True, "Line in the file; the header is line 1."),
)

LOAD_BATCH = Table(
    "ops.load_batch",
    "One row per file that landed or was refused as a whole.",
    (
        TableColumn("load_id", "BIGINT", True, "Name of the batch, made of what it is."),
        TableColumn("feed", "TEXT", True, "Feed, and name of the raw table."),
        TableColumn("tenant_id", "TEXT", True, "Who sent the file."),
        TableColumn("domain", "TEXT", True, "Domain of the feed."),
        TableColumn("source", "TEXT", True, "Path inside the landing folder, or the file's name."),
        TableColumn("sha256", "TEXT", True, "Digest of the content, decompressed."),
        TableColumn("bytes", "BIGINT", True, "Size of the file."),
        TableColumn("modified_at", "TIMESTAMP", True, "When the file was last written (UTC)."),
        TableColumn("extracted_at", "TIMESTAMP", True, "When the source wrote it (UTC)."),
        TableColumn("load_timestamp", "TIMESTAMP", True, "When it landed (UTC)."),
        TableColumn("rows_read", "BIGINT", True, "Lines after the header."),
        TableColumn("rows_loaded", "BIGINT", True, "Lines in the raw table."),
        TableColumn("rows_rejected", "BIGINT", True, "Lines that do not meet the contract."),
        TableColumn("rows_duplicate", "BIGINT", True, "Lines equal to an earlier line."),
        TableColumn("expected_minimum_rows", "BIGINT", True, "Fewest lines the contract expects."),
        TableColumn("status", "TEXT", True, "loaded or refused."),
        TableColumn("error", "TEXT", False, "Why the file was refused."),
        TableColumn("started_at", "TIMESTAMP", True, "When reading began (UTC)."),
        TableColumn("finished_at", "TIMESTAMP", True, "When the last line was written (UTC)."),
        TableColumn("contract_version", "INTEGER", True, "Version of the contract it met."),
        TableColumn("header", "TEXT", False, "Names of the file's columns, as a CSV record."),
        TableColumn("replay_of", "BIGINT", False, "Batch whose lines it brings again."),
        TableColumn(
            "accepted_reason", "TEXT", False, "Why it may land although its policy stops it."
        ),
    ),
    ("load_id",),
    "rows_read = rows_loaded + rows_rejected + rows_duplicate",
)

DEAD_LETTER = Table(
    "ops.dead_letter",
    "One row per refused line; line 0 stands for a file refused as a whole.",
    (
        TableColumn("load_id", "BIGINT", True, "Batch that the line came with."),
        TableColumn("feed", "TEXT", True, "Feed of the file."),
        TableColumn("tenant_id", "TEXT", True, "Who sent the file."),
        TableColumn("source_line", "INTEGER", True, "Line in the file; 0 for the whole file."),
        TableColumn("column_name", "TEXT", False, "First column at fault."),
        TableColumn("reason", "TEXT", True, "All that is wrong with the line."),
        TableColumn("error_class", "TEXT", True, "Kind of the first fault."),
        TableColumn("raw_text", "TEXT", False, "The line, protected values as ***."),
        TableColumn("status", "TEXT", True, "waiting, replayed, or closed: nothing to mend."),
        TableColumn("attempts", "INTEGER", True, "How often it was tried."),
        TableColumn("created_at", "TIMESTAMP", True, "When it was first refused (UTC)."),
        TableColumn("replayed_load_id", "BIGINT", False, "Batch that brought the line at last."),
        TableColumn(
            "closed_reason", "TEXT", False, "Why somebody closed it; NULL where nobody had to."
        ),
        TableColumn("closed_at", "TIMESTAMP", False, "When somebody closed it (UTC)."),
    ),
    ("load_id", "source_line"),
)

REFUSED_LINE = Table(
    "raw.refused_line",
    "One row per line that waits as a dead letter: the line as it came, protected values included.",
    (
        TableColumn("load_id", "BIGINT", True, "Batch that the line came with."),
        TableColumn("source_line", "INTEGER", True, "Line in the file."),
        TableColumn("line", "BYTEA", True, "The record in the file's order of columns."),
    ),
    ("load_id", "source_line"),
)

LOAD_PROFILE = Table(
    "ops.load_profile",
    "One row per batch and column: what the good rows look like.",
    (
        TableColumn("load_id", "BIGINT", True, "The batch."),
        TableColumn("column_name", "TEXT", True, "The column."),
        TableColumn("blank_share", "DOUBLE PRECISION", True, "Blank values over rows."),
        TableColumn(
            "distinct_share", "DOUBLE PRECISION", True, "Different values over rows, of a sample."
        ),
    ),
    ("load_id", "column_name"),
)

ANOMALY = Table(
    "ops.anomaly",
    "One row per thing that is unusual about a batch.",
    (
        TableColumn("load_id", "BIGINT", True, "The batch."),
        TableColumn("feed", "TEXT", True, "Feed of the file."),
        TableColumn("tenant_id", "TEXT", True, "Who sent the file."),
        TableColumn("anomaly", "TEXT", True, "Kind: volume, blank, distinct, duplicates, …"),
        TableColumn("column_name", "TEXT", True, "The column, - for the whole file."),
        TableColumn("measured", "DOUBLE PRECISION", True, "What was found."),
        TableColumn("expected_low", "DOUBLE PRECISION", True, "Least that is usual."),
        TableColumn("expected_high", "DOUBLE PRECISION", True, "Most that is usual."),
        TableColumn("policy", "TEXT", True, "warn: it landed; stop: only if it was accepted."),
        TableColumn("message", "TEXT", True, "The same in a sentence."),
        TableColumn("found_at", "TIMESTAMP", True, "When it was found (UTC)."),
    ),
    ("load_id", "anomaly", "column_name"),
)

RETRACTION = Table(
    "ops.retraction",
    "One row per batch that was taken out of history; its rows stay in raw and in the ledger.",
    (
        TableColumn("load_id", "BIGINT", True, "Batch that no longer counts."),
        TableColumn("reason", "TEXT", True, "Why it was taken out."),
        TableColumn("retracted_at", "TIMESTAMP", True, "When it was taken out (UTC)."),
    ),
    ("load_id",),
)

CONTRACT = Table(
    "ops.contract",
    "One row per version of a feed's contract that landing used.",
    (
        TableColumn("feed", "TEXT", True, "Feed of the contract."),
        TableColumn("version", "INTEGER", True, "Version that the contract states."),
        TableColumn("digest", "TEXT", True, "sha256 of the definition."),
        TableColumn("definition", "TEXT", True, "What it demands, as JSON."),
        TableColumn("reason", "TEXT", True, "Why the version was made."),
        TableColumn("first_used_at", "TIMESTAMP", True, "When landing first used it (UTC)."),
    ),
    ("feed", "version"),
)

METRIC_DEFINITION = Table(
    "ops.metric_definition",
    "One row per metric as prod computes it, written when prod is planned or promoted.",
    (
        TableColumn("metric", "TEXT", True, "Name of the metric."),
        TableColumn("domain", "TEXT", True, "Domain of the registry."),
        TableColumn("label", "TEXT", True, "Name for people."),
        TableColumn("question", "TEXT", True, "Business question that it answers."),
        TableColumn("description", "TEXT", True, "What it means, and which choices were made."),
        TableColumn("formula", "TEXT", True, "How it is computed, inputs included."),
        TableColumn("unit", "TEXT", True, "What the number counts."),
        TableColumn("additivity", "TEXT", True, "How parts combine to the whole."),
        TableColumn("direction", "TEXT", True, "up, down or neutral: when more is better."),
        TableColumn("owner", "TEXT", True, "Who answers for it."),
    ),
    ("metric",),
)

RUN = Table(
    "ops.run",
    "One row per plan, run and promotion.",
    (
        TableColumn("run_id", "TEXT", True, "Name of the run."),
        TableColumn("verb", "TEXT", True, "plan, run or promote."),
        TableColumn("environment", "TEXT", True, "What it was done to."),
        TableColumn("project_version", "TEXT", True, "Digest of the models and what they read."),
        TableColumn("started_at", "TIMESTAMP", True, "When it began (UTC)."),
        TableColumn("finished_at", "TIMESTAMP", False, "When it ended (UTC); NULL while it runs."),
        TableColumn("status", "TEXT", True, "running, done or failed."),
        TableColumn("error", "TEXT", False, "Why it failed."),
    ),
    ("run_id",),
    "status IN ('running', 'done', 'failed')",
)

MODEL_RUN = Table(
    "ops.model_run",
    "One row per model that a plan or run evaluated.",
    (
        TableColumn("run_id", "TEXT", True, "The plan or run; see ops.run."),
        TableColumn("model", "TEXT", True, "Schema and name of the model."),
        TableColumn("seconds", "DOUBLE PRECISION", True, "Time it took, audits included."),
        TableColumn("audits_passed", "INTEGER", True, "Audits that found nothing."),
        TableColumn("audits_failed", "INTEGER", True, "Audits that found rows."),
        TableColumn("table_rows", "BIGINT", False, "About how many rows it has; NULL for a view."),
    ),
    ("run_id", "model"),
)

FORGOTTEN = Table(
    "ops.forgotten",
    "One row per person who was removed everywhere; it does not say who that was.",
    (
        TableColumn("forgotten_id", "TEXT", True, "Name of the request."),
        TableColumn("domain", "TEXT", True, "Domain that the person was known in."),
        TableColumn("tenant_id", "TEXT", True, "Tenant that knew the person."),
        TableColumn("secret_id", "TEXT", True, "Which secret the digests are made with."),
        TableColumn("reason", "TEXT", True, "Why, without a name."),
        TableColumn("status", "TEXT", True, "started, or done when nothing is left."),
        TableColumn("requested_at", "TIMESTAMP", True, "When it was asked for (UTC)."),
        TableColumn("finished_at", "TIMESTAMP", False, "When nothing was left (UTC)."),
        TableColumn("rows_removed", "TEXT", True, "Rows that each table held, as JSON."),
    ),
    ("forgotten_id",),
    "status IN ('started', 'done')",
)

FORGOTTEN_VALUE = Table(
    "ops.forgotten_value",
    "One row per value that led to a forgotten person: later lines that hold it are refused.",
    (
        TableColumn("forgotten_id", "TEXT", True, "The request; see ops.forgotten."),
        TableColumn("domain", "TEXT", True, "Domain of the feeds that it is looked for in."),
        TableColumn("tenant_id", "TEXT", True, "Tenant whose files it is looked for in."),
        TableColumn("column_name", "TEXT", True, "Column that held it."),
        TableColumn("digest", "TEXT", True, "HMAC-SHA256 of it; the secret is not in here."),
    ),
    ("domain", "tenant_id", "column_name", "digest"),
)

AUDIT_RESULT = Table(
    "ops.audit_result",
    "One row per audit of a model that a plan or run asked, kept for 90 days.",
    (
        TableColumn("run_id", "TEXT", True, "The plan or run; see ops.run."),
        TableColumn("model", "TEXT", True, "Schema and name of the model."),
        TableColumn(
            "audit_number", "INTEGER", True, "Place among the audits of the model, from 1."
        ),
        TableColumn("audit", "TEXT", True, "Name of the audit."),
        TableColumn("arguments", "TEXT", True, "What it checks, as the model says it."),
        TableColumn("blocking", "BOOLEAN", True, "Whether a finding stops the run."),
        TableColumn("rows_found", "BIGINT", True, "Rows that break it; 0 when it passed."),
        TableColumn("checked_at", "TIMESTAMP", True, "When it was asked (UTC)."),
        TableColumn("seconds", "DOUBLE PRECISION", True, "Time that it took."),
    ),
    ("run_id", "model", "audit_number"),
)

OPS_TABLES = (
    LOAD_BATCH,
    DEAD_LETTER,
    REFUSED_LINE,
    LOAD_PROFILE,
    ANOMALY,
    RETRACTION,
    FORGOTTEN,
    FORGOTTEN_VALUE,
    CONTRACT,
    METRIC_DEFINITION,
    RUN,
    MODEL_RUN,
    AUDIT_RESULT,
)


def raw_table(contract: Contract) -> Table:
    """Describe the raw table of a feed: the file's columns 1:1, then the lineage columns.

    Retired columns stay and may be NULL.

    It has no primary key: that of the ledger, written in the same transaction, already keeps a
    batch from landing twice, and a key on every line costs a third of the loading time.
    """
    columns = tuple(
        TableColumn(
            column.name,
            column.sql_type,
            column.required and not column.retired,
            column.description,
        )
        for column in contract.columns.values()
    )
    return Table(
        contract.table,
        contract.description,
        columns + LINEAGE_COLUMNS,
        (),
    )


def create_statement(table: Table) -> str:
    """Write CREATE TABLE with its primary key and its rule."""
    lines = [
        f"{quoted(column.name)} {column.sql_type}{' NOT NULL' if column.required else ''}"
        for column in table.columns
    ]
    if table.primary_key:
        lines.append(f"PRIMARY KEY ({', '.join(map(quoted, table.primary_key))})")
    if table.rule:
        lines.append(f"CHECK ({table.rule})")
    return f"CREATE TABLE {table.name} ({', '.join(lines)})"


def change_statements(table: Table, present: Mapping[str, bool]) -> list[str]:
    """Write ALTER TABLE for the columns that a contract gained or no longer requires.

    Older batches have NULL in a new column. Nothing is ever removed or cast.

    Args:
        present: the columns that the table has, and whether each is NOT NULL.
    """
    required = {column.name for column in table.columns if column.required}
    added = [
        f"ADD COLUMN {quoted(column.name)} {column.sql_type}"
        for column in table.columns
        if column.name not in present
    ]
    relaxed = [
        f"ALTER COLUMN {quoted(name)} DROP NOT NULL"
        for name, is_required in present.items()
        if is_required and name not in required
    ]
    return [f"ALTER TABLE {table.name} {change}" for change in added + relaxed]


def comment_statements(table: Table) -> list[str]:
    """Write the descriptions as COMMENT ON."""
    return [
        f"COMMENT ON TABLE {table.name} IS {literal(table.description)}",
        *(
            f"COMMENT ON COLUMN {table.name}.{quoted(column.name)} IS {literal(column.description)}"
            for column in table.columns
        ),
    ]


def quoted(name: str) -> str:
    """Quote an identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a string."""
    return "'" + text.replace("'", "''") + "'"


def timestamp(moment: datetime) -> str:
    """Write a moment, UTC without zone."""
    return f"TIMESTAMP {literal(str(moment))}"
