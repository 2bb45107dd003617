"""What webhooks were sent, and what they lack."""

import urllib.request

from local.receiver import Receiver, receiving


def test_what_has_arrived_is_noted_for_each_organisation() -> None:
    with receiving() as receiver:
        for slug, event in (("acme", "1"), ("globex", "2"), ("acme", "1")):
            request = urllib.request.Request(  # noqa: S310 - ours
                f"{receiver.url}/{slug}", data=b"{}", headers={"webhook-id": event}, method="POST"
            )
            with urllib.request.urlopen(request) as answer:  # noqa: S310 - ours
                assert answer.status == 204

        assert receiver.got == {"acme": {"1"}, "globex": {"2"}}
        assert list(receiver.breaches(lambda: {"acme": {"1"}, "globex": {"2"}}, patience=0)) == []


def test_an_event_that_has_not_arrived_is_a_breach() -> None:
    receiver = Receiver("http://127.0.0.1:1")
    receiver.got["acme"] = {"1"}

    breaches = list(receiver.breaches(lambda: {"acme": {"1", "2"}}, patience=0))

    assert breaches == ["the webhook of acme has not got the event 2"]
