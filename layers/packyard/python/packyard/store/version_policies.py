"""The version policies of organisations, on the organisations' items."""

from collections.abc import Mapping
from typing import ClassVar

from packyard.store.keys import Key, org_key
from packyard.store.policies import PolicyStore
from packyard.store.table import Item, Update
from packyard.tenants.policy_state import PolicyState
from packyard.tenants.version_policy import VersionPolicy


class VersionPolicyStore(PolicyStore[VersionPolicy]):
    """The version policies of all organisations."""

    kind: ClassVar = "version_policy"

    def key(self, org_id: str) -> Key:
        """See `PolicyStore`."""
        return org_key(org_id)

    def state_of(self, item: Item) -> PolicyState[VersionPolicy]:
        """See `PolicyStore`."""
        return policy_of(item)

    def update(
        self, org_id: str, before: PolicyState[VersionPolicy], after: PolicyState[VersionPolicy]
    ) -> Update:
        """See `PolicyStore`."""
        return Update(
            key=org_key(org_id),
            change="SET version_policy = :policy, version_policy_revision = :after",
            condition="attribute_exists(PK) AND version_policy_revision = :before"
            if before.revision
            else "attribute_exists(PK) AND attribute_not_exists(version_policy_revision)",
            values={
                ":policy": after.policy.value,
                ":after": after.revision,
                **({":before": before.revision} if before.revision else {}),
            },
        )

    def facts(self, before: VersionPolicy, after: VersionPolicy) -> Mapping[str, str]:
        """See `PolicyStore`."""
        return {"from": before.value, "to": after.value}


def policy_of(item: Item) -> PolicyState[VersionPolicy]:
    """Return the policy of an organisation's item."""
    return PolicyState(
        policy=VersionPolicy(item.get("version_policy", VersionPolicy.FREE)),
        revision=int(item.get("version_policy_revision", 0)),
    )
