"""What a client says that it has seen before it changes a pack: the revisions which `If-Match` names."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IfMatch:
    """The condition of an `If-Match` header.

    Attributes:
        tags: The strong entity tags, unquoted; None for `*`, which any revision matches.
    """

    tags: frozenset[str] | None

    def matches(self, revision: int) -> bool:
        """Return whether the pack at `revision` is one that the client has seen: the tag is the revision."""
        return self.tags is None or str(revision) in self.tags
