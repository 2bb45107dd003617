"""The settings of a deployment, stated once. The composition root alone reads them, from the environment.

The fields of `Settings`, with those of `ArchiveLimits` and `JwtSettings`, are the statement: a field has its name, its
type and, unless it must be set, its default. `variables()` derives the environment variables from it. The template must
set each of them, with the same default (tests/unit/infrastructure/test_template.py); tests and benchmarks take the
variables that must be set from `required()`.

Every function gets all settings. All read them, but `api_docs`, and `console`, which reads one (`upload_origins`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Final, Literal, NamedTuple, get_args
from urllib.parse import urlsplit

from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.attestation_state import Attestations
from packyard.packs.usage import Quotas

RegistryKind = Literal["ecr", "distribution"]

PREFIX: Final = "PACKYARD_"

# No network lies between the service and an address of its own machine, so that plain HTTP is safe there.
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Variable(NamedTuple):
    """An environment variable that states a setting.

    Attributes:
        name: The variable, `PACKYARD_` included.
        field: The field of `Settings`, `ArchiveLimits` or `JwtSettings` that it sets.
        kind: `int`, or the allowed texts, or `str` for any text.
        default: The value when the variable is absent; None when it must be there.
    """

    name: str
    field: str
    kind: Any
    default: str | int | None

    def read(self, environment: Mapping[str, str]) -> Any:
        """Return the setting's value.

        Raises:
            KeyError: The variable must be there, and is not.
            ValueError: The text is not of the setting's kind.
        """
        text = environment[self.name] if self.default is None else environment.get(self.name, self.default)
        if self.kind is int:
            try:
                return int(text)
            except ValueError:
                raise ValueError(f"{self.name}: must be a whole number") from None
        allowed = get_args(self.kind)
        if allowed and text not in allowed:
            raise ValueError(f"{self.name}: {text!r} is not one of {', '.join(allowed)}")
        return text


class JwtSettings(NamedTuple):
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
            ValueError: There is an issuer without an audience, or without a URL of https for its keys.
        """
        variables = {variable.field: variable for variable in _jwt_variables()}
        stated = {name: variable.read(environment) for name, variable in variables.items()}
        if not stated["issuer"]:
            return None
        if not stated["audience"]:
            raise ValueError(
                f"{variables['audience'].name}: an issuer needs one; its tokens for other audiences are not for us"
            )
        if not _is_confidential(stated["keys_url"]):
            raise ValueError(f"{variables['keys_url'].name}: must be an https URL")
        return cls(**stated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One deployment's settings. `template.yaml` sets each from a parameter or a resource.

    Attributes:
        table: The DynamoDB table.
        staging_bucket: The S3 bucket where archives wait while their image is built.
        cleanup_queue_url: The SQS queue that `clean_up` reads.
        build_queue_url: The SQS queue that `build_upload` reads.
        registry_url: Base URL of our own registry: scheme, host and port.
        registry_kind: `ecr` adds ECR's token, repository creation and deletion to the distribution protocol.
        registry_login: ARN of the secret with our login to a registry of kind `distribution`; empty for none.
        repository_prefix: The first segment, or segments, of the name of every repository that we push to.
        cursor_secret: ARN of the secret that signs list cursors.
        pull_token_secret: ARN of the secret that signs pull tokens.
        registry_pull_role: ARN of the role whose sessions get logins at ECR.
        webhook_key: ARN of the KMS key that encrypts the secrets of webhooks.
        delivery_queue_url: The FIFO queue of the first attempts at deliveries to webhooks.
        delivery_retry_queue_url: The queue of deliveries that have failed.
        delivery_dead_letters_url: The queue of deliveries that have failed for a day.
        signing_key: ARN of the KMS key that signs statements about images.
        attestation_queue_url: The queue of images about which statements are to be made.
        preparation_queue_url: The queue of images that are to be prepared for the doors.
        sign_images: Whether statements are made about new images, `on` or `off`.
        door_host: Host, and port if any, of the distribution door; empty when it is each organisation's own host.
        api_domain: Parent domain of the organisations' hosts; empty when only the stage URL is used.
        inline_archive_bytes: The largest request body that the gateway passes on whole.
        publish_deadline_seconds: Longer than any build can run. An image that no pack uses by then is removed.
        event_days: For how many days events are kept.
        quota_packs, quota_stored_bytes, quota_publishes_a_day, quota_builds_at_once: What an organisation may use for
            which the operator has set no limit of its own (`packs.usage.Quotas`); 0 for no limit.
        archive_limits: Bounds on archives.
        jwt: Whose JWTs are accepted; None when none are.
        trusted_registries: Registries whose addresses need not be public: `[http://]host[:port]`, joined by commas,
            with `*` for any port. Plain HTTP is used with those that have `http://`, and with this machine.
        trusted_webhook_hosts: Hosts of webhooks whose addresses need not be public, in the same form.
        trusted_issuer_hosts: Hosts of trusted publishers' issuers whose addresses need not be public, in the same form.
        public_url: The deployment's URL where clients know it by another name than the gateway's: `aud` of the tokens
            of CI begins with it. Empty for the URL by which a request came.
        event_bus_name: The event bus of EventBridge that gets all events; empty for none.
        scan_function: The function that scans, with its alias; empty if nothing is scanned.
        dead_letter_queues: The dead-letter queues, `name=URL` with a space between; empty but for the operator's view.
        registry_credentials: ARN of the secret with the credentials for third-party registries; empty for none.
    """

    table: str
    staging_bucket: str
    cleanup_queue_url: str
    build_queue_url: str
    registry_url: str
    cursor_secret: str
    pull_token_secret: str
    registry_pull_role: str
    webhook_key: str
    delivery_queue_url: str
    delivery_retry_queue_url: str
    delivery_dead_letters_url: str
    signing_key: str
    attestation_queue_url: str
    preparation_queue_url: str
    sign_images: Literal["on", "off"] = "on"
    registry_kind: RegistryKind = "ecr"
    registry_login: str = ""
    repository_prefix: str = "packs"
    door_host: str = ""
    api_domain: str = ""
    inline_archive_bytes: int = 4_718_592
    publish_deadline_seconds: int = 960
    event_days: int = 400
    quota_packs: int = 0
    quota_stored_bytes: int = 0
    quota_publishes_a_day: int = 0
    quota_builds_at_once: int = 8
    archive_limits: ArchiveLimits = field(default_factory=ArchiveLimits)
    jwt: JwtSettings | None = None
    trusted_registries: str = ""
    registry_credentials: str = ""
    trusted_webhook_hosts: str = ""
    trusted_issuer_hosts: str = ""
    public_url: str = ""
    event_bus_name: str = ""
    scan_function: str = ""
    dead_letter_queues: str = ""

    @property
    def dead_letters(self) -> Mapping[str, str]:
        """The URLs of the dead-letter queues, by the names that the operator's command has for them."""
        return dict(pair.split("=", 1) for pair in self.dead_letter_queues.split())

    @property
    def builder(self) -> str:
        """The URI of this deployment in provenance: of its domain, or else of the registry that it pushes to."""
        if self.api_domain:
            return f"https://{self.api_domain}"
        return f"{self.registry_url}/{self.repository_prefix}"

    @property
    def attestations(self) -> Attestations:
        """The state of a new image: whether statements are made about it."""
        return Attestations.PENDING if self.sign_images == "on" else Attestations.OFF

    @property
    def quotas(self) -> Quotas:
        """What an organisation may use for which the operator has set no limit of its own."""
        return Quotas(
            packs=self.quota_packs or None,
            stored_bytes=self.quota_stored_bytes or None,
            publishes_a_day=self.quota_publishes_a_day or None,
            builds_at_once=self.quota_builds_at_once or None,
        )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings from `PACKYARD_*` variables.

        Raises:
            KeyError: A variable that has no default is missing.
            ValueError: A number is not a number, the registry's kind is not known, its login would be sent over plain
                HTTP, or the settings of JWTs are incomplete.
        """
        own = {variable.field: variable.read(environment) for variable in _variables_of(Settings)}
        limits = {variable.field: variable.read(environment) for variable in _limit_variables()}
        own["registry_url"] = own["registry_url"].rstrip("/")
        own["api_domain"] = own["api_domain"].lower()
        own["public_url"] = own["public_url"].rstrip("/")
        if own["registry_login"] and not _is_confidential(own["registry_url"]):
            raise ValueError(f"{PREFIX}REGISTRY_URL: must be an https URL; a login is only sent over https")
        return cls(
            **own,
            archive_limits=ArchiveLimits(**limits),
            jwt=JwtSettings.from_environment(environment),
        )


def variables() -> tuple[Variable, ...]:
    """Return every environment variable that states a setting."""
    return (*_variables_of(Settings), *_limit_variables(), *_jwt_variables())


def required() -> tuple[str, ...]:
    """Return the names of the variables that must be there."""
    return tuple(variable.name for variable in variables() if variable.default is None)


def _variables_of(kind: type[Settings | ArchiveLimits], prefix: str = "") -> Iterator[Variable]:
    for each in fields(kind):
        # The fields that hold other settings have variables of their own.
        if each.name not in ("archive_limits", "jwt"):
            name = f"{PREFIX}{prefix}{each.name.upper()}"
            default = None if each.default is MISSING else each.default
            yield Variable(name=name, field=each.name, kind=each.type, default=default)


def _limit_variables() -> Iterator[Variable]:
    return _variables_of(ArchiveLimits, "MAX_")


def _jwt_variables() -> Iterator[Variable]:
    # An issuer is optional; what it needs when it is there is checked together.
    for name, setting in (("JWT_ISSUER", "issuer"), ("JWT_AUDIENCE", "audience"), ("JWKS_URL", "keys_url")):
        yield Variable(name=f"{PREFIX}{name}", field=setting, kind=str, default="")


def _is_confidential(url: str) -> bool:
    """Return whether nobody on the network can read or change what is sent to a URL."""
    parts = urlsplit(url)
    if not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
