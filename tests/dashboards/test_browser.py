"""Every tab of every dashboard, drawn in a real browser on wide and on narrow windows.

The pictures stay in `.local/screenshots/`, for people to look at.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from debian import require

from dashboards.browser import CHROMIUM, Browser
from granary.dashboards.specs import read_specs
from granary.settings import PROJECT

SCREENSHOTS = PROJECT / ".local" / "screenshots"
SPECS = {spec.slug: spec for spec in read_specs(PROJECT / "superset" / "specs")}
WITH_ISSUERS = [slug for slug, spec in SPECS.items() if "tenant_id" in spec.dashboard.filters]
WIDTHS = (1440, 1024)

pytestmark = pytest.mark.slow


class Running(Protocol):
    """A Superset with the product's dashboards."""

    url: str

    def password(self, user: str) -> str:
        """The password of one of its users."""


@pytest.fixture(scope="module", params=WIDTHS)
def browser(dashboards: Running, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """A window in which the administrator has signed in."""
    require(Path(CHROMIUM), "chromium")
    with Browser(dashboards.url, request.param) as window:
        window.login("admin", dashboards.password("admin"))
        yield window


@pytest.mark.parametrize("slug", SPECS)
def test_every_tab_is_drawn_without_error_or_empty_chart(browser: Browser, slug: str) -> None:
    spec = SPECS[slug]
    browser.open(slug)
    assert browser.title() == spec.dashboard.dashboard
    assert browser.tabs() == [tab.tab for tab in spec.dashboard.tabs]
    for tab in spec.dashboard.tabs:
        drawn = browser.draw(tab.tab)
        browser.screenshot(_picture(slug, tab.tab, browser.width))
        assert not drawn.errors, (slug, tab.tab)
        assert not drawn.empty, (slug, tab.tab)
        assert not drawn.external, (slug, tab.tab)
        assert len(drawn.charts) == sum(len(row) for row in tab.rows), (slug, tab.tab)
        [text] = browser.texts()
        assert text, (slug, tab.tab)


@pytest.mark.parametrize("browser", WIDTHS[:1], indirect=True)
def test_choosing_an_issuer_changes_the_big_numbers(browser: Browser) -> None:
    for slug in WITH_ISSUERS:
        browser.open(slug)
        browser.draw(browser.tabs()[0])
        before = browser.numbers()
        drawn = browser.pick("Issuer", "issuer_1")
        assert not drawn.errors, slug
        assert not drawn.external, slug
        assert before, slug
        assert browser.numbers() != before, slug


@pytest.mark.parametrize("browser", WIDTHS[:1], indirect=True)
def test_clicking_a_reason_filters_the_other_charts(browser: Browser) -> None:
    browser.open("claims-operations")
    browser.draw("Denials")
    before = browser.numbers()
    drawn = browser.click_cell("benefit_limit")
    assert not drawn.errors
    assert browser.numbers()["Lines denied"] != before["Lines denied"]


def _picture(slug: str, tab: str, width: int) -> Path:
    return SCREENSHOTS / f"{slug}-{tab.lower().replace(' ', '-')}-{width}.png"
