"""Many pairs of simultaneous requests to the deployed template: either may win, but the promises hold."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from threading import Barrier

import pytest
from tests.e2e.client import Client, Reply, without_states
from tests.reliability import budget
from tests.service import PackArchive

AtOnce = Callable[[Callable[[], Reply], Callable[[], Reply]], tuple[Reply, Reply]]

PAIRS = budget.of(ci=6, soak=2000)
NAMES = count()


@pytest.fixture(scope="module")
def at_once() -> Iterator[AtOnce]:
    with ThreadPoolExecutor(max_workers=2) as threads:
        start = Barrier(2)

        def run(request: Callable[[], Reply]) -> Reply:
            start.wait()
            return request()

        def both(one: Callable[[], Reply], other: Callable[[], Reply]) -> tuple[Reply, Reply]:
            first, second = threads.submit(run, one), threads.submit(run, other)
            return first.result(), second.result()

        yield both


def archive(name: str, version: str = "1.0.0") -> bytes:
    return PackArchive(name=name, version=version).build()


def new_name() -> str:
    return f"pair-{next(NAMES)}"


def test_of_an_attachment_and_a_deletion_exactly_one_is_taken(acme: Client, at_once: AtOnce) -> None:
    for number in range(PAIRS):
        pack_id = acme.upload(archive(new_name())).body["id"]
        role = f"/agent-roles/pair-{number}/packs"

        attached, deleted = at_once(
            partial(acme.call, "PUT", role, json={"pack_ids": [pack_id]}),
            partial(acme.call, "DELETE", f"/packs/{pack_id}"),
        )

        if attached.status == 200:
            assert (deleted.status, deleted.code) == (409, "pack_in_use")
            assert acme.call("GET", role).body["pack_ids"] == [pack_id]
            assert acme.call("GET", f"/packs/{pack_id}").status == 200
        else:
            assert (attached.status, attached.code) in {(404, "pack_not_found"), (409, "pack_deleting")}
            assert deleted.status == 200
            assert acme.call("GET", role).status == 404
            assert acme.call("GET", f"/packs/{pack_id}").status == 404


def test_of_two_creates_of_one_name_exactly_one_is_taken(acme: Client, at_once: AtOnce) -> None:
    for _ in range(PAIRS):
        name = new_name()

        answers = at_once(
            partial(acme.upload, archive(name, "1.0.0")),
            partial(acme.upload, archive(name, "2.0.0")),
        )

        won, lost = sorted(answers, key=lambda answer: answer.status)
        assert (won.status, lost.status, lost.code) == (201, 409, "pack_name_taken")
        assert lost.body["error"]["details"] == {"pack_id": won.body["id"]}
        read = acme.call("GET", f"/packs/{won.body['id']}").body
        assert without_states(read) == without_states(won.body)


def test_of_a_replacement_and_a_deletion_the_deletion_stands(acme: Client, at_once: AtOnce) -> None:
    for _ in range(PAIRS):
        name = new_name()
        pack = acme.upload(archive(name)).body
        pinned = f"{pack['image_ref'].rpartition(':')[0]}@{pack['image_digest']}"

        replaced, deleted = at_once(
            partial(acme.call, "PUT", f"/packs/{pack['id']}", json={"image_ref": pinned}),
            partial(acme.call, "DELETE", f"/packs/{pack['id']}"),
        )

        assert deleted.status == 200
        # A replacement that finds the image gone says so; one that comes later finds no pack.
        assert replaced.status in {200, 400, 404, 409, 503}
        assert acme.call("GET", f"/packs/{pack['id']}").status == 404
        assert name not in {found["name"] for found in acme.call("GET", f"/packs?q={name}").body["packs"]}
