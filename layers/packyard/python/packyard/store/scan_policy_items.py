"""The scan policy of an organisation as an item of the table."""

from dataclasses import dataclass

from packyard.scanning.finding import Severity
from packyard.scanning.policy import ScanPolicy, Treatment
from packyard.store.wire import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanPolicyState:
    """The scan policy of an organisation.

    Attributes:
        policy: The policy.
        revision: How often it has been changed.
    """

    policy: ScanPolicy
    revision: int


def policy_of(item: Item | None) -> ScanPolicyState:
    """Return the policy of an item; the default without one."""
    if item is None:
        return ScanPolicyState(policy=ScanPolicy(), revision=0)
    block = item.get("block")
    policy = ScanPolicy(
        block=None if block is None else Severity(block),
        rules={rule: Treatment(treatment) for rule, treatment in item["rules"].items()},
        incomplete=item["incomplete"],
    )
    return ScanPolicyState(policy=policy, revision=int(item["revision"]))


def policy_attributes(policy: ScanPolicy) -> Item:
    """Return a policy as attributes of its item."""
    return {
        "block": None if policy.block is None else str(policy.block),
        "rules": {rule: str(treatment) for rule, treatment in policy.rules.items()},
        "incomplete": policy.incomplete,
    }
