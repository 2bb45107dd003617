"""The scan policies of organisations."""

from typing import Any

from packyard.packs.event import EventDraft, EventType
from packyard.scanning.policy import ScanPolicy
from packyard.store.events import EventLog
from packyard.store.keys import scan_policy_key
from packyard.store.scan_policy_items import ScanPolicyState, policy_attributes, policy_of
from packyard.store.table import Action, Table, TransactionFailed, Update, token_of
from packyard.tenants.caller import Actor


class ScanPolicyOutdated(Exception):
    """The policy is no longer at the revision that was read.

    Args:
        current: The policy as it is now.
    """

    def __init__(self, current: ScanPolicyState) -> None:
        super().__init__(f"The policy is at revision {current.revision}.")
        self.current = current


class ScanPolicyStore:
    """The scan policies of all organisations.

    Args:
        table: The table.
        events: Makes the events of writes.
    """

    def __init__(self, *, table: Table, events: EventLog) -> None:
        self._table = table
        self._events = events

    def get(self, org_id: str) -> ScanPolicyState:
        """Return the policy of an organisation. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        return policy_of(self._table.get(scan_policy_key(org_id)))

    def write(self, before: ScanPolicyState, policy: ScanPolicy, *, actor: Actor) -> ScanPolicyState:
        """Set the policy of the actor's organisation, write the event, and return the policy. One transaction.

        Args:
            before: The policy as it was read.
            policy: The new policy.
            actor: Who sets it.

        Raises:
            ScanPolicyOutdated: It has been changed since.
            ServiceUnavailable: DynamoDB did not answer; the policy may have been set.
        """
        after = ScanPolicyState(policy=policy, revision=before.revision + 1)
        values: dict[str, Any] = {
            ":block": policy_attributes(policy)["block"],
            ":rules": policy_attributes(policy)["rules"],
            ":incomplete": policy.incomplete,
            ":after": after.revision,
        }
        update = Update(
            key=scan_policy_key(actor.org_id),
            change="SET #block = :block, #rules = :rules, incomplete = :incomplete, revision = :after",
            condition="revision = :before" if before.revision else "attribute_not_exists(PK)",
            values=values | ({":before": before.revision} if before.revision else {}),
            names={"#block": "block", "#rules": "rules"},
        )
        event = self._events.put(
            EventDraft(
                type=EventType.POLICY_UPDATED,
                org_id=actor.org_id,
                actor=actor.principal,
                data={
                    "policy": "scan_policy",
                    "from": policy_attributes(before.policy),
                    "to": policy_attributes(policy),
                },
            )
        )
        actions: list[Action] = [update, event]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            old = failure.reasons[0].old
            raise ScanPolicyOutdated(policy_of(old)) from None
        return after
