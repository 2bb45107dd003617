"""The scan policy of an organisation as an item of the table."""

from packyard.scanning.finding import Severity
from packyard.scanning.policy import ScanPolicy, Treatment
from packyard.store.wire import Item
from packyard.tenants.policy_state import PolicyState


def policy_of(item: Item | None) -> PolicyState[ScanPolicy]:
    """Return the policy of an item; the default without one."""
    if not item:
        return PolicyState(policy=ScanPolicy(), revision=0)
    block = item.get("block")
    policy = ScanPolicy(
        block=None if block is None else Severity(block),
        rules={rule: Treatment(treatment) for rule, treatment in item["rules"].items()},
        incomplete=item["incomplete"],
    )
    return PolicyState(policy=policy, revision=int(item["revision"]))


def policy_attributes(policy: ScanPolicy) -> Item:
    """Return a policy as attributes of its item."""
    return {
        "block": None if policy.block is None else str(policy.block),
        "rules": {rule: str(treatment) for rule, treatment in policy.rules.items()},
        "incomplete": policy.incomplete,
    }
