"""Amazon ECR for tests: its own API over the same shelves as its `/v2/`, under ECR's rules.

It answers the calls that we make (ECR API Reference: CreateRepository, DeleteRepository, BatchDeleteImage,
GetAuthorizationToken), in place of moto's, whose repositories no registry serves and which knows no indexes.
"""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.core.botocore_stubber import MockRawResponse
from tests.fake_registry.shelves import Refusal, Repository, Shelves

from packyard.oci.digest import Digest

PASSWORD: Final = "AWS:a token of this account"


class EcrShelves(Shelves):
    """Shelves on which a repository must be created before a push."""

    def repository(self, name: str, *, create: bool = False) -> Repository:  # noqa: ARG002 - ECR does not
        if name not in self.repositories:
            raise Refusal(HTTPStatus.NOT_FOUND, "NAME_UNKNOWN")
        return self.repositories[name]


class _EcrFault(Exception):
    """An error of the API, by its code."""


class Ecr:
    """Answers requests of an ECR client.

    Args:
        shelves: Returns what the registry keeps.
        clock: The present instant, UTC.
    """

    def __init__(self, *, shelves: Callable[[], Shelves], clock: Callable[[], datetime]) -> None:
        self._shelves = shelves
        self._clock = clock

    def __call__(self, request: AWSPreparedRequest) -> AWSResponse:
        target = request.headers["X-Amz-Target"]
        operation = _text(target).rpartition(".")[2]
        answers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "CreateRepository": self._create_repository,
            "DeleteRepository": self._delete_repository,
            "BatchDeleteImage": self._batch_delete_image,
            "GetAuthorizationToken": self._get_authorization_token,
            "GetDownloadUrlForLayer": self._get_download_url_for_layer,
        }
        try:
            status, answer = 200, answers[operation](json.loads(_text(request.body or "{}")))
        except _EcrFault as fault:
            status, answer = 400, {"__type": str(fault), "message": "no"}
        return AWSResponse(request.url, status, {}, MockRawResponse(json.dumps(answer)))  # type: ignore[arg-type]

    def _create_repository(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["repositoryName"]
        if name in self._shelves().repositories:
            raise _EcrFault("RepositoryAlreadyExistsException")
        self._shelves().repositories[name] = Repository()
        return {"repository": {"repositoryName": name}}

    def _delete_repository(self, asked: dict[str, Any]) -> dict[str, Any]:
        repository = self._found(asked)
        if repository.manifests and not asked.get("force"):
            raise _EcrFault("RepositoryNotEmptyException")
        del self._shelves().repositories[asked["repositoryName"]]
        return {"repository": {"repositoryName": asked["repositoryName"]}}

    def _batch_delete_image(self, asked: dict[str, Any]) -> dict[str, Any]:
        repository = self._found(asked)
        deleted, failures = [], []
        for image in asked["imageIds"]:
            digest = Digest(image["imageDigest"])
            if digest not in repository.manifests:
                failures.append({"imageId": image, "failureCode": "ImageNotFound"})
            elif any(
                digest != index and digest.encode() in manifest.raw
                for index, manifest in repository.manifests.items()
            ):
                failures.append({"imageId": image, "failureCode": "ImageReferencedByManifestList"})
            else:
                repository.delete_manifest(digest)
                deleted.append(image)
        return {"imageIds": deleted, "failures": failures}

    def _get_download_url_for_layer(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["layerDigest"] not in self._found(asked).blobs:
            raise _EcrFault("LayersNotFoundException")
        return {"downloadUrl": "https://layers.test/a-layer", "layerDigest": asked["layerDigest"]}

    def _get_authorization_token(self, _asked: dict[str, Any]) -> dict[str, Any]:
        granted = {
            "authorizationToken": b64encode(PASSWORD.encode()).decode(),
            "expiresAt": (self._clock() + timedelta(hours=12)).timestamp(),
        }
        return {"authorizationData": [granted]}

    def _found(self, asked: dict[str, Any]) -> Repository:
        repository = self._shelves().repositories.get(asked["repositoryName"])
        if repository is None:
            raise _EcrFault("RepositoryNotFoundException")
        return repository


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
