"""No order of any number of publishers and cleaners leaves a row whose image is gone: Hypothesis looks for one."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from tests.aws import Aws
from tests.publishing_steps import HELD, LAPSED, LEASE, OneName

from packyard.store.repository_holds import Claim, ClaimLost, NameHeld, Purge, RepositoryBusy


class PublishersAndCleaners(RuleBasedStateMachine):
    """Any number of both, a clock that moves, TTL, and crashes: an actor without further steps.

    A publisher may take for ever. A cleaner's process has ended when its lease runs out; ending the purge is the last
    thing that it does. Each commit settles a name, so the next publishers and cleaners meet under a new one.
    """

    pushed: Bundle[tuple[OneName, Claim]] = Bundle("pushed")
    begun: Bundle[tuple[OneName, Purge]] = Bundle("begun")
    orphaned: Bundle[tuple[OneName, Purge]] = Bundle("orphaned")

    def __init__(self, aws: Aws) -> None:
        super().__init__()
        self.aws = aws
        self.names = [OneName(aws)]
        self.ended: set[Purge] = set()

    @rule(target=pushed, held=st.sampled_from([HELD, LAPSED]))
    def claim_and_push(self, held: timedelta) -> Any:
        name = self.names[-1]
        try:
            claim = name.claim(held)
        except (NameHeld, RepositoryBusy):
            return multiple()
        name.push()
        return name, claim

    @rule(ready=consumes(pushed))
    def commit(self, ready: tuple[OneName, Claim]) -> None:
        name, claim = ready
        with suppress(NameHeld, ClaimLost):
            name.commit(claim)
            self.names.append(OneName(self.aws, now=name.now))

    @rule(target=begun)
    def begin_purge(self) -> Any:
        name = self.names[-1]
        try:
            return name, name.begin_purge()
        except RepositoryBusy:
            return multiple()

    @rule(target=orphaned, begun=begun)
    def look(self, begun: tuple[OneName, Purge]) -> Any:
        name, purge = begun
        return begun if self._at_work(name, purge) and not name.is_used(purge) else multiple()

    @rule(orphan=orphaned)
    def delete(self, orphan: tuple[OneName, Purge]) -> None:
        name, purge = orphan
        if self._at_work(name, purge):
            name.delete()

    def _at_work(self, name: OneName, purge: Purge) -> bool:
        return name.now <= purge.until and purge not in self.ended

    @rule(begun=begun)
    def end_purge(self, begun: tuple[OneName, Purge]) -> None:
        name, purge = begun
        self.ended.add(purge)
        name.repositories.end_purge(purge)

    @rule(passed=st.sampled_from([timedelta(seconds=1), LEASE, timedelta(days=2)]))
    def wait_and_expire(self, passed: timedelta) -> None:
        for name in self.names:
            name.now += passed
            with suppress(ClientError):
                name.expire()

    @invariant()
    def rows_have_their_images(self) -> None:
        assert all(name.is_sound() for name in self.names[-2:])


def test_a_row_has_its_image_whatever_happens(aws: Aws) -> None:
    class InThisTable(PublishersAndCleaners):
        def __init__(self) -> None:
            super().__init__(aws)

    run_state_machine_as_test(
        InThisTable,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
            suppress_health_check=[HealthCheck.function_scoped_fixture],
        ),
    )
