"""Whether the statements about an image prove what somebody expects of it (API contract, section 11).

`verify_bundle` says who has signed what about which image. Here, what was signed is compared with what is expected: the
pack, its owner and its version, and every file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from packyard.attestations.bundle import NotABundle, parse_bundle
from packyard.attestations.provenance import BUILD_TYPE
from packyard.attestations.statement import BILL_OF_MATERIALS, PROVENANCE, Statement
from packyard.attestations.verify import NotVerified, verify_bundle
from packyard.oci.digest import Digest


class NotProved(NotVerified):
    """The statements are signed by a trusted key and are about the image, and say something else than is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is expected of an image.

    Attributes:
        pack_id: The pack.
        repository: The image's registry and repository. The owner's id is a part of its path.
        version: The pack's version.
        image_digest: The image.
        files: The SHA-256 of each file, in hex, by its path.
    """

    pack_id: str
    repository: str
    version: str
    image_digest: Digest
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What verified statements say of where an image comes from.

    Attributes:
        key_id: The key that has signed the provenance.
        builder: The URI of the deployment that has built the image.
        owner: The id of the organisation that has published it.
        operation: The operation that made it, as in the pack's history.
        built_at: When it was written, RFC 3339; None if the statement does not say.
        request_id: The request that asked for it; None if the statement does not say.
        ci: What the identity token of the CI run said that published it, by name; empty without one.
        sources: The digests of what it was made of, by name: `archive`, `image`.
    """

    key_id: str
    builder: str
    owner: str
    operation: str
    built_at: str | None
    request_id: str | None
    ci: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)


def prove(provenance: bytes, bill: bytes, *, keys: Mapping[str, str], expected: Expected) -> Proof:
    """Return what two statements prove of an image.

    Args:
        provenance: The bundle of the image's provenance; untrusted.
        bill: The bundle of its bill of materials; untrusted.
        keys: The trusted keys: their PEM texts by id.
        expected: What the image must be.

    Raises:
        UnknownKey: A bundle names none of the keys.
        WrongSubject: A statement is about another image.
        NotVerified: Something is no bundle, or not signed by the key that it names.
        NotProved: A statement is of another kind, or about another pack, owner, version or other files.
    """
    origin = verify_bundle(provenance, keys=keys, subject=expected.image_digest)
    contents = verify_bundle(bill, keys=keys, subject=expected.image_digest)
    proof = _proof(origin, expected, key_id=_key_id(provenance))
    _require_files(contents, expected.files)
    return proof


def _key_id(bundle: bytes) -> str:
    try:
        return parse_bundle(bundle).key_id or ""
    except NotABundle as error:  # pragma: no cover - it was verified before
        raise NotVerified(str(error)) from None


def _proof(statement: Statement, expected: Expected, *, key_id: str) -> Proof:
    _require_type(statement, PROVENANCE)
    definition = _object(statement.predicate, "buildDefinition")
    if definition.get("buildType") != BUILD_TYPE:
        raise NotProved(f"the provenance is of a build of another type than {BUILD_TYPE}")
    parameters, run = _object(definition, "externalParameters"), _object(statement.predicate, "runDetails")
    pack, metadata = _object(parameters, "pack"), _object(run, "metadata")
    _require_equal("pack", pack.get("id"), expected.pack_id)
    _require_equal("version", pack.get("version"), expected.version)
    owner = pack.get("owner")
    # The lock names the owner by a slug, which may change; the repository has the id, in lower case (OCI).
    if not isinstance(owner, str) or owner.lower() not in expected.repository.split("/")[1:]:
        raise NotProved(f"the provenance is of a pack of {owner}, which does not own {expected.repository}")
    return Proof(
        key_id=key_id,
        builder=str(_object(run, "builder").get("id", "")),
        owner=owner,
        operation=str(parameters.get("operation", "")),
        built_at=_text(metadata.get("finishedOn")),
        request_id=_text(metadata.get("invocationId")),
        ci=_texts(parameters.get("ci")),
        sources=_sources(definition.get("resolvedDependencies")),
    )


def _require_files(statement: Statement, files: Mapping[str, str]) -> None:
    """Check that a bill of materials lists exactly some files, each once and with its digest."""
    _require_type(statement, BILL_OF_MATERIALS)
    listed: dict[str, str] = {}
    for path, sha256 in _listed_files(statement.predicate.get("components")):
        if path in listed:
            raise NotProved(f"the bill of materials lists {path!r} twice")
        listed[path] = sha256
    if listed == files:
        return
    for path in sorted(listed.keys() | files.keys()):
        if path not in files:
            raise NotProved(f"the bill of materials lists {path!r}, which the image is not expected to have")
        if path not in listed:
            raise NotProved(f"the bill of materials does not list {path!r}")
        if listed[path] != files[path]:
            raise NotProved(f"the bill of materials lists {path!r} with another digest")


def _listed_files(components: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(components, list):
        raise NotProved("the bill of materials has no components")
    for component in components:
        try:
            if component["type"] != "file":
                continue
            name = component["name"]
            sha256 = next(each["content"] for each in component["hashes"] if each["alg"] == "SHA-256")
        except (KeyError, TypeError, StopIteration):
            name = sha256 = None
        if not isinstance(name, str) or not isinstance(sha256, str):
            raise NotProved("a component of the bill of materials lacks its type, name or SHA-256")
        yield name, sha256


def _require_type(statement: Statement, predicate_type: str) -> None:
    if statement.predicate_type != predicate_type:
        raise NotProved(f"the statement is of type {statement.predicate_type}, not {predicate_type}")


def _require_equal(what: str, found: Any, expected: str) -> None:
    if found != expected:
        raise NotProved(f"the provenance is of the {what} {found}, not of {expected}")


def _object(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = of.get(name)
    if not isinstance(value, dict):
        raise NotProved(f"the provenance has no {name}")
    return value


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _texts(values: Any) -> dict[str, str]:
    if not isinstance(values, dict):
        return {}
    return {name: value for name, value in values.items() if isinstance(value, str)}


def _sources(values: Any) -> dict[str, str]:
    if not isinstance(values, list):
        return {}
    return {
        str(source["name"]): f"sha256:{source['digest']['sha256']}"
        for source in values
        if isinstance(source, dict)
        and isinstance(source.get("digest"), dict)
        and "name" in source
        and "sha256" in source["digest"]
    }
