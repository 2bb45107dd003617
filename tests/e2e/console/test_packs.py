"""Packs: finding them, reading their files, and comparing revisions."""

import re

from playwright.sync_api import expect
from tests.e2e.console.scene import Scene
from tests.e2e.console.tab import Tab


def test_packs_are_found_while_one_types_and_the_address_says_what_was_sought(tab: Tab) -> None:
    tab.go("packs?owned=true", "Packs")
    packs = tab.main.get_by_role("list", name="Packs").get_by_role("heading", level=2)
    expect(packs.filter(has_text="jira")).to_be_visible()

    tab.main.get_by_label("Search packs").press_sequentially("sla", delay=30)
    expect(packs).to_have_text(["Slack"])
    expect(tab.page).to_have_url(re.compile(r"#/packs\?owned=true&search=sla$"))
    asked = [request.url for request in tab.requests if "search=" in request.url]
    assert len(asked) <= 3

    tab.main.get_by_label("Search packs").fill("nothing has this name")
    expect(tab.main.get_by_text("No pack matches.")).to_be_visible()
    asked = [request.url for request in tab.requests if "search=" in request.url]
    tab.main.get_by_label("Search packs").press_sequentially(" or this", delay=30)
    expect(
        tab.main.get_by_role("status").filter(has_text="for “nothing has this name or this”")
    ).to_be_visible()
    # It follows from what was answered, and so does what was answered before.
    tab.main.get_by_label("Search packs").fill("sla")
    expect(packs).to_have_text(["Slack"])
    assert [request.url for request in tab.requests if "search=" in request.url] == asked
    tab.main.get_by_label("Search packs").fill("nothing has this name")
    tab.main.get_by_role("button", name="Show all packs").click()
    expect(packs.first).to_be_visible()


def test_a_card_says_what_a_reviewer_must_know(tab: Tab) -> None:
    tab.go("packs?owned=true&search=slack", "Packs")
    card = tab.main.get_by_role("listitem").filter(has=tab.page.get_by_role("heading", name="Slack"))

    expect(card).to_contain_text("1.5.0")
    expect(card).to_contain_text("your organisation only")
    expect(card).to_contain_text("stale in 1 role")
    expect(card).to_contain_text("scan passed")


def test_a_pack_s_overview_shows_its_readme_and_what_it_may_do(tab: Tab, scene: Scene) -> None:
    tab.go(f"packs/{scene.slack}", "Slack")

    expect(tab.main.get_by_role("region", name="Capabilities, as YAML")).to_contain_text("files.slack.com")
    readme = tab.main.locator(".document")
    expect(readme.get_by_role("heading", name="Slack")).to_be_visible()
    expect(readme.get_by_role("row", name="read conversations.history")).to_be_visible()
    # A link of a pack leads nowhere; its address is read.
    expect(readme.locator(".markdown a")).to_have_count(0)
    expect(readme).to_contain_text("https://slack.example/docs")


def test_files_are_chosen_in_a_tree_and_read_with_their_lines(tab: Tab, scene: Scene) -> None:
    tab.go(f"packs/{scene.slack}/files", "Slack")
    tree = tab.main.get_by_role("navigation", name="Files")
    tree.get_by_text("scripts/").click()
    tree.get_by_role("link", name="main.py").click()

    shown = tab.main.get_by_role("region", name="Content of scripts/main.py")
    expect(shown).to_contain_text("def main() -> int:")
    expect(shown.locator(".hljs-keyword").first).to_be_visible()
    expect(tab.page).to_have_url(re.compile(f"#/packs/{scene.slack}/files/scripts/main.py$"))

    tab.go(f"packs/{scene.slack}/files/scripts/main.py?line=4")
    expect(tab.main.locator(".code-line.here")).to_contain_text("def main")
    tab.go(f"packs/{scene.slack}/files/nowhere.md")
    expect(tab.main.get_by_text("There is no file nowhere.md in this revision.")).to_be_visible()


def test_what_the_scanner_found_stands_at_its_line(tab: Tab, scene: Scene) -> None:
    tab.go(f"packs/{scene.hostile}/files/data/unseen.txt", "Hostile")
    tab.main.get_by_role("alert").get_by_role("link", name="line 1").first.click()

    found = tab.main.locator(".code-line.found.here")
    expect(found).to_contain_text("U+202E")
    expect(found.locator("+ .code-note")).to_contain_text("Characters that change the direction of text.")
    tab.go(f"packs/{scene.hostile}/files/guides/empty.md")
    expect(tab.main.get_by_text("The file is empty.")).to_be_visible()
    expect(tab.main.get_by_text("The scanner found")).to_have_count(0)


def test_two_revisions_are_compared_by_what_they_allow_and_then_by_their_files(
    tab: Tab, scene: Scene
) -> None:
    tab.go(f"packs/{scene.slack}/revisions", "Slack")
    tab.main.get_by_role("link", name="Compare with revision 1").click()

    expect(tab.main.get_by_role("alert")).to_contain_text("Revision 2 may do more than revision 1.")
    headings = tab.main.get_by_role("heading", level=3)
    expect(headings).to_have_text(["Capabilities", "Manifest", "Files"])
    expect(tab.main.get_by_text("1 added, 1 removed, 2 changed.")).to_be_visible()
    tab.main.get_by_role("link", name="guides/post.md").click()
    sides = tab.main.get_by_role("region", name="What differs in guides/post.md")
    expect(sides).to_contain_text("Post in the thread")
    expect(sides).to_contain_text("Always post in the thread")
    expect(tab.page).to_have_url(re.compile(r"diff\?from=1&to=2&file=guides"))


def test_trust_and_references_are_shown(tab: Tab, scene: Scene) -> None:
    tab.go(f"packs/{scene.slack}/trust", "Slack")
    expect(tab.main.get_by_text("scan passed")).to_be_visible()
    scene.client.attested(scene.slack)
    again = tab.main.get_by_role("button", name="Look again")
    if again.is_visible():
        again.click()
    expect(tab.main.get_by_role("heading", name="How it came about")).to_be_visible()
    expect(tab.main.get_by_text(re.compile("signed with the service.s present key")).first).to_be_visible()

    tab.go(f"packs/{scene.slack}/references", "Slack")
    expect(tab.main.get_by_role("row", name=re.compile("support"))).to_contain_text("stale")


def test_a_pack_that_is_not_there_is_said_in_the_service_s_words(tab: Tab) -> None:
    tab.may_fail = True
    tab.go("packs/pack_01KB0000000000000000000000", "Pack")
    refusal = tab.main.get_by_role("alert")

    expect(refusal).to_contain_text("There is no such pack")
    expect(refusal).to_contain_text("Request")
    tab.go("nowhere", "No such page")
