"""The policies of organisations, of any kind: read, and written as they were read, with an event."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Generic

from packyard.packs.event import EventDraft, EventType
from packyard.store.events import EventLog
from packyard.store.keys import Key
from packyard.store.table import Action, Item, Table, TransactionFailed, Update, token_of
from packyard.tenants.caller import Actor
from packyard.tenants.policy_state import PolicyState, PolicyT


class PolicyOutdated(Exception, Generic[PolicyT]):
    """The policy is no longer at the revision that was read.

    Args:
        current: The policy as it is now.
    """

    def __init__(self, current: PolicyState[PolicyT]) -> None:
        super().__init__(f"The policy is at revision {current.revision}.")
        self.current = current


class PolicyStore(ABC, Generic[PolicyT]):
    """The policies of one kind, of all organisations.

    Args:
        table: The table.
        events: Makes the events of writes.
    """

    # What events call the policy.
    kind: ClassVar[str]

    def __init__(self, *, table: Table, events: EventLog) -> None:
        self._table = table
        self._events = events

    def get(self, org_id: str) -> PolicyState[PolicyT]:
        """Return the policy of an organisation. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        return self.state_of(self._table.get(self.key(org_id)) or {})

    def write(self, before: PolicyState[PolicyT], policy: PolicyT, *, actor: Actor) -> PolicyState[PolicyT]:
        """Set the policy of the actor's organisation, write the event, and return the policy. One transaction.

        Args:
            before: The policy as it was read.
            policy: The new policy.
            actor: Who sets it.

        Raises:
            PolicyOutdated: It has been changed since.
            ServiceUnavailable: DynamoDB did not answer; the policy may have been set.
        """
        after = PolicyState(policy=policy, revision=before.revision + 1)
        event = EventDraft(
            type=EventType.POLICY_UPDATED,
            org_id=actor.org_id,
            actor=actor.principal,
            data={"policy": self.kind, **self.facts(before.policy, policy)},
        )
        actions: list[Action] = [self.update(actor.org_id, before, after), self._events.put(event)]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            raise PolicyOutdated(self.state_of(failure.reasons[0].old or {})) from None
        return after

    @abstractmethod
    def key(self, org_id: str) -> Key:
        """Return the key of the item that has an organisation's policy."""

    @abstractmethod
    def state_of(self, item: Item) -> PolicyState[PolicyT]:
        """Return the policy of such an item; the default for an item without one."""

    @abstractmethod
    def update(self, org_id: str, before: PolicyState[PolicyT], after: PolicyState[PolicyT]) -> Update:
        """Return what writes a policy, on condition that it is at the revision of `before`."""

    @abstractmethod
    def facts(self, before: PolicyT, after: PolicyT) -> Mapping[str, Any]:
        """Return what the event says of a change."""
