"""What a pack's owner can do with it: withdraw and restore a revision, share the pack, delete it."""

import re

from playwright.sync_api import Locator, expect
from tests.e2e.console.scene import Scene
from tests.e2e.console.tab import Tab


def test_an_owner_withdraws_restores_shares_and_deletes_a_pack(tab: Tab, scene: Scene) -> None:
    pack = scene.client.published("managed")["id"]
    tab.go(f"packs/{pack}/revisions", "Managed")

    dialog = asked(tab, "Withdraw revision 1")
    expect(dialog.get_by_role("button", name="Withdraw")).to_be_disabled()
    dialog.get_by_label("Reason").fill("It has a password of the staging database.")
    dialog.get_by_role("button", name="Withdraw").click()
    expect(tab.main.get_by_text(re.compile("Withdrawn .*: It has a password"))).to_be_visible()
    expect(tab.main.get_by_role("alert")).to_contain_text("This content was withdrawn.")
    asked(tab, "Restore revision 1").get_by_role("button", name="Restore").click()
    expect(tab.main.get_by_role("alert")).to_have_count(0)
    expect(tab.main.get_by_role("button", name="Withdraw revision 1")).to_be_visible()

    tab.go(f"packs/{pack}")
    asked(tab, "Share with all").get_by_role("button", name="Share with all").click()
    expect(tab.main.get_by_text("visible to all")).to_be_visible()
    assert scene.client.call("GET", f"/packs/{pack}").body["visibility"] == "community"

    deleted(asked(tab, "Delete the pack"), "managed")
    tab.has_heading("Packs")
    assert scene.client.call("GET", f"/packs/{pack}").status in (404, 409)


def test_what_the_service_refuses_is_said_where_it_was_asked(tab: Tab, scene: Scene) -> None:
    tab.may_fail = True
    tab.go(f"packs/{scene.slack}", "Slack")
    dialog = asked(tab, "Delete the pack")
    deleted(dialog, "slack")

    expect(dialog.get_by_role("alert")).to_contain_text("Request")
    expect(dialog.get_by_label("To delete it")).to_have_value("slack")
    assert scene.client.call("GET", f"/packs/{scene.slack}").status == 200


def asked(tab: Tab, button: str) -> Locator:
    """Press a button that asks first, and return what it asks."""
    tab.main.get_by_role("button", name=button).click()
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    return dialog


def deleted(dialog: Locator, name: str) -> None:
    """Type a pack's name, and confirm."""
    dialog.get_by_label("To delete it").fill(name[:-1])
    expect(dialog.get_by_role("button", name="Delete it")).to_be_disabled()
    dialog.get_by_label("To delete it").fill(name)
    dialog.get_by_role("button", name="Delete it").click()
