"""A tab of the browser, which notes whatever goes wrong in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from local import console
from local.programs import program
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Playwright,
    Request,
    expect,
)

DESKTOP: Final = (1280, 800)
PHONE: Final = (390, 844)
Theme = Literal["light", "dark"]
# A busy machine is slow.
_PATIENCE_MS: Final = 10_000
_AXE: Final = console.SOURCES / "node_modules" / "axe-core" / "axe.min.js"
# Told by the page itself, before its own scripts run.
_WITNESS: Final = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.__violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
});
window.__shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.__shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
# Errors that make something unusable for some people.
_BAD: Final = frozenset({"serious", "critical"})


@dataclass(kw_only=True)
class Tab:
    """A tab with the console in it.

    Attributes:
        page: Playwright's page.
        url: The console's address.
        problems: What went wrong that nobody expected: errors of scripts, dialogs, requests to elsewhere.
        requests: All requests of the page.
        pending: How many of them have no answer yet.
        may_fail: Whether requests of the page may fail; browsers note each on their console.
    """

    page: Page
    url: str
    problems: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    pending: int = 0
    may_fail: bool = False

    def open(self, route: str = "") -> None:
        """Load the console anew, at a screen: `packs?search=x`."""
        # Another fragment alone loads nothing.
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}#/{route}")

    def sign_in(self, key: str, route: str = "") -> None:
        """Load the console anew and sign in."""
        self.open(route)
        self.page.get_by_label("API key").fill(key)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("navigation", name="Screens")).to_be_visible()

    def go(self, route: str, heading: str | None = None) -> None:
        """Follow a link within the page, and wait for its screen."""
        self.page.evaluate("route => { location.hash = route; }", f"#/{route}")
        if heading is not None:
            self.has_heading(heading)

    def has_heading(self, name: str) -> None:
        """Wait for the screen of this name."""
        expect(self.page.get_by_role("heading", level=1, name=name)).to_be_visible()

    def settle(self) -> None:
        """Wait until the screen has all that it asks for."""
        expect(self.main.get_by_text("Loading")).to_have_count(0)
        while self.pending:
            self.page.wait_for_timeout(20)
        expect(self.main.get_by_text("Loading")).to_have_count(0)

    @property
    def main(self) -> Locator:
        """The screen, without the navigation."""
        return self.page.get_by_role("main")

    def violations(self) -> list[str]:
        """Return what the Content-Security-Policy has kept the page from."""
        found: list[str] = self.page.evaluate("window.__violations")
        return found

    def faults_for_some(self, *rules: str) -> list[str]:
        """Return what axe finds serious or critical on the screen as it is, by all of its rules or by some."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(_AXE.read_text("utf-8"))
        asked: dict[str, Any] = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
        report: dict[str, Any] = self.page.evaluate("asked => axe.run(document, asked)", asked)
        return [
            f"{fault['id']}: {node['html'][:200]} {node['failureSummary']}"
            for fault in report["violations"]
            if fault["impact"] in _BAD
            for node in fault["nodes"]
        ]

    def shift(self) -> float:
        """Return by how much the page has moved under its reader since this was last asked (layout shift)."""
        return float(
            self.page.evaluate("() => { const shift = window.__shift; window.__shift = 0; return shift; }")
        )

    def _asked(self, request: Request) -> None:
        self.requests.append(request)
        self.pending += 1
        address = urlsplit(request.url)
        if address.scheme in ("http", "https") and address.netloc != urlsplit(self.url).netloc:
            self.problems.append(f"elsewhere: {request.url}")

    def _answered(self, _: Request) -> None:
        self.pending -= 1

    def _noted(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not (self.may_fail and "Failed to load resource" in message.text):
            self.problems.append(f"console: {message.text}")

    def watch(self) -> None:
        """Note what goes wrong from now on."""
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: self.problems.append(f"dialog: {dialog.message}"))
        self.page.on("request", self._asked)
        self.page.on("requestfinished", self._answered)
        self.page.on("requestfailed", self._answered)
        self.page.on("console", self._noted)


@contextmanager
def launched(playwright: Playwright) -> Iterator[Browser]:
    """Run Debian's browser while the block lasts."""
    expect.set_options(timeout=_PATIENCE_MS)
    # A container has no GPU, and often little shared memory.
    browser = playwright.chromium.launch(
        executable_path=program("chromium-headless-shell"), args=["--disable-gpu", "--disable-dev-shm-usage"]
    )
    yield browser
    browser.close()


@contextmanager
def opened(
    browser: Browser,
    url: str,
    *,
    size: tuple[int, int] = DESKTOP,
    theme: Theme = "light",
    beside: Tab | None = None,
) -> Iterator[Tab]:
    """Open a tab while the block lasts. Fail if something went wrong in it.

    Args:
        browser: The browser.
        url: The console's address.
        size: Width and height of the window.
        theme: What the user has told the system to prefer.
        beside: A tab of the same window to open it beside; by default, of a new profile.
    """
    context = beside.page.context if beside else _profile(browser, size, theme)
    page = context.new_page()
    page.set_default_timeout(_PATIENCE_MS)
    tab = Tab(page=page, url=url)
    tab.watch()
    yield tab
    assert tab.problems == []
    assert tab.violations() == []
    page.close()
    if beside is None:
        context.close()


def _profile(browser: Browser, size: tuple[int, int], theme: Theme) -> BrowserContext:
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=theme,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="UTC",
    )
    context.add_init_script(_WITNESS)
    return context
