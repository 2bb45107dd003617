"""What the operations on signed statements answer, as types; see `api.models`."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from api.models import AttestationState, ImageDigest, PackId
from packyard.attestations.public_key import KEY_ID
from packyard.oci.digest import SHA256
from packyard.packs.pack import ImageOrigin

KeyId = Annotated[
    str,
    Field(
        pattern=f"^{KEY_ID.pattern}$",
        description="The SHA-256 of the key as DER (SubjectPublicKeyInfo), in hex.",
    ),
]
_Digest = Annotated[str, Field(pattern=f"^{SHA256.pattern}$")]


class SignedStatement(TypedDict):
    """A signed statement about an image."""

    predicate_type: Annotated[
        str, Field(description="What it is: `https://slsa.dev/provenance/v1` or `https://cyclonedx.org/bom`.")
    ]
    key_id: KeyId
    signed_at: datetime
    digest: Annotated[_Digest, Field(description="Of the bundle, as the registry has it.")]
    size: Annotated[int, Field(ge=1, description="Of the bundle, in bytes.")]
    manifest_digest: Annotated[_Digest, Field(description="Of the manifest that attaches it to the image.")]
    bundle: Annotated[
        dict[str, Any],
        Field(description="A sigstore bundle of version 0.3: a DSSE envelope of an in-toto statement."),
    ]


class BroughtSigner(TypedDict):
    """Whom a signature says that it is by. Nothing of it is verified."""

    key_hint: NotRequired[Annotated[str, Field(description="What it says of the key.")]]
    subject: NotRequired[Annotated[str, Field(description="The subject of its certificate.")]]
    issuer: NotRequired[
        Annotated[str, Field(description="Who signed that subject in, as the certificate says.")]
    ]


class BroughtSignature(TypedDict):
    """A signature or an attestation that a registry held beside an image. Nothing of it is verified."""

    found_at: Annotated[str, Field(description="Where: `referrers`, or a tag.")]
    manifest: Annotated[str, Field(description="The digest of the manifest that carries it.")]
    digest: Annotated[str, Field(description="The digest of its bytes.")]
    media_type: str
    size_bytes: Annotated[int, Field(ge=0)]
    kind: NotRequired[Literal["signature", "attestation"]]
    predicate_type: NotRequired[Annotated[str, Field(description="Of an attestation.")]]
    about_this_image: NotRequired[Annotated[bool, Field(description="Whether it names the image's digest.")]]
    signer: NotRequired[BroughtSigner]
    problem: NotRequired[Annotated[str, Field(description="Why it cannot be read.")]]


class BroughtSignatures(TypedDict):
    """What a registered image brought when it was registered."""

    repository: NotRequired[Annotated[str, Field(description="Where it was read.")]]
    at: NotRequired[Annotated[datetime, Field(description="When it was read. Absent: never.")]]
    complete: Annotated[bool, Field(description="Whether nothing was left off, and all could be read.")]
    signatures: list[BroughtSignature]


class AttestationList(TypedDict):
    """The signed statements about the image of a pack."""

    pack_id: PackId
    revision: Annotated[int, Field(ge=1)]
    image_digest: ImageDigest
    image_origin: ImageOrigin
    attestations: AttestationState
    statements: list[SignedStatement]
    brought: NotRequired[
        Annotated[BroughtSignatures, Field(description="Of a registered image, and of a clone of one.")]
    ]


class SigningKey(TypedDict):
    """A public key that verifies statements."""

    id: KeyId
    hint: Annotated[str, Field(description="What names it in a bundle: the same hash in base64.")]
    algorithm: Literal["ECDSA_P256_SHA256"]
    pem: str
    since: Annotated[datetime, Field(description="When it was first used.")]
    current: Annotated[bool, Field(description="Whether it signs new statements.")]


class SigningKeyList(TypedDict):
    """All keys that have signed, the newest first."""

    keys: list[SigningKey]


MODELS: Final = (AttestationList, SigningKeyList)
