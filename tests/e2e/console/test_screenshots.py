"""Each screen in both themes, at two widths and enlarged: drawn, checked by axe, kept in docs/console if asked to.

A screen is loaded once for each width. Its theme and its size are changed while it is there.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from local.environments import PROJECT
from playwright.sync_api import Browser, expect
from tests.e2e.console.scene import Scene
from tests.e2e.console.tab import DESKTOP, PHONE, Tab, Theme, opened

_KEPT: Final = PROJECT / "docs" / "console"
# Core Web Vitals call less than this good. They do not count what moves right after a click, and here it counts.
_MOST_SHIFT: Final = 0.1
_THEMES: Final[tuple[Theme, ...]] = ("light", "dark")
_ZOOMED: Final = (640, 400)
_EMPTY_BYTES: Final = 4_000


class Screen(NamedTuple):
    """A screen to look at.

    Attributes:
        name: Of its pictures.
        route: Its address, with `{slack}` and `{hostile}` for the packs' ids, and `{slug}` for the organisation's slug.
        heading: Its name on the page.
        shows: A text that comes after all else.
        operates: Whether only the operator sees it.
    """

    name: str
    route: str
    heading: str
    shows: str | None = None
    operates: bool = False


SCREENS: Final = (
    Screen("packs", "packs?owned=true", "Packs", "scan passed"),
    Screen("pack", "packs/{slack}", "Slack"),
    Screen("file", "packs/{slack}/files/scripts/main.py", "Slack"),
    Screen("finding", "packs/{hostile}/files/data/unseen.txt", "Hostile", "What to do:"),
    Screen("revisions", "packs/{slack}/revisions", "Slack"),
    Screen("diff", "packs/{slack}/diff?from=1&to=2&file=guides/post.md", "Slack", "Always"),
    Screen("trust", "packs/{slack}/trust", "Slack"),
    Screen("roles", "roles", "Roles"),
    Screen("role", "roles/support", "Role support"),
    Screen("upload", "upload", "Upload a pack"),
    Screen("events", "events", "Events"),
    Screen("keys", "keys", "API keys"),
    Screen("publishers", "publishers", "Trusted publishers"),
    Screen("webhooks", "webhooks", "Webhooks"),
    Screen("feeds", "feeds", "Feeds"),
    Screen("usage", "usage", "Usage"),
    Screen("operator", "operator?org={slug}", "Operator", "Builds at this moment", operates=True),
)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where pictures go: to the documentation only if somebody asks for it, since no two are the same."""
    if os.environ.get("PACKYARD_SCREENSHOTS") != "write":
        return tmp_path_factory.mktemp("pictures")
    _KEPT.mkdir(exist_ok=True)
    return _KEPT


def show(tab: Tab, scene: Scene, screen: Screen) -> None:
    if screen.operates:
        tab.sign_in(scene.operator_key, SCREENS[0].route)
        tab.settle()
        tab.shift()
    tab.go(screen.route.format(slack=scene.slack, hostile=scene.hostile, slug=scene.slug), screen.heading)
    tab.settle()
    if screen.shows is not None:
        # Only what is in view asks for its marks.
        expect(tab.main.get_by_text(screen.shows).first).to_be_visible()


def is_wider_than_the_window(tab: Tab) -> bool:
    return bool(tab.page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.fixture(scope="module")
def _stuck(scene: Scene) -> Iterator[None]:
    with scene.with_something_stuck():
        yield


@pytest.mark.usefixtures("_stuck")
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_screen_can_be_seen_and_used_by_all(
    browser: Browser, scene: Scene, pictures: Path, size: tuple[int, int]
) -> None:
    faults = []
    with opened(browser, scene.url, size=size) as tab:
        tab.open()
        faults += [f"sign-in: {fault}" for fault in tab.faults_for_some()]
        tab.sign_in(scene.key, SCREENS[0].route)
        tab.settle()
        tab.shift()  # to sign in is to ask for another screen
        for screen in SCREENS:
            show(tab, scene, screen)
            if (moved := tab.shift()) >= _MOST_SHIFT:
                faults.append(f"{screen.name}: moves under its reader by {moved}")
            for theme in _THEMES:
                tab.page.emulate_media(color_scheme=theme)
                picture = pictures / f"{screen.name}-{theme}-{size[0]}.png"
                tab.page.screenshot(path=picture)
                assert picture.stat().st_size > _EMPTY_BYTES
                # Only the colours are others.
                found = tab.faults_for_some(*([] if theme == _THEMES[0] else ["color-contrast"]))
                faults += [f"{screen.name}, {theme}: {fault}" for fault in found]
            # Zooming to 200 % halves the window in the page's own pixels.
            for window in (size, _ZOOMED) if size == DESKTOP else (size,):
                resized(tab, window)
                if is_wider_than_the_window(tab):
                    faults.append(f"{screen.name}: scrolls sideways in {window}")
            resized(tab, size)
            tab.shift()
    assert faults == [], "\n".join(faults)


def resized(tab: Tab, size: tuple[int, int]) -> None:
    tab.page.set_viewport_size({"width": size[0], "height": size[1]})


def test_the_keyboard_reaches_a_pack_and_comes_back(tab: Tab) -> None:
    tab.go("packs?owned=true&search=slack", "Packs")
    expect(tab.main.get_by_role("link", name="Slack")).to_be_visible()
    tab.main.get_by_label("Search packs").focus()
    for _ in range(20):
        tab.page.keyboard.press("Tab")
        if tab.page.evaluate("document.activeElement.textContent") == "Slack":
            break
    tab.page.keyboard.press("Enter")
    tab.has_heading("Slack")
    # Who cannot see the screen is told which one it is.
    expect(tab.page.get_by_role("heading", level=1)).to_be_focused()
    tab.page.go_back()
    tab.has_heading("Packs")
