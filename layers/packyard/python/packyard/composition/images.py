"""The images of packs, and their files."""

from functools import cached_property
from typing import TYPE_CHECKING

from packyard.composition.queues import Queues
from packyard.composition.registries import Registries
from packyard.composition.storage import Storage
from packyard.composition.stores import Stores

if TYPE_CHECKING:
    from packyard.operations.built_images import BuiltImages
    from packyard.operations.comparison import PackComparer
    from packyard.operations.download import Downloader
    from packyard.operations.files import PackFiles
    from packyard.operations.image_files import ImageFiles
    from packyard.operations.served_images import ServedImages
    from packyard.operations.standing_pack import StandingPacks


class Images(Registries, Stores, Storage, Queues):
    """What reads and builds images."""

    @cached_property
    def built_images(self) -> "BuiltImages":
        """The images in our own registry."""
        from packyard.operations.built_images import BuiltImages

        return BuiltImages(
            registry=self.registry,
            cleanup_queue=self.cleanup_queue,
            repository_prefix=self.settings.repository_prefix,
            attestations=self.settings.attestations,
            time_left=self.registry_time_left,
            clock=self.clock,
        )

    @cached_property
    def image_files(self) -> "ImageFiles":
        """The reader of the files in packs' images."""
        from packyard.operations.image_files import ImageFiles

        return ImageFiles(sources=self.image_source, indexes=self.indexes)

    @cached_property
    def files(self) -> "PackFiles":
        """The reader of packs' files."""
        from packyard.operations.files import PackFiles

        return PackFiles(images=self.image_files, downloads=self.downloads)

    @cached_property
    def comparer(self) -> "PackComparer":
        """The comparer of packs' revisions."""
        from packyard.operations.comparison import PackComparer

        return PackComparer(packs=self.pack_revisions, images=self.image_files)

    @cached_property
    def served_images(self) -> "ServedImages":
        """The reader of pinned images, for the distribution door."""
        from packyard.operations.served_images import ServedImages

        return ServedImages(sources=self.image_source, registry=self.registry, downloads=self.downloads)

    @cached_property
    def downloader(self) -> "Downloader":
        """The downloader of packs' images."""
        from packyard.operations.download import Downloader

        return Downloader(images=self.served_images, own_host=self.image_source.own.host)

    @cached_property
    def standing_packs(self) -> "StandingPacks":
        """Finds the packs that large archives replace."""
        from packyard.operations.standing_pack import StandingPacks

        return StandingPacks(packs=self.packs, files=self.image_files)
