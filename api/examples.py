"""The examples of the document. They are all about one pack."""

from typing import Any, Final

from packyard import errors
from packyard.packs.capabilities import compare
from packyard.packs.lock import set_digest
from packyard.packs.precondition import IfMatch

_REQUEST_ID: Final = "6f1c2f0e-8a55-4b7c-9d0e-0d7a4c1e2b3f"
PACK_ID: Final = "pack_01JQ2V7N3T5W8XABCDEFGHJKMN"
ORG_ID: Final = "org_01jq2v7n3t5w8xabcdefghjkmn"
UPLOAD_ID: Final = "upl_01JQ2V7N3T5W8XABCDEFGHJKMN"
DIGEST: Final = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

PACK: Final[dict[str, Any]] = {
    "id": PACK_ID,
    "org_id": ORG_ID,
    "name": "slack",
    "display_name": "Slack",
    "description": "Post and read messages.",
    "category": "messaging",
    "version": "1.4.0",
    "tier": "community",
    "visibility": "org",
    "suggested_packs": "jira,github",
    "image_origin": "upload",
    "image_ref": f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/packs/{ORG_ID}/slack:1.4.0",
    "image_digest": DIGEST,
    "content_digest": DIGEST,
    "size_bytes": 48213,
    "created_at": "2026-03-01T12:00:00.000Z",
    "updated_at": "2026-03-01T12:00:00.000Z",
    "owned": True,
    "attestations": "attached",
}
UPLOAD: Final[dict[str, Any]] = {
    "upload_id": UPLOAD_ID,
    "status": "building",
    "expires_at": "2026-03-01T12:15:00.000Z",
}
STARTED_UPLOAD: Final[dict[str, Any]] = {
    "upload_id": UPLOAD_ID,
    "status": "awaiting_archive",
    "expires_at": "2026-03-01T12:15:00.000Z",
    "url": "https://bucket.s3.eu-west-1.amazonaws.com/",
    "fields": {
        "Content-Type": "application/gzip",
        "key": f"uploads/{UPLOAD_ID}.tar.gz",
        "policy": "eyJleHBpcmF0aW9uIjog…",
    },
    "max_bytes": 268435456,
}
FILES: Final[dict[str, Any]] = {
    "files": [
        {"path": "pack.yaml", "size": 182, "mode": "0644", "digest": DIGEST},
        {"path": "guides/start.md", "size": 21, "mode": "0644", "digest": DIGEST},
    ],
    "revision": 4,
    "image_digest": DIGEST,
    "content_digest": DIGEST,
}
REVISIONS: Final[dict[str, Any]] = {
    "revisions": [
        {
            "revision": 1,
            "operation": "upload",
            "version": "1.4.0",
            "image_digest": DIGEST,
            "content_digest": DIGEST,
            "actor": "key:1a2b3c4d5e6f7a8b",
            "at": "2026-03-01T12:00:00.000Z",
            "status": "active",
        }
    ]
}
WITHDRAWN_REVISION: Final = REVISIONS["revisions"][0] | {
    "status": "withdrawn",
    "withdrawal": {
        "reason": "It has a password of the staging database.",
        "by": "user:ada",
        "at": "2026-03-02T12:00:00.000Z",
    },
}
DOWNLOAD: Final[dict[str, Any]] = {
    "image": f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/packs/{ORG_ID}/slack@{DIGEST}",
    "image_digest": DIGEST,
    "content_digest": DIGEST,
    "documents": [
        {
            "media_type": "application/vnd.oci.image.index.v1+json",
            "digest": DIGEST,
            "content": '{"schemaVersion":2}',
        }
    ],
    "layers": [
        {
            "digest": DIGEST,
            "size": 48000,
            "media_type": "application/vnd.oci.image.layer.v1.tar+gzip",
            "url": "https://bucket.s3.eu-west-1.amazonaws.com/layer?X-Amz-Signature=…",
        }
    ],
}
PULL_LOGIN: Final[dict[str, Any]] = {
    "registry": "acme.packyard.example",
    "username": "support-agent",
    "password": "login.(content).(signature)",
    "expires_at": "2026-03-01T12:15:00.000Z",
    "docker_config": '{"auths": {"acme.packyard.example": {"auth": "(user and password in base64)"}}}',
}
ROLE_PACKS: Final[dict[str, Any]] = {
    "role_id": "support-agent",
    "revision": 3,
    "pack_ids": [PACK_ID],
    "packs": [
        {
            "id": PACK_ID,
            "name": "slack",
            "owner": "acme",
            "version": "1.4.0",
            "revision": 4,
            "image_ref": PACK["image_ref"],
            "image_digest": DIGEST,
            "content_digest": DIGEST,
            "follow": False,
            "stale": False,
            "status": "active",
        }
    ],
}
LOCK: Final[dict[str, Any]] = {
    "lock_version": 1,
    "role_id": "support-agent",
    "revision": 3,
    "packs": [
        {
            "id": PACK_ID,
            "name": "slack",
            "owner": "acme",
            "version": "1.4.0",
            "revision": 4,
            "image": f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/packs/{ORG_ID}/slack@{DIGEST}",
            "image_digest": DIGEST,
            "layers": [
                {
                    "digest": DIGEST,
                    "size": 48000,
                    "media_type": "application/vnd.oci.image.layer.v1.tar+gzip",
                }
            ],
            "content_digest": DIGEST,
            "status": "active",
        }
    ],
    "set_digest": set_digest([(PACK_ID, DIGEST)]),
}
ROLES: Final[dict[str, Any]] = {
    "roles": [{"role_id": "support-agent", "revision": 3, "pack_ids": [PACK_ID], "stale": False}]
}
ROLE_REVISIONS: Final[dict[str, Any]] = {
    "revisions": [
        {
            "revision": 3,
            "operation": "refresh",
            "pack_ids": [PACK_ID],
            "packs": [
                {"id": PACK_ID, "revision": 4, "version": "1.4.0", "image_digest": DIGEST, "follow": False}
            ],
            "accepted_capabilities": {PACK_ID: 4},
            "actor": "key:1a2b3c4d5e6f7a8b",
            "at": "2026-03-01T12:00:00.000Z",
        }
    ]
}
_BEFORE: Final = """- name: slack-api
  type: http
  allow:
  - domains: [slack.com]
    methods: [GET]
    paths: [/api/**]
"""

