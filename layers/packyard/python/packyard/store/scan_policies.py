"""The scan policies of organisations, an item each."""

from collections.abc import Mapping
from typing import Any, ClassVar

from packyard.scanning.policy import ScanPolicy
from packyard.store.keys import Key, scan_policy_key
from packyard.store.policies import PolicyStore
from packyard.store.scan_policy_items import policy_attributes, policy_of
from packyard.store.table import Item, Update
from packyard.tenants.policy_state import PolicyState


class ScanPolicyStore(PolicyStore[ScanPolicy]):
    """The scan policies of all organisations."""

    kind: ClassVar = "scan_policy"

    def key(self, org_id: str) -> Key:
        """See `PolicyStore`."""
        return scan_policy_key(org_id)

    def state_of(self, item: Item) -> PolicyState[ScanPolicy]:
        """See `PolicyStore`."""
        return policy_of(item)

    def update(self, org_id: str, before: PolicyState[ScanPolicy], after: PolicyState[ScanPolicy]) -> Update:
        """See `PolicyStore`."""
        written = policy_attributes(after.policy)
        return Update(
            key=scan_policy_key(org_id),
            change="SET #block = :block, #rules = :rules, incomplete = :incomplete, revision = :after",
            condition="revision = :before" if before.revision else "attribute_not_exists(PK)",
            values={
                ":block": written["block"],
                ":rules": written["rules"],
                ":incomplete": written["incomplete"],
                ":after": after.revision,
                **({":before": before.revision} if before.revision else {}),
            },
            names={"#block": "block", "#rules": "rules"},
        )

    def facts(self, before: ScanPolicy, after: ScanPolicy) -> Mapping[str, Any]:
        """See `PolicyStore`."""
        return {"from": policy_attributes(before), "to": policy_attributes(after)}
