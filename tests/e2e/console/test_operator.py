"""The operator's screen: what is stuck, and the commands on the page, which settle it."""

import re
import time
from typing import Any

from playwright.sync_api import Browser, Locator, expect
from tests.e2e.console.scene import Scene
from tests.e2e.console.tab import Tab, opened
from tests.e2e.operate import Operate

_SECONDS = 60
_START = "packyard admin --stack STACK "


def run(operate: Operate, within: Locator) -> Any:
    """Run the command that stands somewhere on the page, and return what it answers."""
    (text,) = within.locator("pre code").all_inner_texts()
    assert text.startswith(_START)
    return operate(*text.removeprefix(_START).split())


def look_until_gone(tab: Tab, what: Locator) -> None:
    deadline = time.monotonic() + _SECONDS
    while what.count() and time.monotonic() < deadline:
        tab.main.get_by_role("button", name="Look again").click()
        tab.settle()
    expect(what).to_have_count(0)


def test_what_is_stuck_is_shown_and_the_commands_on_the_page_settle_it(
    browser: Browser, scene: Scene, operate: Operate
) -> None:
    with scene.with_something_stuck(), opened(browser, scene.url) as tab:
        tab.sign_in(scene.operator_key)
        tab.page.get_by_role("navigation", name="Screens").get_by_role("link", name="Operator").click()
        tab.has_heading("Operator")

        deletion = tab.main.get_by_role("row", name=re.compile("^going"))
        expect(deletion).to_contain_text(scene.slug)
        run(operate, deletion)
        look_until_gone(tab, deletion)

        letters = tab.main.locator("section.card").filter(has_text="preparation: 1 message")
        expect(letters).to_contain_text(f"Prepare revision 2 of {scene.slack} for the doors.")
        run(operate, letters)
        look_until_gone(tab, letters)
        expect(tab.main.get_by_text("Nothing was given up.", exact=True)).to_be_visible()

        tab.main.get_by_label("Slug or id").fill(scene.slug)
        tab.main.get_by_role("button", name="Show").click()
        packs = tab.main.get_by_role("listitem").filter(has_text=re.compile("^Packs"))
        expect(packs).to_contain_text("without a limit")
        expect(packs).to_contain_text("As the deployment sets it.")
        # The command states the limits as they are, so that it changes nothing until somebody edits it.
        change = tab.main.locator(".copy-line").filter(has_text="quota set")
        expect(change).to_contain_text(f"{scene.slug} --packs default --stored-bytes default")
        assert {quota["set"] for quota in run(operate, change).values()} == {"default"}


def test_an_organisation_that_there_is_not_is_refused_in_the_service_s_words(
    browser: Browser, scene: Scene
) -> None:
    with opened(browser, scene.url) as tab:
        tab.may_fail = True
        tab.sign_in(scene.operator_key, "operator?org=nobody")
        expect(tab.main.get_by_text("There is no organisation of this slug or id.")).to_be_visible()
        expect(tab.main.get_by_label("Slug or id")).to_have_value("nobody")


def test_a_link_cannot_make_the_page_take_something_else_for_an_organisation(
    browser: Browser, scene: Scene
) -> None:
    """What it shows becomes a part of a command, which somebody runs with credentials of AWS."""
    with opened(browser, scene.url) as tab:
        tab.may_fail = True
        tab.sign_in(scene.operator_key, f"operator?org=..%2F..%2Fpacks%2F{scene.slack}")
        expect(tab.main.get_by_role("alert")).to_be_visible()
        assert tab.main.get_by_text("quota set").count() == 0
        assert [asked.url for asked in tab.requests if f"/packs/{scene.slack}" in asked.url] == []


def test_for_others_the_screen_is_not_listed_and_says_what_it_needs(tab: Tab) -> None:
    screens = tab.page.get_by_role("navigation", name="Screens")
    expect(screens.get_by_role("link", name="Usage")).to_be_visible()
    expect(screens.get_by_role("link", name="Operator")).to_have_count(0)

    tab.go("operator", "Operator")
    expect(tab.main.get_by_text("This screen is for whoever runs this service.")).to_be_visible()
    expect(tab.main.locator("pre code")).to_contain_text("--operate")
    assert [asked.url for asked in tab.requests if "/operator/" in asked.url] == []
