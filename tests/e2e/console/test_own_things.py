"""Keys, trusted publishers, webhooks, feeds, events and usage: made, seen, and removed."""

import re
import time

from playwright.sync_api import expect
from tests.e2e.console.scene import Scene
from tests.e2e.console.tab import Tab


def test_a_key_is_made_shown_once_and_revoked(tab: Tab, scene: Scene) -> None:
    tab.go("keys", "API keys")
    tab.main.get_by_role("button", name="Make a key").click()
    tab.may_fail = True
    tab.main.get_by_role("button", name="Make the key").click()
    expect(tab.main.get_by_label("Label")).to_have_attribute("aria-invalid", "true")

    tab.main.get_by_label("Label").fill("of the console")
    tab.main.get_by_label(re.compile("^audit:read")).check()
    tab.main.get_by_role("button", name="Make the key").click()
    secret = tab.main.locator(".secret")
    expect(secret).to_contain_text("It is shown this once.")
    shown = secret.locator("code").first.inner_text()
    assert shown.startswith("sk_")
    secret.get_by_role("button", name="I have kept it").click()
    expect(tab.main.get_by_text(shown)).to_have_count(0)

    tab.main.get_by_role("button", name="Revoke of the console").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Revoke key").click()
    expect(tab.main.get_by_role("row", name=re.compile("of the console"))).to_contain_text("revoked")
    listed = scene.client.call("GET", "/keys").body["keys"]
    assert [bool(key.get("revoked_at")) for key in listed if key["label"] == "of the console"] == [True]


def test_a_publisher_is_added_and_a_fault_stands_at_its_field(tab: Tab) -> None:
    tab.go("publishers?new=1", "Trusted publishers")
    tab.may_fail = True
    tab.main.get_by_label("Pack").fill("jira")
    tab.main.get_by_label("Repository").fill("not a repository")
    tab.main.get_by_label("Workflow").fill("release.yml")
    tab.main.get_by_role("button", name="Add the publisher").click()
    expect(tab.main.get_by_label("Repository")).to_have_attribute("aria-invalid", "true")
    # What was typed is still there.
    expect(tab.main.get_by_label("Workflow")).to_have_value("release.yml")

    tab.main.get_by_label("Repository").fill("acme/jira-pack")
    tab.main.get_by_role("button", name="Add the publisher").click()
    expect(tab.main.get_by_text("github may publish jira.")).to_be_visible()
    expect(tab.main.get_by_role("row", name="acme/jira-pack")).to_be_visible()


def test_a_webhook_is_added_tested_and_its_deliveries_are_listed(tab: Tab) -> None:
    tab.go("webhooks", "Webhooks")
    tab.main.get_by_role("link", name=re.compile("127.0.0.1:9")).first.click()
    tab.has_heading("Webhook")

    tab.main.get_by_role("button", name=re.compile("Send a test", re.IGNORECASE)).click()
    expect(tab.main.get_by_text("It is on its way.")).to_be_visible()
    listed = tab.main.get_by_role("table", name="Deliveries").get_by_role(
        "row", name=re.compile("not reached")
    )
    deadline = time.monotonic() + 60
    while not listed.count() and time.monotonic() < deadline:
        tab.main.get_by_role("button", name="Look again").click()
        tab.page.wait_for_timeout(300)
    expect(listed.first).to_contain_text("failed")


def test_a_feed_is_made_with_a_command_for_each_client(tab: Tab) -> None:
    tab.go("feeds?new=1&role=support", "Feeds")
    tab.main.get_by_role("button", name=re.compile("^Make the feed")).click()

    secret = tab.main.locator(".secret")
    expect(secret).to_contain_text("/f/")
    expect(secret).to_contain_text("claude")
    expect(secret.get_by_role("button", name=re.compile("^Copy")).first).to_be_visible()


def test_events_are_filtered_by_their_address(tab: Tab, scene: Scene) -> None:
    tab.go("events?type=pack.created", "Events")
    entries = tab.main.get_by_role("list", name=re.compile("Events")).get_by_role("listitem")
    expect(entries.first).to_contain_text("pack.created")

    tab.go(f"events?pack_id={scene.slack}", "Events")
    expect(tab.main.get_by_role("list", name=re.compile("Events"))).not_to_contain_text("hostile")


def test_usage_says_what_is_used_of_what(tab: Tab) -> None:
    tab.go("usage", "Usage")

    expect(tab.main.get_by_role("heading", name="Builds at this moment")).to_be_visible()
    expect(tab.main).to_contain_text("of 8")
