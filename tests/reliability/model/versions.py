"""Which versions an organisation may publish (API contract, section 7)."""

from tests.reliability.model.expectations import ANY_TEXT, Expected, require
from tests.reliability.model.packs import Content, Pack
from tests.reliability.model.state import State


class Versions(State):
    """The operations on version policies, and what they refuse."""

    def version_policy(self) -> Expected:
        policy, revision = self.policies.get(self.caller.org, ("free", 0))
        return Expected(200, {"version_policy": policy}, f'"{revision}"')

    def set_version_policy(self, version_policy: str, if_match: str | None) -> Expected:
        """The present policy is not written again."""
        policy, revision = self.policies.get(self.caller.org, ("free", 0))
        require(if_match in (None, str(revision)), 412, "precondition_failed", revision=revision)
        if policy != version_policy:
            self.policies[self.caller.org] = version_policy, revision + 1
        return self.version_policy()

    def require_version(self, name: str, content: Content, before: Pack | None) -> None:
        """Refuse a version that is not higher than all before, or one that the name has had with another content."""
        policy, _ = self.policies.get(self.caller.org, ("free", 0))
        refusal = {"version": content.version, "next_version": ANY_TEXT}
        if policy == "increasing" and before is not None:
            stands = before.content.version == content.version and before.content.is_same(content)
            highest = max(_precedence(entry.content) for entry in before.history)
            require(stands or _precedence(content) > highest, 409, "version_taken", **refusal)
        if policy == "immutable":
            there = self.published.get((self.caller.org, name), {}).get(content.version)
            require(there is None or there.is_same(content), 409, "version_taken", **refusal)


def _precedence(content: Content) -> tuple[int, ...]:
    return tuple(map(int, content.version.split(".")))
