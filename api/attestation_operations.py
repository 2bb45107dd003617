"""The operations on signed statements; see `api.operations`."""

from collections.abc import Sequence
from typing import Any, Final

from api.examples import DIGEST, PACK_ID
from api.operation import Answer, Operation
from packyard.http import large_json, revision_field

_TAG: Final = "Trust"
_KEY_ID: Final = DIGEST.removeprefix("sha256:")
_BUNDLE: Final[dict[str, Any]] = {
    "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
    "verificationMaterial": {"publicKey": {"hint": "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="}},
    "dsseEnvelope": {
        "payload": "eyJfdHlwZSI6ICJodHRwczovL2luLXRvdG8uaW8vU3RhdGVtZW50L3YxIn0=",
        "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"sig": "MEUCIQD…"}],
    },
}
_STATEMENTS: Final[dict[str, Any]] = {
    "pack_id": PACK_ID,
    "revision": 3,
    "image_digest": DIGEST,
    "image_origin": "upload",
    "attestations": "attached",
    "statements": [
        {
            "predicate_type": "https://slsa.dev/provenance/v1",
            "key_id": _KEY_ID,
            "signed_at": "2026-03-01T12:00:05.000Z",
            "digest": DIGEST,
            "size": 2304,
            "manifest_digest": DIGEST,
            "bundle": _BUNDLE,
        }
    ],
}
_KEYS: Final[dict[str, Any]] = {
    "keys": [
        {
            "id": _KEY_ID,
            "hint": "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
            "algorithm": "ECDSA_P256_SHA256",
            "pem": "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE…\n-----END PUBLIC KEY-----\n",
            "since": "2026-03-01T12:00:05.000Z",
            "current": True,
        }
    ]
}

ATTESTATION_OPERATIONS: Final[Sequence[Operation]] = (
    Operation(
        function="list_attestations",
        method="get",
        path="/packs/{id}/attestations",
        tag=_TAG,
        summary="Read the signed statements about a pack's image",
        description="How the image came about (SLSA provenance) and what is in it (a CycloneDX bill of materials). "
        "They are made within seconds after the image, `pending` until then, and are also in the registry, as "
        "referrers of the image. Verify them with the keys of `/.well-known/packyard/keys.json`, and compare the "
        "subject with the digest that you have pinned.",
        query=(revision_field.REVISION, large_json.AS),
        answers={
            200: Answer(
                description="The statements. With `as=url`: where they are.",
                model="AttestationList",
                other="Elsewhere",
                example=_STATEMENTS,
            ),
            302: Answer(
                description="Too large for one answer: Location has a short-lived URL of it.",
                media_type=None,
                headers={"Location": "A short-lived URL."},
            ),
        },
        refusals=["validation_error", "pack_not_found", "revision_not_found", "registry_unavailable"],
    ),
    Operation(
        function="signing_keys",
        name="signing_keys",
        method="get",
        path="/.well-known/packyard/keys.json",
        tag=_TAG,
        summary="Read the public keys of signed statements",
        description="Past ones are among them, since they verify what they have signed.",
        answers={
            200: Answer(
                description="The keys, the newest first.",
                model="SigningKeyList",
                example=_KEYS,
                headers={"Cache-Control": "public, max-age=300"},
            )
        },
        signed_in=False,
    ),
)
