"""The signature policies of organisations, an item each."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from packyard.signatures.policy import SignaturePolicy, from_json
from packyard.store.keys import Key, signature_policy_key
from packyard.store.policies import PolicyStore
from packyard.store.table import Item, Update
from packyard.tenants.policy_state import PolicyState

_REVISION: Final = "signature_policy_revision"


class SignaturePolicyStore(PolicyStore[SignaturePolicy]):
    """The signature policies of all organisations."""

    kind: ClassVar = "signature_policy"

    def key(self, org_id: str) -> Key:
        """See `PolicyStore`."""
        return signature_policy_key(org_id)

    def state_of(self, item: Item) -> PolicyState[SignaturePolicy]:
        """See `PolicyStore`."""
        if _REVISION not in item:
            return PolicyState(policy=SignaturePolicy())
        return PolicyState(policy=from_json(item["signature_policy"]), revision=int(item[_REVISION]))

    def update(
        self, org_id: str, before: PolicyState[SignaturePolicy], after: PolicyState[SignaturePolicy]
    ) -> Update:
        """See `PolicyStore`."""
        return Update(
            key=signature_policy_key(org_id),
            change=f"SET signature_policy = :policy, {_REVISION} = :after",
            condition=f"{_REVISION} = :before" if before.revision else f"attribute_not_exists({_REVISION})",
            values={
                ":policy": after.policy.to_json(),
                ":after": after.revision,
                **({":before": before.revision} if before.revision else {}),
            },
        )

    def facts(self, before: SignaturePolicy, after: SignaturePolicy) -> Mapping[str, Any]:
        """See `PolicyStore`."""
        return {
            "from": before.fingerprint,
            "to": after.fingerprint,
            "rules": len(after.rules),
            "otherwise": after.otherwise.value,
        }
