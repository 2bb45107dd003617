"""A slow service, one that fails, and a connection that is lost: said where it happened, and nothing typed is lost."""

import json

from playwright.sync_api import Browser, Route, expect
from tests.e2e.console.scene import Scene, empty_organisation
from tests.e2e.console.tab import Tab, opened

_UNAVAILABLE = {
    "error": {
        "code": "service_unavailable",
        "message": "A backing service is unavailable; repeat the request shortly.",
        "request_id": "00000000-1111-2222-3333-444444444444",
    }
}


def fails(route: Route) -> None:
    """Answer as the gateway does when it cannot reach the service."""
    route.fulfill(
        status=503,
        content_type="application/json",
        body=json.dumps(_UNAVAILABLE),
        headers={"Retry-After": "60"},
    )


def test_a_failure_is_said_with_its_request_and_can_be_tried_again(tab: Tab) -> None:
    tab.may_fail = True
    tab.page.route("**/usage", fails)
    tab.go("usage", "Usage")
    refusal = tab.main.get_by_role("alert")
    expect(refusal).to_contain_text("A backing service is unavailable")
    expect(refusal).to_contain_text("00000000-1111-2222-3333-444444444444")

    tab.page.unroute("**/usage")
    refusal.get_by_role("button", name="Try again").click()
    expect(tab.main.get_by_role("heading", name="Packs")).to_be_visible()
    expect(refusal).to_be_hidden()


def test_while_the_service_takes_its_time_the_screen_says_so(tab: Tab) -> None:
    waiting: list[Route] = []
    tab.page.route("**/usage", lambda route: waiting.append(route))  # noqa: PLW0108 - it marks what it is given
    tab.go("usage", "Usage")
    expect(tab.main.get_by_text("Loading")).to_be_visible()
    # The page shows that it waits, maybe before we are told what for.
    for _ in range(100):
        if waiting:
            break
        tab.page.wait_for_timeout(20)
    assert len(waiting) == 1

    waiting.pop().continue_()
    expect(tab.main.get_by_role("heading", name="Packs")).to_be_visible()
    tab.page.unroute("**/usage")


def test_a_form_whose_request_was_lost_keeps_what_was_typed_and_makes_one_thing(
    tab: Tab, scene: Scene
) -> None:
    tab.may_fail = True
    lost: list[str] = []

    def lose(route: Route) -> None:
        if route.request.method == "POST":
            lost.append(route.request.headers["idempotency-key"])
            # The service has done it; only the answer is lost.
            route.fetch()
            route.abort()
        else:
            route.continue_()

    tab.page.route("**/keys", lose)
    tab.go("keys?new=1", "API keys")
    tab.main.get_by_label("Label").fill("made once")
    tab.main.get_by_role("button", name="Make the key").click()
    expect(tab.main.get_by_role("alert")).to_be_visible()
    expect(tab.main.get_by_label("Label")).to_have_value("made once")
    tab.page.unroute("**/keys")
    tab.main.get_by_role("button", name="Make the key").click()
    expect(tab.main.get_by_role("alert")).to_contain_text("its answer had a secret, which is not kept")

    assert len(set(lost)) == 1
    labels = [key["label"] for key in scene.client.call("GET", "/keys").body["keys"]]
    assert labels.count("made once") == 1


def test_a_new_organisation_is_told_what_to_do_next(browser: Browser, scene: Scene) -> None:
    client = empty_organisation(scene.client.stack)
    assert client.key is not None
    with opened(browser, scene.url) as tab:
        tab.sign_in(client.key, "roles")
        for route, heading in (
            ("roles", "Roles"),
            ("publishers", "Trusted publishers"),
            ("webhooks", "Webhooks"),
            ("feeds", "Feeds"),
        ):
            tab.go(route, heading)
            expect(tab.main.locator(".empty")).to_be_visible()
            assert tab.main.locator(".empty :is(a, code)").count()
