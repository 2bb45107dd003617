"""What registered images must bring (API contract, section 11; docs/trust.md).

Who has signed an image is read when it is registered, where it is then, and kept with the pack. The organisation that
uses the image decides by it, later too, and of clones of it as of the image.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from unittest.mock import ANY

from tests.reliability.model.expectations import ANY_TEXT, Expected, Refused, require
from tests.reliability.model.packs import Brought, Content, Pack, Reference
from tests.reliability.model.state import State

NOTHING: Final[Mapping[str, Any]] = {"rules": [], "otherwise": "accept", "authorities": [], "logs": []}


class Signatures(State):
    """The operations on signature policies, and what they refuse."""

    def signature_policy(self) -> Expected:
        policy, revision = self.signature_policies.get(self.caller.org, (NOTHING, 0))
        return Expected(200, policy, f'"{revision}"')

    def set_signature_policy(
        self, rules: Sequence[Mapping[str, Any]], otherwise: str, if_match: str | None
    ) -> Expected:
        """The present policy is not written again."""
        policy, revision = self.signature_policies.get(self.caller.org, (NOTHING, 0))
        require(if_match in (None, str(revision)), 412, "precondition_failed", revision=revision)
        stated = [{"requires": ["signature"], **rule} for rule in rules]
        wanted = {**NOTHING, "rules": stated, "otherwise": otherwise}
        if policy != wanted:
            self.signature_policies[self.caller.org] = wanted, revision + 1
        return self.signature_policy()

    def list_attestations(self, pack_id: str) -> Expected:
        """Whoever sees a pack sees what its image brings, if that was registered. No statements are made here."""
        pack = self.visible(pack_id)
        listed = {"pack_id": pack_id, "revision": len(pack.history), "image_origin": pack.origin}
        listed |= {
            "image_digest": pack.content.digests["image_digest"],
            "attestations": ANY,
            "statements": [],
        }
        if brought := pack.brought.get(pack.content):
            signatures = [ANY] * len(brought.signers or ())
            complete = brought.signers is not None
            told = {"repository": brought.place, "at": ANY, "complete": complete, "signatures": signatures}
            listed["brought"] = told
        return Expected(200, listed)

    def read(self, reference: Reference, content: Content, *, unread: bool) -> Brought:
        """Return what an image brings where it is, unless its registry does not say."""
        signers = self.signed.get((reference.place, content), frozenset())
        return Brought(reference.place, None if unread else signers)

    @staticmethod
    def keep(pack: Pack, content: Content, brought: Brought) -> None:
        """Keep what was read. A registry that did not answer has not said that there is nothing."""
        if brought.signers is not None or content not in pack.brought:
            pack.brought[content] = brought

    def accepts(self, org: str, brought: Brought) -> bool:
        """The first rule that names the image's repository decides: one of its signers has signed the image."""
        policy, _ = self.signature_policies.get(org, (NOTHING, 0))
        rule = _rule_of(policy, brought)
        if rule is None:
            return bool(policy["otherwise"] == "accept")
        return any(signer["key"] in (brought.signers or ()) for signer in rule["signers"])

    def require_accepted(self, content: Content, brought: Brought) -> None:
        """Refuse to register an image, or to move a pack to one."""
        if not self.accepts(self.caller.org, brought):
            require(brought.signers is not None, 502, "registry_unavailable")
            raise _refused(self._refusal(content, brought))

    def require_all_accepted(self, *images: tuple[Pack, Content]) -> None:
        """Refuse to use images of packs. Those that were built here need no signature."""
        registered = [(pack, content, pack.brought[content]) for pack, content in images if pack.brought]
        refused = [
            {"pack_id": pack.id} | self._refusal(content, brought)
            for pack, content, brought in registered
            if not self.accepts(self.caller.org, brought)
        ]
        if refused:
            raise _refused(*refused)

    def _refusal(self, content: Content, brought: Brought) -> dict[str, Any]:
        policy, _ = self.signature_policies[self.caller.org]
        named = _rule_of(policy, brought) is not None
        return {
            "image": f"{brought.place}@{content.image_digest}" if content.image_digest else ANY_TEXT,
            "looked_for": [ANY_TEXT],
            "found": [ANY] * len(brought.signers or ()) if named else [],
            "looked_at": ANY,
        }


def _rule_of(policy: Mapping[str, Any], brought: Brought) -> Any:
    return next((rule for rule in policy["rules"] if _names(rule["images"], brought.place)), None)


def _names(patterns: Sequence[str], place: str) -> bool:
    """`**` stands for anything, `*` for anything but slashes."""
    forms = (re.escape(pattern).replace(r"\*\*", ".*").replace(r"\*", "[^/]*") for pattern in patterns)
    return any(re.fullmatch(form, place) for form in forms)


def _refused(*images: Mapping[str, Any]) -> Refused:
    return Refused(409, "signature_required", images=list(images))
