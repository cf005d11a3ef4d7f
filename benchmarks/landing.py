"""Landing against what it stands on: rows per second of one large file of claim lines.

    uv run python -m benchmarks.landing [--rows 1000000]

Ours reads, checks, deduplicates and writes with lineage, dead letters and ledger; the yardsticks
only copy: a block COPY of the file by psycopg, and DuckDB's CREATE TABLE AS over its CSV reader.
Each is done five times in turn, the file as one extract after the other; the figures are medians.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import duckdb
import psycopg

from granary.landing import (
    Contract,
    DuckDBStore,
    LandingFile,
    PostgresStore,
    Store,
    land_file,
    load_contracts,
)
from granary.landing.tables import quoted
from granary.postgres.cluster import Cluster
from granary.settings import PROJECT

EXTRACTED_AT = datetime(2025, 1, 1)
BLOCK = 1 << 20
ROUNDS = 5
# Seconds of the yardstick and of ours, by round.
Rounds = list[tuple[float, float]]
CLAIMS = """
COPY (
  SELECT
    'C' || LPAD(CAST(line // 2 AS TEXT), 10, '0') AS claim_id,
    line % 2 + 1 AS line_number,
    'M' || LPAD(CAST(pick % 20000 AS TEXT), 8, '0') AS member_id,
    'P' || LPAD(CAST(pick % 3000 AS TEXT), 6, '0') AS provider_id,
    '12345FL' || LPAD(CAST(pick % 100 AS TEXT), 7, '0') || '-01' AS plan_id,
    ['professional', 'inpatient', 'outpatient', 'pharmacy'][pick % 4 + 1] AS claim_type,
    DATE '2024-01-01' + CAST(pick % 300 AS INTEGER) AS service_date,
    DATE '2024-01-11' + CAST(pick % 300 AS INTEGER) AS received_date,
    DATE '2024-01-21' + CAST(pick % 300 AS INTEGER) AS adjudicated_date,
    'paid' AS claim_status,
    line % 3 = 0 AS in_network,
    'E11.' || (pick % 10) AS diagnosis_code,
    'PX-' || (pick % 1000) AS procedure_code,
    pick % 4 + 1 AS units,
    NULL AS denial_reason_code,
    CAST(pick / 100 AS DECIMAL(14, 2)) AS claim_amount,
    CAST(pick / 110 AS DECIMAL(14, 2)) AS allowed_amount,
    CAST(pick / 120 AS DECIMAL(14, 2)) AS paid_amount,
    CAST(0 AS DECIMAL(14, 2)) AS deductible,
    CAST(10 AS DECIMAL(14, 2)) AS copay,
    CAST(5.5 AS DECIMAL(14, 2)) AS coinsurance,
    NULL AS discharge_date,
    NULL AS discharge_status,
    NULL AS admission_type
  FROM (SELECT line, CAST(HASH(line) % 100000 AS BIGINT) AS pick FROM RANGE({rows}) AS l (line))
) TO '{path}' (HEADER)
"""


def main() -> None:
    """Run all four on one file and print rows per second."""
    rows = asked_rows("Landing against plain copies.", default=1_000_000)
    contract = load_contracts(PROJECT / "contracts")["aca_claims"]
    with claims_file(rows) as path:
        megabytes = path.stat().st_size / 1e6
        print(f"{rows:,} claim lines, {len(contract.columns)} columns, {megabytes:,.0f} MB\n")
        figures = _measure(path, path.parent, contract)
    print(f"{'':34}{'seconds':>9}{'rows/s':>12}{'ratio':>8}{'of the rounds':>16}")
    for engine, (plain, rounds) in figures.items():
        copied, landed = (median(seconds) for seconds in zip(*rounds, strict=True))
        ratios = sorted(yardstick / seconds for yardstick, seconds in rounds)
        print(f"{f'{engine}, {plain}':34}{copied:9.2f}{rows / copied:12,.0f}{1:8.2f}")
        print(
            f"{f'{engine}, landed':34}{landed:9.2f}{rows / landed:12,.0f}{median(ratios):8.2f}"
            f"{f'{ratios[0]:.2f} to {ratios[-1]:.2f}':>16}"
        )


def _measure(path: Path, folder: Path, contract: Contract) -> dict[str, tuple[str, Rounds]]:
    """Time the yardstick and ours, by engine and in turn; seconds."""
    plain, own = folder / "plain.duckdb", folder / "granary.duckdb"
    with server(folder) as conninfo:
        postgres = [
            (
                seconds_of(lambda: _block_copy(conninfo, path, contract)),
                land(PostgresStore(conninfo), path, contract, number),
            )
            for number in range(ROUNDS)
        ]
    duck = [
        (
            seconds_of(lambda: _create_table_as(plain, path, contract)),
            land(DuckDBStore(own), path, contract, number),
        )
        for number in range(ROUNDS)
    ]
    return {"PostgreSQL": ("block COPY", postgres), "DuckDB": ("CREATE TABLE AS", duck)}


def asked_rows(description: str, default: int) -> int:
    """Read --rows from the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rows", type=int, default=default, help="lines of the file")
    rows: int = parser.parse_args().rows
    return rows


@contextmanager
def claims_file(rows: int) -> Iterator[Path]:
    """Make a file of claim lines, alone in a folder that goes with it."""
    with tempfile.TemporaryDirectory(prefix="granary-benchmark-") as name:
        folder = Path(name)
        # The server's user has to get in.
        folder.chmod(0o755)
        path = folder / "claims.csv"
        duckdb.execute(CLAIMS.format(rows=rows, path=path))
        yield path


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run a server in the folder while it is needed; gives its connection string."""
    cluster = Cluster(folder / "home")
    cluster.start()
    try:
        yield cluster.admin.conninfo()
    finally:
        cluster.destroy()


def seconds_of(work: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def land(store: Store, path: Path, contract: Contract, number: int = 0) -> float:
    """Land a file as the extract of a day, counted from 0; closes the store, gives the seconds."""
    extracted_at = EXTRACTED_AT + timedelta(days=number)
    file = LandingFile.from_options(path, contract, "issuer_1", extracted_at)
    store.prepare([contract])
    seconds = seconds_of(lambda: land_file(store, file, contract))
    store.close()
    return seconds


def _columns(contract: Contract) -> str:
    columns = contract.columns.values()
    return ", ".join(f"{quoted(column.name)} {column.sql_type}" for column in columns)


def _block_copy(conninfo: str, path: Path, contract: Contract) -> None:
    with psycopg.connect(conninfo) as server, path.open("rb") as stream:
        server.execute("DROP TABLE IF EXISTS plain")
        server.execute(f"CREATE TABLE plain ({_columns(contract)})".encode())
        statement = "COPY plain FROM STDIN (FORMAT csv, HEADER)"
        with server.cursor() as cursor, cursor.copy(statement) as copy:
            while block := stream.read(BLOCK):
                copy.write(block)


def _create_table_as(target: Path, path: Path, contract: Contract) -> None:
    types = ", ".join(f"'{c.name}': '{c.sql_type}'" for c in contract.columns.values())
    with duckdb.connect(str(target)) as connection:
        connection.execute(
            "CREATE OR REPLACE TABLE plain AS "
            f"SELECT * FROM read_csv('{path}', columns = {{{types}}})"
        )


if __name__ == "__main__":
    main()
