"""The operations on signature policies."""

from typing import Annotated, Any, Final, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from api.operation import Answer, Operation
from packyard.http.preconditions import IF_MATCH
from packyard.http.signature_policy import SIGNATURE_POLICY_CHANGE
from packyard.signatures.policy import Otherwise
from packyard.tenants.caller import WRITE_POLICIES

_TAG: Final = "Policies"
_ETAG: Final = {"ETag": "How often the policy has been changed, in quotes: what If-Match takes."}


class SignatureSigner(TypedDict):
    """Whose signatures count: a key with its name, or an identity."""

    name: NotRequired[Annotated[str, Field(description="What refusals call the key.")]]
    key: NotRequired[Annotated[str, Field(description="A public key in PEM.")]]
    issuer: NotRequired[Annotated[str, Field(description="Who signs the identity in.")]]
    subject: NotRequired[Annotated[str, Field(description="The subject of certificates, or a pattern.")]]


class SignatureRule(TypedDict):
    """What images of some repositories must bring."""

    images: Annotated[list[str], Field(description="Patterns of registries and repositories.")]
    signers: Annotated[list[SignatureSigner], Field(description="Any of them will do.")]
    requires: Annotated[list[str], Field(description="`signature`, and types of predicates. All are needed.")]


class UncountedSignature(TypedDict):
    """A signature or an attestation that does not count."""

    found_at: Annotated[str, Field(description="Where: `referrers`, or a tag.")]
    digest: Annotated[str, Field(description="The digest of its bytes.")]
    problem: Annotated[str, Field(description="Why it does not count.")]


class UnsignedImage(TypedDict):
    """An image that does not bring what a policy requires."""

    pack_id: NotRequired[Annotated[str, Field(description="Its pack, if that stands.")]]
    image: Annotated[str, Field(description="The image where it was registered, by digest.")]
    looked_for: Annotated[list[str], Field(description="What is missing.")]
    found: Annotated[list[UncountedSignature], Field(description="What there is instead, the first few.")]
    looked_at: Annotated[list[str], Field(description="Where was looked, and what was there.")]


class SignaturePolicyState(TypedDict):
    """What registered images must bring."""

    rules: Annotated[
        list[SignatureRule],
        Field(description="The first that names an image's repository decides of it."),
    ]
    otherwise: Annotated[Otherwise, Field(description="What becomes of images that no rule names.")]
    authorities: Annotated[list[str], Field(description="Certificates in PEM of who certifies identities.")]
    logs: Annotated[list[str], Field(description="Public keys in PEM of transparency logs.")]


_EXAMPLE: Final[dict[str, Any]] = {
    "rules": [
        {
            "images": ["ghcr.io/acme/*"],
            "signers": [
                {
                    "name": "release",
                    "key": "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAExST0te6BHlKDyojvXhm7ClgW4a6"
                    "r\nHO3NsQBXpVzxygYlDh8HcqMgXHUIzmoMxyID+w9d58DVyjkfbdywjYiz5A==\n-----END PUBLIC KEY-----\n",
                }
            ],
            "requires": ["signature"],
        }
    ],
    "otherwise": "accept",
    "authorities": [],
    "logs": [],
}
_POLICY: Final = Answer(
    description="The policy.", model="SignaturePolicyState", example=_EXAMPLE, headers=_ETAG
)

SIGNATURE_OPERATIONS: Final = (
    Operation(
        function="policies",
        name="signature_policy",
        method="get",
        path="/signature-policy",
        tag=_TAG,
        summary="Read what registered images must bring",
        answers={200: _POLICY},
    ),
    Operation(
        function="policies",
        name="set_signature_policy",
        method="put",
        path="/signature-policy",
        tag=_TAG,
        summary="Set what registered images must bring",
        description="The policy decides when your organisation registers an image, moves a pack to one, clones a pack "
        "of one, and when one of your roles gets a pack or moves a pin, whoever owns the pack. What does not meet it "
        "is 409 `signature_required`, with what was looked for and found. Pins that stay are not judged again. Images "
        "that this service built need no signature. Signatures are read when an image is registered: `POST /packs` and "
        "`PUT /packs/{id}` with the same image read them again.",
        headers=[IF_MATCH],
        body=SIGNATURE_POLICY_CHANGE,
        example=_EXAMPLE,
        answers={200: _POLICY},
        refusals=["payload_too_large", "unsupported_media_type", "precondition_failed"],
        writes=True,
        scope=WRITE_POLICIES,
    ),
)
