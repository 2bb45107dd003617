"""The `Idempotency-Key` header on the deployed template."""

from tests.e2e.client import Client, Reply
from tests.service import PackArchive


def upload(client: Client, archive: bytes, key: str) -> Reply:
    form = {"archive": ("pack.tar.gz", archive, "application/gzip")}
    return client.call("POST", "/packs/upload", fields=form, headers={"Idempotency-Key": key})


def test_a_repeat_gets_the_first_answer_and_another_request_is_400(acme: Client) -> None:
    archive = PackArchive(name="once").build()

    first, again = upload(acme, archive, "once-1"), upload(acme, archive, "once-1")
    other = upload(acme, PackArchive(name="twice").build(), "once-1")

    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert again.headers["ETag"] == first.headers["ETag"] == '"1"'
    assert (other.status, other.code) == (400, "validation_error")
    assert other.body["error"]["details"]["fields"].keys() == {"Idempotency-Key"}


def test_a_repeated_start_of_an_upload_is_the_same_upload(acme: Client) -> None:
    replies = [
        acme.call("POST", "/packs/uploads", json={}, headers={"Idempotency-Key": "form-1"}) for _ in range(2)
    ]

    assert [reply.status for reply in replies] == [201, 201]
    assert replies[0].body == replies[1].body


def test_a_malformed_key_is_400(acme: Client) -> None:
    refused = acme.call("POST", "/packs/uploads", json={}, headers={"Idempotency-Key": "a b"})

    assert refused.body["error"]["details"]["fields"].keys() == {"Idempotency-Key"}
