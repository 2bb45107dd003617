"""Pins that follow are moved by the service, through the handler of the table's stream."""

from typing import Any, Final

import pytest
from tests.engine.taps import Failure, PointName
from tests.integration.operations.test_role_pins import READS, WRITES, made, pins, updated
from tests.service import ACME, GLOBEX, Service, stream_record
from tests.tables import assert_references_are_sound

from packyard.messaging.table_changes import ImageChanged, PinFollows, RowChanged, changes_of
from packyard.store.wire import to_wire

SUPPORT: Final = "support"


@pytest.fixture
def shared(service: Service) -> str:
    """A community pack that roles of two organisations follow, and one does not."""
    pack = made(service, "shared", visibility="community")
    for role, caller in ((SUPPORT, ACME), ("sales", ACME), (SUPPORT, GLOBEX)):
        assert service.pin(role, [{"id": pack, "follow": True}], caller).status == 200
    service.set_role("still", [pack])
    return pack


def test_roles_that_follow_are_moved_and_others_stay(service: Service, shared: str) -> None:
    updated(service, shared, "shared", "2.0.0")

    assert service.follow(shared) == []

    for role, caller in ((SUPPORT, ACME), ("sales", ACME), (SUPPORT, GLOBEX)):
        assert pins(service, role, caller) == [(2, False)]
        newest, *_ = service.role_history(role, caller).body["revisions"]
        assert (newest["revision"], newest["operation"], newest["actor"]) == (2, "follow", "follow")
    assert pins(service, "still") == [(1, True)]
    assert service.get_role(SUPPORT).body["packs"][0]["follow"] is True
    assert_references_are_sound()


def test_what_comes_again_changes_nothing(service: Service, shared: str) -> None:
    updated(service, shared, "shared", "2.0.0")

    for _ in range(2):
        assert service.follow(shared) == []

    assert service.get_role(SUPPORT).body["revision"] == 2


def test_a_pin_never_follows_to_wider_capabilities_and_goes_on_after_consent(service: Service) -> None:
    pack = made(service, "api", capabilities=READS)
    service.pin(SUPPORT, [{"id": pack, "follow": True}])
    updated(service, pack, "api", "2.0.0", capabilities=WRITES)

    assert service.follow(pack) == []
    assert pins(service) == [(1, True)]

    assert service.refresh_role(SUPPORT, accept_capabilities={pack: 2}).status == 200
    updated(service, pack, "api", "3.0.0", capabilities=WRITES)
    service.follow(pack)
    assert pins(service) == [(3, False)]


def test_a_role_that_begins_to_follow_while_the_pack_changes_is_moved_by_the_record_of_its_reference(
    service: Service,
) -> None:
    pack = made(service, "late")
    service.pin(SUPPORT, [{"id": pack, "follow": True}])
    updated(service, pack, "late", "2.0.0")
    reference = {"follow": True, "org_id": ACME.org_id, "role_id": SUPPORT}
    told = stream_record(pack, f"REF#{ACME.org_id}#{SUPPORT}", {}, reference)

    service.invoke("follow_packs", {"Records": [told]})

    assert pins(service) == [(2, False)]


def test_a_role_that_no_longer_follows_or_is_gone_is_left_alone(service: Service, shared: str) -> None:
    service.pin(SUPPORT, [{"id": shared}])
    service.set_role("sales", [])
    service.delete_role(SUPPORT, GLOBEX)
    updated(service, shared, "shared", "2.0.0")

    assert service.follow(shared) == []
    for org, role in ((ACME.org_id, SUPPORT), (ACME.org_id, "sales"), (GLOBEX.org_id, SUPPORT)):
        told = stream_record(shared, "REF#", {}, {"follow": True, "org_id": org, "role_id": role})
        assert service.invoke("follow_packs", {"Records": [told]}) == {"batchItemFailures": []}

    assert pins(service) == [(1, True)]
    assert_references_are_sound()


def test_a_record_that_fails_is_named_and_comes_again(service: Service, shared: str) -> None:
    updated(service, shared, "shared", "2.0.0")

    with service.wire.tapped(Failure(at=PointName("dynamodb.TransactWriteItems"))):
        assert service.follow(shared) == ["PACK"]
    assert service.follow(shared) == []

    assert pins(service) == [(2, False)]


@pytest.mark.parametrize(
    ("key", "old", "new", "change"),
    [
        ("PACK", {"image_digest": "a"}, {"image_digest": "b"}, ImageChanged("p")),
        ("PACK", {"image_digest": "a"}, {"image_digest": "a", "own_refs": 1}, None),
        ("PACK", {}, {"image_digest": "a"}, None),
        ("PACK", {"image_digest": "a"}, {}, None),
        ("REF#o#r", {}, {"follow": True, "org_id": "o", "role_id": "r"}, PinFollows("p", "o", "r")),
        ("REF#o#r", {"follow": True}, {"org_id": "o", "role_id": "r"}, None),
        ("REV#0000000001", {}, {"image_digest": "a"}, None),
    ],
)
def test_only_new_images_and_references_that_follow_tell_of_pins(
    key: str, old: dict[str, Any], new: dict[str, Any], change: object
) -> None:
    told = list(changes_of(stream_record("p", key, old, new)))

    assert [one for one in told if not isinstance(one, RowChanged)] == ([change] if change else [])
    assert [one for one in told if isinstance(one, RowChanged)] == (
        [RowChanged(to_wire(old), to_wire(new))] if key == "PACK" and new else []
    )
