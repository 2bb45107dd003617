"""`packyard attest`: what is signed about a pack's image, verified, and saved for tools that are not ours."""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from packyard.attestations.bundle import parse_bundle
from packyard.attestations.envelope import encoding
from packyard_cli.blob_cache import BlobCache
from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.image_source import ImageSource
from packyard_cli.lock_document import LockedPack
from packyard_cli.offer import offered_pack
from packyard_cli.offered_keys import fingerprint, store_of, trusted_at_first_use
from packyard_cli.proving import PROVED, proof_of
from packyard_cli.result import Result
from packyard_cli.service import Service
from packyard_cli.settings import write_whole
from packyard_cli.standing import find_pack
from packyard_cli.statements import ATTACHED, PENDING, Statements, fetch_statements
from packyard_cli.trusted_keys import TrustedKey

if TYPE_CHECKING:
    from packyard.attestations.proof import Proof

# What cosign calls the types of the two statements.
_TYPES: Final = {"provenance": "slsaprovenance1", "bom": "cyclonedx"}
_IMAGE_FILE: Final = "image.json"
_KEY: Final = "key.pem"


def attest(options: argparse.Namespace, context: Context) -> Result:
    """Show what is signed about a pack's image, once it is verified; with `--output`, save it.

    Raises:
        Failure: Nothing is signed, or what is signed does not prove the pack.
    """
    service = context.service()
    found = fetch_statements(service, find_pack(service, options.pack).id, options.revision)
    if found.state != ATTACHED:
        raise _nothing(options.pack, found)
    pack = offered_pack(service, options.pack, options.revision)
    keys = trusted_at_first_use(store_of(context), service, context)
    facts = proof_of(pack, found, keys=keys, url=service.login.url)
    key = next(each for each in keys if each.key.id == facts.key_id)
    there = _in_registry(pack, options.output)
    document = {**_document_of(pack, facts, key), "verify_in_registry": there}
    lines = [
        f"{pack.name} {pack.version}: verified",
        f"  image      {pack.image}",
        f"  key        {fingerprint(key.key)}, trusted since {key.since} ({key.how})",
        f"  publisher  {facts.owner}, by {facts.operation} at {facts.built_at or 'a time that is not known'}",
        *(f"  {name:10} {text}" for name, text in facts.ci.items()),
        "Others verify it in the registry with:",
        *(f"  {line}" for line in there),
    ]
    if options.output is not None:
        saved = _saved(Path(options.output), found, key, _image(pack, service, context))
        document |= {"folder": options.output, "verify_offline": saved}
        lines += ["Others verify what was saved, offline, with:", *(f"  {line}" for line in saved)]
    return Result(document=document, lines=lines, essence=[pack.image_digest])


def _document_of(pack: LockedPack, facts: "Proof", key: TrustedKey) -> dict[str, Any]:
    return {
        "pack_id": pack.id,
        "version": pack.version,
        "image": pack.image,
        "image_digest": pack.image_digest,
        "provenance": PROVED,
        "key": key.view(),
        "owner": facts.owner,
        "operation": facts.operation,
        "built_at": facts.built_at,
        "request_id": facts.request_id,
        "builder": facts.builder,
        "ci": dict(facts.ci),
        "sources": dict(facts.sources),
    }


def _nothing(pack: str, found: Statements) -> Failure:
    if found.state == PENDING:
        return Failure(
            Exit.UNAVAILABLE,
            f"The service has not signed {pack} yet.",
            "It does so within seconds after a publication, or once its key can be used again: repeat the command.",
            code="attestations_pending",
        )
    why = (
        "the service has not built its image"
        if found.built_here is False
        else "it is older than the deployment's key, or the deployment does not sign"
    )
    return Failure(Exit.UNPROVED, f"Nothing is signed about {pack}: {why}.", code="not_signed")


def _in_registry(pack: LockedPack, output: str | None) -> list[str]:
    key = str(Path(output) / _KEY) if output else _KEY
    return [
        f"cosign verify-attestation --key {shlex.quote(key)} --insecure-ignore-tlog=true --type {kind} "
        f"{shlex.quote(pack.image)}"
        for kind in _TYPES.values()
    ]


def _saved(folder: Path, found: Statements, key: TrustedKey, image: bytes) -> list[str]:
    """Save the bundles, what they are about, and the key; return the commands that verify them without a network."""
    bundles = {"provenance": found.provenance or b"", "bom": found.bill or b""}
    files = {_KEY: key.key.pem.encode(), _IMAGE_FILE: image}
    commands = []
    for name, bundle in bundles.items():
        envelope = parse_bundle(bundle).envelope
        files[f"{name}.sigstore.json"] = bundle
        files[f"{name}.pae"] = encoding(envelope.payload_type, envelope.payload)
        files[f"{name}.sig"] = envelope.signature
        files[f"{name}.statement.json"] = envelope.payload
        at = {each: shlex.quote(str(folder / each)) for each in (*files, _KEY)}
        cosign = (
            f"cosign verify-blob-attestation --key {at[_KEY]} --insecure-ignore-tlog=true --type {_TYPES[name]} "
            f"--bundle {at[f'{name}.sigstore.json']} {at[_IMAGE_FILE]}"
        )
        openssl = (
            f"openssl dgst -sha256 -verify {at[_KEY]} -signature {at[f'{name}.sig']} {at[f'{name}.pae']}"
        )
        commands += [cosign, openssl]
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write_whole(folder / name, content)
    return commands


def _image(pack: LockedPack, service: Service, context: Context) -> bytes:
    """Return the document whose digest is the image's: what the statements are about."""
    cache = BlobCache(context.cache())
    source = ImageSource(
        pack_id=pack.id,
        revision=pack.revision or None,
        image_digest=pack.image_digest,
        cache=cache,
        service=service,
    )
    source.require_layers(pack.layers)
    content = cache.document(pack.image_digest)
    if content is None:
        raise Failure(
            Exit.DISK,
            f"The cache did not keep {pack.image_digest}.",
            "Look at the cache's folder, and repeat.",
        )
    return content
