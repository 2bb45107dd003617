"""What the scanner says of a pack, and its overrides.

    read the pack → read its overrides → commit the new one, and its event

A crash leaves the overrides as they were or as they are to be. A repeat replaces the override by itself. Of two at
once, one reads again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from packyard.errors import InvalidRequest, PackDeleting, PackModified
from packyard.operations.owned_pack import editable_pack
from packyard.operations.pack_at import pack_at
from packyard.packs.pack import Pack, PackStatus
from packyard.scanning.override import MAX_LIFETIME, MAX_OVERRIDES, ScanOverride
from packyard.scanning.result import ScanResult
from packyard.store.pack_revisions import PackRevisions
from packyard.store.packs import PackStore
from packyard.store.scan_overrides import OverridesOutdated, ScanOverrideStore
from packyard.store.scans import ScanStore
from packyard.tenants.caller import Caller

# An attempt fails when another request has changed the overrides in the meantime.
_ATTEMPTS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PackScan:
    """What the scanner says of a revision of a pack.

    Attributes:
        pack: The pack as it was.
        result: The result of its image; None if it has none.
        overrides: Those of the pack that count now, for its owner; none for others.
        owned: Whether the caller's organisation owns the pack.
    """

    pack: Pack
    result: ScanResult | None
    overrides: Sequence[ScanOverride]
    owned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PackScans:
    """Reads the results of packs, and makes overrides.

    Attributes:
        revisions: Where packs and their histories are.
        packs: The rows of packs.
        scans: The results.
        overrides: The overrides.
        clock: The present instant, UTC.
    """

    revisions: PackRevisions
    packs: PackStore
    scans: ScanStore
    overrides: ScanOverrideStore
    clock: Callable[[], datetime]

    def get(self, pack_id: str, revision: int | None, *, caller: Caller) -> PackScan:
        """Return what the scanner says of a pack. Two reads, and one more for an earlier revision.

        Args:
            pack_id: The pack, as the client names it.
            revision: The revision; None for the present one.
            caller: Who asks.

        Raises:
            PackNotFound, RevisionNotFound, InvalidRequest, ServiceUnavailable: As for `pack_at`.
        """
        pack = pack_at(pack_id, revision, caller=caller, packs=self.revisions)
        owned = pack.org_id == caller.org_id
        found = self.scans.judgement(org_id=pack.org_id, pack_id=pack.id, digest=pack.image_digest)
        now = self.clock()
        return PackScan(
            pack=pack,
            result=None if found.stored is None else found.stored.result,
            overrides=[each for each in found.overrides if now < each.expires_at] if owned else [],
            owned=owned,
        )

    def override(  # noqa: PLR0913 - by name: what may pass, for how long, and who says so
        self, pack_id: str, *, rule: str, path: str, reason: str, expires_at: datetime, caller: Caller
    ) -> ScanOverride:
        """Let the findings of a rule in a file of an owned pack pass, and return the override.

        An override of the same rule and path is replaced. Those that have expired are dropped.

        Args:
            pack_id: The pack, as the client names it.
            rule: The rule's id.
            path: The file, relative to the pack's root. It need not be there yet.
            reason: Why, 1 to 1,000 characters.
            expires_at: Until when, in UTC.
            caller: Who asks.

        Raises:
            PackNotFound: There is no such pack that the caller can see.
            PermissionDenied: It is another organisation's.
            PackDeleting: It is being deleted.
            InvalidRequest: On `path`: the pack has as many overrides as it may have. On `expires_at`: it is over, or
                further away than a year.
            PackModified: Other requests keep changing them.
            ServiceUnavailable: DynamoDB did not answer.
        """
        pack = editable_pack(pack_id, caller=caller, packs=self.packs)
        if pack.status is not PackStatus.ACTIVE:
            raise PackDeleting
        now = self.clock()
        if not now < expires_at <= now + MAX_LIFETIME:
            raise InvalidRequest(
                {"expires_at": f"must be later than now, by at most {MAX_LIFETIME.days} days"}
            )
        made = ScanOverride(
            rule=rule, path=path, reason=reason, expires_at=expires_at, by=caller.principal, at=now
        )
        for _ in range(_ATTEMPTS):
            before = self.overrides.get(pack.id)
            kept = [
                each
                for each in before.overrides
                if now < each.expires_at and (each.rule, each.path) != (rule, path)
            ]
            if len(kept) >= MAX_OVERRIDES:
                raise InvalidRequest(
                    {
                        "path": f"this pack has {MAX_OVERRIDES} overrides already, the most; PUT /scan-policy says "
                        "what is done with all findings of a rule"
                    }
                )
            try:
                self.overrides.write(pack, before, [*kept, made], made)
            except OverridesOutdated:
                continue
            return made
        raise PackModified
