"""Entity tags, and the `If-Match` precondition of a write (RFC 9110, sections 8.8.3 and 13.1.1)."""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Final

from packyard.errors import PreconditionFailed

# The entity tag of a file: this prefix and a SHA-256 in hex.
FILE_TAG: Final = "sha256:"
# In the entity tag of a pack or a role, what follows is not about the revision.
_STATE: Final = "@"
_REVISION: Final = re.compile(r"[1-9][0-9]{0,9}")


def file_tag(sha256: str) -> str:
    """Return the entity tag of a file, with its quotes.

    Args:
        sha256: The SHA-256 of the file's content, in hex.
    """
    return f'"{FILE_TAG}{sha256}"'


def revision_tag(revision: int) -> str:
    """Return the entity tag of a pack or a role at a revision, with its quotes (RFC 9110, section 8.8.3)."""
    return f'"{revision}"'


def pack_tag(revision: int, *, withdrawn: bool, attested: bool) -> str:
    """Return the entity tag of a pack for its owner, with its quotes.

    What can change without a new revision is in the tag too. `If-Match` takes the tag for its revision.

    Args:
        revision: The pack's.
        withdrawn: Whether the pack's image is withdrawn.
        attested: Whether signed statements are attached to the pack's image.
    """
    states = [name for name, is_so in (("withdrawn", withdrawn), ("attested", attested)) if is_so]
    return f'"{revision}{_STATE}{".".join(states)}"' if states else revision_tag(revision)


def role_tag(revision: int, changing: object) -> str:
    """Return the entity tag of a role, with its quotes: its revision, and what names everything else that can change.

    Whether a pin is stale changes without a new revision of the role. A write changes only the role, so `If-Match`
    takes the tag for its revision.

    Args:
        revision: The role's.
        changing: What the answer says that can change without a new revision, of JSON's types; empty for nothing.
    """
    if not changing:
        return revision_tag(revision)
    text = json.dumps(changing, sort_keys=True, separators=(",", ":"))
    return f'"{revision}{_STATE}{hashlib.sha256(text.encode()).hexdigest()[:16]}"'


@dataclass(frozen=True, slots=True)
class IfMatch:
    """The condition of an `If-Match` header.

    Attributes:
        tags: The strong entity tags, without quotes; None for `*`, which matches any revision.
        weak: The weak entity tags, without quotes. They match nothing (RFC 9110, section 13.1.1), but the refusal
            mentions them.
    """

    tags: frozenset[str] | None
    weak: frozenset[str] = frozenset()

    @property
    def revisions(self) -> list[int]:
        """The revisions that strong tags name, whatever else they say, sorted. Tags of other things name none."""
        numbers = {tag.partition(_STATE)[0] for tag in self.tags or ()}
        return sorted(int(number) for number in numbers if _REVISION.fullmatch(number))

    def matches(self, revision: int) -> bool:
        """Return whether the condition holds for something at this revision. The entity tag begins with the number."""
        return self.tags is None or any(tag.partition(_STATE)[0] == str(revision) for tag in self.tags)

    def refusal(self, revision: int, *, thing: str = "pack") -> PreconditionFailed:
        """Return the refusal of a write whose condition does not hold.

        Proxies that compress responses change their entity tags, so a client may send a tag that the service never gave
        out: nginx and CloudFront make it weak, Apache httpd and Jetty add a suffix (mod_deflate's `DeflateAlterETag`;
        Jetty issue 1416). The message distinguishes this from a change by somebody else.

        Args:
            revision: The current revision. It is disclosed, so the caller's organisation must own the thing.
            thing: What was to be written, such as `pack` or `role`.
        """
        tag = revision_tag(revision)
        stands = f"The {thing} is at revision {revision}"
        if str(revision) in self.weak:
            what = f"If-Match names W/{tag}, a weak entity tag, and a write takes strong ones only."
        elif altered := self._altered(revision):
            what = f'If-Match names "{altered}", which is {tag} with something added.'
        else:
            return PreconditionFailed(
                f"{stands}, and If-Match names another. Read it again; if the change is still right, "
                f"send it with If-Match: {tag}.",
                revision,
            )
        cause = "A proxy that compresses answers may have changed the tag on its way to you."
        return PreconditionFailed(f"{what} {cause} {stands}: send If-Match: {tag}.", revision)

    def _altered(self, revision: int) -> str | None:
        suffixed = re.compile(rf"{revision}[-;:+.][\x21-\x7e]{{1,20}}")
        return next((tag for tag in sorted(self.tags or ()) if suffixed.fullmatch(tag)), None)
