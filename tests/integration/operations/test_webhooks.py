"""Webhooks through their real handlers: what each request is answered, and what each event becomes."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.service import ACME, GLOBEX, Service, running_service
from tests.webhooks import Hooks, Receiver, running_receiver

URL = "https://example.com/hooks"


@pytest.fixture
def service() -> Iterator[Service]:
    with running_service() as running:
        yield running


@pytest.fixture
def hooks(service: Service) -> Hooks:
    return Hooks(service)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


class TestTheList:
    def test_a_new_webhook_has_its_secret_in_this_answer_and_nowhere_else(self, hooks: Hooks) -> None:
        made = hooks.add(URL, types=["pack.created"], description="on call")
        webhook = {name: value for name, value in made.body.items() if name != "secret"}

        assert made.body["secret"].startswith("whsec_")
        assert made.headers["Cache-Control"] == "no-store"
        assert webhook | {"id": "", "created_at": ""} == {
            "id": "",
            "url": URL,
            "types": ["pack.created"],
            "description": "on call",
            "state": "active",
            "created_at": "",
            "created_by": "key:acme",
            "revision": 1,
        }
        assert hooks.get(webhook["id"]).body == webhook
        assert hooks.send("GET").body == {"webhooks": [webhook]}

    def test_the_secret_is_stored_encrypted_for_this_webhook_alone(self, hooks: Hooks) -> None:
        made = hooks.add(URL).body
        stored = hooks.service.services.webhook_store.of(ACME.org_id)[made["id"]].secrets[0].sealed

        assert made["secret"].encode() not in stored
        kms = hooks.service.services.client("kms")
        with pytest.raises(kms.exceptions.InvalidCiphertextException):
            kms.decrypt(
                CiphertextBlob=stored, EncryptionContext={"org_id": ACME.org_id, "webhook_id": "whk_other"}
            )

    def test_an_organisation_sees_its_own_webhooks_only(self, hooks: Hooks) -> None:
        made = hooks.add(URL).body["id"]

        assert hooks.send("GET", caller=GLOBEX).body == {"webhooks": []}
        for method, tail in (("GET", ""), ("DELETE", ""), ("POST", "/rotate")):
            answer = hooks.send(method, f"/{made}{tail}", caller=GLOBEX)
            assert (answer.status, answer.error["code"]) == (404, "webhook_not_found")

    def test_the_twenty_first_is_refused_until_another_is_deleted(self, hooks: Hooks) -> None:
        first, *_ = [hooks.add(URL).body["id"] for _ in range(20)]

        refused = hooks.send("POST", json={"url": URL})
        assert (refused.status, refused.error["code"]) == (409, "quota_exceeded")
        assert hooks.send("DELETE", f"/{first}").body == {"status": "deleted"}
        assert hooks.send("POST", json={"url": URL}).status == 201

    @pytest.mark.parametrize(
        ("url", "allowed"),
        [
            ("https://example.com/hooks?token=1", True),
            ("https://example.com:8443/", True),
            ("https://93.184.215.14/", True),
            ("http://example.com/", False),
            ("ftp://example.com/", False),
            ("https://user:word@example.com/", False),
            ("https://example.com/#part", False),
            ("https://example.com/a b", False),
            ("https://exämple.com/", False),
            ("https://10.0.0.1/", False),
            ("https://169.254.169.254/latest", False),
            ("https://[::1]/", False),
            # Spellings of 127.0.0.1 that readers of URLs know, and names that have no public address.
            ("https://127.1/", False),
            ("https://2130706433/", False),
            ("https://0x7f000001/", False),
            ("https://017700000001/", False),
            ("https://1.2.3.0x4/", False),
            ("https://localhost/", False),
            ("https://hooks.localhost./", False),
            ("https://intranet/", False),
            ("https://3com.com/", True),
            ("https://example.com./", True),
            ("https:///hooks", False),
            ("example.com/hooks", False),
            ("https://" + "a" * 2048, False),
        ],
    )
    def test_a_url_is_https_to_a_host_that_may_be_public(self, hooks: Hooks, url: str, allowed: bool) -> None:
        answer = hooks.send("POST", json={"url": url})

        assert answer.status == (201 if allowed else 400), answer.body
        assert allowed or list(answer.fields) == ["url"]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "url"),
            ({"url": 1}, "url"),
            ({"url": URL, "types": ["pack.make"]}, "types"),
            ({"url": URL, "types": ["pack.created", "pack.created"]}, "types"),
            ({"url": URL, "types": "pack.created"}, "types"),
            ({"url": URL, "pack_ids": ["slack"]}, "pack_ids"),
            ({"url": URL, "pack_ids": [f"pack_{n:026d}" for n in range(51)]}, "pack_ids"),
            ({"url": URL, "description": "two\nlines"}, "description"),
            ({"url": URL, "state": "active"}, "state"),
            ({"url": URL, "secret": "mine"}, "secret"),
        ],
    )
    def test_a_fault_names_its_field(self, hooks: Hooks, body: dict[str, object], field: str) -> None:
        answer = hooks.send("POST", json=body)

        assert (answer.status, list(answer.fields)) == (400, [field])
        assert hooks.send("GET").body == {"webhooks": []}

    @pytest.mark.parametrize(
        ("method", "path"), [("POST", ""), ("PATCH", "/x"), ("DELETE", "/x"), ("POST", "/x/rotate")]
    )
    def test_a_write_needs_the_scope(self, hooks: Hooks, method: str, path: str) -> None:
        lacking = replace(ACME, scopes=ACME.scopes - {"hooks:write"})

        assert hooks.send(method, path, caller=lacking, json={"url": URL}).status == 403

    def test_a_repeat_of_a_request_does_not_make_a_second_webhook(self, hooks: Hooks) -> None:
        headers = {"Idempotency-Key": "k1"}
        first = hooks.send("POST", json={"url": URL}, headers=headers)
        again = hooks.send("POST", json={"url": URL}, headers=headers)

        assert (again.status, again.error["code"]) == (409, "already_created")
        assert again.error["details"]["id"] == first.body["id"]
        assert len(hooks.send("GET").body["webhooks"]) == 1


class TestChanges:
    def test_what_is_given_changes_and_the_rest_stays(self, hooks: Hooks) -> None:
        made = hooks.add(URL, types=["pack.created"], description="on call").body
        changed = hooks.send(
            "PATCH", f"/{made['id']}", json={"url": URL + "/2", "types": [], "description": ""}
        )

        assert changed.status == 200
        assert changed.body["url"] == URL + "/2"
        assert (changed.body["types"], "description" in changed.body, changed.body["revision"]) == (
            [],
            False,
            2,
        )

    def test_what_changes_nothing_writes_nothing(self, hooks: Hooks) -> None:
        made = hooks.add(URL).body
        events = len(hooks.events())

        assert hooks.send("PATCH", f"/{made['id']}", json={"url": URL}).body["revision"] == 1
        assert len(hooks.events()) == events

    def test_a_condition_names_the_revision_that_was_seen(self, hooks: Hooks) -> None:
        made = hooks.add(URL)
        path, headers = f"/{made.body['id']}", {"If-Match": made.headers["ETag"]}

        assert hooks.send("PATCH", path, json={"state": "disabled"}, headers=headers).status == 200
        for method, tail in (("PATCH", ""), ("DELETE", ""), ("POST", "/rotate")):
            body: dict[str, Any] = {"json": {"state": "active"}} if method == "PATCH" else {}
            assert hooks.send(method, path + tail, headers=headers, **body).status == 412

    def test_a_disabled_webhook_says_why_and_since_when_until_it_is_enabled(self, hooks: Hooks) -> None:
        made = hooks.add(URL).body
        disabled = hooks.send("PATCH", f"/{made['id']}", json={"state": "disabled"}).body
        enabled = hooks.send("PATCH", f"/{made['id']}", json={"state": "active"}).body

        assert (disabled["state"], disabled["disabled_because"]) == ("disabled", "asked")
        assert "disabled_at" in disabled
        assert enabled["state"] == "active"
        assert not {"disabled_because", "disabled_at"} & enabled.keys()

    def test_every_write_is_an_event_that_does_not_have_the_url(self, hooks: Hooks) -> None:
        made = hooks.add(URL + "?token=1").body["id"]
        hooks.send("PATCH", f"/{made}", json={"description": "x"})
        hooks.send("POST", f"/{made}/rotate")
        hooks.send("DELETE", f"/{made}")

        told = [item["type"]["S"] for item in hooks.events()]
        assert told == ["webhook.created", "webhook.updated", "webhook.updated", "webhook.deleted"]
        assert all("token" not in item["data"]["S"] for item in hooks.events())

    def test_nobody_finds_what_was_deleted(self, hooks: Hooks) -> None:
        made = hooks.add(URL).body["id"]
        hooks.send("DELETE", f"/{made}")

        bodies: dict[str, dict[str, Any]] = {"GET": {}, "PATCH": {"json": {"state": "active"}}, "DELETE": {}}
        for method, body in bodies.items():
            assert hooks.send(method, f"/{made}", **body).status == 404

    @pytest.mark.parametrize("path", ["/rotate", "/test"])
    def test_a_request_without_fields_takes_none(self, hooks: Hooks, path: str) -> None:
        made = hooks.add(URL).body["id"]
        function = "webhooks" if path == "/rotate" else "webhook_deliveries"
        answer = hooks.send("POST", f"/{made}{path}", function=function, json={"force": True})

        assert (answer.status, list(answer.fields)) == (400, ["force"])


class TestRotation:
    def test_both_secrets_sign_for_a_day(self, hooks: Hooks, receiver: Receiver) -> None:
        made = hooks.add(receiver.url).body
        hooks.send("POST", f"/{made['id']}/rotate")
        _test(hooks, made["id"])
        hooks.service.clock.advance(timedelta(hours=24))
        _test(hooks, made["id"])

        assert [len(got.headers["webhook-signature"].split(" ")) for got in receiver.got] == [2, 1]

    def test_each_of_several_rotations_has_its_day_and_a_fifth_within_one_is_refused(
        self, hooks: Hooks
    ) -> None:
        made = hooks.add(URL).body["id"]
        answers = []
        for _ in range(5):
            answers.append(hooks.send("POST", f"/{made}/rotate"))
            hooks.service.clock.advance(timedelta(hours=4))

        assert [answer.status for answer in answers] == [200, 200, 200, 200, 409]
        assert len({answer.body["secret"] for answer in answers[:4]}) == 4
        hooks.service.clock.advance(timedelta(hours=8))
        assert hooks.send("POST", f"/{made}/rotate").status == 200


def _test(hooks: Hooks, webhook_id: str) -> str:
    answer = hooks.of_deliveries("POST", f"/{webhook_id}/test")
    assert answer.status == 202, answer.body
    hooks.deliver()
    delivery: str = answer.body["delivery_id"]
    return delivery
