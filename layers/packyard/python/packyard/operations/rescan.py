"""Scanning images again: when the rules have changed, and when a scan did not end (API contract, section 11).

    read which results are due → read the pack → read the image's files → scan → [withdraw the image]
    → replace the result

A schedule begins it. What is due follows from the results themselves, so a walk goes on where the one before ended,
and one that dies loses nothing. An image that the present policy refuses is withdrawn first: a crash between that and
the result finds it withdrawn the next time. A result is replaced on condition that it is as it was read. One image is
scanned after the other, a bounded number in each walk, so that publishes find a free scanner.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Final

from aws_lambda_powertools import Logger

from packyard.errors import InvalidRequest, RegistryUnavailable, ServiceUnavailable, TimedOut
from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.standing_layer import leaves_of_layers, taken_files
from packyard.oci.image_fault import NotOurForm
from packyard.oci.read.file_index import FileIndex
from packyard.operations.content_scan import ContentScanner
from packyard.operations.image_files import ImageFiles
from packyard.operations.scan_rule import ScanRule
from packyard.operations.scannable_files import compressed, in_spool
from packyard.packs.image_state import Withdrawal
from packyard.packs.pack import Pack, PackStatus
from packyard.scanning.finding import Finding
from packyard.scanning.parts import ScannableFile
from packyard.scanning.result import ResultStatus, ScanResult, with_known
from packyard.scanning.rules_version import rules_version
from packyard.store.image_states import AlreadySo, ImageStates
from packyard.store.packs import Gone, PackStore, Stale
from packyard.store.scan_items import StoredScan
from packyard.store.scans import ScanOutdated, ScanStore

logger = Logger(child=True)

# Who withdraws, in events.
ACTOR: Final = "scanner"
# Images of one walk, at most.
_WALKED: Final = 200
# A walk begins no scan when less is left.
_SECONDS_FOR_ONE: Final = 60.0
_UNREADABLE: Final = "the image could not be read"
_NAMED: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """What a walk did.

    Attributes:
        scanned: How many images were scanned.
        withdrawn: How many of them were withdrawn.
        more: Whether others are due.
    """

    scanned: int
    withdrawn: int
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescanner:
    """Scans images again.

    Attributes:
        scans: The results.
        packs: The rows and histories of packs.
        states: The states of images.
        files: Reads the files of images.
        scanner: Scans files; None if scanning is off. Then nothing is scanned.
        rule: Says what a policy refuses.
        time_left: For how many seconds the walk may still go on.
        clock: The present instant, UTC.
    """

    scans: ScanStore
    packs: PackStore
    states: ImageStates
    files: ImageFiles
    scanner: ContentScanner | None
    rule: ScanRule
    time_left: Callable[[], float]
    clock: Callable[[], datetime]

    def walk(self) -> Walked:
        """Scan images whose results are due, as many as there is time for.

        Raises:
            ServiceUnavailable: DynamoDB did not answer; the next walk goes on.
        """
        if self.scanner is None:
            return Walked(scanned=0, withdrawn=0, more=False)
        scanned = withdrawn = 0
        for stored in islice(self.scans.due(rules=rules_version(), now=self.clock()), _WALKED):
            if self.time_left() < _SECONDS_FOR_ONE:
                return Walked(scanned=scanned, withdrawn=withdrawn, more=True)
            try:
                withdrawn += self._rescan(stored, self.scanner)
            except (ScanOutdated, Stale, Gone):
                # It has changed since it was read. If it is still due, the next walk finds it.
                continue
            scanned += 1
        return Walked(scanned=scanned, withdrawn=withdrawn, more=scanned >= _WALKED)

    def _rescan(self, stored: StoredScan, scanner: ContentScanner) -> bool:
        """Scan one image. Return whether it was withdrawn."""
        found = self._pack_with(stored)
        if found is None:
            self.scans.forget(stored.pack_id, stored.digest)
            return False
        now, then = found
        result = self._scanned(then, scanner)
        judgement = self.scans.judgement(org_id=now.org_id, pack_id=now.id)
        refused = self.rule.refused(result, judgement)
        withdrawn = bool(refused) and self._withdraw(now, then, refused)
        result = with_known(result, stored.result)
        if refused:
            result = replace(result, status=ResultStatus.BLOCKED)
        attempts = stored.attempts + 1 if result.status is ResultStatus.INCOMPLETE else 0
        after = replace(stored, result=result, attempts=attempts, version=stored.version + 1)
        self.scans.replace(stored, after, pack=now, by=ACTOR)
        logger.info("scanned again", extra={"pack_id": now.id, "status": str(result.status)})
        return withdrawn

    def _pack_with(self, stored: StoredScan) -> tuple[Pack, Pack] | None:
        """Return a pack as it is, and as it was with an image; None if the pack or the image's content is gone."""
        now = self.packs.get(stored.pack_id)
        if now is None or now.status is not PackStatus.ACTIVE:
            return None
        if now.image_digest == stored.digest:
            return now, now
        state = self.packs.state_of(now.id, stored.digest)
        if state is not None and state.is_gone:
            return None
        then = self.packs.with_image(now, stored.digest)
        return None if then is None else (now, then)

    def _scanned(self, pack: Pack, scanner: ContentScanner) -> ScanResult:
        try:
            index = self.files.index(pack, org_id=pack.org_id)
            try:
                with LayerSpool() as spool:
                    return scanner.scan(self._by_layers(pack, index, spool))
            except NotOurForm:
                return scanner.scan(self._one_by_one(pack, index))
        except (InvalidRequest, RegistryUnavailable, ServiceUnavailable, TimedOut):
            logger.warning("image not read", extra={"pack_id": pack.id}, exc_info=True)
            return ScanResult(status=ResultStatus.INCOMPLETE, at=self.clock(), incomplete=_UNREADABLE)

    def _by_layers(self, pack: Pack, index: FileIndex, spool: LayerSpool) -> Iterator[ScannableFile]:
        """Yield the files of an image that was built here. Each layer is read once."""
        for layer, leaves in zip(index.layers, leaves_of_layers(index), strict=True):
            wanted = {leaf.path for leaf in leaves}
            with self.files.opened_layer(pack, layer) as chunks:
                for file in taken_files(
                    leaves, chunks, form=layer.form, size=layer.size, spool=spool, wanted=wanted
                ):
                    yield in_spool(file, spool)

    def _one_by_one(self, pack: Pack, index: FileIndex) -> Iterator[ScannableFile]:
        """Yield the files of an image that was built elsewhere. All of one file is in memory, compressed."""
        for file in index.files:
            pieces = self.files.read(pack, index, file, compressed, org_id=pack.org_id)
            yield ScannableFile(file.path, file.size, partial(iter, pieces))

    def _withdraw(self, now: Pack, then: Pack, refused: list[Finding]) -> bool:
        named = "; ".join(f"{each.path}: {each.rule}" for each in refused[:_NAMED])
        withdrawal = Withdrawal(
            revision=then.revision,
            reason=f"The scanner found what the scan policy refuses: {named}"[:1000],
            by=ACTOR,
            at=self.clock(),
        )
        try:
            self.states.withdraw(now, then.image_digest, withdrawal)
        except AlreadySo:
            return False
        return True
