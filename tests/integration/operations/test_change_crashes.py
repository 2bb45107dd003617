"""A change of a pack or of a role, killed right before or right after any of its calls."""

from collections.abc import Callable
from functools import partial

import pytest
from tests.crashes import Killed, fused, moments
from tests.service import ACME, GLOBEX, PackArchive, Service, running_service
from tests.tables import assert_references_are_sound, ledger_of

UPDATE = ["dynamodb.GetItem", "dynamodb.TransactWriteItems"]
SET_ROLE = ["dynamodb.GetItem", "dynamodb.BatchGetItem", "dynamodb.TransactWriteItems"]


def made(service: Service, name: str) -> str:
    identity: str = service.upload(PackArchive(name=name).build(), visibility="community").body["id"]
    return identity


def killed(service: Service, moment: int, act: Callable[[], object]) -> None:
    with pytest.raises(Killed), fused(service, moment):
        act()


@pytest.mark.parametrize("moment", moments(UPDATE))
def test_an_update_killed_at_any_moment_is_done_or_not_and_a_repeat_writes_it_once(moment: int) -> None:
    with running_service() as service:
        pack = made(service, "slack")

        killed(service, moment, lambda: service.update(pack, "org"))
        stands = service.get(pack)
        repeated = service.update(pack, "org")

        assert stands.headers["ETag"] == f'"{len(ledger_of(service, pack)) if moment == 3 else 1}"'
        assert stands.body["visibility"] == ("org" if moment == 3 else "community")
        assert (repeated.status, repeated.headers["ETag"]) == (200, '"2"')
        assert [entry["operation"] for entry in ledger_of(service, pack)] == ["upload", "update"]


@pytest.mark.parametrize("moment", moments(SET_ROLE))
def test_a_set_killed_at_any_moment_is_done_or_not_and_a_repeat_counts_once(moment: int) -> None:
    with running_service() as service:
        old, new = made(service, "old"), made(service, "new")
        for caller in (ACME, GLOBEX):
            assert service.set_role("support", [old], caller).status == 200

        for caller in (ACME, GLOBEX):
            killed(service, moment, partial(service.set_role, "support", [new], caller))
            assert_references_are_sound(service.aws)
            assert service.get_role("support", caller).body["pack_ids"] == [new if moment == 5 else old]

            assert service.set_role("support", [new], caller).status == 200
            assert_references_are_sound(service.aws)
            assert service.get_role("support", caller).body["pack_ids"] == [new]


@pytest.mark.parametrize("moment", moments(SET_ROLE))
def test_what_a_killed_set_has_let_go_can_be_deleted_and_what_it_holds_cannot(moment: int) -> None:
    with running_service() as service:
        old, new = made(service, "old"), made(service, "new")
        assert service.set_role("support", [old]).status == 200

        killed(service, moment, lambda: service.set_role("support", [new]))
        statuses = [service.delete(identity).status for identity in (old, new)]

        assert statuses == ([200, 409] if moment == 5 else [409, 200])
        assert_references_are_sound(service.aws)


def test_the_calls_are_those_that_the_moments_are_made_of() -> None:
    with running_service() as service:
        pack = made(service, "slack")
        with fused(service, None) as update:
            service.update(pack, "org")
        with fused(service, None) as set_role:
            service.set_role("support", [pack])

    assert (update.calls, set_role.calls) == (UPDATE, SET_ROLE)
