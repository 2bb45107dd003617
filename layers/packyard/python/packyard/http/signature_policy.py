"""Signature policies in requests and answers."""

from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.app import json_response
from packyard.http.entity_tags import ETAG
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json
from packyard.packs.precondition import revision_tag
from packyard.signatures.policy import (
    MAX_AUTHORITIES,
    MAX_IMAGES,
    MAX_LOGS,
    MAX_REQUIRED,
    MAX_RULES,
    MAX_SIGNERS,
    Otherwise,
    SignaturePolicy,
    from_document,
)
from packyard.signatures.policy_faults import (
    CERTIFICATE,
    IMAGES,
    ISSUER,
    MAX_PATTERN,
    MAX_PEM,
    NAME,
    PREDICATE_TYPE,
    PUBLIC_KEY,
    SUBJECT,
    policy_faults,
)

if TYPE_CHECKING:
    from packyard.tenants.policy_state import PolicyState

_KEY: Final = Field(
    name="key",
    pattern=PUBLIC_KEY.pattern,
    max_length=MAX_PEM,
    description="A public key in PEM: ECDSA on P-256 or P-384, RSA from 2,048 bits, or Ed25519.",
)
_NAME: Final = Field(name="name", pattern=NAME.pattern, description="What refusals call the key.")
_ISSUER: Final = Field(
    name="issuer",
    pattern=ISSUER.pattern,
    description="Who signs an identity in, exactly as certificates name it.",
)
_SUBJECT: Final = Field(
    name="subject",
    pattern=SUBJECT.pattern,
    description="The URI or e-mail address of a certificate. `*` stands for any characters but `/`, `**` for any.",
)
_IMAGES: Final = Field(
    name="images",
    kind="array",
    required=True,
    items=Field(name="image", pattern=IMAGES.pattern, max_length=MAX_PATTERN),
    max_items=MAX_IMAGES,
    description="Registries and repositories that the rule is for. `*` stands for any characters but `/`, `**` for "
    "any.",
)
_SIGNERS: Final = Field(
    name="signers",
    kind="array",
    required=True,
    items=Field(
        name="signer",
        kind="object",
        fields=(_NAME, _KEY, _ISSUER, _SUBJECT),
        description="Either a `name` and a `key`, or an `issuer` and a `subject`.",
    ),
    max_items=MAX_SIGNERS,
    description="Any of them will do.",
)
_REQUIRES: Final = Field(
    name="requires",
    kind="array",
    items=Field(name="thing", pattern=PREDICATE_TYPE.pattern),
    max_items=MAX_REQUIRED,
    description="What one of them must have signed: `signature`, the image itself, which is the default; or "
    "attestations, by the types of their predicates. All are needed.",
)
_RULES: Final = Field(
    name="rules",
    kind="array",
    required=True,
    items=Field(name="rule", kind="object", fields=(_IMAGES, _SIGNERS, _REQUIRES)),
    max_items=MAX_RULES,
    example=[
        {
            "images": ["ghcr.io/acme/*"],
            "signers": [{"name": "release", "key": "-----BEGIN PUBLIC KEY-----\n…"}],
            "requires": ["signature"],
        }
    ],
    description="The first rule that names an image's repository decides of it.",
)
_OTHERWISE: Final = Field(
    name="otherwise",
    values=Otherwise,
    default=Otherwise.ACCEPT.value,
    example=Otherwise.ACCEPT,
    description="What becomes of registered images that no rule names.",
)
_AUTHORITIES: Final = Field(
    name="authorities",
    kind="array",
    items=Field(name="certificate", pattern=CERTIFICATE.pattern, max_length=MAX_PEM),
    max_items=MAX_AUTHORITIES,
    description="Certificates in PEM of the authorities that certify identities, such as Fulcio's root and "
    "intermediate. Each is trusted. Needed by rules that name identities.",
)
_LOGS: Final = Field(
    name="logs",
    kind="array",
    items=Field(name="key", pattern=PUBLIC_KEY.pattern, max_length=MAX_PEM),
    max_items=MAX_LOGS,
    description="Public keys in PEM of the transparency logs (Rekor 1) that say when signatures were made. Needed by "
    "rules that name identities.",
)
SIGNATURE_POLICY_CHANGE: Final = Body(
    name="SignaturePolicyChange",
    description="What registered images must bring. It replaces the whole policy; no rules and `accept` require "
    "nothing.",
    fields=(_RULES, _OTHERWISE, _AUTHORITIES, _LOGS),
)


def read_signature_policy(event: APIGatewayProxyEvent) -> SignaturePolicy:
    """Return the policy that a body states.

    Raises:
        UnsupportedMediaType, PayloadTooLarge: See `read_json`; a policy has at most 64 KiB.
        InvalidRequest: The body is not such an object; or, by field, what is wrong.
    """
    given = read_json(event, SIGNATURE_POLICY_CHANGE)
    if faults := policy_faults(given):
        raise InvalidRequest(faults)
    return from_document(given)


def signature_policy_response(state: "PolicyState[SignaturePolicy]") -> Response[str]:
    """Return the answer with a policy."""
    return json_response(200, state.policy.document(), {ETAG: revision_tag(state.revision)})
