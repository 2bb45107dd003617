"""What clients were told is held against what is there: each breach is found, and nothing where all is as told."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from load.promises import Promises
from tests.reliability.invariants import Observed, observe
from tests.service import ACME, PackArchive, Service, running_service

ORGS = {ACME.org_id: "acme"}


class Scene:
    """A pack that was uploaded, then shown to others; another that was deleted; a role that holds the first."""

    def __init__(self, service: Service) -> None:
        self.promises = Promises()
        first = service.upload(PackArchive().build())
        self.pack_id: str = first.body["id"]
        self.promises.show("acme", "upload", first.body, 1, b"archive")
        shown = service.update(self.pack_id, "community")
        self.promises.show("acme", "update", shown.body, 2)
        other = service.upload(PackArchive(name="other").build())
        self.promises.show("acme", "upload", other.body, 1, b"archive")
        self.other = self.promises.packs[other.body["id"]]
        self.other.leaving = True
        assert service.delete(other.body["id"]).status == 200
        self.promises.bury(self.other)
        assert service.set_role("analyst", [self.pack_id]).status == 200
        self.role = self.promises.roles["acme", "analyst"]
        self.role.may_hold, self.role.tried = [[self.pack_id]], 1
        self.pack = self.promises.packs[self.pack_id]
        self.seen = observe(service)
        self.listed: dict[str, Any] = {pack["id"]: pack for pack in service.list_packs().body["packs"]}

    def breaches(self) -> list[str]:
        return list(self.promises.breaches(self.seen, self.listed, ORGS))

    def see(self, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
        """Let items be otherwise, or gone."""
        changed = [change(dict(item)) for item in self.seen.items]
        self.seen = replace(self.seen, items=[item for item in changed if item is not None])


@pytest.fixture
def scene() -> Iterator[Scene]:
    with running_service() as service:
        yield Scene(service)


def without(scene: Scene, sort_key: str) -> None:
    scene.see(lambda item: None if item["PK"] == f"PACK#{scene.pack_id}" and item["SK"] == sort_key else item)


def stand_again(scene: Scene) -> None:
    key = f"PACK#{scene.other.pack_id}"
    scene.see(
        lambda item: {**item, "status": "active"} if (item["PK"], item["SK"]) == (key, "PACK") else item
    )


def second_entry_of_another_image(scene: Scene) -> None:
    second = {item["SK"] for item in scene.seen.items if item["SK"].startswith("REV#")} - {
        min(item["SK"] for item in scene.seen.items if item["SK"].startswith("REV#"))
    }
    scene.see(
        lambda item: (
            {**item, "image_digest": "sha256:0"}
            if item["PK"] == f"PACK#{scene.pack_id}" and item["SK"] in second
            else item
        )
    )


BREACHES: dict[str, tuple[Callable[[Scene], object], str]] = {
    "a pack that is gone": (lambda scene: without(scene, "PACK"), "is lost"),
    "a pack that is deleted by nobody": (
        lambda scene: setattr(scene.other, "leaving", False),
        "nobody has deleted it",
    ),
    "a deleted pack that stands": (stand_again, "was deleted, and stands"),
    "a pack that is not listed": (lambda scene: scene.listed.pop(scene.pack_id), "is not listed"),
    "a pack that is otherwise": (
        lambda scene: scene.listed[scene.pack_id].update(visibility="org"),
        "was {",
    ),
    "a revision of another image": (second_entry_of_another_image, "in the history"),
    "an entry that nobody asked for": (lambda scene: scene.pack.told.pop(2), "nobody was told of a update"),
    "a pack that nobody was told of": (
        lambda scene: scene.promises.packs.pop(scene.pack_id),
        "that nobody was told of",
    ),
    "a role that holds something else": (
        lambda scene: setattr(scene.role, "may_hold", [[]]),
        "not one of",
    ),
    "a role that was set once too often": (
        lambda scene: setattr(scene.role, "tried", 0),
        "was set 1 times",
    ),
    "a withdrawn image that is in use": (
        lambda scene: scene.pack.withdrawn.update({scene.pack.body["image_digest"]: True}),
        "is not withdrawn",
    ),
    "two answers that contradict": (
        lambda scene: scene.promises.show("acme", "", {**scene.pack.body, "version": "9.9.9"}, 2),
        "9.9.9",
    ),
}


def test_where_all_is_as_told_there_is_no_breach(scene: Scene) -> None:
    assert scene.breaches() == []
    assert scene.promises.unconfirmed(scene.seen) == 0


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_is_found(scene: Scene, name: str) -> None:
    breach, words = BREACHES[name]
    breach(scene)

    assert [found for found in scene.breaches() if words in found], scene.breaches()


def test_what_a_client_was_left_unsure_of_may_be_there_or_not(scene: Scene) -> None:
    scene.pack.told.pop(2)
    scene.promises.leave_unsure(scene.pack, "update")
    scene.promises.leave_unsure(scene.pack, "put_file")
    scene.promises.leave_unsure_of("acme", "never-made")

    assert scene.breaches() == []
    assert scene.promises.unconfirmed(scene.seen) == 1


def test_a_withdrawal_that_a_client_was_told_of_or_left_unsure_of_is_no_breach(scene: Scene) -> None:
    digest = scene.pack.body["image_digest"]
    for told in (None, False):
        scene.pack.withdrawn[digest] = told
        assert scene.breaches() == []

    state = {"PK": f"PACK#{scene.pack_id}", "SK": f"IMAGE#{digest}", "digest": digest, "withdrawal": {}}
    scene.seen = replace(scene.seen, items=[*scene.seen.items, state])
    scene.listed[scene.pack_id]["status"] = "withdrawn"
    assert [found for found in scene.breaches() if "is withdrawn, and" in found]
    for told in (None, True):
        scene.pack.withdrawn[digest] = told
        assert scene.breaches() == []


def test_an_unsure_write_explains_one_entry_only(scene: Scene) -> None:
    scene.pack.told.pop(2)
    scene.promises.leave_unsure(scene.pack, "update")
    entry = next(item for item in scene.seen.items if item.get("operation") == "update")
    doubled: Observed = replace(
        scene.seen, items=[*scene.seen.items, {**entry, "SK": f"{entry['SK']}x", "revision": 3}]
    )

    assert [
        found for found in scene.promises.breaches(doubled, scene.listed, ORGS) if "nobody was told" in found
    ]
