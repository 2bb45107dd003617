"""The version policies of organisations, on the organisations' items."""

from packyard.packs.event import EventDraft, EventType
from packyard.store.events import EventLog
from packyard.store.keys import org_key
from packyard.store.table import Action, Item, Table, TransactionFailed, Update, token_of
from packyard.tenants.caller import Actor
from packyard.tenants.version_policy import PolicyState, VersionPolicy


class PolicyOutdated(Exception):
    """The policy is no longer at the revision that was read.

    Args:
        current: The policy as it is now.
    """

    def __init__(self, current: PolicyState) -> None:
        super().__init__(f"The policy is at revision {current.revision}.")
        self.current = current


class VersionPolicyStore:
    """The version policies of all organisations.

    Args:
        table: The table.
        events: Makes the events of writes.
    """

    def __init__(self, *, table: Table, events: EventLog) -> None:
        self._table = table
        self._events = events

    def get(self, org_id: str) -> PolicyState:
        """Return the policy of an organisation. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        return policy_of(self._table.get(org_key(org_id)) or {})

    def write(self, before: PolicyState, policy: VersionPolicy, *, actor: Actor) -> PolicyState:
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
        update = Update(
            key=org_key(actor.org_id),
            change="SET version_policy = :policy, version_policy_revision = :after",
            condition="attribute_exists(PK) AND version_policy_revision = :before"
            if before.revision
            else "attribute_exists(PK) AND attribute_not_exists(version_policy_revision)",
            values={
                ":policy": policy.value,
                ":after": after.revision,
                **({":before": before.revision} if before.revision else {}),
            },
        )
        event = self._events.put(
            EventDraft(
                type=EventType.POLICY_UPDATED,
                org_id=actor.org_id,
                actor=actor.principal,
                data={"policy": "version_policy", "from": before.policy.value, "to": policy.value},
            )
        )
        actions: list[Action] = [update, event]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            raise PolicyOutdated(policy_of(failure.reasons[0].old or {})) from None
        return after


def policy_of(item: Item) -> PolicyState:
    """Return the policy of an organisation's item."""
    return PolicyState(
        policy=VersionPolicy(item.get("version_policy", VersionPolicy.FREE)),
        revision=int(item.get("version_policy_revision", 0)),
    )
