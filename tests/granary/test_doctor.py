import re
from datetime import UTC, datetime
from pathlib import Path

import duckdb as duckdb_engine
import pytest
from runtime_support import Granary
from small_project import duckdb_settings

from granary.doctor import WHY_REFUSED, Finding, examine
from granary.gateways.base import Gateway
from granary.gateways.postgres import PostgresGateway
from granary.landing import LandingFile, land_file, load_contracts
from granary.landing.letters import Wanted, group_letters
from granary.pipeline import Pipeline
from granary.postgres.connection import connect
from granary.postgres.record import new_password, read_record, write_record
from granary.postgres.tuning import GIB, Machine
from granary.reporter import Reporter
from granary.runs import RunLog, project_version
from granary.settings import PROJECT, Settings

ALWAYS = [
    "Python",
    "Memory",
    "Disk",
    "Home",
    "Landing",
    "Log",
    "Metrics",
    "Lineage",
    "Alerts",
    "Warehouse",
]
WHEN_UP = ["Roles", "State", "Prod", "Dead letters", "Tenants", "Runs"]


def findings(settings: Settings) -> dict[str, Finding]:
    return {finding.subject: finding for finding in examine(settings)}


def problems(found: dict[str, Finding]) -> list[str]:
    return [subject for subject, finding in found.items() if not finding.is_ok]


@pytest.fixture
def healthy(gateway: Gateway, settings: Settings) -> Gateway:
    """A warehouse with all that `granary up` leaves."""
    settings.landing_path.mkdir(parents=True, exist_ok=True)
    if settings.gateway == "duckdb":
        duckdb_engine.connect(str(settings.home_path / "granary_state.duckdb")).close()
    with gateway.operations() as connection:
        log = RunLog(connection)
        log.finish(log.begin("plan", "prod", project_version(PROJECT)))
    return gateway


def test_a_healthy_warehouse_has_no_problem(healthy: Gateway, settings: Settings) -> None:
    found = list(examine(settings))
    dashboards = ["Superset"] if settings.gateway == "postgres" else []
    assert [finding.subject for finding in found] == ALWAYS + WHEN_UP + dashboards
    assert [finding.line for finding in found if not finding.is_ok] == []
    assert all(re.match(r"ok {7}\S", finding.line) for finding in found)
    engine = {"duckdb": "answers as v1.", "postgres": "answers as PostgreSQL "}
    assert engine[settings.gateway] in found[ALWAYS.index("Warehouse")].message


def test_before_the_first_up_it_says_what_to_start_and_ends_there(
    granary: Granary, home: Path
) -> None:
    outcome = granary("doctor")
    assert outcome.exit_code == 1
    lines = outcome.answer.splitlines()
    assert [line[9:22].strip() for line in lines] == ALWAYS
    assert lines[-1] == "problem  Warehouse     is down. Start it with: granary up"
    # Looking changes nothing.
    assert not home.exists()


@pytest.mark.parametrize("settings", ["duckdb"], indirect=True)
def test_the_exit_code_is_0_when_all_is_well(healthy: Gateway, granary: Granary) -> None:
    outcome = granary("doctor")
    assert (outcome.exit_code, outcome.messages) == (0, "")
    assert len(outcome.answer.splitlines()) == len(ALWAYS + WHEN_UP)


def test_a_server_that_does_not_answer_is_named_and_the_rest_is_still_looked_at(
    tmp_path: Path,
) -> None:
    settings = Settings(
        _env_file=None, gateway="postgres", home=tmp_path, pghost="127.0.0.1", pgport=1
    )
    found = findings(settings)
    assert list(found) == ALWAYS
    assert found["Disk"].is_ok
    assert "No PostgreSQL server answers at 127.0.0.1:1." in found["Warehouse"].line
    assert "GRANARY_PGHOST" in found["Warehouse"].remedy


