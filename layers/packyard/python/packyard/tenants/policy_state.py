"""A policy of an organisation, and how often it has been changed."""

from dataclasses import dataclass
from typing import Generic, TypeVar

PolicyT = TypeVar("PolicyT")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyState(Generic[PolicyT]):
    """The policy that an organisation has.

    Attributes:
        policy: The policy.
        revision: How often it has been changed.
    """

    policy: PolicyT
    revision: int = 0
