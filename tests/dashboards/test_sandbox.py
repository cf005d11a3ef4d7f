"""The dashboards of an environment: another number, its own address, gone when it is dropped."""

import pytest

from dashboards.asking import Asker, Chart, charts_of
from dashboards.serving import Dashboards
from granary.dashboards import build_bundle

pytestmark = pytest.mark.slow

MODEL = "models/semantic/aca/marketplace_offers.sql"
ONCE, TWICE = "offers.plans::BIGINT AS plans", "(offers.plans * 2)::BIGINT AS plans"


def plan_offers(environment: str) -> Chart:
    charts = {chart.name: chart for chart in charts_of(build_bundle(environment))}
    return charts["marketplace-plans/plan-offers"]


def shown(asker: Asker, chart: Chart) -> int:
    """The number as a visitor sees it, from a cache where there is one."""
    answer = asker.saved(chart, force=False)
    assert answer.status == 200, answer.content
    [row] = answer.content["result"][0]["data"]
    return int(row["plan_offers"])


def slugs(dashboards: Dashboards) -> set[str]:
    found = dashboards.client("admin").get("/api/v1/dashboard/", q="(page_size:100)").content
    return {one["slug"] for one in found["result"]}


def test_a_sandbox_has_the_same_dashboards_on_its_own_tables(dashboards: Dashboards) -> None:
    sandbox = dashboards.sandbox
    prods = slugs(dashboards)
    once = shown(Asker(dashboards.client("admin")), plan_offers("prod"))

    model = sandbox.checkout / MODEL
    text = model.read_text()
    assert text.count(ONCE) == 1
    model.write_text(text.replace(ONCE, TWICE))
    planned = sandbox.granary("plan", "sandbox")
    assert planned.exit_code == 0, planned.messages
    made = sandbox.granary("dashboards", "sandbox")
    assert made.exit_code == 0, made.messages
    assert sandbox.granary("dashboards", "sandbox", "--check").exit_code == 0

    assert slugs(dashboards) == prods | {f"{slug}-sandbox" for slug in prods}
    asker = Asker(dashboards.client("admin"))
    assert shown(asker, plan_offers("sandbox")) == 2 * once
    assert shown(asker, plan_offers("prod")) == once
    # Viewers see prod only.
    viewer = Asker(dashboards.client("viewer_issuer_1"))
    assert plan_offers("sandbox").uuid not in viewer.visible

    promoted = sandbox.granary("promote", "sandbox")
    assert promoted.exit_code == 0, promoted.messages
    # It stood in the cache with the number of before.
    assert shown(asker, plan_offers("prod")) == 2 * once

    dropped = sandbox.granary("drop", "sandbox")
    assert dropped.exit_code == 0, dropped.messages
    assert slugs(dashboards) == prods
    assert plan_offers("sandbox").uuid not in Asker(dashboards.client("admin")).visible
    assert sandbox.granary("dashboards", "--check").exit_code == 0
