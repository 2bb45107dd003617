"""Proving where a pack comes from, by what is signed about its image (decision 130).

It must be signed by a key that this user trusts, be about exactly the image that the lock names, and state its pack,
owner and version, and the digest of every file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from packyard_cli.failure import Exit, Failure
from packyard_cli.lock_document import LockedPack
from packyard_cli.service import Service
from packyard_cli.statements import ATTACHED, PENDING, KeptStatements, Statements, fetch_statements
from packyard_cli.trusted_keys import TrustedKey, pems

if TYPE_CHECKING:
    from packyard.attestations.proof import Proof

# What is known of a pack. `unsigned`: the service says that nothing is signed about an image that it has built.
# `not_built_here`: it says that it has not built the image. `no_keys`: no key of the deployment is known.
# `not_checked`: nobody has looked.
PROVED: Final = "proved"
UNSIGNED: Final = "unsigned"
NOT_BUILT_HERE: Final = "not_built_here"
NO_KEYS: Final = "no_keys"
NOT_CHECKED: Final = "not_checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackProof:
    """What is known of where a pack comes from.

    Attributes:
        pack: The pack.
        state: One of the states above, or `pending`.
        proof: What the verified statements say; None if there are none.
        statements: The statements; None if there are none.
    """

    pack: LockedPack
    state: str
    proof: "Proof | None" = None
    statements: Statements | None = None

    def view(self) -> dict[str, Any]:
        """Return what is known as JSON."""
        fields = {"provenance": self.state, "key_id": self.proof.key_id if self.proof else None}
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(slots=True, kw_only=True)
class Prover:
    """Proves packs by the keys of one deployment.

    Attributes:
        url: The deployment.
        keys: The keys that are trusted for it.
        cache: What was fetched before.
        service: The deployment's API; None to use the cache alone.
    """

    url: str
    keys: Sequence[TrustedKey]
    cache: KeptStatements
    service: Service | None

    def prove(self, pack: LockedPack) -> PackProof:
        """Return what is known of a pack. Without what is kept, it takes one request.

        Raises:
            Failure: What is signed about it does not prove it, or cannot be had.
        """
        kept = self.cache.find(pack.id, pack.image_digest)
        if kept is not None and kept.state == ATTACHED:
            try:
                return verified(pack, kept, keys=self.keys, url=self.url)
            except Failure:
                # What is wrong in the cache may be right at the service.
                if self.service is None:
                    raise
        if self.service is None:
            if kept is not None:
                return PackProof(pack=pack, state=_state_of(kept))
            raise Failure(
                Exit.UNAVAILABLE,
                f"What is signed about {pack.name} {pack.version} is not in the cache.",
                "Fetch it once without --offline.",
                code="not_cached",
            )
        found = fetch_statements(self.service, pack.id, pack.revision or None)
        if found.state == PENDING:
            return PackProof(pack=pack, state=PENDING)
        proof = PackProof(pack=pack, state=_state_of(found))
        if found.state == ATTACHED:
            proof = verified(pack, found, keys=self.keys, url=self.url)
        self.cache.keep(pack.id, pack.image_digest, found)
        return proof


def _state_of(statements: Statements) -> str:
    return NOT_BUILT_HERE if statements.built_here is False else UNSIGNED


def verified(pack: LockedPack, statements: Statements, *, keys: Sequence[TrustedKey], url: str) -> PackProof:
    """Return a pack with its proof. The arguments are those of `proof_of`.

    Raises:
        Failure: The statements prove nothing of it.
    """
    proof = proof_of(pack, statements, keys=keys, url=url)
    return PackProof(pack=pack, state=PROVED, proof=proof, statements=statements)


def proof_of(pack: LockedPack, statements: Statements, *, keys: Sequence[TrustedKey], url: str) -> "Proof":
    """Return what statements prove of a pack.

    Args:
        pack: The pack, as its lock names it.
        statements: What is signed about its image; untrusted.
        keys: The keys that are trusted.
        url: The deployment whose keys they are.

    Raises:
        Failure: They prove nothing of it.
    """
    from packyard.attestations.proof import Expected, prove  # noqa: PLC0415 - cryptography takes long to import
    from packyard.attestations.verify import NotVerified, UnknownKey  # noqa: PLC0415

    what = f"{pack.name} {pack.version}"
    if statements.provenance is None or statements.bill is None:
        raise _not_proved(what, "its provenance or its bill of materials is missing")
    expected = Expected(
        pack_id=pack.id,
        repository=pack.image.rpartition("@")[0],
        version=pack.version,
        image_digest=pack.image_digest,
        files={file.path: file.sha256 for file in pack.files},
    )
    try:
        return prove(statements.provenance, statements.bill, keys=pems(keys), expected=expected)
    except UnknownKey as error:
        key = f"the key {error.key_id}" if error.key_id else "an unknown key"
        raise Failure(
            Exit.UNPROVED,
            f"What is signed about {what} is signed with {key}, which you do not trust for {url}.",
            "If the operator has made a new key, compare it with what the operator tells you, and trust it: "
            f"packyard trust keys pin {url}. If not, do not use the pack.",
            code="untrusted_key",
            details={"key_id": error.key_id},
        ) from None
    except NotVerified as error:
        raise _not_proved(what, str(error)) from None


def _not_proved(what: str, why: str) -> Failure:
    return Failure(
        Exit.TAMPERED,
        f"What is signed about {what} does not prove where it comes from: {why}.",
        "Do not use it: find out who changed the image, the lock or what is signed.",
        code="not_proved",
    )


def proof_text(proof: PackProof) -> str:
    """Return what people read beside a pack: whether it is proved, and which CI run has published it."""
    facts = proof.proof
    if facts is None:
        return ""
    if "repository" not in facts.ci:
        return ", proved"
    commit = f" at commit {facts.ci['commit'][:12]}" if "commit" in facts.ci else ""
    return f", proved: published by {facts.ci.get('kind', 'CI')} of {facts.ci['repository']}{commit}"
