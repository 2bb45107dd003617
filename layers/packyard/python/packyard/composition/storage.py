"""The staging bucket, and what is kept in it."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from packyard.composition.clients import Clients

if TYPE_CHECKING:
    from packyard.storage.bundles import Bundles
    from packyard.storage.door_files import DoorFiles
    from packyard.storage.downloads import Downloads
    from packyard.storage.file_indexes import FileIndexes
    from packyard.storage.kept_content import KeptContent
    from packyard.storage.locks import Locks
    from packyard.storage.staging import Staging


class Storage(Clients):
    """What the staging bucket keeps."""

    @cached_property
    def staging(self) -> "Staging":
        """The staging bucket."""
        from packyard.storage.staging import Staging

        return Staging(client=self._s3, bucket=self.settings.staging_bucket)

    @cached_property
    def indexes(self) -> "FileIndexes":
        """The file indexes of images."""
        from packyard.storage.file_indexes import FileIndexes

        return FileIndexes(client=self._s3, bucket=self.settings.staging_bucket)

    @cached_property
    def bundles(self) -> "Bundles":
        """The bundles of roles."""
        from packyard.storage.bundles import Bundles

        return Bundles(client=self._s3, bucket=self.settings.staging_bucket)

    @cached_property
    def downloads(self) -> "Downloads":
        """Short-lived URLs of what is too large for an answer."""
        from packyard.storage.downloads import Downloads

        bucket = self.settings.staging_bucket
        return Downloads(client=self._s3, bucket=bucket, clock=self.clock)

    @cached_property
    def locks(self) -> "Locks":
        """The lock documents of roles."""
        from packyard.storage.locks import Locks

        return Locks(client=self._s3, bucket=self.settings.staging_bucket)

    @cached_property
    def door_files(self) -> "DoorFiles":
        """What the doors serve."""
        from packyard.storage.door_files import DoorFiles

        return DoorFiles(client=self._s3, bucket=self.settings.staging_bucket)

    @cached_property
    def kept_content(self) -> "KeptContent":
        """What the staging bucket keeps of images."""
        from packyard.storage.kept_content import KeptContent

        return KeptContent(client=self._s3, bucket=self.settings.staging_bucket)

    @cached_property
    def _s3(self) -> Any:
        return self.client("s3")
