"""The clients of this container, its clock and its randomness: what everything else is made of."""

import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from packyard.aws.outages import OutOfTime
from packyard.composition.deadline import (
    COMMIT_SECONDS,
    CONNECT_SECONDS,
    READ_SECONDS,
    SCAN_SECONDS,
    Deadline,
)
from packyard.composition.settings import Settings

if TYPE_CHECKING:
    from packyard.aws.signing_secret import SigningSecret

# The SDK's default mode of retries is `legacy`, and its default timeouts are a minute. Another attempt is made only
# while the invocation has time for it (`aws_client`).
_CLIENT_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
)

# By default, the SDK signs forms with an older scheme, and for a host that redirects requests to most Regions.
_S3_CONFIG = _CLIENT_CONFIG.merge(Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))

# A scan is asked for once. The function's own time is shorter.
_SCAN_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 1},
    connect_timeout=CONNECT_SECONDS,
    read_timeout=SCAN_SECONDS,
)

# The SDK's names of credentials, and STS's.
_OF_STS = {
    "aws_access_key_id": "AccessKeyId",
    "aws_secret_access_key": "SecretAccessKey",
    "aws_session_token": "SessionToken",
}


def aws_client(
    service: Any, *, deadline: Deadline, region: str | None = None, session: Mapping[str, Any] | None = None
) -> Any:
    """Return an AWS service's client, which makes no attempt after the invocation's time is over.

    Args:
        service: The SDK's name of the service.
        deadline: The end of the invocation.
        region: The Region; the function's own by default.
        session: The credentials of a role's session, as STS returns them; the function's own by default.
    """
    config = {"s3": _S3_CONFIG, "lambda": _SCAN_CONFIG}.get(service, _CLIENT_CONFIG)
    credentials = {name: session[of_sts] for name, of_sts in _OF_STS.items()} if session else {}
    client: Any = boto3.client(service, region_name=region, config=config, **credentials)

    def require_time(**_: object) -> None:
        if deadline.left(keep=COMMIT_SECONDS) <= 0:
            raise OutOfTime

    client.meta.events.register_first("before-send", require_time)
    return client


def _client(service: str) -> Any:
    return aws_client(service, deadline=Deadline())


def _session_client(service: str, session: Mapping[str, Any]) -> Any:
    return aws_client(service, deadline=Deadline(), session=session)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _new_ulid() -> str:
    from ulid import ULID

    return str(ULID())


# Not frozen: cached properties are written on first use.
@dataclass(kw_only=True)
class Clients:
    """One container's settings, and the clients made with them.

    Attributes:
        settings: This deployment's.
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
        sleep: Waits for so many seconds.
        random: A random number from 0 up to 1. It is not for secrets.
        random_bytes: That many bytes from the operating system's random source, for secrets.
        deadline: The end of the present invocation.
        client: Makes an AWS service's client that keeps to the deadline.
        session_client: The same with the credentials of a role's session, as STS returns them.
    """

    settings: Settings
    clock: Callable[[], datetime] = _utc_now
    new_ulid: Callable[[], str] = _new_ulid
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random
    random_bytes: Callable[[int], bytes] = os.urandom
    deadline: Deadline = field(default_factory=Deadline)
    client: Callable[[str], Any] = _client
    session_client: Callable[[str, Mapping[str, Any]], Any] = _session_client

    @cached_property
    def secrets_manager(self) -> Any:
        """Secrets Manager's client."""
        return self.client("secretsmanager")

    @cached_property
    def kms(self) -> Any:
        """KMS's client."""
        return self.client("kms")

    def registry_time_left(self) -> float:
        """Return for how many seconds a registry may be waited for. Time for the commit and the answer is left out."""
        return self.deadline.left(keep=COMMIT_SECONDS)

    def _secret(self, arn: str, label: str = "AWSCURRENT") -> str:
        from packyard.aws.outages import outages_translated

        with outages_translated():
            secret = self.secrets_manager.get_secret_value(SecretId=arn, VersionStage=label)
        # A secret that holds bytes has no SecretString. Ours must be text: an empty one is refused as malformed.
        return str(secret.get("SecretString", ""))

    def _signing_secret(self, name: str, arn: str) -> "SigningSecret":
        from packyard.aws.signing_secret import PREVIOUS, SigningSecret

        def load(label: str) -> str | None:
            try:
                return self._secret(arn, label)
            except self.secrets_manager.exceptions.ResourceNotFoundException:
                # Before its first rotation a secret has no previous version.
                if label == PREVIOUS:
                    return None
                raise

        return SigningSecret(name=name, load=load, clock=self.clock)
