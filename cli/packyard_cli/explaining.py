"""`packyard verify DIR --explain`: the chain from a file to who has published it.

Each link names the next one by digest: the bill of materials the file, a signature the bill and the image, a key the
signature, and the user the key. The layer is not a part of the proof. It says where in the image the file is.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from packyard.attestations.statement import BILL_OF_MATERIALS, PROVENANCE
from packyard.oci.image_fault import ImageFault
from packyard.oci.read.inflation import inflate_layer
from packyard.oci.read.third_party_tar import ThirdPartyTar, path_of
from packyard_cli.archive import HashedFile, sha256_of_file
from packyard_cli.blob_cache import BlobCache
from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.kept_proofs import KeptProofs
from packyard_cli.lock_document import LockedPack
from packyard_cli.proof_record import statement_files
from packyard_cli.proving import PackProof

_MAX_LAYER_BYTES: Final = 16 << 30
_MAX_MEMBERS: Final = 1_000_000
_CHUNK: Final = 1 << 20


def chains(wanted: str, folder: Path, kept: KeptProofs, context: Context) -> list[dict[str, Any]]:
    """Return the chain of a file, or of each pack, as JSON.

    Args:
        wanted: The file: its path in the installation, or one that leads into it. Empty for all packs.
        folder: The installation.
        kept: What it proves.
        context: The surroundings. Layers are read from the cache, where they are there.

    Raises:
        Failure: No pack has such a file.
    """
    if not wanted:
        return [_chain(proof, kept) for proof in kept.proofs]
    path = _path_in(wanted, folder)
    for proof in kept.proofs:
        pack = proof.pack
        for file in pack.files:
            if path == (f"{pack.folder}/{file.path}" if pack.folder else file.path):
                layer = _layer_of(file, pack, BlobCache(context.cache()))
                return [{"file": _file(folder / path, path, file), "layer": layer, **_chain(proof, kept)}]
    raise Failure(
        Exit.NOT_FOUND,
        f"No pack in {folder} has a file {wanted}.",
        f"Name it as it is below {folder}, such as {_example(kept)}.",
    )


def explained(found: Iterable[dict[str, Any]]) -> list[str]:
    """Return chains for people, each link on a line."""
    lines = []
    for chain in found:
        lines.append(f"{chain['pack']} {chain['version']}: {chain['provenance']}")
        for name, link in chain.items():
            if name not in _NOT_LINKS:
                lines.append(f"  {name:12} {_text(link)}")
    return lines


_NOT_LINKS: Final = frozenset({"pack", "pack_id", "version", "provenance"})


def _text(link: Any) -> str:
    if isinstance(link, list):
        return ", ".join(_text(each) for each in link)
    if isinstance(link, dict):
        first, *others = (
            f"{value}" if number == 0 else f"{name} {value}"
            for number, (name, value) in enumerate(link.items())
        )
        return f"{first} ({', '.join(others)})" if others else first
    return "not known" if link is None else str(link)


def _chain(proof: PackProof, kept: KeptProofs) -> dict[str, Any]:
    """Return what links a pack's image with its publisher. What was not verified is not in it."""
    pack, facts = proof.pack, proof.proof
    chain: dict[str, Any] = {
        "pack": pack.name,
        "pack_id": pack.id,
        "version": pack.version,
        "provenance": proof.state,
        "image": pack.image or pack.image_digest,
    }
    if facts is None:
        failure = kept.failures.get(pack.id) or kept.untrusted.get(pack.id)
        return chain if failure is None else {**chain, "failure": failure.message}
    provenance, bill = statement_files(pack)
    trusted = next(each for each in kept.keys if each.key.id == facts.key_id)
    commit = {name: facts.ci[name] for name in ("commit", "ref", "run_url") if name in facts.ci}
    return {
        **chain,
        "attestation": [
            {"file": provenance, "type": PROVENANCE},
            {"file": bill, "type": BILL_OF_MATERIALS},
        ],
        "key": {"id": facts.key_id, "trusted for": kept.url, "since": trusted.since, "by": trusted.how},
        "publisher": _without_nothing(
            {
                "organisation": facts.owner,
                "repository": facts.ci.get("repository"),
                "workflow": facts.ci.get("workflow"),
                "operation": facts.operation,
                "at": facts.built_at,
                "request": facts.request_id,
                "builder": facts.builder,
                **{f"{name} digest": digest for name, digest in facts.sources.items()},
            }
        ),
        "commit": commit or None,
    }


def _without_nothing(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _file(place: Path, path: str, file: HashedFile) -> dict[str, Any]:
    try:
        there = sha256_of_file(place) if place.is_file() and not place.is_symlink() else None
    except OSError:
        there = None
    state = "as it was signed" if there == file.sha256 else "missing" if there is None else "other content"
    return {"path": path, "digest": f"sha256:{file.sha256}", "size": file.size, "is": state}


def _path_in(wanted: str, folder: Path) -> str:
    """Return the path of a file in an installation, with slashes, however it is named."""
    place = Path(wanted)
    try:
        return place.resolve().relative_to(folder).as_posix()
    except ValueError:
        return place.as_posix()


def _example(kept: KeptProofs) -> str:
    for proof in kept.proofs:
        for file in proof.pack.files:
            return f"{proof.pack.folder}/{file.path}" if proof.pack.folder else file.path
    return "PACK/FILE"


def _layer_of(file: HashedFile, pack: LockedPack, cache: BlobCache) -> str | None:
    """Return the digest of the layer that has a file, from the cache; None if that cannot be said.

    A higher layer replaces what a lower one has, so the highest is read first.
    """
    if len(pack.layers) == 1:
        return pack.layers[0].digest
    for layer in reversed(pack.layers):
        pieces = cache.pieces(layer.digest)
        if pieces is None:
            return None
        try:
            tar = ThirdPartyTar(inflate_layer(pieces), max_bytes=_MAX_LAYER_BYTES, max_members=_MAX_MEMBERS)
            for member in tar:
                if path_of(member.name) == file.path and member.size == file.size:
                    sha256 = hashlib.sha256()
                    while piece := tar.read(_CHUNK):
                        sha256.update(piece)
                    if sha256.hexdigest() == file.sha256:
                        return layer.digest
        except ImageFault:
            return None
    return None
