"""What an organisation requires of images that it did not let this service build (decision 128).

The first rule that names an image's repository decides. It is met when each thing that it requires was signed by one
of its signers: the image itself, or an attestation of a type. `otherwise` decides of images that no rule names.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from packyard.packs.path_patterns import matches

# In `requires`: a signature of the image itself. Everything else there is the type of an attestation's predicate.
SIGNATURE: Final = "signature"
MAX_RULES: Final = 20
MAX_IMAGES: Final = 20
MAX_SIGNERS: Final = 20
MAX_REQUIRED: Final = 5
MAX_AUTHORITIES: Final = 16
MAX_LOGS: Final = 8


class Otherwise(StrEnum):
    """What becomes of images that no rule names."""

    ACCEPT = "accept"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySigner:
    """Whoever has the private key of a public one.

    Attributes:
        key: The public key in PEM.
        name: What refusals call it.
    """

    key: str
    name: str

    @property
    def shown(self) -> str:
        """What refusals call it."""
        return f"the key {self.name}"

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"name": self.name, "key": self.key}


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySigner:
    """Whoever gets certificates for an identity from one of the policy's authorities.

    Attributes:
        issuer: Who signed the identity in: the `iss` of the OIDC token, as the authority writes it into certificates.
        subject: A pattern of the certificate's subject, a URI or an e-mail address: `*` stands for any characters but
            `/`, `**` for any.
    """

    issuer: str
    subject: str

    @property
    def shown(self) -> str:
        """What refusals call it."""
        return f"the identity {self.subject} of {self.issuer}"

    def names(self, subject: str) -> bool:
        """Return whether it is the identity of this subject."""
        return matches([self.subject], subject)

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"issuer": self.issuer, "subject": self.subject}


Signer = KeySigner | IdentitySigner


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What images of some repositories must bring.

    Attributes:
        images: Patterns of repositories with their registries: `ghcr.io/acme/*`.
        signers: Any of them will do.
        requires: What one of the signers must have signed: `signature`, or types of predicates. All are needed.
    """

    images: tuple[str, ...]
    signers: tuple[Signer, ...]
    requires: tuple[str, ...] = (SIGNATURE,)

    def names(self, repository: str) -> bool:
        """Return whether the rule is for a repository.

        Args:
            repository: The registry and the path, as references have them in normal form.
        """
        return matches(self.images, repository)

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "images": list(self.images),
            "signers": [signer.document() for signer in self.signers],
            "requires": list(self.requires),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SignaturePolicy:
    """What an organisation requires. Without rules, and with `accept`, that is nothing.

    Attributes:
        rules: In their order.
        otherwise: What becomes of images that no rule names.
        authorities: The certificates, in PEM, of authorities that certify identities: roots and what they certify.
        logs: The public keys, in PEM, of transparency logs (Rekor) that say when a signature was made.
    """

    rules: tuple[Rule, ...] = ()
    otherwise: Otherwise = Otherwise.ACCEPT
    authorities: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()

    @property
    def requires_nothing(self) -> bool:
        """Whether every image is accepted, whatever it brings."""
        return not self.rules and self.otherwise is Otherwise.ACCEPT

    @property
    def fingerprint(self) -> str:
        """What names the policy by its content: 64 hex digits."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def rule_for(self, repository: str) -> Rule | None:
        """Return the rule that decides of a repository, or None if none names it."""
        return next((rule for rule in self.rules if rule.names(repository)), None)

    def document(self) -> dict[str, Any]:
        """Return the policy as JSON, as clients write and read it."""
        return {
            "rules": [rule.document() for rule in self.rules],
            "otherwise": self.otherwise.value,
            "authorities": list(self.authorities),
            "logs": list(self.logs),
        }

    def to_json(self) -> str:
        """Return the text in which the policy is stored."""
        return json.dumps(self.document(), ensure_ascii=False, separators=(",", ":"))


def from_json(text: str) -> SignaturePolicy:
    """Return a policy from the text in which it is stored."""
    return from_document(json.loads(text))


def from_document(document: Mapping[str, Any]) -> SignaturePolicy:
    """Return the policy that a document states, which must be valid (`policy_faults`)."""
    return SignaturePolicy(
        rules=tuple(map(_rule, document.get("rules", ()))),
        otherwise=Otherwise(document.get("otherwise", Otherwise.ACCEPT)),
        authorities=tuple(document.get("authorities", ())),
        logs=tuple(document.get("logs", ())),
    )


def _rule(document: Mapping[str, Any]) -> Rule:
    signers: Sequence[Mapping[str, str]] = document["signers"]
    return Rule(
        images=tuple(document["images"]),
        signers=tuple(
            KeySigner(key=signer["key"], name=signer["name"])
            if "key" in signer
            else IdentitySigner(issuer=signer["issuer"], subject=signer["subject"])
            for signer in signers
        ),
        requires=tuple(document.get("requires", (SIGNATURE,))),
    )
