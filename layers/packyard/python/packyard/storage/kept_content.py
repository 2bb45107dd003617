"""Removing what the staging bucket keeps of an image: its file index, checkpoints, and staged layers and files.

All of it is a cache, which can be made again from an image that is still there. So it does no harm to remove what
another image shares.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from packyard.aws.outages import outages_translated
from packyard.errors import ServiceUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

# The most keys in one request (API_DeleteObjects).
_MOST: Final = 1000


class KeptContent:
    """The bucket's caches of images.

    Args:
        client: An S3 client.
        bucket: The bucket's name.
    """

    def __init__(self, *, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def remove(self, keys: Iterable[str]) -> None:
        """Remove objects. Those that are not there count as removed (API_DeleteObjects). One request for each 1,000.

        Args:
            keys: Their keys, each once.

        Raises:
            ServiceUnavailable: S3 did not answer, or did not remove all of them.
        """
        wanted = list(keys)
        for start in range(0, len(wanted), _MOST):
            objects: list[ObjectIdentifierTypeDef] = [{"Key": key} for key in wanted[start : start + _MOST]]
            with outages_translated():
                answer = self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True}
                )
            if answer.get("Errors"):
                raise ServiceUnavailable
