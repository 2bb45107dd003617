"""Roles: pins that are behind, and the consent to exactly what becomes allowed."""

import re

from playwright.sync_api import Browser, expect
from tests.e2e.console.scene import FILES, READS, WRITES, Scene, done, published, version
from tests.e2e.console.tab import Tab, opened


def pinned_in(scene: Scene, role: str) -> str:
    """Publish a pack of its own for a role that pins its first revision, publish it again, and return its id."""
    name = f"pack-of-{role}"
    pack = published(scene.client, version("1.4.0", READS, name=name))
    done(scene.client, "PUT", f"/agent-roles/{role}/packs", {"packs": [{"id": pack}]})
    again = version("1.5.0", WRITES, FILES, name=name).build()
    form = {"archive": ("pack.tar.gz", again, "application/gzip")}
    assert scene.client.call("POST", f"/packs/{pack}/upload", fields=form).status == 200
    return pack


def test_a_stale_pin_moves_after_consent_to_exactly_what_becomes_allowed(tab: Tab, scene: Scene) -> None:
    pack = pinned_in(scene, "writers")
    # The service asks for consent by a refusal, which the browser notes.
    tab.may_fail = True
    tab.go("roles", "Roles")
    expect(tab.main.get_by_role("row", name=re.compile("writers"))).to_contain_text("stale")
    tab.main.get_by_role("link", name="writers").click()
    tab.has_heading("Role writers")

    tab.main.get_by_role("button", name=re.compile("Move 1 stale pin")).click()
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("POST to slack.com")
    expect(dialog).to_contain_text("GET to files.slack.com")
    allow = dialog.get_by_role("button", name=re.compile("^Allow"))
    expect(allow).to_be_disabled()
    assert scene.client.call("GET", "/agent-roles/writers/packs").body["revision"] == 1
    dialog.get_by_label(re.compile("Allow exactly this, for revision 2")).check()
    allow.click()

    expect(dialog).to_be_hidden()
    expect(tab.main.get_by_text("All pins are current.")).to_be_visible()
    role = scene.client.call("GET", "/agent-roles/writers/packs").body
    assert [(pin["id"], pin["revision"]) for pin in role["packs"]] == [(pack, 2)]
    tab.go("roles/writers/history", "Role writers")
    expect(tab.main.get_by_text("Revision 2", exact=True)).to_be_visible()


def test_escape_changes_nothing(tab: Tab, scene: Scene) -> None:
    tab.may_fail = True
    tab.go("roles/support", "Role support")
    tab.main.get_by_role("button", name=re.compile("Move 1 stale pin")).click()
    expect(tab.page.get_by_role("dialog")).to_be_visible()
    tab.page.keyboard.press("Escape")

    expect(tab.page.get_by_role("dialog")).to_be_hidden()
    assert scene.client.call("GET", "/agent-roles/support/packs").body["revision"] == 1


def test_of_two_who_change_a_role_the_second_is_told_and_loses_nothing(
    browser: Browser, scene: Scene
) -> None:
    done(scene.client, "PUT", "/agent-roles/shared/packs", {"packs": [{"id": scene.slack}]})
    with opened(browser, scene.url) as first, opened(browser, scene.url, beside=first) as second:
        for tab in (first, second):
            tab.may_fail = True
            tab.sign_in(scene.key, "roles/shared/change")
            tab.main.get_by_label("Alias of slack").fill("chat" if tab is first else "talk")
        first.main.get_by_role("button", name="Save 1 pack").click()
        first.has_heading("Role shared")
        expect(first.main.get_by_role("link", name="chat")).to_be_visible()

        second.main.get_by_role("button", name="Save 1 pack").click()
        expect(second.main.get_by_role("alert")).to_be_visible()
        expect(second.main.get_by_label("Alias of slack")).to_have_value("talk")
        go_on = second.main.get_by_role("button", name=re.compile("Go on from the role as it is now"))
        go_on.click()
        expect(go_on).to_be_hidden()
        second.main.get_by_role("button", name="Save 1 pack").click()
        expect(second.main.get_by_role("link", name="talk")).to_be_visible()