@pytest.mark.parametrize("settings", ["duckdb"], indirect=True)
def test_little_memory_and_disk_are_problems(
    healthy: Gateway, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Machine(memory=GIB, cores=1, free_disk=GIB // 2)
    monkeypatch.setattr("granary.doctor.this_machine", lambda _: small)
    found = findings(settings)
    assert found["Memory"].line.startswith("problem  Memory        1.0 GB in all.")
    assert found["Disk"].line.startswith("problem  Disk          0.5 GB free for ")
    assert problems(found) == ["Memory", "Disk"]


def test_a_home_that_cannot_be_written_to_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    found = findings(duckdb_settings(tmp_path / "home"))["Home"]
    assert not found.is_ok
    assert str(tmp_path / "home") in found.message
    assert "GRANARY_HOME" in found.remedy


@pytest.mark.parametrize("settings", ["duckdb"], indirect=True)
def test_files_that_cannot_land_are_counted(healthy: Gateway, settings: Settings) -> None:
    tenant = settings.landing_path / "aca" / "issuer_1"
    tenant.mkdir(parents=True)
    (tenant / "members_20250101T000000Z.csv").write_text("member_id\n")
    assert "1 files in" in findings(settings)["Landing"].message

    (tenant / "members_january.csv").write_text("member_id\n")
    (settings.landing_path / "aca" / "nobody").mkdir()
    found = findings(settings)["Landing"]
    assert not found.is_ok
    assert found.message.startswith("2 files or folders cannot land, the first is ")
    assert "members_january.csv" in found.message
    assert "granary load" in found.remedy


@pytest.mark.slow
@pytest.mark.parametrize("settings", ["postgres"], indirect=True)
def test_a_role_whose_password_is_refused_is_named_and_up_mends_it(
    healthy: PostgresGateway, settings: Settings
) -> None:
    record = read_record(settings.home_path)
    roles = record.roles.model_copy(update={"reader": new_password()})
    write_record(record.model_copy(update={"roles": roles}))

    found = findings(settings)
    assert problems(found) == ["Roles"]
    assert "refused the password of user granary_reader" in found["Roles"].message
    assert "granary up" in found["Roles"].remedy

    healthy.start()
    assert problems(findings(settings)) == []


@pytest.mark.slow
@pytest.mark.parametrize("settings", ["postgres"], indirect=True)
def test_a_lost_state_database_is_named(healthy: PostgresGateway, settings: Settings) -> None:
    admin = healthy.warehouse.admin
    with connect(admin, application_name="test", autocommit=True) as connection:
        connection.execute("ALTER DATABASE granary_state RENAME TO lost")
        found = findings(settings)["State"]
        connection.execute("ALTER DATABASE lost RENAME TO granary_state")
    assert found.message.endswith("has no database granary_state.")


@pytest.mark.parametrize("settings", ["duckdb"], indirect=True)
def test_a_lost_state_file_is_named(healthy: Gateway, settings: Settings) -> None:
    state = settings.home_path / "granary_state.duckdb"
    state.unlink()
    assert str(state) in findings(settings)["State"].message


def test_prod_that_was_never_built_or_lacks_batches(gateway: Gateway, settings: Settings) -> None:
    found = findings(settings)["Prod"]
    assert (found.message, found.remedy) == ("was never built.", "Build it with: granary up")

    with gateway.operations() as connection:
        log = RunLog(connection)
        log.finish(log.begin("plan", "prod", "another version"))
    found = findings(settings)["Prod"]
    assert found.is_ok
    assert "the checkout's models differ" in found.message

    with gateway.operations() as connection:
        connection.execute(
            "INSERT INTO ops.load_batch SELECT 1, 'aca_plans', 'issuer_1', 'aca', 'plans.csv', "
            "'', 0, $1, $1, $1, 0, 0, 0, 0, 0, 'loaded', NULL, $1, $1, 1, NULL, NULL, NULL",
            [datetime(2099, 1, 1)],
        )
    found = findings(settings)["Prod"]
    assert (found.message, found.remedy) == ("lacks 1 batch that landed.", "Run: granary run")


def test_refused_lines_that_wait_are_counted_and_can_be_looked_up(
    healthy: Gateway, settings: Settings
) -> None:
    with healthy.operations() as connection:
        for line, status in ((0, "waiting"), (2, "waiting"), (3, "waiting"), (4, "closed")):
            connection.execute(
                "INSERT INTO ops.dead_letter VALUES "
                "(1, 'aca_plans', 'issuer_1', $1, 'premium', 'not a number', 'type', NULL, $2, "
                "1, $3, NULL, NULL, NULL)",
                [line, status, datetime.now(UTC).replace(tzinfo=None)],
            )
    found = findings(settings)
    assert problems(found) == ["Dead letters"]
    assert found["Dead letters"].message == "2 lines and 1 file wait."

    assert WHY_REFUSED in found["Dead letters"].remedy
    with healthy.store() as store:
        groups = group_letters(store, Wanted(status="waiting"))
    assert [row[:6] for row in groups.rows] == [
        ("aca_plans", "issuer_1", "type", "premium", "waiting", 3)
    ]


@pytest.mark.parametrize(
    ("verb", "environment", "again"),
    [
        ("run", "prod", "granary run"),
        ("plan", "sandbox", "granary plan sandbox"),
        ("promote", "prod", "granary promote ENV"),
    ],
)
@pytest.mark.parametrize("settings", ["duckdb"], indirect=True)
def test_a_run_whose_process_is_gone_is_told_with_its_way_back(
    verb: str, environment: str, again: str, healthy: Gateway, settings: Settings
) -> None:
    with healthy.operations() as connection:
        RunLog(connection).begin(verb, environment, "v1")
    found = findings(settings)["Runs"]
    assert re.fullmatch(
        rf"the {verb} of {environment} begun at [-0-9]+ [:0-9]+ UTC was cut off\.", found.message
    )
    assert found.remedy == f"Nothing is lost; do it again: {again}"

    with healthy.operations() as connection:
        RunLog(connection).begin(verb, environment, "v1")
    assert "was cut off (and 1 before it)." in findings(settings)["Runs"].message


def test_a_run_that_is_going_on_is_no_crash(healthy: Gateway, settings: Settings) -> None:
    with healthy.writer("run prod", pytest.fail):
        with healthy.operations() as connection:
            RunLog(connection).begin("run", "prod", "v1")
        found = findings(settings)["Runs"]
        assert found.is_ok
        assert found.message.startswith("at work: granary run prod (process ")

        # Whoever is at work began last; who began before and has no end was cut off.
        with healthy.operations() as connection:
            RunLog(connection).begin("plan", "sandbox", "v1")
        assert findings(settings)["Runs"].message.startswith("the run of prod begun at ")


def test_a_long_message_stays_on_one_line() -> None:
    finding = Finding("Warehouse", "did not start:\nlog line 1\n  log line 2", False, "Mend it.")
    assert finding.line == ("problem  Warehouse     did not start: log line 1 log line 2 Mend it.")


def test_it_says_where_to_look_and_who_is_told(
    granary: Granary, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = granary("doctor").answer
    for file in ("logs/granary.jsonl", "metrics/granary.prom", "lineage/events.jsonl"):
        assert str(home / file) in told
    assert "nobody is told of problems" in told

    monkeypatch.setenv("GRANARY_ALERT_URLS", "json://u:s3cr3t@example.com mailto://example.com")
    monkeypatch.setenv("OPENLINEAGE_URL", "https://u:s3cr3t@example.com")
    told = granary("doctor").answer
    assert "2 addresses are told of problems" in told
    assert "goes where the OPENLINEAGE_ variables say" in told
    assert "example.com" not in told


def test_rows_that_are_not_what_the_ledger_says_are_told_by_batch(
    gateway: Gateway, settings: Settings, tmp_path: Path
) -> None:
    contracts = load_contracts(PROJECT / "contracts")
    contract = contracts["aca_appeals"]
    header = "appeal_id,claim_id,line_number,filed_date,decided_date,outcome"
    lines = [f"A{i},C{i},1,2025-01-02,,open" for i in range(5)]
    batches = {}
    with gateway.store() as store:
        store.prepare(contracts.values())
        store.rows("DELETE FROM raw.aca_appeals")
        for tenant in ("issuer_1", "issuer_2"):
            path = tmp_path / f"{tenant}.csv"
            path.write_text("\n".join([header, *lines, lines[-1], "A9,C9,1,never,,open"]) + "\n")
            file = LandingFile.from_options(path, contract, tenant, datetime(2025, 2, 1))
            batches[tenant] = land_file(store, file, contract)
    batch = batches["issuer_2"]
    assert batch is not None
    pipeline = Pipeline(settings, Reporter())
    sent = ("aca_appeals", 1, 7, 5, 1, 1)
    for all_batches in (False, True):
        counts, mismatches = pipeline.count_tenants(all_batches=all_batches)
        assert mismatches == []
        assert counts.rows == [("issuer_1", *sent, "yes"), ("issuer_2", *sent, "yes")]

    with gateway.operations() as connection:
        connection.execute(
            "UPDATE raw.aca_appeals SET tenant_id = 'issuer_1' "
            "WHERE tenant_id = 'issuer_2' AND source_line = 2"
        )

    counts, mismatches = pipeline.count_tenants(all_batches=False)
    assert [row[-1] for row in counts.rows] == ["no", "no"]
    assert {(one.tenant_id, one.load_id) for one in mismatches} == {
        ("issuer_1", batch.load_id),
        ("issuer_2", batch.load_id),
    }
    assert any("the ledger has 5 rows and 2 refused" in str(one) for one in mismatches)
    assert any("raw has 4 rows and there are 2 dead letters" in str(one) for one in mismatches)
    finding = findings(settings)["Tenants"]
    assert not finding.is_ok
    assert f"batch {batch.load_id}: " in finding.message
