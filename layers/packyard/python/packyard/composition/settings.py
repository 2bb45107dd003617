"""What a deployment can set: read from the environment once, by the composition root and nobody else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

from packyard.packs.archive.limits import ArchiveLimits

RegistryKind = Literal["ecr", "distribution"]

# Plain HTTP to this machine itself leaves nothing for anyone between to change.
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtSettings:
    """Whose JWTs a deployment takes.

    Attributes:
        issuer: What `iss` must be.
        audience: What `aud` must be, or hold.
        keys_url: Where the issuer publishes its JWK Set: https, or http on a loopback address.
    """

    issuer: str
    audience: str
    keys_url: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "JwtSettings | None":
        """Read the settings; without an issuer there are none.

        Raises:
            ValueError: An issuer without an audience, or without a URL that nobody between can tamper with.
        """
        issuer = environment.get("PACKYARD_JWT_ISSUER", "")
        if not issuer:
            return None
        audience = environment.get("PACKYARD_JWT_AUDIENCE", "")
        if not audience:
            raise ValueError(
                "PACKYARD_JWT_AUDIENCE: an issuer needs one; its tokens for others are not for us"
            )
        keys_url = environment.get("PACKYARD_JWKS_URL", "")
        if not _is_confidential(keys_url):
            raise ValueError("PACKYARD_JWKS_URL: must be an https URL")
        return cls(issuer=issuer, audience=audience, keys_url=keys_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One deployment's settings; `template.yaml` states each as a parameter or a resource.

    Attributes:
        table: The DynamoDB table.
        staging_bucket: Where archives wait while their image is built.
        cleanup_queue_url: The SQS queue that `clean_up` reads.
        build_queue_url: The SQS queue that `build_upload` reads.
        registry_url: Base URL of our own registry: scheme, host and port.
        registry_kind: `ecr` adds ECR's token, repository creation and deletion to the distribution protocol.
        registry_login: ARN of the secret with our login to a registry of kind `distribution`; empty for none.
        repository_prefix: What the name of every repository that we push to begins with; one segment or more.
        cursor_secret: ARN of the secret that signs list cursors.
        api_domain: Parent domain of the organisations' hosts; empty when only the stage URL is used.
        inline_archive_bytes: The largest request body that the gateway passes on whole.
        publish_deadline_seconds: Longer than any build can live; an image still unreferenced then is an orphan.
        archive_limits: Bounds on archives.
        jwt: Whose JWTs are taken; None for nobody's.
        trusted_registries: Registries that may have addresses which are not public: `[http://]host[:port]`, joined by
            commas, with `*` for any port. Plain HTTP is spoken to those that say so, and to this machine.
        registry_credentials: ARN of the secret that says what to show other people's registries; empty for nothing.
    """

    table: str
    staging_bucket: str
    cleanup_queue_url: str
    build_queue_url: str
    registry_url: str
    cursor_secret: str
    registry_kind: RegistryKind = "ecr"
    registry_login: str = ""
    repository_prefix: str = "packs"
    api_domain: str = ""
    inline_archive_bytes: int = 4_718_592
    publish_deadline_seconds: int = 960
    archive_limits: ArchiveLimits = field(default_factory=ArchiveLimits)
    jwt: JwtSettings | None = None
    trusted_registries: str = ""
    registry_credentials: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings from `PACKYARD_*` variables.

        Raises:
            KeyError: A variable that has no default is missing.
            ValueError: A number is not a number, the registry's kind is not known, its login would go over plain HTTP,
                or JWTs are half set up.
        """
        limits = ArchiveLimits()
        kind = environment.get("PACKYARD_REGISTRY_KIND", "ecr")
        if kind not in ("ecr", "distribution"):
            raise ValueError(f"PACKYARD_REGISTRY_KIND: {kind!r} is neither ecr nor distribution")
        registry_url = environment["PACKYARD_REGISTRY_URL"].rstrip("/")
        registry_login = environment.get("PACKYARD_REGISTRY_LOGIN", "")
        if registry_login and not _is_confidential(registry_url):
            raise ValueError("PACKYARD_REGISTRY_URL: must be an https URL; a login is only sent over https")

        def number(name: str, default: int) -> int:
            return int(environment.get(f"PACKYARD_{name}", default))

        return cls(
            table=environment["PACKYARD_TABLE"],
            staging_bucket=environment["PACKYARD_STAGING_BUCKET"],
            cleanup_queue_url=environment["PACKYARD_CLEANUP_QUEUE_URL"],
            build_queue_url=environment["PACKYARD_BUILD_QUEUE_URL"],
            registry_url=registry_url,
            registry_login=registry_login,
            cursor_secret=environment["PACKYARD_CURSOR_SECRET"],
            registry_kind="ecr" if kind == "ecr" else "distribution",
            repository_prefix=environment.get("PACKYARD_REPOSITORY_PREFIX", "packs"),
            api_domain=environment.get("PACKYARD_API_DOMAIN", "").lower(),
            inline_archive_bytes=number("INLINE_ARCHIVE_BYTES", 4_718_592),
            publish_deadline_seconds=number("PUBLISH_DEADLINE_SECONDS", 960),
            archive_limits=ArchiveLimits(
                compressed_bytes=number("MAX_COMPRESSED_BYTES", limits.compressed_bytes),
                unpacked_bytes=number("MAX_UNPACKED_BYTES", limits.unpacked_bytes),
                members=number("MAX_MEMBERS", limits.members),
                path_bytes=number("MAX_PATH_BYTES", limits.path_bytes),
                path_depth=number("MAX_PATH_DEPTH", limits.path_depth),
                manifest_bytes=number("MAX_MANIFEST_BYTES", limits.manifest_bytes),
            ),
            jwt=JwtSettings.from_environment(environment),
            trusted_registries=environment.get("PACKYARD_TRUSTED_REGISTRIES", ""),
            registry_credentials=environment.get("PACKYARD_REGISTRY_CREDENTIALS", ""),
        )


def _is_confidential(url: str) -> bool:
    """Return whether nobody between us and a URL's host can read or change what goes there."""
    parts = urlsplit(url)
    if not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
