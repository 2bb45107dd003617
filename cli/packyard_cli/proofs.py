"""The proofs of packs that are being installed: they are made meanwhile, and decide whether it ends well.

What is signed must verify. A pack of which nothing is signed is installed with a note, unless it had a proof in this
folder before, or a proof of every pack is required (decision 130).
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, NamedTuple

from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.lock_document import LockedPack
from packyard_cli.offered_keys import store_of, trusted_at_first_use
from packyard_cli.proving import (
    NO_KEYS,
    NOT_BUILT_HERE,
    NOT_CHECKED,
    PROVED,
    UNSIGNED,
    PackProof,
    Prover,
)
from packyard_cli.service import Service
from packyard_cli.statements import PENDING, KeptStatements, StatementCache
from packyard_cli.trusted_keys import TrustedKey, TrustedKeys

REQUIRED: Final = "PACKYARD_REQUIRE_PROVENANCE"
_ASKED_AT_ONCE: Final = 4
# In seconds. Statements follow an image within seconds, and all packs are waited for together.
_WAITS: Final = (1, 2, 4, 8)
_ACCEPT: Final = "Find out why. --no-verify-provenance installs without looking at what is signed."
_WHY: Final[Mapping[str, str]] = {
    UNSIGNED: "nothing is signed about it: it may be older than the deployment's key",
    NOT_BUILT_HERE: "the service has not built it, and signs nothing about it",
}


class Proofs(NamedTuple):
    """The proofs of packs, which are being made.

    Attributes:
        url: The deployment by whose keys they are made; None if none is known.
        prover: Makes them; None if nothing can be verified.
        state: What is known of the packs without a prover.
        required: Whether every pack must have one.
        asked: The packs, and what is being found out of each.
        context: The surroundings.
    """

    url: str | None
    prover: Prover | None
    state: str
    required: bool
    asked: Sequence[tuple[LockedPack, "Future[PackProof] | None"]]
    context: Context

    def finished(self, before: Mapping[str, str]) -> list[PackProof]:
        """Return what is known of the packs, when nothing of it is a reason against installing them.

        Args:
            before: What was known of the packs in the same folder, by id, if it was proved by the same deployment.

        Raises:
            Failure: Something does not prove what it should, is not there yet, or is not there and should be.
        """
        if self.prover is None:
            proofs = [PackProof(pack=pack, state=self.state) for pack, _ in self.asked]
        else:
            proofs = [future.result() for _, future in self.asked if future is not None]
        if self.prover is not None:
            proofs = self._waited_for(self.prover, proofs)
        for proof in proofs:
            self._require(proof, was=before.get(proof.pack.id))
        self._note(proofs)
        return proofs

    def _waited_for(self, prover: Prover, proofs: list[PackProof]) -> list[PackProof]:
        for seconds in _WAITS:
            if not any(proof.state == PENDING for proof in proofs):
                return proofs
            self.context.sleep(seconds)
            proofs = [prover.prove(proof.pack) if proof.state == PENDING else proof for proof in proofs]
        return proofs

    def _require(self, proof: PackProof, *, was: str | None) -> None:
        what = f"{proof.pack.name} {proof.pack.version}"
        if proof.state == PENDING:
            raise Failure(
                Exit.UNAVAILABLE,
                f"The service has not signed {what} yet.",
                "It does so within seconds after a publication, or once its key can be used again: repeat the command. "
                "--no-verify-provenance installs without.",
                code="attestations_pending",
            )
        if proof.state == PROVED or self.state == NOT_CHECKED:
            return
        why = _WHY.get(proof.state, "no key of its service is trusted here")
        if self.required:
            raise Failure(
                Exit.UNPROVED,
                f"{what} has no proof of where it comes from: {why}.",
                _ACCEPT,
                code="not_signed",
            )
        if was == PROVED:
            raise Failure(
                Exit.UNPROVED,
                f"{what} has no proof of where it comes from, and what is installed had one: {why}.",
                _ACCEPT,
                code="not_signed",
            )

    def _note(self, proofs: Sequence[PackProof]) -> None:
        if self.state == NO_KEYS and self.prover is None:
            who = self.url or "the service"
            self.context.printer.note(
                f"Nothing proves where the packs come from: {who} has no key that is known here."
            )
        elif self.prover is not None:
            for proof in proofs:
                if proof.state != PROVED:
                    why = _WHY.get(proof.state, proof.state)
                    self.context.printer.note(
                        f"{proof.pack.folder} {proof.pack.version} is not proved: {why}."
                    )


@contextmanager
def begun_proofs(
    packs: Sequence[LockedPack],
    options: argparse.Namespace,
    context: Context,
    service: Service | None,
    *,
    kept: KeptStatements | None = None,
) -> Iterator[Proofs]:
    """Yield the proofs of packs, as the options want them.

    Args:
        packs: The packs.
        options: `require_provenance` and `no_verify_provenance`.
        context: The surroundings.
        service: The service; None to use what is kept here alone.
        kept: What is here already; by default what is in the cache.

    Raises:
        Failure: The user has removed all keys of the deployment, or it did not say which it has.
    """
    if options.no_verify_provenance:
        yield _without(NOT_CHECKED, None, packs, options, context)
        return
    store = store_of(context)
    url = service.login.url if service is not None else _url_offline(context, store)
    keys = _keys(url, store, context, service)
    if url is None or not keys:
        yield _without(NO_KEYS, url, packs, options, context)
        return
    here = kept or StatementCache(context.cache())
    prover = Prover(url=url, keys=keys, cache=here, service=service)
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        asked = [(pack, pool.submit(prover.prove, pack)) for pack in packs]
        try:
            yield Proofs(url, prover, "", _is_required(options, context), asked, context)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _without(
    state: str, url: str | None, packs: Sequence[LockedPack], options: argparse.Namespace, context: Context
) -> Proofs:
    return Proofs(url, None, state, _is_required(options, context), [(pack, None) for pack in packs], context)


def _is_required(options: argparse.Namespace, context: Context) -> bool:
    return bool(options.require_provenance or context.environment.get(REQUIRED))


def _keys(
    url: str | None, store: TrustedKeys, context: Context, service: Service | None
) -> tuple[TrustedKey, ...]:
    """Return the keys of a deployment; none if it is not known, and no service can be asked or it has none.

    Raises:
        Failure: The user has removed all of them.
    """
    known = None if url is None else store.of(url)
    if known is None:
        return () if service is None else trusted_at_first_use(store, service, context)
    if not known:
        raise Failure(
            Exit.UNPROVED,
            f"You trust no key of {url} any more.",
            f"packyard trust keys add FILE, or packyard trust keys pin {url}, trusts one.",
            code="untrusted_key",
        )
    return known


def _url_offline(context: Context, store: TrustedKeys) -> str | None:
    """Return the deployment that is meant where none is asked: that of the login, or else the only one known."""
    try:
        return context.profiles().login(profile=context.profile, url=context.url).url
    except Failure as failure:
        if failure.exit_code is not Exit.NOT_SIGNED_IN:
            raise
    known = list(store.all())
    return known[0] if len(known) == 1 else None
