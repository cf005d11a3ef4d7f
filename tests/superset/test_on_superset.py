"""The life of one Superset: set up, edited, pruned, given environments, killed."""

import socket
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from superset_support import TABLES, World, small_bundle, superset_settings

from granary.errors import GranaryError
from granary.pipeline import Pipeline
from granary.reporter import Reporter
from granary.superset import synchronisation
from granary.superset.chart_check import check_charts
from granary.superset.client import Client
from granary.superset.credentials import read_private, secrets_of
from granary.superset.frontend import Frontend
from granary.transformation import Evaluations

pytestmark = pytest.mark.slow

LogIn = Callable[[str], Client]
CHARTS = ["Paid by metal", "Paid by tenant", "Premium by state", "Rows by feed"]
TOTALS = {"issuer_1": 150.0, "issuer_2": 18.0}


def ids(client: Client, kind: str, title: str) -> dict[str, int]:
    """Numbers of the assets that a user sees, by title."""
    answer = client.get(f"/api/v1/{kind}/", q="(page_size:100)")
    assert answer.status == 200, answer
    return {one[title]: one["id"] for one in answer.content["result"]}


def charts(client: Client) -> dict[str, int]:
    return ids(client, "chart", "slice_name")


def datasets(client: Client) -> dict[str, int]:
    """By schema and table."""
    answer = client.get("/api/v1/dataset/", q="(page_size:100)")
    return {f"{one['schema']}.{one['table_name']}": one["id"] for one in answer.content["result"]}


def dashboards(client: Client) -> list[str]:
    return sorted(ids(client, "dashboard", "slug"))


def totals(client: Client, title: str = "Paid by tenant", **query: str) -> dict[str, float]:
    """What the chart of totals by tenant shows."""
    answer = client.get(f"/api/v1/chart/{charts(client)[title]}/data/", **query)
    assert answer.status == 200, answer
    return {row["tenant_id"]: row["paid"] for row in answer.content["result"][0]["data"]}


def query(dataset: int, **what: Any) -> dict[str, Any]:
    """An ad-hoc question, as the chart editor sends it."""
    question = {"columns": ["tenant_id"], "metrics": ["paid"], "row_limit": 100, **what}
    return {
        "datasource": {"id": dataset, "type": "table"},
        "queries": [question],
        "result_format": "json",
        "result_type": "full",
        "force": True,
    }


def test_a_first_set_up_makes_everything_and_serves_it(world: World, log_in: LogIn) -> None:
    assert world.set_up.summary.endswith(" new")
    assert "+ dashboard Small (new)" in world.set_up.lines
    assert "+ Superset's own tables (new)" in world.set_up.lines
    assert world.frontend.server.is_up()
    assert sorted(charts(log_in("admin"))) == CHARTS
    assert totals(log_in("admin")) == TOTALS
    assert world.frontend.check() == f"answers at {world.frontend.server.url}"


