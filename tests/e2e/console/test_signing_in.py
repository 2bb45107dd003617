"""Signing in: by a key, by a link that works once, and again when the key has been revoked."""

from pathlib import Path

from local.login_links import login_link
from local.stack import StackDescription
from playwright.sync_api import Browser, expect
from tests.e2e.client import Client
from tests.e2e.console.scene import Scene
from tests.e2e.console.tab import Tab, opened


def test_a_key_signs_in_and_is_nowhere_but_in_the_tab(tab: Tab, scene: Scene) -> None:
    tab.has_heading("Packs")

    assert scene.key not in tab.page.url
    assert scene.key not in tab.page.content()
    assert tab.page.context.cookies() == []
    assert tab.page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    for request in tab.requests:
        assert scene.key not in request.url
    tab.page.reload()
    expect(tab.page.get_by_label("API key")).to_be_visible()


def test_after_signing_in_the_screen_is_the_one_that_was_asked_for(browser: Browser, scene: Scene) -> None:
    with opened(browser, scene.url) as tab:
        tab.sign_in(scene.key, f"packs/{scene.slack}")
        tab.has_heading("Slack")


def test_a_wrong_key_is_refused_in_the_service_s_words_and_stays(browser: Browser, scene: Scene) -> None:
    with opened(browser, scene.url) as tab:
        tab.may_fail = True
        tab.open()
        tab.page.get_by_label("API key").fill("sk_wrong")
        tab.page.get_by_role("button", name="Sign in").click()

        refusal = tab.page.get_by_role("alert").filter(has_text="A valid credential is required")
        expect(refusal).to_be_visible()
        expect(refusal).to_contain_text("Request")
        expect(tab.page.get_by_label("API key")).to_have_value("sk_wrong")


def test_a_link_signs_in_once(browser: Browser, stack: StackDescription, stack_folder: Path) -> None:
    link = login_link(stack, stack_folder, "acme")
    # Nobody has used it, so it is shown again.
    assert login_link(stack, stack_folder, "acme") == link

    for works in (True, False):
        with opened(browser, stack["api_url"] + "/console") as tab:
            tab.may_fail = True
            tab.page.goto(link)
            if works:
                tab.has_heading("Packs")
                assert "login" not in tab.page.url
            else:
                expect(tab.page.get_by_text("does not work any more")).to_be_visible()
                expect(tab.page.get_by_label("API key")).to_be_visible()
    assert login_link(stack, stack_folder, "acme") != link
    assert Client.of(stack).call("GET", "/console/login/unknown").status == 404


def test_a_key_that_is_revoked_in_the_middle_asks_for_another_and_loses_nothing(
    browser: Browser, scene: Scene
) -> None:
    doomed = scene.new_key("doomed")
    with opened(browser, scene.url) as tab:
        tab.may_fail = True
        tab.sign_in(doomed["key"], "packs?owned=true")
        # What is still asked for would be refused too, and the dialog would take the focus while the test types.
        tab.settle()
        assert scene.client.call("DELETE", f"/keys/{doomed['id']}").status == 200
        search = tab.main.get_by_label("Search packs")
        search.fill("sla")

        dialog = tab.page.get_by_role("dialog")
        expect(dialog).to_contain_text("not accepted any more")
        dialog.get_by_label("API key").fill(scene.key)
        dialog.get_by_role("button", name="Sign in").click()

        expect(dialog).to_be_hidden()
        expect(search).to_have_value("sla")
        expect(tab.main.get_by_role("link", name="Slack")).to_be_visible()
        expect(tab.main.get_by_role("link", name="jira")).to_be_hidden()


def test_two_tabs_have_a_key_each(browser: Browser, scene: Scene) -> None:
    reader = scene.new_key("reader", "audit:read")
    with opened(browser, scene.url) as first:
        first.sign_in(scene.key, "packs")
        with opened(browser, scene.url, beside=first) as second:
            second.open("packs")
            expect(second.page.get_by_label("API key")).to_be_visible()
            second.sign_in(reader["key"], "packs")
            second.page.get_by_role("button", name="Sign out").click()
            expect(second.page.get_by_label("API key")).to_be_visible()
        first.go("roles", "Roles")
        expect(first.main.get_by_role("link", name="support")).to_be_visible()
