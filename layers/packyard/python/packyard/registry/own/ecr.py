"""Amazon ECR: the distribution API to push, ECR's own API to create repositories and to delete."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from packyard.aws.outages import outages_translated
from packyard.errors import RegistryCleanupFailed, RepositoryQuotaReached
from packyard.oci.digest import Digest
from packyard.registry.own.client import RegistryClient
from packyard.registry.own.distribution import DistributionRegistry

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

logger = Logger(child=True)

_QUOTA_ADVICE: Final = (
    "ECR creates no more repositories in this account and Region. Raise the quota 'Registered repositories' of Amazon"
    " ECR (Service Quotas), or remove repositories that are not Packyard's. Packs that have a repository still work."
)


class EcrRegistry(DistributionRegistry):
    """Implements `ImageRegistry`.

    Args:
        client: Calls the registry's distribution API, `/v2/`.
        host: The host, and port if any, with which image references start.
        ecr: A client for the account that holds the registry.
    """

    def __init__(self, *, client: RegistryClient, host: str, ecr: "ECRClient") -> None:
        super().__init__(client=client, host=host)
        self._ecr = ecr

    def create_repository(self, repository: str) -> bool | None:
        """See `ImageRegistry` (API_CreateRepository).

        Tags are mutable, so that the tag of a version can move to its current image. Packs are pinned by digest.
        """
        try:
            with outages_translated():
                self._ecr.create_repository(repositoryName=repository, imageTagMutability="MUTABLE")
        except self._ecr.exceptions.RepositoryAlreadyExistsException:
            return False
        except self._ecr.exceptions.LimitExceededException as full:
            logger.error(_QUOTA_ADVICE, extra={"repository": repository})  # noqa: TRY400 - the cause is known
            raise RepositoryQuotaReached from full
        return True

    def delete_image(self, repository: str, digests: Sequence[Digest]) -> bool:
        """See `ImageRegistry`.

        ECR refuses to delete a manifest that an index lists (ImageReferencedByManifestList), so a call of its own
        deletes the index first. A copied image may be a single manifest without an index.
        """
        answered = self._delete(repository, digests[:1])
        if len(digests) == 1:
            return answered
        return self._delete(repository, digests[1:]) and answered

    def delete_empty_repository(self, repository: str) -> bool:
        """See `ImageRegistry`. ECR deletes no repository that has images without `force` (DeleteRepository)."""
        try:
            answer: Any = self._ecr.delete_repository(repositoryName=repository)
        except (
            self._ecr.exceptions.RepositoryNotFoundException,
            self._ecr.exceptions.RepositoryNotEmptyException,
        ) as settled:
            answer = settled.response
        except (BotoCoreError, ClientError) as error:
            raise RegistryCleanupFailed from error
        return _on_first_attempt(answer)

    def purge_repository(
        self,
        repository: str,
        indexes: Iterable[Digest],  # noqa: ARG002 - ECR deletes all that it has
    ) -> bool:
        """See `ImageRegistry`. Deletes the repository with all its images (DeleteRepository, `force`)."""
        try:
            answer: Any = self._ecr.delete_repository(repositoryName=repository, force=True)
        except self._ecr.exceptions.RepositoryNotFoundException as gone:
            answer = gone.response
        except (BotoCoreError, ClientError) as error:
            raise RegistryCleanupFailed from error
        return _on_first_attempt(answer)

    def _delete(self, repository: str, digests: Sequence[Digest]) -> bool:
        """Delete manifests that no index lists. The call itself succeeds even when an item fails (BatchDeleteImage)."""
        try:
            answer = self._ecr.batch_delete_image(
                repositoryName=repository, imageIds=[{"imageDigest": digest} for digest in digests]
            )
        except self._ecr.exceptions.RepositoryNotFoundException as gone:
            return _on_first_attempt(gone.response)
        except (BotoCoreError, ClientError) as error:
            raise RegistryCleanupFailed from error
        left = [failure for failure in answer["failures"] if failure["failureCode"] != "ImageNotFound"]
        if left:
            failed = RegistryCleanupFailed()
            failed.add_note(f"{repository}: {left}")
            raise failed
        return _on_first_attempt(answer)


def _on_first_attempt(answer: Any) -> bool:
    """Tell whether the SDK got this answer on its first attempt."""
    return not answer.get("ResponseMetadata", {}).get("RetryAttempts")
