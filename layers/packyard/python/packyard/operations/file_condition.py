"""The conditions of a write to a file: on the file, or on its pack."""

from packyard.errors import PreconditionFailed
from packyard.oci.read.file_index import IndexedFile
from packyard.packs.pack import Pack
from packyard.packs.precondition import FILE_TAG, IfMatch, file_tag


def require_seen(
    if_match: IfMatch | None, pack: Pack, file: IndexedFile | None, *, create_only: bool
) -> None:
    """Check the condition on the pack or on the file. A refusal says how both of them are."""
    if create_only and file is not None:
        raise PreconditionFailed(
            "There is a file at this path, and If-None-Match: * writes only where there is none.",
            pack.revision,
        )
    if if_match is None or if_match.matches(pack.revision):
        return
    if not any(tag.startswith(FILE_TAG) for tag in if_match.tags or ()):
        raise if_match.refusal(pack.revision)
    stands = "There is no file at this path" if file is None else f"The file is {file_tag(file.sha256)}"
    raise PreconditionFailed(
        f"{stands}, and the pack is at revision {pack.revision}; If-Match names neither. Read the file again.",
        pack.revision,
    )


def of_revision(if_match: IfMatch | None, pack: Pack, file: IndexedFile | None) -> IfMatch | None:
    """Return a condition on the file's entity tag as a condition on the pack's.

    `If-Match` is about the resource that the request is sent to (RFC 9110, section 13.1.1): the file. The write changes
    the pack, so that its condition is on the pack's revision.
    """
    if if_match is None or if_match.tags is None or file is None:
        return if_match
    if f"{FILE_TAG}{file.sha256}" not in if_match.tags:
        return if_match
    return IfMatch(if_match.tags | {str(pack.revision)})
