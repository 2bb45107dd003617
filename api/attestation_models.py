"""What the operations on signed statements answer, as types; see `api.models`."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

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


class AttestationList(TypedDict):
    """The signed statements about the image of a pack."""

    pack_id: PackId
    revision: Annotated[int, Field(ge=1)]
    image_digest: ImageDigest
    image_origin: ImageOrigin
    attestations: AttestationState
    statements: list[SignedStatement]


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
