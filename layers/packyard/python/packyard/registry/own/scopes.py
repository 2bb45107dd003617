"""What a token has to allow for a request to our registry (token specification of the CNCF's distribution project).

Whoever asks is about to push or to delete, so that one token does for all of it: registries want `delete` for DELETE,
`pull` for GET and HEAD, and `pull,push` for everything else (distribution, `appendAccessRecords`).
"""

Scopes = tuple[str, ...]


def to_pull(repository: str) -> Scopes:
    """Return what reading takes."""
    return (f"repository:{repository}:pull",)


def to_push(repository: str, *, mount_from: str | None = None) -> Scopes:
    """Return what pushing takes, and looking at what is there.

    Args:
        repository: Where to.
        mount_from: The repository that a blob is taken over from: mounting reads it.
    """
    source = () if mount_from is None else to_pull(mount_from)
    return (f"repository:{repository}:pull,push", *source)


def to_delete(repository: str) -> Scopes:
    """Return what deleting takes."""
    return (f"repository:{repository}:delete",)
