"""Version policies: which publication one refuses (API contract, section 7).

A request is judged by the policy that its organisation had when the request was signed in. The authorizer reads the
organisation anyway, so that a publication needs no further read (decision 111). A build of a staged archive reads the
policy when it begins.

- `increasing` compares with the pack's row. The row is written on condition that it is as it was read, so that of two
  changes at once, one is refused.
- `immutable` compares with what was published under the name. That is read before an image is pushed, so that a refusal
  costs little, and decided by a condition of the transaction that writes the pack.
- Going back to an image of the pack's own history publishes nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from packyard.errors import VersionTaken
from packyard.packs.manifest.version import Version, precedence, version_after
from packyard.packs.pack import Pack
from packyard.store.published_versions import PublishedVersions, VersionHeld, same_content
from packyard.tenants.caller import Actor
from packyard.tenants.version_policy import VersionPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRule:
    """Decides whether a version may be published.

    Attributes:
        published: What was published.
    """

    published: PublishedVersions

    def require(self, after: Pack, *, before: Pack | None, actor: Actor) -> None:
        """Check that the policy of the actor's organisation allows a publication. `immutable` takes one read.

        Args:
            after: The pack as it would be written.
            before: The pack that it would change; None for a new one.
            actor: Who publishes.

        Raises:
            VersionTaken: It does not.
            ServiceUnavailable: DynamoDB did not answer.
        """
        # What stands may be pushed again, when the registry has lost it.
        stands = before is not None and before.version == after.version and same_content(before, after)
        if actor.version_policy is VersionPolicy.INCREASING and before is not None and not stands:
            self._require_higher(after, before)
        if actor.version_policy is VersionPolicy.IMMUTABLE:
            there = self.published.find(after)
            if there is not None and not same_content(there, after):
                raise self._taken(after)

    @contextmanager
    def publishing(self, after: Pack) -> Iterator[None]:
        """Write a pack. What the condition of the write finds is refused as `require` refuses it.

        Args:
            after: The pack.

        Raises:
            VersionTaken: Its version was published with another content meanwhile.
        """
        try:
            yield
        except VersionHeld:
            raise self._taken(after) from None

    def _require_higher(self, after: Pack, before: Pack) -> None:
        highest = before.highest_version or before.version
        if precedence(after.version) <= precedence(highest):
            raise VersionTaken(after.version, version_after(highest), why=f"The pack has had {highest}.")

    def _taken(self, after: Pack) -> VersionTaken:
        highest = self.published.highest(org_id=after.org_id, name=after.name)
        versions: list[Version] = [after.version, *([highest.version] if highest else [])]
        return VersionTaken(
            after.version,
            version_after(max(versions, key=precedence)),
            why=f"{after.name} {after.version} was published with another content.",
        )
