"""Manifests that mount a role's packs: a Pod for Kubernetes, a service for Compose, a script for podman.

Equal locks give equal bytes. Names come from a lock, which somebody else may have made. So every text is quoted in YAML
and in the shell, and comments hold no line break of theirs.
"""

import hashlib
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

# A label of DNS, as Kubernetes wants names of volumes and Compose takes names of services (RFC 1123).
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_MAX_LABEL: Final = 63
_HASH_DIGITS: Final = 8
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
_WIDE: Final = 1 << 16
_ACTIVE: Final = frozenset({"active", "current"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A pinned pack and where it is mounted.

    Attributes:
        folder: The pack's alias or name, which is its folder.
        version: Its version.
        revision: The pinned revision.
        status: `active`, or why the revision should not be run.
        reference: What to pull, `<repository>@<digest>`.
        target: Where it is mounted in the container, an absolute path.
    """

    folder: str
    version: str
    revision: int
    status: str
    reference: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounts:
    """What a manifest is made of.

    Attributes:
        role_id: The role.
        revision: The role's revision.
        set_digest: The name of the set of images.
        image: The image of the agent's container.
        packs: The packs, in the role's order.
        pull_secrets: The Kubernetes Secrets with which the node may pull.
    """

    role_id: str
    revision: int
    set_digest: str
    image: str
    packs: Sequence[Mount]
    pull_secrets: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest.

    Attributes:
        document: As data. For podman, the command lines as lists of words.
        text: As a file.
    """

    document: Any
    text: str


def kubernetes(mounts: Mounts) -> Manifest:
    """Return a Pod with an image volume for each pack."""
    pod: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": label_of(mounts.role_id),
            "annotations": {
                "packyard/role": mounts.role_id,
                "packyard/role-revision": str(mounts.revision),
                "packyard/set-digest": mounts.set_digest,
            },
        },
        "spec": {
            "imagePullSecrets": [{"name": name} for name in mounts.pull_secrets],
            "containers": [
                {
                    "name": "agent",
                    "image": mounts.image,
                    "volumeMounts": [
                        {"name": label_of(pack.folder), "mountPath": pack.target, "readOnly": True}
                        for pack in mounts.packs
                    ],
                }
            ],
            "volumes": [
                {
                    "name": label_of(pack.folder),
                    # A digest never means something else later, so an image that the node has need not be pulled again.
                    "image": {"reference": pack.reference, "pullPolicy": "IfNotPresent"},
                }
                for pack in mounts.packs
            ],
        },
    }
    if not mounts.pull_secrets:
        del pod["spec"]["imagePullSecrets"]
    return Manifest(document=pod, text=_header(mounts) + yaml_text(pod))


def compose(mounts: Mounts) -> Manifest:
    """Return a Compose file with an image volume for each pack (Compose specification, "volumes", long syntax)."""
    document = {
        "services": {
            label_of(mounts.role_id): {
                "image": mounts.image,
                "volumes": [
                    {"type": "image", "source": pack.reference, "target": pack.target, "read_only": True}
                    for pack in mounts.packs
                ],
            }
        }
    }
    return Manifest(document=document, text=_header(mounts) + yaml_text(document))


def podman(mounts: Mounts) -> Manifest:
    """Return a shell script that pulls the packs and runs the agent's container; its arguments are the container's.

    `podman run` pulls the container's image where it is missing, and no image of a `--mount`.
    """
    pulls = [["podman", "pull", "--quiet", pack.reference] for pack in mounts.packs]
    options = [
        f"--mount=type=image,source={pack.reference},destination={pack.target}" for pack in mounts.packs
    ]
    run = ["podman", "run", "--rm", *options, mounts.image]
    lines = [f"{shlex.join(pull)} >/dev/null" for pull in pulls]
    lines += ["exec podman run --rm \\", *(f"  {shlex.quote(option)} \\" for option in options)]
    lines.append(f'  {shlex.quote(mounts.image)} "$@"')
    text = "#!/bin/sh\n" + _header(mounts) + "set -eu\n" + "".join(f"{line}\n" for line in lines)
    return Manifest(document=[*pulls, run], text=text)


FORMATS: Final[Mapping[str, Callable[[Mounts], Manifest]]] = {
    "kubernetes": kubernetes,
    "compose": compose,
    "podman": podman,
}


def label_of(name: str) -> str:
    """Return a name as a DNS label. A name that is none gets a hash, so that different names stay different."""
    if _LABEL.fullmatch(name):
        return name
    digits = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:_HASH_DIGITS]
    near = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[: _MAX_LABEL - 1 - _HASH_DIGITS].strip("-")
    return f"{near}-{digits}" if near else digits


def yaml_text(document: Any) -> str:
    """Return a document in YAML whose texts are all quoted.

    YAML 1.1 and 1.2 take different plain texts for numbers and booleans (`1e3`, `0o7`, `on`). Quoted, they are texts.
    """
    return yaml.dump(document, Dumper=_Quoting, sort_keys=False, width=_WIDE)


def is_active(pack: Mount) -> bool:
    """Return whether nothing speaks against running a pack's revision."""
    return pack.status in _ACTIVE


def plain(text: str) -> str:
    """Return text of a lock as part of one line of ASCII: as it is, or with quotes and escapes."""
    return text if _PLAIN.fullmatch(text) else ascii(text)


class _Quoting(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - likewise
        super().increase_indent(flow, False)


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')


def _mapping(dumper: yaml.SafeDumper, mapping: Mapping[str, Any]) -> yaml.Node:
    node = dumper.represent_mapping("tag:yaml.org,2002:map", mapping.items())
    for key, _ in node.value:
        # Keys are words of the format, but for the service's name, which may look like a number.
        key.style = None if re.fullmatch(r"[a-z][A-Za-z_/-]{2,}", key.value) else '"'
    return node


_Quoting.add_representer(str, _quoted)
_Quoting.add_representer(dict, _mapping)


def _header(mounts: Mounts) -> str:
    lines = [
        f"What the role {plain(mounts.role_id)} pins at revision {mounts.revision}, by packyard roles manifest:",
        *(f"  {plain(pack.folder)} {plain(pack.version)}, revision {pack.revision}" for pack in mounts.packs),
        *(
            f"Warning: {plain(pack.folder)} {plain(pack.version)} is {plain(pack.status)}: consider another revision."
            for pack in mounts.packs
            if not is_active(pack)
        ),
    ]
    return "".join(f"# {line}\n" for line in lines)
