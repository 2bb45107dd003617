"""Our own registry, and those of others."""

import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from packyard.composition.clients import Clients, aws_client

if TYPE_CHECKING:
    from packyard.registry.credentials import Credential
    from packyard.registry.own.ecr_logins import EcrLogins
    from packyard.registry.own.port import ImageRegistry
    from packyard.registry.own.transport import Timeouts
    from packyard.registry.third_party.pull import ImageSource


class Registries(Clients):
    """The registries, and what opens them."""

    @cached_property
    def registry_credential(self) -> "Credential":
        """The credential for our own registry, for pushing and for pulling."""
        from packyard.registry.credentials import Anonymous, EcrToken

        settings = self.settings
        if settings.registry_kind == "ecr":
            return EcrToken(ecr=self._ecr, clock=self.clock)
        if not settings.registry_login:
            return Anonymous()
        from packyard.registry.own.factory import registry_login

        return registry_login(
            url=settings.registry_url,
            load=lambda: self._secret(settings.registry_login),
            timeouts=self._timeouts,
            clock=self.clock,
        )

    @cached_property
    def registry(self) -> "ImageRegistry":
        """Our own registry."""
        from packyard.registry.own.factory import distribution_registry, ecr_registry

        url, credential, timeouts = self.settings.registry_url, self.registry_credential, self._timeouts
        if self.settings.registry_kind == "distribution":
            return distribution_registry(url=url, credential=credential, timeouts=timeouts)
        return ecr_registry(url=url, ecr=self._ecr, credential=credential, timeouts=timeouts)

    @cached_property
    def ecr_logins(self) -> "EcrLogins | None":
        """The logins at ECR that open a list of repositories; None where the registry is not ECR."""
        from packyard.registry.own.ecr_logins import EcrLogins

        if self.settings.registry_kind != "ecr":
            return None
        return EcrLogins(
            sts=lambda: self._sts,
            ecr=lambda session: self.session_client("ecr", session),
            role_arn=self.settings.registry_pull_role,
        )

    @cached_property
    def image_source(self) -> "ImageSource":
        """The reader of packs in images of any registry."""
        from packyard.registry.credentials import EcrToken
        from packyard.registry.third_party.pull import OwnRegistry
        from packyard.registry.third_party.pull_credentials import ThirdPartyCredentials
        from packyard.registry.third_party.source_factory import image_source

        settings = self.settings
        own = OwnRegistry(
            url=settings.registry_url,
            credential=self.registry_credential,
            prefix=settings.repository_prefix,
        )
        third_party = ThirdPartyCredentials(
            load=self._registry_credentials,
            ecr_token=lambda region: EcrToken(
                ecr=aws_client("ecr", deadline=self.deadline, region=region), clock=self.clock
            ),
            clock=self.clock,
        )
        return image_source(
            own=own,
            trusted=settings.trusted_registries,
            credentials=third_party,
            manifest_bytes=settings.archive_limits.manifest_bytes,
            monotonic=time.monotonic,
            time_left=self.registry_time_left,
        )

    @cached_property
    def _ecr(self) -> Any:
        return self.client("ecr")

    @cached_property
    def _sts(self) -> Any:
        return self.client("sts")

    @cached_property
    def _timeouts(self) -> "Timeouts":
        from packyard.registry.own.transport import Timeouts

        return Timeouts(
            sleep=self.sleep,
            monotonic=time.monotonic,
            random=self.random,
            # A registry needs long for a large layer, and `build_upload` has the time. Other functions end earlier.
            read_seconds=80,
            total_seconds=240,
            pause_seconds=48,
            time_left=self.registry_time_left,
        )

    def _registry_credentials(self) -> str:
        if not self.settings.registry_credentials:
            return "{}"
        return self._secret(self.settings.registry_credentials)
