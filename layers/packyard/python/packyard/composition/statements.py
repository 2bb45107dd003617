"""The statements about images, and their keys."""

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from packyard.composition.images import Images

if TYPE_CHECKING:
    from packyard.aws.signer import Signer
    from packyard.operations.attached import AttachedStatements
    from packyard.operations.attest import Attester
    from packyard.operations.attestations import AttestationReader, PublishedKeys


class Statements(Images):
    """What makes and reads statements."""

    @cached_property
    def signer(self) -> "Signer":
        """The signer of statements."""
        from packyard.aws.signer import Signer

        return Signer(client=lambda: self.kms, key_id=self.settings.signing_key)

    @cached_property
    def attached_statements(self) -> "AttachedStatements":
        """The statements about images in our registry."""
        from packyard.operations.attached import AttachedStatements

        return AttachedStatements(
            registry=self.registry,
            repositories=self.repositories,
            repository_prefix=self.settings.repository_prefix,
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @cached_property
    def attester(self) -> "Attester":
        """Makes statements about images."""
        from packyard.operations.attest import Attester

        return Attester(
            store=self.attestation_store,
            keys=self.signing_key_store,
            repositories=self.repositories,
            attached=self.attached_statements,
            files=self.image_files,
            signer=self.signer,
            builder=self.settings.builder,
            deadline=timedelta(seconds=self.settings.publish_deadline_seconds),
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @cached_property
    def attestation_reader(self) -> "AttestationReader":
        """Reads the statements about images."""
        from packyard.operations.attestations import AttestationReader

        return AttestationReader(
            packs=self.pack_revisions, store=self.attestation_store, sources=self.image_source
        )

    @cached_property
    def published_keys(self) -> "PublishedKeys":
        """The public keys of statements."""
        from packyard.operations.attestations import PublishedKeys

        signs = self.settings.sign_images == "on"
        return PublishedKeys(
            store=self.signing_key_store, signer=self.signer if signs else None, clock=self.clock
        )
