"""A pack that tries what it can: everything of it is shown as text, and nothing of it happens."""

from urllib.parse import quote

from playwright.sync_api import Browser, expect
from tests.e2e.console.scene import HOSTILE_FILES, Scene
from tests.e2e.console.tab import Tab, opened

_MADE_BY_THE_PAGE = "script, iframe, object, embed, form[action], base, meta[http-equiv], math, img, svg"


def assert_inert(tab: Tab) -> None:
    """Fail if anything of a pack has become more than text. Whatever it starts is a problem of the tab besides."""
    assert tab.page.evaluate("window.__pwned") is None
    assert tab.main.locator(_MADE_BY_THE_PAGE).count() == 0
    own = ("#", "")
    for link in tab.main.locator("a").all():
        assert (link.get_attribute("href") or "").startswith(own), link.evaluate("link => link.outerHTML")
    handlers = "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes].map(a => a.name))"
    names: list[str] = tab.page.evaluate(handlers)
    assert [name for name in names if name.startswith("on") or name in {"style", "srcdoc"}] == []
    assert tab.page.evaluate("getComputedStyle(document.body).display") != "none"


def test_hostile_files_are_only_read(tab: Tab, scene: Scene) -> None:
    for path, content in HOSTILE_FILES.items():
        address = f"packs/{scene.hostile}/files/{quote(path)}"
        tab.go(address, "<b>Hostile</b>")
        view = tab.main.get_by_role("region", name=f"File {path}")
        expect(view.get_by_role("heading", level=2)).to_have_text(path)
        expect(view.get_by_text("Loading")).to_be_hidden()
        assert_inert(tab)

        tab.go(f"{address}?view=source")
        if path not in ("data/binary.bin", "guides/empty.md"):
            seen = content.decode().splitlines()[0].encode("ascii", "ignore").decode()[:4]
            expect(tab.main.get_by_role("region", name=f"Content of {path}")).to_contain_text(seen)
        assert_inert(tab)


def test_its_names_and_its_readme_are_text(tab: Tab, scene: Scene) -> None:
    tab.go(f"packs/{scene.hostile}", "<b>Hostile</b>")
    readme = tab.main.locator(".document")

    expect(readme).to_contain_text("<script>window.__pwned=1;alert(1)</script>")
    expect(readme).to_contain_text("https://evil.example/pixel.png")
    assert_inert(tab)
    for part in ("files", "revisions", "trust", "references", "use"):
        tab.go(f"packs/{scene.hostile}/{part}", "<b>Hostile</b>")
        expect(tab.main.get_by_text("Loading")).to_have_count(0)
        assert_inert(tab)
    tab.go("packs?owned=true", "Packs")
    expect(tab.main.get_by_role("link", name="<b>Hostile</b>")).to_be_visible()
    assert_inert(tab)


def test_what_cannot_be_seen_is_marked(tab: Tab, scene: Scene) -> None:
    tab.go(f"packs/{scene.hostile}/files/data/unseen.txt", "<b>Hostile</b>")

    expect(tab.main.get_by_role("alert").filter(has_text="characters that cannot be seen")).to_be_visible()
    expect(tab.main.locator(".invisible").first).to_be_visible()


def test_a_script_that_got_in_would_not_run(browser: Browser, scene: Scene) -> None:
    """The policy holds even if the page itself were careless."""
    with opened(browser, scene.url) as tab:
        tab.open()
        for careless in (
            "document.body.innerHTML = '<img src=x onerror=window.__pwned=1>'",
            "document.body.append(Object.assign(document.createElement('script'), {text: 'window.__pwned=1'}))",
            "trustedTypes.createPolicy('mine', {createHTML: text => text})",
        ):
            refused = tab.page.evaluate(
                f"() => {{ try {{ {careless}; return false; }} catch {{ return true; }} }}"
            )
            assert refused, careless
        tab.page.evaluate("fetch('https://evil.example/').catch(() => 0)")
        assert tab.page.evaluate("window.__pwned") is None
        kinds = {violation.partition(":")[0] for violation in tab.violations()}
        assert {"require-trusted-types-for", "trusted-types", "connect-src"} <= kinds
        tab.page.evaluate("window.__violations = []")
        tab.problems.clear()
