"""Whether what an image brings is what a policy requires. Nothing here reads or writes anything else."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from packyard.signatures.brought import Brought, ImageSignatures
from packyard.signatures.claims import Claim, NotReadable, claim_of
from packyard.signatures.log_entry import NotLogged, signed_at
from packyard.signatures.policy import (
    SIGNATURE,
    IdentitySigner,
    KeySigner,
    Otherwise,
    Rule,
    SignaturePolicy,
    Signer,
)

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from packyard.signatures.keys import PublicKey

# The most signatures that a refusal describes.
_MAX_FOUND: Final = 10


class NotSigned(ValueError):
    """A claim is not proven by any of the signers. The message continues `it …`, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An image that does not bring what a policy requires.

    Attributes:
        image: The image, by its digest, where it was registered.
        looked_for: What is missing, a sentence each.
        found: What there is instead: where, which digest, what it is and why it does not count.
        looked_at: Where was looked, and what was there.
    """

    image: str
    looked_for: tuple[str, ...]
    found: tuple[Mapping[str, str], ...] = ()
    looked_at: tuple[str, ...] = ()

    def shown(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "image": self.image,
            "looked_for": list(self.looked_for),
            "found": [dict(one) for one in self.found],
            "looked_at": list(self.looked_at),
        }


@dataclass(frozen=True, slots=True)
class Signed:
    """A claim that a signer of a rule has proven."""

    claim: Claim
    signer: Signer


@dataclass
class Judge:
    """Applies one policy. It parses the policy's keys once, when the first signature needs them.

    Attributes:
        policy: The policy.
    """

    policy: SignaturePolicy
    _keys: dict[str, "PublicKey"] = field(default_factory=dict)

    def refusal(self, signatures: ImageSignatures) -> Refusal | None:
        """Return why the policy refuses an image; None if it accepts it.

        Args:
            signatures: What the image brings.
        """
        image = f"{signatures.repository}@{signatures.digest}"
        rule = self.policy.rule_for(signatures.repository)
        if rule is None:
            if self.policy.otherwise is Otherwise.ACCEPT:
                return None
            return Refusal(
                image=image, looked_for=("a rule that names its repository; the policy refuses others",)
            )
        signed: set[str] = set()
        found = []
        for one in signatures.found:
            try:
                signed.add(self.signed(one, signatures, rule).claim.what)
            except NotSigned as problem:
                found.append(_described(one, str(problem)))
        missing = [what for what in rule.requires if what not in signed]
        if not missing:
            return None
        return Refusal(
            image=image,
            looked_for=tuple(self._wanted(what, rule) for what in missing),
            found=tuple(found[:_MAX_FOUND]),
            looked_at=signatures.looked_at,
        )

    def signed(self, one: Brought, signatures: ImageSignatures, rule: Rule) -> Signed:
        """Return what a signer of a rule says of an image.

        Args:
            one: The signature or attestation.
            signatures: The image.
            rule: The rule that decides of the image.

        Raises:
            NotSigned: It cannot be read, is about another image, or is by nobody whom the rule names.
        """
        try:
            claim = claim_of(one)
        except NotReadable as problem:
            raise NotSigned(str(problem)) from None
        if signatures.digest not in claim.subjects:
            about = min(claim.subjects, default="nothing")
            raise NotSigned(f"is about another image, {about[:80]}")
        if claim.repository is not None and not _may_name(claim.repository, rule):
            raise NotSigned(
                f"names the image {claim.repository[:100] or '(nothing)'}, which the rule does not name in images"
            )
        return Signed(claim, self._signer_of(claim, rule))

    def _signer_of(self, claim: Claim, rule: Rule) -> Signer:
        if claim.certificates:
            return self._identity_of(claim, rule)
        for signer in rule.signers:
            if isinstance(signer, KeySigner) and _is_by(claim, self._key(signer.key)):
                return signer
        hint = f"; it names the key {claim.hint}" if claim.hint else ""
        raise NotSigned(f"is signed by none of the rule's keys{hint}{self._advice(rule)}")

    def _wanted(self, what: str, rule: Rule) -> str:
        signers = " or ".join(map(self._shown, rule.signers[:5]))
        more = len(rule.signers) - 5
        others = f" or {more} others" if more > 0 else ""
        thing = "a signature of the image" if what == SIGNATURE else f"an attestation of the type {what}"
        return f"{thing} by {signers}{others}"

    def _shown(self, signer: Signer) -> str:
        """Return what a refusal calls a signer: a key with its hint, which what was found names."""
        if not isinstance(signer, KeySigner):
            return signer.shown
        from packyard.signatures.keys import key_id  # noqa: PLC0415 - only what is refused needs it

        hint = base64.b64encode(bytes.fromhex(key_id(self._key(signer.key)))).decode()
        return f"{signer.shown} ({hint})"

    def _advice(self, rule: Rule) -> str:
        """Return what may be the cause: cosign 3 signs bundles by Ed25519ph (RFC 8032), with the keys of Ed25519."""
        from packyard.signatures.keys import is_ed25519  # noqa: PLC0415 - only what is signed needs it

        keys = (signer.key for signer in rule.signers if isinstance(signer, KeySigner))
        if any(is_ed25519(self._key(pem)) for pem in keys):
            return "; with a key of Ed25519, cosign 3 signs by Ed25519ph, which is not verified here: use ECDSA or RSA"
        return ""

    def _identity_of(self, claim: Claim, rule: Rule) -> Signer:
        # A key of the policy may have a certificate too, which then proves nothing more.
        for signer in rule.signers:
            if isinstance(signer, KeySigner) and _is_by(claim, self._key(signer.key)):
                return signer
        from packyard.signatures.certificates import (  # noqa: PLC0415 - only identities need it
            NotCertified,
            certified,
        )

        identities = [signer for signer in rule.signers if isinstance(signer, IdentitySigner)]
        if not identities:
            raise NotSigned("is signed with a certificate, and the rule names keys only")
        try:
            at = datetime.fromtimestamp(signed_at(claim, self._logs), UTC)
            proven = certified(claim.certificates, self._authorities, at)
        except (NotLogged, NotCertified) as problem:
            raise NotSigned(str(problem)) from None
        except (OverflowError, OSError, ValueError):
            raise NotSigned("was logged at no time that there is") from None
        if not _is_by(claim, proven.key):
            raise NotSigned("is not signed with the key of its certificate")
        who = proven.identity
        for signer in identities:
            if signer.issuer == who.issuer and any(map(signer.names, who.subjects)):
                return signer
        raise NotSigned(
            f"is signed by {who.subjects[0][:200]} of {who.issuer[:200]}, whom the rule does not name"
        )

    def _key(self, pem: str) -> "PublicKey":
        from packyard.signatures.keys import parse_key  # noqa: PLC0415 - only what is signed needs it

        if pem not in self._keys:
            self._keys[pem] = parse_key(pem)
        return self._keys[pem]

    @cached_property
    def _logs(self) -> Mapping[str, "PublicKey"]:
        from packyard.signatures.keys import key_id  # noqa: PLC0415 - as above

        keys = map(self._key, self.policy.logs)
        return {key_id(key): key for key in keys}

    @cached_property
    def _authorities(self) -> Sequence["Certificate"]:
        from packyard.signatures.certificates import parse_authority  # noqa: PLC0415 - as above

        return [parse_authority(pem) for pem in self.policy.authorities]


def described(signatures: ImageSignatures) -> Iterator[dict[str, Any]]:
    """Yield what an image brings, for a list: each as JSON, with what it says of itself. Nothing of it is verified."""
    for one in signatures.found:
        try:
            claim = claim_of(one)
        except NotReadable as problem:
            yield {**_place(one), "problem": f"It {problem}."}
            continue
        yield {
            **_place(one),
            "kind": "signature" if claim.what == SIGNATURE else "attestation",
            **({} if claim.what == SIGNATURE else {"predicate_type": claim.what}),
            "about_this_image": signatures.digest in claim.subjects,
            "signer": _signer(claim),
        }


def _signer(claim: Claim) -> dict[str, str]:
    if not claim.certificates:
        return {"key_hint": claim.hint} if claim.hint else {}
    from packyard.signatures.certificates import NotCertified, identity_of  # noqa: PLC0415 - only identities need it

    try:
        who = identity_of(claim.certificates[0])
    except NotCertified:
        return {}
    return {"subject": who.subjects[0][:300], "issuer": who.issuer[:300]}


def _is_by(claim: Claim, key: "PublicKey") -> bool:
    from packyard.signatures.keys import verifies, verifies_digest  # noqa: PLC0415 - as above

    return any(
        verifies_digest(key, signature, claim.sha256)
        if claim.message is None
        else verifies(key, signature, claim.message)
        for signature in claim.signatures
    )


def _may_name(repository: str, rule: Rule) -> bool:
    """Return whether a simple signing may name this image: the rule must name it.

    A mirror of an image keeps the signatures of its source, so that a rule that names both repositories takes them.
    """
    from packyard.oci.reference import parse_reference  # noqa: PLC0415 - only this format names one

    try:
        named = parse_reference(repository)
    except ValueError:
        return False
    return rule.names(f"{named.registry}/{named.repository}")


def _place(one: Brought) -> dict[str, Any]:
    return {
        "found_at": one.where,
        "manifest": one.manifest,
        "digest": one.digest,
        "media_type": one.media_type,
        "size_bytes": one.size,
    }


def _described(one: Brought, problem: str) -> Mapping[str, str]:
    return {"found_at": one.where, "digest": one.digest, "problem": f"It {problem}."}
