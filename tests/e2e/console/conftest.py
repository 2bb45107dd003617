"""The console in a real browser, on the stack that all end-to-end tests share, with an organisation of its own."""

from collections.abc import Iterator

import pytest
from local.stack import StackDescription
from playwright.sync_api import Browser, sync_playwright
from tests.e2e.console.scene import Scene
from tests.e2e.console.tab import Tab, launched, opened


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, launched(playwright) as browser:
        yield browser


@pytest.fixture(scope="package")
def scene(stack: StackDescription) -> Scene:
    return Scene.of(stack)


@pytest.fixture
def tab(browser: Browser, scene: Scene) -> Iterator[Tab]:
    """A tab whose page has signed in. In the end, nothing must have gone wrong in it that the test does not expect."""
    with opened(browser, scene.url) as tab:
        tab.sign_in(scene.key)
        yield tab
