"""The policies of organisations, and what decides by them."""

import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from packyard.composition.images import Images

if TYPE_CHECKING:
    from packyard.aws.scan_function import ScanFunction
    from packyard.operations.brought_signatures import BroughtSignatures
    from packyard.operations.content_scan import ContentScanner
    from packyard.operations.pack_scans import PackScans
    from packyard.operations.policies import Policies
    from packyard.operations.rescan import Rescanner
    from packyard.operations.scan_rule import ScanRule
    from packyard.operations.signature_policy import SignatureRule
    from packyard.operations.version_policy import VersionRule
    from packyard.scanning.policy import ScanPolicy
    from packyard.signatures.policy import SignaturePolicy
    from packyard.tenants.version_policy import VersionPolicy


class Rules(Images):
    """Policies on versions, signatures and scans, and the scans."""

    @cached_property
    def version_policies(self) -> "Policies[VersionPolicy]":
        """Reads and sets version policies."""
        from packyard.operations.policies import Policies

        return Policies(store=self.version_policy_store, thing="version policy")

    @cached_property
    def version_rule(self) -> "VersionRule":
        """Decides whether a version may be published."""
        from packyard.operations.version_policy import VersionRule

        return VersionRule(published=self.published_versions)

    @cached_property
    def signature_policies(self) -> "Policies[SignaturePolicy]":
        """Reads and sets signature policies."""
        from packyard.operations.policies import Policies

        return Policies(store=self.signature_policy_store, thing="signature policy")

    @cached_property
    def signature_rule(self) -> "SignatureRule":
        """Decides whether registered images may be used."""
        from packyard.operations.signature_policy import SignatureRule

        return SignatureRule(policies=self.signature_policy_store, brought=self.brought_store)

    @cached_property
    def brought_signatures(self) -> "BroughtSignatures":
        """Reads what registered images bring."""
        from packyard.operations.brought_signatures import BroughtSignatures

        return BroughtSignatures(store=self.brought_store)

    @cached_property
    def scan_function(self) -> "ScanFunction | None":
        """The function that scans; None if scanning is off."""
        if not self.settings.scan_function:
            return None
        from packyard.aws.scan_function import ScanFunction

        return ScanFunction(client=lambda: self.lambda_client, name=self.settings.scan_function)

    @cached_property
    def lambda_client(self) -> Any:
        """The client that invokes the function that scans; None if scanning is off."""
        return self.client("lambda") if self.settings.scan_function else None

    @cached_property
    def content_scanner(self) -> "ContentScanner | None":
        """Scans files; None if scanning is off."""
        if self.scan_function is None:
            return None
        from packyard.operations.content_scan import ContentScanner

        return ContentScanner(
            function=self.scan_function,
            time_left=self.registry_time_left,
            monotonic=time.monotonic,
            clock=self.clock,
        )

    @cached_property
    def scan_rule(self) -> "ScanRule":
        """Decides whether what a scan found may be published."""
        from packyard.operations.scan_rule import ScanRule

        return ScanRule(scanner=self.content_scanner, store=self.scans, clock=self.clock)

    @cached_property
    def scan_policies(self) -> "Policies[ScanPolicy]":
        """Reads and sets scan policies."""
        from packyard.operations.policies import Policies

        return Policies(store=self.scan_policy_store, thing="scan policy")

    @cached_property
    def pack_scans(self) -> "PackScans":
        """Reads the results of packs, and makes overrides."""
        from packyard.operations.pack_scans import PackScans

        return PackScans(
            revisions=self.pack_revisions,
            packs=self.packs,
            scans=self.scans,
            overrides=self.scan_overrides,
            clock=self.clock,
        )

    @cached_property
    def rescanner(self) -> "Rescanner":
        """Scans images again."""
        from packyard.operations.rescan import Rescanner

        return Rescanner(
            scans=self.scans,
            packs=self.packs,
            states=self.image_states,
            files=self.image_files,
            scanner=self.content_scanner,
            rule=self.scan_rule,
            time_left=self.registry_time_left,
            clock=self.clock,
        )