def test_a_second_set_up_starts_no_process_of_superset(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(*_: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(synchronisation, "provision", started)
    monkeypatch.setattr(world.frontend.server, "launch", started)
    assert not world.frontend.synchronise(small_bundle(), serve=True)


def test_no_secret_is_in_a_log_or_an_argument(world: World) -> None:
    places = world.frontend.places
    words = [
        *secrets_of(places).values(),
        *read_private(places.passwords).values(),
        world.gateway.warehouse.reader.password,
        world.gateway.warehouse.superset.password,
    ]
    arguments = " ".join(
        argument
        for process in psutil.process_iter(["cmdline"])
        for argument in process.info["cmdline"] or []
    )
    said = arguments + places.log.read_text()
    assert [word for word in words if word in said] == []
    # Nor in the metadata database, where the password of the warehouse is encrypted.
    [(uri, password)] = world.metadata("SELECT sqlalchemy_uri, password FROM dbs")
    assert str(uri).startswith("postgresql+psycopg2://granary_reader:XXXXXXXXXX@")
    assert world.gateway.warehouse.reader.password not in str(password)


def test_the_page_forbids_calls_to_the_outside_and_the_log_is_quiet(world: World) -> None:
    from urllib.request import urlopen

    with urlopen(f"{world.frontend.server.url}/login/") as page:
        policy = page.headers["Content-Security-Policy"]
    assert "connect-src 'self'" in policy
    assert "http" not in policy
    assert "Traceback" not in world.frontend.places.log.read_text()


def test_what_somebody_edits_is_shown_and_brought_back(world: World, log_in: LogIn) -> None:
    admin = log_in("admin")
    changed = admin.send(
        "PUT", f"/api/v1/chart/{charts(admin)['Paid by metal']}", {"slice_name": "Mine"}
    )
    assert changed.status == 200, changed
    gone = admin.send("DELETE", f"/api/v1/chart/{charts(admin)['Rows by feed']}")
    assert gone.status == 200, gone
    rules = admin.get("/api/v1/rowlevelsecurity/").content["result"]
    [rule] = [rule["id"] for rule in rules if rule["name"] == "Granary: rows of issuer_1"]
    assert admin.send("DELETE", f"/api/v1/rowlevelsecurity/{rule}").status == 200
    # Without its rule a tenant sees nothing, rather than everything.
    assert totals(log_in("viewer_issuer_1"), force="true") == {}

    edited = [
        "! roles, users and rules (edited in Superset)",
        "! chart Paid by metal (edited in Superset)",
        "! chart Rows by feed (edited in Superset)",
        "! dashboard Small (edited in Superset)",
    ]
    assert world.frontend.compare(small_bundle()).lines == edited
    assert world.frontend.synchronise(small_bundle()).lines == edited
    assert world.frontend.compare(small_bundle()).lines == []
    assert sorted(charts(admin)) == CHARTS
    assert totals(log_in("viewer_issuer_1")) == {"issuer_1": 150.0}


def test_what_is_no_longer_shipped_goes_and_own_work_stays(world: World, log_in: LogIn) -> None:
    analyst = log_in("analyst")
    there = datasets(analyst)
    made = analyst.post(
        "/api/v1/chart/",
        {
            "slice_name": "My own",
            "viz_type": "table",
            "params": "{}",
            "datasource_id": there["semantic.warehouse_loads"],
            "datasource_type": "table",
        },
    )
    assert made.status == 201, made
    own = world.metadata("SELECT * FROM slices WHERE slice_name = 'My own'")

    smaller = small_bundle(
        charts=["paid-by-metal", "paid-by-tenant"], tables=["paid_monthly"], title="Smaller"
    )
    changes = world.frontend.synchronise(smaller)
    assert changes.lines == [
        "~ roles, users and rules (changed)",
        "~ dashboard Smaller (changed)",
        "- dataset marketplace_offers (removed)",
        "- dataset warehouse_loads (removed)",
        "- chart Premium by state (removed)",
        "- chart Rows by feed (removed)",
    ]
    # The dataset that the analyst's chart needs stays, and is the analyst's affair from now on.
    assert [asset.title for asset in changes.kept] == ["warehouse_loads"]
    assert sorted(charts(log_in("admin"))) == ["My own", "Paid by metal", "Paid by tenant"]
    assert set(datasets(analyst)) == {"semantic.paid_monthly", "semantic.warehouse_loads"}
    assert world.frontend.compare(smaller).lines == []

    world.frontend.synchronise(small_bundle())
    assert world.metadata("SELECT * FROM slices WHERE slice_name = 'My own'") == own
    assert analyst.send("DELETE", f"/api/v1/chart/{charts(analyst)['My own']}").status == 200
    assert sorted(charts(log_in("admin"))) == CHARTS
    assert world.frontend.compare(small_bundle()).lines == []


def test_an_environment_has_its_own_dashboards_until_it_is_dropped(
    world: World, log_in: LogIn
) -> None:
    world.execute(TABLES.format(schema="semantic__sandbox"))
    world.execute("UPDATE semantic__sandbox.paid_monthly SET paid_amount = paid_amount + 1")
    world.frontend.synchronise(small_bundle("sandbox"))
    analyst = log_in("analyst")
    assert dashboards(analyst) == ["small", "small-sandbox"]
    assert totals(analyst, "Paid by tenant [sandbox]") == {"issuer_1": 152.0, "issuer_2": 20.0}
    assert totals(analyst) == TOTALS
    assert world.frontend.compare(small_bundle()).lines == []
    assert dashboards(log_in("viewer_issuer_1")) == ["small"]
    assert "semantic__sandbox.paid_monthly" not in datasets(log_in("viewer_issuer_1"))
    ruled = """
      SELECT COUNT(DISTINCT rule.rls_filter_id) FROM rls_filter_tables AS rule
      INNER JOIN tables AS dataset ON dataset.id = rule.table_id
      WHERE dataset.schema = 'semantic__sandbox' AND dataset.table_name = 'paid_monthly'
    """
    # The base rule, and one of each tenant.
    assert world.metadata(ruled) == [(8,)]

    assert world.frontend.gone_environments() == []
    world.execute("DROP SCHEMA semantic__sandbox CASCADE")
    assert world.frontend.gone_environments() == ["sandbox"]
    assert world.frontend.remove("sandbox") == 1
    assert dashboards(analyst) == ["small"]
    assert sorted(charts(analyst)) == CHARTS
    assert not [name for name in datasets(analyst) if "sandbox" in name]
    assert world.metadata("SELECT COUNT(*) FROM granary_assets WHERE environment = 'sandbox'") == [
        (0,)
    ]
    assert world.frontend.remove("sandbox") == 0
    assert world.frontend.compare(small_bundle()).lines == []


def test_an_environment_that_is_not_there_is_refused_with_those_that_are(world: World) -> None:
    with pytest.raises(GranaryError) as told:
        world.frontend.compare(small_bundle("sandbax"))
    assert told.value.message == "There is no environment sandbax; there are: prod."
    assert told.value.remedy == "Make it with: granary plan sandbax"


def test_tables_and_columns_that_an_environment_lacks_are_named(world: World) -> None:
    world.execute(
        "ALTER TABLE semantic.paid_monthly RENAME COLUMN metal_tier TO tier; "
        "ALTER TABLE semantic.warehouse_loads RENAME TO loads"
    )
    try:
        with pytest.raises(GranaryError) as told:
            world.frontend.synchronise(small_bundle())
    finally:
        world.execute(
            "ALTER TABLE semantic.paid_monthly RENAME COLUMN tier TO metal_tier; "
            "ALTER TABLE semantic.loads RENAME TO warehouse_loads"
        )
    assert told.value.message == (
        "The dashboards need what prod lacks: "
        "semantic.paid_monthly.metal_tier, semantic.warehouse_loads."
    )
    assert "granary promote" in told.value.remedy


def test_a_run_busts_the_figures_of_its_environment_alone(world: World, log_in: LogIn) -> None:
    analyst = log_in("analyst")
    assert totals(analyst) == TOTALS
    world.execute("UPDATE semantic.paid_monthly SET paid_amount = 2 * paid_amount")
    try:
        assert totals(analyst) == TOTALS
        world.frontend.bust("sandbox")
        assert totals(analyst) == TOTALS
        world.frontend.bust("prod")
        assert totals(analyst) == {"issuer_1": 300.0, "issuer_2": 36.0}
    finally:
        world.execute("UPDATE semantic.paid_monthly SET paid_amount = paid_amount / 2")
        world.frontend.bust("prod")
    # Nothing that is compared was touched.
    assert world.frontend.compare(small_bundle()).lines == []


def test_every_run_busts_even_one_that_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # It fails before it needs SQLMesh's project, which takes seconds to load.
    unloaded = SimpleNamespace(evaluations=Evaluations())
    monkeypatch.setattr(Pipeline, "_load", lambda _: nullcontext(unloaded))
    before = world.metadata("SELECT MAX(changed_on) FROM tables WHERE schema = 'semantic'")

    def fail(*_: object) -> Any:
        raise GranaryError("an audit failed")

    with pytest.raises(GranaryError, match="an audit failed"):
        Pipeline(world.settings, Reporter())._transform("run", "prod", fail)
    after = world.metadata("SELECT MIN(changed_on) FROM tables WHERE schema = 'semantic'")
    assert after > before


def test_check_dashboards_asks_every_chart_as_anybody(world: World) -> None:
    report = check_charts(world.frontend)
    assert report.is_well
    assert sorted(answer.title for answer in report.answers) == CHARTS
    assert [answer.rows for answer in report.answers] == [3, 2, 2, 1]
    assert report.lines[-1].startswith("4 charts as admin, 0 failed, 95 of 100 within ")
    assert len(report.lines) == 5
    seen = check_charts(world.frontend, "viewer_issuer_2")
    assert seen.is_well
    assert [answer.rows for answer in seen.answers] == [2, 1, 2]
    # Nobody of this tenant has rows, so two of the three charts that it sees are empty.
    empty = check_charts(world.frontend, "viewer_issuer_6")
    assert not empty.is_well
    assert [answer.error for answer in empty.answers] == ["no row", "no row", ""]
    with pytest.raises(GranaryError, match="There is no user viewer_nobody"):
        check_charts(world.frontend, "viewer_nobody")


@pytest.mark.parametrize("own", ["issuer_1", "issuer_2"])
def test_a_viewer_sees_no_row_of_another_tenant_by_any_way(
    world: World, log_in: LogIn, own: str
) -> None:
    viewer = log_in(f"viewer_{own}")
    paid = datasets(log_in("admin"))["semantic.paid_monthly"]
    other = next(name for name in TOTALS if name != own)
    metal = charts(viewer)["Paid by metal"]
    ways = {
        "chart": viewer.get(f"/api/v1/chart/{charts(viewer)['Paid by tenant']}/data/"),
        "another's filter": viewer.post(
            "/api/v1/chart/data",
            query(paid, filters=[{"col": "tenant_id", "op": "==", "val": other}]),
        ),
        "ad hoc": viewer.post("/api/v1/chart/data", query(paid)),
        "filter values": viewer.post("/api/v1/chart/data", query(paid, metrics=[])),
        "raw rows": viewer.post(
            "/api/v1/chart/data", {**query(paid, metrics=[]), "result_type": "drill_detail"}
        ),
        "samples": viewer.post(
            f"/datasource/samples?datasource_id={paid}&datasource_type=table&page=1&per_page=50",
            {},
        ),
        "column values": viewer.get(f"/api/v1/datasource/table/{paid}/column/tenant_id/values/"),
        "csv": viewer.get(f"/api/v1/chart/{metal}/data/", format="csv"),
    }
    shown = {name: str(answer.content) for name, answer in ways.items() if answer.status < 300}
    assert {"chart", "ad hoc", "filter values", "another's filter"} <= shown.keys(), ways
    assert [
        name for name, text in shown.items() if other in text and name != "another's filter"
    ] == []
    # Queries are quoted with the other's name there, but no row is.
    assert ways["another's filter"].content["result"][0]["data"] == []
    assert ways["chart"].content["result"][0]["data"] == [{"tenant_id": own, "paid": TOTALS[own]}]
    total = str(sum(TOTALS.values()))
    assert [name for name, text in shown.items() if total in text] == []


OTHERS_ROWS = "'SELECT * FROM semantic.paid_monthly'"
SQL_OF_ONES_OWN = {
    "subquery": "(SELECT SUM(paid_amount) FROM semantic.paid_monthly)",
    "query in a function": f"MAX(QUERY_TO_XML({OTHERS_ROWS}, TRUE, FALSE, '')::TEXT)",
    "table in a function": "MAX(TABLE_TO_XML('semantic.paid_monthly', TRUE, FALSE, '')::TEXT)",
    "words of a query": f"(TS_STAT({OTHERS_ROWS})).word",
    "closing bracket": "SUM(paid_amount)) FROM semantic.paid_monthly --",
    "file": "MAX(PG_READ_FILE('/etc/passwd'))",
}


@pytest.mark.parametrize("sql", SQL_OF_ONES_OWN.values(), ids=SQL_OF_ONES_OWN)
def test_a_viewer_writes_no_sql_into_a_chart(world: World, log_in: LogIn, sql: str) -> None:
    viewer = log_in("viewer_issuer_1")
    paid = datasets(log_in("admin"))["semantic.paid_monthly"]
    own = {"label": "x", "expressionType": "SQL", "sqlExpression": sql}
    places: list[dict[str, Any]] = [
        {"metrics": [own]},
        {"columns": [own]},
        {"columns": [sql]},
        {"columns": ["metal_tier", sql]},
        {"orderby": [[own, True]]},
        {"extras": {"where": f"{sql} IS NOT NULL"}},
        {"extras": {"having": f"{sql} IS NOT NULL"}},
        {"filters": [{"col": own, "op": "!=", "val": "x"}]},
        {"series_limit": 1, "series_columns": ["tenant_id"], "series_limit_metric": own},
    ]
    tried = {
        str(place)[:30]: viewer.post("/api/v1/chart/data", query(paid, **place)).status
        for place in places
    }
    samples = viewer.post(
        f"/datasource/samples?datasource_id={paid}&datasource_type=table&page=1&per_page=50",
        {"extras": {"where": f"{sql} IS NOT NULL"}},
    )
    assert {place: status for place, status in tried.items() if status < 400} == {}
    assert samples.status >= 400


def test_a_viewer_drills_by_plain_columns_and_aggregates(world: World, log_in: LogIn) -> None:
    viewer = log_in("viewer_issuer_1")
    paid = datasets(log_in("admin"))["semantic.paid_monthly"]
    metric = {
        "label": "most",
        "expressionType": "SIMPLE",
        "aggregate": "MAX",
        "column": {"column_name": "paid_amount"},
    }
    answer = viewer.post(
        "/api/v1/chart/data", query(paid, columns=["metal_tier"], metrics=[metric, "paid"])
    )
    assert answer.status == 200, answer
    assert {row["metal_tier"]: row["most"] for row in answer.content["result"][0]["data"]} == {
        "silver": 100.0,
        "gold": 50.0,
    }


def test_a_viewer_changes_nothing_and_writes_no_sql(world: World, log_in: LogIn) -> None:
    viewer, admin = log_in("viewer_issuer_1"), log_in("admin")
    there = datasets(admin)
    chart = charts(viewer)["Paid by metal"]
    loads = there["semantic.warehouse_loads"]
    tried = {
        "sql lab": viewer.post(
            "/api/v1/sqllab/execute/",
            {"database_id": 1, "sql": "SELECT 1", "client_id": "a", "runAsync": False},
        ),
        "internal dataset": viewer.post(
            "/api/v1/chart/data", query(loads, columns=["feed"], metrics=["rows"])
        ),
        "rename": viewer.send("PUT", f"/api/v1/chart/{chart}", {"slice_name": "x"}),
        "remove": viewer.send("DELETE", f"/api/v1/chart/{chart}"),
        "make": viewer.post(
            "/api/v1/chart/",
            {
                "slice_name": "x",
                "viz_type": "table",
                "params": "{}",
                "datasource_id": there["semantic.paid_monthly"],
                "datasource_type": "table",
            },
        ),
        "dataset": viewer.post(
            "/api/v1/dataset/", {"database": 1, "schema": "semantic", "table_name": "x"}
        ),
        "rules": viewer.get("/api/v1/rowlevelsecurity/"),
        "users": viewer.get("/api/v1/security/users/"),
        "databases": viewer.get("/api/v1/database/"),
        "import": viewer.post("/api/v1/assets/import/", {}),
        "export": viewer.get("/api/v1/assets/export/"),
    }
    assert {name: answer.status for name, answer in tried.items() if answer.status < 400} == {}
    assert {answer.status for answer in tried.values()} <= {401, 403, 404}


def test_an_analyst_sees_all_through_sql_and_changes_nothing_by_it(
    world: World, log_in: LogIn
) -> None:
    analyst = log_in("analyst")
    assert totals(analyst, force="true") == TOTALS

    def run(statement: str, client: str) -> Any:
        return analyst.post(
            "/api/v1/sqllab/execute/",
            {
                "database_id": 1,
                "sql": statement,
                "client_id": client,
                "schema": "semantic",
                "runAsync": False,
            },
        )

    answer = run("SELECT COUNT(*) AS rows FROM semantic.paid_monthly", "a1")
    assert answer.status == 200, answer
    assert answer.content["data"] == [{"rows": 4}]
    refused = {
        number: run(statement, f"b{number}").status
        for number, statement in enumerate(
            (
                "DELETE FROM semantic.paid_monthly",
                "CREATE TABLE semantic.x AS SELECT 1 AS one",
                "SELECT * FROM ops.load_batch",
                "SELECT PG_READ_FILE('/etc/passwd')",
            )
        )
    }
    assert [number for number, status in refused.items() if status < 400] == []
    assert totals(analyst, force="true") == TOTALS


def test_nobody_comes_in_without_a_password(world: World) -> None:
    stranger = Client(world.frontend.server.url)
    with pytest.raises(GranaryError, match="refuses user admin"):
        stranger.log_in("admin", "admin")
    assert stranger.get("/api/v1/chart/").status in (401, 403)
    assert stranger.get("/api/v1/dashboard/").status in (401, 403)


def test_another_home_on_the_same_port_is_told_who_has_it(world: World, tmp_path: Path) -> None:
    port = world.settings.superset_port
    other = Frontend(superset_settings(tmp_path, port))
    with pytest.raises(GranaryError, match=f"Superset's port {port} on 127.0.0.1 is in use by "):
        other.server.check_port()
    assert not other.server.is_up()


def test_a_killed_server_comes_back_and_lost_secrets_are_made_anew(world: World) -> None:
    """Killed with -9, its worker left behind; then keys and passwords are lost as well."""
    server, places = world.frontend.server, world.frontend.places
    record = server._record()
    assert record is not None
    psutil.Process(record.pid).kill()
    psutil.wait_procs([psutil.Process(record.pid)] if psutil.pid_exists(record.pid) else [], 5)
    assert not server.is_up()
    places.secrets.unlink()
    passwords = read_private(places.passwords)
    places.passwords.unlink()

    lines = world.frontend.synchronise(small_bundle(), serve=True).lines
    assert "~ connection to the warehouse (changed)" in lines
    assert "~ password of admin (changed)" in lines
    assert server.is_up()
    after = server._record()
    assert after is not None
    assert after.pid != record.pid
    with pytest.raises(GranaryError, match="refuses user admin"):
        Client(server.url).log_in("admin", passwords["admin"])
    assert check_charts(world.frontend).is_well
    assert world.frontend.compare(small_bundle()).lines == []


def test_a_stopped_server_leaves_the_port_and_a_lost_database_is_noticed(world: World) -> None:
    server = world.frontend.server
    assert world.frontend.stop() is True
    assert world.frontend.stop() is False
    with pytest.raises(GranaryError, match="is down"):
        world.frontend.check()
    with socket.create_server(("127.0.0.1", server.port)):
        with pytest.raises(GranaryError, match="is in use by"):
            world.frontend.check()
        with pytest.raises(GranaryError, match="is in use by"):
            world.frontend.synchronise(small_bundle(), serve=True)
    # Last of all, for nothing is there any more afterwards.
    world.metadata("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    assert not world.frontend.is_set_up()
    assert world.frontend.compare(small_bundle()).lines == world.set_up.lines
