"""What publishes packs: from images, archives, edits and other packs."""

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from packyard.composition.rules import Rules

if TYPE_CHECKING:
    from packyard.operations.build import Builder
    from packyard.operations.clone import Cloner
    from packyard.operations.dry_run import DryRun
    from packyard.operations.edit import FileEditor
    from packyard.operations.publish import Publisher
    from packyard.operations.register import Registrar
    from packyard.operations.uploads import Uploads

# How often a build is tried. Each attempt has a lease of its own, after the one before.
_BUILD_ATTEMPTS = 4


class Publishing(Rules):
    """What makes new revisions of packs."""

    @cached_property
    def registrar(self) -> "Registrar":
        """Registers packs by the image that carries them."""
        from packyard.operations.register import Registrar

        # The images' reader loads these with the first image, which is too late for a snapshot.
        from packyard.packs.manifest import pack_manifest  # noqa: F401
        from packyard.registry.third_party import (  # noqa: F401
            authorization,
            brought_signatures,
            chosen_image,
            pack_file,
        )

        return Registrar(
            packs=self.packs,
            repositories=self.repositories,
            images=self.image_source,
            versions=self.version_rule,
            attestations=self.settings.attestations,
            signatures=self.signature_rule,
            scans=self.scan_rule,
            deadline=timedelta(seconds=self.settings.publish_deadline_seconds),
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @cached_property
    def publisher(self) -> "Publisher":
        """Publishes archives."""
        from packyard.operations.publish import Publisher

        return Publisher(
            packs=self.packs,
            repositories=self.repositories,
            staging=self.staging,
            cleanup_queue=self.cleanup_queue,
            images=self.built_images,
            indexes=self.indexes,
            standing_packs=lambda: self.standing_packs,
            versions=self.version_rule,
            scans=self.scan_rule,
            limits=self.settings.archive_limits,
            deadline=timedelta(seconds=self.settings.publish_deadline_seconds),
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @cached_property
    def file_editor(self) -> "FileEditor":
        """Writes files into packs."""
        from packyard.operations.edit import FileEditor

        return FileEditor(
            packs=self.packs,
            repositories=self.repositories,
            images=self.built_images,
            files=self.image_files,
            indexes=self.indexes,
            versions=self.version_rule,
            scans=self.scan_rule,
            limits=self.settings.archive_limits,
            deadline=timedelta(seconds=self.settings.publish_deadline_seconds),
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @cached_property
    def cloner(self) -> "Cloner":
        """Clones packs."""
        from packyard.operations.clone import Cloner

        return Cloner(
            packs=self.packs,
            repositories=self.repositories,
            images=self.built_images,
            sources=self.image_source,
            versions=self.version_rule,
            signatures=self.signature_rule,
            scans=self.scan_rule,
            max_bytes=self.settings.archive_limits.compressed_bytes,
            deadline=timedelta(seconds=self.settings.publish_deadline_seconds),
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    def dry_run(self) -> "DryRun":
        """Return what lets one request run without keeping anything."""
        from packyard.operations.dry_run import DryRun

        return DryRun(
            table=self.table,
            events=self.events,
            usage=self.usage_ledger,
            files=lambda: self.image_files,
            limits=self.settings.archive_limits,
        )

    @cached_property
    def uploads(self) -> "Uploads":
        """Staged uploads, as their clients see them."""
        from packyard.operations.uploads import Uploads

        return Uploads(
            uploads=self.upload_store,
            packs=self.packs,
            staging=self.staging,
            cleanup_queue=self.cleanup_queue,
            max_bytes=self.settings.archive_limits.compressed_bytes,
            build_time=self._build_time,
            clock=self.clock,
            new_ulid=self.new_ulid,
            request_id=lambda: self.deadline.request_id,
            ci=lambda: self.deadline.ci,
            source=lambda: self.deadline.source,
        )

    @cached_property
    def builder(self) -> "Builder":
        """Builds the archives that clients have staged."""
        from packyard.operations.build import Builder

        return Builder(
            uploads=self.upload_store,
            slots=self.build_slots,
            queue=self.build_queue,
            staging=self.staging,
            publisher=self.publisher,
            file_editor=self.file_editor,
            version_policies=self.version_policies,
            dry_run=self.dry_run,
            lease=timedelta(seconds=self.settings.publish_deadline_seconds),
            build_time=self._build_time,
            clock=self.clock,
            new_ulid=self.new_ulid,
            random=self.random,
            goes_on_with=self.deadline.goes_on_with,
        )

    @property
    def _build_time(self) -> timedelta:
        return _BUILD_ATTEMPTS * timedelta(seconds=self.settings.publish_deadline_seconds)
