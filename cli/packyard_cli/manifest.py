"""`packyard roles manifest`: what a role pins, as a manifest that mounts it."""

import argparse
import re
from pathlib import Path
from typing import Any, Final

from packyard.oci.reference import Reference, parse_reference, parse_registry
from packyard.packs.manifest.name import parse_slug
from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.lock_document import Lock, LockedPack, read_lock
from packyard_cli.locking import fetch_lock
from packyard_cli.manifests import FORMATS, Mount, Mounts, is_active, plain
from packyard_cli.result import Result
from packyard_cli.settings import write_whole

# An absolute path without what YAML, a shell, Compose or podman's comma-separated options would read as something else.
_TARGET: Final = re.compile(r"/[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
# The name of a Kubernetes object (RFC 1123 subdomain).
_OBJECT: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_MAX_OBJECT: Final = 253
# A repository of Packyard's own registry: `<prefix>/<organisation's id>/<pack>` (API contract, section 4).
_OWN_REPOSITORY: Final = re.compile(r"(?:.+/)?org_[0-7][0-9a-hjkmnp-tv-z]{25}/(?P<name>[^/]+)")


def manifest(options: argparse.Namespace, context: Context) -> Result:
    """Write the manifest of a role, from the service's lock or from a file.

    Raises:
        Failure: An option is wrong, the lock cannot be had or trusted, or it pins nothing.
        OSError: The file cannot be written.
    """
    _require_options(options)
    if options.lock:
        lock = read_lock(Path(options.lock), role=options.role, needs_files=False)
    else:
        lock = fetch_lock(context.service(), options.role, with_files=False)
    mounts = _mounts(lock, options)
    for pack in mounts.packs:
        if not is_active(pack):
            context.printer.note(
                f"{pack.folder} {pack.version} is {plain(pack.status)}: consider another revision."
            )
    made = FORMATS[options.format](mounts)
    document = {
        "format": options.format,
        "role_id": lock.role_id,
        "revision": lock.revision,
        "set_digest": lock.set_digest,
        "manifest": made.document,
        "text": made.text,
    }
    if options.output:
        write_whole(Path(options.output), made.text.encode())
        return Result(
            document={**document, "file": options.output},
            lines=[f"{options.output}: {len(mounts.packs)} packs of the role {lock.role_id}"],
            essence=[options.output],
        )
    return Result(document=document, content=made.text.encode())


def object_name(text: str, *, option: str) -> str:
    """Return the name of a Kubernetes object.

    Raises:
        Failure: It is none.
    """
    if len(text) > _MAX_OBJECT or _OBJECT.fullmatch(text) is None:
        raise Failure(
            Exit.USAGE,
            f"{option} {plain(text)} is no name of a Kubernetes object.",
            "Write lower-case letters, digits and hyphens, as in packyard-pull.",
        )
    return text


def _require_options(options: argparse.Namespace) -> None:
    if _TARGET.fullmatch(options.mount_at) is None or any(
        part in {".", ".."} for part in options.mount_at.split("/")
    ):
        raise Failure(
            Exit.USAGE,
            f"--mount-at {plain(options.mount_at)} is no folder that every format can write.",
            "Write an absolute path of letters, digits, dots, hyphens and underscores, as in /packs.",
        )
    _checked(options.image, parse_reference, option="--image")
    if options.door:
        _checked(options.door, parse_registry, option="--door")
    for name in options.pull_secret:
        object_name(name, option="--pull-secret")
    if options.pull_secret and options.format != "kubernetes":
        raise Failure(
            Exit.USAGE,
            f"--pull-secret is for Kubernetes, and the format is {options.format}.",
            "Log in on the machine that pulls; see packyard roles pull-token --help.",
        )


def _checked(text: str, parse: Any, *, option: str) -> None:
    try:
        parse(text)
    except ValueError as error:
        raise Failure(Exit.USAGE, f"{option} {plain(text)}: {error}.", "Correct that option.") from None


def _mounts(lock: Lock, options: argparse.Namespace) -> Mounts:
    if not lock.packs:
        raise Failure(
            Exit.NOT_FOUND,
            f"The role {lock.role_id!r} has no packs, so there is nothing to mount.",
            f"packyard roles attach {lock.role_id} PACK",
        )
    packs = [
        Mount(
            folder=pack.folder,
            version=pack.version,
            revision=pack.revision,
            status=pack.status,
            reference=_reference(pack, entry, door=options.door),
            target=f"{options.mount_at}/{pack.folder}",
        )
        for pack, entry in zip(lock.packs, lock.document["packs"], strict=True)
    ]
    return Mounts(
        role_id=lock.role_id,
        revision=lock.revision,
        set_digest=lock.set_digest,
        image=options.image,
        packs=packs,
        pull_secrets=options.pull_secret,
    )


def _reference(pack: LockedPack, entry: Any, *, door: str | None) -> str:
    """Return what to pull: at the door, or where the lock says. The door serves images of our own registry only."""
    try:
        image = parse_reference(str(entry["image"]))
        if image.digest != pack.image_digest:
            raise Failure(
                Exit.TAMPERED,
                f"The lock's image of {pack.folder!r} has another digest than its image_digest.",
                "Do not use it: find out who made or changed it.",
            )
        if door and _is_own(image, pack):
            owner = parse_slug(str(entry["owner"]))
            return f"{parse_registry(door)}/{owner}/{parse_slug(pack.name)}@{pack.image_digest}"
    except (KeyError, ValueError):
        raise Failure(
            Exit.LOCK,
            f"The lock does not say which image {pack.folder!r} is.",
            "Write it with packyard lock ROLE.",
        ) from None
    return f"{image.registry}/{image.repository}@{pack.image_digest}"


def _is_own(image: Reference, pack: LockedPack) -> bool:
    own = _OWN_REPOSITORY.fullmatch(image.repository)
    return own is not None and own["name"] == pack.name
