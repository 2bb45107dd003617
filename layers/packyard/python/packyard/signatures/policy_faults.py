"""What is wrong with a signature policy that a client sends, by the paths of its fields."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from packyard.oci.reference import DOCKER_HUB, parse_registry
from packyard.signatures.policy import (
    MAX_AUTHORITIES,
    MAX_IMAGES,
    MAX_LOGS,
    MAX_REQUIRED,
    MAX_RULES,
    MAX_SIGNERS,
    SIGNATURE,
    Otherwise,
)
from packyard.text.suggestion import not_one_of

MAX_PATTERN: Final = 300
MAX_PEM: Final = 8192
MAX_NAME: Final = 64
# A printable name that refusals can show.
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@/+-]{0,63}")
# What repositories of any registry consist of, and the two wildcards.
IMAGES: Final = re.compile(r"[a-z0-9*][a-z0-9._:/*-]{0,299}")
PUBLIC_KEY: Final = re.compile(
    r"\s*-----BEGIN (?:RSA )?PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END (?:RSA )?PUBLIC KEY-----\s*"
)
CERTIFICATE: Final = re.compile(
    r"\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*"
)
ISSUER: Final = re.compile(r"https://[!-~]{1,292}")
# Visible ASCII, and one character at least that is no wildcard: `**` alone would be anybody.
SUBJECT: Final = re.compile(r"(?=.*[^*/])[!-~]{1,300}")
PREDICATE_TYPE: Final = re.compile(r"signature|https?://[!-~]{1,192}")

_RULE: Final = ("images", "signers", "requires")
_KEY: Final = ("name", "key")
_IDENTITY: Final = ("issuer", "subject")

Faults = Iterator[tuple[str, str]]


def policy_faults(document: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with a policy, by field; empty if it is valid.

    Args:
        document: The object that a client sent. Only names that a policy has.
    """
    faults = dict(_policy(document))
    return dict(list(faults.items())[:MAX_RULES])


def _policy(document: Mapping[str, Any]) -> Faults:
    rules = document.get("rules", [])
    yield from _listed("rules", rules, MAX_RULES, _rule, "rules")
    otherwise = document.get("otherwise", Otherwise.ACCEPT.value)
    values = tuple(each.value for each in Otherwise)
    if otherwise not in values:
        yield "otherwise", not_one_of(str(otherwise)[:64], values)
    authorities, logs = document.get("authorities", []), document.get("logs", [])
    yield from _listed("authorities", authorities, MAX_AUTHORITIES, _authority, "certificates in PEM")
    yield from _listed("logs", logs, MAX_LOGS, _log, "public keys in PEM")
    if _names_an_identity(rules):
        needs = "is needed, since a rule names an identity: give "
        if not authorities:
            yield "authorities", f"{needs}the certificates of who certifies it, such as Fulcio's root"
        if not logs:
            yield (
                "logs",
                (
                    f"{needs}the public key of the log (Rekor) that says when signatures were made; their certificates "
                    "expire after minutes"
                ),
            )


def _names_an_identity(rules: Any) -> bool:
    """Return whether a rule names an identity, however wrong the rest is."""
    if not isinstance(rules, list):
        return False
    signers = (rule.get("signers") for rule in rules if isinstance(rule, dict))
    return any(
        isinstance(signer, dict) and "issuer" in signer
        for each in signers
        if isinstance(each, list)
        for signer in each
    )


def _rule(path: str, rule: Any) -> Faults:
    if not isinstance(rule, dict):
        yield path, 'must be an object, as in {"images": ["ghcr.io/acme/*"], "signers": […]}'
        return
    yield from _unknown(path, rule, _RULE)
    images, signers = rule.get("images"), rule.get("signers")
    yield from _listed(f"{path}.images", images, MAX_IMAGES, _images, "patterns of repositories", least=1)
    yield from _listed(f"{path}.signers", signers, MAX_SIGNERS, _signer, "keys or identities", least=1)
    requires = rule.get("requires", [SIGNATURE])
    what = "signature or types of predicates"
    yield from _listed(f"{path}.requires", requires, MAX_REQUIRED, _required, what, least=1)


def _images(path: str, pattern: Any) -> Faults:
    if not isinstance(pattern, str) or IMAGES.fullmatch(pattern) is None:
        yield (
            path,
            (
                f"must be a registry and a repository in lower case, at most {MAX_PATTERN} characters, as in "
                "ghcr.io/acme/*; * stands for any characters but /, ** for any"
            ),
        )
        return
    registry, slash, rest = pattern.partition("/")
    if ":" in rest:
        yield path, "must name repositories, without tag and digest: a signature is of a digest"
    elif not slash and "**" not in registry:
        yield (
            path,
            f"must name a registry and a repository, as in {registry}/** or docker.io/library/{registry}",
        )
    elif "*" not in registry:
        yield from _registry(path, registry, rest)


