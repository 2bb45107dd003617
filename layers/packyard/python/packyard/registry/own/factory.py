"""Puts our own registry together; called by the composition root."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import urllib3

from packyard.registry.credentials import Credential
from packyard.registry.own.client import RegistryClient
from packyard.registry.own.distribution import PARALLEL_UPLOADS, DistributionRegistry
from packyard.registry.own.ecr import EcrRegistry
from packyard.registry.own.transport import Exchange, Timeouts, Transport

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient


def ecr_registry(*, url: str, ecr: "ECRClient", credential: Credential, timeouts: Timeouts) -> EcrRegistry:
    """Return the Amazon ECR registry at `url`.

    Args:
        url: Scheme, host and port.
        ecr: A client for the account that holds the registry.
        credential: Our credential for it, an `EcrToken` on AWS.
        timeouts: How long to wait for its answers.
    """
    client = _client(url=url, credential=credential, timeouts=timeouts)
    return EcrRegistry(client=client, host=urlsplit(url).netloc, ecr=ecr)


def distribution_registry(*, url: str, credential: Credential, timeouts: Timeouts) -> DistributionRegistry:
    """Return the registry at `url`, used by the OCI distribution API alone.

    Args:
        url: Scheme, host and port.
        credential: Our credential for it.
        timeouts: How long to wait for its answers.
    """
    client = _client(url=url, credential=credential, timeouts=timeouts)
    return DistributionRegistry(client=client, host=urlsplit(url).netloc)


def registry_login(
    *, url: str, load: Callable[[], str], timeouts: Timeouts, clock: Callable[[], datetime]
) -> Credential:
    """Return our login to the registry at `url`.

    Args:
        url: Scheme, host and port.
        load: Returns the text of the secret; `LoginSecret` describes its form.
        timeouts: How long to wait for the registry's token server.
        clock: Returns the current time in UTC.
    """
    # Imported here because only deployments with such a login need these modules.
    from packyard.registry.own.login import RegistryLogin  # noqa: PLC0415
    from packyard.registry.own.login_secret import LoginSecret  # noqa: PLC0415
    from packyard.registry.own.token_server import TokenServer  # noqa: PLC0415

    exchange = Exchange(http=urllib3.PoolManager(maxsize=1), timeouts=timeouts)
    return RegistryLogin(
        secret=LoginSecret(load=load, clock=clock),
        server=TokenServer(exchange=exchange, base_url=url),
        clock=clock,
    )


def _client(*, url: str, credential: Credential, timeouts: Timeouts) -> RegistryClient:
    # One connection more for a layer that is sent early.
    http = urllib3.PoolManager(maxsize=PARALLEL_UPLOADS + 1)
    exchange = Exchange(http=http, timeouts=timeouts)
    return RegistryClient(
        Transport(exchange=exchange, base_url=url, credential=credential, timeouts=timeouts)
    )