_KEY_ID: Final = "1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a2b"
KEY: Final[dict[str, Any]] = {
    "id": _KEY_ID,
    "principal": "key:1a2b3c4d5e6f7a8b",
    "label": "CI of slack-pack",
    "scopes": ["caps:write"],
    "created_at": "2026-03-01T12:00:00.000Z",
    "prefix": "sk_q3Zb",
    "pack_name": "slack",
    "created_by": "user:ada",
    "expires_at": "2026-05-30T12:00:00.000Z",
}
REVOKED_KEY: Final = KEY | {"revoked_at": "2026-04-01T12:00:00.000Z", "revoked_by": "user:ada"}

_REFUSALS: Final = (
    errors.InvalidRequest(
        {"pack.yaml:version": "must be three numbers joined by dots: write 1.4.0 (SemVer 2.0.0)"}
    ),
    errors.Unauthenticated(),
    errors.PermissionDenied("This credential lacks the scope caps:write, which this operation needs."),
    errors.PackNotFound(),
    errors.FileNotFound(),
    errors.RevisionNotFound(PACK_ID, 9),
    errors.RoleNotFound(),
    errors.UploadNotFound(),
    errors.KeyNotFound(),
    errors.WebhookNotFound(),
    errors.PublisherNotFound(),
    errors.RouteNotFound(),
    errors.MethodNotAllowed(),
    errors.PackNameTaken("slack", PACK_ID, advice=f"Send its next version to POST /packs/{PACK_ID}/upload."),
    errors.PackInUse(role_ids=["support-agent"]),
    errors.PackModified(),
    errors.RoleModified(),
    errors.CapabilitiesWidened(
        {PACK_ID: {"from": 3, "to": 4, **compare(_BEFORE, _BEFORE.replace("[GET]", "[GET, POST]")).shown()}}
    ),
    errors.RevisionWithdrawn(
        "The pack would get the image of its revision 3 again, which was withdrawn. Publish other content, or restore "
        "it with DELETE /packs/{id}/revisions/3/withdrawal.",
        [{"pack_id": PACK_ID, "revision": 3, "status": "withdrawn"}],
    ),
    errors.ScanBlocked(
        "The scan found what your organisation's scan policy refuses (guides/start.md, line 12: secret.github-token). "
        "Remove what was found, and send it again. GET /scan-policy shows the policy.",
        [
            {
                "rule": "secret.github-token",
                "severity": "critical",
                "confidence": "high",
                "path": "guides/start.md",
                "line": 12,
                "excerpt": "token: ghp_…",
                "why": "Whoever reads the pack can use the token.",
                "advice": "Revoke the token, and let the agent get one when it runs.",
            }
        ],
    ),
    errors.RevisionInUse(
        "Roles pin the image of revision 3; move their pins, or withdraw the revision first.",
        role_ids=["support-agent"],
    ),
    errors.PackDeleting(),
    errors.FeedNotFound(),
    errors.OrganisationNotFound(),
    errors.VersionTaken("1.4.0", "1.4.1", why="slack 1.4.0 was published with another content."),
    errors.SignatureRequired(
        [
            {
                "image": f"ghcr.io/acme/slack-pack@{DIGEST}",
                "looked_for": ["a signature of the image by the key release"],
                "found": [
                    {
                        "found_at": "referrers",
                        "digest": DIGEST,
                        "problem": "It is signed by none of the rule's keys.",
                    }
                ],
                "looked_at": ["referrers API: lists 1"],
            }
        ]
    ),
    errors.AlreadyCreated(
        _KEY_ID, advice=f"If the secret was lost, revoke the key with DELETE /keys/{_KEY_ID}."
    ),
    errors.QuotaExceeded("This organisation has 100 API keys, and 100 is the most.", limit=100),
    IfMatch(frozenset({"3"})).refusal(4),
    errors.PayloadTooLarge("An archive may have 268435456 bytes at most; this one has 300000000."),
    errors.UnsupportedMediaType("The body must be JSON: send the header Content-Type: application/json."),
    errors.BillingInactive(),
    errors.InternalError(),
    errors.RegistryUnavailable(
        "The registry at ghcr.io did not answer, or not in time; check its address, or try again."
    ),
    errors.RegistryCleanupFailed(),
    errors.ServiceUnavailable(),
    errors.TimedOut(),
)
# The gateway answers this one. Its text is in the template.
_RATE_LIMITED: Final = {
    "code": "rate_limited",
    "message": "Too many requests; repeat this one after the seconds that Retry-After names, and send fewer at once.",
    "request_id": _REQUEST_ID,
}
# One refusal of each code, as the service answers it.
REFUSALS: Final[dict[str, Any]] = {
    refusal.code: {"error": refusal.inner(_REQUEST_ID)} for refusal in _REFUSALS
} | {"rate_limited": {"error": _RATE_LIMITED}}
