"""Reading and setting a policy of an organisation, of any kind.

    read the policy → commit the next one, and its event

A crash leaves the policy as it was or as it is to be. Of two at once, one reads again.
"""

from dataclasses import dataclass
from typing import Final, Generic

from packyard.errors import ServiceUnavailable
from packyard.packs.precondition import IfMatch
from packyard.store.policies import PolicyOutdated, PolicyStore
from packyard.tenants.caller import Actor
from packyard.tenants.policy_state import PolicyState, PolicyT

# An attempt fails when another request has changed the policy in the meantime.
_ATTEMPTS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies(Generic[PolicyT]):
    """Reads and sets policies of one kind.

    Attributes:
        store: Where they are kept.
        thing: What refusals call one: "scan policy".
    """

    store: PolicyStore[PolicyT]
    thing: str

    def get(self, org_id: str) -> PolicyState[PolicyT]:
        """Return the policy of an organisation. One read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        return self.store.get(org_id)

    def set(self, policy: PolicyT, *, actor: Actor, if_match: IfMatch | None) -> PolicyState[PolicyT]:
        """Set the policy of the actor's organisation, and return it. The present one is not written again.

        Args:
            policy: The policy.
            actor: Who sets it.
            if_match: What the client has seen of it.

        Raises:
            PreconditionFailed: It is at another revision than the client has seen.
            ServiceUnavailable: DynamoDB did not answer, or other requests keep changing it.
        """
        before = self.store.get(actor.org_id)
        for _ in range(_ATTEMPTS):
            if if_match is not None and not if_match.matches(before.revision):
                raise if_match.refusal(before.revision, thing=self.thing)
            if before.policy == policy:
                return before
            try:
                return self.store.write(before, policy, actor=actor)
            except PolicyOutdated as outdated:
                before = outdated.current
        raise ServiceUnavailable
