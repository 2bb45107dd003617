"""Whether what a scan found lets an image be published (API contract, section 11, "Scans").

The scan comes before anything is pushed, so that what is refused is nowhere. A scan that fails refuses nothing, unless
the organisation's policy says so. The policy and the overrides are read only when there is something to judge.

- A crash after the scan: nothing was written.
- A policy or an override that changes meanwhile: the publish is judged by what it read.
- Two publishes at once: each writes the result of its own image, in the transaction that writes its row.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from packyard.errors import ScanBlocked
from packyard.operations.content_scan import ContentScanner
from packyard.packs.pack import ImageOrigin, Pack
from packyard.scanning.finding import Finding
from packyard.scanning.override import blocking
from packyard.scanning.parts import ScannableFile
from packyard.scanning.result import ResultStatus, ScanResult, with_finished, with_unchanged
from packyard.scanning.rules_version import rules_version
from packyard.store.scans import Judgement, ScanStore

_COPIED_UNSCANNED: Final = "the image that was copied has no result"
_NAMED: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRule:
    """Decides whether an image may be published.

    Attributes:
        scanner: Scans files; None if scanning is off. Then nothing is scanned, and nothing is refused.
        store: The results of scans.
        clock: The present instant, UTC.
    """

    scanner: ContentScanner | None
    store: ScanStore
    clock: Callable[[], datetime]

    def require_files(self, after: Pack, files: Iterable[ScannableFile]) -> ScanResult | None:
        """Scan all files of an image, and check that the policy of the pack's organisation allows it.

        Args:
            after: The pack as it would be written.
            files: All of its files.

        Returns:
            The result, to be written with the pack; None if scanning is off.

        Raises:
            ScanBlocked: The policy refuses it.
            ServiceUnavailable: DynamoDB did not answer.
        """
        if self.scanner is None:
            return None
        result = self.scanner.scan(files)
        if result.status is not ResultStatus.PASSED:
            known = after.id if after.revision > 1 else None
            judgement = self.store.judgement(org_id=after.org_id, pack_id=known, digest=after.image_digest)
            if judgement.stored is not None:
                # The pack has had this image before.
                result = with_finished(result, judgement.stored.result, rules=rules_version())
            self._require(result, judgement, after)
        return result

    def require_changes(
        self, before: Pack, after: Pack, files: Sequence[ScannableFile], paths: Collection[str]
    ) -> ScanResult | None:
        """Scan the new files of an image. The result of the others is that of the image before. One read more.

        Args:
            before: The pack as it is.
            after: As for `require_files`.
            files: Its files whose content may be new.
            paths: Those of all its files.

        Returns:
            As for `require_files`.

        Raises:
            ScanBlocked, ServiceUnavailable: As for `require_files`.
        """
        if self.scanner is None:
            return None
        scanned = {file.path for file in files}
        unchanged = [path for path in paths if path not in scanned]
        judgement = self.store.judgement(org_id=after.org_id, pack_id=before.id, digest=before.image_digest)
        standing = None if judgement.stored is None else judgement.stored.result
        known = (
            {}
            if standing is None
            else {path: standing.facts[path] for path in unchanged if path in standing.facts}
        )
        result = with_unchanged(self.scanner.scan(files, known=known), standing, unchanged)
        if result.status is not ResultStatus.PASSED:
            self._require(result, judgement, after)
        return result

    def require_copy(self, source: Pack, clone: Pack) -> ScanResult | None:
        """Take over the result of an image that is copied, and check that the clone's organisation allows it.

        Two reads at most.

        Args:
            source: The pack that is copied.
            clone: The new pack.

        Returns:
            As for `require_files`.

        Raises:
            ScanBlocked: The policy refuses it. Excerpts, paths and lines are those of the source's owner alone.
            ServiceUnavailable: DynamoDB did not answer.
        """
        if self.scanner is None:
            return None
        stored = self.store.get(source.id, source.image_digest)
        result = self._not_scanned() if stored is None else stored.result
        if result.status is not ResultStatus.PASSED:
            judgement = self.store.judgement(org_id=clone.org_id, pack_id=None)
            self._require(result, judgement, clone, owned=source.org_id == clone.org_id)
        # What made another organisation's image `blocked` was that organisation's policy.
        return (
            result
            if result.status is not ResultStatus.BLOCKED
            else replace(result, status=ResultStatus.FINDINGS)
        )

    def require_known(self, after: Pack) -> None:
        """Check that the present policy allows an image of a pack's history. One read.

        An image without a result was published before there was a scanner, or while it was off. It is allowed.

        Args:
            after: The pack as it would be written.

        Raises:
            ScanBlocked, ServiceUnavailable: As for `require_files`.
        """
        if self.scanner is None or after.image_origin is ImageOrigin.IMAGE_REF:
            return
        judgement = self.store.judgement(org_id=after.org_id, pack_id=after.id, digest=after.image_digest)
        if judgement.stored is not None:
            self._require(judgement.stored.result, judgement, after)

    def refused(self, result: ScanResult, judgement: Judgement) -> list[Finding]:
        """Return the findings of a result that are a reason to refuse it."""
        return blocking(result.findings, judgement.policy, judgement.overrides, self.clock())

    def _not_scanned(self) -> ScanResult:
        return ScanResult(status=ResultStatus.INCOMPLETE, at=self.clock(), incomplete=_COPIED_UNSCANNED)

    def _require(self, result: ScanResult, judgement: Judgement, after: Pack, *, owned: bool = True) -> None:
        if findings := self.refused(result, judgement):
            views = [finding.view() for finding in findings] if owned else _seen_by_others(findings)
            raise ScanBlocked(_message(findings, after, owned=owned), views)
        if result.incomplete is not None and judgement.policy.incomplete:
            raise ScanBlocked(
                f"The scan is incomplete, since {result.incomplete}, and your organisation's scan policy refuses that. "
                'Send the request again later. If that does not help, PUT /scan-policy with "incomplete": "warn".',
                [],
                incomplete=result.incomplete,
            )


def _message(findings: Sequence[Finding], after: Pack, *, owned: bool) -> str:
    if owned:
        places = [f"{finding.path}{_line(finding)}: {finding.rule}" for finding in findings]
    else:
        places = list(dict.fromkeys(finding.rule for finding in findings))
    more = f", and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
    helps = "Remove what was found, and send it again." if owned else "Nothing was copied."
    if after.revision > 1:
        helps += f" If it is harmless, POST /packs/{after.id}/scan/overrides takes the rule, the path and your reason."
    return (
        f"The scan found what your organisation's scan policy refuses ({'; '.join(places[:_NAMED])}{more}). {helps} "
        "GET /scan-policy shows the policy."
    )


def _line(finding: Finding) -> str:
    return "" if finding.line is None else f", line {finding.line}"


def _seen_by_others(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return which rules found something: what may be told of another organisation's pack."""
    seen = {(finding.rule, str(finding.severity)): None for finding in findings}
    return [{"rule": rule, "severity": severity} for rule, severity in seen]
