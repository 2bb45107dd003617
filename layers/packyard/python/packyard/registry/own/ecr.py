"""Amazon ECR: the distribution API for pushing, its own API for repositories and deletion."""

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
        client: Speaks to the registry's `/v2/`.
        host: What an image reference starts with.
        ecr: The client of the account that holds the registry.
    """

    def __init__(self, *, client: RegistryClient, host: str, ecr: "ECRClient") -> None:
        super().__init__(client=client, host=host)
        self._ecr = ecr

    def create_repository(self, repository: str) -> bool | None:
        """See `ImageRegistry` (API_CreateRepository).

        Tags are mutable: they follow the version that stands, and a pack is pinned by digest, not by tag.
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

        ECR keeps a manifest that an index names (ImageReferencedByManifestList), so the index goes first, in
        a call of its own. An image that others have built may be one manifest and no index.
        """
        answered = self._delete(repository, digests[:1])
        if len(digests) == 1:
            return answered
        return self._delete(repository, digests[1:]) and answered

    def delete_empty_repository(self, repository: str) -> bool:
        """See `ImageRegistry` (API_DeleteRepository): without `force` ECR removes no repository that has images."""
        try:
            answer: Any = self._ecr.delete_repository(repositoryName=repository)
        except (
            self._ecr.exceptions.RepositoryNotFoundException,
            self._ecr.exceptions.RepositoryNotEmptyException,
        ) as settled:
            answer = settled.response
        except (BotoCoreError, ClientError) as error:
            raise RegistryCleanupFailed from error
        return _was_first(answer)

    def purge_repository(
        self,
        repository: str,
        indexes: Iterable[Digest],  # noqa: ARG002 - ECR knows what it has
    ) -> bool:
        """See `ImageRegistry`: the repository goes with all that is in it (DeleteRepository, `force`)."""
        try:
            answer: Any = self._ecr.delete_repository(repositoryName=repository, force=True)
        except self._ecr.exceptions.RepositoryNotFoundException as gone:
            answer = gone.response
        except (BotoCoreError, ClientError) as error:
            raise RegistryCleanupFailed from error
        return _was_first(answer)

    def _delete(self, repository: str, digests: Sequence[Digest]) -> bool:
        """Remove what has no dependants. The call succeeds even when an item fails (BatchDeleteImage)."""
        try:
            answer = self._ecr.batch_delete_image(
                repositoryName=repository, imageIds=[{"imageDigest": digest} for digest in digests]
            )
        except self._ecr.exceptions.RepositoryNotFoundException as gone:
            return _was_first(gone.response)
        except (BotoCoreError, ClientError) as error:
            raise RegistryCleanupFailed from error
        left = [failure for failure in answer["failures"] if failure["failureCode"] != "ImageNotFound"]
        if left:
            failed = RegistryCleanupFailed()
            failed.add_note(f"{repository}: {left}")
            raise failed
        return _was_first(answer)


def _was_first(answer: Any) -> bool:
    """Return whether an answer is to the SDK's first attempt."""
    return not answer.get("ResponseMetadata", {}).get("RetryAttempts")
