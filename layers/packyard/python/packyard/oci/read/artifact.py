"""Recognising artifacts that are not images, by the media types that their tools write."""

from collections.abc import Iterable
from typing import Final

# The start of the media type of a config, a layer or an artifact, and the usual name of the thing.
_KINDS: Final = (
    ("application/vnd.cncf.helm.", "a Helm chart"),
    ("application/vnd.docker.plugin.", "a Docker plugin"),
    ("application/vnd.docker.ai.", "a model"),
    ("application/vnd.cncf.model.", "a model"),
    ("application/vnd.ollama.", "a model"),
    ("application/vnd.wasm.", "a WebAssembly module"),
    ("application/wasm", "a WebAssembly module"),
    ("application/vnd.in-toto", "an attestation"),
    ("application/vnd.dsse.", "an attestation"),
    ("application/vnd.dev.cosign.", "a signature"),
    ("application/vnd.dev.sigstore.", "a signature"),
    ("application/vnd.cncf.notary.", "a signature"),
    ("application/vnd.cyclonedx", "a bill of materials"),
    ("application/vnd.syft", "a bill of materials"),
    ("application/spdx", "a bill of materials"),
    ("text/spdx", "a bill of materials"),
    ("application/vnd.amazon.soci.", "a SOCI index"),
    ("application/vnd.cncf.flux.", "a Flux artifact"),
    ("application/vnd.cncf.kubernetes.", "a Kubernetes artifact"),
    ("application/vnd.devcontainers", "a dev container feature or template"),
    ("application/vnd.agentskills.", "an Agent Skill artifact"),
    ("application/vnd.buildkit.cacheconfig.", "a build cache"),
)
_MAX_SHOWN: Final = 100


def kind_of(*types: str) -> str:
    """Return the name of an artifact with these media types, with an article: `a Helm chart`.

    Args:
        types: The types of the artifact, the config and the layers, as far as they are stated, the most specific first.
    """
    named = _known(types)
    if named is not None:
        return named
    stated = next((one for one in types if one.isascii() and one.isprintable()), "")
    return f"an artifact of the type {stated[:_MAX_SHOWN]}" if stated else "an artifact"


def _known(types: Iterable[str]) -> str | None:
    for stated in types:
        for start, name in _KINDS:
            if stated.startswith(start):
                return name
    return None
