"""The signature policies of organisations, an item each."""

from dataclasses import dataclass, field

from packyard.packs.event import EventDraft, EventType
from packyard.signatures.policy import SignaturePolicy, from_json
from packyard.store.events import EventLog
from packyard.store.keys import signature_policy_key
from packyard.store.table import Action, Item, Table, TransactionFailed, Update, token_of
from packyard.tenants.caller import Actor

_REVISION = "signature_policy_revision"
_AS_READ = f"(attribute_not_exists({_REVISION}) AND :revision = :none) OR {_REVISION} = :revision"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignaturePolicyState:
    """The policy that an organisation has.

    Attributes:
        org_id: The organisation.
        policy: The policy.
        revision: How often it has been changed.
    """

    org_id: str
    policy: SignaturePolicy = field(default_factory=SignaturePolicy)
    revision: int = 0


class SignaturePolicyOutdated(Exception):
    """The policy is no longer at the revision that was read.

    Args:
        current: The policy as it is now.
    """

    def __init__(self, current: SignaturePolicyState) -> None:
        super().__init__(f"The policy is at revision {current.revision}.")
        self.current = current


class SignaturePolicyStore:
    """The signature policies of all organisations.

    Args:
        table: The table.
        events: Makes the events of writes.
    """

    def __init__(self, *, table: Table, events: EventLog) -> None:
        self._table = table
        self._events = events

    def get(self, org_id: str) -> SignaturePolicyState:
        """Return the policy of an organisation. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        return _state(org_id, self._table.get(signature_policy_key(org_id)) or {})

    def write(
        self, before: SignaturePolicyState, policy: SignaturePolicy, *, actor: Actor
    ) -> SignaturePolicyState:
        """Set the policy of the actor's organisation, write the event, and return the policy. One transaction.

        Args:
            before: The policy as it was read.
            policy: The new policy.
            actor: Who sets it.

        Raises:
            SignaturePolicyOutdated: It has been changed since.
            ServiceUnavailable: DynamoDB did not answer; the policy may have been set.
        """
        after = SignaturePolicyState(org_id=actor.org_id, policy=policy, revision=before.revision + 1)
        update = Update(
            key=signature_policy_key(actor.org_id),
            change=f"SET signature_policy = :policy, {_REVISION} = :after",
            condition=_AS_READ,
            values={
                ":policy": policy.to_json(),
                ":after": after.revision,
                ":revision": before.revision,
                ":none": 0,
            },
        )
        event = self._events.put(
            EventDraft(
                type=EventType.POLICY_UPDATED,
                org_id=actor.org_id,
                actor=actor.principal,
                data={
                    "policy": "signature_policy",
                    "from": before.policy.fingerprint,
                    "to": policy.fingerprint,
                    "rules": len(policy.rules),
                    "otherwise": policy.otherwise.value,
                },
            )
        )
        actions: list[Action] = [update, event]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            raise SignaturePolicyOutdated(_state(actor.org_id, failure.reasons[0].old or {})) from None
        return after


def _state(org_id: str, item: Item) -> SignaturePolicyState:
    if _REVISION not in item:
        return SignaturePolicyState(org_id=org_id)
    return SignaturePolicyState(
        org_id=org_id, policy=from_json(item["signature_policy"]), revision=int(item[_REVISION])
    )
