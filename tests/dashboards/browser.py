"""A person at a browser who looks at every tab of every dashboard."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from playwright.sync_api import Locator, Page, Playwright, Request, Response, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]
HEIGHT = 900
TALLEST = 6000
BORDER = 60
PATIENCE = 30.0
# Charts are drawn when they were found drawn as often as this, a quarter of a second apart.
STEADY = 3

CHARTS = """() => [...document.querySelectorAll('.dashboard-component-chart-holder')]
  .filter(holder => holder.checkVisibility({opacityProperty: true, visibilityProperty: true})
    && !holder.closest('.dashboard-markdown'))
  .map(holder => {
    const found = marks => holder.querySelector(marks) !== null;
    const big = '.superset-legacy-chart-big-number, .header-line';
    return {
      title: holder.querySelector('.header-title, [data-test="editable-title"]')?.innerText ?? '',
      drawn: found(`.slice_container :is(canvas, svg, table), ${big}`),
      empty: found('.ant-empty') || /No results|No data/.test(holder.innerText),
      error: found('[data-test="error-container"], .ant-alert-error, .ant-alert-warning')
        ? holder.innerText : '',
      loading: found('[data-test="loading-indicator"], .loading, [aria-label="Loading"]'),
    };
  })"""
ALERTS = """() => [...document.querySelectorAll('.ant-alert-error, .toast--danger')]
  .filter(box => box.offsetParent !== null).map(box => box.innerText)"""
BOTTOM = """() => Math.max(0, ...[...document.querySelectorAll('.dashboard-component-chart-holder')]
  .filter(holder => holder.offsetParent !== null)
  .map(holder => holder.getBoundingClientRect().bottom))"""


@dataclass(frozen=True)
class Drawn:
    """What a tab shows when nothing moves any more.

    Attributes:
        charts: titles of the charts that were drawn.
        errors: texts of error boxes, and faults that the page reported.
        empty: titles of charts without a row, or still without a picture.
        external: addresses outside of Superset that the page reached.
        seconds: how long it took from opening.
    """

    charts: Sequence[str]
    errors: Sequence[str]
    empty: Sequence[str]
    external: Sequence[str]
    seconds: float


@dataclass
class Browser:
    """A window on a running Superset.

    Attributes:
        url: where Superset answers, without a slash at the end.
        width: of the window in pixels.
    """

    url: str
    width: int = 1440
    _faults: list[str] = field(default_factory=list)
    _external: list[str] = field(default_factory=list)

    def __enter__(self) -> "Browser":
        self._playwright: Playwright = sync_playwright().start()
        self._chromium = self._playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        self._page: Page = self._chromium.new_page(viewport=self._size(HEIGHT))
        self._page.on("pageerror", lambda error: self._faults.append(str(error)))
        self._page.on("requestfinished", self._note_request)
        self._page.on("response", self._note_response)
        self._opened = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._chromium.close()
        self._playwright.stop()

    def login(self, user: str, password: str) -> None:
        """Sign in."""
        self._page.goto(f"{self.url}/login/")
        self._page.fill('[data-test="username-input"]', user)
        self._page.fill('[data-test="password-input"]', password)
        self._page.click('[data-test="login-button"]')
        self._page.wait_for_url(lambda url: "/login" not in url, timeout=PATIENCE * 1000)

    def open(self, slug: str) -> None:
        """Open a dashboard on its first tab."""
        self._page.set_viewport_size(self._size(HEIGHT))
        self._forget()
        self._page.goto(f"{self.url}/superset/dashboard/{slug}/", wait_until="domcontentloaded")
        self._page.wait_for_selector(".dashboard-component-chart-holder", timeout=PATIENCE * 1000)

    def title(self) -> str:
        """The dashboard's title, and the environment's mark with it."""
        return self._page.locator('[data-test="editable-title-input"]').first.input_value()

    def texts(self) -> list[str]:
        """The lines of text of the tab that is shown."""
        found = self._page.locator(".dashboard-markdown:visible")
        # It comes a moment after the charts.
        found.first.wait_for(timeout=PATIENCE * 1000)
        return [text.inner_text() for text in found.all()]

    def tabs(self) -> list[str]:
        """Names of the tabs."""
        return [tab.inner_text() for tab in self._tabs().all()]

    def draw(self, tab: str) -> Drawn:
        """Show a tab and wait until all of its charts are drawn."""
        which = self._tabs().filter(has_text=tab).first
        if which.get_attribute("data-node-key") is None or "active" not in (
            which.get_attribute("class") or ""
        ):
            self._page.set_viewport_size(self._size(HEIGHT))
            self._forget()
            which.click()
        return self.settle()

    def settle(self) -> Drawn:
        """Wait until all charts of the tab that is shown are drawn."""
        # Rows beneath the fold are not drawn before they come near the window.
        self._wait()
        self._page.set_viewport_size(self._size(self._page.evaluate(BOTTOM) + BORDER))
        charts = self._wait()
        seconds = time.monotonic() - self._opened
        failed = [chart["error"] for chart in charts if chart["error"]]
        return Drawn(
            charts=[chart["title"] for chart in charts if chart["drawn"]],
            errors=[*failed, *self._page.evaluate(ALERTS), *self._faults],
            empty=[chart["title"] for chart in charts if chart["empty"] or not chart["drawn"]],
            external=sorted(set(self._external)),
            seconds=seconds,
        )

    def pick(self, name: str, value: str) -> Drawn:
        """Choose a value of a filter and wait for the charts."""
        self._page.set_viewport_size(self._size(HEIGHT))
        self._forget()
        named = self._page.locator('[data-test="filter-control-name"]').get_by_text(
            name, exact=True
        )
        filtered = (named.first.get_attribute("id") or "").removeprefix("filter-name-")
        box = self._page.locator(f"input[id='{filtered}']")
        box.click()
        box.press_sequentially(value)
        self._page.locator(f'.ant-select-item-option[title="{value}"]').first.click()
        self._page.keyboard.press("Escape")
        self._page.locator('[data-test="filter-bar__apply-button"]').click()
        return self.settle()

    def click_cell(self, text: str) -> Drawn:
        """Click a cell of a table, which filters the other charts, and wait for them."""
        self._forget()
        self._page.locator("td:visible").get_by_text(text, exact=True).first.click()
        return self.settle()

    def numbers(self) -> dict[str, str]:
        """The big numbers that are shown, by title."""
        holders = self._page.locator(".dashboard-component-chart-holder:visible")
        shown = holders.filter(has=self._page.locator(".header-line"))
        return {
            holder.locator('[data-test="editable-title"]').first.inner_text(): holder.locator(
                ".header-line"
            ).first.inner_text()
            for holder in shown.all()
        }

    def screenshot(self, path: Path) -> None:
        """Keep a picture of all that is shown."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._page.wait_for_timeout(800)
        self._page.screenshot(path=path, full_page=True)

    def _tabs(self) -> Locator:
        return self._page.locator(".dashboard-component-tabs .ant-tabs-tab")

    def _wait(self) -> list[dict[str, str]]:
        end, steady = time.monotonic() + PATIENCE, 0
        while True:
            charts: list[dict[str, str]] = self._page.evaluate(CHARTS)
            done = charts and all(
                (chart["drawn"] or chart["empty"] or chart["error"]) and not chart["loading"]
                for chart in charts
            )
            steady = steady + 1 if done else 0
            if steady == STEADY or time.monotonic() > end:
                return charts
            self._page.wait_for_timeout(250)

    def _size(self, height: float) -> dict[str, int]:
        return {"width": self.width, "height": min(int(height), TALLEST)}

    def _forget(self) -> None:
        self._faults.clear()
        self._external.clear()
        self._opened = time.monotonic()

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self._external.append(request.url)

    def _note_response(self, response: Response) -> None:
        if response.status >= 400:
            self._faults.append(f"{response.status} {response.url}")