def _registry(path: str, registry: str, rest: str) -> Faults:
    try:
        normal = parse_registry(registry)
    except ValueError as error:
        yield path, str(error)
        return
    if normal != registry:
        yield path, f"would match nothing: references name this registry {normal}, as in {normal}/{rest}"
    elif not ({".", ":"} & set(registry)) and registry != "localhost":
        yield path, f"must begin with a registry, as in docker.io/{registry}/{rest}"
    elif registry == DOCKER_HUB and not {"/", "*"} & set(rest):
        yield path, f"would match nothing: references name this repository {registry}/library/{rest}"


def _signer(path: str, signer: Any) -> Faults:
    if not isinstance(signer, dict) or ("key" in signer) == ("issuer" in signer or "subject" in signer):
        yield (
            path,
            (
                'must be either {"name": "release", "key": "-----BEGIN PUBLIC KEY-----…"} or {"issuer": "https://…", '
                '"subject": "https://…"}'
            ),
        )
        return
    if "key" in signer:
        yield from _unknown(path, signer, _KEY)
        yield from _matching(
            path, signer, "name", NAME, "must be 1 to 64 letters, digits and ._@/+- and spaces"
        )
        yield from _public_key(f"{path}.key", signer["key"])
        return
    yield from _unknown(path, signer, _IDENTITY)
    issuer = (
        "must be the issuer that signs the identity in, as in https://token.actions.githubusercontent.com"
    )
    yield from _matching(path, signer, "issuer", ISSUER, issuer)
    subject = (
        f"must be a URI or an e-mail address of at most {MAX_PATTERN} characters, or a pattern of them with * and **, "
        "as in https://github.com/acme/pack/.github/workflows/release.yml@refs/tags/*"
    )
    yield from _matching(path, signer, "subject", SUBJECT, subject)


def _required(path: str, value: Any) -> Faults:
    if not isinstance(value, str) or PREDICATE_TYPE.fullmatch(value) is None:
        yield (
            path,
            (
                "must be signature, or the type of an attestation's predicate, as in https://slsa.dev/provenance/v1"
            ),
        )


def _public_key(path: str, value: Any) -> Faults:
    if not isinstance(value, str) or len(value) > MAX_PEM:
        yield path, f"must be a public key in PEM, of at most {MAX_PEM} characters"
        return
    # What verifies is loaded only if there is something to verify.
    from packyard.signatures.keys import parse_key  # noqa: PLC0415

    try:
        parse_key(value)
    except ValueError as error:
        yield path, str(error)
        return
    if PUBLIC_KEY.fullmatch(value) is None:
        yield path, "must be one public key in PEM and nothing besides; list each key by itself"


def _log(path: str, value: Any) -> Faults:
    yield from _public_key(path, value)


def _authority(path: str, value: Any) -> Faults:
    if not isinstance(value, str) or len(value) > MAX_PEM or CERTIFICATE.fullmatch(value) is None:
        yield (
            path,
            (
                f"must be one certificate in PEM, of at most {MAX_PEM} characters; of a chain, list each by itself"
            ),
        )
        return
    from packyard.signatures.certificates import parse_authority  # noqa: PLC0415 - as for keys

    try:
        parse_authority(value)
    except ValueError as error:
        yield path, str(error)


def _matching(path: str, given: Mapping[str, Any], name: str, form: re.Pattern[str], fault: str) -> Faults:
    value = given.get(name)
    if not isinstance(value, str) or form.fullmatch(value) is None:
        yield f"{path}.{name}", fault


def _unknown(path: str, given: Mapping[str, Any], known: tuple[str, ...]) -> Faults:
    for name in given:
        if name not in known:
            yield f"{path}.{name[:64]}", f"is not one of {', '.join(known)}"


def _listed(  # noqa: PLR0913, PLR0917 - a list, its bounds, and what each entry must be
    path: str, value: Any, most: int, check: Callable[[str, Any], Faults], what: str, least: int = 0
) -> Faults:
    if not isinstance(value, list) or not least <= len(value) <= most:
        yield path, f"must be a list of {f'{least} to' if least else 'at most'} {most} {what}"
        return
    if len({repr(entry) for entry in value}) != len(value):
        yield path, "must list each entry once"
    for at, entry in enumerate(value):
        yield from check(f"{path}[{at}]", entry)
