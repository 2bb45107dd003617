"""The proofs that an installation keeps, verified again, without a network and with the keys that are trusted here."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.lock_document import LockedPack
from packyard_cli.offered_keys import store_of
from packyard_cli.proof_record import ProofRecord, read_statements, statement_files
from packyard_cli.proving import PROVED, PackProof, verified
from packyard_cli.result import counted
from packyard_cli.trusted_keys import TrustedKey

# Nothing is kept of a pack.
NOT_KEPT: Final = "not_kept"
# What is kept is signed with a key that is not trusted here, or was refused.
UNTRUSTED: Final = "untrusted_key"
REFUSED: Final = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptProofs:
    """What an installation proves.

    Attributes:
        url: The deployment that has built its images; None if that is not known.
        keys: The keys that are trusted for it.
        proofs: What is known of each pack.
        failures: Why what is kept of a pack does not prove it, by the pack's id.
        untrusted: Which key that is not trusted here has signed what is kept of a pack, by the pack's id.
    """

    url: str | None
    keys: tuple[TrustedKey, ...]
    proofs: tuple[PackProof, ...]
    failures: dict[str, Failure]
    untrusted: dict[str, Failure]

    @classmethod
    def of(
        cls, folder: Path, packs: Iterable[LockedPack], record: ProofRecord, context: Context
    ) -> "KeptProofs":
        """Return what the packs of an installation prove."""
        has_proofs = record.url is not None and PROVED in record.states.values()
        keys = store_of(context).of(record.url) or () if has_proofs and record.url else ()
        failures: dict[str, Failure] = {}
        untrusted: dict[str, Failure] = {}
        proofs = []
        for pack in packs:
            state = record.states.get(pack.id, NOT_KEPT)
            proof = PackProof(pack=pack, state=state)
            if state == PROVED:
                try:
                    statements = read_statements(folder, pack)
                    proof = verified(pack, statements, keys=keys, url=record.url or "")
                except Failure as failure:
                    is_untrusted = failure.exit_code is Exit.UNPROVED
                    proof = PackProof(pack=pack, state=UNTRUSTED if is_untrusted else REFUSED)
                    (untrusted if is_untrusted else failures)[pack.id] = failure
            proofs.append(proof)
        return cls(url=record.url, keys=keys, proofs=tuple(proofs), failures=failures, untrusted=untrusted)

    def faults(self, *, required: bool) -> list[dict[str, Any]]:
        """Return what does not prove its pack; with `required`, also packs without a proof."""
        faults = []
        for proof in self.proofs:
            failure = self.failures.get(proof.pack.id)
            if failure is not None:
                faults.append({"path": statement_files(proof.pack)[0], "reason": failure.message})
            elif required and proof.state != PROVED:
                faults.append(
                    {"path": proof.pack.folder or proof.pack.name, "reason": f"no proof ({proof.state})"}
                )
        return faults

    def views(self) -> list[dict[str, Any]]:
        """Return what is known of each pack, as JSON."""
        return [{"pack_id": proof.pack.id, "name": proof.pack.name, **proof.view()} for proof in self.proofs]

    def lines(self) -> list[str]:
        """Return what is known of the packs, for people."""
        proved = sum(proof.state == PROVED for proof in self.proofs)
        lines = [
            f"{proved} of {counted(len(self.proofs), 'pack')} proved by what {self.url or 'nobody'} has signed."
        ]
        if any(proof.state == UNTRUSTED for proof in self.proofs):
            lines.append(
                f"  You do not trust the key of others: packyard trust keys pin {self.url} shows and trusts it."
            )
        return (
            lines
            if proved or len(lines) > 1 or self.failures
            else ["No pack has a proof of where it comes from."]
        )
